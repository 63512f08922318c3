"""The demo company is believable and legal: all of it could have been done by hand, in this order, by these people."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from core.customers.model import (
    OPEN_STAGES,
    STAGES,
    Activity,
    Contact,
    Customer,
    Lead,
    LeadState,
    Need,
    Opportunity,
)
from core.desk import Company, Desk
from core.errors import Conflict
from core.orders import service as orders
from core.orders.approval import next_state
from core.orders.model import BOOKED, Order, Product, State, order_total
from core.orders.policy import Policy, Rule, judge
from core.team import Person, Quota, Role, Roster
from core.values import Week
from storage import seed
from storage import tables as t
from storage.migrate import upgrade
from storage.store import Database

T = TypeVar("T")
HERE = Path(seed.__file__).parent
NOW = datetime(2026, 11, 21, 15, 4, 5, 678901, tzinfo=UTC)
ODD_MOMENTS = (
    datetime(2026, 11, 22, 23, 45, tzinfo=UTC),  # three quarters of an hour into a week
    datetime(2027, 2, 8, 9, 0, tzinfo=UTC),  # Chinese New Year
    datetime(2027, 1, 1, 0, 10, tzinfo=UTC),  # a holiday and the first day of a quarter
)
MOVES = {
    "submitted": "submit",
    "signed": "sign",
    "approved": "approve",
    "rejected": "reject",
    "changes_requested": "request_changes",
    "withdrawn": "withdraw",
    "cancelled": "cancel",
    "started": "start",
    "shipped": "ship",
    "delivered": "deliver",
    "closed": "close",
}


def demo_company() -> Company:
    """The company as its two files say."""
    read = tomllib.loads((HERE / "company.toml").read_text(encoding="utf-8"))
    rules = tomllib.loads((HERE / "policy.toml").read_text(encoding="utf-8"))["rule"]
    people = [Person(**{**row, "role": Role(row["role"]), "aliases": tuple(row["aliases"])}) for row in read["person"]]
    limits: list[dict[str, Any]] = [
        {key: value if key in ("name", "ask") else Decimal(value) for key, value in rule.items()} for rule in rules
    ]
    return Company(
        name=read["name"],
        currency=read["currency"],
        zone=read["zone"],
        language=read["language"],
        rates={code: Decimal(rate) for code, rate in read["rates"].items()},
        roster=Roster.of(people),
        policy=Policy(rules=tuple(Rule(**limit) for limit in limits)),
    )


def filled(path: Path, now: datetime = NOW) -> Database:
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    seed.fill(database, demo_company(), now)
    return database


def digest(database: Database) -> str:
    """Of every row of every table."""
    found = hashlib.sha256()
    with database.engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            for row in connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY rowid"):  # noqa: S608
                found.update(repr((table.name, *row)).encode())
    return found.hexdigest()


@dataclass
class Demo:
    """The filled database, read once."""

    database: Database
    company: Company
    found: dict[type[Any], list[Any]]
    events: dict[str, list[Any]]
    waiting: set[tuple[int, str]]

    @classmethod
    def read(cls, database: Database) -> Demo:
        kinds: tuple[type[Any], ...] = (*(Quota, Customer, Contact, Lead, Need, Opportunity, Activity, Product, Order),)
        events = defaultdict(list)
        with database.turn() as unit:
            found = {kind: unit.find(kind) for kind in kinds}
            for event in unit.connection.execute(select(t.event).order_by(t.event.c.id)):
                events[event.subject].append(event)
            waiting = {(row.number, row.person) for row in unit.connection.execute(select(t.waiting))}
        return cls(database, demo_company(), found, events, waiting)

    def all(self, kind: type[T]) -> list[T]:
        return self.found[kind]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    database = filled(tmp_path_factory.mktemp("seed") / "demo.db")
    yield Demo.read(database)
    database.close()


@pytest.fixture(scope="module", params=(NOW, *ODD_MOMENTS), ids=lambda now: f"{now:%F}")
def anytime(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Demo, datetime]]:
    """The demo made on an ordinary day and on odd ones."""
    now: datetime = request.param
    if now == NOW:
        yield request.getfixturevalue("demo"), now
        return
    database = filled(tmp_path_factory.mktemp("seed") / "demo.db", now)
    yield Demo.read(database), now
    database.close()


# ---------------------------------------------------------------- money


def test_every_total_is_what_core_computes(demo: Demo) -> None:
    for order in demo.all(Order):
        assert order.total == order_total(order.lines, order.discount, order.currency)
        if order.base_total is not None:
            assert order.base_total == demo.company.in_base(order.total)
        assert (order.base_total is not None) == (order.state in BOOKED or _cancelled_late(demo, order))


def test_lines_name_products_of_the_catalogue(demo: Demo) -> None:
    products = {product.id: product for product in demo.all(Product)}
    for order in demo.all(Order):
        assert 1 <= len(order.lines) <= 4
        for line in order.lines:
            assert (line.name, line.family) == (products[line.product].name, products[line.product].family)


# ---------------------------------------------------------------- the course of an order


def test_nothing_happens_before_its_time(anytime: tuple[Demo, datetime]) -> None:
    demo, now = anytime
    for order in demo.all(Order):
        if order.state is State.DRAFT:  # a changed one remembers the submission before the change
            moments = [order.created, order.moved, now]
        else:
            moments = [order.created, order.submitted, order.decided, order.moved, now]
        known = [moment for moment in moments if moment is not None]
        assert known == sorted(known), order.number
    customers = {customer.id: customer for customer in demo.all(Customer)}
    assert all(order.created > customers[order.customer].created for order in demo.all(Order))
    assert all(event.at <= now for events in demo.events.values() for event in events)
    for deal in demo.all(Opportunity):
        assert customers[deal.customer].created < deal.created < (deal.closed or now) <= now
    for kind in (Lead, Need, Customer):
        assert all(record.created <= now for record in demo.found[kind])
    assert all(activity.at <= now for activity in demo.all(Activity))


def test_the_events_of_an_order_lead_to_its_state_by_the_table(demo: Demo) -> None:
    for order in demo.all(Order):
        state, left, last = State.DRAFT, 0, None
        for event in demo.events[f"order:{order.number}"]:
            trigger = MOVES.get(event.name.removeprefix("order."))
            if event.name == "order.changed" and state is not State.DRAFT:
                trigger = "revise"
            if event.name == "order.submitted":
                left = event.facts["steps"]
                trigger = "submit" if left else "clear"
            if event.name in ("order.signed", "order.approved"):
                left -= 1
            if trigger:
                state = next_state(state, trigger, left)
            assert last is None or event.at >= last
            last = event.at
        assert (state, last) == (order.state, order.moved), order.number


def test_the_steps_are_those_the_policy_demands(demo: Demo) -> None:
    for order in demo.all(Order):
        if not order.submitted or order.state is State.DRAFT:
            assert order.steps == ()
            continue
        verdict = judge(order, demo.company.policy, demo.company.roster, demo.company.in_base(order.total))
        wanted = [(step.position, step.approvers, step.rules) for step in verdict.steps]
        assert [(step.position, step.approvers, step.rules) for step in order.steps] == wanted


def test_nobody_signs_an_own_order_or_out_of_turn(demo: Demo) -> None:
    for order in demo.all(Order):
        for step in order.steps:
            if step.by:
                assert step.by in step.approvers
                assert step.by != order.rep
        signed = [step.at for step in order.steps if step.at]
        assert signed == sorted(signed)
        assert all(order.submitted <= at for at in signed if order.submitted)


def test_a_booked_order_has_every_signature(demo: Demo) -> None:
    for order in demo.all(Order):
        if order.state in BOOKED:
            assert order.open_step is None


def test_pending_orders_and_only_they_wait_for_somebody(anytime: tuple[Demo, datetime]) -> None:
    demo, _ = anytime
    wanted = set()
    for order in demo.all(Order):
        if order.state is State.PENDING:
            assert order.open_step is not None
            wanted |= {(order.number, person) for person in order.open_step.approvers}
    assert demo.waiting == wanted
    assert Counter(person for _, person in demo.waiting).keys() >= {"mia", "raj", "chen"}


def test_a_no_has_a_reason_in_the_language_of_the_rep(demo: Demo) -> None:
    for order in demo.all(Order):
        if order.state in (State.REJECTED, State.CHANGES):
            assert order.reason
            chinese = demo.company.roster.people[order.rep].language == "zh"
            assert any("\u4e00" <= char <= "\u9fff" for char in order.reason) == chinese


def test_every_state_is_there_and_old_orders_have_ended(anytime: tuple[Demo, datetime]) -> None:
    demo, now = anytime
    assert {order.state for order in demo.all(Order)} == set(State)
    ended = {State.CLOSED, State.CANCELLED, State.REJECTED, State.CHANGES, State.WITHDRAWN}
    old = [order for order in demo.all(Order) if now - order.created > timedelta(days=120)]
    assert {order.state for order in old} <= ended
    assert sum(order.state is State.CLOSED for order in old) > 0.9 * len(old)


# ---------------------------------------------------------------- the rest of the house


def test_it_is_as_large_as_a_demo_should_be(anytime: tuple[Demo, datetime]) -> None:
    demo, _ = anytime
    sizes = {kind: len(demo.all(kind)) for kind in demo.found}
    assert len(demo.company.roster.people) == 8
    assert sizes[Product] == 12
    assert sizes[Customer] == 40
    assert 40 <= sizes[Contact] <= 120
    assert 3000 <= sizes[Order] <= 4000
    assert sizes[Lead] == 250
    assert 190 <= sizes[Opportunity] <= 210
    assert sizes[Need] == 120
    assert 580 <= sizes[Activity] <= 620
    assert {lead.state for lead in demo.all(Lead)} == set(LeadState)
    assert {deal.stage for deal in demo.all(Opportunity)} == set(STAGES)


def test_numbers_go_up_with_time(demo: Demo) -> None:
    sold = demo.all(Order)
    assert [order.number for order in sold] == list(range(1001, 1001 + len(sold)))
    assert sold == sorted(sold, key=lambda order: order.created)
    for kind in (Customer, Lead, Need, Opportunity):
        records: list[Any] = demo.all(kind)
        assert [record.id for record in records] == list(range(1, len(records) + 1))
        assert records == sorted(records, key=lambda record: record.created)
    events = sorted((event for found in demo.events.values() for event in found), key=lambda event: event.id)
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_deals_lost_have_a_reason_and_closed_ones_a_day(demo: Demo) -> None:
    for deal in demo.all(Opportunity):
        assert bool(deal.reason) == (deal.stage == "Lost")
        assert (deal.closed is None) == (deal.stage in OPEN_STAGES)
        assert deal.expected is not None


def test_a_converted_lead_is_a_customer(demo: Demo) -> None:
    customers = {customer.id: customer.name for customer in demo.all(Customer)}
    for lead in demo.all(Lead):
        assert (lead.state is LeadState.CONVERTED) == (lead.customer is not None)
        assert lead.customer is None or customers[lead.customer] == lead.company


def test_nobody_can_be_reached_by_accident(demo: Demo) -> None:
    for somebody in demo.found[Contact] + demo.found[Lead]:
        assert somebody.email.endswith(".example.com")
        assert not somebody.phone or somebody.phone.startswith(
            ("+1 ", "+33 1 99 00 ", "+44 20 7946 0", "+46 8 465 004 ", "+49 30 23125 ", "+86 10 0100 ")
        )


def test_plain_acme_is_one_customer(demo: Demo) -> None:
    called = [c.name for c in demo.all(Customer) for name in (c.name, *c.aliases) if name.casefold() == "acme"]
    assert called == ["Acme Corp"]
    assert sum(customer.name.startswith("Acm") for customer in demo.all(Customer)) == 2


def test_fifty_pro_seats_at_twenty_need_the_manager(demo: Demo) -> None:
    acme = next(customer for customer in demo.all(Customer) if customer.name == "Acme Corp")
    seat = next(product for product in demo.all(Product) if "Pro seats" in product.aliases)
    with demo.database.turn() as unit:
        desk = Desk(unit, demo.company, demo.company.roster.people["tom"], NOW)
        wish = orders.LineWish(product=seat, quantity=Decimal(50), price=Decimal(20))
        order = orders.place(desk, acme, [wish], currency="USD")
        steps = orders.verdict(desk, order).steps
    assert order.number == demo.all(Order)[-1].number + 1
    assert order.effective_discount == 20
    assert [(step.approvers, step.rules) for step in steps] == [(("raj",), ("Discount over 15%",))]


# ---------------------------------------------------------------- as a sales director looks at it


def test_the_running_week_has_bookings_leads_and_activities(anytime: tuple[Demo, datetime]) -> None:
    demo, now = anytime
    monday, _ = Week.of(now, demo.company.tz).bounds(demo.company.tz)
    assert sum(order.state in BOOKED and order.decided >= monday for order in demo.all(Order) if order.decided) >= 2
    assert any(lead.created >= monday for lead in demo.all(Lead))
    assert any(activity.at >= monday for activity in demo.all(Activity))
    assert any(deal.closed >= monday for deal in demo.all(Opportunity) if deal.closed)


def test_business_rests_at_weekends_and_over_chinese_new_year(demo: Demo) -> None:
    found = demo.all(Order)
    zones = {person.id: person.zone for person in demo.company.roster.people.values()}
    chinese = {person for person, zone in zones.items() if zone == "Asia/Shanghai"}
    weekdays = Counter(order.created.weekday() for order in found)
    assert 0 < weekdays[5] + weekdays[6] < 0.02 * len(found)
    weeks = Counter(Week.of(order.created, demo.company.tz).label for order in found if order.rep in chinese)
    assert weeks["2026-W08"] < 0.25 * weeks["2026-W11"]


def test_quarters_end_busier_than_they_begin(demo: Demo) -> None:
    early = late = 0
    for order in demo.all(Order):
        day = order.created.date()
        ends = (day + timedelta(days=14)).month
        late += day.month in (3, 6, 9) and ends != day.month
        early += day.month in (4, 7, 10) and day.day <= 14
    assert late > 1.3 * early


def test_most_of_what_is_booked_comes_from_few_customers(demo: Demo) -> None:
    booked: Counter[int] = Counter()
    for order in demo.all(Order):
        if order.state in BOOKED and order.base_total:
            booked[order.customer] += int(order.base_total.amount)
    largest = sum(amount for _, amount in booked.most_common(10))
    assert 0.45 < largest / booked.total() < 0.75
    assert booked.most_common(1)[0][1] < 0.2 * booked.total()


def test_quotas_were_met_by_70_to_115_percent(anytime: tuple[Demo, datetime]) -> None:
    demo, now = anytime
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in demo.all(Order):
        if order.state in BOOKED and order.decided and order.base_total:
            booked[order.rep, _quarter(order.decided.astimezone(demo.company.tz))] += order.base_total.amount
    running = _quarter(now.astimezone(demo.company.tz))
    quotas = demo.all(Quota)
    assert Counter(quota.person for quota in quotas) == {"tom": 9, "lena": 9, "fang": 9, "lei": 9}
    assert sum(quota.period == running for quota in quotas) == 4
    for quota in quotas:
        if quota.period != running:
            assert Decimal("0.7") <= booked[quota.person, quota.period] / quota.amount.amount <= Decimal("1.15")


# ---------------------------------------------------------------- filling


def test_the_same_now_gives_the_same_records_in_any_process(demo: Demo, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.storage.test_seed import digest, filled;"
        "print(digest(filled(Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "other.db")]
    root = Path(__file__).parents[2]
    other = subprocess.run(command, cwd=root, env={"PYTHONHASHSEED": "1"}, capture_output=True, text=True, check=True)  # noqa: S603
    assert other.stdout.strip() == digest(demo.database)


def test_a_database_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = filled(tmp_path / "demo.db")
    before = digest(database)
    with pytest.raises(Conflict):
        seed.fill(database, demo_company(), NOW + timedelta(days=3))
    assert digest(database) == before
    database.close()


def test_names_are_read_again_and_the_progress_only_grows(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'demo.db'}")
    upgrade(database)
    company = demo_company()
    with database.turn() as unit:
        stamp = unit.names_stamp()
    heard: list[tuple[int, int]] = []
    seed.fill(database, company, NOW, lambda done, total: heard.append((done, total)))
    with database.turn() as unit:
        assert unit.names_stamp() > stamp
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1]
    database.close()


def _quarter(moment: datetime) -> str:
    return f"{moment.year}-Q{(moment.month + 2) // 3}"


def _cancelled_late(demo: Demo, order: Order) -> bool:
    names = [event.name for event in demo.events[f"order:{order.number}"]]
    submitted = max((n for n, name in enumerate(names) if name == "order.submitted"), default=0)
    clear = "order.approved" in names[submitted:] or (bool(order.submitted) and not order.steps)
    return order.state is State.CANCELLED and clear
