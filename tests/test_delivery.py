"""Delivery: what the outbox holds is said in order, again after a failure, and no platform silences another."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot.delivery import LONGEST_WAIT, THREADS, TRIES, Delivery, decode, encode
from bot.messages import Button, CannotDeliver, Card, Field, Image, Limits, Picture, Receive, Reply, Table
from storage import tables as t
from storage.outbox import TableOutbox
from storage.store import Database
from tests.talk import Talk

PATIENCE = 20.0
PAST = datetime(2026, 1, 1, tzinfo=UTC)
Trouble = Callable[[str, str], None]


def fine(_what: str, _address: str) -> None:
    """No trouble."""


@dataclass
class Platform:
    """An adapter that writes down what it is told; `trouble` is asked before anything is said."""

    platform: str
    limits: Limits = field(default_factory=Limits)
    said: list[tuple[str, ...]] = field(default_factory=list)
    trouble: Trouble = fine
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def serves(self, address: str) -> bool:
        return address.startswith(f"{self.platform}:")

    def start(self, receive: Receive) -> None: ...

    def stop(self) -> None: ...

    def send(self, address: str, reply: Reply) -> str:
        return self._say("send", address, reply.card.text)

    def edit(self, address: str, handle: str, reply: Reply) -> str:
        self._say("edit", address, handle, reply.card.text)
        return handle

    def picture(self, address: str, picture: Picture) -> str:
        return self._say("picture", address, picture.filename)

    def _say(self, what: str, address: str, *rest: str) -> str:
        self.trouble(what, address)
        self.said.append((what, address, *rest))
        return f"m{next(self._count)}"

    def texts(self) -> list[str]:
        return [entry[-1] for entry in self.said]


class Post:
    """Delivery between a real outbox and two platforms of ours. Nothing is said before `runs` is called."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.slack, self.web = Platform("slack"), Platform("web")
        self.drawn: list[Image] = []
        self.delivery = self.opens()

    def opens(self) -> Delivery:
        return Delivery(TableOutbox(self.database), [self.slack, self.web], self.draw)

    def draw(self, image: Image) -> Picture:
        self.drawn.append(image)
        return Picture(b"png", image.filename, image.alt)

    def puts(self, *replies: Reply, address: str = "web:tom", lane: str = "") -> None:
        with self.database.turn() as unit:
            for reply in replies:
                unit.say(address, encode(reply), PAST, name=reply.name, lane=lane)
                if reply.name:
                    unit.place(reply.name, address, "tom")
            unit.commit()

    def runs(self) -> None:
        assert self.delivery.drain(PATIENCE), "the outbox did not settle"

    def rows(self) -> list[Any]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(select(t.outbox).order_by(t.outbox.c.id)))

    def handle(self, name: str, address: str = "web:tom") -> str | None:
        with self.database.engine.connect() as connection:
            here = (t.card.c.name == name, t.card.c.address == address)
            found: str | None = connection.scalar(select(t.card.c.handle).where(*here))
            return found

    def time_passes(self) -> None:
        """Whatever waits falls due."""
        with self.database.writing() as connection:
            connection.execute(update(t.outbox).where(t.outbox.c.state == "open").values(due=PAST))


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    database = Database(f"sqlite:///{tmp_path / 'delivery.db'}")
    with database.writing() as connection:
        t.metadata.create_all(connection)
    found = Post(database)
    yield found
    found.delivery.stop()
    database.close()


def text(words: str, **more: Any) -> Reply:
    return Reply(Card(text=words), **more)


def refuse(why: str = "down", retry_after: float | None = None, *, gone: bool = False, only: str = "") -> Trouble:
    def trouble(what: str, _address: str) -> None:
        if not only or what == only:
            raise CannotDeliver(why, retry_after, gone=gone)

    return trouble


def tell(heard: threading.Event, only: str = "") -> Trouble:
    """No trouble, but a sign when something is said."""

    def trouble(what: str, _address: str) -> None:
        if not only or what == only:
            heard.set()

    return trouble


# ---------------------------------------------------------------- saying


