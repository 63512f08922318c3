"""Says what the outbox holds: in order for each lane, again after a failure, and no message twice on purpose.

Both platforms lack an idempotency key: a crash between their yes and our mark makes the one message come twice.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from bot.messages import Adapter, CannotDeliver, Image, Picture, Reply
from core.store import Parcel

log = logging.getLogger(__name__)
TRIES = 12
LONGEST_WAIT = timedelta(minutes=15)
LOOK_EVERY = 0.25  # seconds between looks for rows that another process put there or that fell due
THREADS = 8


class Outbox(Protocol):
    """What delivery needs of storage."""

    def claim(self, serves: Callable[[str], bool], now: datetime, limit: int) -> Sequence[Parcel]: ...
    def sent(self, parcel: Parcel, handle: str, now: datetime) -> None: ...
    def failed(self, parcel: Parcel, why: str, again: datetime | None, *, tried: bool = True) -> None: ...


class Delivery:
    """Carries parcels to the adapters on its own threads. `wake()` says that there is something new."""

    def __init__(
        self,
        outbox: Outbox,
        adapters: Sequence[Adapter],
        draw: Callable[[Image], Picture],
        lost: Callable[[Parcel], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._in_hand: set[int] = set()  # what waits for a thread may outlive its lease, and is still ours
        self._lost = lost
        self._outbox = outbox
        self._adapters = adapters
        self._draw = draw
        self._news = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        # Threads of its own for each platform: one that never answers must not hold up another.
        self._pools = [ThreadPoolExecutor(THREADS, thread_name_prefix=f"say-{a.platform}") for a in adapters]
        self._idle = threading.Condition()
        self._busy = 0

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._news.set()

    def stop(self) -> None:
        """Finish what is being said and leave the rest in the outbox."""
        self._ends.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()
        for pool in self._pools:
            pool.shutdown(wait=True)

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until nothing that can be said now is left; False when that took longer."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._idle:
                quiet = self._busy == 0  # asked before the outbox: what is still being said may add to it
            if self.step() == 0:
                if quiet:
                    return True
                with self._idle:
                    self._idle.wait_for(lambda: self._busy == 0, max(0.0, end - time.monotonic()))
        return False

    def step(self) -> int:
        """Claim what is due and hand it to the threads; how many parcels that were."""
        with self._idle:
            claimed = self._outbox.claim(self._serves, self._clock(), 64)
            parcels = [parcel for parcel in claimed if parcel.id not in self._in_hand]
            self._in_hand.update(parcel.id for parcel in parcels)
            self._busy += len(parcels)
        for parcel in parcels:
            at = next(index for index, adapter in enumerate(self._adapters) if adapter.serves(parcel.address))
            self._pools[at].submit(self._carry, parcel, self._adapters[at])
        return len(parcels)

    def _serves(self, address: str) -> bool:
        return any(adapter.serves(address) for adapter in self._adapters)

    def _run(self) -> None:
        while not self._ends.is_set():
            self._news.wait(LOOK_EVERY)
            self._news.clear()
            try:
                while not self._ends.is_set() and self.step():
                    pass
            except Exception:  # the database may be away for a while: the next look may find it back
                log.exception("the outbox could not be read")
                self._ends.wait(1.0)

    def _carry(self, parcel: Parcel, adapter: Adapter) -> None:
        try:
            self._outbox.sent(parcel, self._say(parcel, adapter), self._clock())
        except CannotDeliver as error:
            again = self._again(parcel, error)
            # Being asked to wait is no failure: a long queue must not use up a parcel's tries.
            self._outbox.failed(parcel, error.why, again, tried=error.retry_after is None)
            if error.away:
                self._lost(parcel)
        except Exception as error:
            log.exception("parcel %s to %s could not be said", parcel.id, parcel.address.partition(":")[0])
            self._outbox.failed(parcel, type(error).__name__, self._again(parcel, CannotDeliver("")))
        finally:
            with self._idle:
                self._busy -= 1
                self._in_hand.discard(parcel.id)
                self._idle.notify_all()
            self._news.set()  # the lane's next parcel may go

    def _say(self, parcel: Parcel, adapter: Adapter) -> str:
        """Say it where it belongs; the handle of the message that now stands, "" when nothing needed saying."""
        reply = decode(parcel.body)
        if parcel.newest:
            if reply.pointer is None:
                return parcel.handle  # the later row says it
            reply = replace(decode(parcel.newest), pointer=reply.pointer)  # come down, and as it is by now
        if reply.image is not None:
            return adapter.picture(parcel.address, self._draw(reply.image))
        if not parcel.handle:
            return adapter.send(parcel.address, reply)
        if reply.pointer is None:
            return _edited(adapter, parcel, reply)
        handle = adapter.send(parcel.address, reply)
        try:
            adapter.edit(parcel.address, parcel.handle, Reply(reply.pointer, name=parcel.name))
        except CannotDeliver as error:  # the card stands below, which is what was asked for
            log.info("a copy on %s could not be turned into a pointer: %s", adapter.platform, error.why)
        return handle

    def _again(self, parcel: Parcel, error: CannotDeliver) -> datetime | None:
        """When to try again: when the platform said, else twice as long after each failure; None to give up."""
        if error.gone:
            return None
        if error.retry_after is not None:
            return self._clock() + timedelta(seconds=error.retry_after)
        if parcel.tries + 1 >= TRIES:
            return None
        # With some chance in it, so that all that failed together does not come back together.
        wait = min(2.0**parcel.tries, LONGEST_WAIT.total_seconds()) * random.uniform(0.8, 1.2)  # noqa: S311
        return self._clock() + timedelta(seconds=wait)


def _edited(adapter: Adapter, parcel: Parcel, reply: Reply) -> str:
    """The card where it stands; posted anew when somebody deleted the message it stood in."""
    try:
        return adapter.edit(parcel.address, parcel.handle, reply)
    except CannotDeliver as error:
        if not error.gone:
            raise
    return adapter.send(parcel.address, reply)


_reader = msgspec.json.Decoder(Reply)
_writer = msgspec.json.Encoder()


def encode(reply: Reply) -> bytes:
    return _writer.encode(reply)


def decode(body: bytes) -> Reply:
    return _reader.decode(body)
