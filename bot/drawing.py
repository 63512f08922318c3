"""Drawing pictures in a process of their own, so that nobody's answer waits for one and the bot stays small.

A worker is a fresh interpreter on two pipes. It is not multiprocessing's: that would run the bot's own main module
again in every worker, and keep a third process to watch them.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NoReturn

from bot.messages import CannotDeliver, Image, Picture

log = logging.getLogger(__name__)

HEAD = struct.Struct("<BI")  # what it is, how many bytes follow
JOB, DRAWN, FAILED, READY = range(4)
BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from bot.drawing import work; work()"


class CannotDraw(CannotDeliver):
    """The picture cannot be drawn. `gone` when it never will be (its data is at fault); otherwise later may do."""


class Pen:
    """Draws an `Image` to a `Picture`, from any number of threads.

    At most `workers` processes draw at once; they are started when needed and leave `idle` seconds after their last
    picture. A worker that dies or takes more than `patience` seconds is replaced and the picture tried once more.
    """

    def __init__(self, *, workers: int = 1, patience: float = 30.0, idle: float = 180.0) -> None:
        self._patience, self._idle = patience, idle
        self._turns = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._resting: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._alarm: threading.Timer | None = None
        self._closed = False

    def warm(self) -> None:
        """Start a worker and return at once: it loads what drawing needs meanwhile."""
        with self._lock:
            if not self._closed and not self._resting and not self._busy:
                self._resting.append(_Worker())
                self._wind()

    def draw(self, image: Image) -> Picture:
        """The picture, or `CannotDraw`. Waits for a free worker."""
        job = json.dumps([image.report, image.data["report"], image.data["words"], image.language]).encode()
        with self._turns:
            kind, body = self._answer(job, again=True)
        if kind == FAILED:
            log.error("drawing %s failed: %s", image.report, body.decode())
            raise CannotDraw(f"{image.report} could not be drawn from its data", gone=True)
        return Picture(body, image.filename, image.alt)

    def close(self) -> None:
        """Stop all workers, also one that is drawing. Whoever waits for a picture gets `CannotDraw`."""
        with self._lock:
            self._closed = True
            workers = [*self._resting, *self._busy]
            self._resting.clear()
            if self._alarm:
                self._alarm.cancel()
        for worker in workers:
            worker.stop()

    def _answer(self, job: bytes, *, again: bool) -> tuple[int, bytes]:
        worker = self._take()
        try:
            answer = worker.ask(job, self._patience)
        except OSError as error:
            worker.stop()
            if again:
                return self._answer(job, again=False)
            raise CannotDraw("the drawing process stopped or took too long") from error
        finally:
            with self._lock:
                self._busy.discard(worker)
        self._rest(worker)
        return answer

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise CannotDraw("drawing has ended")
            try:
                worker = self._resting.pop() if self._resting else _Worker()
            except OSError as error:
                raise CannotDraw("no drawing process could be started") from error
            self._busy.add(worker)
            return worker

    def _rest(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed:
                self._resting.append(worker)
                self._wind()
                return
        worker.stop()

    def _wind(self) -> None:
        """Set the alarm that sends resting workers home anew."""
        if self._alarm:
            self._alarm.cancel()
        self._alarm = threading.Timer(self._idle, self._send_home)
        self._alarm.daemon = True
        self._alarm.start()

    def _send_home(self) -> None:
        with self._lock:
            if self._alarm is not threading.current_thread():
                return  # a picture was drawn in the very moment it rang
            workers, self._resting = self._resting, []
        for worker in workers:
            worker.stop()


class _Worker:
    """One process and its two pipes, used by one thread at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", BOOT, json.dumps(sys.path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._ready = False

    def ask(self, job: bytes, patience: float) -> tuple[int, bytes]:
        """The answer to one job; `OSError` when there is none in time. Then the worker is of no more use."""
        assert self.process.stdin is not None  # noqa: S101
        assert self.process.stdout is not None  # noqa: S101
        watch = threading.Timer(patience, self.process.kill)  # its end is what ends the reading below
        watch.daemon = True
        watch.start()
        try:
            if not self._ready:
                _receive(self.process.stdout)
                self._ready = True
            _send(self.process.stdin, JOB, job)
            return _receive(self.process.stdout)
        except ValueError as error:  # the pipes were closed by `stop`
            raise BrokenPipeError from error
        finally:
            watch.cancel()

    def stop(self) -> None:
        self.process.kill()  # it keeps nothing that could be lost
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):  # half a job may still be in it
                    pipe.close()


def work() -> NoReturn:
    """A worker's life: draw what comes in until nobody is there to ask any more."""
    # What libraries print must not get between the answers.
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(19)  # a picture may take a little longer when people are talking
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bot, whose end is the worker's
    from core.reports import find, preload  # noqa: PLC0415  (what a worker needs, and the bot does not)

    preload()
    _send(outbox, READY, b"")
    while True:
        try:
            _, job = _receive(inbox)
        except OSError:
            sys.exit()
        report, data, words, language = json.loads(job)
        _send(outbox, *_attempt(lambda: find(report).draw(data, words, language)))  # noqa: B023  (called at once)


def _attempt(draw: Callable[[], bytes]) -> tuple[int, bytes]:
    try:
        return DRAWN, draw()
    except Exception:  # noqa: BLE001  (whatever it is, the caller hears of it and the next picture is drawn)
        return FAILED, traceback.format_exc().encode()


def _send(pipe: IO[bytes], kind: int, body: bytes) -> None:
    pipe.write(HEAD.pack(kind, len(body)) + body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[int, bytes]:
    kind, size = HEAD.unpack(_exactly(pipe, HEAD.size))
    return kind, _exactly(pipe, size)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    body = pipe.read(size)
    if len(body) < size:
        raise BrokenPipeError
    return body
