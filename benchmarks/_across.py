"""A rep on Slack and their manager on Telegram, both fakes, and the real application between them."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from benchmarks._inward import UNPACED
from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.calls import Calls
from bot.adapters.telegram import TelegramAdapter
from bot.app import App
from bot.messages import Picture
from core.team import Roster
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.store import Database
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, FakeSlack, texts
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.talk import company, stock

REP, MANAGER = "UTOM", 501
NUMBER = re.compile(r"Order #(\d+) · draft")


class Across:
    """`decide(n)`: n orders, each drafted and submitted on Slack and approved on Telegram."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._database = Database(f"sqlite:///{folder / 'across.db'}")
        upgrade(self._database)
        stock(self._database)

    def __enter__(self) -> Self:
        stack = self._stack
        stack.callback(self._database.close)
        stack.enter_context(patch.object(Calls, "_limiter", lambda *_: None))
        self._slack, self._telegram = FakeSlack(mode="socket").start(), FakeTelegram()
        stack.callback(self._slack.stop)
        stack.callback(self._telegram.close)
        self._slack.person(REP)
        self._telegram.person(MANAGER, "Raj")
        slack = SlackAdapter(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=self._slack.api_url)
        telegram = TelegramAdapter(token=TOKEN, api_url=self._telegram.url, rates=UNPACED)
        logins = {"tom": (f"slack:{REP}",), "raj": (f"telegram:{MANAGER}",)}
        firm = company()
        people = [replace(p, logins=logins.get(p.id, p.logins)) for p in firm.roster.people.values()]
        app = App(
            books=self._database.turn,
            outbox=TableOutbox(self._database),
            company=replace(firm, roster=Roster.of(people)),
            adapters=[slack, telegram],
            draw=lambda image: Picture(b"", image.filename, image.alt),
            platforms=("slack", "telegram", "web"),
        )
        app.start()
        stack.callback(app.stop)
        assert slack.wait_until_live(10)
        assert telegram.ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def decide(self, count: int) -> list[float]:
        return [self._decided() for _ in range(count)]

    def _decided(self) -> float:
        """Seconds from the tap on Telegram to the moment at which the card on Slack is another."""
        slack, telegram = self._slack, self._telegram
        channel = slack.direct(REP)
        before = {said["ts"] for said in slack.standing(channel)}
        slack.say(REP, channel, "order 50 Pro seats for Acme at $20")

        def drafted() -> dict[str, Any] | None:
            fresh = (said for said in slack.standing(channel) if said["ts"] not in before)
            return next((said for said in fresh if NUMBER.search(texts(said))), None)

        card = slack.wait(drafted)
        found = NUMBER.search(texts(card))
        assert found is not None
        number = found[1]
        slack.press(REP, card, "Submit")
        waiting = telegram.said(MANAGER, f"Order #{number} · waiting")
        slack.wait(lambda: "waiting" in self._title(channel, card["ts"]))
        began = time.perf_counter()
        telegram.presses(MANAGER, "Approve", waiting)
        slack.wait(lambda: "approved" in self._title(channel, card["ts"]))
        return time.perf_counter() - began

    def _title(self, channel: str, ts: str) -> str:
        shown = texts(self._slack.messages[channel, ts])
        return next((line for line in shown.splitlines() if "Order #" in line), "")
