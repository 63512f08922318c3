"""A process to measure from outside: one side behind a small web server, or writing until it is killed.

`python -m benchmarks._server product|peer|peer-one|alone|together DATABASE`
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks._house import CROWD
from benchmarks._orders import Ours, Peer

Write = Callable[[dict[str, Any]], Awaitable[int]]


def serve(write: Write, prepare: Callable[[], Awaitable[None]]) -> None:
    """POST an order, get its number once it is durable. Both sides use this same server."""

    async def post(request: Request) -> Response:
        return Response(str(await write(json.loads(await request.body()))))

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        await prepare()
        gc.collect()
        gc.freeze()  # what was imported is not looked through again and again
        yield

    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    app = Starlette(routes=[Route("/", post, methods=["POST"])], lifespan=life)
    config = uvicorn.Config(app, log_level="error", access_log=False, ws="none")
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def serve_product(path: Path) -> None:
    """Turns are plain synchronous code, in threads of their own, as the product's page runs them."""
    ours, pool = Ours(path), ThreadPoolExecutor(CROWD)

    async def prepare() -> None:
        pass

    async def write(asked: dict[str, Any]) -> int:
        return await asyncio.get_running_loop().run_in_executor(pool, ours.ask, asked)

    serve(write, prepare)


def serve_peer(path: Path, connections: int | None) -> None:
    peer = Peer(path, connections)
    serve(peer.write, peer.open)


def write_on(path: Path, threads: int) -> None:
    """Commit orders for ever, and print each number once its commit has returned."""
    ours, out = Ours(path), threading.Lock()

    def work(thread: int) -> None:
        for n in itertools.count():
            number = ours.write(f"kill:{thread}.{n}")
            with out:
                print(number, flush=True)

    for thread in range(threads):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    threading.Event().wait()


def main() -> None:
    what, path = sys.argv[1], Path(sys.argv[2])
    match what:
        case "product":
            serve_product(path)
        case "peer":
            serve_peer(path, None)
        case "peer-one":
            serve_peer(path, 1)
        case "alone":
            write_on(path, 1)
        case "together":
            write_on(path, CROWD)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
