"""One scripted day through the real application, on every platform alone and with people spread over all of them."""

from __future__ import annotations

import io
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot import cards
from bot.adapters.console import ConsoleAdapter
from bot.adapters.slack import SlackAdapter
from bot.adapters.telegram import WEBHOOK_PATH, TelegramAdapter
from bot.adapters.telegram.cards import decode
from bot.adapters.web import WebAdapter, WebPerson
from bot.app import App
from bot.messages import Adapter, Card, Incoming, Picture, Receipt, Reply
from bot.server import Server
from bot.text import Words
from core import presence
from core.desk import Company, Desk
from core.orders.model import Order, State
from core.store import Parcel
from core.team import Login, Roster
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.shelf import TableShelf
from storage.store import Database
from tests.adapters.telegram_room import FAST
from tests.adapters.telegram_room import SECRET as HOOK_SECRET
from tests.adapters.web_room import LOCAL, PNG
from tests.fakes.slack import APP_TOKEN, BOT, BOT_TOKEN, SECRET, FakeSlack, texts
from tests.fakes.telegram import TOKEN, FakeTelegram, Sent
from tests.talk import company, stock

TEAM = ("tom", "raj", "mia", "grace")  # rep, manager, director, operations
STANDS = re.compile(r"Order #(\d+) · ")
DEADLINE = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A message on somebody's screen. `buttons`: each label with its action, "" where that cannot be seen."""

    text: str
    buttons: dict[str, str] = field(default_factory=dict)
    picture: bool = False

    @property
    def order(self) -> int:
        """The order whose card this is; 0 for anything else."""
        found = STANDS.search(self.text)
        return int(found[1]) if found else 0


class Front(Protocol):
    """A platform with people at it."""

    adapters: list[Adapter]

    def login(self, who: str) -> str: ...
    def open(self) -> None: ...
    def close(self) -> None: ...
    def says(self, who: str, text: str) -> None: ...
    def taps(self, who: str, number: int, label: str, values: dict[str, str]) -> None: ...
    def screen(self, who: str) -> list[Seen]: ...


# ---------------------------------------------------------------- the platforms


class SlackFront:
    """`mode`: "socket" or "http"."""

    def __init__(self, mode: str) -> None:
        self.slack = FakeSlack(mode=mode).start()
        for who in TEAM:
            self.slack.person(self._user(who))
        tokens: dict[str, Any] = {"app_token": APP_TOKEN} if mode == "socket" else {"signing_secret": SECRET}
        self.adapter = SlackAdapter(bot_token=BOT_TOKEN, api_url=self.slack.api_url, **tokens)
        self.adapters: list[Adapter] = [self.adapter]
        self._server = Server(self.adapter.routes, port=0) if mode == "http" else None
        if self._server:
            self.slack.app_url = self._server.start()

    def _user(self, who: str) -> str:
        return f"U{who.upper()}"

    def login(self, who: str) -> str:
        return f"slack:{self._user(who)}"

    def open(self) -> None:
        assert self.adapter.wait_until_live(10)

    def close(self) -> None:
        if self._server:
            self._server.stop()
        self.slack.stop()

    def says(self, who: str, text: str) -> None:
        self.slack.say(self._user(who), self.slack.direct(self._user(who)), text)

    def taps(self, who: str, number: int, label: str, values: dict[str, str]) -> None:
        user = self._user(who)
        there = [said for said in self._said(user) if label in _buttons(said) and f"Order #{number} · " in texts(said)]
        self.slack.press(user, there[-1], label)
        if values:
            form = self.slack.wait(lambda: next((v for v in self.slack.views.values() if "callback_id" in v), None))
            assert not self.slack.submit(user, form, values).payload

    def screen(self, who: str) -> list[Seen]:
        user = self._user(who)
        with self.slack.changed:
            found = [Seen(texts(said), _buttons(said)) for said in self._said(user)]
            shared = [file for file in self.slack.files.values() if file.get("shared") == f"D{user}"]
        return found + [Seen(file["comment"], picture=True) for file in shared]

    def _said(self, user: str) -> list[dict[str, Any]]:
        return [said for said in self.slack.standing(f"D{user}", seen_by=user) if said["user"] == BOT]


