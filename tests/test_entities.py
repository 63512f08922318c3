"""Money, figures, percents, dates and addresses are found where they stand, in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.entities import When, clean, contacts
from bot.entities.numbers import han_value
from bot.gazetteer import Gazetteer
from bot.reading.phrases import KINDS, known_languages, language
from bot.reading.sentence import Thing, read

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)  # a Saturday
NOBODY = Gazetteer()


def things(text: str, *kinds: str) -> list[Thing]:
    return read(clean(text), NOBODY, NOBODY, NOBODY, NOW).of(*kinds)


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$20", "20", "USD"),
        ("20 USD", "20", "USD"),
        ("US$ 1,250.00", "1250.00", "USD"),
        ("1.250,00 €", "1250.00", "EUR"),
        ("€1.250", "1250", "EUR"),
        ("1'250 CHF", "1250", "CHF"),
        ("£9.99", "9.99", "GBP"),
        ("$30k", "30000", "USD"),
        ("1.5m usd", "1500000", "USD"),
        ("$2bn", "2000000000", "USD"),
        ("three hundred dollars", "300", "USD"),
        ("twenty-five euros", "25", "EUR"),
        ("20元", "20", "CNY"),
        ("3万元", "30000", "CNY"),
        ("1.5亿元", "150000000", "CNY"),
        ("三千块", "3000", "CNY"),
        ("两百五十美元", "250", "USD"),
        ("￥５００", "500", "CNY"),
        ("5000日元", "5000", "JPY"),
        ("HK$88", "88", "HKD"),
    ],
)
def test_money(text: str, value: str, currency: str) -> None:
    (found,) = things(text, "money")
    assert (found.value.value, found.value.currency) == (Decimal(value), currency)
    assert (found.start, found.end) == (0, len(text))


def test_a_thousand_or_little_more_than_one() -> None:
    (found,) = things("$1.250", "money")
    assert {found.value.value, found.value.other} == {Decimal("1.25"), Decimal(1250)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8% off", "8"),
        ("12.5 percent", "12.5"),
        ("12,5 %", "12.5"),
        ("ten percent", "10"),
        ("half price", "50"),
        ("九五折", "5"),
        ("8折", "20"),
        ("85折", "15"),
        ("七五折", "25"),
        ("打8.5折", "15"),
        ("九折", "10"),
        ("对折", "50"),
        ("3个点", "3"),
        ("百分之五", "5"),
        ("１０％", "10"),
    ],
)
def test_percents(text: str, value: str) -> None:
    (found,) = things(text, "percent")
    assert found.value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50 seats", "50"),
        ("a dozen boxes", "12"),
        ("half a dozen boxes", "6"),
        ("twenty five", "25"),
        ("two thousand three hundred", "2300"),
        ("2k", "2000"),
        ("五十套", "50"),
        ("两百套", "200"),
        ("一百五十台", "150"),
        ("1万2千套", "12000"),
        ("二十个", "20"),
    ],
)
def test_counts(text: str, value: str) -> None:
    (found,) = things(text, "number")
    assert found.value.value == Decimal(value)


@pytest.mark.parametrize(
    "text", ["看一下", "一起吃饭", "千万别", "5g network", "the 1st version", "one of them", "第一次"]
)
def test_what_is_no_figure(text: str) -> None:
    assert not things(text, "number", "money", "percent")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-21"),
        ("tomorrow", "2026-11-22"),
        ("Friday", "2026-11-27"),
        ("next Tuesday", "2026-11-24"),
        ("last Friday", "2026-11-13"),
        ("this Monday", "2026-11-16"),
        ("in 3 days", "2026-11-24"),
        ("in two weeks", "2026-12-05"),
        ("2 weeks ago", "2026-11-07"),
        ("end of month", "2026-11-30"),
        ("EOQ", "2026-12-31"),
        ("March 3rd", "2027-03-03"),
        ("3 March 2027", "2027-03-03"),
        ("2026-12-01", "2026-12-01"),
        ("30.11.2026", "2026-11-30"),
        ("4.3.2027", "2027-03-04"),
        ("11/30/2026", "2026-11-30"),
        ("the 15th", "2026-12-15"),
        ("明天", "2026-11-22"),
        ("后天", "2026-11-23"),
        ("下周三", "2026-11-25"),
        ("周五", "2026-11-27"),
        ("月底", "2026-11-30"),
        ("12月5日", "2026-12-05"),
        ("2027年3月4号", "2027-03-04"),
        ("十二月五号", "2026-12-05"),
        ("三天后", "2026-11-24"),
        ("明天下午三点", "2026-11-22"),
    ],
)
def test_days(text: str, day: str) -> None:
    (found,) = things(text, "date")
    assert found.value.day == date.fromisoformat(day)
    assert not found.value.others


def test_a_date_that_can_be_read_two_ways() -> None:
    (found,) = things("3/4", "date")
    assert found.value.others == (date(2027, 3, 4), date(2027, 4, 3))


@pytest.mark.parametrize(
    ("text", "token", "first", "last"),
    [
        ("this week", "this_week", "2026-11-16", "2026-11-22"),
        ("last week", "last_week", "2026-11-09", "2026-11-15"),
        ("last 8 weeks", "last_8_weeks", "2026-09-21", "2026-11-15"),
        ("next 4 weeks", "next_4_weeks", "2026-11-23", "2026-12-20"),
        ("last 30 days", "last_30_days", "2026-10-23", "2026-11-21"),
        ("this quarter", "this_quarter", "2026-10-01", "2026-12-31"),
        ("2026-Q3", "2026-Q3", "2026-07-01", "2026-09-30"),
        ("Q1 2026", "2026-Q1", "2026-01-01", "2026-03-31"),
        ("2025-W48", "2025-W48", "2025-11-24", "2025-11-30"),
        ("since January", "since_2026-01", "2026-01-01", "2026-11-21"),
        ("H1 2026", "2026-H1", "2026-01-01", "2026-06-30"),
        ("September", "2026-09", "2026-09-01", "2026-09-30"),
        ("year to date", "this_year", "2026-01-01", "2026-11-21"),
        ("in 2025", "2025", "2025-01-01", "2025-12-31"),
        ("本周", "this_week", "2026-11-16", "2026-11-22"),
        ("上个月", "last_month", "2026-10-01", "2026-10-31"),
        ("最近8周", "last_8_weeks", "2026-09-21", "2026-11-15"),
        ("第三季度", "2026-Q3", "2026-07-01", "2026-09-30"),
        ("去年", "last_year", "2025-01-01", "2025-12-31"),
        ("明年一季度", "2027-Q1", "2027-01-01", "2027-03-31"),
        ("九月份", "2026-09", "2026-09-01", "2026-09-30"),
        ("未来四周", "next_4_weeks", "2026-11-23", "2026-12-20"),
        ("自1月以来", "since_2026-01", "2026-01-01", "2026-11-21"),
    ],
)
def test_periods(text: str, token: str, first: str, last: str) -> None:
    found = things(text, "date")[0].value
    assert (found.token, found.first, found.last) == (token, date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["2026-13-45", "31.2.2026", "may I ask", "24/7 support", "2000 seats", "order 2024"])
def test_what_is_no_date(text: str) -> None:
    assert not things(text, "date")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("mail Jane.Doe+x@acme.example.", "email", "Jane.Doe+x@acme.example"),
        ("call +1 (555) 010-2030 now", "phone", "+1 (555) 010-2030"),
        ("手机13800138000", "phone", "13800138000"),
        ("电话010-88886666", "phone", "010-88886666"),
        ("tracking 1Z999AA10123456784", "tracking", "1Z999AA10123456784"),
        ("快递单号SF1234567890123", "tracking", "SF1234567890123"),
        ("PO 4500012", "purchase", "4500012"),
        ("采购单号PO-88321", "purchase", "PO-88321"),
        ("see https://acme.example/42", "link", "https://acme.example/42"),
    ],
)
def test_addresses(text: str, kind: str, value: str) -> None:
    assert [(found.kind, found.value) for found in contacts(clean(text))] == [(kind, value)]


@pytest.mark.parametrize("text", ["2026-11-21", "order 42 43 44", "1,250.00", "50 seats at 20", "$100-200"])
def test_what_is_no_phone(text: str) -> None:
    assert not [found for found in contacts(clean(text)) if found.kind == "phone"]


@given(st.text(max_size=200))
def test_cleaning_keeps_every_place(text: str) -> None:
    """What was typed and what is compared have the same length, and no mark of ours is left in it."""
    cleaned = clean(text)
    assert len(cleaned.typed) == len(cleaned.low)
    assert not set(cleaned.low) & set(KINDS.values())
    assert all(cleaned.low[u.start : u.end] == u.word for u in cleaned.units)


@settings(deadline=None)
@given(st.decimals("0.01", "99999999", places=2), st.sampled_from(["${:,}", "{:,} USD", "USD {}", "{} dollars"]))
def test_any_sum_is_read_as_it_was_written(value: Decimal, pattern: str) -> None:
    (found,) = things(pattern.format(value), "money")
    assert found.value.value == value
    assert isinstance(found.value.value, Decimal)


@settings(deadline=None)
@given(st.decimals("0.01", "99999999", places=2))
def test_any_sum_with_a_decimal_comma(value: Decimal) -> None:
    typed = f"{value:,}".translate(str.maketrans(",.", ".,"))
    (found,) = things(f"{typed} €", "money")
    assert found.value.value == value


@settings(deadline=None)
@given(st.dates(date(2026, 1, 1), date(2049, 12, 31)))
def test_any_day_in_iso_form(day: date) -> None:
    (found,) = things(f"by {day.isoformat()}", "date")
    assert found.value.day == day


@given(st.integers(10, 99_999))
def test_chinese_numerals(number: int) -> None:
    assert han_value(_han(number)) == number


def _han(number: int) -> str:
    """The ordinary way to write a number."""
    written, pending = "", False
    for place, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, place)
        if digit:
            written += ("零" if pending and written else "") + "零一二三四五六七八九"[digit] + name
            pending = False
        else:
            pending = bool(written)
    return written


def test_every_language_has_the_same_intents_and_roles() -> None:
    """A language is one phrases file: it must know every intent, manner and role the others know."""
    known = [{cue.intent for held in language(code).cues.values() for cue in held} for code in known_languages()]
    assert len(known) >= 2
    assert all(one == known[0] for one in known)


def test_every_phrase_can_be_compiled() -> None:
    for code in known_languages():
        for held in language(code).cues.values():
            for cue in held:
                cue.find("")


def test_a_weekday_is_typed() -> None:
    found: Any = things("by next Friday", "date")[0].value
    assert isinstance(found, When)
    assert found.words == "next Friday"
