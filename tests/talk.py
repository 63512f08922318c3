"""Transcripts: people who say and tap, and what stands on their screens. Everything beneath is the real application."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.app import App
from bot.messages import (
    Ask,
    Button,
    CannotDeliver,
    Card,
    Form,
    Image,
    Limits,
    Message,
    Picture,
    Receipt,
    Receive,
    Reply,
    Tap,
)
from core.customers.model import Contact, Customer, Need
from core.desk import Company
from core.orders.model import Order, Product
from core.orders.policy import Policy, Rule
from core.team import Person, Role, Roster
from core.values import Money
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.store import Database

NOW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)  # a Thursday


def people() -> list[Person]:
    def person(key: str, name: str, role: Role, manager: str = "", language: str = "en") -> Person:
        logins = (f"web:{key}",)
        return Person(id=key, name=name, role=role, manager=manager, language=language, logins=logins)

    return [
        person("mia", "Mia Torres", Role.DIRECTOR),
        person("raj", "Raj Patel", Role.MANAGER, "mia"),
        person("tom", "Tom Becker", Role.REP, "raj"),
        person("lena", "Lena Fischer", Role.REP, "raj"),
        person("chen", "陈晓", Role.MANAGER, "mia", "zh"),
        person("fang", "王芳", Role.REP, "chen", "zh"),
        person("grace", "Grace Okafor", Role.OPERATIONS),
    ]


def policy() -> Policy:
    return Policy(
        rules=(
            Rule(name="Discount above 15 %", ask="manager", discount_over=Decimal(15)),
            Rule(name="More than 20,000", ask="manager", total_over=Decimal(20_000)),
            Rule(name="Discount above 25 %", ask="role:director", discount_over=Decimal(25)),
        )
    )


def company() -> Company:
    rates = {"CNY": Decimal("0.14"), "EUR": Decimal("1.08")}
    return Company(name="Brightwater", zone="Europe/Berlin", rates=rates, roster=Roster.of(people()), policy=policy())


def stock(database: Database) -> None:
    """A small catalogue, enough for every conversation."""
    with database.turn() as book:
        for number, (name, aliases, owner, region) in enumerate(
            [
                ("Acme Corp", ("Acme",), "tom", "Americas"),
                ("Globex", (), "tom", "Europe"),
                ("Initech Labs", (), "lena", "Europe"),
                ("Initech Works", (), "lena", "Europe"),
                ("星辰科技", ("星辰",), "fang", "North China"),
            ],
            start=1,
        ):
            book.add(Customer(id=number, name=name, aliases=aliases, owner=owner, region=region, created=NOW))
        for number, (name, aliases, price) in enumerate(
            [
                ("Pro seat", ("Pro seats", "专业版"), 25),
                ("Basic seat", ("基础版",), 10),
                ("Sensor 200", (), 180),
            ],
            start=1,
        ):
            book.add(Product(id=number, name=name, aliases=aliases, list_price=Money(price, "USD"), family="Software"))
        book.add(Contact(id=1, customer=1, name="Ada Stone", title="CIO", email="ada@example.com"))
        book.add(Need(id=1, customer=1, text="single sign-on", by="tom", created=NOW))
        book.commit()


@dataclass(slots=True)
class Standing:
    """One message on somebody's screen."""

    handle: str
    reply: Reply
    picture: Picture | None = None


@dataclass(slots=True)
class Screen:
    """An adapter that keeps what stands at each address. `down` refuses everything, as a dead platform does."""

    platform: str = "web"
    limits: Limits = field(default_factory=Limits)
    down: bool = False
    standing: dict[str, list[Standing]] = field(default_factory=dict)
    receive: Receive | None = None
    _count: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serves(self, address: str) -> bool:
        return address.startswith(f"{self.platform}:")

    def start(self, receive: Receive) -> None:
        self.receive = receive

    def stop(self) -> None:
        self.receive = None

    def send(self, address: str, reply: Reply) -> str:
        return self._post(address, Standing(str(next(self._count)), reply))

    def edit(self, address: str, handle: str, reply: Reply) -> str:
        if self.down:
            raise CannotDeliver("down")
        with self._lock:
            for message in self.standing[address]:
                if message.handle == handle:
                    message.reply = reply
                    return handle
        raise CannotDeliver("no such message", gone=True)

    def picture(self, address: str, picture: Picture) -> str:
        return self._post(address, Standing(str(next(self._count)), Reply(Card(text=picture.alt)), picture))

    def _post(self, address: str, message: Standing) -> str:
        if self.down:
            raise CannotDeliver("down")
        with self._lock:
            self.standing.setdefault(address, []).append(message)
        return message.handle


