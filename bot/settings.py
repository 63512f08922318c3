"""One frozen `Settings`, read once from the environment and an `.env` file. Nothing else reads either."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from bot.config import ConfigError

PREFIX = "DEALDESK_"
DEMO = ".demo"  # the folder of the demo company
READY = "ready"  # the file in it that says it is complete
PLATFORMS = (
    "public_url",
    "slack_bot_token",
    "slack_app_token",
    "slack_signing_secret",
    "slack_api_url",
    "telegram_token",
    "telegram_api_url",
    "telegram_webhook_secret",
)
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings:
    """`database_url` is SQLAlchemy's; `company` is where company.toml is, the policy lies beside it."""

    database_url: str = "sqlite:///dealdesk.db"
    company: Path = Path("company.toml")
    host: str = "127.0.0.1"
    port: int = 8765
    log: str = "warning"
    given: bool = False  # a company or a database was named: the demo company is not put in its place
    public_url: str = ""  # where this server is reached from outside: then webhooks are used instead of polling
    # Secrets are left out of the repr, so that no log can carry them.
    slack_bot_token: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    telegram_token: str = field(default="", repr=False)
    telegram_api_url: str = "https://api.telegram.org"
    telegram_webhook_secret: str = field(default="", repr=False)

    @property
    def folder(self) -> Path:
        """Where charts and other files of this company are put."""
        return self.company.parent


def read(folder: Path | None = None) -> Settings:
    """The settings in force. In a folder without a company of its own (`dealdesk init`), the demo company's."""
    here = folder or Path.cwd()
    named = _given(here)
    own = "company" in named or "database_url" in named or (here / "company.toml").exists()
    return _of(named, here if own or not (here / DEMO / READY).exists() else here / DEMO)


def demo(folder: Path | None = None) -> Settings:
    """The demo company's settings: its own folder and database, whatever company is set up beside it."""
    here = folder or Path.cwd()
    kept = {"host", "port", "log", *PLATFORMS}
    return _of({key: value for key, value in _given(here).items() if key in kept}, here / DEMO)


def _given(here: Path) -> dict[str, str]:
    """What is set, by its name without the prefix; what is left empty is not set."""
    given = {**dotenv_values(here / ".env"), **os.environ}
    return {key.removeprefix(PREFIX).lower(): value for key, value in given.items() if key.startswith(PREFIX) and value}


def _of(named: dict[str, str], base: Path) -> Settings:
    return Settings(
        database_url=named.get("database_url", f"sqlite:///{base / 'dealdesk.db'}"),
        company=Path(named.get("company", base / "company.toml")),
        host=named.get("host", Settings.host),
        port=_port(named.get("port", str(Settings.port))),
        log=_level(named.get("log", Settings.log)),
        given="company" in named or "database_url" in named,
        **{name: named[name].strip() for name in PLATFORMS if name in named},
    )


def _port(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or not 0 <= int(value) <= 65535:
        raise ConfigError(f"{PREFIX}PORT: {value!r} is no port. Write a number from 0 to 65535.")
    return int(value)


def _level(value: str) -> str:
    if value.lower() not in LEVELS:
        raise ConfigError(f"{PREFIX}LOG: {value!r} is no level. Write one of {', '.join(LEVELS)}.")
    return value.lower()


def without_password(url: str) -> str:
    """A database's address as it may be shown."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
