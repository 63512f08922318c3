"""One order with three lines, its audit event and its outbox row, written three ways into the product's own tables.

All three write the same rows: by hand in SQL (the floor), with SQLAlchemy's async ORM on aiosqlite (the peer), and as
the product's storage does it. Each also notes the arrival's id, without which a repeated message would order twice.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import event as hooks
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, relationship
from sqlalchemy.pool import AsyncAdaptedQueuePool

from core.customers.model import Customer
from core.desk import Company, Desk
from core.events import Event
from core.orders import service as orders
from core.orders.model import Order, OrderLine, Product
from core.values import Money
from storage import tables as t
from storage.store import Database

NOW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
CUSTOMER, REP, CODE, ADDRESS = 1, "rep00", "USD", "web:rep00"
LINES = ((1, "Basic seat", 50, 12), (2, "Pro seat", 20, 25), (3, "Enterprise seat", 5, 45))  # of the demo catalogue
TOTAL = sum(quantity * price for _, _, quantity, price in LINES)
FACTS = {"total": f"{TOTAL}.00", "content": "1413980e"}
BODY = json.dumps({"card": {"title": "Order", "text": "x" * 600}}).encode()  # a card is some hundred bytes
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000")


def request(name: str) -> bytes:
    """The order as a client sends it."""
    lines = [{"product": p, "name": n, "quantity": q, "price": str(x)} for p, n, q, x in LINES]
    return json.dumps({"id": name, "customer": CUSTOMER, "rep": REP, "currency": CODE, "lines": lines}).encode()


# ---------------------------------------------------------------- the floor


class Floor:
    """The least there is: one connection, one thread, prepared values, one commit each."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        for pragma in PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._numbers = itertools.count(self._db.execute("SELECT max(number) + 1 FROM orders").fetchone()[0])
        self._facts = json.dumps(FACTS)
        self._now = int(NOW.timestamp()) * 1_000_000

    def write(self, arrival: str) -> int:
        number: int = next(self._numbers)
        now, execute = self._now, self._db.execute
        execute("BEGIN IMMEDIATE")
        execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, 0, ?, 'draft', ?, NULL, NULL, NULL, ?, '', '', NULL, NULL, 1)",
            (number, CUSTOMER, REP, CODE, TOTAL * 10_000, now, now),
        )
        self._db.executemany(
            "INSERT INTO order_line VALUES (?, ?, ?, ?, 'Software', ?, ?, ?, 0)",
            [
                (number, at, product, name, quantity * 10_000, price * 10_000, price * 10_000)
                for at, (product, name, quantity, price) in enumerate(LINES, start=1)
            ],
        )
        execute(
            "INSERT INTO event (at, actor, on_behalf_of, name, subject, facts) VALUES (?, ?, '', 'order.placed', ?, ?)",
            (now, REP, f"order:{number}", self._facts),
        )
        execute(
            "INSERT INTO outbox (lane, address, name, body, created, due, tries, error, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, '', 'open')",
            (ADDRESS, ADDRESS, f"order:{number}", BODY, now, now),
        )
        execute("INSERT INTO seen VALUES (?, ?)", (arrival, now))
        execute("COMMIT")
        return number

    def close(self) -> None:
        self._db.close()


# ---------------------------------------------------------------- the peer


class Base(DeclarativeBase):
    metadata = t.metadata


class OrderRow(Base):
    __table__ = t.orders
    lines: Mapped[list[LineRow]] = relationship()


class LineRow(Base):
    __table__ = t.order_line


class EventRow(Base):
    __table__ = t.event


class OutboxRow(Base):
    __table__ = t.outbox


class SeenRow(Base):
    __table__ = t.seen


