"""What networks and services really do: nothing that was acknowledged is lost, and nobody waits for somebody else."""

from __future__ import annotations

import http.client
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bot import messages as m
from bot.adapters.telegram import Rates, TelegramAdapter
from tests.adapters.telegram_room import CHEN, GROUP, MIA, SECRET, Room
from tests.fakes.telegram import BOT, TOKEN


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.close()


@pytest.fixture
def hooked() -> Iterator[Room]:
    opened = Room("webhook")
    yield opened
    opened.close()


class Bell(logging.Handler):
    """Rings when something is logged."""

    def __init__(self, rung: threading.Event) -> None:
        super().__init__()
        self._rung = rung

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._rung.set()


def refused(room: Room, address: str = "telegram:77", card: m.Card | None = None) -> m.CannotDeliver:
    with pytest.raises(m.CannotDeliver) as caught:
        room.adapter.send(address, m.Reply(card or m.Card(text="Hello")))
    return caught.value


# ---------------------------------------------------------------- in


def test_an_update_is_confirmed_only_once_it_is_kept_and_nobody_waits_for_it(room: Room) -> None:
    slow, done = threading.Event(), threading.Event()

    def work(it: m.Incoming) -> None:
        if it.login == "telegram:77":
            slow.set()
            assert done.wait(10)

    room.works = work
    first = room.service.types(MIA, "slow")["update_id"]
    assert slow.wait(10)
    room.service.types(CHEN, "quick")
    said = room.next()
    assert said.login == "telegram:88"
    assert room.service.confirmed <= first
    done.set()
    room.until(1)
    room.service.until(lambda: room.service.confirmed == first + 2)
    assert room.adapter.counts["said"] == 2


def test_messages_of_one_chat_keep_their_order(room: Room) -> None:
    for number in range(60):
        room.service.types(MIA if number % 2 else CHEN, str(number))
    texts = [(it.login, int(it.text)) for it in room.until(60) if isinstance(it, m.Message)]
    for login in ("telegram:77", "telegram:88"):
        numbers = [number for who, number in texts if who == login]
        assert numbers == sorted(numbers)


def test_a_repeat_is_handled_once_and_answered_once(hooked: Room) -> None:
    service = hooked.service
    handle = hooked.adapter.send("telegram:77", m.Reply(m.Card(text="x", buttons=(m.Button("Go", "go"),))))
    update = service.presses(MIA, "Go", service.sent[77, int(handle)])
    assert isinstance(hooked.next(), m.Tap)
    service.again(update)
    service.until(lambda: service.deliveries == [(update["update_id"], 200)] * 2)
    assert hooked.adapter.counts["repeat"] == 1
    hooked.adapter.stop()  # whatever was begun is done now
    assert hooked.arrived == []
    assert len(service.called("answerCallbackQuery")) == 1


def test_ids_that_begin_anew_do_not_bring_the_same_for_ever(room: Room) -> None:
    room.service.update_id = 900_000_000
    room.service.types(MIA, "last year")
    room.next()
    room.service.update_id = 5
    room.service.types(MIA, "today")
    said = room.next()
    assert isinstance(said, m.Message)
    assert said.text == "today"
    room.service.until(lambda: not room.service.pending)
    room.service.types(MIA, "tomorrow")
    assert isinstance(room.next(), m.Message)


def test_what_could_not_be_kept_is_tried_again(room: Room) -> None:
    failures: list[Exception] = [OSError("full"), OSError("full")]

    def work(_: m.Incoming) -> None:
        if failures:
            raise failures.pop()

    room.works = work
    room.service.types(MIA, "hello")
    room.next()
    assert room.adapter.counts["failed"] == 2
    assert room.adapter.counts["lost"] == 0


def test_a_webhook_that_could_not_be_kept_is_called_again(hooked: Room) -> None:
    failures: list[Exception] = [OSError("full")] * 4  # three tries, and the first of the second call

    def work(_: m.Incoming) -> None:
        if failures:
            raise failures.pop()

    hooked.works = work
    hooked.service.types(MIA, "hello")
    hooked.next()
    hooked.service.until(lambda: [status for _, status in hooked.service.deliveries] == [503, 200])