def test_what_is_put_is_said_where_it_belongs_in_its_order(post: Post) -> None:
    post.puts(text("a"), text("b"), text("c"))
    post.puts(text("x"), text("y"), address="slack:C1")
    post.runs()
    assert post.web.texts() == ["a", "b", "c"]
    assert post.slack.texts() == ["x", "y"]
    assert {row.state for row in post.rows()} == {"sent"}


def test_the_thread_says_what_it_is_woken_for(post: Post) -> None:
    said = threading.Event()
    post.web.trouble = tell(said)
    post.delivery.start()
    post.puts(text("a"))
    post.delivery.wake()
    assert said.wait(PATIENCE)
    post.delivery.stop()
    assert post.web.texts() == ["a"]


def test_stopping_leaves_the_rest_in_the_outbox_for_the_next_start(post: Post) -> None:
    post.delivery.stop()
    post.puts(text("later"))
    assert post.web.texts() == []
    post.delivery = post.opens()
    post.runs()
    assert post.web.texts() == ["later"]


def test_a_named_card_is_posted_once_and_then_edited_where_it_stands(post: Post) -> None:
    for words in ("draft", "pending", "approved"):
        post.puts(text(words, name="order:1"))
        post.runs()
    assert post.web.said == [
        ("send", "web:tom", "draft"),
        ("edit", "web:tom", "m1", "pending"),
        ("edit", "web:tom", "m1", "approved"),
    ]


def test_a_look_that_is_already_out_of_date_is_not_said(post: Post) -> None:
    post.puts(*(text(words, name="order:1") for words in ("draft", "pending", "approved")))
    post.runs()
    assert post.web.said == [("send", "web:tom", "approved")]
    assert {row.state for row in post.rows()} == {"sent"}


def test_a_picture_is_drawn_and_nothing_waits_behind_it(post: Post) -> None:
    drawing, done = threading.Event(), threading.Event()

    def draw(image: Image) -> Picture:
        drawing.set()
        assert done.wait(PATIENCE)
        return Picture(b"png", image.filename, image.alt)

    post.delivery = Delivery(TableOutbox(post.database), [post.slack, post.web], draw)
    image = Image("weekly_sales", {}, "en", "week.png", "a chart")
    post.puts(text("", image=image), lane="web:tom#1")
    post.puts(text("next"))
    said = threading.Event()
    post.web.trouble = tell(said, "send")
    post.delivery.step()
    assert drawing.wait(PATIENCE)
    assert said.wait(PATIENCE)
    done.set()
    post.runs()
    assert post.web.texts() == ["next", "week.png"]


# ---------------------------------------------------------------- failing


def test_a_dead_platform_does_not_silence_the_other(post: Post) -> None:
    post.slack.trouble = refuse("slack is down")
    post.puts(text("a"), text("b"), address="slack:C1")
    post.puts(text("x"), text("y"))
    post.runs()
    assert post.web.texts() == ["x", "y"]
    assert [(row.state, row.tries, row.error) for row in post.rows()[:2]] == [
        ("open", 1, "slack is down"),
        ("open", 0, ""),
    ]


def test_a_platform_that_never_answers_does_not_silence_the_other(post: Post) -> None:
    """Ten of its conversations hang at once, and the other platform is still heard."""
    hanging, over, heard = threading.Semaphore(0), threading.Event(), threading.Event()

    def hang(_what: str, _address: str) -> None:
        hanging.release()
        over.wait(PATIENCE)

    post.slack.trouble = hang
    post.web.trouble = tell(heard)
    for number in range(10):
        post.puts(text("a"), address=f"slack:C{number}")
    post.puts(text("x"))
    post.delivery.step()
    for _ in range(8):
        assert hanging.acquire(timeout=PATIENCE)
    try:
        assert heard.wait(1.0), "every thread hangs in the platform that never answers"
    finally:
        over.set()
        post.runs()


