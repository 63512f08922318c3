"""What stands between the playground and whatever a browser can be talked into sending it.

The page has no login, so its only fence is that it answers this machine's own browser and its own page: a name an
attacker's DNS points here is refused by its Host, another site's script by its Origin, a plain form by its type.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_BODY = 1 << 20

# Everything the page needs comes from its own server, and nothing on it may become markup or script.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

T = TypeVar("T")


class Refusal(Exception):
    """A request answered with an error that says what to do next. `code` lets the page say it in its own language."""

    def __init__(self, status: int, code: str, error: str) -> None:
        super().__init__(error)
        self.status, self.code, self.error = status, code, error


def answer(value: object, status: int = 200) -> Response:
    """JSON that nobody keeps."""
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, "application/json")


async def read(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as what it should be, or a refusal; never more than `MAX_BODY` bytes of it in memory."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        # A form on another site can be sent here without asking, but not with this type.
        raise Refusal(415, "malformed", "Send JSON with the header Content-Type: application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(413, "too_large", "This is larger than 1 MiB. Send less at once.")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "malformed", f"This is not the JSON this address expects: {error}.") from error


class Guard:
    """Lets through what comes from this machine's own page, and sees that nothing leaves without its safe headers.

    `hosts` are names answered besides the loopback ones. Whatever goes wrong inside leaves as a short JSON error.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("cache-control", "no-cache")  # a new version's page never meets old scripts
            await send(message)

        try:
            self._check(Headers(scope=scope))
            await self._app(scope, receive, send_safely)
        except Exception as error:  # the last fence: no trace of it may reach the page
            if begun:
                raise
            await _explain(error)(scope, receive, send_safely)

    def _check(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._known(host):
            raise Refusal(403, "foreign", "This page is only answered under this machine's own name. Open 127.0.0.1.")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refusal(403, "foreign", "Another site may not talk to this page. Use the page itself.")

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or name == "localhost" or _loopback(name)


def _loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _explain(error: Exception) -> Response:
    if isinstance(error, Refusal):
        return answer({"error": error.error, "code": error.code}, error.status)
    if isinstance(error, HTTPException):
        return answer({"error": "There is nothing here. Open the page at /.", "code": "nothing"}, error.status_code)
    log.error("the playground could not handle a request", exc_info=error)
    return answer({"error": "This could not be done, and it is not your fault. Try again.", "code": "broken"}, 500)
