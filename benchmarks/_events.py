"""`python -m benchmarks._events DATABASE COUNT`: so many events, and what memory they leave, for a benchmark."""

from __future__ import annotations

import gc
import itertools
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._house import CROWD, application, company
from benchmarks._measure import resident
from bot.app import App
from bot.messages import Message
from storage.store import Database

SAID = ("help", "what waits for me?", "who is Acme", "order 50 Pro seats for Acme at $20", "thanks")
THREADS = 8


def main() -> None:
    path, count = Path(sys.argv[1]), int(sys.argv[2])
    database = Database(f"sqlite:///{path}")
    # Not started: what is said stays in the outbox, or the slower of the two would be measured.
    app, names = application(database, company()), itertools.count()
    print(resident(os.getpid()), flush=True)
    for share in (count // 10, count - count // 10):
        _say(app, names, share)
        gc.collect()
        print(resident(os.getpid()), flush=True)
    os._exit(0)


def _say(app: App, names: itertools.count[int], count: int) -> None:
    def talk(thread: int) -> None:
        for _ in range(count // THREADS):
            n = next(names)
            person = (n * THREADS + thread) % (2 * CROWD)
            login = f"web:{'rep' if person < CROWD else 'boss'}{person % CROWD:02d}"
            now, said = datetime.now(UTC), SAID[n % len(SAID)]
            app.receive(Message(id=f"web:event{n}", address=login, login=login, at=now, text=said))

    people = [threading.Thread(target=talk, args=(thread,)) for thread in range(THREADS)]
    for person in people:
        person.start()
    for person in people:
        person.join()


if __name__ == "__main__":
    main()
