"""Servers to measure from outside, each in a process of its own; each prints its port.

`python -m benchmarks._playground product|peer|threads|platform`: the playground's page over an application that does
nothing, the same echo in FastAPI as a coroutine and in a thread, and a platform that says yes to every call.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
from importlib import import_module
from typing import Any

import uvicorn
from aiohttp import web

from bot.adapters.web import WebAdapter, WebPerson
from bot.messages import Receipt
from bot.server import Server

PEOPLE = tuple(WebPerson(f"rep{n}", f"Rep {n}", "Sales rep", "en", "") for n in range(12))


class NoShelf:
    """Keeps nothing: what is left is the page's own way in and out."""

    def put(self, address: str, handle: str, entry: dict[str, Any]) -> None:
        pass

    def recent(self, address: str, limit: int = 200) -> list[tuple[str, dict[str, Any]]]:  # noqa: ARG002
        return []

    def keep(self, content: bytes, mime: str) -> str:  # noqa: ARG002
        return ""

    def fetch(self, key: str) -> tuple[bytes, str] | None:  # noqa: ARG002
        return None


def page() -> None:
    adapter = WebAdapter(lambda: PEOPLE, NoShelf(), "Bench")
    adapter.start(lambda _: Receipt(handled=True))
    server = Server(adapter.routes, port=0)
    server.start()
    gc.collect()
    gc.freeze()
    print(server.port, flush=True)
    threading.Event().wait()


def fastapi(*, threads: bool) -> None:
    """The same echo, written as FastAPI's manual does it."""
    made: Any = import_module("fastapi")  # a tool of this comparison only: no dependency of the project
    pydantic: Any = import_module("pydantic")
    arriving = pydantic.create_model("In", id=(import_module("uuid").UUID, ...), person=(str, ...), text=(str, ...))
    leaving = pydantic.create_model("Out", handled=(bool, ...), ask=(str | None, None))
    app = made.FastAPI()

    def echo(body: Any) -> Any:  # noqa: ARG001
        return leaving(handled=True)

    async def at_once(body: Any) -> Any:
        return echo(body)

    handler: Any = echo if threads else at_once
    handler.__annotations__ = {"body": arriving, "return": leaving}
    app.post("/api/message")(handler)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    config = uvicorn.Config(app, log_level="error", access_log=False, ws="none", lifespan="off")
    gc.collect()
    gc.freeze()
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])


YES = (
    b'{"ok":true,"ts":"1700000001.000100","channel":"C1","user_id":"UBOT","bot_id":"BBOT","result":{"message_id":7,'
    b'"id":4242,"username":"bench_bot","date":1700000000,"chat":{"id":77,"type":"private"},"text":"yes"}}'
)
NO_NEWS = b'{"ok":true,"result":[]}'


async def platform() -> None:
    """Slack and Telegram at once: every call is granted."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        body = YES
        if request.path.endswith("getUpdates"):
            await asyncio.sleep(20)
            body = NO_NEWS
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    match sys.argv[1]:
        case "product":
            page()
        case "peer":
            fastapi(threads=False)
        case "threads":
            fastapi(threads=True)
        case "platform":
            asyncio.run(platform())
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
