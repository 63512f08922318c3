"""What Slack knows of people and is asked for rarely: their language and zone, and their conversation with us."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.adapters.slack.calls import Calls
from bot.messages import CannotDeliver

KEEP = 3600.0  # seconds
AGAIN = 60.0  # seconds, when Slack could not say
PATIENCE = 1.0  # seconds an arrival waits for its language, which is only a hint


@dataclass(frozen=True, slots=True)
class Profile:
    """`language` is "en", "zh" or "" for another one or none; `zone` an IANA name or ""."""

    language: str = ""
    zone: str = ""


class People:
    """Profiles, and the channels of direct messages. Used inside one event loop."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._profiles: dict[str, tuple[float, Profile]] = {}
        self._asking: dict[str, asyncio.Task[Profile]] = {}
        self._channels: dict[str, str] = {}

    def known(self, user: str) -> Profile:
        """What is remembered, without asking; the empty profile when nothing is."""
        return self._profiles.get(user, (0.0, Profile()))[1]

    async def profile(self, user: str) -> Profile:
        """The person's profile; the empty one when Slack does not say it soon."""
        until, profile = self._profiles.get(user, (0.0, Profile()))
        if until > asyncio.get_running_loop().time():
            return profile
        task = self._asking.get(user)
        if task is None:
            task = self._asking[user] = asyncio.create_task(self._ask(user))
            task.add_done_callback(lambda _: self._asking.pop(user, None))
        try:
            return await asyncio.wait_for(asyncio.shield(task), PATIENCE)
        except TimeoutError:
            return profile

    async def _ask(self, user: str) -> Profile:
        keep, profile = AGAIN, self.known(user)
        try:
            found = (await self._calls.call("users.info", user=user, include_locale=True)).get("user") or {}
            locale = str(found.get("locale") or "").lower()
            language = next((known for known in ("zh", "en") if locale.startswith(known)), "")
            keep, profile = KEEP, Profile(language, str(found.get("tz") or ""))
        except CannotDeliver:
            pass
        self._profiles[user] = (asyncio.get_running_loop().time() + keep, profile)
        return profile

    def meet(self, user: str, channel: str) -> None:
        """The person wrote to us in this channel: it is the one of their direct messages."""
        self._channels[user] = channel

    async def channel(self, user: str) -> str:
        """The channel of direct messages with this person, opened when it never was."""
        channel = self._channels.get(user)
        if channel is None:
            opened = await self._calls.call("conversations.open", users=user)
            channel = self._channels[user] = str((opened.get("channel") or {}).get("id") or "")
        return channel

    async def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