def _buttons(said: dict[str, Any]) -> dict[str, str]:
    elements = [e for block in said["blocks"] if block["type"] == "actions" for e in block["elements"]]
    return {element["text"]["text"]: element["action_id"].partition(":")[2] for element in elements}


class TelegramFront:
    def __init__(self, mode: str = "polling") -> None:
        self.service = FakeTelegram()
        self.ids = {who: 500 + at for at, who in enumerate(TEAM)}
        for who, id_ in self.ids.items():
            self.service.person(id_, who)
        hook: dict[str, Any] = {}
        self._server = None
        if mode == "webhook":
            listener = Server([], port=0)  # a free port, so that the address is known before the routes are
            hook = {"webhook_url": listener.start() + WEBHOOK_PATH, "webhook_secret": HOOK_SECRET}
            listener.stop()
        self.adapter = TelegramAdapter(token=TOKEN, api_url=self.service.url, rates=FAST, **hook)
        self.adapters: list[Adapter] = [self.adapter]
        if mode == "webhook":
            self._server = Server(self.adapter.routes, port=listener.port)
            self._server.start()
            assert not self._server.moved

    def login(self, who: str) -> str:
        return f"telegram:{self.ids[who]}"

    def open(self) -> None:
        assert self.adapter.ready.wait(10)

    def close(self) -> None:
        if self._server:
            self._server.stop()
        self.service.close()
        assert self.service.wrong == []

    def says(self, who: str, text: str) -> None:
        self.service.types(self.ids[who], text)

    def taps(self, who: str, number: int, label: str, values: dict[str, str]) -> None:
        chat = self.ids[who]
        there = [m for m in self._standing(chat) if label in m.buttons and f"Order #{number} · " in m.text]
        asked = self._questions(chat)
        self.service.presses(chat, label, there[-1])
        for at, value in enumerate(values.values(), start=asked + 1):
            self.service.until(partial(self._asked, chat, at))
            self.service.types(chat, value, reply_to=self._standing(chat)[-1].id)

    def _asked(self, chat: int, count: int) -> bool:
        return self._questions(chat) >= count

    def _questions(self, chat: int) -> int:
        return sum(m.text.startswith("✎") for m in self._standing(chat))

    def screen(self, who: str) -> list[Seen]:
        return [
            Seen(m.text, {label: decode(data)[0] for label, data in m.buttons.items()}, picture=m.file is not None)
            for m in self._standing(self.ids[who])
        ]

    def _standing(self, chat: int) -> list[Sent]:
        with self.service.changed:
            return self.service.standing(chat)


class WebFront:
    def __init__(self, database: Database) -> None:
        people = [WebPerson(who, who.title(), "", "en", "") for who in TEAM]
        self._shelf = TableShelf(database)
        adapter = WebAdapter(lambda: people, self._shelf, "Brightwater")
        self.adapters: list[Adapter] = [adapter]
        self._client = TestClient(Starlette(routes=adapter.routes), base_url=LOCAL)

    def login(self, who: str) -> str:
        return f"web:{who}"

    def open(self) -> None:
        pass

    def close(self) -> None:
        self._client.close()

    def says(self, who: str, text: str) -> None:
        self._post("message", who, text=text)

    def taps(self, who: str, number: int, label: str, values: dict[str, str]) -> None:
        there = [seen for seen in self.screen(who) if label in seen.buttons and seen.order == number]
        ask = self._post("tap", who, action=there[-1].buttons[label], card=f"order:{number}")["ask"]
        if values:
            self._post("form", who, form=ask["name"], values=values)

    def _post(self, kind: str, who: str, **body: object) -> dict[str, Any]:
        response = self._client.post(f"/api/{kind}", json={"id": str(uuid.uuid4()), "person": who, **body})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def screen(self, who: str) -> list[Seen]:
        entries = [entry for _, entry in self._shelf.recent(f"web:{who}")]
        return [_entry(entry) for entry in entries if entry["kind"] != "in"]


