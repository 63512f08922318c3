"""The outbox as rows: said in order, one lane never waits for another, and no row is ever said by two at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from core.store import Parcel
from storage import tables as t
from storage.outbox import LEASE, TableOutbox
from storage.store import Database

NOW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Post:
    """An outbox with a hand to put rows in and an eye on what became of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outbox = TableOutbox(database)

    def say(self, *rows: str, name: str = "", address: str = "web:tom", lane: str = "") -> None:
        with self.database.turn() as unit:
            for row in rows:
                unit.say(address, row.encode(), NOW, name=name, lane=lane)
                if name:
                    unit.place(name, address, "tom")
            unit.commit()

    def claim(self, now: datetime = NOW, limit: int = 64, serves: str = "") -> list[Parcel]:
        return self.outbox.claim(lambda address: address.startswith(serves), now, limit)

    def bodies(self, now: datetime = NOW, limit: int = 64, serves: str = "") -> list[str]:
        return [parcel.body.decode() for parcel in self.claim(now, limit, serves)]

    def all_said(self, now: datetime = NOW) -> list[str]:
        """Say everything there is, as a single careful process would."""
        said: list[str] = []
        while parcels := self.claim(now):
            for parcel in parcels:
                said.append(parcel.body.decode())
                self.outbox.sent(parcel, f"h{parcel.id}", now)
        return said

    def states(self) -> list[tuple[str, str, int, str]]:
        with self.database.engine.connect() as connection:
            rows = connection.execute(select(t.outbox).order_by(t.outbox.c.id))
            return [(row.body.decode(), row.state, row.tries, row.error) for row in rows]

    def handle(self, name: str, address: str = "web:tom") -> str | None:
        with self.database.engine.connect() as connection:
            here = (t.card.c.name == name, t.card.c.address == address)
            found: str | None = connection.scalar(select(t.card.c.handle).where(*here))
            return found

    def clear(self) -> None:
        with self.database.writing() as connection:
            for table in (t.outbox, t.card):
                connection.execute(delete(table))


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    database = Database(f"sqlite:///{tmp_path / 'outbox.db'}")
    with database.writing() as connection:
        t.metadata.create_all(connection)
    yield Post(database)
    database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('outbox') / 'shared.db'}")
    with database.writing() as connection:
        t.metadata.create_all(connection)
    yield Post(database)
    database.close()


def test_an_empty_outbox_has_nothing_to_say(post: Post) -> None:
    assert post.claim() == []


def test_rows_of_one_lane_are_said_one_after_the_other(post: Post) -> None:
    post.say("a", "b", "c")
    [first] = post.claim()
    assert first.body == b"a"
    assert post.claim() == [], "the second waits until the first was said"
    post.outbox.sent(first, "h", NOW)
    assert post.bodies() == ["b"]


def test_lanes_do_not_wait_for_each_other(post: Post) -> None:
    post.say("a1", "a2", address="web:a")
    post.say("b1", "b2", address="web:b")
    assert post.bodies() == ["a1", "b1"]


