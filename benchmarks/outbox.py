"""Work that must not be lost: jobs through the outbox and delivery, how soon they start, and what a kill leaves."""

from __future__ import annotations

import itertools
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO

from benchmarks._house import House, Silent
from benchmarks._measure import Row, environment, pipes, rounds, seconds, started
from benchmarks._orders import ADDRESS, BODY, CODE, CUSTOMER, FACTS, NOW, REP, request
from bot.delivery import Delivery, encode
from bot.messages import Card, Image, Picture, Reply
from core.events import Event
from core.orders.model import Order, OrderLine
from core.values import Money
from storage.outbox import TableOutbox
from storage.store import Database

MICRO, MILLI = 1_000_000, 1_000
PATIENCE = 120.0
LEASE = 3.0  # seconds, in the processes that are killed
KILLED_JOBS, KILLS, LANES = 300, 3, 30
NO_PEER = (
    "DBOS is not installed here (`pip install dbos`), so that the targets of at least 4 times its jobs and at most a"
    " tenth of its start are not measured."
)


def run(*, quick: bool) -> list[Row]:
    with TemporaryDirectory(prefix="dealdesk-outbox-") as folder:
        house = House(Path(folder))
        with ExitStack() as stack:
            peer = stack.enter_context(_Dbos(house)) if find_spec("dbos") else None
            rows = _speed(house, peer, quick=quick)
        return [*rows, _write(house, quick=quick), *_killed(house), _survivor(house, quick=quick)]


# ---------------------------------------------------------------- how many, and how soon


