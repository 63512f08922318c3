"""What people do on Telegram arrives, and what is said to them stands there, by polling and by webhook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot import messages as m
from bot.adapters.telegram import TelegramAdapter, TelegramWords
from tests.adapters.telegram_room import CHEN, FORUM, GROUP, MIA, Room
from tests.fakes.telegram import BOT, NAME, TOKEN

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"


@pytest.fixture(params=["polling", "webhook"])
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    opened = Room(request.param)
    yield opened
    opened.close()


@pytest.fixture
def polled() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.close()


# ---------------------------------------------------------------- in


def test_a_private_message_arrives_with_all_that_is_known_of_it(room: Room) -> None:
    update = room.service.types(CHEN, "订单 40 Widget 给 Acme")
    said = room.next()
    date = update["message"]["date"]
    assert isinstance(said, m.Message)
    assert (said.text, said.address, said.login) == ("订单 40 Widget 给 Acme", "telegram:88", "telegram:88")
    assert (said.language, said.private, int(said.at.timestamp())) == ("zh", True, date)
    assert said.id == f"telegram:{BOT}:{update['update_id']}:{date}"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        (f"@{NAME} order 5 Widgets", "order 5 Widgets"),
        (f"🎉🎉 order 5 @{NAME.upper()}, please", "🎉🎉 order 5 please"),
        (f"@{NAME}", "help"),
        (f"/order@{NAME} 5 Widgets", "order 5 Widgets"),
        (f"@{NAME} /who Acme", "who is Acme"),
        ("/report", "weekly sales"),
        ("/pending", "what waits for me?"),
    ],
)
def test_in_a_group_the_bot_hears_what_is_meant_for_it(polled: Room, typed: str, heard: str) -> None:
    polled.service.types(MIA, typed, GROUP)
    said = polled.next()
    assert isinstance(said, m.Message)
    assert (said.text, said.address, said.login, said.private) == (heard, f"telegram:{GROUP}", "telegram:77", False)


def test_in_a_group_everything_else_is_none_of_its_business(polled: Room) -> None:
    service = polled.service
    service.types(MIA, "lunch?", GROUP)
    service.types(MIA, "/order@other_bot 5", GROUP)
    service.types(MIA, "/weather", GROUP)
    service.types(MIA, f"mail me at mia@{NAME}.example", GROUP)
    service.types(MIA, f"@{NAME} hello", GROUP)
    assert polled.next().id.split(":")[2] == str(service.update_id)
    assert polled.adapter.counts["not_addressed"] == 3
    assert polled.adapter.counts["other_bot"] == 1


def test_a_reply_to_the_bot_is_meant_for_it(polled: Room) -> None:
    handle = polled.say(f"telegram:{GROUP}", "Which customer?")
    polled.service.types(MIA, "Acme", GROUP, reply_to=int(handle))
    said = polled.next()
    assert isinstance(said, m.Message)
    assert said.text == "Acme"


def test_a_topic_is_an_address_of_its_own(polled: Room) -> None:
    polled.service.types(MIA, "/help", FORUM, topic=5)
    assert polled.next().address == f"telegram:{FORUM}/5"
    handle = polled.say(f"telegram:{FORUM}/5", "Here")
    assert polled.service.sent[FORUM, int(handle)].thread == 5
    polled.service.types(MIA, "/help", FORUM, message_thread_id=900)  # a thread of replies, no topic
    assert polled.next().address == f"telegram:{FORUM}"


def test_in_a_topic_that_the_bot_made_not_everything_is_a_reply_to_it(polled: Room) -> None:
    made = {"message_id": 5, "from": {"id": BOT, "is_bot": True}, "forum_topic_created": {"name": "Deals"}}
    polled.service.types(MIA, "lunch?", FORUM, topic=5, reply_to_message=made)
    polled.service.types(MIA, "/help", FORUM, topic=5)
    assert polled.next().id.split(":")[2] == str(polled.service.update_id)


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("/start", "help"),
        ("/start one-time_Token", "/start one-time_Token"),
        ("/help", "help"),
        ("/order 5 Widgets for Acme", "order 5 Widgets for Acme"),
        ("/lead Acme, Ann Lee", "new lead: Acme, Ann Lee"),
        ("/deal Acme 5k", "log a deal Acme 5k"),
        ("/who Acme", "who is Acme"),
        ("/report sales by region", "sales by region"),
        ("/cancel", "cancel"),
        ("/ORDER 5\nWidgets", "order 5\nWidgets"),
        ("/weather Berlin", "weather Berlin"),
        ("/", "/"),
        ("1/2 of it", "1/2 of it"),
    ],
)
def test_commands_are_sentences(polled: Room, typed: str, heard: str) -> None:
    polled.service.types(MIA, typed)
    said = polled.next()
    assert isinstance(said, m.Message)
    assert said.text == heard


@pytest.mark.parametrize(("typed", "action"), [("/order", "order.new"), (f"/lead@{NAME}", "lead.new")])
def test_a_bare_command_opens_a_form(polled: Room, typed: str, action: str) -> None:
    polled.service.types(MIA, typed)
    tap = polled.next()
    assert isinstance(tap, m.Tap)
    assert tap.action == action


def test_a_press_is_answered_before_its_work_and_names_its_card(room: Room) -> None:
    answered = []
    room.works = lambda _: answered.append(list(room.service.questions.values()))
    card = m.Card(title="Order 42", buttons=(m.Button("Approve", "order.approve:42:1:ab12cd34"),))
    handle = room.adapter.send("telegram:77", m.Reply(card, name="order:42"))
    room.service.presses(MIA, "Approve", room.service.sent[77, int(handle)])
    tap = room.next()
    assert isinstance(tap, m.Tap)
    assert (tap.action, tap.card, tap.address) == ("order.approve:42:1:ab12cd34", "order:42", "telegram:77")
    assert answered == [[True]]
    assert len(room.service.called("answerCallbackQuery")) == 1


def test_a_card_whose_name_does_not_fit_is_remembered(polled: Room) -> None:
    action, name = "a" * 60, "customer:with-a-long-name"
    reply = m.Reply(m.Card(text="x", buttons=(m.Button("Go", action),)), name=name)
    handle = polled.adapter.send("telegram:77", reply)
    sent = polled.service.sent[77, int(handle)]
    assert sent.buttons == {"Go": action}
    polled.service.presses(MIA, "Go", sent)
    tap = polled.next()
    assert isinstance(tap, m.Tap)
    assert (tap.action, tap.card) == (action, name)


def test_a_press_in_a_group_is_the_one_who_pressed(polled: Room) -> None:
    handle = polled.adapter.send(
        f"telegram:{FORUM}/6", m.Reply(m.Card(text="x", buttons=(m.Button("Go", "go"),)), name="n|1")
    )
    polled.service.presses(CHEN, "Go", polled.service.sent[FORUM, int(handle)])
    tap = polled.next()
    assert isinstance(tap, m.Tap)
    assert (tap.address, tap.login, tap.private, tap.card) == (f"telegram:{FORUM}/6", "telegram:88", False, "n|1")


def test_a_press_without_a_message_is_answered_and_nothing_else(polled: Room) -> None:
    polled.service.questions["q1"] = False
    polled.service.happens(callback_query={"id": "q1", "from": polled.service.people[MIA], "data": "x"})
    polled.service.until(lambda: polled.service.questions["q1"])
    polled.service.types(MIA, "hello")
    assert isinstance(polled.next(), m.Message)


def test_what_is_no_message_of_a_person_is_counted_and_ignored(room: Room) -> None:
    service = room.service
    mia = service.people[MIA]
    chat = {"id": 77, "type": "private"}
    channel = {"id": -100777, "type": "channel", "title": "News"}
    base = {"message_id": 1, "date": 1, "chat": chat, "from": mia}
    service.happens(edited_message={**base, "text": "order 5", "edit_date": 2})
    service.happens(channel_post={"message_id": 1, "date": 1, "chat": channel, "text": "order 5"})
    service.happens(message={**base, "chat": channel, "text": "order 5"})
    service.happens(message={**base, "new_chat_title": "x"})
    service.happens(message={**base, "from": {"id": 9, "is_bot": True, "first_name": "B"}, "text": "order 5"})
    service.happens(message={**base, "via_bot": {"id": 9, "is_bot": True, "first_name": "B"}, "text": "order 5"})
    service.happens(message={**base, "sender_chat": chat, "text": "order 5"})
    service.happens(message={"message_id": 1, "date": 1, "chat": chat, "text": "order 5"})
    service.happens(message={"text": "order 5"})
    service.happens(message={**base, "date": "yesterday", "text": 5})
    service.happens(message=None)
    service.happens(message=[])
    service.happens(callback_query={"id": "1"})
    service.happens(poll={"id": "1"})
    service.happens()
    service.types(MIA, "hello")
    said = room.next()
    assert isinstance(said, m.Message)
    assert said.text == "hello"
    names = ("edited_message", "channel_post", "channel", "no_text", "bot", "via_bot", "no_person", "poll")
    counts = {name: count for name, count in room.adapter.counts.items() if name in (*names, "malformed")}
    # Over the wire only what was asked for comes; by webhook the fake sends everything.
    assert counts.get("malformed", 0) >= 3
    assert counts["no_person"] == 2
    assert {"bot": 1, "via_bot": 1, "no_text": 1, "channel": 1}.items() <= counts.items()


def test_a_file_arrives_as_a_file(polled: Room) -> None:
    polled.service.files["f1"] = b"a;b"
    document = {"file_id": "f1", "file_unique_id": "u", "file_name": "leads.csv", "mime_type": "text/csv"}
    polled.service.types(MIA, "", text=None, entities=None, document=document, caption="order 5")
    file = polled.next()
    assert isinstance(file, m.File)
    assert (file.name, file.mime, file.content) == ("leads.csv", "text/csv", b"a;b")
    polled.service.types(MIA, "", text=None, photo=[{"file_id": "gone"}])
    photo = polled.next()
    assert isinstance(photo, m.File)
    assert (photo.name, photo.content) == ("photo.jpg", b"")
    polled.service.types(MIA, "", GROUP, text=None, photo=[{"file_id": "gone"}])
    polled.service.types(MIA, "hello")
    assert isinstance(polled.next(), m.Message)


# ---------------------------------------------------------------- out


def test_a_card_looks_like_one(polled: Room) -> None:
    card = m.Card(
        title="Order 42 <draft>",
        text='Tom & "Ann"',
        fields=(m.Field("Customer", "Acme"), m.Field("Approval", "Mia ✓\nTom …", wide=True)),
        table=m.Table(("Product", "Qty", "Total"), (("Widget", "40", "$1,200"), ("小工具", "5", "$150"))),
        note="Prices without tax",
        buttons=(m.Button("Approve", "a", "primary"), m.Button("Reject", "r", "danger"), m.Button("More", "m")),
        tone="waiting",
    )
    handle = polled.adapter.send("telegram:77", m.Reply(card))
    sent = polled.service.sent[77, int(handle)]
    assert sent.text == (
        "⏳ Order 42 <draft>\n"
        'Tom & "Ann"\n\n'
        "Customer: Acme\n"
        "Approval:\nMia ✓\nTom …\n\n"
        "Product  Qty   Total\n"
        "Widget    40  $1,200\n"
        "小工具     5    $150\n\n"
        "Prices without tax"
    )
    assert [entity["type"] for entity in sent.entities] == ["bold", "pre", "italic"]
    assert [[button["text"] for button in row] for row in sent.keyboard] == [["Approve", "Reject", "More"]]
    assert [button.get("style") for button in sent.keyboard[0]] == ["primary", "danger", None]
    assert polled.service.called("sendMessage")[-1]["link_preview_options"] == {"is_disabled": True}


def test_an_edit_replaces_text_and_buttons_and_repeats_are_harmless(polled: Room) -> None:
    before = m.Reply(m.Card(text="Order 42", buttons=(m.Button("Approve", "a"),)), name="order:42")
    handle = polled.adapter.send("telegram:77", before)
    assert polled.adapter.edit("telegram:77", handle, before) == handle
    assert polled.adapter.edit("telegram:77", handle, m.Reply(m.Card(text="Approved"))) == handle
    sent = polled.service.sent[77, int(handle)]
    assert (sent.text, sent.keyboard, sent.edits) == ("Approved", [], 1)


def test_a_card_that_was_deleted_is_posted_anew(polled: Room) -> None:
    handle = polled.say("telegram:77", "one")
    polled.service.delete(polled.service.sent[77, int(handle)])
    again = polled.adapter.edit("telegram:77", handle, m.Reply(m.Card(text="two")))
    assert again != handle
    assert polled.service.sent[77, int(again)].text == "two"


def test_a_long_card_grows_and_shrinks_in_its_place(polled: Room) -> None:
    def reply(lines: int) -> m.Reply:
        return m.Reply(m.Card(text="\n".join(f"line {n} " + "x" * 90 for n in range(lines))), name="c:1")

    handle = polled.adapter.send("telegram:77", reply(100))
    shown = [message.text for message in polled.service.standing(77)]
    assert [text.splitlines()[0] for text in shown[1:]] == ["continued (2/3)", "continued (3/3)"]
    assert shown[0].endswith("continued (1/3)")
    assert handle == ",".join(str(message.id) for message in polled.service.standing(77))
    shorter = polled.adapter.edit("telegram:77", handle, reply(50))
    assert shorter == handle.rpartition(",")[0]
    assert len(polled.service.standing(77)) == 2
    longer = polled.adapter.edit("telegram:77", shorter, reply(100))
    assert longer.startswith(shorter + ",")
    text = "".join(message.text for message in polled.service.standing(77))
    assert all(f"line {n} " in text for n in range(100))


def test_many_buttons_go_on_in_further_messages(polled: Room) -> None:
    buttons = tuple(m.Button(f"Customer {n}", f"customer.show:{n}") for n in range(250))
    polled.adapter.send("telegram:77", m.Reply(m.Card(text="Which?", buttons=buttons), name="x:1"))
    shown = polled.service.standing(77)
    assert [label for message in shown for label in message.buttons] == [button.label for button in buttons]
    assert len(shown) == 3
    assert shown[1].text == "continued (2/3)"


def test_a_picture_has_a_caption_and_a_name(polled: Room) -> None:
    png = PNG + (640).to_bytes(4, "big") + (360).to_bytes(4, "big")
    handle = polled.adapter.picture("telegram:77", m.Picture(png, "sales.png", "Sales <rose> 5 %"))
    sent = polled.service.sent[77, int(handle)]
    assert (sent.text, sent.file) == ("Sales <rose> 5 %", ("photo", "sales.png", png))
    handles = polled.adapter.picture("telegram:77", m.Picture(png, "s.png", "word " * 400)).split(",")
    first, second = (polled.service.sent[77, int(handle)].text for handle in handles)
    assert (first + " " + second).split() == ["word"] * 400


@pytest.mark.parametrize(("width", "height", "size"), [(9000, 2000, 100), (4100, 200, 100), (640, 360, 10_000_001)])
def test_a_picture_telegram_takes_no_photo_of_is_a_document(polled: Room, width: int, height: int, size: int) -> None:
    png = (PNG + width.to_bytes(4, "big") + height.to_bytes(4, "big")).ljust(size, b"\0")
    handle = polled.adapter.picture("telegram:77", m.Picture(png, "sales.png", "Sales"))
    file = polled.service.sent[77, int(handle)].file
    assert file is not None
    assert file[:2] == ("document", "sales.png")


# ---------------------------------------------------------------- whom it can reach


def test_only_one_person_may_see_it_so_it_goes_to_their_private_chat(polled: Room) -> None:
    handle = polled.say(f"telegram:{GROUP}", "Your quota: 40 %", only="telegram:77")
    assert handle.startswith("77:")
    assert polled.service.standing(GROUP) == []
    assert polled.service.last(MIA).text == "Your quota: 40 %"
    assert polled.adapter.edit(f"telegram:{GROUP}", handle, m.Reply(m.Card(text="50 %"), only="telegram:77")) == handle
    assert polled.service.last(MIA).text == "50 %"
    assert polled.say("telegram:77", "here", only="telegram:77").isdecimal()


def test_whoever_never_pressed_start_is_told_so_without_the_content(polled: Room) -> None:
    polled.service.person(99, "Lena <3", started=False)
    polled.service.types(99, "/who Acme", GROUP)
    polled.next()
    reply = m.Reply(m.Card(text="secret"), only="telegram:99")
    handle = polled.adapter.send(f"telegram:{GROUP}", reply)
    (hint,) = polled.service.standing(GROUP)
    assert hint.text == (
        f"Lena <3, this is for you alone. Open a private chat with me at https://t.me/{NAME}, press Start, "
        "and ask again."
    )
    assert hint.entities[0]["url"] == "tg://user?id=99"
    assert polled.adapter.edit(f"telegram:{GROUP}", handle, reply) == handle
    assert polled.service.standing(GROUP) == [hint]
    polled.service.started.add(99)
    assert polled.adapter.edit(f"telegram:{GROUP}", handle, reply).startswith("99:")


@pytest.mark.parametrize("only", ["slack:U1", "telegram:88"])
def test_what_is_for_someone_else_is_never_shown_in_a_private_chat(polled: Room, only: str) -> None:
    with pytest.raises(m.CannotDeliver) as caught:
        polled.say("telegram:77", "secret", only=only)
    assert caught.value.gone
    assert polled.service.standing(77) == []


def test_who_cannot_be_reached(polled: Room) -> None:
    polled.service.person(99, "Lena", started=False)
    polled.service.blocked.add(CHEN)
    for address in ("telegram:99", "telegram:88", "telegram:123456", f"telegram:{FORUM}/7"):
        with pytest.raises(m.CannotDeliver) as caught:
            polled.say(address)
        assert caught.value.gone
        assert caught.value.why.startswith("unreachable: ")
    for address in ("telegram:", "telegram:mia", "telegram:5/x"):
        with pytest.raises(m.CannotDeliver):
            polled.say(address)


def test_a_group_that_moved_is_followed(polled: Room) -> None:
    polled.say(f"telegram:{GROUP}", "before")
    polled.service.upgrade(GROUP, -1009)
    handle = polled.say(f"telegram:{GROUP}", "after")
    assert polled.service.sent[-1009, int(handle)].text == "after"
    calls = len(polled.service.calls)
    polled.say(f"telegram:{GROUP}", "again")
    assert len(polled.service.calls) == calls + 1  # it is remembered


def test_addresses_and_links(polled: Room) -> None:
    adapter = polled.adapter
    assert adapter.serves("telegram:-100/5")
    assert not adapter.serves("web:mia")
    assert adapter.deep_link("one-time_token") == f"https://t.me/{NAME}?start=one-time_token"
    with pytest.raises(ValueError, match="64"):
        adapter.deep_link("x" * 65)


def test_the_menu_speaks_each_language() -> None:
    words = TelegramWords(menu={"order": "新订单", "help": "帮助"})
    room = Room(words={"en": TelegramWords(), "zh": words})
    try:
        room.service.until(lambda: len(room.service.commands) == 2)
        assert {"command": "order", "description": "新订单"} in room.service.commands["zh"]
        assert {"command": "order", "description": "New order"} in room.service.commands[""]
    finally:
        room.close()


def test_wrong_settings_are_said_at_once() -> None:
    with pytest.raises(ValueError, match="BotFather"):
        TelegramAdapter(token=" ")
    with pytest.raises(ValueError, match="secret"):
        TelegramAdapter(token=TOKEN, webhook_secret="no spaces!")
