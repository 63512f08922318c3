"""Money is exact and rounded once, what cannot be is refused with a reason, and ISO weeks tile time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import values
from core.errors import Invalid
from core.values import Money, Week

CURRENCIES = ("USD", "EUR", "CNY", "JPY", "KWD", "CLF")
PLACES = {"USD": 2, "EUR": 2, "CNY": 2, "JPY": 0, "KWD": 3, "CLF": 4}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia")
currencies = st.sampled_from(CURRENCIES)
prices = st.decimals(min_value=0, max_value=values.MAX_AMOUNT, places=4)
percents = st.decimals(min_value=0, max_value=100, places=2)
quantities = st.decimals(min_value=Decimal("0.001"), max_value=values.MAX_QUANTITY, places=3)
moments = st.floats(0, 2.2e9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2040, 12, 31))
NO_NUMBERS = ("NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "1e999999", "-1e999999")


def places_of(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


# ---------------------------------------------------------------- money


@given(prices, currencies)
def test_an_amount_is_kept_to_the_last_digit(amount: Decimal, currency: str) -> None:
    kept = values.money(amount, currency)
    assert (kept.amount, kept.currency.code) == (amount, currency)
    assert values.money(str(amount), currency.lower()) == kept


@pytest.mark.parametrize("amount", [*NO_NUMBERS, "-0.01", "-1", "1000000000.0001", "1000000001"])
def test_an_amount_below_zero_or_absurdly_large_is_refused(amount: str) -> None:
    with pytest.raises(Invalid) as error:
        values.money(amount, "USD")
    assert error.value.code == "amount_out_of_range"
    assert error.value.facts["amount"] == amount


@pytest.mark.parametrize("amount", ["0.00001", "1.23456", "999999999.99999", "1e-999999"])
def test_an_amount_finer_than_four_places_is_refused(amount: str) -> None:
    with pytest.raises(Invalid) as error:
        values.money(amount, "USD")
    assert error.value.code == "amount_too_fine"


@pytest.mark.parametrize("amount", ["0", "0.0001", "1000000000", "1E+9", "12.3400000"])
def test_the_limits_themselves_and_trailing_zeros_are_fine(amount: str) -> None:
    assert values.money(amount, "USD").amount == Decimal(amount)


@pytest.mark.parametrize("code", ["", "US", "USDX", "EURO", "ZZZ", "$", "人民币"])
def test_a_currency_that_does_not_exist_is_refused_by_name(code: str) -> None:
    with pytest.raises(Invalid) as error:
        values.money(1, code)
    assert (error.value.code, error.value.facts["currency"]) == ("currency_unknown", code)


@given(prices, currencies)
def test_rounding_is_to_what_can_be_paid_with_halves_away_from_zero(amount: Decimal, currency: str) -> None:
    rounded = values.rounded(Money(amount, currency))
    unit = Decimal(1).scaleb(-PLACES[currency])
    assert rounded.amount == amount.quantize(unit, rounding=ROUND_HALF_UP)
    assert places_of(rounded.amount) <= PLACES[currency]
    assert abs(rounded.amount - amount) <= unit / 2


@given(prices, currencies)
def test_what_was_rounded_once_does_not_move_when_rounded_again(amount: Decimal, currency: str) -> None:
    once = values.rounded(Money(amount, currency))
    assert values.rounded(once) == once


@pytest.mark.parametrize(
    ("amount", "currency", "paid"),
    [
        ("0.005", "USD", "0.01"),
        ("2.675", "USD", "2.68"),  # as a float this is 2.67499...
        ("1.0049", "USD", "1.00"),
        ("0.5", "JPY", "1"),
        ("1.0005", "KWD", "1.001"),
        ("-0.005", "USD", "-0.01"),
    ],
)
def test_halves_are_rounded_as_an_invoice_does(amount: str, currency: str, paid: str) -> None:
    assert values.rounded(Money(amount, currency)) == Money(paid, currency)


@given(prices, percents, currencies)
def test_a_discount_is_rounded_once(amount: Decimal, off: Decimal, currency: str) -> None:
    """The exact product, rounded at the end; rounding in between would be off by a cent now and then."""
    exact = amount * (100 - off) / 100
    assert values.discounted(Money(amount, currency), off) == values.rounded(Money(exact, currency))


@given(prices, currencies)
def test_no_discount_takes_nothing_and_a_full_one_leaves_nothing(amount: Decimal, currency: str) -> None:
    value = values.rounded(Money(amount, currency))
    assert values.discounted(value, Decimal(0)) == value
    assert values.discounted(value, Decimal(100)) == Money(0, currency)


@given(st.lists(prices, max_size=60), currencies)
def test_a_sum_is_exact_in_any_order(amounts: list[Decimal], currency: str) -> None:
    monies = [Money(amount, currency) for amount in amounts]
    assert values.total(monies, currency).amount == sum(amounts, Decimal(0))
    assert values.total(reversed(monies), currency) == values.total(monies, currency)


@given(st.lists(currencies, min_size=1, max_size=5), currencies)
def test_two_currencies_are_never_added(codes: list[str], currency: str) -> None:
    monies = [Money(1, code) for code in codes]
    if set(codes) == {currency}:
        assert values.total(monies, currency) == Money(len(codes), currency)
    else:
        with pytest.raises(Invalid) as error:
            values.total(monies, currency)
        assert error.value.code == "mixed_currencies"
        assert currency in error.value.facts["currencies"]
        assert len(error.value.facts["currencies"]) == 2


# ---------------------------------------------------------------- percent and quantity


@given(percents)
def test_a_percentage_is_kept_exactly_and_always_written_the_same(value: Decimal) -> None:
    kept = values.percent(value)
    assert kept == value
    assert str(values.percent(f"{value:.2f}")) == str(kept)


@pytest.mark.parametrize("value", [*NO_NUMBERS, "-0.01", "-5", "100.01", "120", "33.333", "1e-999999"])
def test_a_percentage_outside_0_to_100_or_finer_than_two_places_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as error:
        values.percent(value)
    assert (error.value.code, error.value.facts["percent"]) == ("percent_out_of_range", value)


@given(quantities)
def test_a_quantity_is_kept_exactly(value: Decimal) -> None:
    assert values.quantity(value) == value
    assert values.quantity(str(value)) == value


@pytest.mark.parametrize("value", [*NO_NUMBERS, "0", "-0", "-1", "1000000.001", "1000001", "0.0001", "1e-999999"])
def test_a_quantity_of_nothing_too_much_or_too_fine_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as error:
        values.quantity(value)
    assert (error.value.code, error.value.facts["quantity"]) == ("quantity_out_of_range", value)


def test_the_limits_of_a_quantity_are_fine() -> None:
    assert values.quantity("0.001") == Decimal("0.001")
    assert values.quantity("1000000") == values.MAX_QUANTITY


def test_a_refusal_says_its_code_and_its_facts() -> None:
    assert str(Invalid("no_lines")) == "no_lines"
    assert "'count': 51" in str(Invalid("too_many_lines", count=51))


# ---------------------------------------------------------------- weeks


@given(moments, zones)
def test_every_moment_lies_in_exactly_one_week(moment: datetime, zone: ZoneInfo) -> None:
    week = Week.of(moment, zone)
    first, end = week.bounds(zone)
    assert first <= moment < end
    assert not week.plus(1).bounds(zone)[0] <= moment
    assert not moment < week.plus(-1).bounds(zone)[1]


@given(days, zones, st.integers(-60, 60))
def test_weeks_leave_no_gap_and_do_not_overlap(day: date, zone: ZoneInfo, weeks: int) -> None:
    week = Week.holding(day)
    assert week.plus(weeks).plus(-weeks) == week
    assert week.bounds(zone)[1] == week.plus(1).bounds(zone)[0]
    assert week.plus(-1) < week < week.plus(1)


@given(days)
def test_a_week_runs_from_monday_to_sunday_and_is_named_as_iso_does(day: date) -> None:
    week = Week.holding(day)
    assert (week.monday.isoweekday(), week.sunday.isoweekday()) == (1, 7)
    assert week.monday <= day <= week.sunday
    year, number, _ = day.isocalendar()
    assert week.label == f"{year}-W{number:02d}"


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2024, 12, 29), "2024-W52"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2025, 12, 29), "2026-W01"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2021, 1, 3), "2020-W53"),
    ],
)
def test_the_days_around_new_year_lie_in_the_iso_week_year(day: date, label: str) -> None:
    assert Week.holding(day).label == label


@pytest.mark.parametrize(
    ("zone", "monday", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 23), 167),
        ("Europe/Berlin", date(2026, 10, 19), 169),
        ("America/New_York", date(2026, 3, 2), 167),
        ("America/New_York", date(2026, 10, 26), 169),
        ("Australia/Lord_Howe", date(2026, 3, 30), 168.5),
        ("Asia/Shanghai", date(2026, 3, 23), 168),
        ("UTC", date(2026, 10, 19), 168),
    ],
)
def test_a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer(zone: str, monday: date, hours: float) -> None:
    first, end = Week(monday).bounds(ZoneInfo(zone))
    assert end.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=hours)


def test_a_week_begins_at_midnight_of_its_zone() -> None:
    """A quarter to midnight on Sunday in Berlin is Monday already in Shanghai."""
    moment = datetime(2026, 11, 22, 22, 45, tzinfo=UTC)
    assert Week.of(moment, ZoneInfo("Europe/Berlin")).label == "2026-W47"
    assert Week.of(moment, ZoneInfo("Asia/Shanghai")).label == "2026-W48"


def test_a_zero_has_no_minus() -> None:
    assert str(values.money("-0", "USD").amount) == "0"
