"""Slack through the real libraries: the same conversations in Socket Mode and over signed HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC

import pytest

from bot import messages as m
from bot.adapters.slack import SlackAdapter
from tests.fakes.slack import APP_TOKEN, BOT, BOT_TOKEN, texts

from .slack_room import ASK, SlackRoom

CARD = m.Card(
    title="Order 7",
    text="Acme",
    fields=(m.Field("Total", "$1,200"),),
    table=m.Table(("Product", "Seats"), (("Pro", "50"),)),
    buttons=(m.Button("Approve", "order.approve:7", "primary"), m.Button("Reject", "order.reject:7", "danger")),
    tone="waiting",
)
PNG = b"\x89PNG fake"


@pytest.fixture(params=["socket", "http"])
def room(request: pytest.FixtureRequest) -> Iterator[SlackRoom]:
    room = SlackRoom(request.param)
    yield room
    room.close()


@pytest.fixture
def socket_room() -> Iterator[SlackRoom]:
    room = SlackRoom()
    yield room
    room.close()


# ---------------------------------------------------------------- what people say


def test_a_direct_message_arrives_and_is_answered(room: SlackRoom) -> None:
    room.react = room.echo
    direct = room.slack.direct("U2")
    room.slack.say("U2", direct, "50 个席位 &lt;Pro&gt;", event_id="Ev42")
    message = room.last()
    assert isinstance(message, m.Message)
    assert (message.id, message.address, message.login) == ("slack:Ev42", "slack:U2", "slack:U2")
    assert (message.text, message.language, message.private) == ("50 个席位 <Pro>", "zh", True)
    assert message.at.tzinfo is UTC
    answer = room.slack.wait(lambda: room.slack.standing(direct)[1:])[0]
    assert texts(answer) == "You said: 50 个席位 <Pro>"
    assert not room.slack.called("conversations.open")  # they wrote first: the channel is known
    assert room.adapter.zone("slack:U2") == "Asia/Shanghai"
    room.counted("ignored: message of ourselves")  # the answer comes back as an event: no loop


def test_a_mention_begins_a_thread_and_the_thread_goes_on_without_one(room: SlackRoom) -> None:
    room.react = room.echo
    ts = room.slack.say("U1", "C1", f"<@{BOT}> what about <https://acme.com|acme.com>?")
    message = room.last()
    assert (message.address, message.text, message.private) == (f"slack:C1/{ts}", "what about acme.com?", False)
    room.counted("ignored: repeat")  # the app_mention of the same message
    answer = room.slack.wait(lambda: room.slack.standing("C1")[1:])[0]
    assert answer["thread"] == ts
    room.slack.say("U2", "C1", "make it 60", thread=ts)
    assert (room.last(2).address, room.last(2).login) == (f"slack:C1/{ts}", "slack:U2")


def test_talk_that_is_not_for_us_is_left_alone_and_counted(room: SlackRoom) -> None:
    slack = room.slack
    ts = slack.say("U1", "C1", "lunch?")
    slack.say("U2", "C1", "yes", thread=ts)
    slack.say("U2", "C1", "now", thread=ts)
    room.counted("ignored: message not for us", 3)
    assert len(slack.called("conversations.replies")) == 1  # asked once, then remembered
    said = {"type": "message", "channel": "C1", "channel_type": "channel", "event_ts": "1.1", "ts": "1.1", "user": "U1"}
    for subtype in ("message_changed", "message_deleted", "channel_join", "bot_message"):
        slack.event({**said, "subtype": subtype, "text": f"<@{BOT}> hi", "hidden": True})
    slack.event({**said, "bot_id": "BOTHER", "text": f"<@{BOT}> hi"})
    slack.event({**said, "user": BOT, "text": f"<@{BOT}> hi"})
    slack.event({**said, "user": None, "text": f"<@{BOT}> hi"})
    slack.event({"type": "reaction_added", "user": "U1"})
    room.counted("ignored: event of another type")
    for what in ("message of a bot", "message of ourselves", "malformed", "message: message_changed"):
        room.counted(f"ignored: {what}")
    assert room.arrived == []


def test_threads_below_our_own_messages_are_heard_after_a_restart(room: SlackRoom) -> None:
    slack = room.slack
    ours = room.adapter.send("slack:C1", m.Reply(CARD, name="order:7"))
    room.adapter.stop()
    room.adapter.start(room.receive)
    assert room.adapter.wait_until_live(10)
    slack.say("U1", "C1", "why so much?", thread=ours)
    assert room.last().address == f"slack:C1/{ours}"


def test_a_thread_we_were_called_into_is_heard_after_a_restart(socket_room: SlackRoom) -> None:
    room = socket_room
    ts = room.slack.say("U1", "C1", f"<@{BOT}> hello")
    room.last()
    room.adapter.stop()
    room.adapter = SlackAdapter(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=room.slack.api_url)
    room.adapter.start(room.receive)
    assert room.adapter.wait_until_live(10)
    room.slack.say("U2", "C1", "and now?", thread=ts)
    assert room.last(2).text == "and now?"
    assert len(room.slack.called("conversations.replies")) == 1


def test_a_file_without_words_arrives_by_name(room: SlackRoom) -> None:
    direct = room.slack.direct("U1")
    files = [{"id": "F1", "name": "leads.csv", "mimetype": "text/csv"}]
    room.slack.say("U1", direct, "", subtype="file_share", files=files)
    file = room.last()
    assert isinstance(file, m.File)
    assert (file.name, file.mime, file.content) == ("leads.csv", "text/csv", b"")
    room.slack.say("U1", direct, "these leads", subtype="file_share", files=files)
    assert room.last(2).text == "these leads"


def test_messages_of_an_address_are_handled_in_their_order_and_others_do_not_wait(room: SlackRoom) -> None:
    held, begun = threading.Event(), threading.Event()
    order: list[str] = []

    def react(incoming: m.Incoming) -> m.Receipt:
        if isinstance(incoming, m.Message) and incoming.text == "first":
            begun.set()
            assert held.wait(10)
        order.append(getattr(incoming, "text", ""))
        return m.Receipt(handled=True)

    room.react = react
    for text in ("first", "second", "third"):
        room.slack.say("U1", room.slack.direct("U1"), text)
    assert begun.wait(10)
    room.slack.say("U2", room.slack.direct("U2"), "elsewhere")
    room.last()
    held.set()
    room.last(4)
    assert order == ["elsewhere", "first", "second", "third"]


def test_the_same_event_again_is_a_repeat(room: SlackRoom) -> None:
    event = {"type": "app_home_opened", "user": "U1", "tab": "home", "event_ts": "1.2"}
    for retry in range(3):
        room.slack.event(event, event_id="EvHome", retry=retry)
    home = room.last()
    room.counted("repeat or refused", 2)
    assert (home.action, home.address, home.private) == ("home.show", "slack:home/U1", True)


# ---------------------------------------------------------------- cards


def test_a_card_is_posted_pressed_and_changed_in_its_place(room: SlackRoom) -> None:
    slack = room.slack
    handle = room.adapter.send("slack:C1", m.Reply(CARD, name="order:7"))
    [said] = slack.standing("C1")
    payload = slack.press("U2", said, "Approve")
    tap = room.last()
    assert isinstance(tap, m.Tap)
    assert (tap.action, tap.card, tap.address) == ("order.approve:7", "order:7", "slack:C1")
    assert (tap.login, tap.private, tap.language) == ("slack:U2", False, "zh")
    slack.bring("interactive", payload)  # the same press once more
    room.counted("repeat or refused")
    assert (
        room.adapter.edit("slack:C1", handle, m.Reply(m.Card(title="Approved", tone="good"), name="order:7")) == handle
    )
    [now] = slack.standing("C1")
    assert (texts(now), now["edits"]) == ("🟢 Approved", 1)


def test_a_press_in_a_thread_and_in_a_direct_message_is_answered_there(room: SlackRoom) -> None:
    slack = room.slack
    ts = slack.say("U1", "C1", f"<@{BOT}> hi")
    room.last()
    room.adapter.send(f"slack:C1/{ts}", m.Reply(CARD))
    slack.press("U1", slack.standing("C1")[-1], "Approve")
    assert room.last(2).address == f"slack:C1/{ts}"
    room.adapter.send("slack:U1", m.Reply(CARD))
    slack.press("U1", slack.standing("DU1")[-1], "Reject")
    assert (room.last(3).address, room.last(3).private) == ("slack:U1", True)
    assert len(slack.called("conversations.open")) == 1


def test_a_long_card_is_several_messages_and_stays_in_step(room: SlackRoom) -> None:
    slack = room.slack
    long = m.Reply(m.Card(title="Report", text="line of words\n" * 2500))
    handle = room.adapter.send("slack:U1", long)
    parts = len(slack.standing("DU1"))
    assert parts > 2
    assert handle.count(",") == parts - 1
    shorter = room.adapter.edit("slack:U1", handle, m.Reply(m.Card(text="short")))
    assert shorter == handle.split(",")[0]
    assert [texts(said) for said in slack.standing("DU1")] == ["short"]
    assert room.adapter.edit("slack:U1", shorter, long).count(",") == parts - 1
    assert len(slack.standing("DU1")) == parts


def test_a_long_message_goes_on_where_it_was_interrupted(room: SlackRoom) -> None:
    slack = room.slack
    long = m.Reply(m.Card(text="line of words\n" * 2500))
    room.adapter.send("slack:C1", m.Reply(m.Card(text="first")))
    slack.fail("chat.postMessage", "internal_error", channel="DU1", times=1)
    with pytest.raises(m.CannotDeliver):
        room.adapter.send("slack:U1", long)
    handle = room.adapter.send("slack:U1", long)
    assert len(slack.standing("DU1")) == handle.count(",") + 1


def test_a_card_that_vanished_is_posted_anew(room: SlackRoom) -> None:
    slack = room.slack
    handle = room.adapter.send("slack:C1", m.Reply(CARD))
    del slack.messages["C1", handle]
    new = room.adapter.edit("slack:C1", handle, m.Reply(CARD))
    assert new != handle
    assert [said["ts"] for said in slack.standing("C1")] == [new]


def test_what_only_one_may_see_is_shown_to_them_alone(room: SlackRoom) -> None:
    slack = room.slack
    only = m.Reply(m.Card(text="psst"), only="slack:U1")
    assert room.adapter.send("slack:C1", only) == ""
    assert slack.standing("C1") == []
    [said] = slack.standing("C1", seen_by="U1")
    assert texts(said) == "psst"
    assert room.adapter.send("slack:U1", only)
    assert [texts(said) for said in slack.standing("DU1")] == ["psst"]
    with pytest.raises(m.CannotDeliver) as refused:
        room.adapter.send("slack:U2", only)
    assert refused.value.gone
    slack.person("U3")
    assert room.adapter.send("slack:C1", m.Reply(m.Card(text="not in here"), only="slack:U3")) == ""
    assert [texts(said) for said in slack.standing("DU3")] == ["not in here"]


def test_a_table_that_is_refused_is_drawn(room: SlackRoom) -> None:
    room.slack.fail("chat.postMessage", "invalid_blocks")
    room.adapter.send("slack:C1", m.Reply(CARD))
    [said] = room.slack.standing("C1")
    assert [block["type"] for block in said["blocks"]] == ["header", "section", "section", "rich_text", "actions"]


def test_a_picture_is_uploaded_and_shared_where_it_belongs(room: SlackRoom) -> None:
    ts = room.slack.say("U1", "C1", f"<@{BOT}> chart")
    room.last()
    handle = room.adapter.picture(f"slack:C1/{ts}", m.Picture(PNG, "weekly 每周.png", "Sales & more, rising"))
    file = room.slack.files[handle]
    assert (file["content"], file["shared"], file["thread"]) == (PNG, "C1", ts)
    assert (file["alt_txt"], file["comment"]) == ("Sales & more, rising", "Sales &amp; more, rising")
    room.adapter.picture("slack:U2", m.Picture(PNG * 300_000, "a.png", "每周销售" * 900))
    room.adapter.picture("slack:U2", m.Picture(PNG, "b.png", ""))
    assert [file["shared"] for file in room.slack.files.values()] == ["C1", "DU2", "DU2"]


def test_the_home_tab_shows_its_card_and_its_buttons_answer_in_the_conversation(room: SlackRoom) -> None:
    slack = room.slack
    card = m.Card(
        title="Waits for you", table=CARD.table, buttons=(m.Button("#7", "order.show:7"), m.Button("Next", "home.next"))
    )

    def show(tap: m.Incoming) -> m.Receipt:
        room.adapter.send(tap.address, m.Reply(card, name="home"))
        return m.Receipt(handled=True)

    room.react = show
    slack.open_home("U1")
    room.last()
    view = slack.homes["U1"]
    assert "Waits for you" in texts(view)
    room.react = lambda _: m.Receipt(handled=True)
    slack.press("U1", view, "#7")
    assert (room.last(2).address, room.last(2).card) == ("slack:U1", "home")
    slack.press("U1", view, "Next")
    assert room.last(3).address == "slack:home/U1"
    assert room.adapter.edit("slack:home/U1", "home", m.Reply(m.Card(title="Nothing"), name="home")) == "home"
    assert texts(slack.homes["U1"]) == "Nothing"
    room.adapter.send("slack:home/U1", m.Reply(m.Card(text="sorry"), only="slack:U1"))
    assert texts(slack.standing("DU1")[-1]) == "sorry"
    slack.open_home("U1", "messages")
    room.counted("ignored: messages tab opened")


# ---------------------------------------------------------------- commands, shortcuts and forms


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("/order", "50 Pro for Acme", "order 50 Pro for Acme"),
        ("/order", "50 个专业版", "下单 50 个专业版"),
        ("/lead", "Jo, Globex", "new lead: Jo, Globex"),
        ("/deal", "Acme 40k", "log a deal Acme 40k"),
        ("/who", "Acme", "who is Acme"),
        ("/report", "", "weekly sales"),
        ("/report", "pipeline", "pipeline"),
        ("/pending", "", "what waits for me?"),
        ("/dealdesk", "", "help"),
        ("/dealdesk", "approve 7", "approve 7"),
    ],
)
def test_a_command_is_a_sentence_answered_in_private(socket_room: SlackRoom, name: str, text: str, meant: str) -> None:
    ack = socket_room.slack.command("U1", name, text)
    message = socket_room.last()
    assert (message.text, message.address, message.private) == (meant, "slack:U1", True)
    assert ack.payload == {}


def test_a_command_that_is_not_ours_is_counted(room: SlackRoom) -> None:
    room.slack.command("U1", "/weather")
    room.counted("ignored: command of another name")


def test_a_form_is_opened_filled_in_and_arrives(room: SlackRoom) -> None:
    slack = room.slack
    room.react = lambda incoming: m.Receipt(handled=True, ask=ASK if isinstance(incoming, m.Tap) else None)
    slack.command("U1", "/order")
    tap = room.last()
    assert (tap.action, tap.address) == ("order.new", "slack:U1")
    view = room.form()
    ack = slack.submit("U1", view, {"customer": " ", "seats": "lots"})
    assert ack.payload["response_action"] == "errors"
    assert list(ack.payload["errors"].values()) == ["Please fill this in.", "Please write a number, such as 1200.50."]
    assert slack.submit("U1", view, {"customer": "Acme", "seats": "1,200"}).payload == {}
    form = room.last(2)
    assert isinstance(form, m.Form)
    assert (form.form, form.address, form.private) == ("order.new", "slack:U1", True)
    assert form.values == {"customer": "Acme", "seats": "1200", "note": ""}
    assert slack.views == {}


def test_a_form_asked_for_in_a_channel_answers_there(room: SlackRoom) -> None:
    room.adapter.send("slack:C1", m.Reply(CARD, name="order:7"))
    room.react = lambda incoming: m.Receipt(handled=True, ask=ASK if isinstance(incoming, m.Tap) else None)
    room.slack.press("U1", room.slack.standing("C1")[0], "Reject")
    room.slack.submit("U1", room.form(), {"customer": "x", "seats": "1"})
    assert (room.last(2).address, room.last(2).private) == ("slack:C1", False)


def test_a_form_that_takes_long_is_announced_in_time_and_then_replaced() -> None:
    room = SlackRoom(soon=0.05)
    opened = threading.Event()

    def react(incoming: m.Incoming) -> m.Receipt:
        if isinstance(incoming, m.Tap):
            room.slack.wait(lambda: room.slack.views)
            opened.set()
            return m.Receipt(handled=True, ask=ASK if incoming.action == "order.new" else None)
        return m.Receipt(handled=True)

    try:
        room.react = react
        room.slack.command("U1", "/order")
        assert "Working…" in texts(room.slack.wait(lambda: next(iter(room.slack.views.values()), None)))
        view = room.form()
        assert opened.is_set()
        room.slack.submit("U1", view, {"customer": "Acme", "seats": "2"})
        assert room.last(2).values["customer"] == "Acme"
        room.slack.views.clear()
        room.slack.command("U1", "/lead")
        room.slack.wait(lambda: any("Done." in texts(view) for view in room.slack.views.values()))
    finally:
        room.close()


def test_a_spent_trigger_is_answered_with_a_button_that_opens_the_form(room: SlackRoom) -> None:
    slack = room.slack
    room.adapter.send("slack:C1", m.Reply(CARD))
    slack.trigger_life = -1.0
    room.react = lambda _: m.Receipt(handled=True, ask=ASK)
    slack.press("U1", slack.standing("C1")[0], "Reject")
    said = slack.wait(lambda: slack.standing("C1", seen_by="U1")[1:])[0]
    assert "Please tap again: New order" in texts(said)
    slack.trigger_life = 3.0
    slack.press("U1", said, "Open the form")
    assert room.form()["submit"]["text"] == "Place it"
    room.counted("form too late")


def test_a_form_asked_for_by_a_message_waits_behind_a_button_and_the_button_goes_when_it_was_sent(
    room: SlackRoom,
) -> None:
    slack = room.slack
    room.react = lambda incoming: m.Receipt(handled=True, ask=ASK if isinstance(incoming, m.Message) else None)
    slack.say("U1", slack.direct("U1"), "reject 7")
    said = slack.wait(lambda: slack.standing("DU1")[1:])[0]
    slack.press("U1", said, "Open the form")
    slack.submit("U1", room.form(), {"customer": "Acme", "seats": "3"})
    assert room.last(2).address == "slack:U1"
    slack.wait(lambda: len(slack.standing("DU1")) == 1)


def test_somebodys_message_is_logged_for_the_one_who_chose_it(room: SlackRoom) -> None:
    slack = room.slack
    ts = slack.say("U2", "C1", "Jo from Globex wants a demo &amp; a quote")
    slack.shortcut("U1", slack.messages["C1", ts], "log_as_lead")
    message = room.last()
    assert (message.text, message.login) == ("new lead: Jo from Globex wants a demo & a quote", "slack:U1")
    assert (message.address, message.private) == ("slack:U1", True)
    slack.shortcut("U1", slack.messages["C1", ts], "log_as_need")
    assert room.last(2).text.startswith("note need: ")
    slack.shortcut("U1", slack.messages["C1", ts], "something_else")
    room.counted("ignored: shortcut of another name")


def test_a_turn_that_fails_is_counted_and_the_next_one_works(room: SlackRoom, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: m.Incoming) -> m.Receipt:
        raise RuntimeError("no")

    room.react = fails
    direct = room.slack.direct("U1")
    room.slack.say("U1", direct, "secret words")
    room.counted("failed")
    room.react = lambda _: m.Receipt(handled=True)
    room.slack.say("U1", direct, "again")
    room.last()
    assert "secret words" not in caplog.text
    assert BOT_TOKEN not in caplog.text


# ---------------------------------------------------------------- limits and failures


def refused(room: SlackRoom, address: str, reply: m.Reply | None = None) -> m.CannotDeliver:
    with pytest.raises(m.CannotDeliver) as error:
        room.adapter.send(address, reply or m.Reply(m.Card(text="hi")))
    return error.value


def test_a_channel_that_is_limited_holds_up_no_other(room: SlackRoom) -> None:
    slack = room.slack
    slack.channel("C2", "U1")
    slack.fail("chat.postMessage", status=429, retry_after=30, channel="C1")
    assert refused(room, "slack:C1").retry_after == 30
    again = refused(room, "slack:C1/1700000000.000100").retry_after  # not even asked: Slack said until when
    assert again is not None
    assert 25 < again <= 30
    assert room.adapter.send("slack:C2", m.Reply(m.Card(text="hi")))
    assert room.adapter.send("slack:C1", m.Reply(m.Card(text="hi"), only="slack:U1")) == ""
    assert len(slack.called("chat.postMessage")) == 2


def test_bursts_are_paced(socket_room: SlackRoom) -> None:
    waits: list[float | None] = []

    def send() -> None:
        try:
            socket_room.adapter.send("slack:C1", m.Reply(m.Card(text="x")))
        except m.CannotDeliver as error:
            waits.append(error.retry_after)

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 4 <= len(socket_room.slack.standing("C1")) <= 6  # three at once, then one a second, as long as one waits
    assert waits
    assert all(waits)


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        ("is_archived", True),
        ("account_inactive", True),
        ("not_in_channel", True),
        ("invalid_auth", False),
        ("fatal_error", False),
    ],
)
def test_what_slack_refuses_is_told_apart(socket_room: SlackRoom, error: str, gone: bool) -> None:
    socket_room.slack.fail("chat.postMessage", error)
    assert refused(socket_room, "slack:C1").gone is gone


def test_failures_on_the_way_can_be_tried_again(socket_room: SlackRoom) -> None:
    room = socket_room
    room.slack.fail("chat.postMessage", status=500)
    assert not refused(room, "slack:C1").gone
    room.slack.fail("chat.postMessage", hang=True, times=9)
    assert not refused(room, "slack:C1").gone
    room.slack.faults.clear()
    assert refused(room, "slack:C9").gone
    assert refused(room, "slack:U9").gone
    assert room.adapter.send("slack:C1", m.Reply(m.Card(text="hi")))


def test_nothing_can_be_said_before_the_start_or_after_the_stop() -> None:
    adapter = SlackAdapter(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url="http://127.0.0.1:1/api/")
    with pytest.raises(m.CannotDeliver):
        adapter.send("slack:C1", m.Reply(m.Card(text="hi")))
    adapter.stop()
    with pytest.raises(ValueError, match="Slack needs"):
        SlackAdapter(bot_token=BOT_TOKEN)


def test_stopping_finishes_the_turn_in_progress_and_what_it_says() -> None:
    room = SlackRoom()
    stopping, begun = threading.Event(), threading.Event()

    def react(incoming: m.Incoming) -> m.Receipt:
        begun.set()
        assert stopping.wait(10)
        return room.echo(incoming)

    room.react = react
    room.slack.say("U1", room.slack.direct("U1"), "one last thing")
    assert begun.wait(10)
    stopper = threading.Thread(target=room.adapter.stop)
    stopper.start()
    room.slack.wait(lambda: room.slack.live() == 0)
    stopping.set()
    stopper.join(20)
    assert [texts(said) for said in room.slack.standing("DU1")[1:]] == ["You said: one last thing"]
    room.close()


def test_a_slack_that_does_not_know_us_yet_is_asked_again() -> None:
    room = SlackRoom()
    room.adapter.stop()
    room.slack.fail("auth.test", "invalid_auth", times=1)
    room.slack.fail("apps.connections.open", status=429, retry_after=0)
    room.adapter.start(room.receive)
    assert room.adapter.wait_until_live(10)
    room.close()
