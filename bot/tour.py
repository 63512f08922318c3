"""A short guided tour: three users' real conversation through the real application, told in the terminal as it happens.

It talks at the page's addresses, so whoever opens the playground afterwards finds the conversation there, alive.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.adapters.console import near, rendered
from bot.app import App
from bot.messages import Adapter, Button, Form, Message, Picture, Receive, Reply, Shelf, Tap
from core.desk import Company

INDENT = 4


@dataclass(frozen=True, slots=True)
class Line:
    """`who` says `text`, or taps the first button whose action begins with `tap`, filling the form with `text`."""

    who: str
    text: str = ""
    tap: str = ""


SCRIPT: tuple[tuple[str, tuple[Line, ...]], ...] = (
    (
        "A rep logs a lead and a deal in plain words; an order is corrected and submitted",
        (
            Line("tom", "new lead: Jane Doe from Brightside Foods, jane@example.com, wants a demo"),
            Line("tom", "log a deal with Acme for $30k, renewal"),
            Line("tom", "order 50 Pro seats for Acme at $20"),
            Line("tom", "actually 60"),
            Line("tom", tap="order.submit"),
        ),
    ),
    (
        "His manager has the card already, and taps",
        (Line("raj", "what waits for me?"), Line("raj", tap="order.approve")),
    ),
    ("The rep is told on the same card, and looks the customer up", (Line("tom", "who is Acme?"),)),
    (
        "In Chinese, with a rejection",
        (
            Line("fang", "给星辰科技下单40套专业版，七五折"),
            Line("fang", "提交"),
            Line("chen", "利润太低，最多打八五折", tap="order.reject"),
        ),
    ),
    ("The director asks for the week", (Line("mia", "weekly sales"),)),
)


class Heard:
    """The page's adapter with an ear: hands everything on to it, and remembers what was said for the terminal."""

    platform = "web"

    def __init__(self, page: Adapter, shelf: Shelf, folder: Path) -> None:
        self.limits = page.limits
        self._shelf = shelf
        self._page = page
        self._folder = folder
        self._lock = threading.Lock()
        self._said: list[tuple[str, Reply | Path, bool]] = []
        self.standing: dict[str, dict[str, Reply]] = {}

    def serves(self, address: str) -> bool:
        return self._page.serves(address)

    def start(self, receive: Receive) -> None:
        self._page.start(receive)

    def stop(self) -> None:
        self._page.stop()

    def send(self, address: str, reply: Reply) -> str:
        self._hear(address, reply, edited=False)
        return self._page.send(address, reply)

    def edit(self, address: str, handle: str, reply: Reply) -> str:
        self._hear(address, reply, edited=True)
        return self._page.edit(address, handle, reply)

    def picture(self, address: str, picture: Picture) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / Path(picture.filename).name
        path.write_bytes(picture.content)
        with self._lock:
            self._said.append((address, path, False))
        return self._page.picture(address, picture)

    def wrote(self, message: Message) -> None:
        """What somebody types stands on their page too."""
        entry = {"kind": "in", "text": message.text, "at": message.at.isoformat()}
        self._shelf.put(message.address, message.id, entry)

    def taken(self) -> list[tuple[str, Reply | Path, bool]]:
        """What was said since the last time: (address, what, whether it changed a card that stood there)."""
        with self._lock:
            said, self._said = self._said, []
        return said

    def _hear(self, address: str, reply: Reply, *, edited: bool) -> None:
        if edited and not reply.card.title:
            return  # the earlier copy's "it is further down"
        with self._lock:
            self._said.append((address, reply, edited))
            standing = self.standing.setdefault(address, {})
            name = reply.name or uuid4().hex
            standing.pop(name, None)
            standing[name] = reply


def play(app: App, heard: Heard, company: Company, out: Console) -> None:
    """Play the script. Anybody of it who does not work here any more is passed over."""
    people = company.roster.people
    app.delivery.drain()
    heard.taken()
    for number, (title, lines) in enumerate(SCRIPT, start=1):
        out.print()
        out.rule(Text(f"{number}. {title}", style="bold"), align="left", characters="─")
        for line in lines:
            if line.who in people and (not line.tap or _button(heard, line)):
                _say(app, heard, company, out, line)


def _say(app: App, heard: Heard, company: Company, out: Console, line: Line) -> None:
    address = f"web:{line.who}"
    stamp: dict[str, Any] = {"id": f"web:{uuid4().hex}", "address": address, "login": address, "at": datetime.now(UTC)}
    name = company.roster.named(line.who)
    button = _button(heard, line) if line.tap else None
    if button is not None:
        reply, pressed = button
        said = f"[{pressed.label}]" + (f" {line.text}" if line.text else "")
        receipt = app.receive(Tap(**stamp, action=pressed.action, card=reply.name))
        if receipt.ask is not None:
            stamp["id"] = f"web:{uuid4().hex}"
            values = {blank.name: line.text for blank in receipt.ask.inputs}
            app.receive(Form(**stamp, form=receipt.ask.name, values=values))
    else:
        said = line.text
        message = Message(**stamp, text=line.text)
        heard.wrote(message)
        app.receive(message)
    out.print()
    out.print(Text.assemble((f"{name}: ", "bold cyan"), said))
    app.delivery.drain()
    for where, what, edited in heard.taken():
        _tell(out, company, line.who, where.partition(":")[2], what, edited=edited)


def _tell(out: Console, company: Company, speaker: str, seer: str, what: Reply | Path, *, edited: bool) -> None:
    if isinstance(what, Path):
        out.print(Text.assemble(" " * INDENT, "The chart is saved as ", (near(what), "underline")), soft_wrap=True)
        return
    if seer != speaker or edited:
        verb = "the card changes" if edited else "gets a card"
        whose = f"{company.roster.named(seer)}: " if seer != speaker else ""
        out.print(Padding(Text(f"{whose}{verb}", style="dim"), (0, 0, 0, INDENT)))
    out.print(Padding(rendered(what.card, numbers=False), (0, 0, 0, INDENT)))


def _button(heard: Heard, line: Line) -> tuple[Reply, Button] | None:
    """The newest standing card of that person with such a button, and the button."""
    for reply in reversed(heard.standing.get(f"web:{line.who}", {}).values()):
        for button in reply.card.buttons:
            if button.action.startswith(line.tap):
                return reply, button
    return None
