"""Socket Mode: the connection over which Slack brings everything, without a public address.

Slack replaces a connection every few hours and says so some seconds before. What people press is never delivered a
second time, so the new connection is opened first and the old one is read to its end. Every attempt asks for a new
address, because each is good for one connection only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp

from bot.messages import CannotDeliver

log = logging.getLogger(__name__)

Envelope = dict[str, Any]
# Takes an envelope, returns the payload of its acknowledgement or None. It must not take time: Slack waits 3 seconds.
Take = Callable[[Envelope], Awaitable[dict[str, Any] | None]]

HEARTBEAT = 15.0  # seconds between pings; a connection that answers none for half of that is dead
HELLO = 15.0  # seconds until a new connection has to greet
LINGER = 15.0  # seconds an old connection is still read; Slack warns about 10 seconds before it closes
FIRST, LONGEST = 0.5, 30.0  # seconds between attempts, twice as long after each, with jitter
CROWDED = 10.0  # the least wait when Slack says that ten connections are open already
LARGEST = 4 * 1024 * 1024


class Socket:
    """Keeps one live connection as long as it runs. `live` is set while there is one that greeted."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: Callable[[], Awaitable[str]],
        take: Take,
        counts: Counter[str],
    ) -> None:
        self._session, self._address, self._take, self._counts = session, address, take, counts
        self._readers: set[asyncio.Task[None]] = set()
        self.live = asyncio.Event()

    async def run(self) -> None:
        """Connect, and connect again whenever that is needed; ends when it is cancelled."""
        failures, least = 0, 0.0
        try:
            while True:
                try:
                    worn, reason = await self._connected()
                except (CannotDeliver, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                    failures += 1
                    self._counts["socket: connection failed"] += 1
                    why = error.why if isinstance(error, CannotDeliver) else type(error).__name__
                    log.log(logging.WARNING if failures == 1 else logging.INFO, "no connection to Slack: %s", why)
                    least = getattr(error, "retry_after", None) or 0.0
                else:
                    least = await _first(worn, reason)
                    failures = failures + 1 if least else 0
                    self.live.clear()
                    self._counts["socket: reconnects"] += 1
                if failures:
                    await asyncio.sleep(max(least, _wait(failures)))
        finally:
            await self._close()

    async def _connected(self) -> tuple[asyncio.Event, list[str]]:
        """A connection that greeted, with what says when it has to be replaced and why."""
        url = await self._address()
        socket = await self._session.ws_connect(url, heartbeat=HEARTBEAT, max_msg_size=LARGEST)
        worn, reason, greeted = asyncio.Event(), [""], asyncio.Event()
        reader = asyncio.create_task(self._read(socket, worn, reason, greeted))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        waits = [asyncio.create_task(greeted.wait()), asyncio.create_task(worn.wait())]
        try:
            await asyncio.wait(waits, timeout=HELLO, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not greeted.is_set() and not worn.is_set():
            reader.cancel()
            raise TimeoutError
        if greeted.is_set():
            self.live.set()
        return worn, reason

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, worn: asyncio.Event, reason: list[str], greeted: asyncio.Event
    ) -> None:
        try:
            async with asyncio.timeout(None) as life:
                async for message in socket:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    envelope = _parsed(message.data)
                    if envelope is None:
                        self._counts["socket: malformed"] += 1
                    elif envelope.get("type") == "hello":
                        greeted.set()
                    elif envelope.get("type") == "disconnect":
                        reason[0] = str(envelope.get("reason") or "disconnect")
                        self._counts[f"socket: {reason[0]}"[:60]] += 1
                        worn.set()
                        if reason[0] in ("too_many_websockets", "link_disabled"):
                            return
                        if life.when() is None:
                            life.reschedule(asyncio.get_running_loop().time() + LINGER)
                    else:
                        await self._acknowledge(socket, envelope)
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass
        finally:
            worn.set()
            with suppress(Exception):
                await socket.close()

    async def _acknowledge(self, socket: aiohttp.ClientWebSocketResponse, envelope: Envelope) -> None:
        """On the connection that brought it; when that is gone, Slack brings an event again and it is a repeat."""
        mark = envelope.get("envelope_id")
        if not isinstance(mark, str):
            self._counts["socket: malformed"] += 1
            return
        payload = await self._take(envelope)
        answer: dict[str, Any] = {"envelope_id": mark}
        if payload and envelope.get("accepts_response_payload", True):
            answer["payload"] = payload
        try:
            await socket.send_str(json.dumps(answer))
        except (aiohttp.ClientError, OSError):
            self._counts["socket: not acknowledged"] += 1

    async def _close(self) -> None:
        for reader in list(self._readers):
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


async def _first(worn: asyncio.Event, reason: list[str]) -> float:
    """Wait until the connection has to be replaced; the least seconds to wait before that."""
    began = asyncio.get_running_loop().time()
    await worn.wait()
    if reason[0] in ("too_many_websockets", "link_disabled"):
        return CROWDED
    short = asyncio.get_running_loop().time() - began < 1.0 and not reason[0]
    return FIRST if short else 0.0  # never spin on a connection that ends as soon as it begins


def _wait(failures: int) -> float:
    return min(LONGEST, FIRST * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter


def _parsed(data: str) -> Envelope | None:
    try:
        envelope = json.loads(data)
    except ValueError:
        return None
    return envelope if isinstance(envelope, dict) else None
