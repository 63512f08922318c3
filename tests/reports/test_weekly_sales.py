from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import reports
from core.desk import Company, Desk
from core.errors import Invalid, NotFound
from core.reports import weekly_sales
from core.reports._windows import quarter, windows
from core.store import Booking
from core.team import Roster
from core.values import Money, Week
from tests.reports.desks import PEOPLE, House, house, rich, words

BERLIN = ZoneInfo("Europe/Berlin")
W47 = Week(date(2026, 11, 16))
AFTER = datetime(2026, 11, 25, 9, tzinfo=UTC)  # a Wednesday in W48
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN).astimezone(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    built = house(tmp_path)
    yield built
    built.database.close()


def built(home: House, person: str = "dana", now: datetime = AFTER, week: Week | None = W47) -> dict[str, Any]:
    with home.desk(person, now) as desk:
        data = weekly_sales.build(desk, week)
    again: dict[str, Any] = json.loads(json.dumps(data))
    assert again == data
    return again


def said(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {key.removeprefix("report.weekly_sales."): facts for key, facts in weekly_sales.summary(data)}


# ---------------------------------------------------------------- the registry


def test_reports_are_found_by_name() -> None:
    assert "weekly_sales" in reports.names()
    assert not [name for name in reports.names() if name.startswith("_")]
    for name in reports.names():
        assert name == reports.find(name).NAME
    with pytest.raises(NotFound):
        reports.find("_look")


def test_looking_for_a_report_loads_no_drawing_library() -> None:
    check = (
        "import sys; from core import reports; reports.find('weekly_sales');"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'numpy', 'matplotlib', 'PIL')))"
    )
    ended = subprocess.run([sys.executable, "-c", check], check=False, cwd=Path(__file__).parents[2])  # noqa: S603
    assert ended.returncode == 0


# ---------------------------------------------------------------- windows


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.sampled_from(ZONES), st.integers(0, 30 * 86_400))
def test_windows_tile_time_and_the_compared_one_has_the_same_days(day: date, zone: str, later: int) -> None:
    tz = ZoneInfo(zone)
    week = Week(day - timedelta(days=day.weekday()))
    now = week.bounds(tz)[0].astimezone(UTC) + timedelta(seconds=later)
    span = windows(week, 16, now, tz)

    assert all(start < end for start, end in pairwise(span.bounds))
    for each in span.weeks:
        assert each.bounds(tz)[0].astimezone(UTC) in span.bounds
    local = [bound.astimezone(tz) for bound in span.bounds]
    assert span.partial == (now < week.bounds(tz)[1])
    assert local[-1].date() == week.monday + timedelta(days=span.days)

    owned = [span.week_of(window) for window in range(len(span.bounds) - 1)]
    assert owned == sorted(owned)
    assert set(owned) == set(range(16))
    compared = [window for window in range(len(owned)) if span.compared(window)]
    assert len(compared) == 1
    start, end = local[compared[0]], local[compared[0] + 1]
    assert (start.date(), end.date() - start.date()) == (span.weeks[-2].monday, timedelta(days=span.days))


def test_a_week_is_an_hour_longer_or_shorter_when_the_clocks_change() -> None:
    span = windows(Week(date(2026, 11, 2)), 36, AFTER, BERLIN)
    hours = {(end - start) / timedelta(hours=1) for start, end in pairwise(span.bounds)}
    assert hours == {167, 168, 169}


def test_a_week_to_come_has_no_report(home: House) -> None:
    with pytest.raises(Invalid, match="week_not_begun"):
        built(home, week=Week(date(2026, 11, 30)))


def test_a_week_belongs_to_the_quarter_of_its_thursday() -> None:
    assert [quarter(date(2026, 9, 28)), quarter(date(2026, 12, 28)), quarter(date(2026, 3, 30))] == [
        "2026-Q4", "2026-Q4", "2026-Q2",
    ]  # fmt: skip


# ---------------------------------------------------------------- what is counted


def test_nothing_at_all_is_said_in_one_line(home: House) -> None:
    home.order("100", at(date(2026, 1, 5)))
    data = built(home)
    assert data["empty"]
    assert list(said(data)) == ["empty"]