def _entry(entry: dict[str, Any]) -> Seen:
    if entry["kind"] == "image":
        return Seen(entry["alt"], picture=True)
    card = entry["reply"]["card"]
    rows = [card["table"]["head"], *card["table"]["rows"]] if card["table"] else []
    parts = [card["title"], card["text"], *(f"{f['label']}: {f['value']}" for f in card["fields"])]
    text = "\n".join([*parts, *(" | ".join(row) for row in rows), card["note"]])
    return Seen(text, {button["label"]: button["action"] for button in card["buttons"]})


class ConsoleFront:
    """A terminal for each person. What was printed stays: of a card printed again, the last print counts."""

    def __init__(self, folder: Path, team: Sequence[str] = TEAM) -> None:
        self._paper = {who: io.StringIO() for who in team}
        self._terminals = {
            who: ConsoleAdapter(who, folder / who, Console(file=paper, width=160, highlight=False))
            for who, paper in self._paper.items()
        }
        self.adapters: list[Adapter] = list(self._terminals.values())
        self._typed = dict.fromkeys(team, 0)
        self.settle: Callable[[], None] = lambda: None

    def login(self, who: str) -> str:
        return f"console:{who}"

    def open(self) -> None:
        """A terminal is told of cards once somebody has typed into it."""
        for who in self._terminals:
            self.says(who, "help")

    def close(self) -> None:
        pass

    def says(self, who: str, text: str) -> None:
        self._types(who, text)

    def taps(self, who: str, number: int, label: str, values: dict[str, str]) -> None:
        self.settle()
        card = [panel for panel in self._panels(who, self._typed[who]) if f"Order #{number} · " in panel][-1]
        found = re.search(rf"\[(\d+)\] {re.escape(label)}(?= {{2}})", card)
        assert found is not None, f"no number stands before {label!r}:\n{card}"
        self._types(who, found[1], *values.values())

    def _types(self, who: str, *lines: str) -> None:
        self.settle()
        self._typed[who] = len(self._paper[who].getvalue())
        self._terminals[who].run(iter(lines), self.settle)

    def _panels(self, who: str, after: int = 0) -> list[str]:
        return self._paper[who].getvalue()[after:].split("╭")[1:]

    def screen(self, who: str) -> list[Seen]:
        if who not in self._terminals:
            return []
        found: list[Seen] = []
        for panel in self._panels(who):
            body, _, below = panel.partition("╰")
            labels = re.findall(r"\[\d+\] (.+?)(?=\s{2,}|\s*│)", body)
            shown = Seen(body, dict.fromkeys(labels, ""))
            found = [seen for seen in found if not shown.order or seen.order != shown.order]
            found.append(shown)
            if "Chart: " in below:
                found.append(Seen(below, picture=True))
        return found


# ---------------------------------------------------------------- the application, and people in it


