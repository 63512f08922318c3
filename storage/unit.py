"""One turn's view of the database: core's `Records`, and what the conversation keeps beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, case, func, select
from sqlalchemy.exc import DBAPIError

from core.customers.model import Customer
from core.events import Event
from core.orders.model import BOOKED, Order, Product, State
from core.store import Booking, StorageDown
from storage import tables as t
from storage.rows import MAPPINGS, Kept, Row

if TYPE_CHECKING:
    from storage.store import Database

T = TypeVar("T")
# A cancelled order was booked once: gross counts it in the week of its approval, net takes it off where it ended.
BOOKED_EVER = [*(state.value for state in BOOKED), State.CANCELLED.value]
TOGETHER = 512  # parents whose children are read in one statement; SQLite takes 32,766 values in one
NAMED = (Customer, Product)  # a change of one of these renews the names that the language layer knows


class Unit:
    """Reads at once, writes at `commit`. Not shared between threads."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._connection: Connection | None = None
        self._driver_cursor: Any = None
        self._known: dict[tuple[type[Any], Any], Any] = {}
        self._versions: dict[tuple[str, Any], int] = {}
        self._watched: dict[tuple[str, Any], int] = {}
        self._added: set[tuple[Any, Any]] = set()
        self._touched: set[tuple[Any, Any]] = set()
        self.arrival = ""
        self.now: datetime | None = None
        self.events: list[Event] = []
        self.inserts: dict[Any, list[Row]] = defaultdict(list)
        self.saves: list[tuple[Kept, Any, Row]] = []
        self.replacements: list[tuple[Any, str, Any, list[Row]]] = []
        self.memories: list[Row] = []
        self.cards: list[Row] = []
        self.unplaced: list[tuple[str, str]] = []
        self.names_changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._driver_cursor = None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The database's own errors as `StorageDown`: the conversation says that it cannot keep anything now."""
        try:
            yield
        except (DBAPIError, self._db.driver.Error) as error:
            raise StorageDown(str(getattr(error, "orig", error)).partition("\n")[0]) from None

    @property
    def _cursor(self) -> Any:
        """The driver's own: for the statements that are compiled once."""
        if self._driver_cursor is None:
            self._driver_cursor = self.connection.connection.cursor()
        return self._driver_cursor

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self._db.engine.connect()
        return self._connection

    def _asked(self, query: Select[Any]) -> list[Row]:
        """The rows of a question that is not asked in every turn."""
        with self._reading():
            return [dict(row) for row in self.connection.execute(query).mappings()]

    def commit(self) -> None:
        self.__exit__()
        self._db.commit(self)

    def read_versions(self) -> Iterator[tuple[str, Any, int]]:
        """(table, key, version as read) of everything this unit saves or relies on."""
        for (name, key), version in (self._watched | self._versions).items():
            yield name, key, version

    def saved(self) -> Iterable[tuple[str, Any]]:
        """(table, key) of everything this unit saves."""
        return self._versions

    # ------------------------------------------------------------ core's records

    def get(self, kind: type[T], key: int | str) -> T | None:
        if (kind, key) in self._known:
            found: T | None = self._known[kind, key]
            return found
        kept = MAPPINGS[kind]
        return next(iter(self._build(kept, self._rows(kept.table, {kept.key: key}))), None)

    def find(self, kind: type[T], *, newest: bool = False, limit: int = 0, **equal: Any) -> list[T]:
        kept = MAPPINGS[kind]
        with self._reading():
            rows = self._db.statements.find(self._cursor, kept.table, equal, newest=newest, limit=limit)
        found: list[T] = self._build(kept, rows)
        touched = [self._known[kind, key] for table, key in self._touched if table is kept.table]
        if not touched:
            return found
        # What this turn added or changed counts as it is now, though the database does not know it yet.
        mine = [record for record in touched if _matches(record, equal)]
        others = [record for record in found if not any(record is one for one in touched)]
        ordered = sorted([*mine, *others], key=lambda record: getattr(record, kept.key), reverse=newest)
        return ordered[:limit] if limit else ordered

    def add(self, record: Any) -> None:
        kept = MAPPINGS[type(record)]
        self.inserts[kept.table].append(kept.to_row(record))
        key = getattr(record, kept.key)
        for name, child in kept.children:
            self.inserts[child.table].extend(_child_rows(child, key, getattr(record, name)))
        if isinstance(record, Order):
            self.inserts[t.waiting].extend(_waiting(record))
        self._added.add((kept.table, key))
        self._touched.add((kept.table, key))
        self._known[type(record), key] = record
        self.names_changed |= isinstance(record, NAMED)

    def save(self, record: Any) -> None:
        kept = MAPPINGS[type(record)]
        key = getattr(record, kept.key)
        before = self._known.get((type(record), key))
        if before is None:
            raise LookupError(f"{type(record).__name__} {key} was not read in this turn")
        if (kept.table, key) in self._added:
            self._forget(kept, key)
            self.add(record)
            return
        if kept.versioned:
            self._versions.setdefault((kept.table.name, key), before.version)
            record = replace(record, version=before.version + 1)
        self._touched.add((kept.table, key))
        self.saves.append((kept, key, kept.to_row(record)))
        for name, child in kept.children:
            if getattr(before, name) != getattr(record, name):
                rows = _child_rows(child, key, getattr(record, name))
                self.replacements.append((child.table, kept.key, key, rows))
        if isinstance(record, Order):
            self.replacements.append((t.waiting, "number", key, _waiting(record)))
        self._known[type(record), key] = record
        self.names_changed |= isinstance(record, NAMED)

    def watch(self, record: Any) -> None:
        """What this turn says rests on the record as it was read: when it changes meanwhile, `Conflict`."""
        kept = MAPPINGS[type(record)]
        key = getattr(record, kept.key)
        if (kept.table, key) not in self._touched:
            self._watched[kept.table.name, key] = self._known[type(record), key].version

    def touch(self, record: Any) -> None:
        """As `watch`, and whoever relies on the record in the same moment has to look again too."""
        kept = MAPPINGS[type(record)]
        if (kept.table, getattr(record, kept.key)) not in self._touched:
            self.save(record)

    def _forget(self, kept: Kept, key: Any) -> None:
        """Drop the rows of a record added in this very turn: its later version is inserted instead."""
        for table in (
            kept.table,
            *(child.table for _, child in kept.children),
            *([t.waiting] if kept.children else []),
        ):
            self.inserts[table] = [row for row in self.inserts[table] if row[kept.key] != key]

    def next_id(self, kind: type[Any]) -> int:
        kept = MAPPINGS[kind]
        key = kept.table.c[kept.key]
        highest = select(func.max(key).label("highest"))
        return self._db.next_number(kept.table.name, lambda: self._asked(highest)[0]["highest"] or 0)

    def note(self, event: Event) -> None:
        self.events.append(event)
        row = {"at": event.at, "actor": event.actor, "on_behalf_of": event.on_behalf_of}
        self.inserts[t.event].append({**row, "name": event.name, "subject": event.subject, "facts": event.facts})

    def history(self, subject: str) -> list[Event]:
        rows = self._asked(select(t.event).where(t.event.c.subject == subject).order_by(t.event.c.id))
        kept = [Event(**{name: value for name, value in row.items() if name != "id"}) for row in rows]
        return kept + [event for event in self.events if event.subject == subject]

    def waiting_for(self, person: str) -> list[Order]:
        numbers = select(t.waiting.c.number).where(t.waiting.c.person == person)
        query = select(t.orders).where(t.orders.c.number.in_(numbers)).order_by(t.orders.c.submitted, t.orders.c.number)
        return self._build(MAPPINGS[Order], self._asked(query))

    def bookings(self, bounds: Sequence[datetime], owners: Sequence[str] | None) -> list[Booking]:
        """See `core.store.Records.bookings`: two grouped sums, whatever the number of orders."""
        return [
            *self._summed(bounds, owners, t.orders.c.decided, t.orders.c.state.in_(BOOKED_EVER), cancelled=False),
            *self._summed(bounds, owners, t.orders.c.moved, t.orders.c.state == State.CANCELLED.value, cancelled=True),
        ]

    def _summed(
        self,
        bounds: Sequence[datetime],
        owners: Sequence[str] | None,
        moment: ColumnElement[datetime],
        which: ColumnElement[bool],
        *,
        cancelled: bool,
    ) -> list[Booking]:
        orders, customers = t.orders.c, t.customer.c
        window = case(*((moment < end, index) for index, end in enumerate(bounds[1:])), else_=-1).label("window")
        query = (
            select(
                window,
                customers.region,
                orders.rep,
                func.count().label("count"),
                func.sum(orders.base_total, type_=t.Exact()).label("amount"),
                func.count(case((orders.base_total.is_(None), 1))).label("unrated"),
            )
            .join_from(t.orders, t.customer)
            .where(which, orders.decided.is_not(None), moment >= bounds[0], moment < bounds[-1])
            .group_by(window, customers.region, orders.rep)
        )
        if owners is not None:
            query = query.where(orders.rep.in_(owners))
        return [
            Booking(**row | {"amount": row["amount"] or Decimal(0)}, cancelled=cancelled) for row in self._asked(query)
        ]

    # ------------------------------------------------------------ the conversation's own

    def begin(self, arrival: str, now: datetime) -> None:
        """This unit is the handling of that arrival: a second unit of the same arrival fails with `AlreadySeen`."""
        self.arrival, self.now = arrival, now

    def recall(self, address: str) -> dict[str, Any]:
        """What was remembered at the address; empty when nothing was."""
        rows = self._rows(t.memory, {"address": address})
        return rows[0]["data"] if rows else {}

    def remember(self, address: str, data: dict[str, Any]) -> None:
        self.memories.append({"address": address, "data": data})

    def names_stamp(self) -> int:
        """Goes up whenever a customer, a product or a person changes."""
        rows = self._rows(t.stamp, {"name": "names"})
        return rows[0]["value"] if rows else 0

    def places(self, name: str) -> list[tuple[str, str]]:
        """(address, person who looks at it) of every copy of the named card, also those not delivered yet."""
        rows = (*self._rows(t.card, {"name": name}), *(row for row in self.cards if row["name"] == name))
        return [(row["address"], row["person"]) for row in rows if (name, row["address"]) not in self.unplaced]

    def place(self, name: str, address: str, person: str) -> None:
        """The named card stands at the address from now on, for that person's eyes."""
        self.cards.append({"name": name, "address": address, "person": person, "handle": ""})

    def unplace(self, name: str, address: str) -> None:
        """The named card does not stand there any more."""
        self.unplaced.append((name, address))

    def say(self, address: str, body: bytes, due: datetime, *, name: str = "", lane: str = "") -> None:
        """Put a reply into the outbox. Rows of one lane (the address by default) are said in their order."""
        row = {"lane": lane or address, "address": address, "name": name, "body": body, "created": due, "due": due}
        self.inserts[t.outbox].append({**row, "tries": 0, "error": "", "state": "open"})

    def _rows(self, table: Any, equal: dict[str, Any]) -> list[Row]:
        with self._reading():
            return self._db.statements.find(self._cursor, table, equal)

    def _build(self, kept: Kept, rows: list[Row]) -> list[Any]:
        """The records of these rows, with their children; one that this turn knows already as it knows it."""
        keys = [row[kept.key] for row in rows if (kept.kind, row[kept.key]) not in self._known]
        children = {name: self._children(child, kept.key, keys) for name, child in kept.children}
        for row in rows:
            key = row[kept.key]
            if (kept.kind, key) not in self._known:
                more = {name: tuple(found[key]) for name, found in children.items()}
                self._known[kept.kind, key] = kept.from_row(row, more)
        return [self._known[kept.kind, row[kept.key]] for row in rows]

    def _children(self, child: Kept, parent: str, keys: list[Any]) -> dict[Any, list[Any]]:
        """The children's records by their parent's key, in their order."""
        found: dict[Any, list[Any]] = defaultdict(list)
        for at in range(0, len(keys), TOGETHER):
            for row in self._rows(child.table, {parent: keys[at : at + TOGETHER]}):
                found[row[parent]].append(child.from_row(row, {}))
        return found


def _matches(record: Any, equal: dict[str, Any]) -> bool:
    return all(
        getattr(record, name) in value if isinstance(value, list | tuple) else getattr(record, name) == value
        for name, value in equal.items()
    )


def _child_rows(child: Kept, key: Any, records: Sequence[Any]) -> list[Row]:
    rows = []
    for position, record in enumerate(records, start=1):
        rows.append({"position": position, **child.to_row(record), "number": key})
    return rows


def _waiting(order: Order) -> list[Row]:
    step = order.open_step
    if order.state is not State.PENDING or step is None:
        return []
    return [{"number": order.number, "person": person} for person in step.approvers]
