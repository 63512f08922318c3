"""How fast things may be said: about one message a second in a chat, 20 a minute in a group, 30 a second in all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from bot.messages import CannotDeliver

KEPT = 1024  # chats whose rate is remembered before the quiet ones are forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Each is (how many, in how many seconds); that many may also come at once, which Telegram tolerates.

    From Telegram's own FAQ, because the Bot API has no numbers. Edits count in groups as messages do.
    """

    overall: tuple[float, float] = (30, 1)
    chat: tuple[float, float] = (20, 20)
    group: tuple[float, float] = (20, 60)


class Pace:
    """Lets a message through, or says how long its chat has to wait. It is used on one event loop only.

    A chat that is at its limit is refused at once instead of waited for: whoever waited would hold up other chats.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._overall = AsyncLimiter(*rates.overall)
        self._chats: dict[int, AsyncLimiter] = {}
        self._held: dict[int, float] = {}  # until when, in the loop's time

    async def enter(self, chat: int, *, patient: bool = False) -> None:
        """Take one message's place. Raises `CannotDeliver` when it is not this chat's time; `patient` waits."""
        limiter = self._of(chat)
        while wait := self._wait(chat, limiter):
            if not patient:
                raise CannotDeliver("this chat is at its rate limit", wait)
            await asyncio.sleep(wait)
        await limiter.acquire()
        await self._overall.acquire()

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram said 429 for this chat: say nothing there for so long. Other chats go on."""
        self._held[chat] = asyncio.get_running_loop().time() + seconds

    def _wait(self, chat: int, limiter: AsyncLimiter) -> float:
        held = self._held.get(chat)
        if held is not None:
            left = held - asyncio.get_running_loop().time()
            if left > 0:
                return left
            del self._held[chat]
        return 0.0 if limiter.has_capacity() else limiter.time_period / limiter.max_rate

    def _of(self, chat: int) -> AsyncLimiter:
        found = self._chats.get(chat)
        if found is None:
            if len(self._chats) >= KEPT:
                self._chats = {key: kept for key, kept in self._chats.items() if not kept.has_capacity(kept.max_rate)}
            found = self._chats[chat] = AsyncLimiter(*(self._rates.group if chat < 0 else self._rates.chat))
        return found