class Peer:
    """An async ORM session a request. `connections`: how many the pool holds; None leaves SQLAlchemy's own default.

    SQLite lets one connection write at a time, so that one connection is the kindest setting for this peer.
    """

    def __init__(self, path: Path, connections: int | None = None) -> None:
        url, wait = f"sqlite+aiosqlite:///{path}", {"timeout": 60}
        self.engine: AsyncEngine = (
            create_async_engine(url, connect_args=wait)
            if connections is None
            else create_async_engine(
                url,
                connect_args=wait,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=connections,
                max_overflow=0,
                pool_timeout=120,
            )
        )
        hooks.listen(self.engine.sync_engine, "connect", _prepare)
        self._session = async_sessionmaker(self.engine, expire_on_commit=False)
        self._numbers: Any = None

    async def open(self) -> None:
        async with self._session() as session:
            self._numbers = itertools.count((await session.scalar(select(func.max(t.orders.c.number))) or 0) + 1)

    async def write(self, asked: dict[str, Any]) -> int:
        number: int = next(self._numbers)
        lines = [
            LineRow(
                position=at,
                product=line["product"],
                name=line["name"],
                family="Software",
                quantity=Decimal(line["quantity"]),
                price=Decimal(line["price"]),
                list_price=Decimal(line["price"]),
                discount=Decimal(0),
            )
            for at, line in enumerate(asked["lines"], start=1)
        ]
        order = OrderRow(
            number=number,
            customer=asked["customer"],
            rep=asked["rep"],
            currency=asked["currency"],
            discount=Decimal(0),
            total=sum((Decimal(line["price"]) * line["quantity"] for line in asked["lines"]), Decimal(0)),
            state="draft",
            created=NOW,
            moved=NOW,
            reason="",
            tracking="",
            version=1,
            lines=lines,
        )
        audit = EventRow(
            at=NOW, actor=REP, on_behalf_of="", name="order.placed", subject=f"order:{number}", facts=FACTS
        )
        reply = OutboxRow(
            lane=ADDRESS,
            address=ADDRESS,
            name=f"order:{number}",
            body=BODY,
            created=NOW,
            due=NOW,
            tries=0,
            error="",
            state="open",
        )
        async with self._session() as session:
            session.add_all([order, audit, reply, SeenRow(id=asked["id"], at=NOW)])
            await session.commit()
        return number

    async def close(self) -> None:
        await self.engine.dispose()


def _prepare(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


# ---------------------------------------------------------------- the product


class Ours:
    """The product's storage: a turn that adds the record, notes the event, says the card and commits."""

    def __init__(self, path: Path) -> None:
        self.database = Database(f"sqlite:///{path}")
        self._ready = _record({"lines": json.loads(request(""))["lines"], "customer": CUSTOMER, "rep": REP}, 0)

    def write(self, arrival: str) -> int:
        """A record that is ready, as the floor's values are."""
        return self._keep(arrival, lambda number: replace(self._ready, number=number))

    def ask(self, asked: dict[str, Any]) -> int:
        """A record made of what a client sent, as the peer makes its own."""
        return self._keep(asked["id"], lambda number: _record(asked, number))

    def place(self, arrival: str, company: Company) -> int:
        """Through core's verb: reads customer and products, checks every value, adds up, hashes, notes."""
        with self.database.turn() as book:
            book.begin(arrival, NOW)
            desk = Desk(book, company, company.roster.people[REP], NOW)
            customer = book.get(Customer, CUSTOMER)
            assert customer is not None
            wishes = []
            for product, _, quantity, _ in LINES:
                found = book.get(Product, product)
                assert found is not None
                wishes.append(orders.LineWish(product=found, quantity=Decimal(quantity)))
            order = orders.place(desk, customer, wishes, currency=CODE)
            book.say(ADDRESS, BODY, NOW, name=f"order:{order.number}")
            book.commit()
        return order.number

    def close(self) -> None:
        self.database.close()

    def _keep(self, arrival: str, record: Callable[[int], Order]) -> int:
        with self.database.turn() as book:
            book.begin(arrival, NOW)
            number = book.next_id(Order)
            book.add(record(number))
            book.note(Event(at=NOW, actor=REP, name="order.placed", subject=f"order:{number}", facts=FACTS))
            book.say(ADDRESS, BODY, NOW, name=f"order:{number}")
            book.commit()
        return number


def _record(asked: dict[str, Any], number: int) -> Order:
    lines = tuple(
        OrderLine(
            product=line["product"],
            name=line["name"],
            family="Software",
            quantity=Decimal(line["quantity"]),
            price=Decimal(line["price"]),
            list_price=Decimal(line["price"]),
        )
        for line in asked["lines"]
    )
    total = Money(sum((line.price * line.quantity for line in lines), Decimal(0)), CODE)
    return Order(
        number=number,
        customer=asked["customer"],
        rep=asked["rep"],
        currency=CODE,
        lines=lines,
        total=total,
        created=NOW,
        moved=NOW,
    )
