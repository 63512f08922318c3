"""Slack as a platform: channels, threads, direct messages, commands, buttons, forms and the Home tab.

Socket Mode when there is an app-level token, which needs no public address; signed HTTP requests otherwise, for the
server that `routes` are given to. Slack wants an answer within three seconds and brings a payload again without one,
so everything is acknowledged at once and handed on to the adapter's own event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import Route

from bot.adapters.slack.bolt import Front
from bot.adapters.slack.calls import Calls
from bot.adapters.slack.check import Finding, examine
from bot.adapters.slack.inbox import Brought, Inbox
from bot.adapters.slack.outlet import Outlet
from bot.adapters.slack.people import People
from bot.adapters.slack.socket import Socket
from bot.adapters.slack.turns import SOON, Turns
from bot.adapters.slack.words import SlackWords, Words, english
from bot.messages import CannotDeliver, Limits, Picture, Receive, Reply

__all__ = ["SlackAdapter", "SlackWords"]

log = logging.getLogger(__name__)
sdk_log = logging.getLogger(f"{__name__}.sdk")

API = "https://slack.com/api/"
WORKERS = 32  # arrivals handled at the same time; the next ones queue
DELIVERY = 90.0  # seconds one thing may take to be said, uploads included
LAST_TURNS, LAST_WORDS = 30.0, 15.0  # seconds that stopping waits for turns, and for what is being said


class SlackAdapter:
    """The `Adapter` of Slack. `counts` tells what was handled, ignored and refused, and why.

    `words` gives the few sentences that only Slack needs, for "en", "zh" or "" (the company's own language).
    `soon` is how many seconds a form may take before the person is shown that it is on its way.
    """

    platform = "slack"
    limits = Limits(text=100_000, buttons=1000, fields=1000)

    def __init__(
        self,
        *,
        bot_token: str,
        app_token: str = "",
        signing_secret: str = "",
        api_url: str = API,
        words: Words = english,
        soon: float = SOON,
    ) -> None:
        if not app_token and not signing_secret:
            raise ValueError("Slack needs an app-level token (Socket Mode) or a signing secret (HTTP)")
        self._bot_token, self._app_token, self._secret = bot_token, app_token, signing_secret
        self._api_url = api_url.rstrip("/") + "/"
        self._words, self._soon = words, soon
        # The SDK writes whole payloads and tokens at DEBUG: that is never wanted in a log.
        sdk_log.setLevel(logging.ERROR)
        self.counts: Counter[str] = Counter()
        self._inbox = Inbox(self.counts)
        self._front = Front(self._inbox, self._take, self._say_words, self.counts, sdk_log)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: _Session | None = None
        self._open = False  # takes arrivals
        self._saying = 0
        self._quiet = threading.Condition()

    @property
    def routes(self) -> list[Route]:
        """What a server has to serve for the HTTP mode; nothing in Socket Mode."""
        if self._app_token:
            return []
        return [Route("/slack/events", self._front.endpoint(self._secret), methods=["POST"])]

    # ------------------------------------------------------------ the port

    def serves(self, address: str) -> bool:
        return address.startswith("slack:")

    def start(self, receive: Receive) -> None:
        """Begin to listen, in a thread of its own. Slack may be away: it is tried again until it answers."""
        if self._thread is not None:
            raise RuntimeError("the Slack adapter is already running")
        begun = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(receive, begun), name="slack", daemon=True)
        self._thread.start()
        begun.wait()
        if self._session is None:
            self._thread.join()
            self._thread = None
            raise RuntimeError("the Slack adapter did not start")

    def wait_until_live(self, seconds: float) -> bool:
        """Whether Slack is connected, in Socket Mode, or knows us, in HTTP mode; waits for that so long."""
        session = self._session
        return session is not None and session.live.wait(seconds)

    def stop(self) -> None:
        """Take nothing more, finish the turns in progress and what is being said, and end the thread."""
        thread, loop, session = self._thread, self._loop, self._session
        if thread is None or loop is None or session is None:
            return
        self._open = False
        if not asyncio.run_coroutine_threadsafe(session.deafen(LAST_TURNS), loop).result():
            log.warning("a turn on Slack did not end in time")
        with self._quiet:
            self._quiet.wait_for(lambda: self._saying == 0, LAST_WORDS)
            self._session = None
        loop.call_soon_threadsafe(session.ends.set)
        thread.join()
        self._thread = self._loop = None

    def send(self, address: str, reply: Reply) -> str:
        return self._say(lambda outlet: outlet.send(address, reply))

    def edit(self, address: str, handle: str, reply: Reply) -> str:
        return self._say(lambda outlet: outlet.edit(address, handle, reply))

    def picture(self, address: str, picture: Picture) -> str:
        return self._say(lambda outlet: outlet.picture(address, picture))

    def zone(self, login: str) -> str:
        """The person's time zone as Slack told it with their last arrival, an IANA name; "" when it did not."""
        session = self._session
        return session.people.known(login.removeprefix("slack:")).zone if session else ""

    def check(self) -> list[Finding]:
        """What a doctor should know: (what was looked at, whether it is well, what to do when it is not)."""
        return asyncio.run(examine(self._api_url, self._bot_token, self._app_token, self._secret, sdk_log))

    # ------------------------------------------------------------ between the threads

    def _say(self, work: Any) -> str:
        with self._quiet:
            session, loop = self._session, self._loop
            if session is None or loop is None:
                raise CannotDeliver("Slack is not connected")
            self._saying += 1
        try:
            job: Coroutine[Any, Any, str] = work(session.outlet)
            future = asyncio.run_coroutine_threadsafe(job, loop)
            try:
                return future.result(DELIVERY)
            except (TooLong, CancelledError):
                future.cancel()
                raise CannotDeliver("Slack did not answer in time") from None
        finally:
            with self._quiet:
                self._saying -= 1
                self._quiet.notify_all()

    def _take(self, brought: list[Brought]) -> bool:
        """Hand arrivals to the loop, from whichever loop acknowledged them; False when nothing is taken any more."""
        loop, session = self._loop, self._session
        if not self._open or loop is None or session is None:
            return False
        for one in brought:
            loop.call_soon_threadsafe(session.turns.put, one)
        return True

    def _say_words(self, user: str) -> SlackWords:
        session = self._session
        return self._words(session.people.known(user).language if session else "")

    # ------------------------------------------------------------ the loop

    def _run(self, receive: Receive, begun: threading.Event) -> None:
        try:
            asyncio.run(self._live(receive, begun))
        finally:
            begun.set()

    async def _live(self, receive: Receive, begun: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        # One session for every call: a connection for each costs twice as much. Calls have their own time limit.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="slack") as pool:
            async with aiohttp.ClientSession(timeout=timeout) as http:
                session = self._assembled(receive, pool, http)
                self._session, self._open = session, True
                begun.set()
                await session.ends.wait()
                await session.close()

    def _assembled(self, receive: Receive, pool: ThreadPoolExecutor, http: aiohttp.ClientSession) -> _Session:
        client = AsyncWebClient(token=self._bot_token, base_url=self._api_url, session=http, logger=sdk_log)
        calls = Calls(client, http)
        people = People(calls)
        outlet = Outlet(calls, people, self._words, self._inbox.spoke)
        turns = Turns(
            receive,
            pool,
            inbox=self._inbox,
            people=people,
            calls=calls,
            outlet=outlet,
            counts=self.counts,
            soon=self._soon,
        )
        self._front.connect(client)
        socket = None
        if self._app_token:
            # A client of its own, with the same address: an app-level token opens sockets and nothing else.
            opener = Calls(AsyncWebClient(base_url=self._api_url, session=http, logger=sdk_log), http)

            async def address() -> str:
                return str((await opener.call("apps.connections.open", app_token=self._app_token))["url"])

            socket = Socket(http, address, self._front.envelope, self.counts)
        return _Session(self._inbox, calls, people=people, outlet=outlet, turns=turns, socket=socket)


class _Session:
    """The parts that live in the loop, from start to stop."""

    def __init__(
        self, inbox: Inbox, calls: Calls, *, people: People, outlet: Outlet, turns: Turns, socket: Socket | None
    ) -> None:
        self._inbox, self._calls, self._socket = inbox, calls, socket
        self.people, self.outlet, self.turns = people, outlet, turns
        self.live = threading.Event()
        self.ends = asyncio.Event()
        self._listening = [asyncio.create_task(self._introduce())]

    async def _introduce(self) -> None:
        """Learn who we are, then listen: without that our own messages could not be told from others'."""
        wait = 0.5
        while True:
            try:
                us = await self._calls.call("auth.test")
            except CannotDeliver as error:
                log.warning("Slack does not know us yet: %s", error.why)
                await asyncio.sleep(max(wait, error.retry_after or 0.0))
                wait = min(wait * 2, 30.0)
            else:
                break
        self._inbox.bot, self._inbox.bot_id = str(us.get("user_id") or ""), str(us.get("bot_id") or "")
        if self._socket is None:
            self.live.set()
            return
        self._listening.append(asyncio.create_task(self._socket.run()))
        await self._socket.live.wait()
        self.live.set()

    async def deafen(self, seconds: float) -> bool:
        """Stop listening and let every turn end; False when one did not."""
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        return await self.turns.settle(seconds)

    async def close(self) -> None:
        with suppress(Exception):
            await self.people.close()