def test_a_finished_week_against_the_one_before(home: House) -> None:
    home.order("100.10", at(date(2026, 11, 16), 0))  # the first moment
    home.order("0.05", datetime(2026, 11, 22, 22, 59, 59, 999_999, tzinfo=UTC), rep="li", region="China")  # the last
    home.order("999", datetime(2026, 11, 22, 23, tzinfo=UTC))  # the next week's first
    home.order("80", at(date(2026, 11, 15), 23))
    data = built(home)
    assert (data["now"]["net"], data["before"]["net"]) == ("100.15", "80")
    assert data["now"]["orders"] == 2
    assert data["change"]["net"] == {"kind": "percent", "amount": "20.15", "percent": "25.2"}
    assert [(row["region"], row["net"]) for row in data["rows"] if row["week"] == 15] == [
        ("China", "0.05"), ("EMEA", "100.1"),
    ]  # fmt: skip
    assert [person["name"] for person in data["people"]] == ["Mia Chen", "李娜"]
    facts = said(data)
    assert facts["bookings_gross"]["net"] == Money("100.15", "EUR")
    assert facts["change_up"]["percent"] == Decimal("25.2")
    assert facts["orders"]["average"] == Money("50.08", "EUR")


def test_a_running_week_is_partial_and_compared_with_the_same_days(home: House) -> None:
    home.order("30", at(date(2026, 11, 23)))
    home.order("20", at(date(2026, 11, 18), 23))  # Wednesday of the week before: counts
    home.order("500", at(date(2026, 11, 19), 0))  # Thursday: does not, but stands in the chart
    data = built(home, week=None)
    assert (data["partial"], data["days"], data["week"]["label"]) == (True, 3, "2026-W48")
    assert (data["now"]["net"], data["before"]["net"]) == ("30", "20")
    assert data["weeks"][-2]["net"] == "520"
    assert said(data)["change_up_partial"] == {
        "week": "2026-W47", "days": 3, "percent": Decimal("50.0"),
        "before": Money(20, "EUR"), "amount": Money(10, "EUR"),
    }  # fmt: skip
    assert said(data)["headline_partial"]["days"] == 3


def test_the_last_day_of_a_running_week_is_still_partial(home: House) -> None:
    data = built(home, week=None, now=at(date(2026, 11, 22), 20))
    assert (data["partial"], data["days"]) == (True, 7)


def test_after_nothing_comes_new_and_never_a_percentage(home: House) -> None:
    home.order("5", at(date(2026, 11, 17)))
    data = built(home)
    assert data["change"]["net"] == {"kind": "new", "amount": "5"}
    assert "change_new" in said(data)


def test_a_cancelled_order_counts_where_it_was_booked_and_is_taken_off_where_it_ended(home: House) -> None:
    home.order("70", at(date(2026, 11, 3)), cancelled=at(date(2026, 11, 17)))
    home.order("30", at(date(2026, 11, 18)))
    data = built(home)
    assert {week["label"]: week["net"] for week in data["weeks"][-3:]} == {
        "2026-W45": "70", "2026-W46": "0", "2026-W47": "-40",
    }  # fmt: skip
    facts = said(data)["bookings"]
    assert [facts[name] for name in ("net", "gross", "cancelled")] == [Money(n, "EUR") for n in (-40, 30, 70)]
    assert data["people"] == []
    later = built(home, week=None)
    assert later["change"]["net"] == {"kind": "amount", "amount": "40"}  # no percentage of less than nothing
    assert later["before"]["net"] == "-40"


def test_an_order_without_a_rate_is_named_and_not_counted_as_money(home: House) -> None:
    number = home.order(None, at(date(2026, 11, 17)))
    home.order("10", at(date(2026, 11, 17)))
    home.order(None, at(date(2026, 10, 1)))
    data = built(home)
    assert data["unrated"] == {"orders": 1, "numbers": [number], "shown": 2, "quotas": 0}
    assert (data["now"]["net"], data["now"]["orders"], data["now"]["average"]) == ("10", 2, "10.00")
    assert said(data)["unrated"] == {"count": 1, "numbers": f"#{number}"}


