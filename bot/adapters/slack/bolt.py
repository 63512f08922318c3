"""The front door: Bolt, with one listener for each kind of payload, behind a socket or behind signed HTTP requests.

Bolt asks its listeners one by one, and looks for an acknowledgement every 10 ms unless it may process before it
responds: so there is one listener for each kind, found by a dict, which takes everything of its kind, reads it, hands
it on and acknowledges, without waiting.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.adapters.slack.inbox import Brought, Inbox
from bot.adapters.slack.words import SlackWords

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # bytes of a request; Slack's own are far smaller
ANY = re.compile("")
SOCKET_KINDS = frozenset({"events_api", "interactive", "slash_commands"})


class _Ourselves(AsyncAuthorize):
    """Tells Bolt who we are, without asking Slack."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def __call__(self, **_: Any) -> AuthorizeResult:
        us = {"bot_user_id": self._inbox.bot, "bot_id": self._inbox.bot_id}
        return AuthorizeResult(enterprise_id=None, team_id=None, **us)


class Front:
    """Acknowledges what Slack brings. `take` hands on what it was, and says whether anything is still taken."""

    def __init__(
        self,
        inbox: Inbox,
        take: Callable[[list[Brought]], bool],
        words: Callable[[str], SlackWords],
        counts: Counter[str],
        logger: logging.Logger,
    ) -> None:
        self._inbox, self._take, self._words, self._counts, self._logger = inbox, take, words, counts, logger
        self._apps: dict[str, AsyncApp] = {}

    def connect(self, client: AsyncWebClient) -> None:
        """Build Bolt around the shared session, which it copies into a client for each request."""
        for kinds, register, listener in (
            (("event_callback", "url_verification", "ssl_check"), AsyncApp.event, self._on_event),
            (("block_actions",), AsyncApp.action, self._on_action),
            (("command",), AsyncApp.command, self._on_command),
            (("shortcut", "message_action"), AsyncApp.shortcut, self._on_shortcut),
            (("view_submission",), AsyncApp.view, self._on_submission),
        ):
            app = self._bolt(client)
            register(app, ANY)(listener)
            self._apps.update(dict.fromkeys(kinds, app))

    def _bolt(self, client: AsyncWebClient) -> AsyncApp:
        return AsyncApp(
            name="dealdesk",
            logger=self._logger,
            client=AsyncWebClient(base_url=client.base_url, session=client.session, logger=self._logger),
            # With a token instead, Bolt would ask Slack who we are with the first payload, while Slack waits.
            authorize=_Ourselves(self._inbox),
            signing_secret="-",  # noqa: S106  # requests are verified before Bolt, on their raw bytes
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,  # they are ignored, and counted, by the inbox
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
            process_before_response=True,
        )

    # ------------------------------------------------------------ the listeners

    async def _on_event(self, body: dict[str, Any]) -> None:
        self._handle(self._inbox.event, body)

    async def _on_action(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await ack()
        self._handle(self._inbox.action, body)

    async def _on_command(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await ack()
        self._handle(self._inbox.command, body)

    async def _on_shortcut(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await ack()
        self._handle(self._inbox.shortcut, body)

    async def _on_submission(self, body: dict[str, Any], ack: AsyncAck) -> None:
        errors: dict[str, str] = {}

        def read(payload: dict[str, Any]) -> list[Brought]:
            nonlocal errors
            errors, brought = self._inbox.submission(payload, self._words)
            return brought

        self._handle(read, body)
        if errors:
            await ack(response_action="errors", errors=errors)
        else:
            await ack()  # the view closes

    def _handle(self, read: Callable[[dict[str, Any]], list[Brought]], body: dict[str, Any]) -> None:
        """Read and hand on. What is not as Slack documents it is counted and never acted on."""
        try:
            brought = read(body)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            self._counts["ignored: malformed"] += 1
            return
        if brought and not self._take(brought):
            self._counts["ignored: while stopping"] += len(brought)

    async def _dispatch(self, kind: str, mode: str, body: Any, headers: dict[str, Any]) -> BoltResponse:
        try:
            request = AsyncBoltRequest(mode=mode, body=body, headers=headers)
            response = await self._apps[kind].async_dispatch(request)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            response = BoltResponse(status=500, body="")
        if response.status < 500:
            return response
        # Bolt takes a payload apart before it asks anybody, and trusts its shape.
        self._counts["ignored: malformed"] += 1
        return BoltResponse(status=400, body="")

    # ------------------------------------------------------------ Socket Mode

    async def envelope(self, envelope: dict[str, Any]) -> dict[str, Any] | None:
        """An envelope of the socket; the payload of its acknowledgement."""
        payload = envelope.get("payload")
        kind = _kind(payload) if envelope.get("type") in SOCKET_KINDS and isinstance(payload, dict) else ""
        if not kind:
            self._counts["ignored: payload of another kind"] += 1
            return None
        response = await self._dispatch(kind, "socket_mode", payload, {})
        return json.loads(response.body) if response.body.startswith("{") else None

    # ------------------------------------------------------------ HTTP

    def endpoint(self, secret: str) -> Callable[[Request], Awaitable[Response]]:
        """What answers Slack's requests: events, interactions and commands at one address."""
        verifier = SignatureVerifier(secret)

        async def answer(request: Request) -> Response:
            raw = await _body(request)
            if raw is None:
                return self._refuse(413, "too large")
            signature = request.headers.get("x-slack-signature", "")
            timestamp = request.headers.get("x-slack-request-timestamp", "")
            if not _signed(verifier, raw, timestamp, signature):
                return self._refuse(401, "signature")
            if not self._take([]):
                return self._refuse(503, "not running")  # Slack brings an event again later
            if request.headers.get("x-slack-retry-num"):
                self._counts["retries"] += 1
            payload = _payload(raw, request.headers.get("content-type", ""))
            if payload is None:
                return self._refuse(400, "malformed")
            kind = _kind(payload)
            if not kind:
                self._counts["ignored: payload of another kind"] += 1
                return Response(status_code=200)
            response = await self._dispatch(kind, "http", raw.decode(), dict(request.headers))
            return Response(response.body, response.status, response.first_headers_without_set_cookie())

        return answer

    def _refuse(self, status: int, why: str) -> Response:
        self._counts[f"refused: {why}"] += 1
        return Response(status_code=status)


async def _body(request: Request) -> bytes | None:
    """The raw body; None when it is larger than anything Slack sends.

    A body that is somewhat too large is read to its end and forgotten, so that the sender gets to read the answer.
    """
    body, length = bytearray(), 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > 8 * LARGEST:
                return None
            if length <= LARGEST:
                body += chunk
    except ClientDisconnect:
        return b""
    return bytes(body) if length <= LARGEST else None


def _signed(verifier: SignatureVerifier, raw: bytes, timestamp: str, signature: str) -> bool:
    """Whether Slack signed these bytes within the last five minutes."""
    if not (timestamp.isdecimal() and timestamp.isascii() and signature.isascii()):
        return False
    try:
        return bool(verifier.is_valid(raw, timestamp, signature))
    except ValueError:  # a body that is no UTF-8 was not signed by Slack
        return False


def _payload(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """The payload as JSON or as a form's fields; None when it is neither."""
    try:
        text = raw.decode()
        if content_type.startswith("application/json") or text.startswith("{"):
            payload = json.loads(text)
        else:
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
            payload = json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) and payload else None


def _kind(payload: dict[str, Any]) -> str:
    """Which of Bolt's listeners it is for; "" for anything that has no such shape, and Bolt is not asked."""
    kind = payload.get("type")
    if kind is None:
        command = "command" if _has(payload, "command") else ""
        return command or ("ssl_check" if payload.get("ssl_check") == "1" else "")
    shape = _SHAPES.get(str(kind))
    return str(kind) if shape is not None and shape(payload) else ""


def _has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(key), str)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_SHAPES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "url_verification": lambda payload: _has(payload, "challenge"),
    "event_callback": lambda payload: _has(payload.get("event"), "type"),
    "block_actions": lambda payload: any(_has(action, "action_id") for action in _list(payload.get("actions"))[:1]),
    "shortcut": lambda payload: _has(payload, "callback_id"),
    "message_action": lambda payload: _has(payload, "callback_id"),
    "view_submission": lambda payload: _has(payload.get("view"), "callback_id") and _has(payload["view"], "type"),
}
