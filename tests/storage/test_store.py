"""What the store promises: everything that was kept comes back as it was, a turn counts whole or not at all, nobody's
change is lost, and what was said to be kept survives the end of the process."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text

from bot.__main__ import open_database
from bot.company import ConfigError
from core.customers.model import STAGES, Activity, Contact, Customer, Lead, LeadState, Need, Opportunity
from core.errors import Conflict
from core.events import Event
from core.orders.model import ApprovalStep, Order, OrderLine, Product, State, StepState
from core.store import AlreadySeen, Booking, StorageDown
from core.team import Link, Login, Quota, Reach
from core.values import Money
from storage import tables as t
from storage.migrate import head, upgrade
from storage.rows import MAPPINGS
from storage.store import Database
from storage.unit import Unit

NOW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds after which a test gives up waiting for threads
BUSY = 50  # milliseconds that a connection of the impatient database waits for a lock


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables, a customer, a product and a deal for others to point to; to be copied."""
    path = tmp_path_factory.mktemp("store") / "stocked.db"
    database = Database(f"sqlite:///{path}")
    make_tables(database)
    with database.turn() as unit:
        unit.add(customer(1, "Acme"))
        unit.add(Product(id=1, name="Seat", list_price=Money(25, "USD")))
        unit.add(Opportunity(id=1, customer=1, title="Renewal", amount=Money(1, "USD"), owner="tom", created=NOW))
        unit.commit()
    database.close()
    return path


def make_tables(database: Database) -> None:
    """All tables in one transaction: one flush to disk instead of fifty."""
    with database.writing() as connection:
        t.metadata.create_all(connection)


def opened(stocked: Path, path: Path) -> Database:
    shutil.copy(stocked, path)
    return Database(f"sqlite:///{path}")


@pytest.fixture
def database(stocked: Path, tmp_path: Path) -> Iterator[Database]:
    found = opened(stocked, tmp_path / "store.db")
    yield found
    found.close()


