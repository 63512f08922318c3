"""Updates on their way in: each is handled once and kept before Telegram is told that it was received.

Updates of one address are handled in their order, those of different addresses at the same time.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import random
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.adapters.telegram.heard import UPDATES
from bot.adapters.telegram.line import Line, Slow, pause, told

log = logging.getLogger(__name__)

POLL = 30  # seconds of one long poll; the official server allows 50
BATCH = 100  # updates at once, Telegram's limit, and so the most that can be under way unconfirmed
REMEMBERED = 5000  # events whose repeats are recognised here; the conversation knows them all
TRIES = 8  # how often an update that could not be kept is tried before it is given up
QUIET = 86_400.0  # seconds after which update ids may have begun anew (Telegram: after a week)
MAX_BODY = 1 << 20
SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name

Work = Callable[[], Awaitable[None]]


class Lanes:
    """One piece of work at a time for each address, in the order in which they came; repeats share the first's fate."""

    def __init__(self, counts: Counter[str]) -> None:
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._events: OrderedDict[str, asyncio.Task[None] | None] = OrderedDict()  # None: done
        self._counts = counts

    def _over(self, event: str, task: asyncio.Task[None]) -> None:
        """What went well is remembered by its name alone. A failure stays; whoever waits for it hears of it."""
        if not task.cancelled() and task.exception() is None and event in self._events:
            self._events[event] = None

    def put(self, address: str, event: str, work: Work) -> asyncio.Future[None]:
        """The work's task. An event that was handled, or is being handled, is not handled again; a failed one is."""
        if event in self._events:
            known = self._events[event]
            if known is None or not known.done():
                self._counts["repeat"] += 1
                return known or nothing()
        before = self._tails.get(address)
        task = asyncio.create_task(self._after(before, address, work))
        task.add_done_callback(partial(self._over, event))
        self._tails[address] = self._events[event] = task
        while len(self._events) > REMEMBERED:
            self._events.popitem(last=False)
        return task

    def known(self, event: str) -> bool:
        return event in self._events

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        while self._tails:
            await asyncio.wait(set(self._tails.values()))
            await asyncio.sleep(0)

    async def _after(self, before: asyncio.Task[None] | None, address: str, work: Work) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        try:
            await work()
        finally:
            if self._tails.get(address) is asyncio.current_task():
                del self._tails[address]


