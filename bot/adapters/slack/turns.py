"""Turns: hands each arrival to the application, in order for each address, and opens the forms it asks for.

A form can only be opened with what came along when somebody pressed or typed something, once and within three
seconds. When the application needs longer, a view that says so is opened in time and replaced afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine
from concurrent.futures import Executor
from typing import Any

from bot.adapters.slack.calls import Calls, SlackError
from bot.adapters.slack.forms import Origin
from bot.adapters.slack.inbox import Brought, Inbox
from bot.adapters.slack.outlet import Outlet, place
from bot.adapters.slack.people import People
from bot.messages import Ask, CannotDeliver, Receipt, Receive

log = logging.getLogger(__name__)

SOON = 1.5  # seconds until a form that is still on its way is announced
TOO_LATE = 2.7  # seconds after which a trigger is not worth trying; Slack takes it for three
SPENT = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"})

Turned = asyncio.Future[Receipt | None]


class Turns:
    """Runs arrivals. Used inside one event loop; `receive` runs on the threads of `pool`."""

    def __init__(
        self,
        receive: Receive,
        pool: Executor,
        *,
        inbox: Inbox,
        people: People,
        calls: Calls,
        outlet: Outlet,
        counts: Counter[str],
        soon: float = SOON,
    ) -> None:
        self._receive, self._pool, self._soon = receive, pool, soon
        self._inbox, self._people, self._calls, self._outlet, self._counts = inbox, people, calls, outlet, counts
        self._lanes: dict[str, deque[tuple[Brought, Turned]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, brought: Brought) -> None:
        """Take an arrival. Those of one address are handled in the order in which they were put here."""
        if brought.address.startswith(("slack:U", "slack:W")) and brought.channel.startswith("D"):
            self._people.meet(brought.user, brought.channel)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if brought.ask is not None:  # the button of a form that waited
            self._spawn(self._open(brought, brought.ask, began))
            return
        turned: Turned = loop.create_future()
        lane = self._lanes.get(brought.address)
        if lane is None:
            lane = self._lanes[brought.address] = deque()
            lane.append((brought, turned))
            self._spawn(self._run(brought.address, lane))
        else:
            lane.append((brought, turned))
        self._spawn(self._after(brought, turned, began))

    async def settle(self, seconds: float) -> bool:
        """Wait until every turn has ended; False when that took longer."""
        end = asyncio.get_running_loop().time() + seconds
        while self._tasks:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(set(self._tasks), timeout=left)
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._counts["failed"] += 1
            log.error("work for Slack failed", exc_info=error)

    # ------------------------------------------------------------ one turn

    async def _run(self, address: str, lane: deque[tuple[Brought, Turned]]) -> None:
        while lane:
            brought, turned = lane[0]
            turned.set_result(await self._turn(brought))
            lane.popleft()
        del self._lanes[address]

    async def _turn(self, brought: Brought) -> Receipt | None:
        try:
            if brought.thread is not None and not await self._takes_part(*brought.thread):
                self._counts["ignored: message not for us"] += 1
                return None
            profile = await self._people.profile(brought.user)
            incoming = brought.incoming(profile.language)
            receipt = await asyncio.get_running_loop().run_in_executor(self._pool, self._receive, incoming)
        except Exception:
            self._counts["failed"] += 1
            log.exception("a turn on Slack failed")
            return None
        self._counts["handled" if receipt.handled else "repeat or refused"] += 1
        return receipt

    async def _takes_part(self, channel: str, thread: str) -> bool:
        """Whether the bot spoke or was spoken to in this thread; Slack is asked once, after a restart."""
        known = self._inbox.takes_part(channel, thread)
        if known is not None:
            return known
        try:
            where = {"channel": channel, "ts": thread, "limit": 200}
            found = await self._calls.call("conversations.replies", place=channel, **where)
        except CannotDeliver:
            return False
        bot, bot_id = self._inbox.bot, self._inbox.bot_id
        ours = any(
            (bot and said.get("user") == bot)
            or (bot_id and said.get("bot_id") == bot_id)
            or (bot and f"<@{bot}" in str(said.get("text")))
            for said in found.get("messages") or ()
        )
        (self._inbox.spoke if ours else self._inbox.silent)(channel, thread)
        return ours

    # ------------------------------------------------------------ forms

    async def _after(self, brought: Brought, turned: Turned, began: float) -> None:
        """What a turn asks for besides what it says: a form, opened at once where that is possible."""
        view_id = ""
        if brought.trigger and brought.waits:
            done, _ = await asyncio.wait({turned}, timeout=self._soon)
            if not done:
                view_id = await self._tried(brought, self._outlet.open_notice(brought.trigger, brought.user)) or ""
        receipt = await turned
        ask = receipt.ask if receipt else None
        if brought.message and receipt is not None and receipt.handled:
            channel, _, ts = brought.message.partition("/")
            await self._tried(brought, self._outlet.remove(channel, [ts]))
        if view_id:
            await self._replace(brought, view_id, ask, failed=receipt is None)
        elif ask is not None and brought.trigger:
            await self._open(brought, ask, began)
        elif ask is not None:
            await self._tried(brought, self._outlet.offer(brought.address, brought.user, ask, late=False))

    async def _open(self, brought: Brought, ask: Ask, began: float) -> None:
        late = asyncio.get_running_loop().time() - began > max(TOO_LATE, self._soon)
        if not late:
            try:
                await self._outlet.open(brought.trigger, ask, _origin(brought), brought.user)
            except SlackError as error:
                late = error.code in SPENT
                if not late:
                    await self._unopened(brought, error)
            except (CannotDeliver, ValueError) as error:
                await self._unopened(brought, error)
        if late:
            self._counts["form too late"] += 1
            await self._tried(brought, self._outlet.offer(brought.address, brought.user, ask, late=True))

    async def _replace(self, brought: Brought, view_id: str, ask: Ask | None, *, failed: bool) -> None:
        try:
            if ask is None:
                await self._outlet.replace_notice(view_id, brought.user, failed=failed)
            else:
                await self._outlet.replace(view_id, ask, _origin(brought), brought.user)
        except ValueError as error:
            await self._unopened(brought, error)
        except CannotDeliver:  # the person closed it meanwhile
            if ask is not None:
                await self._tried(brought, self._outlet.offer(brought.address, brought.user, ask, late=False))

    async def _unopened(self, brought: Brought, error: Exception) -> None:
        self._counts["form not opened"] += 1
        why = error.why if isinstance(error, CannotDeliver) else "too large"
        log.warning("a form could not be opened: %s", why)
        text = str(error) if isinstance(error, ValueError) else self._outlet.words(brought.user).failed
        await self._tried(brought, self._outlet.tell(brought.address, brought.user, text))

    async def _tried(self, brought: Brought, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something that only helps; when it fails, the turn stands all the same."""
        try:
            return await work
        except CannotDeliver as error:
            self._counts["help not shown"] += 1
            log.info("not shown at %s: %s", "a tab" if place(brought.address).tab else "a conversation", error.why)
            return None


def _origin(brought: Brought) -> Origin:
    return Origin(brought.address, brought.private, brought.message)
