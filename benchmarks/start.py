"""Starting and sitting there: exec to the first durable answer, memory when idle, the processor when idle."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._measure import Row, environment, first_answer, pipes, processor_time, resident, rounds, started

SAID = json.dumps({"text": "order 50 Pro seats for Acme at $20"})
CHAT = [sys.executable, "-m", "bot", "chat", "--as", "tom", "--json"]
SERVE = [sys.executable, "-m", "bot", "serve", "--port", "0"]
HEAVY = ("pandas", "matplotlib.pyplot", "sklearn.cluster", "sklearn.ensemble", "sqlalchemy.orm", "fastapi")
# What the floor does: the standard library alone takes a line, commits a row and answers.
STDLIB = """
import json, sqlite3, sys
said = json.loads(sys.stdin.readline())
db = sqlite3.connect("floor.db")
db.execute("PRAGMA journal_mode=WAL"); db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE IF NOT EXISTS said (text TEXT)")
db.execute("INSERT INTO said VALUES (?)", (said["text"],)); db.commit()
print(json.dumps({"say": said["text"]}), flush=True)
sys.stdin.read()
"""


def run(*, quick: bool) -> list[Row]:
    heavy = [name for name in HEAVY if find_spec(name.partition(".")[0])]
    with TemporaryDirectory(prefix="dealdesk-start-") as folder:
        here = Path(folder)
        env = environment(here / "cache")
        # In an empty folder `chat` makes the demo company; it is not measured.
        subprocess.run(CHAT, cwd=here, env=dict(env), input="", capture_output=True, text=True, check=True)  # noqa: S603
        return [*_first_answers(here, env, heavy, quick=quick), *_idle(here, env, heavy, quick=quick)]


def _eager(heavy: list[str], arguments: list[str]) -> list[str]:
    """The product with everything imported at the start, as a program is that does not think about it."""
    everything = [*heavy, "bot.adapters.web", "bot.server", "bot.tour", "core.reports.weekly_sales", "alembic.command"]
    code = f"import {', '.join(everything)}; import sys; sys.argv = {['dealdesk', *arguments]!r}; import bot.__main__"
    return [sys.executable, "-c", f"{code}; bot.__main__.main()"]


def _first_answers(here: Path, env: Mapping[str, str], heavy: list[str], *, quick: bool) -> list[Row]:
    sides = {"floor": [sys.executable, "-c", STDLIB], "peer": _eager(heavy, CHAT[3:]), "product": CHAT}
    peaks: dict[str, list[float]] = {side: [] for side in sides}

    def measure(side: str) -> float:
        ran = first_answer(sides[side], SAID, cwd=here, env=env)
        peaks[side].append(ran.peak)
        answer = json.loads(ran.line)
        if "say" not in answer or (side != "floor" and "Acme" not in ran.line):
            raise RuntimeError(f"{side} answered {ran.line!r}")
        return ran.seconds

    for side in sides:  # once unmeasured: byte code is written, files come into the system's cache
        measure(side)
        peaks[side].clear()
    found = rounds(
        3 if quick else 9,
        floor=lambda: measure("floor"),
        peer=lambda: measure("peer"),
        product=lambda: measure("product"),
    )
    return [
        Row(
            "exec to the first durable answer",
            "s",
            found,
            ("product", "peer"),
            limit=0.25,
            below=1.0,
            note=f"The peer is the product with everything imported at once: {', '.join(heavy)} and all its own"
            " modules. The floor is the standard library, which understands nothing. Byte code is kept, as an"
            " installation has it.",
        ),
        Row("peak memory until then", "MiB", peaks, ("product", "peer")),
    ]


def _idle(here: Path, env: Mapping[str, str], heavy: list[str], *, quick: bool) -> list[Row]:
    """`serve` and the eager `serve`, both sitting there with nobody talking to them."""
    watch, count = (3.0, 2) if quick else (10.0, 3)
    memory: dict[str, list[float]] = {"peer": [], "product": []}
    busy: list[float] = []
    with started(SERVE, cwd=here, env=env) as ours, started(_eager(heavy, SERVE[3:]), cwd=here, env=env) as eager:
        for process in (ours, eager):
            _, out = pipes(process)
            while "Ctrl-C" not in (line := out.readline()):
                if not line:
                    raise RuntimeError("serve ended before it listened")
        time.sleep(2)  # what it does in the background at the start
        for _ in range(count):
            before = processor_time(ours.pid)
            time.sleep(watch)
            busy.append((processor_time(ours.pid) - before) / watch * 100)
            memory["product"].append(resident(ours.pid))
            memory["peer"].append(resident(eager.pid))
    return [
        Row("memory of an idle `serve`", "MiB", memory, ("product", "peer"), limit=0.35),
        Row(
            f"a core's time that an idle `serve` takes, over {watch:g} s",
            "%",
            {"product": busy},
            below=0.5,
            note="The page and the terminal's own platform only: no chat platform is connected.",
        ),
    ]
