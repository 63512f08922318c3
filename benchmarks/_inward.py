"""Arrivals in one process, without a network: from bytes to the conversation, ours and the bare libraries."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from typing import Any
from unittest.mock import patch

import msgspec
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters
from telegram.request import BaseRequest

from bot.adapters.slack.bolt import Front
from bot.adapters.slack.inbox import Brought, Inbox
from bot.adapters.slack.words import english
from bot.adapters.telegram import line as wire
from bot.adapters.telegram.cards import parts
from bot.adapters.telegram.forms import Forms
from bot.adapters.telegram.heard import Me
from bot.adapters.telegram.inbox import TRIES
from bot.adapters.telegram.pace import Pace, Rates
from bot.adapters.telegram.say import Place, Speaker
from bot.adapters.telegram.turns import Known, Turns
from bot.adapters.telegram.words import Vocabulary
from bot.messages import Card, Incoming, Receipt

Take = Callable[[bytes], Awaitable[None]]
UNPACED = Rates(overall=(1e9, 1), chat=(1e9, 1), group=(1e9, 1))  # our own pace is not what is measured
CHAT = {"id": 77, "type": "private", "first_name": "Mia"}
PERSON = {"id": 77, "is_bot": False, "first_name": "Mia", "language_code": "en"}
TOLD = {"message_id": 8, "date": 1_700_000_000, "chat": CHAT, "text": "Yes.", "from": {**PERSON, "id": 1}}
ANSWER = json.dumps({"ok": True, "result": TOLD}).encode()
BOT, TOKEN = 4242, "4242:AAbench"
_numbers = itertools.count(1)


class Inline(Executor):
    """Does the work where it is handed over: one thread, as in the bare library."""

    def submit(self, fn: Any, /, *args: Any, **more: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **more))
        except Exception as error:  # noqa: BLE001  (whoever waits for it is told)
            done.set_exception(error)
        return done


# ---------------------------------------------------------------- Telegram


def update() -> bytes:
    number = next(_numbers)
    said = {"message_id": number, "date": 1_700_000_000, "chat": CHAT, "from": PERSON, "text": "order 50 Pro seats"}
    return json.dumps({"update_id": number, "message": said}).encode()


class _Stub(BaseRequest):
    """Every call is answered at once, with the same bytes."""

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(self, *_: Any, **__: Any) -> tuple[int, bytes]:
        return 200, ANSWER


class _OurStub(wire.Http):
    async def do_request(self, *_: Any, **__: Any) -> tuple[int, bytes]:
        return 200, ANSWER


def telegram_product(pool: Executor) -> Take:
    """Our parsing and routing; what is heard is answered with a card."""
    with patch.object(wire, "Http", _OurStub):
        line = wire.Line(TOKEN, "http://stub")
    speaker, words, counts = Speaker(line, Pace(UNPACED)), Vocabulary(None), Counter[str]()
    said: list[Incoming] = []

    def receive(incoming: Incoming) -> Receipt:
        said.append(incoming)
        return Receipt(handled=True)

    async def answer(incoming: Incoming) -> None:
        chat = int(incoming.address.removeprefix("telegram:"))
        assert await speaker.say(Place(chat), parts(Card(text="Yes."), words["en"], "")) == [8]

    turns = Turns(
        line=line,
        speaker=speaker,
        forms=Forms(words),
        words=words,
        known=Known(),
        counts=counts,
        receive=receive,
        pool=pool,
        leaving=asyncio.Event(),
    )
    turns.me = Me(BOT, "bench_bot")

    async def take(raw: bytes) -> None:
        await turns.take(msgspec.json.decode(raw), TRIES)  # as both of our ways in read it
        await answer(said.pop())

    return take


async def telegram_peer() -> Take:
    """python-telegram-bot as its manual has it, with one handler for what people write."""

    async def reply(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        sent = await update.message.reply_text("Yes.")
        assert sent.message_id == 8

    app = ApplicationBuilder().token(TOKEN).updater(None).request(_Stub()).build()
    app.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, reply))

    with patch.object(type(app.bot), "initialize", _nothing):
        await app.initialize()

    async def take(raw: bytes) -> None:
        await app.process_update(Update.de_json(json.loads(raw), app.bot))

    return take


async def _nothing(*_: Any) -> None:
    pass


# ---------------------------------------------------------------- Slack


def event() -> bytes:
    number = next(_numbers)
    ts = f"{1_700_000_000 + number}.000100"
    said = {"type": "message", "user": "U1", "channel": "D1", "channel_type": "im", "ts": ts, "event_ts": ts}
    ours = [{"team_id": "T1", "user_id": "UBOT", "is_bot": True, "is_enterprise_install": False}]
    payload = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": f"Ev{number}"}
    said["text"] = "order 50 Pro seats"
    return json.dumps({**payload, "authorizations": ours, "event": said}).encode()


def press() -> bytes:
    number = next(_numbers)
    action = {"type": "button", "action_id": "0:order.approve:42:1", "value": "order:42", "block_id": "b"}
    action["action_ts"] = f"{1_700_000_000 + number}.000200"
    place = {"type": "message", "message_ts": "1700000000.000100", "channel_id": "D1", "is_ephemeral": False}
    payload: dict[str, Any] = {"type": "block_actions", "user": {"id": "U1"}, "team": {"id": "T1"}, "api_app_id": "A1"}
    payload |= {"trigger_id": f"{number}.1.abc", "actions": [action], "container": place, "channel": {"id": "D1"}}
    payload["message"] = {"ts": "1700000000.000100", "user": "UBOT", "text": "Order", "bot_id": "BBOT"}
    return json.dumps(payload).encode()


def slack_product(kind: str) -> Take:
    """Our front and our reading, up to the arrival that the conversation would get."""
    arrived: list[Incoming] = []

    def take_on(brought: list[Brought]) -> bool:
        arrived.extend(one.incoming("en") for one in brought)
        return True

    counts, logger = Counter[str](), logging.getLogger("benchmarks.slack")
    logger.setLevel(logging.ERROR)
    inbox = Inbox(counts)
    inbox.bot, inbox.bot_id = "UBOT", "BBOT"
    front = Front(inbox, take_on, english, counts, logger)
    front.connect(AsyncWebClient(token="-"))  # noqa: S106

    async def take(raw: bytes) -> None:
        await front.envelope({"envelope_id": "e", "type": kind, "payload": json.loads(raw)})
        arrived.pop()

    return take


def bolt(*, at_once: bool) -> Take:
    """Bolt with one listener; `at_once` is its `process_before_response`, which is off by default."""

    async def ourselves(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="-", bot_user_id="UBOT", bot_id="BBOT")  # noqa: S106

    logger = logging.getLogger("benchmarks.bolt")
    logger.setLevel(logging.ERROR)
    app = AsyncApp(authorize=ourselves, signing_secret="-", process_before_response=at_once, logger=logger)  # noqa: S106
    heard = asyncio.Event()

    async def on_message(body: dict[str, Any]) -> None:
        assert body["event"]
        heard.set()

    async def on_press(ack: AsyncAck) -> None:
        await ack()
        heard.set()

    app.event("message")(on_message)
    app.action("0:order.approve:42:1")(on_press)

    async def take(raw: bytes) -> None:
        heard.clear()
        response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=json.loads(raw)))
        assert response.status == 200
        await heard.wait()

    return take
