"""The way in and the way out: updates, events and buttons, sending, the page, and from one platform to the other."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks._across import Across
from benchmarks._house import House
from benchmarks._inward import (
    UNPACED,
    Inline,
    Take,
    bolt,
    event,
    press,
    slack_product,
    telegram_peer,
    telegram_product,
    update,
)
from benchmarks._measure import Row, environment, pipes, quantile, rounds, seconds, started
from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.blocks import messages
from bot.adapters.slack.words import english
from bot.adapters.telegram import TelegramAdapter
from bot.messages import Button, Card, Field, Receipt, Reply

MICRO, MILLI = 1_000_000, 1_000
CARD = Card(
    title="Order #42 · waiting for approval",
    fields=(Field("Customer", "Acme Corp"), Field("Total", "$1,000.00")),
    buttons=(Button("Approve", "order.approve:42:1", "primary"), Button("Reject", "order.reject:42:1", "danger")),
)
REPLY = Reply(CARD, name="order:42")
CLIENTS = 16


def run(*, quick: bool) -> list[Row]:
    with TemporaryDirectory(prefix="dealdesk-wire-") as folder:
        house, cache = House(Path(folder)), Path(folder) / "cache"
        rows = [*_inward(quick=quick), *_outward(cache, quick=quick), *_page(cache, quick=quick)]
        return [*rows, *_across(Path(folder), quick=quick), _memory(house, cache, quick=quick)]


# ---------------------------------------------------------------- in


def _inward(*, quick: bool) -> list[Row]:
    times, pool = 100 if quick else 400, ThreadPoolExecutor(32)
    loop = asyncio.new_event_loop()

    async def make() -> dict[str, tuple[Take, Callable[[], bytes]]]:
        return {
            "telegram": (telegram_product(Inline()), update),
            "threads": (telegram_product(pool), update),
            "ptb": (await telegram_peer(), update),
            "slack": (slack_product("events_api"), event),
            "bolt": (bolt(at_once=True), event),
            "bolt_off": (bolt(at_once=False), event),
            "press": (slack_product("interactive"), press),
            "bolt_press": (bolt(at_once=False), press),
        }

    def each(take: Take, make: Callable[[], bytes], count: int) -> Callable[[], float]:
        """The median of one at a time, in microseconds."""

        async def work() -> float:
            took = []
            for raw in [make() for _ in range(count)]:
                began = time.perf_counter()
                await take(raw)
                took.append(time.perf_counter() - began)
            return median(took) * MICRO

        return lambda: loop.run_until_complete(work())

    takes = loop.run_until_complete(make())
    sides = {name: each(*how, max(20, times // 8) if name == "bolt_press" else times) for name, how in takes.items()}
    for side in sides.values():  # once unmeasured
        side()
    found = rounds(5 if quick else 11, **sides)
    pool.shutdown()
    loop.close()
    ours, threads, ptb = found["telegram"], found["threads"], found["ptb"]
    return [
        Row(
            "a Telegram update to its reply, one thread, in process",
            "µs",
            {"peer": ptb, "product": ours},
            ("product", "peer"),
            limit=1.3,
            note="From the update's bytes; both answer one text over a transport that says yes at once, one at a time,"
            " p50. Ours besides keeps order and repeats, and paces. botbuilder and errbot are not measured here.",
        ),
        Row(
            "the same, the conversation on a thread of its own, as it runs",
            "µs",
            {"peer": ptb, "product": threads},
            ("product", "peer"),
            note="There and back between two threads, which lets a slow turn hold up nobody else.",
        ),
        Row(
            "a Slack event to its arrival, against Bolt with one listener",
            "µs",
            {"peer": found["bolt"], "product": found["slack"]},
            ("product", "peer"),
            limit=1.15,
            note="Bolt with `process_before_response=True`, which is faster than its default; its listener does"
            " nothing, ours reads the event, drops repeats and makes the arrival.",
        ),
        Row(
            "the same, against Bolt as it comes",
            "µs",
            {"peer": found["bolt_off"], "product": found["slack"]},
            ("product", "peer"),
        ),
        Row(
            "a Slack button acknowledged, p50, against Bolt as it comes",
            "µs",
            {"peer": found["bolt_press"], "product": found["press"]},
            ("product", "peer"),
            limit=0.1,
        ),
    ]


# ---------------------------------------------------------------- out


def _outward(cache: Path, *, quick: bool) -> list[Row]:
    """One call after the other, to the same server in a process of its own; the product's from a delivery thread."""
    times, names = 50 if quick else 200, itertools.count()
    page = messages(CARD, "order:42", english(""))[0]
    with ExitStack() as stack:
        port = _server("platform", cache, stack)
        url = f"http://127.0.0.1:{port}"
        slack = SlackAdapter(bot_token="-", signing_secret="-", api_url=f"{url}/api/")  # noqa: S106
        telegram = TelegramAdapter(token="4242:AAbench", api_url=url, rates=UNPACED)  # noqa: S106
        for adapter in (slack, telegram):
            adapter.start(lambda _: Receipt(handled=True))
            stack.callback(adapter.stop)
        assert slack.wait_until_live(10)
        assert telegram.ready.wait(10)
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)

        async def opened() -> aiohttp.ClientSession:
            return aiohttp.ClientSession()

        session = loop.run_until_complete(opened())
        stack.callback(lambda: loop.run_until_complete(session.close()))

        async def plain() -> None:
            for _ in range(times):
                said = {"channel": "C1", "text": page.text, "blocks": page.blocks}
                async with session.post(f"{url}/api/chat.postMessage", json=said) as response:
                    assert (await response.json())["ok"]

        # A channel of its own each time: in the same one our own pace, one a second, would be measured.
        found = rounds(
            5 if quick else 11,
            floor=lambda: seconds(lambda: loop.run_until_complete(plain())) / times * MICRO,
            slack=lambda: seconds(lambda: slack.send(f"slack:C{next(names)}", REPLY), times) * MICRO,
            telegram=lambda: seconds(lambda: telegram.send("telegram:77", REPLY), times) * MICRO,
        )
    note = (
        "A card with two buttons to a server on loopback. The floor posts a body that is made already, on its own loop;"
        " the product makes it, paces it, and comes from a thread and goes back to it."
    )
    return [
        Row(
            f"a card sent on {name}, against a shared session's call",
            "µs",
            {"floor": found["floor"], "product": found[name.lower()]},
            ("product", "floor"),
            limit=1.5,
            note=note if name == "Slack" else "",
        )
        for name in ("Slack", "Telegram")
    ]


