"""One arrival being handled: what a handler and a dialog see of the world, and the ports they are written against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType
from typing import Any, Protocol

from bot.messages import Ask, Card, Form, Incoming, Reply, Tap
from bot.nlu import Names, Reading
from bot.text import Words
from core.desk import Company, Desk
from core.store import Records
from core.team import Person

Said = Sequence[Reply | Ask]


class Book(Records, Protocol):
    """Core's records, and what the conversation keeps beside them in the same transaction."""

    def __enter__(self) -> Book: ...
    def __exit__(self, *_: object) -> None: ...
    def begin(self, arrival: str, now: datetime) -> None: ...
    def commit(self) -> None: ...
    def recall(self, address: str) -> dict[str, Any]: ...
    def remember(self, address: str, data: dict[str, Any]) -> None: ...
    def names_stamp(self) -> int: ...
    def places(self, name: str) -> list[tuple[str, str]]: ...
    def place(self, name: str, address: str, person: str) -> None: ...
    def unplace(self, name: str, address: str) -> None: ...
    def say(self, address: str, body: bytes, due: datetime, *, name: str = "", lane: str = "") -> None: ...


@dataclass(slots=True)
class Turn:
    """`memory` is what is remembered at this address; what a dialog changes in it is kept when the turn commits.

    `memory["open"]` is the dialog that waits for an answer, with its data; `memory["focus"]` what was last spoken of.
    """

    arrival: Incoming
    book: Book
    company: Company
    person: Person
    names: Names
    now: datetime
    words: Words
    memory: dict[str, Any] = field(default_factory=dict)
    platforms: Sequence[str] = ("web",)  # those set up, the best one to tell somebody something first

    @property
    def desk(self) -> Desk:
        return Desk(self.book, self.company, self.person, self.now)

    def desk_of(self, person: Person) -> Desk:
        """The same moment through somebody else's eyes: what may be done from a card they look at."""
        return replace(self.desk, person=person)

    def reply(self, key: str, **facts: Any) -> Reply:
        """A plain sentence, back to where the arrival came from."""
        return Reply(Card(text=self.words(key, **facts)))

    def privately(self, key: str, **facts: Any) -> Reply:
        """A sentence that only the person who acted sees."""
        return replace(self.reply(key, **facts), only=self.arrival.login)

    # ------------------------------------------------------------ memory

    @property
    def waiting(self) -> tuple[str, dict[str, Any]]:
        """The dialog that waits for an answer here, and its data; ("", {}) when none does."""
        waits = self.memory.get("open") or {}
        return waits.get("dialog", ""), waits.get("data", {})

    def wait(self, dialog: str, **data: Any) -> None:
        """The next message here may be an answer for this dialog."""
        self.memory["open"] = {"dialog": dialog, "data": data}

    def settle(self) -> None:
        """Nothing waits for an answer here any more."""
        self.memory.pop("open", None)

    def focus(self, **on: Any) -> None:
        """What "it" means from now on: an order's number, a customer's id."""
        self.memory["focus"] = {**self.memory.get("focus", {}), **on}

    def focused(self, what: str) -> Any:
        return self.memory.get("focus", {}).get(what)


class Dialog(Protocol):
    """One goal, one module in `bot/dialogs`. `help.NAME` and `help.NAME_try` in the words say what it is for.

    `resume` gets what is said while this dialog waits, and returns None when that was no answer to it. A dialog may
    also have `COMMANDS`: words that mean it when they are all that was said.
    """

    INTENTS: tuple[str, ...]
    TAPS: dict[str, Callable[[Turn, Tap, list[str]], Said]]
    FORMS: dict[str, Callable[[Turn, Form, list[str]], Said]]

    def handle(self, turn: Turn, reading: Reading) -> Said: ...
    def resume(self, turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None: ...


def name_of(dialog: Dialog | ModuleType) -> str:
    """What memory calls a dialog: its module's own name."""
    return str(dialog.__name__).rpartition(".")[2]  # type: ignore[union-attr]