def test_a_picture_has_a_lane_of_its_own_and_holds_up_nothing(post: Post) -> None:
    post.say("card")
    post.say("picture", lane="web:tom#1")
    post.say("next")
    assert post.bodies() == ["card", "picture"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_every_row_is_said_once_and_in_the_order_of_its_lane(shared: Post, lanes: list[str]) -> None:
    shared.clear()
    for number, lane in enumerate(lanes):
        shared.say(f"{lane}{number}", address=f"web:{lane}")
    said = shared.all_said()
    assert sorted(said) == sorted(f"{lane}{number}" for number, lane in enumerate(lanes))
    for lane in "abc":
        numbers = [int(body[1:]) for body in said if body[0] == lane]
        assert numbers == sorted(numbers)


def test_a_row_is_not_said_before_it_is_due(post: Post) -> None:
    post.say("a")
    assert post.claim(NOW - SECOND) == []
    assert post.bodies(NOW) == ["a"]


def test_what_was_said_is_kept_as_a_record_and_never_said_again(post: Post) -> None:
    post.say("a")
    [parcel] = post.claim()
    post.outbox.sent(parcel, "h", NOW)
    assert post.states() == [("a", "sent", 1, "")]
    assert post.claim(NOW + timedelta(days=365)) == []


# ---------------------------------------------------------------- failing


def test_a_row_that_failed_is_tried_again_when_it_is_due_and_holds_only_its_own_lane(post: Post) -> None:
    post.say("a1", "a2", address="web:a")
    post.say("b1", "b2", address="web:b")
    failing, fine = post.claim()
    post.outbox.failed(failing, "down", NOW + 10 * SECOND)
    post.outbox.sent(fine, "h", NOW)
    assert post.bodies(NOW + 9 * SECOND) == ["b2"]
    [again] = post.claim(NOW + 10 * SECOND)
    assert (again.body, again.tries) == (b"a1", 1)
    assert post.states()[0] == ("a1", "open", 1, "down")


def test_a_row_that_is_given_up_frees_its_lane(post: Post) -> None:
    post.say("a", "b")
    [parcel] = post.claim()
    post.outbox.failed(parcel, "gone" * 1000, None)
    assert post.bodies() == ["b"]
    body, state, tries, error = post.states()[0]
    assert (body, state, tries, len(error)) == ("a", "dropped", 1, 500)


def test_a_row_of_a_process_that_died_comes_free_when_its_lease_ends(post: Post) -> None:
    post.say("a")
    [first] = post.claim()
    assert post.claim(NOW + LEASE - SECOND) == []
    [second] = post.claim(NOW + LEASE)
    assert second == first


# ---------------------------------------------------------------- platforms


def test_a_row_for_a_platform_that_does_not_run_here_waits(post: Post) -> None:
    post.say("here", address="web:tom")
    post.say("elsewhere", address="slack:C1")
    assert post.bodies(serves="web:") == ["here"]
    assert post.bodies(serves="slack:") == ["elsewhere"]


def test_any_number_of_rows_for_a_platform_that_does_not_run_hides_none_of_ours(post: Post) -> None:
    """A platform that was switched off must not silence the others."""
    with post.database.turn() as unit:
        for number in range(1000):
            unit.say(f"slack:C1/{number}", b"old", NOW)
        unit.commit()
    post.say("ours")
    assert post.bodies(serves="web:", limit=64) == ["ours"]


def test_no_more_are_claimed_than_were_asked_for(post: Post) -> None:
    for number in range(10):
        post.say(str(number), address=f"web:{number}")
    assert post.bodies(limit=4) == ["0", "1", "2", "3"]
    assert post.bodies(limit=4) == ["4", "5", "6", "7"]


# ---------------------------------------------------------------- cards with names


def test_the_handle_of_a_named_card_is_what_the_next_row_edits(post: Post) -> None:
    post.say("posted", name="order:1")
    [first] = post.claim()
    assert (first.handle, bool(first.newest)) == ("", False)
    post.outbox.sent(first, "m1", NOW)
    assert post.handle("order:1") == "m1"
    post.say("edited", name="order:1")
    [second] = post.claim()
    assert second.handle == "m1"
    post.outbox.sent(second, "m2", NOW)
    assert post.handle("order:1") == "m2"


def test_a_handle_belongs_to_one_card_at_one_address(post: Post) -> None:
    for name, address in (("order:1", "web:a"), ("order:1", "web:b"), ("order:2", "web:a")):
        post.say("x", name=name, address=address)
    for parcel in post.claim():
        post.outbox.sent(parcel, f"{parcel.name} at {parcel.address}", NOW)
    for parcel in post.claim():
        post.outbox.sent(parcel, f"{parcel.name} at {parcel.address}", NOW)
    assert post.handle("order:1", "web:a") == "order:1 at web:a"
    assert post.handle("order:1", "web:b") == "order:1 at web:b"
    assert post.handle("order:2", "web:a") == "order:2 at web:a"


def test_a_look_of_a_card_that_a_later_row_renews_is_marked_so_that_it_need_not_be_said(post: Post) -> None:
    post.say("old", "older still", "new", name="order:1")
    stale = []
    while parcels := post.claim():
        for parcel in parcels:
            stale.append((parcel.body.decode(), bool(parcel.newest)))
            post.outbox.sent(parcel, parcel.handle or "m1", NOW)
    assert stale == [("old", True), ("older still", True), ("new", False)]


@pytest.mark.parametrize(
    ("name", "address"),
    [("order:2", "web:tom"), ("order:1", "web:raj"), ("", "web:tom")],
    ids=["card", "place", "none"],
)
def test_another_card_another_place_and_plain_words_make_nothing_stale(post: Post, name: str, address: str) -> None:
    post.say("mine", name="order:1")
    post.say("other", name=name, address=address)
    assert not post.claim()[0].newest


def test_plain_words_are_never_stale(post: Post) -> None:
    post.say("a", "b")
    assert not post.claim()[0].newest


def test_what_was_given_up_makes_nothing_stale(post: Post) -> None:
    post.say("first", "second", name="order:1", lane="x")
    with post.database.writing() as connection:
        row = t.outbox.update().where(t.outbox.c.body == b"second")
        connection.execute(row.values(state="dropped"))
    assert not post.claim()[0].newest


# ---------------------------------------------------------------- several processes


def test_two_processes_never_get_the_same_row(post: Post) -> None:
    """Eight claimers, half of them through a second connection pool, over many lanes."""
    lanes, rows = 20, 3
    for row in range(rows):
        for lane in range(lanes):
            post.say(f"{lane}:{row}", address=f"web:{lane}")
    elsewhere = Database(str(post.database.url))
    boxes = [post.outbox, TableOutbox(elsewhere)]
    begin = threading.Barrier(8)

    def claimer(who: int) -> list[str]:
        begin.wait(20)
        mine: list[str] = []
        misses = 0
        while misses < 5:
            parcels = boxes[who % 2].claim(lambda _: True, NOW, 5)
            misses = 0 if parcels else misses + 1
            for parcel in parcels:
                mine.append(parcel.body.decode())
                boxes[who % 2].sent(parcel, "h", NOW)
        return mine

    with ThreadPoolExecutor(8) as pool:
        said = [body for mine in pool.map(claimer, range(8), timeout=60) for body in mine]
    said += post.all_said()
    elsewhere.close()
    assert len(said) == len(set(said)) == lanes * rows
