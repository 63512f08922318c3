"""The outbox's peer in a process of its own: DBOS on SQLite, as its manual sets it up.

`python -m benchmarks._dbos DATABASE`: for each line read, `jobs N` or `start N`, one line with a number comes back.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

POLL = 0.1  # seconds between looks at the queue; its default is one, and much less slows its writing down


def main() -> None:
    dbos: Any = import_module("dbos")  # a tool of this comparison only: no dependency of the project
    config = {
        "name": "bench",
        "system_database_url": f"sqlite:///{Path(sys.argv[1])}",
        "log_level": "ERROR",
        "console_log_level": "ERROR",
    }
    dbos.DBOS(config=config)
    began: dict[int, float] = {}

    def work(number: int) -> int:
        began[number] = time.perf_counter()
        return number

    job = dbos.DBOS.workflow()(work)
    dbos.DBOS.launch()
    queue = dbos.DBOS.register_queue("jobs", polling_interval_sec=POLL)
    print("ready", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        start = dbos.DBOS.start_workflow
        answer = jobs(start, job, int(count)) if what == "jobs" else starts(queue, job, int(count), began)
        print(answer, flush=True)
    dbos.DBOS.destroy()


def jobs(start: Any, job: Any, count: int) -> float:
    """Jobs a second, from the first that is written to the last that is done: without its queue, its fastest way."""
    begun = time.perf_counter()
    for handle in [start(job, number) for number in range(count)]:
        handle.get_result(polling_interval_sec=POLL)
    return count / (time.perf_counter() - begun)


def starts(queue: Any, job: Any, count: int, began: dict[int, float]) -> float:
    """Milliseconds from the return of the write to the beginning of the work, the median."""
    times = []
    for number in range(count):
        began.pop(number, None)
        handle = queue.enqueue(job, number)
        written = time.perf_counter()
        handle.get_result(polling_interval_sec=0.01)
        times.append(max(0.0, began[number] - written) * 1000)
    return median(times)


if __name__ == "__main__":
    main()
