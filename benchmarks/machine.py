"""Moving an order by the table: what a move costs in time and memory, and 32 people who approve at the same moment."""

from __future__ import annotations

import logging
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transitions import Machine

from benchmarks._house import CROWD, House, application
from benchmarks._measure import Row, rounds, seconds
from bot.delivery import decode
from bot.messages import Tap
from core.customers.model import Customer
from core.desk import Desk
from core.orders import approval
from core.orders import service as orders
from core.orders.model import Order, Product, State
from core.orders.policy import Policy, Rule
from storage import tables as t
from storage.store import Database

MICRO = 1_000_000
KEPT = 200  # orders in memory at once


class Ordered:
    """The peer's order: `transitions` makes it its own machine's model, as its manual shows."""

    def __init__(self) -> None:
        self.left = 1
        self.machine = Machine(
            model=self,
            states=[state.value for state in State],
            initial=State.DRAFT.value,
            transitions=[
                {
                    "trigger": move.trigger,
                    "source": source.value,
                    "dest": move.dest.value,
                    "conditions": [move.guard] if move.guard else [],
                }
                for move in approval.TABLE
                for source in move.sources
            ],
            auto_transitions=False,
        )

    def needs_signature(self) -> bool:
        return self.left > 0

    def needs_nobody(self) -> bool:
        return self.left == 0


LOOK_UP = {(source, move.trigger): move.dest for move in approval.TABLE for source in move.sources}


def by_floor() -> State:
    return LOOK_UP[LOOK_UP[State.DRAFT, "submit"], "approve"]


def by_peer() -> Ordered:
    order: Any = Ordered()
    order.submit()
    order.left = 0
    order.approve()
    assert order.state == State.APPROVED
    made: Ordered = order
    return made


def by_product() -> State:
    return approval.next_state(approval.next_state(State.DRAFT, "submit", 1), "approve", 0)


def run(*, quick: bool) -> list[Row]:
    times = 200 if quick else 1000
    count = 5 if quick else 11
    time_rows = rounds(
        count,
        floor=lambda: seconds(by_floor, times * 10) * MICRO / 2,
        peer=lambda: seconds(by_peer, times // 10) * MICRO / 2,
        product=lambda: seconds(by_product, times) * MICRO / 2,
    )
    memory = rounds(
        3,
        floor=lambda: _held(by_floor),
        peer=lambda: _held(by_peer),
        product=lambda: _held(by_product),
    )
    return [
        Row(
            "one move of an order",
            "µs",
            time_rows,
            ("peer", "product"),
            limit=8,
            least=True,
            note="The peer makes a transitions.Machine for each order and moves it twice, without auto transitions; the"
            " ratio is how many times cheaper ours is. The floor is a dict look-up without guards.",
        ),
        Row(
            "memory an order holds for its state",
            "bytes",
            memory,
            ("product", "peer"),
            limit=0.01,
            note=f"By tracemalloc, {KEPT} orders held at once. Ours is a reference in a list, to an enum's member.",
        ),
        _race(quick=quick),
    ]


def _held(make: Callable[[], object]) -> float:
    make()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [make() for _ in range(KEPT)]
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return held / len(kept)


# ---------------------------------------------------------------- a race


class _Errors(logging.Handler):
    """Counts what was logged as our own mistake."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self.count += 1


def _race(*, quick: bool) -> Row:
    """Everybody taps Approve on the same order in the same moment, through the whole application on a SQLite file."""
    races = 2 if quick else 8
    wins = polite = 0
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    with TemporaryDirectory(prefix="dealdesk-race-") as folder:
        house = House(Path(folder))
        policy = Policy(rules=(Rule(name="Every order", ask="role:manager", total_over=Decimal(0)),))
        house.company = replace(house.company, policy=policy)
        database = house.database()
        for race in range(races):
            won, told = _raced(house, database, race)
            wins += won
            polite += told
        database.close()
    logging.getLogger().removeHandler(errors)
    return Row(
        f"{CROWD} people approve one order at once",
        held=wins == races and polite == races * (CROWD - 1) and errors.count == 0,
        seen=f"{races} races: {wins} winners, {polite} polite answers, {errors.count} errors",
        note="Polite: a sentence for the person alone that says who decided, and the card brought up to date.",
    )


def _raced(house: House, database: Database, race: int) -> tuple[int, int]:
    """(approvals, polite answers) of one order that all managers were asked to sign."""
    order = _pending(house, database, race)
    app = application(database, house.company)
    button = f"order.approve:{order.number}:1:{order.content}"
    line = threading.Barrier(CROWD)

    def approve(boss: int) -> None:
        login = f"web:boss{boss:02d}"
        tap = Tap(
            id=f"race{race}.{boss}",
            address=login,
            login=login,
            at=datetime.now(UTC),
            action=button,
            card=f"order:{order.number}",
        )
        line.wait()
        app.receive(tap)

    people = [threading.Thread(target=approve, args=(boss,)) for boss in range(CROWD)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    with database.turn() as book:
        wins = sum(event.name == "order.approved" for event in book.history(f"order:{order.number}"))
        rows = book.connection.execute(t.outbox.select().where(t.outbox.c.address.startswith("web:boss"))).all()
        book.connection.rollback()
    replies = [decode(row.body) for row in rows]
    told = [reply for reply in replies if reply.only and f"#{order.number}" in reply.card.text]
    return wins, len({reply.only for reply in told})


def _pending(house: House, database: Database, race: int) -> Order:
    with database.turn() as book:
        book.begin(f"race{race}", datetime.now(UTC))
        desk = Desk(book, house.company, house.company.roster.people["rep00"], datetime.now(UTC))
        customer, product = book.get(Customer, 1), book.get(Product, 2)
        assert customer is not None
        assert product is not None
        placed = orders.place(desk, customer, [orders.LineWish(product=product, quantity=Decimal(50))], currency="USD")
        order = orders.submit(desk, placed.number)
        book.commit()
    return order