def test_stopping_finishes_the_turn_and_confirms_it(room: Room) -> None:
    began, goes = threading.Event(), threading.Event()

    def work(_: m.Incoming) -> None:
        began.set()
        assert goes.wait(10)

    room.works = work
    update = room.service.types(MIA, "last words")
    assert began.wait(10)
    stopping = threading.Thread(target=room.adapter.stop)
    stopping.start()
    goes.set()
    stopping.join(10)
    assert not stopping.is_alive()
    assert len(room.arrived) == 1
    assert room.service.confirmed == update["update_id"] + 1
    room.service.types(MIA, "while we were away")
    room.start()
    assert [it.text for it in room.until(2) if isinstance(it, m.Message)] == ["last words", "while we were away"]


def test_what_was_not_kept_when_we_stopped_comes_again(room: Room) -> None:
    tried = threading.Event()

    def work(_: m.Incoming) -> None:
        tried.set()
        raise OSError("full")

    room.works = work
    room.service.types(MIA, "hello")
    assert tried.wait(10)
    room.adapter.stop()
    room.works = lambda _: None
    room.start()
    said = room.next()
    assert isinstance(said, m.Message)
    assert said.text == "hello"


def test_half_a_character_and_a_zero_byte_harm_nobody(room: Room) -> None:
    room.service.types(MIA, "half \ud83d\x00 of it")
    said = room.next()
    assert isinstance(said, m.Message)
    assert said.text == "half \ufffd of it"


def test_a_failing_service_is_asked_again(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    service = room.service
    service.fault("getUpdates", 500)
    service.fault("getUpdates", 502, body=b"<html>Bad gateway</html>")
    service.fault("getUpdates", drop=True)
    service.fault("getUpdates", 429, "Too Many Requests", parameters={"retry_after": 0.1})
    service.types(MIA, "wakes the poll that is under way")
    room.next()
    service.types(MIA, "hello")
    room.next()
    service.until(lambda: all(fault.times == 0 for fault in service.faults))
    service.until(lambda: "reading messages again" in caplog.text)
    assert caplog.text.count("Trying again") <= 3


def test_a_second_poller_is_named_once(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    service = room.service
    service.fault("getUpdates", 409, "Conflict: terminated by other getUpdates request", times=2)
    service.types(MIA, "one")
    room.next()
    service.types(MIA, "two")
    room.next()
    service.until(lambda: "reading messages again" in caplog.text)
    assert caplog.text.count("Another program reads this bot's messages") == 1


def test_the_door_of_the_webhook(hooked: Room) -> None:
    def call(body: bytes, secret: str | None = SECRET, method: str = "POST") -> int:
        assert hooked._server is not None
        connection = http.client.HTTPConnection("127.0.0.1", hooked._server.port, timeout=10)
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        try:
            connection.request(method, "/telegram/webhook", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 77, "type": "private"}}}
    update["message"] |= {"from": {"id": 77, "is_bot": False, "first_name": "Mia"}, "text": "hello"}  # type: ignore[operator]
    good = json.dumps(update).encode()
    assert call(good, None) == call(good, "") == call(good, SECRET + "x") == 401
    assert call(b"{") == call(b"[]") == call(b"{}") == call(b'{"update_id":"1"}') == call(b"\xff") == 400
    assert call(b" " * (1 << 20) + good) == 413
    assert call(good, method="GET") == 405
    assert hooked.arrived == []
    assert call(good) == 200
    assert call(good) == 200
    assert hooked.next().id == f"telegram:{BOT}:1:1"
    assert hooked.adapter.counts["wrong_secret"] == 3
    assert hooked.adapter.counts["too_large"] == 1
    hooked.adapter.stop()
    assert call(good) == 503


# ---------------------------------------------------------------- out


def test_a_chat_that_is_limited_waits_alone(room: Room) -> None:
    room.service.fault("sendMessage", 429, "Too Many Requests", parameters={"retry_after": 30}, chat=77)
    assert refused(room).retry_after == 30
    calls = len(room.service.called("sendMessage"))
    waits = refused(room).retry_after
    assert waits is not None
    assert 29 < waits <= 30
    assert len(room.service.called("sendMessage")) == calls  # it is not even tried
    room.say("telegram:88")


def test_a_group_gets_twenty_a_minute_and_others_do_not_wait() -> None:
    room = Room(rates=Rates())
    try:
        for _ in range(20):
            room.say(f"telegram:{GROUP}")
        error = refused(room, f"telegram:{GROUP}")
        assert (error.retry_after, error.gone) == (3.0, False)
        room.say("telegram:77")
    finally:
        room.close()


