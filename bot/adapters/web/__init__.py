"""The browser playground: a page on which anyone can be any person of the demo company, several at once.

What stands on the page is kept on the `Shelf`, so a reload or a restart shows the same conversation. The page gets
its news over one event stream, which begins with everything that stands; so whatever was missed while the network
was away is simply there again. The page itself is in `static/`.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot import messages as m
from bot.adapters.web.safety import Guard, Refusal, answer, read

STATIC = Path(__file__).parent / "static"
MAX_PANES = 8
WORKERS = 40  # arrivals handled at the same time; the next ones queue
PING = 15.0  # seconds of silence after which a stream says it is still there; the page gives up after three
BACKLOG = 1000  # events a slow page may lag behind before it has to start again from what stands


@dataclass(frozen=True, slots=True)
class WebPerson:
    """Someone the page can speak as. `title` is the role in words; `language` is "en" or "zh"."""

    id: str
    name: str
    title: str
    language: str
    team: str


# ---------------------------------------------------------------- what the page sends

_Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _In(msgspec.Struct, forbid_unknown_fields=True):
    id: _Id  # made by the browser, so that sending again after a lost answer is a repeat
    person: _Name


class _MessageIn(_In):
    text: str


class _TapIn(_In):
    action: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    card: Annotated[str, msgspec.Meta(max_length=200)] = ""


class _FormIn(_In):
    form: _Name
    values: dict[str, str]


class _FileIn(_In):
    name: _Name
    mime: Annotated[str, msgspec.Meta(max_length=200)]
    content: bytes  # base64 in the JSON


_MESSAGE, _TAP = msgspec.json.Decoder(_MessageIn), msgspec.json.Decoder(_TapIn)
_FORM, _FILE = msgspec.json.Decoder(_FormIn), msgspec.json.Decoder(_FileIn)
_NO_STORE = {"cache-control": "no-store"}


# ---------------------------------------------------------------- the adapter


class WebAdapter:
    """The `Adapter` of the playground. It serves nothing itself: give `routes` to a server.

    `people` is asked whenever someone arrives, so people may come and go; the first three with different titles are
    the ones first shown side by side. Only this machine is answered, under its loopback names, unless `allow_hosts`
    names others (host names without a port).
    """

    platform = "web"
    limits = m.Limits()

    def __init__(
        self,
        people: Callable[[], Sequence[WebPerson]],
        shelf: m.Shelf,
        company: str,
        *,
        allow_hosts: Sequence[str] = (),
    ) -> None:
        self._people, self._shelf, self._company = people, shelf, company
        self._local = not allow_hosts
        self._receive: m.Receive | None = None
        self._streams = _Streams()
        self._pool = _workers()
        # Guarded one by one: other platforms' webhooks share the server, and their rules are their own.
        guard = [Middleware(Guard, hosts=frozenset(host.lower() for host in allow_hosts))]
        self.routes: list[BaseRoute] = [
            Route("/", self._page, middleware=guard),
            Route("/api/company", self._get_company, middleware=guard),
            Route("/api/stream", self._get_stream, middleware=guard),
            Route("/api/message", self._post_message, methods=["POST"], middleware=guard),
            Route("/api/tap", self._post_tap, methods=["POST"], middleware=guard),
            Route("/api/form", self._post_form, methods=["POST"], middleware=guard),
            Route("/api/file", self._post_file, methods=["POST"], middleware=guard),
            Route("/pictures/{key}/{filename}", self._get_picture, middleware=guard),
            Mount("/static", StaticFiles(directory=STATIC), middleware=guard),
        ]

    # -- the port

    def serves(self, address: str) -> bool:
        return address.startswith("web:")

    def start(self, receive: m.Receive) -> None:
        self._receive = receive

    def stop(self) -> None:
        """Take no more arrivals and end the streams; arrivals being handled are let finish."""
        self._receive = None
        self._streams.end()
        pool, self._pool = self._pool, _workers()
        pool.shutdown(wait=True)  # what still waits in line is refused by itself

    def send(self, address: str, reply: m.Reply) -> str:
        self._allow(address, reply)
        handle = _handle()
        return self._stand(address, handle, _out(reply, handle))

    def edit(self, address: str, handle: str, reply: m.Reply) -> str:
        self._allow(address, reply)
        return self._stand(address, handle, {**_out(reply, handle), "edited": _now()})

    def picture(self, address: str, picture: m.Picture) -> str:
        key = self._shelf.keep(picture.content, "image/png")
        entry = {"kind": "image", "key": key, "filename": picture.filename, "alt": picture.alt, "at": _now()}
        return self._stand(address, _handle(), entry | _size(picture.content))

    def _allow(self, address: str, reply: m.Reply) -> None:
        if reply.only not in ("", address):
            raise m.CannotDeliver(f"{address} is read by one person, and this is for {reply.only}", gone=True)

    def _stand(self, address: str, handle: str, entry: dict[str, Any]) -> str:
        self._shelf.put(address, handle, entry)
        self._streams.publish(address, handle, entry)
        return handle

    # -- what the page asks for

    async def _page(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    async def _get_company(self, _: Request) -> Response:
        people = await self._in_thread(self._people)
        return answer({"company": self._company, "local": self._local, "people": people})

    async def _get_stream(self, request: Request) -> Response:
        ids = list(dict.fromkeys(filter(None, request.query_params.get("people", "").split(","))))
        if not 1 <= len(ids) <= MAX_PANES:
            raise Refusal(400, "malformed", f"Ask for one to {MAX_PANES} people: /api/stream?people=mia,lena.")

        def check() -> None:
            for person in ids:
                self._person(person)

        await self._in_thread(check)
        if self._receive is None:
            raise _stopped()
        return StreamingResponse(self._news(ids), media_type="text/event-stream", headers=_NO_STORE)

    async def _news(self, ids: list[str]) -> AsyncIterator[bytes]:
        """Everything that stands, then every change; and a ping in between, which shows a line that died silently.

        Listening begins before reading: a change in between is told twice rather than never.
        """
        with self._streams.listen({f"web:{person}" for person in ids}) as stream:
            for person in ids:
                entries = await self._in_thread(self._shelf.recent, f"web:{person}")
                yield _event("state", {"person": person, "entries": entries})
            yield _event("ready", {})
            while (frame := await stream.next()) is not None:
                yield frame

    async def _get_picture(self, request: Request) -> Response:
        found = await self._in_thread(self._shelf.fetch, request.path_params["key"])
        if found is None:
            raise Refusal(404, "no_picture", "This picture is no longer kept. Ask for the chart again.")
        content, mime = found
        name = quote(request.path_params["filename"], safe="")
        headers = {
            "cache-control": "private, max-age=31536000, immutable",  # a key never changes its picture
            "content-disposition": f"inline; filename*=UTF-8''{name}",
        }
        # Only ever shown as a picture, whatever the shelf was given.
        return Response(
            content, media_type=mime if mime == "image/png" else "application/octet-stream", headers=headers
        )

    async def _post_message(self, request: Request) -> Response:
        body = await read(request, _MESSAGE)
        text = body.text.replace("\x00", "").strip()
        if not text:
            raise Refusal(400, "empty", "Write something first.")
        if len(text) > self.limits.text:
            raise Refusal(413, "too_large", f"Send at most {self.limits.text:,} characters at once.")
        return await self._arrive(body, lambda stamp: m.Message(**stamp, text=text), {"text": text})

    async def _post_tap(self, request: Request) -> Response:
        body = await read(request, _TAP)
        return await self._arrive(body, lambda stamp: m.Tap(**stamp, action=body.action, card=body.card))

    async def _post_form(self, request: Request) -> Response:
        body = await read(request, _FORM)
        return await self._arrive(body, lambda stamp: m.Form(**stamp, form=body.form, values=body.values))

    async def _post_file(self, request: Request) -> Response:
        body = await read(request, _FILE)

        def file(stamp: dict[str, Any]) -> m.File:
            return m.File(**stamp, name=body.name, mime=body.mime, content=body.content)

        return await self._arrive(body, file, {"text": "", "file": body.name})

    async def _arrive(
        self, body: _In, build: Callable[[dict[str, Any]], m.Incoming], said: dict[str, Any] | None = None
    ) -> Response:
        """Hand an arrival on and answer with its receipt. What the person `said` stands on the page before."""

        def work() -> bytes:
            receive = self._receive
            if receive is None:
                raise _stopped()
            person = self._person(body.person)
            address, now = f"web:{person.id}", datetime.now(UTC)
            arrival = {"id": f"web:{body.id.lower()}", "address": address, "login": address, "at": now}
            incoming = build({**arrival, "language": person.language})
            if said is not None:
                self._stand(address, incoming.id, {"kind": "in", **said, "at": now.isoformat()})
            return msgspec.json.encode(receive(incoming))

        return Response(await self._in_thread(work), media_type="application/json", headers=_NO_STORE)

    def _person(self, person_id: str) -> WebPerson:
        for person in self._people():
            if person.id == person_id:
                return person
        raise Refusal(404, "unknown_person", "Nobody here has this name. Choose a person from the list.")

    async def _in_thread(self, work: Callable[..., Any], *args: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)


# ---------------------------------------------------------------- who is listening


class _Streams:
    """The open event streams. `publish` may be called from any thread and never waits for a slow page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listening: set[_Stream] = set()

    @contextmanager
    def listen(self, addresses: set[str]) -> Iterator[_Stream]:
        stream = _Stream(addresses, asyncio.get_running_loop())
        with self._lock:
            self._listening.add(stream)
        try:
            yield stream
        finally:
            with self._lock:
                self._listening.discard(stream)

    def publish(self, address: str, handle: str, entry: dict[str, Any]) -> None:
        with self._lock:
            streams = [stream for stream in self._listening if address in stream.addresses]
        if streams:
            person = address.removeprefix("web:")
            frame = _event("entry", {"person": person, "handle": handle, "entry": entry})
            for stream in streams:
                stream.push(frame)

    def end(self) -> None:
        with self._lock:
            streams = list(self._listening)
        for stream in streams:
            stream.push(None)


