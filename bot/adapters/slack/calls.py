"""Calls of Slack's Web API: paced below Slack's rates, and with every refusal turned into what delivery understands."""

from __future__ import annotations

import asyncio
import io
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiolimiter import AsyncLimiter
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.messages import CannotDeliver

# docs.slack.dev, rate limits: calls a minute for each method; posting is limited by the channel instead.
TIERS = {
    "auth.test": 100,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "chat.update": 50,
    "conversations.open": 50,
    "conversations.replies": 50,
    "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
    "views.update": 100,
}
PATIENCE = 2.0  # seconds a call waits for its turn; a longer wait is for the outbox, which holds nobody up
KEPT = 1000  # pace keepers of channels, each forgotten when it has been idle
TIMEOUT = 30.0
# The SDK writes these methods' arguments into the address, which a picture's description can be too long for.
FORMS = frozenset({"files.getUploadURLExternal", "files.completeUploadExternal"})
UNKNOWN_WAIT = 30.0  # seconds, when Slack says that it is too much and not until when

# Errors after which saying it again cannot help, from the methods' reference pages. A bad token is not among them:
# it can be put right while the outbox still has it.
GONE = frozenset(
    {
        "account_inactive",
        "as_user_not_supported",
        "cannot_dm_bot",
        "cannot_reply_to_message",
        "channel_canvas_deleted",
        "channel_not_found",
        "duplicate_channel_not_found",
        "duplicate_message_not_found",
        "ekm_access_denied",
        "file_not_found",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_channel",
        "invalid_post_type",
        "is_archived",
        "message_not_found",
        "messages_tab_disabled",
        "method_not_supported_for_channel_type",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_permission",
        "no_text",
        "not_found",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "thread_not_found",
        "too_many_attachments",
        "user_disabled",
        "user_is_bot",
        "user_is_restricted",
        "user_not_found",
        "user_not_in_channel",
        "user_not_visible",
        "users_not_found",
        "view_too_large",
    }
)


# Of these the ones that mean the place and not what was said there.
AWAY = frozenset(
    {
        "account_inactive",
        "cannot_dm_bot",
        "channel_not_found",
        "invalid_channel",
        "is_archived",
        "messages_tab_disabled",
        "not_in_channel",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    }
)


class SlackError(CannotDeliver):
    """Slack's own refusal; `code` is the word it gave."""

    def __init__(self, method: str, code: str, retry_after: float | None = None) -> None:
        super().__init__(f"{method}: {code}", retry_after, gone=code in GONE, away=code in AWAY)
        self.code = code


class Calls:
    """The Web API with one shared session. Made and used inside one event loop."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session
        self._methods = {method: AsyncLimiter(rate / 3, 20) for method, rate in TIERS.items()}
        self._channels: dict[str, AsyncLimiter] = {}
        self._turned_away: Counter[AsyncLimiter] = Counter()
        self._closed: dict[tuple[str, str], float] = {}  # until when Slack wants no such call

    async def call(self, method: str, *, place: str = "", **arguments: Any) -> dict[str, Any]:
        """One call; `CannotDeliver` when it failed. `place` is the channel or person whose pace it is part of."""
        await self._turn(method, place)
        try:
            response = await asyncio.wait_for(self._asked(method, arguments), TIMEOUT)
        except SlackClientError as error:
            raise self._refused(method, place, getattr(error, "response", None)) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError) as error:
            # The last two: the SDK on an answer that is no JSON object, as a proxy's error page.
            raise CannotDeliver(f"{method}: {type(error).__name__}") from None
        data = response.data
        return data if isinstance(data, dict) else {}

    def _asked(self, method: str, arguments: dict[str, Any]) -> Awaitable[AsyncSlackResponse]:
        if method in FORMS:
            given = {key: value for key, value in arguments.items() if value is not None}
            return self._client.api_call(method, data=given)
        verb: Callable[..., Awaitable[AsyncSlackResponse]] = getattr(self._client, method.replace(".", "_"))
        return verb(**arguments)

    async def upload(self, url: str, content: bytes) -> None:
        """The bytes of a file to the address that Slack gave for them."""
        try:
            async with asyncio.timeout(TIMEOUT), self._session.post(url, data=io.BytesIO(content)) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CannotDeliver(f"upload: {type(error).__name__}") from None
        if status != 200:
            raise CannotDeliver(f"upload: HTTP {status}")

    async def _turn(self, method: str, place: str) -> None:
        now = asyncio.get_running_loop().time()
        until = self._closed.get((method, place), 0.0)
        if until > now:
            raise CannotDeliver(f"{method}: ratelimited", until - now)
        limiter = self._limiter(method, place)
        if limiter is None:
            return
        try:
            await asyncio.wait_for(limiter.acquire(), PATIENCE)
        except TimeoutError:
            # Those turned away come back spread over the time that all of them need.
            self._turned_away[limiter] += 1
            needed = self._turned_away[limiter] * limiter.time_period / limiter.max_rate
            wait = PATIENCE + random.uniform(0, needed)  # noqa: S311
            raise CannotDeliver(f"{method}: our own pace", wait) from None
        if self._turned_away[limiter] > 1:
            self._turned_away[limiter] -= 1
        else:
            del self._turned_away[limiter]

    def _limiter(self, method: str, place: str) -> AsyncLimiter | None:
        if method != "chat.postMessage":
            return self._methods.get(method)
        limiter = self._channels.get(place)
        if limiter is None:
            if len(self._channels) >= KEPT:
                self._channels = {key: kept for key, kept in self._channels.items() if not kept.has_capacity(3)}
            # One a second for each channel; Slack tolerates a short burst.
            limiter = self._channels[place] = AsyncLimiter(3, 3)
        return limiter

    def _refused(self, method: str, place: str, response: Any) -> CannotDeliver:
        status = getattr(response, "status_code", None) or getattr(response, "status", 0)
        data = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in ("ratelimited", "rate_limited"):
            wait = _seconds(getattr(response, "headers", None))
            now = asyncio.get_running_loop().time()
            self._closed = {key: until for key, until in self._closed.items() if until > now}
            self._closed[method, place] = now + wait
            return SlackError(method, "ratelimited", wait)
        return SlackError(method, code or f"HTTP {status}")


def _seconds(headers: Any) -> float:
    value = next((value for key, value in (headers or {}).items() if str(key).lower() == "retry-after"), "")
    try:
        return max(0.0, float(str(value[0] if isinstance(value, list) else value)))
    except (ValueError, IndexError):
        return UNKNOWN_WAIT
