"""Writing an order so that it survives: one at a time, 32 at a time over HTTP, and through a kill -9."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._house import CROWD, House
from benchmarks._measure import Row, Skip, environment, pipes, quantile, rounds, seconds, started
from benchmarks._orders import Floor, Ours, Peer, request

MICRO = 1_000_000
MILLI = 1_000
PATIENCE = 120.0


def run(*, quick: bool) -> list[Row]:
    try:
        import aiosqlite  # noqa: F401, PLC0415  (the peer's; a plain installation has it not)
    except ModuleNotFoundError:
        raise Skip("the peer needs aiosqlite, which is in the dev group") from None
    with TemporaryDirectory(prefix="dealdesk-durable-") as folder:
        house = House(Path(folder))
        return [*_idle(house, quick=quick), *_crowd(house, quick=quick), *_killed(house, quick=quick)]


# ---------------------------------------------------------------- one at a time


def _idle(house: House, *, quick: bool) -> list[Row]:
    times, names = 40 if quick else 150, itertools.count()
    floor, ours, peer = Floor(house.copy()), Ours(house.copy()), Peer(house.copy())
    asked = {"customer": 1, "rep": "rep00", "currency": "USD", **_lines()}
    loop = asyncio.new_event_loop()

    async def by_peer() -> None:
        for _ in range(times // 5):
            await peer.write({**asked, "id": f"peer{next(names)}"})

    def peer_seconds() -> float:
        began = time.perf_counter()
        loop.run_until_complete(by_peer())
        return (time.perf_counter() - began) / (times // 5)

    loop.run_until_complete(peer.open())
    found = rounds(
        5 if quick else 11,
        floor=lambda: seconds(lambda: floor.write(f"floor{next(names)}"), times) * MICRO,
        peer=lambda: peer_seconds() * MICRO,
        product=lambda: seconds(lambda: ours.write(f"ours{next(names)}"), times) * MICRO,
        place=lambda: seconds(lambda: ours.place(f"place{next(names)}", house.company), times) * MICRO,
    )
    loop.run_until_complete(peer.close())
    loop.close()
    floor.close()
    ours.close()
    place = found.pop("place")
    return [
        Row(
            "one order with three lines, idle bot",
            "µs",
            found,
            ("product", "floor"),
            limit=2.0,
            note="Storage only: each side has its values ready (the product adds a record, notes an event and says a"
            " card in one turn). The floor does less: no check of repeats but the key itself, no pool, no threads.",
        ),
        Row(
            "the same through core's `orders.place`",
            "µs",
            {**found, "product": place},
            ("product", "floor"),
            note="Adds what the floor has no counterpart for: four records read, every value checked, totals, a hash.",
        ),
    ]


def _lines() -> dict[str, list[dict[str, object]]]:
    import json  # noqa: PLC0415

    return {"lines": json.loads(request(""))["lines"]}


# ---------------------------------------------------------------- 32 at a time


def _crowd(house: House, *, quick: bool) -> list[Row]:
    """One server process a side, the same 32 connections to each in turn; every request is one durable order."""
    counts = {"product": 30, "peer": 3, "one": 6} if quick else {"product": 80, "peer": 8, "one": 16}
    tails: dict[str, list[float]] = {side: [] for side in counts}
    names = itertools.count()
    cache = house.copy().parent / "cache"

    with ExitStack() as stack:
        ports = {}
        for side, what in (("product", "product"), ("peer", "peer"), ("one", "peer-one")):
            command = [sys.executable, "-m", "benchmarks._server", what, str(house.copy())]
            process = stack.enter_context(started(command, env=environment(cache)))
            ports[side] = int(pipes(process)[1].readline())

        def rate(side: str) -> Callable[[], float]:
            def measure() -> float:
                took, times = asyncio.run(_talk(ports[side], counts[side], names))
                tails[side].append(quantile(times, 0.99) * MILLI)
                return len(times) / took

            return measure

        for side in counts:  # once unmeasured: connections are opened, statements compiled
            rate(side)()
            tails[side].clear()
        found = rounds(3 if quick else 7, **{side: rate(side) for side in counts})
    same = (
        "Both sides behind the same starlette and uvicorn, in a process each, with `gc.freeze()` once they are up; the"
        " peer as its manual sets it up. Its order numbers come from a counter of its process, which favours it."
    )
    kind = "The kindest setting for the peer: one connection, so that writers queue in it and never wait for a lock."
    return [
        Row(
            f"{CROWD} writers over HTTP, one durable order a request",
            "orders/s",
            {"peer": found["peer"], "product": found["product"]},
            ("product", "peer"),
            limit=20,
            least=True,
            note=same,
        ),
        Row(
            "the same, 99th percentile of an answer",
            "ms",
            {"peer": tails["peer"], "product": tails["product"]},
            ("product", "peer"),
            limit=1 / 50,
        ),
        Row(
            f"{CROWD} writers against the peer on one connection",
            "orders/s",
            {"peer": found["one"], "product": found["product"]},
            ("product", "peer"),
            note=kind,
        ),
        Row(
            "the same, 99th percentile of an answer",
            "ms",
            {"peer": tails["one"], "product": tails["product"]},
            ("product", "peer"),
        ),
    ]


async def _talk(port: int, count: int, names: itertools.count[int]) -> tuple[float, list[float]]:
    """(seconds for all, seconds for each) of `count` requests on each of the crowd's connections."""
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.wait_for(asyncio.gather(*(_client(port, count, names, times) for _ in range(CROWD))), PATIENCE)
    return time.perf_counter() - began, times


async def _client(port: int, count: int, names: itertools.count[int], times: list[float]) -> None:
    """As little of a client as there can be, so that the server is what is measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        body = request(f"http{next(names)}")
        began = time.perf_counter()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        times.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a request failed: {head!r}")
    writer.close()


# ---------------------------------------------------------------- killed


def _killed(house: House, *, quick: bool) -> list[Row]:
    rows = []
    for what, who in (("alone", "one writer"), ("together", f"{CROWD} writers in groups")):
        told = kept = 0
        kills = 2 if quick else 5
        for n in range(kills):
            path = house.copy()
            numbers = _until_killed(what, path, 150 + 170 * n, house)
            with sqlite3.connect(path) as database:
                there = {number for (number,) in database.execute("SELECT number FROM orders")}
                lines = dict(database.execute("SELECT number, count(*) FROM order_line GROUP BY number"))
            database.close()
            told += len(numbers)
            kept += sum(number in there and lines.get(number) == 3 for number in numbers)
        rows.append(
            Row(
                f"answered means kept, {who}, kill -9",
                held=told == kept > 0,
                seen=f"{kept} of {told} answered orders are there, {kills} kills",
            )
        )
    rows[
        0
    ].note = "The process is killed, not the machine: what a power cut keeps is up to synchronous=FULL and the disk."
    return rows


def _until_killed(what: str, path: Path, answers: int, house: House) -> list[int]:
    """The numbers that a writing process answered before it was killed in the midst of it."""
    command = [sys.executable, "-m", "benchmarks._server", what, str(path)]
    with started(command, env=environment(house.copy().parent / "cache")) as process:
        _, out = pipes(process)
        numbers = [int(out.readline()) for _ in range(answers)]
        process.kill()
        process.wait()
        # The last line may be cut off in the middle of its number: then it was not answered.
        numbers += [int(line) for line in out.read().splitlines(keepends=True) if line.endswith("\n")]
    return numbers
