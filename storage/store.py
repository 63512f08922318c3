"""The one place that commits. `Database.turn()` gives a turn its `Unit`; `Unit.commit()` keeps all of it or nothing.

A unit reads as it goes and gathers what it writes. Units that want to commit in the same moment are written together
by whichever thread holds the pen (group commit): one flush to disk serves them all, and each still succeeds or fails
alone. Versions are compared while the write lock is held, so nothing is decided on what is no longer true.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from core.errors import Conflict
from core.store import AlreadySeen, StorageDown
from storage import tables as t
from storage.rows import MAPPINGS, Row
from storage.statements import Statements
from storage.unit import Unit

PARENTS_FIRST = t.metadata.sorted_tables
KEYS = {kind.table.name: (kind.table.c[kind.key], kind.table.c.version) for kind in MAPPINGS.values() if kind.versioned}


class _Entry:
    """A unit that waits to be written. It has come to nothing until it is known to be kept."""

    __slots__ = ("called", "error", "unit")

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.error: Exception | None = StorageDown("writing was broken off")
        self.called = threading.Lock()
        self.called.acquire()


class Database:
    """One database, used by any number of threads. `url` is SQLAlchemy's (`sqlite:///dealdesk.db`)."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.driver: Any = self.engine.dialect.loaded_dbapi
        self.statements = Statements(self.engine.dialect)
        self._pen = threading.Lock()
        self._queue: list[_Entry] = []
        self._leader: _Entry | None = None
        self._queue_lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._numbers_lock = threading.Lock()

    def turn(self) -> Unit:
        """A fresh unit. Use it in a `with` block; what was not committed at its end is forgotten."""
        return Unit(self)

    def close(self) -> None:
        self.engine.dispose()

    def next_number(self, table: str, highest: Callable[[], int]) -> int:
        """A number not used in `table` so far, as far as this process knows; a clash is a `Conflict` at commit."""
        with self._numbers_lock:
            last = self._numbers.get(table)
            self._numbers[table] = number = (highest() if last is None else last) + 1
            return number

    # ------------------------------------------------------------ writing

    def commit(self, unit: Unit) -> None:
        """Keep everything the unit gathered. Raises `AlreadySeen`, `Conflict` or `StorageDown`, and then keeps nothing.

        One thread at a time leads: it writes for everybody who waits, and then calls one who came meanwhile to lead.
        """
        entry = _Entry(unit)
        with self._queue_lock:
            self._queue.append(entry)
            if self._leader is None:
                self._leader = entry
                entry.called.release()
        try:
            entry.called.acquire()  # until it is written, or it is this thread's turn to lead
            if self._leader is entry:
                self._write_waiting()
        finally:
            if self._leader is entry or entry in self._queue:
                self._leave(entry)
        if entry.error is not None:
            raise entry.error

    def _write_waiting(self) -> None:
        with self._pen:
            with self._queue_lock:
                batch, self._queue = self._queue, []
            try:
                self._write_all(batch)
            finally:
                for entry in batch:
                    entry.called.release()

    def _leave(self, entry: _Entry) -> None:
        """Call another to lead, when this one led; an entry that was interrupted (Ctrl-C) as it waited is dropped."""
        with self._queue_lock:
            self._queue = [other for other in self._queue if other is not entry]
            if self._leader is entry:
                self._leader = next(iter(self._queue), None)
                if self._leader is not None:
                    self._leader.called.release()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One small transaction of storage's own (the outbox, the page), under the same pen."""
        with self._pen, self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def _write_all(self, batch: list[_Entry]) -> None:
        """Write the batch as one transaction; if it fails because of one of them, each as its own."""
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001  (each thread is told of its own, whatever it is)
            clash = isinstance(getattr(error, "orig", error), self.driver.IntegrityError)
            if clash:
                with self._numbers_lock:  # another process took our numbers: read them again
                    self._numbers.clear()
            if len(batch) > 1 and not isinstance(error, OperationalError | self.driver.OperationalError):
                for entry in batch:
                    self._write_all([entry])
            else:
                for entry in batch:
                    entry.error = self._told(error, clash=clash)

    def _told(self, error: Exception, *, clash: bool) -> Exception:
        """What the unit's own thread raises for it."""
        if not isinstance(error, DBAPIError | self.driver.Error):
            return error
        why = str(getattr(error, "orig", error)).partition("\n")[0]
        return Conflict("clash", table=why) if clash else StorageDown(why)

    def _write(self, batch: list[_Entry]) -> None:
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            if self.is_sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            refused = self._refused(cursor, batch)
            units = [entry.unit for at, entry in enumerate(batch) if at not in refused]
            if units:
                self._insert_all(cursor, units)
                self._save_all(cursor, units)
                self._tell_all(cursor, units)
            cursor.close()
            connection.commit()
        finally:
            connection.close()
        for at, entry in enumerate(batch):
            entry.error = refused.get(at)

    def _refused(self, cursor: Any, batch: list[_Entry]) -> dict[int, Exception]:
        """Which of the batch may not go ahead: repeats, and those that read what somebody has changed since."""
        ids = {entry.unit.arrival for entry in batch if entry.unit.arrival}
        seen = set(self.statements.pairs(cursor, t.seen.c.id, t.seen.c.id, ids))
        versions = self._versions(cursor, batch)
        refused: dict[int, Exception] = {}
        for at, entry in enumerate(batch):
            unit = entry.unit
            if unit.arrival in seen:
                refused[at] = AlreadySeen(unit.arrival)
            elif any(versions.get((name, key)) != version for name, key, version in unit.read_versions()):
                refused[at] = Conflict("changed_meanwhile")
            else:
                if unit.arrival:
                    seen.add(unit.arrival)
                for place in unit.saved():
                    versions[place] = -1  # the next unit of this batch that relies on it comes too late
        return refused

    def _versions(self, cursor: Any, batch: list[_Entry]) -> dict[tuple[str, Any], int]:
        """The versions that stand now of all that the batch saves, by table and key."""
        wanted: dict[str, set[Any]] = defaultdict(set)
        for entry in batch:
            for name, key, _ in entry.unit.read_versions():
                wanted[name].add(key)
        found: dict[tuple[str, Any], int] = {}
        for name in sorted(wanted):  # always in the same order: two processes that lock do not wait for each other
            versions = self.statements.pairs(cursor, *KEYS[name], wanted[name], lock=not self.is_sqlite)
            found |= {(name, key): version for key, version in versions.items()}
        return found

    def _insert_all(self, cursor: Any, units: Sequence[Unit]) -> None:
        """All new rows of all units, a table at a time and parents first, so that one statement serves many."""
        rows: dict[Any, list[Row]] = defaultdict(list)
        for unit in units:
            for table, more in unit.inserts.items():
                rows[table].extend(more)
        for table in PARENTS_FIRST:
            if rows.get(table):
                self.statements.insert(cursor, table, rows[table])

    def _save_all(self, cursor: Any, units: Sequence[Unit]) -> None:
        for unit in units:
            for kind, key, row in unit.saves:
                self.statements.update(cursor, kind.table.c[kind.key], key, row)
            for table, column, key, fresh in unit.replacements:
                self.statements.delete(cursor, table.c[column], key)
                if fresh:
                    self.statements.insert(cursor, table, fresh)

    def _tell_all(self, cursor: Any, units: Sequence[Unit]) -> None:
        """What the conversation keeps: repeats, memory and cards; and the stamp of the names."""
        repeats = [{"id": unit.arrival, "at": unit.now} for unit in units if unit.arrival]
        if repeats:
            self.statements.insert(cursor, t.seen, repeats)
        put = self.statements.put
        put(cursor, t.memory, [row for unit in units for row in unit.memories], ("address",))
        put(cursor, t.card, [row for unit in units for row in unit.cards], ("name", "address"), renew=False)
        for name, address in [place for unit in units for place in unit.unplaced]:
            self.statements.erase(cursor, t.card, {"name": name, "address": address})
        if any(unit.names_changed for unit in units):
            self.statements.bump(cursor, t.stamp.c.name, "names", t.stamp.c.value)


def _engine(url: str) -> Engine:
    """An engine whose connections wait for a lock, check foreign keys and flush to disk on every commit."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    # What a statement was given is customers' data, and an error of it may reach a log.
    engine = create_engine(url, pool_size=48, max_overflow=16, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # Transactions are begun by hand (BEGIN IMMEDIATE): the driver's own begin would take the lock too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
