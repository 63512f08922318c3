"""A small application behind the page: it answers a few sentences and keeps one order's card the same everywhere."""

from __future__ import annotations

import struct
import threading
import zlib
from queue import SimpleQueue
from typing import Any

from bot import messages as m
from bot.adapters.web import WebAdapter, WebPerson

PEOPLE = (
    WebPerson("mia", "Mia Torres", "Sales rep", "en", "West"),
    WebPerson("chen", "陈思远", "销售经理", "zh", "华东"),
    WebPerson("omar", "Omar Haddad", "Sales director", "en", "Headquarters"),
    WebPerson("lena", "Lena Fischer", "Sales rep", "en", "East"),
    WebPerson("wang", "王小明", "销售代表", "zh", "华东"),
)


class FakeShelf:
    """The shelf, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, dict[str, Any]]] = {}
        self._kept: dict[str, tuple[bytes, str]] = {}

    def put(self, address: str, handle: str, entry: dict[str, Any]) -> None:
        with self._lock:
            self._entries.setdefault(address, {})[handle] = entry

    def recent(self, address: str, limit: int = 200) -> list[tuple[str, dict[str, Any]]]:
        with self._lock:
            return list(self._entries.get(address, {}).items())[-limit:]

    def keep(self, content: bytes, mime: str) -> str:
        with self._lock:
            key = f"p{len(self._kept)}"
            self._kept[key] = (content, mime)
            return key

    def fetch(self, key: str) -> tuple[bytes, str] | None:
        return self._kept.get(key)


class FakeApp:
    """Answers over `adapter` from a delivery thread, as the real application does."""

    def __init__(self, adapter: WebAdapter, chart: bytes | None = None) -> None:
        self.adapter, self.chart = adapter, chart or png(640, 360)
        self.arrived: list[m.Incoming] = []
        self.gate = threading.Event()  # "slow" waits for it
        self.gate.set()
        self._standing: dict[tuple[str, str], str] = {}
        self._out: SimpleQueue[tuple[str, m.Reply | m.Picture] | None] = SimpleQueue()
        self._delivery = threading.Thread(target=self._deliver, daemon=True)
        self._delivery.start()

    def close(self) -> None:
        self._out.put(None)
        self._delivery.join()

    def say(self, address: str, card: m.Card, name: str = "", only: str = "") -> None:
        self._out.put((address, m.Reply(card, name=name, only=only)))

    def receive(self, incoming: m.Incoming) -> m.Receipt:
        if any(incoming.id == old.id for old in self.arrived):
            return m.Receipt(handled=False)
        if isinstance(incoming, m.Message) and incoming.text == "boom":
            raise RuntimeError("a secret of the inside")
        self.arrived.append(incoming)
        if isinstance(incoming, m.Tap):
            return self._tap(incoming)
        if isinstance(incoming, m.Form):
            self._decide(m.Card(title="Order 1042 declined", text=incoming.values["reason"], tone="bad"))
        elif isinstance(incoming, m.File):
            self.say(incoming.address, m.Card(text=f"{incoming.name}: {len(incoming.content)} bytes"))
        else:
            self._message(incoming)
        return m.Receipt(handled=True)

    def _message(self, message: m.Message) -> None:
        here, text = message.address, message.text
        if text == "slow":
            assert self.gate.wait(10)
        if text.startswith("order"):
            self.say(here, order(buttons=(m.Button("Cancel the order", "cancel:1042"),)), "order:1042")
            self.say("web:chen", order(buttons=DECIDE), "order:1042")
        elif text == "weekly sales":
            self.say(here, m.Card(title="Weekly sales", text="Up 12% on the week before."))
            self._out.put((here, m.Picture(self.chart, "weekly-sales-2026-W47.png", "Weekly sales, rising to $48k")))
        elif text == "secret":
            self.say(here, m.Card(text="A private word."), only=here)
        else:
            self.say(here, m.Card(text=text))

    def _tap(self, tap: m.Tap) -> m.Receipt:
        if tap.action == "slow:1042":
            assert self.gate.wait(10)
        if tap.action == "decline:1042":
            return m.Receipt(handled=True, ask=WHY)
        self._decide(m.Card(title="Order 1042 approved", text="陈思远 signed it.", fields=FACTS, tone="good"))
        return m.Receipt(handled=True)

    def _decide(self, card: m.Card) -> None:
        for address in ("web:mia", "web:chen"):
            self.say(address, card, "order:1042")

    def _deliver(self) -> None:
        while (job := self._out.get()) is not None:
            address, said = job
            if isinstance(said, m.Picture):
                self.adapter.picture(address, said)
            elif said.name and (handle := self._standing.get((address, said.name))):
                self.adapter.edit(address, handle, said)
            else:
                self._standing[address, said.name] = self.adapter.send(address, said)


FACTS = (
    m.Field("Customer", "Acme Robotics"),
    m.Field("Discount", "20%"),
    m.Field("Delivery", "Within two weeks of signature, in one shipment", wide=True),
)
DECIDE = (
    m.Button("Approve", "approve:1042", "primary"),
    m.Button("Decline…", "decline:1042", "danger"),
    m.Button("Later", "slow:1042"),
)
WHY = m.Ask(
    name="decline:1042",
    title="Decline order 1042",
    text="Mia Torres will see the reason.",
    submit="Decline",
    inputs=(
        m.Input("reason", "Reason", "long", hint="One sentence is enough."),
        m.Input("kind", "What is wrong", "choice", options=(("price", "The price"), ("terms", "The terms"))),
        m.Input("discount", "Highest discount you would sign, in %", "number", required=False, value="15"),
        m.Input("copy", "Also tell", required=False),
    ),
)


def order(buttons: tuple[m.Button, ...]) -> m.Card:
    return m.Card(
        title="Order 1042 · Acme Robotics",
        text="Waiting for 陈思远 since today.",
        fields=FACTS,
        table=m.Table(
            ("Product", "Seats", "List price", "Discount", "Total"),
            (
                ("Pro seat, one year", "50", "$25.00", "20%", "$12,000.00"),
                ("Onboarding", "1", "$900.00", "", "$900.00"),
            ),
        ),
        note="A discount above 15% needs the manager's signature.",
        buttons=buttons,
        tone="waiting",
    )


def png(width: int, height: int) -> bytes:
    """A plain grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xc0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