def test_everybody_sees_what_they_may(home: House) -> None:
    for rep, amount in (("mia", "1"), ("li", "10"), ("tom", "100"), ("max", "1000")):
        home.order(amount, at(date(2026, 11, 17)), rep=rep)
    seen = {person: built(home, person) for person in ("mia", "max", "dana")}
    assert {person: data["now"]["net"] for person, data in seen.items()} == {"mia": "1", "max": "1011", "dana": "1111"}
    assert [data["scope"]["kind"] for data in seen.values()] == ["own", "team", "all"]


def test_the_target_is_the_part_of_the_quotas_of_those_in_sight(home: House) -> None:
    home.quota("mia", "2026-Q4", 1300)
    home.quota("tom", "2026-Q4", 2600)
    home.quota("mia", "2026-Q3", 130)
    home.order("150", at(date(2026, 11, 17)))
    mine = built(home, "mia")
    assert mine["target"] == {"week": "100.00", "percent": "150.0", "quarter": "2026-Q4"}
    assert [week["target"] for week in mine["weeks"]][6:9] == ["10.00", "10.00", "100.00"]
    assert built(home)["target"]["week"] == "300.00"
    assert built(home, "li")["target"] is None
    assert "target_none" in said({**built(home, "li"), "empty": False})


def test_a_quota_without_a_rate_is_no_target(home: House) -> None:
    home.quota("mia", "2026-Q4", 1300)
    home.quota("li", "2026-Q4", 1300, "USD")
    home.order("1", at(date(2026, 11, 17)))
    data = built(home)
    assert data["target"] is None
    assert "target_unrated" in said(data)
    home.rates["USD"] = Decimal("0.5")
    assert built(home)["target"]["week"] == "150.00"


class Counted:
    """Records that only know bookings, and count how often they are asked."""

    def __init__(self, rows: list[Booking]) -> None:
        self.rows, self.asked = rows, 0

    def bookings(self, *_: object) -> list[Booking]:
        self.asked += 1
        return self.rows

    def find(self, *_: object, **__: object) -> list[Any]:
        return []


AMOUNTS = st.decimals("0", "999999999.9999", places=4)
ROWS = st.builds(
    Booking, st.integers(0, 15), st.sampled_from(("EMEA", "China", "")), st.sampled_from(("mia", "li")),
    st.integers(1, 9), AMOUNTS, st.just(0), cancelled=st.booleans(),
)  # fmt: skip


@given(st.lists(ROWS, max_size=60))
def test_money_adds_up_to_the_last_cent_and_is_asked_for_once(rows: list[Booking]) -> None:
    records: Any = Counted(rows)
    company = Company(name="N", currency="EUR", zone="Europe/Berlin", roster=Roster.of(PEOPLE))
    data = weekly_sales.build(Desk(records, company, PEOPLE[0], AFTER), W47)
    signed = [(row.window, row.region, -row.amount if row.cancelled else row.amount) for row in rows]
    assert records.asked == 1
    for position, week in enumerate(data["weeks"]):
        assert Decimal(week["net"]) == sum(amount for window, _, amount in signed if window == position)
    for row in data["rows"]:
        mine = [amount for window, region, amount in signed if (window, region) == (row["week"], row["region"])]
        assert Decimal(row["net"]) == sum(mine)
    assert Decimal(data["now"]["gross"]) - Decimal(data["now"]["cancelled"]) == Decimal(data["now"]["net"])
    assert not any(isinstance(value, float) for value in _leaves(data))
    weekly_sales.summary(data)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


# ---------------------------------------------------------------- words


def test_both_languages_have_the_same_sentences_with_the_same_blanks() -> None:
    def blanks(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    assert {key: blanks(text) for key, text in english.items()} == {key: blanks(text) for key, text in chinese.items()}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("kind", ["percent", "amount", "new", "same"])
@pytest.mark.parametrize("amount", ["5", "-5"])
def test_every_sentence_can_be_said(language: str, partial: bool, kind: str, amount: str) -> None:
    data = rich(partial=partial)
    data["change"]["net"] = {"kind": kind, "amount": amount, "percent": "3.5"}
    data["people"] = [{"person": "mia", "name": "Mia", "net": "4", "orders": 1}]
    sentences = words(language)
    for cut in ({}, {"target": None}, {"empty": True}):
        for key, facts in weekly_sales.summary({**data, **cut}):
            assert "{" not in sentences[key.removeprefix("report.weekly_sales.")].format(**facts)