class _Dbos(AbstractContextManager["_Dbos"]):
    """The peer, which lives in a process of its own while the rounds go on."""

    def __init__(self, house: House) -> None:
        path = house.copy().parent / "dbos.db"
        command = [sys.executable, "-m", "benchmarks._dbos", str(path)]
        self._running = started(command, env=environment(path.parent / "cache"))

    def __enter__(self) -> _Dbos:
        self._in, self._out = pipes(self._running.__enter__())
        _until(self._out, "ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._running.__exit__(None, None, None)

    def ask(self, what: str, count: int) -> float:
        self._in.write(f"{what} {count}\n")
        self._in.flush()
        return float(self._out.readline())


class _Timed(Silent):
    """Notes when each thing was said."""

    def __init__(self) -> None:
        self.said: dict[str, float] = {}
        self.news = threading.Condition()

    def send(self, address: str, reply: Reply) -> str:
        with self.news:
            self.said[reply.card.text] = time.perf_counter()
            self.news.notify_all()
        return address

    def wait(self, so: Callable[[], bool]) -> None:
        with self.news:
            if not self.news.wait_for(so, PATIENCE):
                raise RuntimeError("the outbox did not say everything")


class _Desk:
    """The product's outbox and delivery, running, on a database of their own."""

    def __init__(self, house: House) -> None:
        self.database, self.adapter, self._names = house.database(), _Timed(), itertools.count()
        self.delivery = Delivery(TableOutbox(self.database), [self.adapter], _draw)
        self.delivery.start()

    def put(self, lane: str) -> str:
        """One job, in a transaction of its own."""
        name = f"job{next(self._names)}"
        with self.database.turn() as book:
            book.say(f"web:{lane}", encode(Reply(Card(text=name))), datetime.now(UTC))
            book.commit()
        return name

    def jobs(self, count: int, lanes: int) -> float:
        """Jobs a second, from the first that is written to the last that is said and marked."""
        began = time.perf_counter()
        for number in range(count):
            self.put(f"lane{number % lanes}")
            self.delivery.wake()
        if not self.delivery.drain(PATIENCE):
            raise RuntimeError("the outbox did not say everything")
        return count / (time.perf_counter() - began)

    def waiting(self, count: int, lanes: int) -> float:
        """The same for jobs that stand there already, as after a pause: only delivery."""
        with self.database.turn() as book:
            for number in range(count):
                name = f"job{next(self._names)}"
                book.say(f"web:lane{number % lanes}", encode(Reply(Card(text=name))), datetime.now(UTC))
            book.commit()
        began = time.perf_counter()
        self.delivery.wake()
        if not self.delivery.drain(PATIENCE):
            raise RuntimeError("the outbox did not say everything")
        return count / (time.perf_counter() - began)

    def starts(self, count: int) -> float:
        times = []
        for _ in range(count):
            name = self.put("alone")
            written = time.perf_counter()
            self.delivery.wake()
            self.adapter.wait(lambda name=name: name in self.adapter.said)  # type: ignore[misc]
            times.append(max(0.0, self.adapter.said[name] - written) * MILLI)
            self.delivery.drain(PATIENCE)
        return median(times)

    def close(self) -> None:
        self.delivery.stop()
        self.database.close()


def _draw(image: Image) -> Picture:
    return Picture(b"", image.filename, image.alt)


def _speed(house: House, peer: _Dbos | None, *, quick: bool) -> list[Row]:
    count, few, each = (200, 20, 10) if quick else (600, 100, 40)
    desk = _Desk(house)
    sides = {
        "lanes": lambda: desk.jobs(count, count),
        "one": lambda: desk.jobs(count // 2, 1),
        "stood": lambda: desk.waiting(count, count),
        "start": lambda: desk.starts(each),
    }
    if peer is not None:
        sides |= {"peer": lambda: peer.ask("jobs", few), "late": lambda: peer.ask("start", each // 2)}
    found = rounds(3 if quick else 7, **sides)
    desk.close()
    jobs, late = ({"peer": found[name]} if peer else {} for name in ("peer", "late"))
    compared = ("product", "peer") if peer else None
    ours = (
        "From the first commit to the last mark; every job is a transaction of its own, and so is each mark. DBOS"
        " starts each job directly, which suits it best: the job stays in the process that wrote it."
    )
    return [
        Row(
            f"{count} jobs through outbox and delivery, a lane each",
            "jobs/s",
            {**jobs, "product": found["lanes"]},
            compared,
            limit=4 if peer else None,
            least=True,
            note=ours if peer else NO_PEER,
        ),
        Row(f"{count // 2} jobs, all in one lane", "jobs/s", {**jobs, "product": found["one"]}, compared),
        Row(f"{count} jobs that wait already, a lane each", "jobs/s", {"product": found["stood"]}),
        Row(
            "from the commit to the saying, p50",
            "ms",
            {**late, "product": found["start"]},
            compared,
            limit=0.1 if peer else None,
            note="DBOS through its queue, which it looks at every 100 ms here and every second by default.",
        ),
    ]


# ---------------------------------------------------------------- what a job adds to a write


def _write(house: House, *, quick: bool) -> Row:
    times, names, database = 40 if quick else 200, itertools.count(), house.database()
    lines = tuple(
        OrderLine(
            product=line["product"],
            name=line["name"],
            family="Software",
            quantity=line["quantity"],
            price=Money(line["price"], CODE).amount,
            list_price=Money(line["price"], CODE).amount,
        )
        for line in json.loads(request(""))["lines"]
    )
    total = Money(sum(line.price * line.quantity for line in lines), CODE)
    record = Order(
        number=0, customer=CUSTOMER, rep=REP, currency=CODE, lines=lines, total=total, created=NOW, moved=NOW
    )

    def write(*, job: bool) -> None:
        with database.turn() as book:
            book.begin(f"write{next(names)}", NOW)
            number = book.next_id(Order)
            book.add(replace(record, number=number))
            book.note(Event(at=NOW, actor=REP, name="order.placed", subject=f"order:{number}", facts=FACTS))
            if job:
                book.say(ADDRESS, BODY, NOW, name=f"order:{number}")
            book.commit()

    found = rounds(
        5 if quick else 11,
        floor=lambda: seconds(lambda: write(job=False), times) * MICRO,
        product=lambda: seconds(lambda: write(job=True), times) * MICRO,
    )
    database.close()
    return Row(
        "an order with its job, against the order alone",
        "µs",
        found,
        ("product", "floor"),
        limit=1.5,
        note="The job is a row of the same transaction, so that one flush to the disk serves both.",
    )


# ---------------------------------------------------------------- killed


def _filled(house: House, count: int, lanes: int) -> Path:
    """A database in whose outbox so many jobs wait, and nothing else does."""
    path = house.copy()
    database = Database(f"sqlite:///{path}")
    with database.turn() as book:
        for number in range(count):
            book.say(f"web:lane{number % lanes}", encode(Reply(Card(text=f"job{number}"))), datetime.now(UTC))
        book.commit()
    database.close()
    return path


def _worker(path: Path, paper: Path, what: str) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks._worker", str(path), str(paper), str(LEASE), what]
    return started(command, env=environment(path.parent / "cache"))


def _until(out: IO[str], word: str) -> None:
    """Read on until a process says this word."""
    for line in out:
        if line == f"{word}\n":
            return
    raise RuntimeError(f"a process ended before it said {word}")


def _open(path: Path) -> int:
    with sqlite3.connect(path, timeout=10) as database:
        (count,) = database.execute("SELECT count(*) FROM outbox WHERE state <> 'sent'").fetchone()
    database.close()
    return int(count)


def _killed(house: House) -> list[Row]:
    path = _filled(house, KILLED_JOBS, LANES)
    paper = path.with_suffix(".said")
    for _ in range(KILLS):
        with _worker(path, paper, "say") as process:
            out = pipes(process)[1]
            for _ in range(1 + KILLED_JOBS // (KILLS + 2)):
                out.readline()
            process.kill()
            process.wait()
    with _worker(path, paper, "say"):
        end = time.monotonic() + PATIENCE
        while (left := _open(path)) and time.monotonic() < end:
            time.sleep(0.1)
    lines = paper.read_text().splitlines()
    said = Counter(lines)
    lost = sum(f"job{number}" not in said for number in range(KILLED_JOBS))
    return [
        Row(
            f"{KILLED_JOBS} jobs, {KILLS} kill -9, none lost",
            held=lost == 0 and left == 0,
            seen=f"{lost} lost, {left} not said, {len(lines) - len(said)} said twice",
            note=f"With a lease of {LEASE:g} s in these processes instead of 90 s. Neither platform knows an"
            " idempotency key: what was said just before a kill and not marked yet is said again, never lost.",
        )
    ]


def _survivor(house: House, *, quick: bool) -> Row:
    """One process claims and is killed; another, which runs all the while, says it once the lease has ended."""
    took = []
    for _ in range(1 if quick else 3):
        path = _filled(house, 1, 1)
        paper = path.with_suffix(".said")
        with _worker(path, paper, "hang") as dead:
            out = pipes(dead)[1]
            _until(out, "claimed")
            with _worker(path, paper, "say") as alive:
                told = pipes(alive)[1]
                told.readline()  # it is ready
                dead.kill()
                began = time.perf_counter()
                told.readline()
                took.append(time.perf_counter() - began)
    return Row(
        "a survivor takes over, within the lease and a second",
        held=max(took) <= LEASE + 1,
        seen=f"{max(took):.2f} s after the kill at most, with a lease of {LEASE:g} s",
    )
