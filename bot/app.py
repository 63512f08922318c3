"""App: runs one arrival. Locks its address, drops repeats, runs the turn, retries a conflict, wakes the outbox."""

from __future__ import annotations

import gc
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from bot import cards, dialogs, notifications, understanding
from bot.delivery import Delivery, Outbox, encode
from bot.handlers import form, hello, message, tap
from bot.messages import (
    Adapter,
    Ask,
    CannotDeliver,
    Card,
    File,
    Form,
    Image,
    Incoming,
    Message,
    Picture,
    Receipt,
    Reply,
    Tap,
)
from bot.nlu import Names
from bot.text import Words
from bot.turn import Book, Said, Turn
from core import presence
from core.desk import Company
from core.errors import Conflict, DealdeskError
from core.orders.model import Order
from core.store import AlreadySeen, Parcel, StorageDown
from core.team import Person

log = logging.getLogger(__name__)
ATTEMPTS = 20  # 32 people deciding the same order at once: each attempt settles at least one of them


class App:
    """The product without its parts' makers: `books` opens a turn's records, `draw` makes pictures elsewhere."""

    def __init__(
        self,
        *,
        books: Callable[[], Book],
        outbox: Outbox,
        company: Company,
        adapters: Sequence[Adapter],
        draw: Callable[[Image], Picture],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        platforms: Sequence[str] = ("web",),
    ) -> None:
        self.company = company
        self._platforms = tuple(platforms)
        self._books = books
        self._adapters = adapters
        self._clock = clock
        self._dialogs = dialogs.load()
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
        self._locks_lock = threading.Lock()
        self._names: tuple[int, Names] | None = None
        self.delivery = Delivery(outbox, adapters, draw, self.lost, clock)

    def start(self) -> None:
        self.delivery.start()
        for adapter in self._adapters:
            adapter.start(self.receive)
        # What is there by now stays: a collector that walks all of it again and again shows in the slowest answers.
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Stop listening, finish what is being said, keep the rest in the outbox."""
        for adapter in self._adapters:
            adapter.stop()
        self.delivery.stop()

    def receive(self, incoming: Incoming) -> Receipt:
        """Handle one arrival. Whatever happens, it either counts whole or not at all, and the person gets an answer."""
        try:
            with self._locked(incoming.address):
                receipt = self._settle(incoming)
        except StorageDown as error:
            log.error("database: %s", error)
            return self._say_now(incoming, "error.storage_down")
        except Exception:
            mark = secrets.token_hex(3)
            log.exception("turn %s failed", mark)
            return self._say_now(incoming, "error.our_mistake", mark=mark)
        self.delivery.wake()
        return receipt

    def lost(self, parcel: Parcel) -> None:
        """A card could not be said to somebody, and never will be there: it goes to their other place.

        Nothing waits silently: when there is none, every other copy of the card says that they cannot be reached.
        """
        number = cards.number_in(parcel.name)
        for _ in range(ATTEMPTS if number else 0):
            try:
                with self._books() as book:
                    self._move(book, parcel, number)
                    book.commit()
                return
            except Conflict:
                continue

    def _move(self, book: Book, parcel: Parcel, number: int) -> None:
        now = self._clock()
        viewer = dict(book.places(parcel.name)).get(parcel.address, "")
        person, order = self.company.roster.people.get(viewer), book.get(Order, number)
        if person is None or order is None:
            return
        book.begin(f"lost:{parcel.id}", now)
        presence.lost(book, parcel.address, person.id, now)
        book.unplace(parcel.name, parcel.address)
        gone = Message(id=f"lost:{parcel.id}", address=parcel.address, login=parcel.address, at=now, text="")
        turn = self._turn(gone, book, person, now)
        for reply in notifications.copies(turn, order):
            if reply.address != parcel.address:
                book.say(reply.address, encode(reply), now, name=reply.name)
        book.touch(order)

    def names(self, book: Book) -> Names:
        """The customers, products and people the language layer knows, read again only when one has changed."""
        stamp = book.names_stamp()
        known = self._names
        if known is None or known[0] != stamp:
            known = (stamp, understanding.names(book, self.company))
            self._names = known
        return known[1]

    # ------------------------------------------------------------ one turn

    def _settle(self, incoming: Incoming) -> Receipt:
        try:
            return self._attempt(incoming)
        except AlreadySeen:
            return Receipt(handled=False)

    def _attempt(self, incoming: Incoming) -> Receipt:
        for _ in range(ATTEMPTS):
            try:
                return self._run(incoming)
            except Conflict:  # somebody else changed it in the same moment: look at it as it is now
                continue
            except DealdeskError as error:
                try:
                    return self._run(incoming, error)
                except Conflict:
                    continue
        raise StorageDown("too many people changed the same thing at once")

    def _run(self, incoming: Incoming, error: DealdeskError | None = None) -> Receipt:
        """The turn, in one transaction. With `error`: the turn that says it, after the first one came to nothing."""
        with self._books() as book:
            now = self._clock()
            book.begin(incoming.id, now)
            person = presence.person_of(book, self.company.roster, incoming.login)
            if person is None:
                said: Said = hello.stranger(incoming, self.company, book, now)
                self._post(book, incoming, incoming.login, said, now)
                book.commit()
                return Receipt(handled=True)
            turn = self._turn(incoming, book, person, now)
            before = dict(turn.memory)
            said = self._handle(turn) if error is None else _refusal(turn, error)
            replies = [item for item in said if isinstance(item, Reply)]
            self._post(book, incoming, person.id, _merged(incoming, replies, notifications.spread(turn)), now)
            if turn.memory != before:
                book.remember(incoming.address, turn.memory)
            if incoming.private and incoming.address == incoming.login:
                presence.met(turn.desk, incoming.address)
            book.commit()
            return Receipt(handled=True, ask=next((item for item in said if isinstance(item, Ask)), None))

    def _turn(self, incoming: Incoming, book: Book, person: Person, now: datetime) -> Turn:
        language = person.language if incoming.private else self.company.language
        return Turn(
            arrival=incoming,
            book=book,
            company=self.company,
            person=person,
            names=self.names(book),
            now=now,
            words=Words(language, person.zone),
            memory=book.recall(incoming.address),
            platforms=self._platforms,
        )

    def _handle(self, turn: Turn) -> Said:
        match turn.arrival:
            case Message():
                return message.handle(turn, turn.arrival, self._dialogs)
            case Tap():
                return tap.handle(turn, turn.arrival, self._dialogs)
            case Form():
                return form.handle(turn, turn.arrival, self._dialogs)
            case File():
                return [turn.privately("file.not_yet", name=turn.arrival.name)]

    def _post(self, book: Book, incoming: Incoming, viewer: str, said: Iterable[Reply | Ask], now: datetime) -> None:
        for reply in said:
            if not isinstance(reply, Reply):
                continue
            address = reply.address or incoming.address
            book.say(address, encode(replace(reply, image=None)), now, name=reply.name)
            if reply.name and address == incoming.address:
                _stand(book, reply.name, address, viewer)
            if reply.image is not None:
                # A lane of its own: a picture takes a second to draw, and nothing waits behind it.
                picture = Reply(Card(text=reply.image.alt), address=address, image=reply.image)
                book.say(address, encode(picture), now, lane=f"{address}#{incoming.id}")

    def _say_now(self, incoming: Incoming, key: str, **facts: str) -> Receipt:
        """Without the outbox, because the database cannot keep it: best effort, and it says that nothing was done."""
        person = self.company.roster.by_login.get(incoming.login)
        words = Words(person.language if person else self.company.language)
        reply = Reply(Card(text=words(key, **facts), tone="bad"), only=incoming.login)
        for adapter in self._adapters:
            if adapter.serves(incoming.address):
                try:
                    adapter.send(incoming.address, reply)
                except CannotDeliver as error:
                    log.warning("could not say it to %s: %s", adapter.platform, error.why)
        return Receipt(handled=False)

    @contextmanager
    def _locked(self, address: str) -> Iterator[None]:
        """One arrival at a time for each address; other addresses do not wait."""
        with self._locks_lock:
            lock = self._locks.get(address)
            if lock is None:
                lock = self._locks[address] = _Lock()
        with lock.lock:
            yield


class _Lock:
    """A lock that a weak dictionary can let go of."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()


def _stand(book: Book, name: str, address: str, viewer: str) -> None:
    """The card stands here now, and what it shows must be so when the turn is kept.

    A new place also makes whoever changes the order in the same moment look again, so that they change this copy too.
    """
    order = book.get(Order, cards.number_in(name)) if cards.number_in(name) else None
    known = any(place == address for place, _ in book.places(name))
    if not known:
        book.place(name, address, viewer)
    if order is not None:
        (book.watch if known else book.touch)(order)


def _refusal(turn: Turn, error: DealdeskError) -> list[Reply]:
    """What cannot be done and why, to the person alone; a tap on an old card also brings that card up to date."""
    said = [turn.privately(f"error.{error.code}", **tap.readable(turn, error.facts))]
    if isinstance(turn.arrival, Tap):
        said += tap.renewed(turn, turn.arrival)
    return said


def _merged(incoming: Incoming, said: Sequence[Reply], spread: Sequence[Reply]) -> list[Reply]:
    """What the dialog said, then the copies of the cards elsewhere; a card is said once at each address."""
    here = {(reply.name, reply.address or incoming.address) for reply in said if reply.name}
    return [*said, *(reply for reply in spread if (reply.name, reply.address) not in here)]
