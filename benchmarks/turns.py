"""A whole turn with 32 people at once: a typed order to its committed preview card, against a path that only writes."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._house import CROWD, House, application
from benchmarks._measure import Row, Skip, rounds
from benchmarks._orders import Peer, request
from bot.app import App
from bot.messages import Message
from core.orders.model import Order
from storage.store import Database

SAID = "order 50 Pro seats for Acme at $20"


def run(*, quick: bool) -> list[Row]:
    try:
        import aiosqlite  # noqa: F401, PLC0415  (the peer's; a plain installation has it not)
    except ModuleNotFoundError:
        raise Skip("the peer needs aiosqlite, which is in the dev group") from None
    each = 5 if quick else 12
    with TemporaryDirectory(prefix="dealdesk-turns-") as folder:
        house = House(Path(folder))
        quiet, busy = house.database(), house.database()
        idle, at_work = application(quiet, house.company), application(busy, house.company)
        at_work.start()
        peers = {"peer": Peer(house.copy()), "one": Peer(house.copy(), 1)}
        loop, names = asyncio.new_event_loop(), itertools.count()
        for peer in peers.values():
            loop.run_until_complete(peer.open())

        found = rounds(
            3 if quick else 9,
            peer=lambda: loop.run_until_complete(_writes(peers["peer"], names, max(2, each // 4))),
            one=lambda: loop.run_until_complete(_writes(peers["one"], names, max(2, each // 4))),
            product=lambda: _turns(idle, quiet, names, each),
            delivering=lambda: _turns(at_work, busy, names, each),
        )
        for peer in peers.values():
            loop.run_until_complete(peer.close())
        loop.close()
        at_work.stop()
        quiet.close()
        busy.close()
    what = f"“{SAID}” to the committed card, {CROWD} people at once"
    return [
        Row(
            what,
            "turns/s",
            {"peer": found["peer"], "product": found["product"]},
            ("product", "peer"),
            limit=4,
            least=True,
            note="The product understands, looks names up, checks, drafts, draws up the card for its viewer and"
            " commits; the peer (async ORM on aiosqlite, its default pool) only writes rows that it is handed.",
        ),
        Row(
            "the same, the peer on one connection",
            "turns/s",
            {"peer": found["one"], "product": found["product"]},
            ("product", "peer"),
        ),
        Row(
            "the same, while the outbox says the cards",
            "turns/s",
            {"peer": found["peer"], "product": found["delivering"]},
            ("product", "peer"),
            note="Each card is also claimed, sent to a platform that swallows it, and marked as sent.",
        ),
    ]


def _turns(app: App, database: Database, names: itertools.count[int], each: int) -> float:
    """Turns a second; every one is checked to have become an order."""
    before = _orders(database)

    def talk(person: int) -> None:
        for _ in range(each):
            n = next(names)
            # A channel of its own each time: in the same one, the next sentence would correct the draft.
            arrival = Message(
                id=f"web:turn{n}",
                address=f"web:room{n}",
                login=f"web:rep{person:02d}",
                at=datetime.now(UTC),
                private=False,
                text=SAID,
            )
            app.receive(arrival)

    people = [threading.Thread(target=talk, args=(person,)) for person in range(CROWD)]
    began = time.perf_counter()
    for person in people:
        person.start()
    for person in people:
        person.join()
    took = time.perf_counter() - began
    made = _orders(database) - before
    if made != CROWD * each:
        raise RuntimeError(f"{CROWD * each} people ordered and {made} orders were made")
    return CROWD * each / took


def _orders(database: Database) -> int:
    with database.turn() as book:
        newest = book.find(Order, newest=True, limit=1)
    return newest[0].number


async def _writes(peer: Peer, names: itertools.count[int], each: int) -> float:
    async def write() -> None:
        for _ in range(each):
            await peer.write(json.loads(request(f"turn{next(names)}")))

    began = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(CROWD)))
    return CROWD * each / (time.perf_counter() - began)