@pytest.fixture(scope="module")
def shared(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all the examples of a property."""
    found = opened(stocked, tmp_path_factory.mktemp("store") / "shared.db")
    yield found
    found.close()


def customer(number: int, name: str, **facts: Any) -> Customer:
    return Customer(id=number, name=name, created=NOW, **facts)


def order(number: int, state: State = State.DRAFT, **facts: Any) -> Order:
    line = OrderLine(product=1, name="Seat", quantity=Decimal(2), price=Decimal(25), list_price=Decimal(25))
    base: dict[str, Any] = {
        "number": number,
        "customer": 1,
        "rep": "tom",
        "currency": "USD",
        "lines": (line,),
        "total": Money(50, "USD"),
        "state": state,
        "created": NOW,
    }
    return Order(**(base | facts))


def kept(database: Database, *records: Any) -> None:
    with database.turn() as unit:
        for record in records:
            unit.add(record)
        unit.commit()


def read(database: Database, kind: type[Any], key: int | str) -> Any:
    with database.turn() as unit:
        return unit.get(kind, key)


# ---------------------------------------------------------------- everything comes back as it was


HOSTILE = ("'; DROP TABLE orders; --", '"quoted"', "100%_x", "\\", ":name", "?", "{x}", "<b>", "\u202e", "🦊‍❄️", "\x00")
words = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.just("星辰科技")
)
codes = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=20)
moments = st.integers(-2_000_000_000_000_000, 4_000_000_000_000_000).map(
    lambda micro: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
amounts = st.decimals(min_value=0, max_value=10**12, places=4)
monies = st.builds(Money, amounts, st.sampled_from(["USD", "JPY", "KWD", "CNY"]))
ids = itertools.count(1000)
number = st.builds(lambda: next(ids))
unique = st.builds(lambda word: f"{word} {next(ids)}", words)  # a name nothing else has
several = st.lists(words, max_size=4).map(tuple)
versions = st.integers(1, 10**6)
lines = st.builds(
    OrderLine,
    product=st.just(1),
    name=words,
    family=words,
    quantity=st.decimals(min_value=Decimal("0.001"), max_value=10**6, places=3),
    price=st.decimals(min_value=0, max_value=10**9, places=4),
    list_price=st.decimals(min_value=0, max_value=10**9, places=4),
    discount=st.decimals(min_value=0, max_value=100, places=2),
)
steps = st.builds(
    ApprovalStep,
    position=st.just(0),
    approvers=st.lists(codes, min_size=1, max_size=3, unique=True).map(tuple),
    rules=several,
    state=st.sampled_from(StepState),
    by=codes,
    at=st.none() | moments,
    comment=words,
)


def numbered(found: list[ApprovalStep]) -> tuple[ApprovalStep, ...]:
    return tuple(replace(step, position=at) for at, step in enumerate(found, start=1))


@st.composite
def any_order(draw: st.DrawFn) -> Order:
    currency = draw(st.sampled_from(["USD", "JPY", "CNY"]))
    return Order(
        number=next(ids),
        customer=1,
        rep=draw(codes),
        currency=currency,
        lines=tuple(draw(st.lists(lines, max_size=6))),
        discount=draw(st.decimals(min_value=0, max_value=100, places=2)),
        total=Money(draw(amounts), currency),
        state=draw(st.sampled_from(State)),
        steps=numbered(draw(st.lists(steps, max_size=3))),
        created=draw(moments),
        submitted=draw(st.none() | moments),
        decided=draw(st.none() | moments),
        due=draw(st.none() | days),
        moved=draw(st.none() | moments),
        reason=draw(words),
        tracking=draw(words),
        base_total=draw(st.none() | monies),
        version=draw(versions),
    )


RECORDS: dict[type[Any], st.SearchStrategy[Any]] = {
    Login: st.builds(Login, id=unique, person=codes, created=moments),
    Reach: st.builds(Reach, id=unique, person=codes, works=st.booleans(), at=moments, version=versions),
    Link: st.builds(Link, id=unique, person=codes, expires=moments, used=st.none() | moments, version=versions),
    Quota: st.builds(Quota, id=number, person=codes, period=codes, amount=monies),
    Customer: st.builds(
        Customer,
        id=number,
        name=unique,
        aliases=several,
        sector=words,
        country=words,
        region=words,
        owner=codes,
        on_hold=st.booleans(),
        created=moments,
        version=versions,
    ),
    Contact: st.builds(Contact, id=number, customer=st.just(1), name=words, title=words, email=words, phone=words),
    Lead: st.builds(
        Lead,
        id=number,
        company=words,
        contact_name=words,
        email=words,
        phone=words,
        source=words,
        interest=words,
        owner=codes,
        state=st.sampled_from(LeadState),
        customer=st.none() | st.just(1),
        created=moments,
        version=versions,
    ),
    Need: st.builds(
        Need,
        id=number,
        customer=st.just(1),
        text=words,
        kind=words,
        product=st.none() | st.just(1),
        by=codes,
        open=st.booleans(),
        created=moments,
        version=versions,
    ),
    Opportunity: st.builds(
        Opportunity,
        id=number,
        customer=st.just(1),
        title=words,
        amount=monies,
        stage=st.sampled_from(STAGES),
        owner=codes,
        created=moments,
        expected=st.none() | days,
        closed=st.none() | moments,
        reason=words,
        version=versions,
    ),
    Activity: st.builds(
        Activity,
        id=number,
        customer=st.just(1),
        opportunity=st.none() | st.just(1),
        kind=codes,
        text=words,
        by=codes,
        at=moments,
        due=st.none() | days,
        done=st.booleans(),
    ),
    Product: st.builds(
        Product,
        id=number,
        name=unique,
        family=words,
        list_price=monies,
        aliases=several,
        active=st.booleans(),
        version=versions,
    ),
    Order: any_order(),
}


def test_every_kind_of_record_is_tried() -> None:
    assert set(RECORDS) == set(MAPPINGS)


@pytest.mark.parametrize("kind", list(RECORDS), ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_record_comes_back_as_it_was(shared: Database, kind: type[Any], data: st.DataObject) -> None:
    """Money to the last digit, moments to the microsecond, any text at all."""
    record, other = data.draw(RECORDS[kind]), data.draw(RECORDS[kind])
    key = MAPPINGS[kind].key
    kept(shared, record)
    with shared.turn() as unit:
        assert unit.get(kind, getattr(record, key)) == record
    with shared.turn() as unit:
        assert unit.find(kind, **{key: getattr(record, key)}) == [record]
        changed = replace(other, **{key: getattr(record, key)})
        unit.save(changed)
        unit.commit()
    expected = replace(changed, version=record.version + 1) if MAPPINGS[kind].versioned else changed
    assert read(shared, kind, getattr(record, key)) == expected


@settings(max_examples=25, deadline=None)
@given(words, words, st.dictionaries(words, st.one_of(words, st.integers(-(10**9), 10**9), st.none()), max_size=4))
def test_what_happened_is_told_as_it_was_noted_oldest_first(
    shared: Database, actor: str, name: str, facts: dict[str, Any]
) -> None:
    subject = f"order:{next(ids)}"
    events = [
        Event(at=NOW, actor=actor, name=name, subject=subject, facts=facts),
        Event(at=NOW - timedelta(days=1), actor="policy", on_behalf_of=actor, name="later.noted", subject=subject),
    ]
    with shared.turn() as unit:
        unit.note(events[0])
        unit.commit()
    with shared.turn() as unit:
        unit.note(events[1])
        assert unit.history(subject) == events, "what this turn noted is part of it already"
        unit.commit()
    with shared.turn() as unit:
        assert unit.history(subject) == events


# ---------------------------------------------------------------- one turn's view


def test_what_is_not_there_is_none(database: Database) -> None:
    assert read(database, Order, 999) is None
    assert read(database, Login, "nobody") is None


def test_a_record_added_and_saved_in_one_turn_is_kept_once_as_it_was_last(database: Database) -> None:
    with database.turn() as unit:
        unit.add(order(1, State.PENDING, steps=(ApprovalStep(position=1, approvers=("raj", "mia")),)))
        unit.save(replace(order(1), reason="second"))
        unit.save(replace(order(1), reason="third"))
        assert unit.get(Order, 1) == replace(order(1), reason="third")
        unit.commit()
    assert read(database, Order, 1) == replace(order(1), reason="third")
    with database.turn() as unit:
        assert unit.waiting_for("raj") == []


def test_a_record_saved_twice_in_one_turn_is_kept_as_it_was_last(database: Database) -> None:
    kept(database, order(1))
    with database.turn() as unit:
        found = unit.find(Order)[0]
        unit.save(replace(found, reason="once"))
        unit.save(replace(found, reason="twice", lines=()))
        unit.commit()
    assert (read(database, Order, 1).reason, read(database, Order, 1).lines) == ("twice", ())


def test_what_was_not_read_in_this_turn_cannot_be_saved(database: Database) -> None:
    with database.turn() as unit, pytest.raises(LookupError):
        unit.save(customer(1, "Acme"))


def test_what_was_not_committed_is_forgotten(database: Database) -> None:
    with database.turn() as unit:
        unit.add(customer(2, "Globex"))
    assert read(database, Customer, 2) is None


def test_a_turn_sees_its_own_changes(database: Database) -> None:
    with database.turn() as unit:
        unit.find(Customer)
        unit.save(replace(customer(1, "Acme"), sector="Steel"))
        assert [it.sector for it in unit.find(Customer, name="Acme")] == ["Steel"]


def test_find_gives_the_records_that_equal_oldest_first_or_newest_and_no_more_than_asked_for(
    database: Database,
) -> None:
    kept(database, *(customer(n, f"c{n}", owner="tom" if n % 2 else "raj", on_hold=n > 7) for n in range(2, 10)))

    def found(**how: Any) -> list[int]:
        with database.turn() as unit:
            return [it.id for it in unit.find(Customer, **how)]

    assert found() == list(range(1, 10))
    assert found(newest=True) == list(range(9, 0, -1))
    assert found(owner="tom") == [3, 5, 7, 9]
    assert found(owner="tom", newest=True, limit=2) == [9, 7]
    assert found(owner="tom", limit=2) == [3, 5]
    assert found(owner=["tom", "raj"], on_hold=False) == [2, 3, 4, 5, 6, 7]
    assert found(name=("c4", "c2", "nobody", "c5", "c9")) == [2, 4, 5, 9]
    assert found(name=[]) == []
    assert found(owner="' OR 1=1 --") == []


def test_find_tells_no_value_from_any_value(database: Database) -> None:
    kept(
        database,
        Lead(id=1, company="x", owner="tom", created=NOW),
        Lead(id=2, company="y", owner="t", customer=1, created=NOW),
    )
    with database.turn() as unit:
        assert [it.id for it in unit.find(Lead, customer=None)] == [1]
        assert [it.id for it in unit.find(Lead, customer=1)] == [2]


def test_lines_and_steps_come_in_their_own_order(database: Database) -> None:
    many = tuple(replace(order(1).lines[0], name=f"line {n}") for n in range(12))
    signers = tuple(ApprovalStep(position=n, approvers=(f"p{n}",)) for n in range(1, 12))
    kept(database, order(1, lines=many, steps=signers), order(2, lines=many[:3]))
    with database.turn() as unit:
        first, second = unit.find(Order)
    assert (first.lines, first.steps, second.lines, second.steps) == (many, signers, many[:3], ())


# ---------------------------------------------------------------- all or nothing


def everything(unit: Unit, mark: str) -> None:
    """One of each thing that a turn can leave behind."""
    unit.begin(f"web:{mark}", NOW)
    unit.note(Event(at=NOW, actor="tom", name="x", subject=f"mark:{mark}"))
    unit.remember(f"web:{mark}", {"mark": mark})
    unit.add(Reach(id=f"web:{mark}", person=mark, at=NOW))
    unit.place(f"order:{mark}", f"web:{mark}", "tom")
    unit.say(f"web:{mark}", b"{}", NOW, name=f"order:{mark}")
    unit.add(customer(unit.next_id(Customer), mark))


def traces(database: Database, mark: str) -> list[bool]:
    with database.turn() as unit, database.engine.connect() as connection:
        said = select(func.count()).select_from(t.outbox).where(t.outbox.c.address == f"web:{mark}")
        seen = select(func.count()).select_from(t.seen).where(t.seen.c.id == f"web:{mark}")
        return [
            bool(unit.history(f"mark:{mark}")),
            bool(unit.recall(f"web:{mark}")),
            bool(unit.find(Reach, person=mark)),
            bool(unit.places(f"order:{mark}")),
            bool(unit.find(Customer, name=mark)),
            bool(connection.scalar(said)),
            bool(connection.scalar(seen)),
        ]


def test_a_turn_leaves_all_of_its_traces(database: Database) -> None:
    with database.turn() as unit:
        everything(unit, "whole")
        unit.commit()
    assert traces(database, "whole") == [True] * 7


def test_the_same_arrival_counts_once(database: Database) -> None:
    with database.turn() as unit:
        everything(unit, "first")
        unit.commit()
    with database.turn() as unit:
        everything(unit, "second")
        unit.begin("web:first", NOW)
        with pytest.raises(AlreadySeen):
            unit.commit()
    assert traces(database, "second") == [False] * 7


def test_whoever_saves_what_somebody_else_changed_meanwhile_keeps_nothing(database: Database) -> None:
    kept(database, order(1))
    with database.turn() as mine, database.turn() as theirs:
        for unit, reason in ((mine, "mine"), (theirs, "theirs")):
            unit.save(replace(unit.find(Order)[0], reason=reason))
        everything(mine, "mine")
        theirs.commit()
        with pytest.raises(Conflict):
            mine.commit()
    assert (read(database, Order, 1).reason, read(database, Order, 1).version) == ("theirs", 2)
    assert traces(database, "mine") == [False] * 7


def test_what_was_only_read_may_change_meanwhile(database: Database) -> None:
    with database.turn() as mine, database.turn() as theirs:
        mine.get(Customer, 1)
        everything(mine, "mine")
        theirs.get(Customer, 1)
        theirs.save(replace(customer(1, "Acme"), sector="Steel"))
        theirs.commit()
        mine.commit()
    assert traces(database, "mine") == [True] * 7


@pytest.mark.parametrize(
    "spoil",
    [
        lambda unit: unit.add(customer(1, "the number is taken")),
        lambda unit: unit.add(customer(77, "Acme")),
        lambda unit: unit.add(order(1, customer=404)),
        lambda unit: unit.add(order(1, lines=(replace(order(1).lines[0], product=404),))),
    ],
    ids=["number", "name", "customer", "product"],
)
def test_what_the_database_cannot_accept_is_a_conflict_and_keeps_nothing(
    database: Database, spoil: Callable[[Unit], None]
) -> None:
    with database.turn() as unit:
        everything(unit, "spoilt")
        spoil(unit)
        with pytest.raises(Conflict):
            unit.commit()
    assert traces(database, "spoilt") == [False] * 7


def together(database: Database, units: list[Unit]) -> list[Exception | None]:
    """Commit all of them while the pen is held, so that they are written in one go; what each was told."""

    def commit(unit: Unit) -> Exception | None:
        try:
            unit.commit()
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this test asks about
            return error
        return None

    end = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(len(units)) as pool:
        with database.writing():
            futures = [pool.submit(commit, unit) for unit in units]
            while len(database._queue) < len(units):
                assert time.monotonic() < end, "the threads did not queue up"
        return [future.result(PATIENCE) for future in futures]


def spoilt_by_text(unit: Unit) -> None:
    unit.add(customer(unit.next_id(Customer), "half a \ud800 character"))


def spoilt_by_json(unit: Unit) -> None:
    unit.remember("web:x", {"not json": object()})


def spoilt_by_size(unit: Unit) -> None:
    unit.add(Quota(id=9, person="tom", period="2026-Q4", amount=Money(10**16, "USD")))


def spoilt_by_name(unit: Unit) -> None:
    unit.add(customer(unit.next_id(Customer), "Acme"))


def spoilt_by_repeat(unit: Unit) -> None:
    unit.begin("web:seen before", NOW)


@pytest.mark.parametrize("spoil", [spoilt_by_text, spoilt_by_json, spoilt_by_size, spoilt_by_name, spoilt_by_repeat])
@pytest.mark.parametrize("place", [0, 3, 7])
def test_one_that_fails_does_not_take_down_those_that_are_written_with_it(
    database: Database, spoil: Callable[[Unit], None], place: int
) -> None:
    """And none of those that failed is told that it was kept."""
    with database.turn() as unit:
        unit.begin("web:seen before", NOW)
        unit.commit()
    units = [database.turn() for _ in range(8)]
    for at, unit in enumerate(units):
        everything(unit, f"u{at}")
    spoil(units[place])
    told = together(database, units)
    for at, error in enumerate(told):
        assert (error is not None) == (at == place), (at, error)
        assert traces(database, f"u{at}") == [at != place] * 7
    with database.turn() as unit:  # and the database is none the worse for it
        everything(unit, "after")
        unit.commit()


def test_of_those_who_change_the_same_record_in_one_moment_one_is_kept_and_the_others_are_told(
    database: Database,
) -> None:
    kept(database, order(1))
    units = [database.turn() for _ in range(6)]
    for at, unit in enumerate(units):
        unit.save(replace(unit.find(Order)[0], reason=str(at)))
    told = together(database, units)
    assert sorted(type(error).__name__ for error in told) == ["Conflict"] * 5 + ["NoneType"]
    winner = told.index(None)
    assert (read(database, Order, 1).reason, read(database, Order, 1).version) == (str(winner), 2)


# ---------------------------------------------------------------- many at once


def test_with_many_threads_no_change_is_lost_and_no_number_is_given_twice(database: Database) -> None:
    """32 threads, each counting on three records that everybody counts on, and adding a lead a time."""
    threads, turns, hot = 32, 5, 3
    kept(database, *(customer(2 + n, f"hot {n}", sector="0") for n in range(hot)))
    begin = threading.Barrier(threads)

    def work(who: int) -> list[int]:
        numbers, chance = [], random.Random(who)  # noqa: S311 -- any numbers will do
        begin.wait(PATIENCE)
        for _ in range(turns):
            which = 2 + chance.randrange(hot)
            for _attempt in range(2000):
                try:
                    with database.turn() as unit:
                        found = unit.get(Customer, which)
                        assert found is not None
                        unit.save(replace(found, sector=str(int(found.sector) + 1)))
                        lead = Lead(id=unit.next_id(Lead), company=str(who), owner="tom", created=NOW)
                        unit.add(lead)
                        unit.commit()
                except Conflict:
                    continue
                numbers.append(lead.id)
                break
        return numbers

    with ThreadPoolExecutor(threads) as pool:
        numbers = [number for mine in pool.map(work, range(threads), timeout=60) for number in mine]
    with database.turn() as unit:
        counted = [unit.get(Customer, 2 + n) for n in range(hot)]
        leads = {lead.id for lead in unit.find(Lead)}
    assert len(numbers) == len(set(numbers)) == threads * turns
    assert leads == set(numbers)
    assert sum(int(it.sector) for it in counted if it) == threads * turns
    assert sum(it.version - 1 for it in counted if it) == threads * turns


def test_two_processes_that_take_the_same_number_clash_once_and_then_both_go_on(database: Database) -> None:
    other = Database(str(database.url))

    def adds(who: Database, attempts: int) -> None:
        for attempt in range(1, attempts + 1):
            with who.turn() as unit:
                unit.add(Lead(id=unit.next_id(Lead), company="x", owner="tom", created=NOW))
                try:
                    unit.commit()
                except Conflict:
                    assert attempt < attempts, "the next try must know the other's numbers"
                else:
                    return

    for who in (database, other):
        adds(who, attempts=1)
    for who in (database, other, database):
        adds(who, attempts=2)
        for _ in range(6):
            adds(who, attempts=1)
    other.close()
    with database.turn() as unit:
        assert [lead.id for lead in unit.find(Lead)] == list(range(1, 24))


# ---------------------------------------------------------------- what is kept beside the records


def test_who_is_waited_for_follows_the_order(database: Database) -> None:
    one, two = ApprovalStep(position=1, approvers=("raj", "chen")), ApprovalStep(position=2, approvers=("mia",))
    signed = replace(one, state=StepState.APPROVED, by="raj", at=NOW)
    kept(database, order(1))
    everybody = ("raj", "chen", "mia")
    for state, steps_now, waited_for in [
        (State.PENDING, (one, two), ["raj", "chen"]),
        (State.PENDING, (signed, two), ["mia"]),
        (State.APPROVED, (signed, replace(two, state=StepState.APPROVED, by="mia")), []),
        (State.WITHDRAWN, (one, two), []),
        (State.PENDING, (one,), ["raj", "chen"]),
        (State.CANCELLED, (one,), []),
    ]:
        with database.turn() as unit:
            found = unit.get(Order, 1)
            assert found is not None
            unit.save(replace(found, state=state, steps=steps_now))
            unit.commit()
        with database.turn() as unit:
            assert [person for person in everybody if unit.waiting_for(person)] == waited_for


def test_what_waits_longest_comes_first(database: Database) -> None:
    step = (ApprovalStep(position=1, approvers=("raj",)),)
    gone = [3, 1, 2]
    kept(
        database,
        *(order(n, State.PENDING, steps=step, submitted=NOW - timedelta(days=d)) for n, d in enumerate(gone, 1)),
    )
    with database.turn() as unit:
        assert [it.number for it in unit.waiting_for("raj")] == [1, 3, 2]


@pytest.mark.parametrize(
    ("change", "renewed"),
    [
        (lambda unit: unit.add(customer(5, "Globex")), True),
        (lambda unit: unit.add(Product(id=5, name="Sensor", list_price=Money(1, "USD"))), True),
        (lambda unit: unit.save(replace(unit.find(Customer)[0], name="Acme Corp")), True),
        (lambda unit: unit.add(order(5)), False),
        (lambda unit: unit.remember("web:tom", {"x": 1}), False),
    ],
)
def test_the_names_are_stamped_anew_when_one_of_them_changed(
    database: Database, change: Callable[[Unit], None], renewed: bool
) -> None:
    with database.turn() as unit:
        before = unit.names_stamp()
        change(unit)
        unit.commit()
    with database.turn() as unit:
        assert unit.names_stamp() == before + renewed


def test_a_memory_is_what_was_remembered_last_and_empty_before(database: Database) -> None:
    for data in ({"a": 1}, {"b": ["星", None]}, {}):
        with database.turn() as unit:
            unit.remember("web:tom", data)
            unit.commit()
        with database.turn() as unit:
            assert unit.recall("web:tom") == data
            assert unit.recall("web:raj") == {}


def test_a_card_stands_where_it_was_placed_first_and_keeps_its_handle(database: Database) -> None:
    for person in ("tom", "raj"):
        with database.turn() as unit:
            unit.place("order:1", "web:room", person)
            unit.place("order:1", f"web:{person}", person)
            assert ("web:room", person) in unit.places("order:1")
            unit.commit()
    with database.turn() as unit:
        assert unit.places("order:1") == [("web:raj", "raj"), ("web:room", "tom"), ("web:tom", "tom")]
        assert unit.places("order:2") == []


# ---------------------------------------------------------------- sums for the reports


def test_bookings_are_summed_by_window_region_and_person_and_a_window_does_not_hold_its_end(
    database: Database,
) -> None:
    kept(database, customer(2, "East", region="East"))
    day = timedelta(days=1)
    bounds = [NOW, NOW + day, NOW + 2 * day]

    def booked(number: int, at: datetime, worth: str | None = "10", **facts: Any) -> Order:
        base = None if worth is None else Money(worth, "USD")
        return replace(order(number, State.APPROVED, decided=at, base_total=base), **facts)

    kept(
        database,
        booked(1, NOW - timedelta(microseconds=1)),
        booked(2, NOW, "0.1"),
        booked(3, NOW + day - timedelta(microseconds=1), "0.2"),
        booked(4, NOW + day, customer=2),
        booked(5, NOW + day, None, customer=2),
        booked(6, NOW + day, rep="raj", state=State.SHIPPED),
        booked(7, NOW + 2 * day),
        booked(8, NOW, state=State.CANCELLED, moved=NOW + day),
        order(9, State.PENDING),
        order(10, State.CANCELLED, moved=NOW),
        booked(11, NOW, state=State.REJECTED),
    )
    with database.turn() as unit:
        everybody = unit.bookings(bounds, None)
        raj = unit.bookings(bounds, ["raj"])
        nobody = unit.bookings(bounds, [])
    assert sorted(everybody, key=lambda it: (it.cancelled, it.window, it.region, it.rep)) == [
        Booking(0, "", "tom", 3, Decimal("10.3"), 0),
        Booking(1, "", "raj", 1, Decimal(10), 0),
        Booking(1, "East", "tom", 2, Decimal(10), 1),
        Booking(1, "", "tom", 1, Decimal(10), 0, cancelled=True),
    ]
    assert raj == [Booking(1, "", "raj", 1, Decimal(10), 0)]
    assert nobody == []


# ---------------------------------------------------------------- trouble


@pytest.fixture
def impatient(stocked: Path, tmp_path: Path) -> Iterator[Database]:
    """A database whose connections wait for a lock for a moment only."""
    found = opened(stocked, tmp_path / "store.db")

    @event.listens_for(found.engine, "connect")
    def _hurry(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={BUSY}")

    yield found
    found.close()


def test_a_database_that_somebody_else_locks_is_down_and_nothing_was_changed(impatient: Database) -> None:
    assert impatient.url.database is not None
    other = sqlite3.connect(impatient.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with impatient.turn() as unit:
        everything(unit, "locked out")
        with pytest.raises(StorageDown):
            unit.commit()
    other.execute("ROLLBACK")
    other.close()
    assert traces(impatient, "locked out") == [False] * 7
    with impatient.turn() as unit:
        everything(unit, "afterwards")
        unit.commit()
    assert traces(impatient, "afterwards") == [True] * 7


def test_a_whole_group_is_told_when_the_database_is_locked(impatient: Database) -> None:
    assert impatient.url.database is not None
    other = sqlite3.connect(impatient.url.database, isolation_level=None)
    with impatient.turn() as unit:
        unit.find(Customer)
    other.execute("PRAGMA journal_mode")
    units = [impatient.turn() for _ in range(4)]
    for at, unit in enumerate(units):
        everything(unit, f"g{at}")
    told: list[BaseException | None] = []
    other.execute("BEGIN IMMEDIATE")

    def commit(unit: Unit) -> None:
        try:
            unit.commit()
        except StorageDown as error:
            told.append(error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(commit, units, timeout=PATIENCE))
    other.execute("ROLLBACK")
    other.close()
    assert len(told) == 4


def test_a_database_that_may_only_be_read_is_down_for_writing_and_can_be_read(database: Database) -> None:
    found = Database(str(database.url))

    @event.listens_for(found.engine, "connect")
    def _only_read(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    with found.turn() as unit:
        assert unit.get(Customer, 1) == customer(1, "Acme")
        everything(unit, "refused")
        with pytest.raises(StorageDown, match="readonly"):
            unit.commit()
    found.close()
    assert traces(database, "refused") == [False] * 7


def test_reading_from_a_database_that_is_away_says_so(tmp_path: Path) -> None:
    """The conversation tells people that nothing can be kept now; anything else would look like a mistake of ours."""
    away = Database(f"sqlite:///{tmp_path / 'no such folder' / 'x.db'}")
    questions: tuple[Callable[[Unit], Any], ...] = (
        lambda unit: unit.get(Customer, 1),
        lambda unit: unit.find(Customer),
        lambda unit: unit.recall("web:tom"),
        lambda unit: unit.waiting_for("tom"),
        lambda unit: unit.next_id(Order),
        lambda unit: unit.names_stamp(),
    )
    for ask in questions:
        with away.turn() as unit, pytest.raises(StorageDown):
            ask(unit)
    away.close()


@pytest.mark.parametrize("content", [b"this is not a database, but a long enough text for one\n" * 40, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        open_database(f"sqlite:///{path}")
    assert str(path) in str(error.value)
    assert "cannot be used" in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content, "what was there was left alone"


def test_a_folder_that_does_not_exist_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unable to open database file"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")


CHILD = """
import sys
from datetime import UTC, datetime
from core.customers.model import Lead
from storage.store import Database

database = Database(sys.argv[1])
while True:
    with database.turn() as unit:
        lead = Lead(id=unit.next_id(Lead), company="x", owner="tom", created=datetime.now(UTC))
        unit.add(lead)
        unit.commit()
    print(lead.id, flush=True)
"""


def test_what_was_said_to_be_kept_survives_the_process_being_killed(database: Database) -> None:
    child = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own script
        [sys.executable, "-c", CHILD, str(database.url)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(40)]
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=PATIENCE)
    told += [int(line) for line in rest.splitlines() if line.strip()]
    with database.turn() as unit:
        there = [lead.id for lead in unit.find(Lead)]
    assert set(told) <= set(there)
    assert len(there) <= len(told) + 1, "only the one on its way may be kept without having been told"
    kept(database, Lead(id=max(there) + 1, company="next", owner="tom", created=NOW))


# ---------------------------------------------------------------- migrations


def schema(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, t.metadata))


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert upgrade(database), "a new database needs everything"
    assert schema(database) == []
    assert not upgrade(database), "and then nothing more"
    database.close()


def test_the_migrations_and_the_code_make_the_same_database(tmp_path: Path) -> None:
    """Keys, uniqueness and references too, which a comparison by Alembic alone may pass over."""

    def made(name: str, make: Callable[[Database], Any]) -> dict[str, Any]:
        database = Database(f"sqlite:///{tmp_path / name}")
        make(database)
        found: dict[str, Any] = {}
        with database.engine.connect() as connection:
            for table in t.metadata.tables:
                found[table] = {
                    what: sorted(map(str, connection.execute(text(f"PRAGMA {what}('{table}')"))))
                    for what in ("table_info", "foreign_key_list")
                }
                indexes = connection.execute(text(f"PRAGMA index_list('{table}')")).all()
                found[table]["indexes"] = sorted(
                    (row[2], tuple(c[2] for c in connection.execute(text(f"PRAGMA index_info('{row[1]}')"))))
                    for row in indexes
                )
        database.close()
        return found

    by_code = made("code.db", make_tables)
    assert made("migrated.db", upgrade) == by_code


def test_an_empty_database_file_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    database = Database(f"sqlite:///{path}")
    assert upgrade(database)
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == head()
    kept(database, customer(1, "Acme"))
    upgrade(database)
    assert read(database, Customer, 1) == customer(1, "Acme")
    database.close()


def test_revisions_follow_one_another_without_a_fork() -> None:
    names = sorted(path.name for path in (ROOT / "storage" / "migrations" / "versions").glob("[0-9]*.py"))
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]
    assert head() == names[-1][:4]


UPGRADE = """
import sys
from storage.migrate import upgrade
from storage.store import Database

sys.stdin.readline()
upgrade(Database(sys.argv[1]))
print("ready")
"""


def test_processes_that_start_together_on_a_new_database_all_come_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    children = [
        subprocess.Popen(  # noqa: S603 -- our own interpreter and our own script
            [sys.executable, "-c", UPGRADE, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    told = [child.communicate(timeout=PATIENCE) for child in children]
    assert [out for out, _ in told] == ["ready\n"] * 3, "\n".join(err[-300:] for _, err in told)
