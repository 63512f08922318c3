"""A fake Slack, an adapter in front of it over the real libraries, and an application that only writes things down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bot import messages as m
from bot.adapters.slack import SlackAdapter
from bot.server import Server
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, SECRET, FakeSlack, Json

ASK = m.Ask(
    "order.new",
    "New order",
    (
        m.Input("customer", "Customer"),
        m.Input("seats", "Seats", "number"),
        m.Input("note", "Note", "long", required=False),
    ),
    "Place it",
)


class SlackRoom:
    """`react` is what the application does with an arrival; everything that arrived is in `arrived`."""

    def __init__(self, mode: str = "socket", **options: Any) -> None:
        self.slack = FakeSlack(mode=mode).start()
        self.arrived: list[m.Incoming] = []
        self.react: Callable[[m.Incoming], m.Receipt] = lambda _: m.Receipt(handled=True)
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        tokens: dict[str, Any] = {"app_token": APP_TOKEN} if mode == "socket" else {"signing_secret": SECRET}
        self.adapter = SlackAdapter(bot_token=BOT_TOKEN, api_url=self.slack.api_url, **tokens, **options)
        self.server = Server(self.adapter.routes, port=0) if mode == "http" else None
        if self.server:
            self.slack.app_url = self.server.start()
        self.adapter.start(self.receive)
        assert self.adapter.wait_until_live(10)

    def receive(self, incoming: m.Incoming) -> m.Receipt:
        with self._lock:
            repeat = incoming.id in self._seen
            self._seen.add(incoming.id)
        if repeat:
            return m.Receipt(handled=False)
        receipt = self.react(incoming)
        with self.slack.changed:
            self.arrived.append(incoming)
            self.slack.changed.notify_all()
        return receipt

    def echo(self, incoming: m.Incoming) -> m.Receipt:
        """Answer a message where it was said."""
        if isinstance(incoming, m.Message):
            self.adapter.send(incoming.address, m.Reply(m.Card(text=f"You said: {incoming.text}")))
        return m.Receipt(handled=True)

    def last(self, count: int = 1) -> Any:
        """The newest arrival, once so many have come."""
        self.slack.wait(lambda: len(self.arrived) >= count)
        assert len(self.arrived) == count, self.arrived
        return self.arrived[-1]

    def counted(self, what: str, times: int = 1) -> None:
        """Wait until so many of these were counted."""
        self.slack.wait(lambda: self.adapter.counts[what] >= times)
        assert self.adapter.counts[what] == times

    def form(self, title: str = "New order") -> Json:
        """The open form with this title."""
        view: Json = self.slack.wait(
            lambda: next((v for v in self.slack.views.values() if v["title"]["text"] == title), None)
        )
        return view

    def close(self) -> None:
        self.adapter.stop()
        if self.server:
            self.server.stop()
        self.slack.stop()
