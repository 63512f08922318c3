"""The wire to the Bot API: python-telegram-bot's `Bot` on one shared aiohttp session."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from io import BytesIO
from typing import Any, cast

import aiohttp
import msgspec
from telegram import Bot
from telegram.error import InvalidToken, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECTIONS = 64
CONNECT = 10.0  # seconds
ANSWER = 30.0  # seconds until a call counts as lost
UPLOAD = 120.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# At level DEBUG the library writes every call with its texts, and its address, which holds the token.
logging.getLogger("telegram.Bot").setLevel(logging.WARNING)


class Slow(TelegramError):
    """429: nothing more may be sent there for so many `seconds`.

    The library's own `RetryAfter` warns about its type whenever its seconds are read.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many requests: retry after {seconds:g}")
        self.seconds = seconds


class Http(BaseRequest):
    """A `BaseRequest` on aiohttp: a third of what the default costs, because it shares one session.

    Nothing it raises names the address, which holds the token.
    """

    def __init__(self, proxy: str = "") -> None:
        self._proxy = proxy or None
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return ANSWER

    async def initialize(self) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=50)
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": self.USER_AGENT})

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(  # noqa: PLR0917  # the library's own shape
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  # one time for the whole call is enough
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NetworkError("the connection to Telegram is closed")
        total = read_timeout if isinstance(read_timeout, int | float) else ANSWER
        body, headers = _body(request_data)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                proxy=self._proxy,
                allow_redirects=False,  # a redirect would carry the token to wherever it points
                timeout=aiohttp.ClientTimeout(total=total, sock_connect=CONNECT),
            ) as response:
                payload = await response.read()
                status = response.status
                after = response.headers.get("Retry-After", "")
        except TimeoutError:
            raise TimedOut("Telegram did not answer in time") from None
        except Exception as error:  # noqa: BLE001  # by its name only: what it says may hold the address with the token
            raise NetworkError(f"Telegram cannot be reached ({type(error).__name__})") from None
        if status == 429 or (status >= 400 and b'"retry_after"' in payload):
            raise Slow(_seconds(payload, after))
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer as a dict. The library's own logs what it cannot read, and that may be a message."""
        try:
            answer = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            with suppress(ValueError):  # lenient about what only one strange message in a hundred may hold
                answer = json.loads(payload.decode(errors="replace"))
                if isinstance(answer, dict):
                    return answer
            raise TelegramError("Telegram's answer is not JSON") from None
        if not isinstance(answer, dict):
            raise TelegramError("Telegram's answer is not an object")
        return answer


class Line(Bot):
    """A `Bot` that makes plain calls and gives plain results.

    The typed methods build a whole object tree of each answer of which only the message's id is used, which more
    than doubles what a call costs; and one update with a missing field would fail the hundred it came with.
    """

    def __init__(self, token: str, api_url: str, proxy: str = "") -> None:
        base = api_url.rstrip("/")
        request = Http(proxy)
        super().__init__(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request,
            get_updates_request=request,
        )
        self._http = request

    async def open(self) -> None:
        """Make the session, on the loop that will use it. `initialize` would name the token when it is refused."""
        await self._http.initialize()

    async def close_session(self) -> None:
        await self._http.shutdown()

    async def call(self, method: str, *, within: float = ANSWER, **params: Any) -> Any:
        """One call with its parameters as the Bot API names them. Raises `TelegramError`, without the token in it."""
        try:
            return await self._post(method, params, read_timeout=within)
        except (KeyError, TypeError, AttributeError):
            raise NetworkError("Telegram's answer has no result") from None
        except TelegramError as error:
            if self.token in error.message:
                error.message = error.message.replace(self.token, "…")
            raise

    async def download(self, file_id: str, most: int) -> bytes:
        """A file somebody sent; empty when it is larger than `most` bytes or is not there any more."""
        found = await self.call("getFile", file_id=file_id)
        path, size = found.get("file_path", ""), found.get("file_size", 0)
        if not path or not isinstance(size, int) or size > most:
            return b""
        content = await self._http.retrieve(f"{self.base_file_url}/{path}")
        return content if len(content) <= most else b""


def told(error: Exception) -> str:
    """An error in one short line, for the log and for `CannotDeliver`."""
    if isinstance(error, InvalidToken):
        return "Telegram refused the token"
    text = error.message if isinstance(error, TelegramError) else type(error).__name__
    return " ".join(text.split())[:200]


def _body(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str] | None]:
    if data is None:
        return None, None
    if not data.contains_files:
        return data.url_encoded_parameters().encode(), _FORM
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, BytesIO(cast("bytes", content)), filename=filename, content_type=mime)  # sent in pieces
    return form, None


def _seconds(payload: bytes, header: str) -> float:
    """How long to wait: the answer's own word for it, else the header's, else a second."""
    with suppress(ValueError, TypeError, AttributeError, KeyError):
        return max(0.0, float(json.loads(payload)["parameters"]["retry_after"]))
    with suppress(ValueError):
        return max(0.0, float(header))
    return 1.0


async def pause(ends: asyncio.Event, seconds: float) -> bool:
    """Wait, but not longer than until `ends` is set; True when it was."""
    with suppress(TimeoutError):
        await asyncio.wait_for(ends.wait(), seconds)
    return ends.is_set()