class _Stream:
    """One page's queue. A page that lags too far behind is cut off; it comes back and reads what stands."""

    def __init__(self, addresses: set[str], loop: asyncio.AbstractEventLoop) -> None:
        self.addresses, self._loop = addresses, loop
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def push(self, frame: bytes | None) -> None:
        with suppress(RuntimeError):  # the server's loop is already gone, and the page with it
            self._loop.call_soon_threadsafe(self._offer, frame)

    def _offer(self, frame: bytes | None) -> None:
        if (behind := self._queue.qsize()) <= BACKLOG:
            self._queue.put_nowait(frame if behind < BACKLOG else None)

    async def next(self) -> bytes | None:
        """The next event, `None` when the stream is over, and a ping when nothing was said for a while."""
        try:
            return await asyncio.wait_for(self._queue.get(), PING)
        except TimeoutError:
            return _event("ping", {})


# ---------------------------------------------------------------- small things


def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="web")


def _stopped() -> Refusal:
    return Refusal(503, "stopped", "Dealdesk is starting or stopping. Try again in a moment.")


def _event(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))  # JSON holds no line breaks


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _handle() -> str:
    """A new entry's name. It begins with the time, which an edited card keeps showing."""
    return f"{_now()}~{secrets.token_urlsafe(9)}"


def _out(reply: m.Reply, handle: str) -> dict[str, Any]:
    """The card alone: a picture comes as an entry of its own, and its data is nothing for the page."""
    card = msgspec.to_builtins(reply.card)
    said = {"card": card, "name": reply.name, "only": reply.only}
    return {"kind": "out", "reply": said, "at": handle.partition("~")[0]}


def _size(png: bytes) -> dict[str, int]:
    """A PNG's width and height, so that the page leaves room for it before it has come."""
    if not png.startswith(b"\x89PNG\r\n\x1a\n") or len(png) < 24:
        return {}
    width, height = struct.unpack(">II", png[16:24])
    return {"width": width, "height": height}