class House:
    """The real application over some platforms; every wait ends as soon as what it waits for is so."""

    def __init__(self, folder: Path, fronts: Callable[[Database], Sequence[Front]], **seats: int) -> None:
        """`seats`: at which of the fronts somebody sits; everybody else sits at the first."""
        self.changed = threading.Condition()
        self.database = Database(f"sqlite:///{folder / 'day.db'}")
        upgrade(self.database)
        stock(self.database)
        self.fronts = list(fronts(self.database))
        at = {who: self.fronts[seats.get(who, 0)] for who in TEAM}
        roster = company().roster.people.values()
        own = {who: (front.login(who), f"web:{who}", f"console:{who}") for who, front in at.items()}
        people = [replace(p, logins=own.get(p.id, p.logins)) for p in roster]
        self.firm = replace(company(), roster=Roster.of(people))
        self.seats = {who: Seat(self, front, who) for who, front in at.items()}

    @contextmanager
    def opened(self, *platforms: str, firm: Company | None = None) -> Iterator[House]:
        self.firm = firm or self.firm
        adapters = [adapter for front in self.fronts for adapter in front.adapters]
        self.app = _App(
            self.changed,
            books=self.database.turn,
            outbox=_Outbox(self.database, self.changed),
            company=self.firm,
            adapters=adapters,
            draw=lambda image: Picture(PNG, image.filename, image.alt),
            platforms=platforms,
        )
        self.app.start()
        try:
            for front in self.fronts:
                if isinstance(front, ConsoleFront):
                    front.settle = self.settle
                front.open()
            yield self
        finally:
            self.app.stop()
            for front in self.fronts:
                front.close()
            self.database.close()

    def until(self, so: Callable[[], Any], seconds: float = DEADLINE, why: Callable[[], object] = str) -> Any:
        end = time.monotonic() + seconds
        with self.changed:
            while not (value := so()):
                left = end - time.monotonic()
                assert left > 0, f"it did not happen in {seconds} s: {why()}"
                self.changed.wait(left)
            return value

    def settle(self) -> None:
        assert self.app.delivery.drain(), "the outbox did not settle"

    def becomes(self, number: int, state: State) -> None:
        """The order gets there, and everything is said about it."""
        self.until(lambda: self.state(number) is state, why=lambda: self.order(number))
        self.settle()

    def order(self, number: int) -> Order | None:
        with self.database.turn() as book:
            return book.get(Order, number)

    def state(self, number: int) -> State | None:
        order = self.order(number)
        return order.state if order else None

    def card(self, who: str, number: int) -> Card:
        """What this person's copy of the order's card has to show now; an empty card while there is no such order."""
        with self.database.turn() as book:
            order, person = book.get(Order, number), self.firm.roster.people[who]
            if order is None:
                return Card()
            desk = Desk(book, self.firm, person, datetime.now(UTC))
            return cards.order(desk, Words(person.language, person.zone), order)

    def out_of_step(self) -> list[str]:
        """Every standing copy that does not show its order as it is now, or has a button that would do nothing."""
        wrong: list[str] = []
        for front in self.fronts:
            for who in TEAM:
                wrong += [f"{front.login(who)}: {why}" for seen in front.screen(who) for why in self._wrong(who, seen)]
        return wrong

    def _wrong(self, who: str, seen: Seen) -> Iterator[str]:
        if not seen.order:
            moves = {f"order.{trigger}" for trigger in cards.BUTTONS}
            yield from (
                f"a stray button {label}" for label, it in seen.buttons.items() if it.partition(":")[0] in moves
            )
            return
        card = self.card(who, seen.order)
        if card.title not in seen.text:
            yield f"{seen.text!r} instead of {card.title!r}"
        live = {button.label: button.action for button in card.buttons}
        if {label: action or live.get(label, "") for label, action in seen.buttons.items()} != live:
            yield f"the buttons {seen.buttons} instead of {live} on {card.title!r}"

    def copies(self, number: int) -> set[str]:
        """The logins of everybody at whom a copy of the order's card stands."""
        return {
            front.login(who)
            for front in self.fronts
            for who in TEAM
            if any(seen.order == number for seen in front.screen(who))
        }


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at their platform."""

    house: House
    front: Front
    who: str

    def says(self, text: str) -> None:
        self.front.says(self.who, text)

    def taps(self, label: str, number: int, **values: str) -> None:
        """The button on the order's card, as soon as it stands there; `values` go into the form that it opens."""

        def stands() -> bool:
            wanted = {b.label: b.action for b in self.house.card(self.who, number).buttons}.get(label)
            mine = [seen for seen in self.front.screen(self.who) if seen.order == number]
            return wanted is not None and any(seen.buttons.get(label) in (wanted, "") for seen in mine)

        self.house.until(stands, why=lambda: self.front.screen(self.who))
        self.front.taps(self.who, number, label, values)

    def sees(self, *parts: str, picture: bool = False) -> None:
        """One message with all of these words comes to stand on the screen."""

        def stands() -> bool:
            shown = self.front.screen(self.who)
            return any(seen.picture == picture and all(part in seen.text for part in parts) for seen in shown)

        self.house.until(stands, why=lambda: self.front.screen(self.who))