def test_a_long_message_that_was_interrupted_goes_on_where_it_stopped(room: Room) -> None:
    card = m.Card(text="\n".join(f"line {n} " + "x" * 90 for n in range(100)))
    fault = room.service.fault("sendMessage", 500, times=0)
    room.service.faults.insert(0, skip := room.service.fault("nothing"))
    assert skip is not fault
    original = room.service._do_sendmessage

    def second_fails(params: dict[str, Any]) -> dict[str, Any]:
        sent = original(params)
        fault.times = 1 if len(room.service.standing(77)) == 1 else 0
        return sent

    room.service._do_sendmessage = second_fails  # type: ignore[method-assign]
    assert not refused(room, card=card).gone
    handle = room.adapter.send("telegram:77", m.Reply(card))
    assert len(handle.split(",")) == len(room.service.standing(77)) == 3


def test_what_is_wrong_for_now_and_what_for_good(room: Room) -> None:
    service = room.service
    for fault in (
        {"code": 500},
        {"code": 502, "body": b"<html>"},
        {"drop": True},
        {"code": 404, "why": "Not Found"},  # the library reads every 404 as a wrong token
    ):
        service.fault("sendMessage", **fault)
        error = refused(room)
        assert (error.gone, error.retry_after) == (False, None)
    for why in ("Bad Request: can't parse entities", "Bad Request: BUTTON_DATA_INVALID"):
        service.fault("sendMessage", 400, why)
        assert refused(room).gone
    service.fault("sendMessage", 403, "Forbidden: bot was kicked from the supergroup chat", chat=GROUP)
    assert refused(room, f"telegram:{GROUP}").why == "unreachable: Forbidden: bot was kicked from the supergroup chat"
    room.say("telegram:77")


def test_nothing_is_said_before_the_start_and_after_the_stop(room: Room) -> None:
    room.adapter.stop()
    room.adapter.stop()
    error = refused(room)
    assert not error.gone
    room.start()
    room.say("telegram:77")


def test_deleting_too_late_leaves_a_word_and_no_buttons(room: Room) -> None:
    buttons = tuple(m.Button(f"b{n}", f"a{n}") for n in range(150))
    handle = room.adapter.send("telegram:77", m.Reply(m.Card(text="Which?", buttons=buttons)))
    room.service.fault("deleteMessage", 400, "Bad Request: message can't be deleted for everyone")
    left = room.adapter.edit("telegram:77", handle, m.Reply(m.Card(text="Acme")))
    assert left == handle.split(",")[0]
    assert [(it.text, it.keyboard) for it in room.service.standing(77)] == [("Acme", []), ("…", [])]


# ---------------------------------------------------------------- secrets and health


def test_neither_the_token_nor_what_was_said_is_in_any_log(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = room.service
    for code, why in ((500, TOKEN), (404, TOKEN), (400, f"no such {TOKEN}")):
        service.fault("sendMessage", code, why)
        assert TOKEN not in refused(room).why
    room.works = lambda _: (_ for _ in ()).throw(RuntimeError("about Acme"))
    service.types(MIA, "secret order for Acme")
    room.counted("failed")
    room.adapter.stop()
    service.close()
    room.adapter.start(lambda _: m.Receipt(handled=True))
    service_gone = refused(room)
    assert TOKEN not in service_gone.why
    assert TOKEN not in caplog.text
    assert "Acme" not in caplog.text


def test_a_refused_token_is_said_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    try:
        adapter = TelegramAdapter(token="1:wrong", api_url=room.service.url)
        said = threading.Event()
        handler = Bell(said)
        logger = logging.getLogger("bot.adapters.telegram")
        logger.addHandler(handler)
        adapter.start(lambda _: m.Receipt(handled=True))
        assert said.wait(10)
        logger.removeHandler(handler)
        adapter.stop()
        assert "DEALDESK_TELEGRAM_TOKEN" in caplog.text
        assert "1:wrong" not in caplog.text
        ((what, well, remedy),) = adapter.check()
        assert what == "Telegram: Telegram refused the token"
        assert not well
        assert "@BotFather" in remedy
    finally:
        room.close()


def test_a_doctor_sees_how_we_listen(room: Room) -> None:
    findings = room.adapter.check()
    assert [well for _, well, _ in findings] == [True, True, True]
    room.service.webhook = {"url": "https://elsewhere.example", "secret_token": "x"}
    elsewhere = [what for what, well, _ in room.adapter.check() if not well]
    assert elsewhere == ["A webhook is set, so long polling would be refused"]
    room.service.webhook = {}
    room.adapter.stop()
    assert all(well for _, well, _ in room.adapter.check())
