"""The Telegram adapter, through the real library, against the fake service; behind it a list of what arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bot import messages as m
from bot.adapters.telegram import Rates, TelegramAdapter
from bot.server import Server
from tests.fakes.telegram import TOKEN, FakeTelegram

MIA, CHEN, GROUP, FORUM = 77, 88, -1001234, -1005678
FAST = Rates(overall=(1000, 1), chat=(1000, 1), group=(1000, 1))
SECRET = "s3cret_-"


class Room:
    """`asks` gives the form that an arrival opens; `fails` is raised instead of keeping it."""

    def __init__(self, mode: str = "polling", rates: Rates = FAST, **options: Any) -> None:
        self.service = service = FakeTelegram()
        service.person(MIA, "Mia")
        service.person(CHEN, "陈思远", language="zh-hans")
        service.group(GROUP)
        service.group(FORUM, topics=(5, 6))
        self.arrived: list[m.Incoming] = []
        self.asks: Callable[[m.Incoming], m.Ask | None] = lambda _: None
        self.works: Callable[[m.Incoming], None] = lambda _: None
        self._changed = threading.Condition()
        self._server: Server | None = None
        hook: dict[str, Any] = {}
        if mode == "webhook":
            listener = Server([], port=0)
            self._server = listener
            url = listener.start()
            listener.stop()
            hook = {"webhook_url": f"{url}/telegram/webhook", "webhook_secret": SECRET}
        self.adapter = TelegramAdapter(token=TOKEN, api_url=service.url, rates=rates, **hook, **options)
        if self._server is not None:
            self._server = Server(self.adapter.routes, port=self._server.port)
            self._server.start()
        self.start()

    def start(self) -> None:
        self.adapter.start(self._receive)
        assert self.adapter.ready.wait(10)

    def close(self) -> None:
        self.adapter.stop()
        if self._server is not None:
            self._server.stop()
        self.service.close()
        assert self.service.wrong == []

    def _receive(self, incoming: m.Incoming) -> m.Receipt:
        self.works(incoming)
        with self._changed:
            self.arrived.append(incoming)
            self._changed.notify_all()
        return m.Receipt(handled=True, ask=self.asks(incoming))

    def until(self, count: int, timeout: float = 10.0) -> list[m.Incoming]:
        """The arrivals, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.arrived) >= count, timeout), self.arrived
            return list(self.arrived)

    def next(self) -> m.Incoming:
        """The only arrival since the last look."""
        (found,) = self.until(1)
        self.arrived.clear()
        return found

    def counted(self, what: str, least: int = 1) -> None:
        """Wait until something was counted; every update is confirmed in the end, so the service hears of it."""
        self.service.until(lambda: self.adapter.counts[what] >= least)

    def say(self, address: str, text: str = "Hello", **more: Any) -> str:
        return self.adapter.send(address, m.Reply(m.Card(text=text), **more))