class _App(App):
    def __init__(self, changed: threading.Condition, **parts: Any) -> None:
        super().__init__(**parts)
        self._changed = changed

    def receive(self, incoming: Incoming) -> Receipt:
        try:
            return super().receive(incoming)
        finally:
            with self._changed:
                self._changed.notify_all()


class _Outbox(TableOutbox):
    def __init__(self, database: Database, changed: threading.Condition) -> None:
        super().__init__(database)
        self._changed = changed

    def sent(self, parcel: Parcel, handle: str, now: datetime) -> None:
        super().sent(parcel, handle, now)
        with self._changed:
            self._changed.notify_all()


# ---------------------------------------------------------------- the day


def play(house: House) -> None:
    """A lead; an order that two sign; one that is rejected, revised and signed; shipping; the week with its picture."""
    tom, raj, mia, grace = (house.seats[who] for who in TEAM)

    tom.says("new lead: Jane Doe from Brightside Foods, jane@example.com, wants a demo")
    tom.sees("Lead logged", "Brightside Foods", "Jane Doe")

    tom.says("order 50 Pro seats for Acme at $18")
    tom.sees("Order #1 · draft", "Acme Corp", "$900.00", "Would go to Raj Patel")
    tom.taps("Submit", 1)
    house.becomes(1, State.PENDING)
    raj.sees("Order #1 · waiting for approval", "28% below list > 15%")
    raj.taps("Approve", 1)
    mia.sees("Order #1 · waiting for approval", "Approved by Raj Patel")
    mia.taps("Approve", 1)
    house.becomes(1, State.APPROVED)
    tom.sees("Order #1 · approved", "Approved by Raj Patel", "Approved by Mia Torres")

    tom.says("order 40 Pro seats for Globex at $20")
    tom.sees("Order #2 · draft", "Globex")
    tom.taps("Submit", 2)
    house.becomes(2, State.PENDING)
    raj.taps("Reject", 2, reason="margin too thin")
    house.becomes(2, State.REJECTED)
    tom.sees("Order #2 · rejected", "margin too thin")
    tom.says("actually at $21")
    house.becomes(2, State.DRAFT)
    tom.sees("Order #2 · draft", "$840.00")
    tom.taps("Submit", 2)
    house.becomes(2, State.PENDING)
    raj.taps("Approve", 2)
    house.becomes(2, State.APPROVED)
    tom.sees("Order #2 · approved", "Approved by Raj Patel")

    grace.says("ship 1, tracking DHL 4711223")
    house.becomes(1, State.SHIPPED)
    tom.sees("Order #1 · shipped", "DHL 4711223")

    mia.says("weekly sales")
    mia.sees("Weekly sales", "$1,740.00")
    mia.sees(picture=True)


def ends_in_step(house: House) -> None:
    house.settle()
    house.until(lambda: not house.out_of_step(), why=house.out_of_step)
    expected = {who: house.seats[who].front.login(who) for who in TEAM}
    assert house.copies(1) == set(expected.values())
    assert house.copies(2) == {expected["tom"], expected["raj"]}


