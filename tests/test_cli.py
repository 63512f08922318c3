"""The command line as people and scripts use it: in a folder of its own, through a real process."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("DEALDESK_")}


def run(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**CLEAN, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **settings},
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def said(*texts: str) -> str:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo company was made and its tour played."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "demo", "--tour-only")
    assert done.returncode == 0, done.stderr
    (folder / "tour.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_tour_shows_the_whole_promise(demo: Path) -> None:
    told = (demo / "tour.txt").read_text(encoding="utf-8")
    for part in (
        "Lead logged",
        "order 50 Pro seats for Acme at $20",
        "Approved by Raj Patel",
        "Acme Corp",
        "已驳回",
        "Weekly sales",
        "The chart is saved as",
    ):
        assert part in told
    (chart,) = (demo / ".demo" / "charts").glob("*.png")
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert "something went wrong" not in told.lower()


def test_the_demo_company_shows_every_state_of_an_order(demo: Path) -> None:
    database = sqlite3.connect(demo / ".demo" / "dealdesk.db")
    states = {state for (state,) in database.execute("SELECT DISTINCT state FROM orders")}
    database.close()
    assert len(states) == 11


def test_a_script_talks_in_json_lines(demo: Path) -> None:
    answers = lines(run(demo, "chat", "--as", "tom", "--json", stdin=said("order 5 Basic seats for Acme")))
    assert answers[-1] == {"done": True}
    card = answers[-2]["say"]
    assert card["title"].endswith("draft")
    submit = next(button["action"] for button in card["buttons"] if button["label"] == "Submit")
    tapped = lines(run(demo, "chat", "--as", "tom", "--json", stdin=json.dumps({"tap": submit}) + "\n"))
    assert tapped[-2]["say"]["title"].endswith("approved")


def test_a_line_that_is_no_json_is_told_and_does_not_end_the_talk(demo: Path) -> None:
    answers = lines(run(demo, "chat", "--as", "tom", "--json", stdin="nonsense\n[1]\n" + said("help")))
    assert "error" in answers[0]
    assert any("say" in answer for answer in answers)


def test_buttons_are_numbers_in_the_terminal(demo: Path) -> None:
    done = run(demo, "chat", "--as", "Lena Fischer", stdin="who is Acme\norder 5 Basic seats for Kestrelwood\n2\n")
    assert "[2] Cancel order" in done.stdout
    assert "cancelled" in done.stdout


def test_what_the_terminal_decides_waits_for_the_page(demo: Path) -> None:
    """The page's copy is in the outbox until somebody serves the page."""
    run(demo, "chat", "--as", "tom", stdin="order 50 Pro seats for Acme at $20\nsubmit\n")
    database = sqlite3.connect(demo / ".demo" / "dealdesk.db")
    (waiting,) = database.execute("SELECT count(*) FROM outbox WHERE state = 'open' AND address = 'web:raj'").fetchone()
    database.close()
    assert waiting == 1


def test_nobody_of_that_name_is_one_line_and_exit_code_2(demo: Path) -> None:
    done = run(demo, "chat", "--as", "nobody")
    assert done.returncode == 2
    assert "tom (Tom Becker, rep)" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_is_served_and_a_busy_port_picks_another(demo: Path) -> None:
    first = _serve(demo, "0")
    try:
        port = first[1].rpartition(":")[2]
        second = _serve(demo, port)
        try:
            assert second[1] != first[1]
            with urllib.request.urlopen(f"{second[1]}/api/company") as answer:  # noqa: S310
                assert b"Quillhaven" in answer.read()
        finally:
            _end(second[0])
    finally:
        _end(first[0])


def _serve(folder: Path, port: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "bot", "serve", "--port", port],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**CLEAN, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "listens on " in line:
            return process, line.rpartition("listens on ")[2].strip()
    raise AssertionError("the page was not served")


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    if process.stdout:
        process.stdout.close()


# ---------------------------------------------------------------- one's own company


def test_a_company_of_ones_own_from_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "init").returncode == 0
    (tmp_path / "products.csv").write_text("name,list_price,aliases\nWidget,12.50,widgets;gadget\n", encoding="utf-8")
    (tmp_path / "customers.csv").write_text("name,owner\nZebra Ltd,bob\n", encoding="utf-8")
    dry = run(tmp_path, "import", "products", "products.csv", "--dry-run")
    assert "1 would be added" in dry.stdout
    assert "1 added" in run(tmp_path, "import", "products", "products.csv").stdout
    assert "1 unchanged" in run(tmp_path, "import", "products", "products.csv").stdout
    assert "1 added" in run(tmp_path, "import", "customers", "customers.csv").stdout
    answers = lines(run(tmp_path, "chat", "--as", "bob", "--json", stdin=said("order 4 widgets for Zebra")))
    assert any(answer.get("say", {}).get("title") == "Order #1 · draft" for answer in answers)


def test_init_leaves_what_is_there_alone(tmp_path: Path) -> None:
    run(tmp_path, "init")
    again = run(tmp_path, "init")
    assert again.returncode == 2
    assert "left alone" in again.stderr


def test_wrong_lines_are_named_and_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("name,list_price\nWidget,12\nGadget,cheap\n,3\n", encoding="utf-8")
    done = run(tmp_path, "import", "products", "p.csv")
    assert done.returncode == 2
    assert "line 3" in done.stderr
    assert "line 4" in done.stderr
    assert "nothing was imported" in done.stderr


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"DEALDESK_DATABASE_URL": "nonsense"}, "database cannot be used"),
        ({"DEALDESK_DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "database cannot be used"),
        ({"DEALDESK_COMPANY": "missing.toml"}, "missing.toml"),
        ({"DEALDESK_PORT": "high"}, "DEALDESK_PORT"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line_and_exit_code_2(
    tmp_path: Path, settings: dict[str, str], part: str
) -> None:
    if "DEALDESK_COMPANY" not in settings:
        run(tmp_path, "init")
    done = run(tmp_path, "chat", "--as", "bob", **settings)
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_database_that_is_no_database_is_told(tmp_path: Path) -> None:
    run(tmp_path, "init")
    (tmp_path / "dealdesk.db").write_text("this is no database, whatever its name says " * 40, encoding="utf-8")
    done = run(tmp_path, "chat", "--as", "bob")
    assert done.returncode == 2
    assert "file is not a database" in done.stderr


def test_a_password_in_the_address_is_not_shown(tmp_path: Path) -> None:
    done = run(tmp_path, "understand", "hello", DEALDESK_DATABASE_URL="nodriver://ann:secret@host/db")
    assert done.returncode == 2
    assert "secret" not in done.stderr


def test_understand_reads_lines_and_writes_lines(tmp_path: Path) -> None:
    """An empty database is made by the first command that needs it; a broken line does not end the stream."""
    asked = '{"id": "a", "text": "order 5 widgets for Zebra"}\nnot json\n{"id": "b", "text": "weekly sales"}\n'
    answers = lines(run(tmp_path, "understand", "--json", "--now", "2026-11-21T09:00:00+00:00", stdin=asked))
    assert [answer.get("id") for answer in answers] == ["a", None, "b"]
    assert answers[0]["intent"] == "create_order"
    assert answers[2]["intent"] == "report_sales"
    assert set(answers[0]) == {"id", "intent", "confidence", "slots", "missing", "ambiguous", "asks"}


@pytest.mark.parametrize(
    "command", ["chat", "serve", "demo", "init", "understand", "doctor", "link", "import", "slack"]
)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "--help")
    assert done.returncode == 0
    if command not in ("import", "slack"):
        assert "Example:" in done.stdout