def test_what_waits_for_a_slow_platform_is_said_once_even_when_its_lease_ends_meanwhile(post: Post) -> None:
    """More conversations than threads, and a platform that takes longer over them than a lease lasts."""
    hanging, over = threading.Semaphore(0), threading.Event()

    def hang(_what: str, _address: str) -> None:
        hanging.release()
        over.wait(PATIENCE)

    post.slack.trouble = hang
    for number in range(THREADS + 2):
        post.puts(text(str(number)), address=f"slack:C{number}")
    post.delivery.step()
    for _ in range(THREADS):
        assert hanging.acquire(timeout=PATIENCE)
    post.time_passes()
    post.delivery.step()
    over.set()
    post.runs()
    assert sorted(post.slack.texts()) == sorted(str(number) for number in range(THREADS + 2))


def test_when_the_platform_is_back_the_rest_follows_in_its_order(post: Post) -> None:
    post.slack.trouble = refuse()
    post.puts(text("a"), text("b"), address="slack:C1")
    post.runs()
    post.slack.trouble = fine
    post.time_passes()
    post.runs()
    assert post.slack.texts() == ["a", "b"]


def test_it_waits_as_long_as_the_platform_says(post: Post) -> None:
    post.web.trouble = refuse("rate limited", retry_after=120)
    post.puts(text("a"))
    before = datetime.now(UTC)
    post.runs()
    [row] = post.rows()
    assert before + timedelta(seconds=120) <= row.due <= datetime.now(UTC) + timedelta(seconds=120)
    assert (row.state, row.tries) == ("open", 0), "being asked to wait is no failure"


def test_it_waits_twice_as_long_after_each_failure_and_gives_up_in_the_end(post: Post) -> None:
    post.web.trouble = refuse()
    post.puts(text("a"), text("b"))
    waits = []
    while (row := post.rows()[0]).state == "open":
        post.time_passes()
        before = datetime.now(UTC)
        post.runs()
        row = post.rows()[0]
        if row.state == "open":
            waits.append((row.due - before).total_seconds())
        assert row.tries <= TRIES
    for n, waited in enumerate(waits):
        meant = min(2.0**n, LONGEST_WAIT.total_seconds())
        assert 0.8 * meant <= waited <= 1.2 * meant + 1, "twice as long each time, with some chance in it"
    assert len(waits) == TRIES - 1
    assert (row.state, row.tries) == ("dropped", TRIES)
    post.web.trouble = fine
    post.time_passes()
    post.runs()
    assert post.web.texts() == ["b"], "the lane is free again"


def test_what_can_never_be_said_is_given_up_at_once(post: Post) -> None:
    post.web.trouble = refuse("blocked by the user", gone=True)
    post.puts(text("a"))
    post.runs()
    assert [(row.state, row.tries, row.error) for row in post.rows()] == [("dropped", 1, "blocked by the user")]


def test_a_fault_in_an_adapter_is_tried_again_like_any_failure(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_what: str, _address: str) -> None:
        raise ZeroDivisionError("secret words of a customer")

    post.web.trouble = broken
    post.puts(text("a"))
    post.puts(text("x"), address="slack:C1")
    post.runs()
    assert post.slack.texts() == ["x"]
    assert [(row.state, row.error) for row in post.rows()] == [("open", "ZeroDivisionError"), ("sent", "")]
    assert "web" in caplog.text
    assert "web:tom" not in caplog.text, "whom it was for is nobody's business in a log"


