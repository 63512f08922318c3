"""A unit of the database for a whole history: rows are made once, when all is told, not at each of an order's moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from core.desk import Company, Desk
from core.events import Event
from core.orders.model import Order
from storage.rows import MAPPINGS
from storage.seed.season import Office
from storage.store import Database
from storage.unit import Unit

T = TypeVar("T")
FIRST_ORDER = 1001


class Ledger(Unit):
    """Takes what core's verbs do, in memory; `commit` writes all of it as one transaction, or nothing."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._records: dict[type[Any], dict[Any, Any]] = {kind: {} for kind in MAPPINGS}
        self._told: list[Event] = []

    def get(self, kind: type[T], key: int | str) -> T | None:
        """The record of this history, else the database's."""
        found: T | None = self._records[kind].get(key)
        return found if found is not None else super().get(kind, key)

    def all(self, kind: type[T]) -> list[T]:
        """What this history has of that kind, in the order in which it came."""
        return list(self._records[kind].values())

    def add(self, record: Any) -> None:
        kind = type(record)
        self._records[kind][getattr(record, MAPPINGS[kind].key)] = record

    def save(self, record: Any) -> None:
        versioned = MAPPINGS[type(record)].versioned
        self.add(replace(record, version=record.version + 1) if versioned else record)

    def next_id(self, kind: type[Any]) -> int:
        return (FIRST_ORDER if kind is Order else 1) + len(self._records[kind])

    def note(self, event: Event) -> None:
        self._told.append(event)

    def commit(self) -> None:
        """Write everything, what happened first first. `Conflict` when the database has such records already."""
        for records in self._records.values():
            for record in records.values():
                super().add(record)
        for event in sorted(self._told, key=lambda event: event.at):
            super().note(event)
        super().commit()


class NotYet(Exception):
    """That is after now: it has not happened."""


@dataclass(frozen=True, slots=True)
class Past:
    """The company's history as it is being told, up to `now`."""

    ledger: Ledger
    company: Company
    now: datetime

    def desk(self, person: str, at: datetime) -> Desk:
        """That person at work at that moment; `NotYet` when it is still to come."""
        if at > self.now:
            raise NotYet
        return Desk(self.ledger, self.company, self.company.roster.people[person], at)

    def office(self, person: str) -> Office:
        return Office.of(self.company.roster.people[person])
