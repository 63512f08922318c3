"""The port to storage: everything core may ask of it, and nothing of how it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from core.events import Event
from core.orders.model import Order

T = TypeVar("T")


class AlreadySeen(Exception):
    """This arrival was handled before: nothing was written."""


class StorageDown(Exception):
    """The database did not answer or refused to write. Nothing was changed; the same may work later."""


class Records(Protocol):
    """One turn's view of what is kept. What it reads is remembered; what it writes is kept when the turn commits.

    A record is one of core's frozen dataclasses. `save` expects the record as it was read, changed with `replace`:
    when somebody else saved it meanwhile the whole turn fails with `Conflict` and is run again.
    """

    events: list[Event]  # noted in this turn, oldest first

    def get(self, kind: type[T], key: int | str) -> T | None: ...

    def find(self, kind: type[T], *, newest: bool = False, limit: int = 0, **equal: Any) -> list[T]:
        """Records whose fields equal the values given (a list or tuple: any of them), oldest first unless `newest`."""
        ...

    def add(self, record: Any) -> None: ...
    def save(self, record: Any) -> None: ...

    def watch(self, record: Any) -> None:
        """What this turn says rests on the record as it was read: when it changes meanwhile, `Conflict`."""
        ...

    def touch(self, record: Any) -> None:
        """As `watch`, and whoever relies on the record in the same moment has to look again too."""
        ...

    def next_id(self, kind: type[Any]) -> int:
        """A number no record of that kind has had."""
        ...

    def note(self, event: Event) -> None: ...
    def history(self, subject: str) -> list[Event]: ...

    def waiting_for(self, person: str) -> list[Order]:
        """Pending orders whose open step names the person, the longest waiting first."""
        ...

    def bookings(self, bounds: Sequence[datetime], owners: Sequence[str] | None) -> list[Booking]:
        """Sums for each window [bounds[i], bounds[i+1]), region and rep; `owners` None means everybody's.

        Gross rows are orders approved in the window; rows with `cancelled` are orders cancelled in it after approval.
        """
        ...


@dataclass(frozen=True, slots=True)
class Booking:
    """`amount` in the company's currency; `unrated` of the `count` orders had no rate and are not in it."""

    window: int
    region: str
    rep: str
    count: int
    amount: Decimal
    unrated: int
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """One row of the outbox, claimed until its lease ends. `handle` is where its card stands already, "" nowhere."""

    id: int
    lane: str
    address: str
    name: str
    body: bytes
    tries: int
    handle: str
    newest: bytes  # a later row's body that says the same card again: then this row's own is out of date; b"" none