def nothing() -> asyncio.Future[None]:
    """Work that is done already."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


class Backoff:
    """Growing waits with jitter, so that many that failed together do not come back together."""

    def __init__(self, first: float = 0.5, most: float = 30.0) -> None:
        self._first, self._most = first, most
        self._wait = first

    def reset(self) -> None:
        self._wait = self._first

    def next(self) -> float:
        wait, self._wait = self._wait, min(self._most, self._wait * 2)
        return wait * random.uniform(0.75, 1.25)  # noqa: S311  # jitter, no secret


class Poller:
    """Long polling. `take` begins to handle an update and returns its task.

    An update is confirmed, by asking for the ones after it, only when it and all before it are handled. While a slow
    one is under way the others are looked for with short polls that begin at the slow one, so nobody waits for it.
    """

    def __init__(self, line: Line, take: Callable[[dict[str, Any]], asyncio.Future[None]], ends: asyncio.Event) -> None:
        self._line, self._take, self._ends = line, take, ends
        self._window: OrderedDict[int, asyncio.Future[None]] = OrderedDict()  # unconfirmed, in their order
        self._next: int | None = None  # after the last that was handled
        self._asked: int | None = None  # what Telegram was last asked from, which confirmed all before it
        self._last = 0.0
        self._told = ""

    async def run(self) -> None:
        """Poll until `ends` is set."""
        backoff = Backoff()
        wait = 0.05
        while not self._ends.is_set():
            try:
                began = asyncio.get_running_loop().time()
                fresh = await self._poll()
            except Slow as error:
                await pause(self._ends, error.seconds)
            except TelegramError as error:
                self._tell(error)
                await pause(self._ends, 60.0 if isinstance(error, InvalidToken) else backoff.next())
            except Exception as error:  # whatever one update holds, the next ones are still read
                log.error("telegram: reading failed with %s. Trying again.", type(error).__name__, exc_info=error)
                await pause(self._ends, backoff.next())
            else:
                backoff.reset()
                self._tell(None)
                wait = 0.05 if fresh else min(0.5, wait * 2)
                if busy := self._busy():
                    await asyncio.wait(busy, timeout=wait)
                elif not fresh and asyncio.get_running_loop().time() - began < wait:
                    await pause(self._ends, wait)  # a server that does not let us wait for news

    async def confirm(self) -> None:
        """Tell Telegram what was handled, without taking anything new."""
        offset = self._begin()
        if offset is not None and offset != self._asked:
            await self._line.call("getUpdates", within=5.0, offset=offset, limit=1, timeout=0, allowed_updates=UPDATES)
            self._asked = offset

    async def _poll(self) -> bool:
        """Ask once; whether there was something new."""
        offset = self._begin()
        busy = self._busy()
        if len(self._window) >= BATCH:
            return False  # Telegram would only repeat these
        params = {} if offset is None else {"offset": offset}
        timeout = 0 if busy else POLL
        asked = asyncio.ensure_future(
            self._line.call(
                "getUpdates", within=timeout + 15.0, limit=BATCH, timeout=timeout, allowed_updates=UPDATES, **params
            )
        )
        ending = asyncio.ensure_future(self._ends.wait())
        try:
            await asyncio.wait({asked, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                return False
            found = asked.result()
        finally:
            asked.cancel()
            ending.cancel()
        self._asked = offset
        return self._found(found)

    def _found(self, updates: Any) -> bool:
        fresh = False
        for update in updates if isinstance(updates, list) else ():
            number = update.get("update_id") if isinstance(update, dict) else None
            if isinstance(number, int) and number not in self._window:
                self._window[number] = self._take(update)
                fresh = True
        if fresh:
            self._last = asyncio.get_running_loop().time()
        return fresh

    def _busy(self) -> set[asyncio.Future[None]]:
        return {task for task in self._window.values() if not task.done()}

    def _begin(self) -> int | None:
        """Where to ask from: the first that is still under way, else after the last one.

        After the *last*, not the highest: ids may begin anew, lower than before, and then "higher than the highest"
        would bring the same update for ever.
        """
        while self._window:
            number, task = next(iter(self._window.items()))
            if not task.done() or task.cancelled():
                return number
            del self._window[number]
            self._next = number + 1
        if self._last and asyncio.get_running_loop().time() - self._last > QUIET:
            return None
        return self._next

    def _tell(self, error: TelegramError | None) -> None:
        """Say once that something is wrong, and once that it is over."""
        what = "" if error is None else told(error)
        if what == self._told:
            return
        self._told, before = what, self._told
        if isinstance(error, Conflict):
            log.error(
                "telegram: %s. Another program reads this bot's messages, or a webhook is set for it: stop the other "
                "one, or give this one a bot of its own. Trying again.",
                what,
            )
        elif isinstance(error, InvalidToken):
            log.error("telegram: %s while reading. Check DEALDESK_TELEGRAM_TOKEN with @BotFather. Trying again.", what)
        elif error is not None:
            log.warning("telegram: %s. Trying again.", what)
        elif before:
            log.warning("telegram: reading messages again")


class Hook:
    """The webhook's door: it lets in what carries the secret, and says 200 only when the update was handled."""

    def __init__(self, secret: str, counts: Counter[str], bring: Callable[[dict[str, Any]], Awaitable[bool]]) -> None:
        self._secret, self._counts, self._bring = secret.encode(), counts, bring

    async def receive(self, request: Request) -> Response:
        """One call of Telegram's. Any answer but 2xx makes it call again."""
        given = request.headers.get(SECRET, "").encode()
        if not hmac.compare_digest(given, self._secret):
            return self._no(401, "wrong_secret")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return self._no(413, "too_large")
        try:
            update = msgspec.json.decode(bytes(body))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._no(400, "malformed")
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            return self._no(400, "malformed")
        if await self._bring(update):
            return PlainTextResponse("")
        # Telegram brings it again: at once, then after 2, 4, 8 ... seconds, for a day.
        return self._no(503, "not_kept")

    def _no(self, status: int, why: str) -> Response:
        self._counts[why] += 1
        return PlainTextResponse(why, status, {"Connection": "close"} if status == 413 else None)
