"""One small web server in a thread of its own, for the playground and for platforms that call us back."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GRACE = 0.5  # seconds an open request gets to finish once we stop


class Server:
    """Serves `routes` until it is stopped.

    `start` returns the address that can be opened. When the wanted port is busy another free one is taken and
    `moved` is true. `stop` lets requests finish for half a second and then ends what is still open, such as streams.
    """

    def __init__(self, routes: Sequence[BaseRoute], host: str = "127.0.0.1", port: int = 8000) -> None:
        self.host, self.port = host, port
        self.moved = False
        self._app = _Endable(Starlette(routes=routes))
        self._uvicorn: _Uvicorn | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Begin serving and return the real address, such as `http://127.0.0.1:8000`."""
        if self._thread:
            raise RuntimeError("the server is already running")
        listener, self.moved = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="auto",
            ws="none",
            lifespan="off",
            log_config=None,  # the program's own logging decides
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,  # never reached: `_Endable` ends what is open long before
        )
        self._uvicorn = server = _Uvicorn(config, self._app)
        self._thread = threading.Thread(target=server.serve_on, args=(listener,), name="web-server", daemon=True)
        self._thread.start()
        server.up.wait()
        if not server.started:
            self._thread.join()
            self._thread = None
            raise RuntimeError(f"the web server on {self.host}:{self.port} did not start")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """End every connection and return when the thread is gone. Stopping twice is harmless."""
        if self._uvicorn and self._thread:
            self._uvicorn.should_exit = True
            self._thread.join()
            self._thread = None


class _Uvicorn(uvicorn.Server):
    """Uvicorn that says when it is up, and ends streams by itself when it has to go."""

    def __init__(self, config: uvicorn.Config, app: _Endable) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._endable = app

    def serve_on(self, listener: socket.socket) -> None:
        try:
            self.run(sockets=[listener])
        finally:
            self.up.set()  # also when it failed: `start` must not wait for ever
            listener.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_GRACE, self._endable.end)
        await super().shutdown(sockets)


class _Endable:
    """An application whose open requests can be ended, each with a proper last byte instead of a broken pipe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: set[asyncio.Task[Any]] = set()
        self._ending = False

    def end(self) -> None:
        self._ending = True
        for task in self._open:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a server always runs an application in a task
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        self._open.add(task)
        try:
            await self._app(scope, receive, note)
        except asyncio.CancelledError:
            if not self._ending:
                raise
            if not begun:
                headers = [(b"content-length", b"0"), (b"retry-after", b"5"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._open.discard(task)


def _listen(host: str, port: int) -> tuple[socket.socket, bool]:
    """A socket bound to the port, or to a free one when that is busy; and whether it had to move."""
    family, _, _, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    for candidate in (port, 0):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            # Not on Windows: there the option means "share the port", which is the opposite of noticing it is busy.
            if hasattr(socket, "SO_REUSEPORT"):
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen(256)  # at once, so that two servers cannot both believe they have the port
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or candidate == 0:
                raise
        else:
            return listener, candidate != port
    raise AssertionError("unreachable")
