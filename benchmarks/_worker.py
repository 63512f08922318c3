"""A process that says what the outbox holds, to be killed: each thing said becomes a line of a file.

`python -m benchmarks._worker DATABASE FILE LEASE say|hang`: `hang` claims and never says, as one that died at it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from benchmarks._house import Silent
from bot.delivery import Delivery
from bot.messages import Image, Picture, Reply
from storage import outbox
from storage.store import Database

SAYING = 0.004  # seconds that saying takes, so that every kill meets some in the middle of it


class Paper(Silent):
    """Writes down what it was told to say, at once and in one piece."""

    def __init__(self, path: Path, *, hang: bool) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._hang = hang

    def send(self, address: str, reply: Reply) -> str:
        if self._hang:
            print("claimed", flush=True)
            threading.Event().wait()
        time.sleep(SAYING)
        os.write(self._file, f"{reply.card.text}\n".encode())
        print(address, flush=True)
        return "1"


def main() -> None:
    path, paper, lease, what = sys.argv[1:]
    outbox.LEASE = timedelta(seconds=float(lease))  # the product's own is a minute and a half
    database = Database(f"sqlite:///{path}")
    delivery = Delivery(outbox.TableOutbox(database), [Paper(Path(paper), hang=what == "hang")], _draw)
    delivery.start()
    print("ready", flush=True)
    threading.Event().wait()


def _draw(image: Image) -> Picture:
    return Picture(b"", image.filename, image.alt)


if __name__ == "__main__":
    main()
