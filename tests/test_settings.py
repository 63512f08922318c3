"""Settings: read once from the environment and an .env file, the environment first; without a company, the demo's."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from bot import settings
from bot.company import ConfigError
from bot.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with nothing of ours in the environment."""
    for name in ("DATABASE_URL", "COMPANY", "HOST", "PORT", "LOG"):
        monkeypatch.delenv(f"DEALDESK_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def demo_in(folder: Path, *, ready: bool = True) -> Path:
    path = folder / ".demo"
    path.mkdir()
    if ready:
        (path / "ready").touch()
    return path


def test_with_nothing_set_everything_lies_in_the_folder_one_works_in(folder: Path) -> None:
    found = settings.read()
    assert found == Settings(database_url=f"sqlite:///{folder / 'dealdesk.db'}", company=folder / "company.toml")
    assert (found.host, found.port, found.log) == ("127.0.0.1", 8765, "warning")
    assert found.folder == folder


def test_every_setting_can_be_given_in_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "DATABASE_URL": "postgresql://db/x",
        "COMPANY": "/etc/dealdesk/company.toml",
        "HOST": "0.0.0.0",  # noqa: S104 -- a value like any other
        "PORT": "9000",
        "LOG": "DEBUG",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"DEALDESK_{name}", value)
    found = settings.read(folder)
    assert (found.database_url, found.company, found.folder) == (
        "postgresql://db/x",
        Path("/etc/dealdesk/company.toml"),
        Path("/etc/dealdesk"),
    )
    assert (found.host, found.port, found.log) == (given["HOST"], 9000, "debug")


def test_every_setting_can_be_given_in_the_env_file(folder: Path) -> None:
    (folder / ".env").write_text(
        '# ours\nDEALDESK_PORT=9001\nexport DEALDESK_LOG="info"\nDEALDESK_HOST = box\nOTHER_PORT=1\n', encoding="utf-8"
    )
    found = settings.read(folder)
    assert (found.port, found.log, found.host) == (9001, "info", "box")


def test_the_environment_comes_before_the_env_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("DEALDESK_PORT=9001\nDEALDESK_LOG=info\n", encoding="utf-8")
    monkeypatch.setenv("DEALDESK_PORT", "9002")
    found = settings.read(folder)
    assert (found.port, found.log) == (9002, "info")


@pytest.mark.parametrize(
    "text", ["DEALDESK_COMPANY=\n", "DEALDESK_COMPANY\n", 'DEALDESK_DATABASE_URL=""\n', "DEALDESK_PORT=\n"]
)
def test_a_setting_that_is_left_empty_is_not_set(folder: Path, text: str) -> None:
    """A copied example file is full of them."""
    (folder / ".env").write_text(text, encoding="utf-8")
    assert settings.read(folder) == settings.Settings(
        database_url=f"sqlite:///{folder / 'dealdesk.db'}", company=folder / "company.toml"
    )


@pytest.mark.parametrize("value", ["x", "-1", "65536", "80.5", "8e3", "²"])
def test_a_port_that_is_none_is_refused_with_what_to_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEALDESK_PORT", value)
    with pytest.raises(ConfigError, match=r"DEALDESK_PORT.*0 to 65535"):
        settings.read(folder)


def test_a_log_level_that_does_not_exist_is_refused_with_those_that_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALDESK_LOG", "loud")
    with pytest.raises(ConfigError, match=r"DEALDESK_LOG.*debug, info, warning, error"):
        settings.read(folder)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


# ---------------------------------------------------------------- the demo company


def test_without_a_company_of_ones_own_the_finished_demo_is_used(folder: Path) -> None:
    path = demo_in(folder)
    found = settings.read(folder)
    assert (found.folder, found.database_url) == (path, f"sqlite:///{path / 'dealdesk.db'}")


def test_a_demo_that_was_never_finished_is_not_used(folder: Path) -> None:
    demo_in(folder, ready=False)
    assert settings.read(folder).folder == folder


def test_a_company_of_ones_own_comes_before_the_demo(folder: Path) -> None:
    demo_in(folder)
    (folder / "company.toml").touch()
    assert settings.read(folder).folder == folder


@pytest.mark.parametrize("line", ["DEALDESK_COMPANY=mine.toml\n", "DEALDESK_DATABASE_URL=sqlite:///mine.db\n"])
def test_whoever_names_a_company_or_a_database_does_not_mean_the_demo(folder: Path, line: str) -> None:
    demo_in(folder)
    (folder / ".env").write_text(line, encoding="utf-8")
    assert ".demo" not in str(settings.read(folder))


def test_the_demo_keeps_to_its_own_folder_whatever_is_set_up_beside_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALDESK_COMPANY", str(folder / "mine.toml"))
    monkeypatch.setenv("DEALDESK_DATABASE_URL", "sqlite:///mine.db")
    monkeypatch.setenv("DEALDESK_PORT", "9003")
    found = settings.demo(folder)
    assert (found.folder, found.port) == (folder / ".demo", 9003)
    assert found.database_url == f"sqlite:///{folder / '.demo' / 'dealdesk.db'}"