PLATFORMS: dict[str, tuple[str, Callable[[Database, Path], Front]]] = {
    "slack socket": ("slack", lambda _, __: SlackFront("socket")),
    "slack http": ("slack", lambda _, __: SlackFront("http")),
    "telegram polling": ("telegram", lambda _, __: TelegramFront("polling")),
    "telegram webhook": ("telegram", lambda _, __: TelegramFront("webhook")),
    "web": ("web", lambda database, _: WebFront(database)),
    "console": ("web", lambda _, folder: ConsoleFront(folder)),  # the page's process says what belongs there
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_same_day_on_every_platform(name: str, tmp_path: Path) -> None:
    platform, make = PLATFORMS[name]
    house = House(tmp_path, lambda database: [make(database, tmp_path)])
    with house.opened(*dict.fromkeys([platform, "web"])):
        play(house)
        ends_in_step(house)


def test_the_same_day_with_people_spread_over_the_platforms(tmp_path: Path) -> None:
    def fronts(database: Database) -> list[Front]:
        return [SlackFront("socket"), TelegramFront(), WebFront(database), ConsoleFront(tmp_path, ["grace"])]

    house = House(tmp_path, fronts, raj=1, mia=2, grace=3)
    with house.opened("slack", "telegram", "web"):
        play(house)
        ends_in_step(house)


def test_a_decision_on_telegram_changes_the_card_on_slack_within_seconds(tmp_path: Path) -> None:
    slack = SlackFront("socket")
    house = House(tmp_path, lambda _: [slack, TelegramFront()], raj=1)
    with house.opened("slack", "telegram", "web"):
        tom, raj = house.seats["tom"], house.seats["raj"]
        tom.says("order 50 Pro seats for Acme at $20")
        tom.taps("Submit", 1)
        house.becomes(1, State.PENDING)
        raj.taps("Approve", 1)
        # A second is the aim; a busy machine gets five.
        slack.slack.wait(lambda: any("Order #1 · approved" in seen.text for seen in slack.screen("tom")), 5.0)


# ---------------------------------------------------------------- who is not known, and who cannot be reached


def _code(house: House, who: str) -> str:
    with house.database.turn() as book:
        desk = Desk(book, house.firm, house.firm.roster.people[who], datetime.now(UTC))
        code = presence.new_code(desk)
        book.commit()
    return code


def _with_logins(house: House, who: str, *logins: str) -> Company:
    people = house.firm.roster.people.values()
    changed = [replace(person, logins=logins) if person.id == who else person for person in people]
    return replace(house.firm, roster=Roster.of(changed))


def _linked(house: House) -> dict[str, str]:
    with house.database.turn() as book:
        return {login.id: login.person for login in book.find(Login)}


def test_an_unlinked_login_can_only_link(tmp_path: Path) -> None:
    telegram = TelegramFront()
    service = telegram.service
    house = House(tmp_path, lambda _: [telegram])
    with house.opened("telegram", "web"):
        house.seats["tom"].says("order 5 Basic seats for Acme")
        house.seats["tom"].sees("Order #1 · draft")
        group = service.group(-1001)
        telegram.adapter.send(f"telegram:{group}", Reply(house.card("tom", 1), name="order:1"))
        new = service.person(900, "Jo", started=False)

        service.types(new, "order 5 Basic seats for Globex")
        service.said(new, "I do not know telegram:900")
        service.types(new, "link me")
        service.until(lambda: len(service.standing(new)) == 2)
        service.presses(new, "Submit", service.said(group, "Order #1 · draft"))
        service.until(lambda: len(service.standing(new)) == 3)
        service.types(new, "/start " + "x" * 24)
        service.said(new, "That code is unknown, used or too old")
        assert (house.state(1), house.order(2), _linked(house)) == (State.DRAFT, None, {})

        code = _code(house, "tom")
        service.types(new, f"/start {code}")
        service.said(new, "Welcome, Tom Becker")
        assert _linked(house) == {"telegram:900": "tom"}
        service.types(new, "order 5 Basic seats for Globex")
        service.said(new, "Order #2 · draft")
        assert (order := house.order(2)) is not None
        assert order.rep == "tom"

        thief = service.person(901, "Mallory")
        service.types(thief, f"/start {code}")
        service.said(thief, "That code is unknown, used or too old")
        assert _linked(house) == {"telegram:900": "tom"}


def _approver(tmp_path: Path, *others: str) -> tuple[House, Company, SlackFront, TelegramFront]:
    """Tom sells on Slack; Raj never opened the bot on Telegram, and is known at these other places."""
    slack, telegram = SlackFront("socket"), TelegramFront()
    telegram.service.started.clear()
    house = House(tmp_path, lambda _: [slack, telegram], raj=1)
    return house, _with_logins(house, "raj", telegram.login("raj"), *others), slack, telegram


def test_an_approver_who_never_opened_the_bot_gets_the_card_on_their_other_platform(tmp_path: Path) -> None:
    house, firm, slack, telegram = _approver(tmp_path, "slack:URAJ")
    with house.opened("telegram", "slack", "web", firm=firm):
        tom = house.seats["tom"]
        tom.says("order 50 Pro seats for Acme at $20")
        tom.taps("Submit", 1)
        there = Seat(house, slack, "raj")
        there.sees("Order #1 · waiting for approval")
        tom.sees("Order #1 · waiting for approval", "Waits for Raj Patel")
        assert telegram.screen("raj") == []
        there.taps("Approve", 1)
        house.becomes(1, State.APPROVED)
        ends = {"slack:UTOM", "slack:URAJ"}
        house.until(lambda: not house.out_of_step(), why=house.out_of_step)
        assert house.copies(1) == ends


def test_an_approver_reached_on_their_other_platform_is_not_called_unreachable(tmp_path: Path) -> None:
    house, firm, slack, _ = _approver(tmp_path, "slack:URAJ")
    with house.opened("telegram", "slack", "web", firm=firm):
        tom = house.seats["tom"]
        tom.says("order 50 Pro seats for Acme at $20")
        tom.taps("Submit", 1)
        Seat(house, slack, "raj").sees("Order #1 · waiting for approval")
        house.settle()
        assert not any("(not reachable)" in seen.text for who in ("tom", "raj") for seen in slack.screen(who))


def test_an_approver_who_can_be_told_nowhere_is_shown_as_not_reachable_until_they_come(tmp_path: Path) -> None:
    house, firm, _, telegram = _approver(tmp_path)
    with house.opened("slack", "telegram", "web", firm=firm):
        tom, raj = house.seats["tom"], house.seats["raj"]
        tom.says("order 50 Pro seats for Acme at $20")
        tom.taps("Submit", 1)
        tom.sees("Order #1 · waiting for approval", "Waits for Raj Patel (not reachable)")
        assert house.state(1) is State.PENDING
        raj.says("what waits for me?")  # opening the bot is what was missing
        raj.sees("1 order waits for you")
        raj.says("approve 1")
        house.becomes(1, State.APPROVED)
        tom.sees("Order #1 · approved", "Approved by Raj Patel")
        house.until(lambda: not house.out_of_step(), why=house.out_of_step)
        assert house.copies(1) == {"slack:UTOM", telegram.login("raj")}


def test_an_approver_who_blocks_the_bot_is_told_on_their_other_platform(tmp_path: Path) -> None:
    house, firm, slack, telegram = _approver(tmp_path, "slack:URAJ")
    with house.opened("slack", "telegram", "web", firm=firm):
        tom, raj = house.seats["tom"], house.seats["raj"]
        raj.says("help")  # met on Telegram: that is where things go from now on
        raj.sees("Hello Raj Patel")
        telegram.service.blocked.add(telegram.ids["raj"])
        tom.says("order 50 Pro seats for Acme at $20")
        tom.taps("Submit", 1)
        Seat(house, slack, "raj").sees("Order #1 · waiting for approval")
        assert not any(seen.order for seen in telegram.screen("raj"))
