"""Measuring: sides taken in turn, medians and ratios of the same round, and processes with their time and memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

ROOT = Path(__file__).parent.parent
MIB = 1024 * 1024


class Skip(Exception):
    """This part cannot be measured here; the reason is a sentence for people."""


@dataclass(slots=True)
class Row:
    """One line of the table. `sides` holds a number for each round; `ratio` names the two that are compared.

    `limit` is what the ratio must reach, at least or at most (`least`); None when it is only told.
    A check has no sides: `held` and `seen` say what came out.
    """

    what: str
    unit: str = ""
    sides: dict[str, list[float]] = field(default_factory=dict)  # floor, peer, product
    ratio: tuple[str, str] | None = None
    limit: float | None = None
    least: bool = False
    below: float | None = None  # what the product's own median must stay below, in `unit`
    held: bool | None = None
    seen: str = ""
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """One ratio a round: what both sides of a round shared, such as a busy machine, falls out of it."""
        if self.ratio is None:
            return []
        above, below = (self.sides[name] for name in self.ratio)
        return [a / b for a, b in zip(above, below, strict=True) if b]

    @property
    def target(self) -> str:
        if self.held is not None and self.limit is None:
            return "holds"
        parts = [f"{'≥' if self.least else '≤'} {self.limit:g} x"] if self.limit is not None else []
        parts += [f"< {self.below:g} {self.unit}"] if self.below is not None else []
        return ", ".join(parts)

    @property
    def met(self) -> bool | None:
        """None when there is no target."""
        if self.limit is None and self.below is None:
            return self.held
        good = self.held is not False
        if self.limit is not None:
            middle = median(self.ratios)
            good &= middle >= self.limit if self.least else middle <= self.limit
        if self.below is not None:
            good &= median(self.sides["product"]) < self.below
        return good


def rounds(count: int, **sides: Callable[[], float]) -> dict[str, list[float]]:
    """Each side `count` times, in turn (A B C A B C), so that a drift of the machine meets all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(count):
        for name, side in sides.items():
            gc.collect()
            found[name].append(side())
    return found


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """How long one call takes, out of `times` calls on end."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def told(message: str) -> None:
    """What is going on, for whoever waits; the table goes to standard output alone."""
    print(message, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- processes


def environment(cache: Path) -> dict[str, str]:
    """A child's environment: this source first, and byte code that is kept, as an installation has it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DEALDESK_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache)}


@dataclass(frozen=True, slots=True)
class Ran:
    """`seconds` from before exec to the first line out; `peak` is the most memory held, in MiB."""

    seconds: float
    peak: float
    line: str


@contextmanager
def started(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, loud: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """A process with its pipes, killed at the end if it still runs."""
    process = subprocess.Popen(  # noqa: S603  (our own commands)
        [*command],
        cwd=cwd,
        env=dict(env) if env else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if loud else subprocess.DEVNULL,
        text=True,
        bufsize=1,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


def first_answer(command: Sequence[str], said: str, *, cwd: Path, env: Mapping[str, str]) -> Ran:
    """Run the command, say one line to it and wait for its first line back."""
    began = time.perf_counter()
    with started(command, cwd=cwd, env=env) as process:
        stdin, stdout = pipes(process)
        stdin.write(said + "\n")
        stdin.flush()
        line = stdout.readline()
        took = time.perf_counter() - began
        so_far = _peak(process.pid)
        stdin.close()
        stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if not line:
        raise RuntimeError(f"{' '.join(command)} said nothing (exit code {process.returncode})")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MIB
    return Ran(took, so_far or peak, line)


def _peak(pid: int) -> float:
    """The most memory a running process has held, in MiB; 0 where the system does not tell.

    On Linux `ru_maxrss` is of no use: a child begins with what its parent held when it forked.
    """
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    lines = (line.split() for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return next((int(words[1]) / 1024 for words in lines), 0.0)


def pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def resident(pid: int) -> float:
    """The memory a running process holds now, in MiB."""
    if Path("/proc/self/statm").exists():
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return int(shown.stdout) / 1024


def processor_time(pid: int) -> float:
    """The seconds of a core a running process has used so far; `Skip` where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        raise Skip("how much of a core an idle process uses is read from /proc, which this system has not")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
