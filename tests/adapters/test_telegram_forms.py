"""Forms on a platform that has none: asked line by line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot import messages as m
from tests.adapters.telegram_room import CHEN, FORUM, GROUP, MIA, Room

LEAD = m.Ask(
    "lead:new",
    "New lead",
    (
        m.Input("company", "Company", hint="As it is written on their site"),
        m.Input("size", "How many people?", kind="number", required=False),
        m.Input("source", "Source", kind="choice", options=(("web", "Web site"), ("fair", "Trade <fair>"))),
        m.Input("owner", "Owner", value="Mia"),
    ),
    "Save",
    "Tell me about them.",
)
REASON = m.Ask("order.reject:42", "Reject order 42", (m.Input("reason", "Reason", kind="long"),), "Reject")


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    opened.asks = lambda it: LEAD if isinstance(it, m.Tap) and it.action == "lead.new" else None
    yield opened
    opened.close()


def begin(room: Room) -> None:
    room.service.types(MIA, "/lead")
    assert isinstance(room.next(), m.Tap)


def test_blank_after_blank_and_the_form_arrives_whole(room: Room) -> None:
    service = room.service
    begin(room)
    first = service.said(77, "1/4")
    assert first.text == (
        "✎ New lead · 1/4\nTell me about them.\nCompany\nAs it is written on their site\n\n"
        "Reply to this message with your answer, or write “cancel” to stop."
    )
    assert first.markup == {
        "force_reply": True,
        "selective": True,
        "input_field_placeholder": "As it is written on their site",
    }
    service.types(MIA, "Acme & Söhne", reply_to=first.id)
    second = service.said(77, "2/4")
    service.types(MIA, "a few", reply_to=second.id)
    second = service.said(77, "Please write a number")
    assert list(second.buttons) == ["Skip", "Cancel"]
    service.types(MIA, "１２０")  # typed without replying, in full-width digits
    third = service.said(77, "3/4")
    assert list(third.buttons) == ["Web site", "Trade <fair>", "Cancel"]
    service.presses(MIA, "Trade <fair>", third)
    service.until(lambda: third.edits)
    assert (third.text, third.keyboard) == ("✎ New lead\nSource: Trade <fair>", [])
    fourth = service.said(77, "4/4")
    service.presses(MIA, "Keep “Mia”", fourth)
    form = room.next()
    assert isinstance(form, m.Form)
    assert (form.form, form.login, form.address) == ("lead:new", "telegram:77", "telegram:77")
    assert form.values == {"company": "Acme & Söhne", "size": "120", "source": "fair", "owner": "Mia"}
    assert all(service.questions.values())


def test_a_choice_may_be_typed_and_what_is_optional_skipped(room: Room) -> None:
    service = room.service
    begin(room)
    service.types(MIA, "Acme", reply_to=service.said(77, "1/4").id)
    service.presses(MIA, "Skip", service.said(77, "2/4"))
    service.said(77, "3/4")
    service.types(MIA, "newspaper")
    service.said(77, "Please choose one of these.")
    service.types(MIA, "web SITE")
    service.said(77, "4/4")
    service.types(MIA, "Tom")
    form = room.next()
    assert isinstance(form, m.Form)
    assert form.values == {"company": "Acme", "size": "", "source": "web", "owner": "Tom"}


@pytest.mark.parametrize("word", ["cancel", "取消", "/cancel", "Cancel "])
def test_the_form_can_be_left_in_words(room: Room, word: str) -> None:
    begin(room)
    room.service.said(77, "1/4")
    room.service.types(MIA, word)
    room.service.said(77, "Stopped. Nothing was saved.")
    room.service.types(MIA, "hello")
    said = room.next()
    assert isinstance(said, m.Message)
    assert said.text == "hello"


def test_the_form_can_be_left_by_a_button(room: Room) -> None:
    service = room.service
    begin(room)
    service.types(MIA, "Acme", reply_to=service.said(77, "1/4").id)
    second = service.said(77, "2/4")
    service.presses(MIA, "Cancel", second)
    service.until(lambda: second.edits)
    assert (second.text, second.keyboard) == ("Stopped. Nothing was saved.", [])


def test_another_command_is_answered_and_the_form_stays_open(room: Room) -> None:
    service = room.service
    begin(room)
    question = service.said(77, "1/4")
    service.types(MIA, "/who Acme")
    assert isinstance(room.next(), m.Message)
    service.types(MIA, "and Globex?")  # it goes on about that, not about the form
    assert isinstance(room.next(), m.Message)
    service.types(MIA, "Initech", reply_to=question.id)
    service.said(77, "2/4")
    service.types(MIA, "Initrode", reply_to=question.id)  # "no, I meant": an earlier answer is corrected
    service.until(lambda: len(service.standing(77)) == 3)
    service.types(MIA, "5", reply_to=service.last(77).id)
    service.types(MIA, "web", reply_to=service.said(77, "3/4").id)
    service.presses(MIA, "Keep “Mia”", service.said(77, "4/4"))
    form = room.next()
    assert isinstance(form, m.Form)
    assert form.values["company"] == "Initrode"


def test_a_file_is_no_answer(room: Room) -> None:
    begin(room)
    question = room.service.said(77, "1/4")
    room.service.types(MIA, "", reply_to=question.id, text=None, photo=[{"file_id": "f"}])
    room.service.said(77, "Please answer in writing")


def test_after_a_restart_a_late_answer_is_told_so(room: Room) -> None:
    service = room.service
    begin(room)
    first = service.said(77, "1/4")
    service.types(MIA, "Acme", reply_to=first.id)
    second = service.said(77, "2/4")
    room.adapter.stop()
    room.start()
    service.types(MIA, "Acme", reply_to=first.id)
    service.said(77, "This form is no longer open.")
    service.presses(MIA, "Skip", second)
    service.until(lambda: second.edits)
    assert (second.text, second.keyboard) == ("This form is no longer open. Please start it again.", [])
    assert service.answers[-1]["text"] == "This form is no longer open. Please start it again."
    assert room.arrived == []


def test_in_a_group_only_the_one_who_was_asked_answers(room: Room) -> None:
    service = room.service
    room.asks = lambda it: REASON if isinstance(it, m.Tap) else None
    handle = room.adapter.send(
        f"telegram:{FORUM}/5", m.Reply(m.Card(text="Order 42", buttons=(m.Button("Reject", "order.reject:42"),)))
    )
    service.presses(MIA, "Reject", service.sent[FORUM, int(handle)])
    assert isinstance(room.next(), m.Tap)
    question = service.said(FORUM, "Reason")
    assert question.text.startswith("Mia\n✎ Reject order 42\nReason")
    assert question.entities[0]["url"] == "tg://user?id=77"
    assert question.thread == 5
    service.types(CHEN, "because", FORUM, topic=5, reply_to=question.id)
    service.said(FORUM, "This form was opened by someone else")
    service.types(MIA, "Too low a\nmargin", FORUM, topic=5, reply_to=question.id)
    form = room.next()
    assert isinstance(form, m.Form)
    assert (form.form, form.values, form.address) == (
        "order.reject:42",
        {"reason": "Too low a\nmargin"},
        f"telegram:{FORUM}/5",
    )


def test_in_a_group_somebody_else_cannot_press(room: Room) -> None:
    service = room.service
    choice = m.Ask("pick", "Pick", (m.Input("one", "One", options=(("a", "A"),)),), "Go")
    room.asks = lambda it: choice if isinstance(it, m.Message) else None
    service.types(MIA, "/help", GROUP)
    room.next()
    question = service.said(GROUP, "Pick")
    assert question.reply_to is not None
    service.presses(CHEN, "A", question)
    service.until(lambda: service.answers)
    assert service.answers[-1]["text"] == "This form was opened by someone else."
    service.presses(MIA, "A", question)
    form = room.next()
    assert isinstance(form, m.Form)
    assert form.login == "telegram:77"


def test_an_answer_that_was_not_kept_is_tried_again_whole(room: Room) -> None:
    service = room.service
    room.asks = lambda it: REASON if isinstance(it, m.Tap) else None
    begin(room)
    failures = [OSError("disk full")]

    def work(it: m.Incoming) -> None:
        if isinstance(it, m.Form) and failures:
            raise failures.pop()

    room.works = work
    service.types(MIA, "too dear", reply_to=service.said(77, "Reason").id)
    form = room.next()
    assert isinstance(form, m.Form)
    assert form.values == {"reason": "too dear"}
    assert room.adapter.counts["failed"] == 1