def test_a_picture_that_cannot_be_drawn_does_not_hold_up_the_talk(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    def draw(image: Image) -> Picture:
        raise ValueError(image.report)

    post.delivery = Delivery(TableOutbox(post.database), [post.web], draw)
    post.puts(text("", image=Image("weekly_sales", {}, "en", "week.png", "a chart")), lane="web:tom#1")
    post.puts(text("next"))
    post.runs()
    assert post.web.texts() == ["next"]
    assert post.rows()[0].state == "open"
    assert "could not be said" in caplog.text


def test_a_crash_between_saying_and_noting_it_says_it_again_and_loses_nothing(post: Post) -> None:
    class Crashing(TableOutbox):
        def sent(self, *_: object) -> None:
            raise SystemExit  # the process ends here

    post.delivery = Delivery(Crashing(post.database), [post.web], post.draw)
    post.puts(text("a", name="order:1"), text("b", name="order:2"))
    assert post.delivery.step() == 1
    post.delivery.stop()
    assert (post.web.texts(), post.handle("order:1")) == (["a"], "")
    post.delivery = post.opens()
    post.runs()
    assert post.web.texts() == ["a"], "whose it was, is his until the lease ends"
    post.time_passes()
    post.runs()
    assert post.web.texts() == ["a", "a", "b"]
    assert (post.handle("order:1"), post.handle("order:2")) == ("m2", "m3")


# ---------------------------------------------------------------- coming down


def asked_for(words: str) -> Reply:
    return text(words, name="order:1", pointer=Card(text="further down"))


def test_a_card_that_was_asked_for_comes_down_and_the_copy_above_points_to_it(post: Post) -> None:
    post.puts(text("pending", name="order:1"))
    post.runs()
    post.puts(asked_for("pending"))
    post.runs()
    post.puts(text("approved", name="order:1"))
    post.runs()
    assert post.web.said == [
        ("send", "web:tom", "pending"),
        ("send", "web:tom", "pending"),
        ("edit", "web:tom", "m1", "further down"),
        ("edit", "web:tom", "m2", "approved"),
    ]
    assert post.handle("order:1") == "m2"


def test_a_card_that_stands_nowhere_yet_has_nothing_to_point_from(post: Post) -> None:
    post.puts(asked_for("pending"))
    post.runs()
    assert post.web.said == [("send", "web:tom", "pending")]


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "for a while"])
def test_when_the_copy_above_cannot_be_changed_the_card_still_stands_once_below(post: Post, gone: bool) -> None:
    """The message above was deleted, or the platform is busy: nobody gets the card twelve times."""
    post.puts(text("pending", name="order:1"))
    post.runs()
    post.web.trouble = refuse(gone=gone, only="edit")
    post.puts(asked_for("here"))
    for _ in range(3):
        post.time_passes()
        post.runs()
    assert post.web.texts() == ["pending", "here"]
    assert post.handle("order:1") == "m2", "what changes from now on is edited below"


def test_a_card_whose_message_was_deleted_is_posted_anew(post: Post) -> None:
    post.puts(text("pending", name="order:1"))
    post.runs()
    post.web.trouble = refuse("no such message", gone=True, only="edit")
    post.puts(text("approved", name="order:1"))
    for _ in range(3):
        post.time_passes()
        post.runs()
    assert post.web.texts() == ["pending", "approved"]


def test_a_card_that_was_asked_for_comes_down_even_when_it_changes_before_it_is_said(post: Post) -> None:
    post.puts(text("pending", name="order:1"))
    post.runs()
    post.puts(asked_for("pending"), text("approved", name="order:1"))
    post.runs()
    last = [entry for entry in post.web.said if entry[0] == "send"][-1]
    assert (len(post.web.said) > 2, last, post.handle("order:1")) == (True, ("send", "web:tom", "approved"), "m2")


# ---------------------------------------------------------------- time


def test_the_time_of_the_talk_is_the_time_of_the_outbox(talk: Talk) -> None:
    """Otherwise the transcripts only pass on days after the one they play on."""
    talk.later(days=36_500)
    talk.person("tom").says("help")
    talk.person("tom").sees("Tom Becker")


# ---------------------------------------------------------------- bodies


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
cards = st.builds(
    Card,
    text=words,
    title=words,
    fields=st.lists(st.builds(Field, words, words, st.booleans()), max_size=3).map(tuple),
    table=st.none()
    | st.builds(Table, st.tuples(words, words), st.lists(st.tuples(words, words), max_size=3).map(tuple)),
    note=words,
    buttons=st.lists(st.builds(Button, words, words), max_size=3).map(tuple),
)
images = st.builds(
    Image,
    report=words,
    data=st.dictionaries(words, st.one_of(words, st.integers(-(10**9), 10**9), st.none(), st.booleans()), max_size=3),
    language=words,
    filename=words,
    alt=words,
)


@given(st.builds(Reply, card=cards, name=words, address=words, only=words, image=st.none() | images, pointer=cards))
def test_a_reply_survives_the_outbox_unchanged(reply: Reply) -> None:
    assert decode(encode(reply)) == reply
    assert decode(encode(replace(reply, pointer=None))).pointer is None