class Talk:
    """A running application with people at it. Time stands still unless a test moves it."""

    def __init__(self, path: Path, firm: Company | None = None, *, stocked: bool = True) -> None:
        self.path = path
        self.database = Database(f"sqlite:///{path}")
        upgrade(self.database)
        if stocked:
            stock(self.database)
        self.screen = Screen()
        self.now = NOW
        self.drawn: list[Image] = []
        self._ids = itertools.count(1)
        self._firm = firm or company()
        self.app = self._open()

    def _open(self) -> App:
        return App(
            books=self.database.turn,
            outbox=TableOutbox(self.database),
            company=self._firm,
            adapters=[self.screen],
            draw=self._draw,
            clock=lambda: self.now,
        )

    def _draw(self, image: Image) -> Picture:
        self.drawn.append(image)
        return Picture(b"png", image.filename, image.alt)

    def restart(self) -> None:
        """The process ends and a new one begins: only what was kept is left."""
        self.app.stop()
        self.database.close()
        self.database = Database(f"sqlite:///{self.path}")
        self.app = self._open()

    def close(self) -> None:
        self.app.stop()
        self.database.close()

    def person(self, key: str) -> Seat:
        return Seat(self, key)

    def next_id(self) -> str:
        return f"web:event-{next(self._ids)}"

    def later(self, **gone: float) -> None:
        self.now += timedelta(**gone)

    def settle(self) -> None:
        assert self.app.delivery.drain(), "the outbox did not settle"

    def order(self, number: int) -> Order:
        with self.database.turn() as book:
            found = book.get(Order, number)
        assert found is not None
        return found

    def count(self, kind: type) -> int:
        with self.database.turn() as book:
            return len(book.find(kind))


@dataclass(slots=True)
class Seat:
    """One person in front of their screen."""

    talk: Talk
    key: str
    asked: Ask | None = None

    @property
    def address(self) -> str:
        return f"web:{self.key}"

    def says(self, text: str, *, event: str = "") -> Receipt:
        return self._bring(Message(**self._stamp(event), text=text))

    def taps(self, label: str, *, card: str = "", event: str = "") -> Receipt:
        """The last standing button of that label, on the named card when one is given."""
        for message in reversed(self.messages()):
            if card and message.reply.name != card:
                continue
            for button in message.reply.card.buttons:
                if button.label == label:
                    return self.presses(button, message.reply.name, event=event)
        raise AssertionError(f"{self.key} sees no button {label!r}; {self.buttons()}")

    def presses(self, button: Button, card: str, *, event: str = "") -> Receipt:
        """This very button, whether it still stands or not."""
        return self._bring(Tap(**self._stamp(event), action=button.action, card=card))

    def fills(self, **values: str) -> Receipt:
        assert self.asked is not None, f"{self.key} was asked nothing"
        return self._bring(Form(**self._stamp(""), form=self.asked.name, values=values))

    # ------------------------------------------------------------ what stands there

    def messages(self) -> list[Standing]:
        return self.talk.screen.standing.get(self.address, [])

    @property
    def last(self) -> Card:
        return self.messages()[-1].reply.card

    def card(self, name: str) -> Card:
        """The named card as it stands now: the newest copy."""
        found = [message.reply.card for message in self.messages() if message.reply.name == name]
        assert found, f"{self.key} has no card {name}"
        return found[-1]

    def buttons(self) -> list[str]:
        return [button.label for message in self.messages() for button in message.reply.card.buttons]

    def sees(self, *parts: str) -> None:
        """Each part stands somewhere on the last message."""
        text = words_of(self.last)
        for part in parts:
            assert part in text, f"{part!r} is not in:\n{text}"

    def _stamp(self, event: str) -> dict[str, Any]:
        return {
            "id": event or self.talk.next_id(),
            "address": self.address,
            "login": f"web:{self.key}",
            "at": self.talk.now,
        }

    def _bring(self, incoming: Message | Tap | Form) -> Receipt:
        receipt = self.talk.app.receive(incoming)
        self.asked = receipt.ask
        self.talk.settle()
        return receipt


def words_of(card: Card) -> str:
    """All the text of a card, for looking something up in it."""
    parts = [card.title, card.text, card.note]
    parts += [f"{item.label}: {item.value}" for item in card.fields]
    if card.table:
        parts += [" | ".join(row) for row in (card.table.head, *card.table.rows)]
    parts += [f"[{button.label}]" for button in card.buttons]
    return "\n".join(part for part in parts if part)