def _server(what: str, cache: Path, stack: ExitStack) -> int:
    command = [sys.executable, "-m", "benchmarks._playground", what]
    return int(pipes(stack.enter_context(started(command, env=environment(cache))))[1].readline())


# ---------------------------------------------------------------- the page


class _Client(asyncio.Protocol):
    """Says one request after the other; as little of a client as there can be, so that the server is measured."""

    def __init__(self, count: int, done: asyncio.Future[None]) -> None:
        self._left, self._done, self._length, self._got = count, done, 0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_asked())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or RuntimeError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._length:  # every answer is as long as the first
            head, ended, _ = self._got.partition(b"\r\n\r\n")
            if not ended:
                return
            line = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._length = len(head) + 4 + int(line.partition(b":")[2])
        if len(self._got) < self._length:
            return
        if len(self._got) > self._length or not self._got.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(RuntimeError(f"a request failed: {self._got!r}"))
            return
        self._got, self._left = b"", self._left - 1
        if self._left:
            self._transport.write(_asked())
        else:
            self._done.set_result(None)
            self._transport.close()


def _asked() -> bytes:
    body = json.dumps({"id": str(uuid.uuid4()), "person": "rep3", "text": "order 50 Pro seats for Acme"}).encode()
    head = b"POST /api/message HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def _rate(port: int, count: int) -> float:
    async def talk() -> float:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        ends = [loop.create_future() for _ in range(CLIENTS)]
        for end in ends:
            await loop.create_connection(lambda end=end: _Client(count, end), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*ends)
        return CLIENTS * count / (time.perf_counter() - began)

    return asyncio.run(talk())


def _page(cache: Path, *, quick: bool) -> list[Row]:
    what, count = f"the page's echo over HTTP, {CLIENTS} connections", 40 if quick else 150
    sides = ["product", "peer", "threads"] if find_spec("fastapi") else ["product"]
    with ExitStack() as stack:
        ports = {side: _server(side, cache, stack) for side in sides}

        def rate(side: str) -> Callable[[], float]:
            return lambda: _rate(ports[side], count)

        for side in sides:
            _rate(ports[side], count)
        found = rounds(5 if quick else 9, **{side: rate(side) for side in sides})
    if len(sides) == 1:
        note = "FastAPI is not installed here, so that the target of 1.2 times FastAPI with a model is not measured."
        return [Row(what, "requests/s", found, note=note)]
    threads = found.pop("threads")
    return [
        Row(
            f"{what}, against FastAPI with a model",
            "requests/s",
            found,
            ("product", "peer"),
            limit=1.2,
            least=True,
            note="Both on uvicorn. FastAPI's handler is a coroutine that returns at once; the page checks where the"
            " request comes from, goes to a thread, where a turn may wait, and puts what was said on its shelf.",
        ),
        Row(
            "the same, FastAPI's handler in a thread as well",
            "requests/s",
            {"peer": threads, "product": found["product"]},
            ("product", "peer"),
        ),
    ]


# ---------------------------------------------------------------- from one platform to the other; memory


def _across(folder: Path, *, quick: bool) -> list[Row]:
    with Across(folder) as house:
        house.decide(2)
        found = [house.decide(10) for _ in range(2 if quick else 10)]
    sides = [
        ("p50", [median(times) * MILLI for times in found]),
        ("p99", [quantile([time for times in found for time in times], 0.99) * MILLI]),
    ]
    note = (
        "The real application and both adapters, with the fakes of both platforms in the same process, which share its"
        " interpreter: less than this can be had. Slack's rates are lifted; else our own pace would be measured."
    )
    return [
        Row(f"approved on Telegram to the card edited on Slack, {name}", "ms", {"product": times}, note=text)
        for (name, times), text in zip(sides, (note, ""), strict=True)
    ]


def _memory(house: House, cache: Path, *, quick: bool) -> Row:
    count = 5_000 if quick else 50_000
    command = [sys.executable, "-m", "benchmarks._events", str(house.copy()), str(count)]
    with started(command, env=environment(cache)) as process:
        out = pipes(process)[1]
        first, before, after = (float(out.readline()) for _ in range(3))
    return Row(
        f"memory through {count:,} events",
        seen=f"{before:.0f} MiB before, {after:.0f} MiB after ({first:.0f} MiB at the start)",
        note="Words and orders of 64 people through `App.receive`, with nothing delivered. “Before” is after"
        " the first tenth, with every connection and cache open.",
    )
