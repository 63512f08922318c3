"""The demo company as a database file that every side gets its own copy of, with enough people to be busy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from bot import company as files
from bot.app import App
from bot.messages import Image, Limits, Picture, Receive, Reply
from core.desk import Company
from core.team import Person, Role, Roster
from storage import seed
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.store import Database

CROWD = 32
DEMO = Path(seed.__file__).parent


def company() -> Company:
    """The demo company with 32 more reps and 32 more managers, so that a crowd can act at once."""
    firm = files.load(DEMO / "company.toml")[0]
    people = list(firm.roster.people.values())
    for n in range(CROWD):
        for kind, role, manager in (("rep", Role.REP, "raj"), ("boss", Role.MANAGER, "mia")):
            key = f"{kind}{n:02d}"
            people.append(
                Person(id=key, name=f"{kind.title()} {n}", role=role, manager=manager, logins=(f"web:{key}",))
            )
    return replace(firm, roster=Roster.of(people))


class House:
    """Makes the demo company once, in a folder of its own, and copies it for whoever asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.company = company()
        self._first = folder / "first.db"
        database = Database(f"sqlite:///{self._first}")
        upgrade(database)
        seed.fill(database, files.load(DEMO / "company.toml")[0], datetime.now(UTC))
        database.close()

    def copy(self) -> Path:
        """A database file of the demo company that nobody else uses."""
        self._count += 1
        path = self._folder / f"copy{self._count}.db"
        copyfile(self._first, path)
        return path

    def database(self) -> Database:
        return Database(f"sqlite:///{self.copy()}")


class Silent:
    """A platform that takes everything and shows nothing: what is left is the product's own work."""

    platform = "web"
    limits = Limits()

    def serves(self, address: str) -> bool:
        return address.startswith("web:")

    def start(self, receive: Receive) -> None:
        pass

    def stop(self) -> None:
        pass

    def send(self, address: str, reply: Reply) -> str:  # noqa: ARG002
        return "1"

    def edit(self, address: str, handle: str, reply: Reply) -> str:  # noqa: ARG002
        return handle

    def picture(self, address: str, picture: Picture) -> str:  # noqa: ARG002
        return "1"


def application(database: Database, firm: Company, draw: Callable[[Image], Picture] | None = None) -> App:
    """The product as `serve` joins it, on the silent platform. Not started: `start()` begins delivery."""
    return App(
        books=database.turn,
        outbox=TableOutbox(database),
        company=firm,
        adapters=[Silent()],
        draw=draw or (lambda image: Picture(b"", image.filename, image.alt)),
    )
