"""What a date expression means, once its parts are told apart: a day, or a period with a token and two ends."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class When:
    """A day or a period: its token, first and last day. `day` is set when the words name one day.

    `vague`: the words name no day at all ("soon"). `others`: the other days 3/4 could be.
    """

    words: str
    day: date | None = None
    token: str = ""
    first: date | None = None
    last: date | None = None
    vague: bool = False
    others: tuple[date, ...] = ()
    every: bool = False  # a rhythm ("weekly"), not a date
    open_year: bool = False  # the year was not said

    def ahead_of(self, today: date) -> When:
        """The same period of next year, when no year was said and it is over."""
        if not self.open_year or self.first is None or self.last is None or self.last >= today:
            return self
        token = self.token.replace(str(self.first.year), str(self.first.year + 1), 1)
        return replace(self, token=token, first=_add_months(self.first, 12), last=_add_months(self.last, 12))


@dataclass(frozen=True, slots=True)
class Said:
    """The named parts of one expression, and the words of its language to look them up in."""

    parts: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]
    today: date
    words: str

    def __contains__(self, name: str) -> bool:
        return name in self.parts

    def number(self, name: str, listed: str = "", default: int = 0) -> int:
        """A part as a number, by its list or by its digits."""
        value = self.parts.get(name)
        if value is None:
            return default
        known = self.values.get(listed, {}).get(" ".join(value.split()))
        return int(known) if known is not None else int(value.strip("'"))

    def text(self, name: str, listed: str) -> str:
        """What a part stands for in its list."""
        value = self.parts.get(name)
        return "" if value is None else str(self.values[listed].get(" ".join(value.split()), ""))


def meaning(kind: str, said: Said) -> When | None:
    """The day or period of an expression of this kind, or nothing when there is no such day."""
    try:
        return _KINDS[kind](said)
    except (ValueError, OverflowError):
        return None  # 31 February, the year 0


def _one_day(day: date, words: str, *, others: tuple[date, ...] = (), open_year: bool = False) -> When:
    return When(words, day, day.isoformat(), day, day, others=others, open_year=open_year)


def _relative_day(said: Said) -> When:
    offset = said.number("offset", "days")
    day = said.today + offset * _DAY
    token = {0: "today", -1: "yesterday", 1: "tomorrow"}.get(offset, day.isoformat())
    return When(said.words, day, token, day, day)


def _weekday(said: Said) -> When:
    monday = said.today - said.today.weekday() * _DAY
    weekday = said.number("weekday", "weekdays")
    if "which" in said:
        day = monday + (7 * said.number("which", "which") + weekday) * _DAY
        if said.number("which", "which") == -1 and day >= said.today:
            day -= 7 * _DAY
    else:
        day = said.today + (weekday - said.today.weekday()) % 7 * _DAY
    return _one_day(day, said.words)


def _full_date(said: Said) -> When:
    year = said.number("year", "years") if "year" in said else 0
    if 0 < year < 100:
        year += 2000
    day = date(year or said.today.year, said.number("month", "months"), said.number("day", "numbers"))
    if not year and day < said.today - timedelta(days=120):
        day = day.replace(year=said.today.year + 1)
    return _one_day(day, said.words, open_year=not year)


def _ordered(said: Said) -> When:
    """2026-03-04, 4.3.2026 and 3月4日 can only be read one way."""
    when = _slashed(said)
    return When(when.words, when.day, when.token, when.first, when.last, open_year=when.open_year)


def _slashed(said: Said) -> When:
    """3/4 is March to some and April to others; 21/11 is clear."""
    a, b = said.number("a", ""), said.number("b", "")
    year = said.number("year", "years") if "year" in said else 0
    year = year + 2000 if 0 < year < 100 else year
    read = {"month": a, "day": b} if a <= 12 else {"month": b, "day": a}

    def on(month: int, day: int) -> date:
        found = date(year or said.today.year, month, day)
        return found if year or found >= said.today - timedelta(days=120) else found.replace(year=said.today.year + 1)

    first = on(read["month"], read["day"])
    both = a <= 12 and b <= 12 and a != b
    return _one_day(first, said.words, others=(first, on(b, a)) if both else (), open_year=not year)


def _month_day(said: Said) -> When:
    """The 15th: of this month, or the next one when it has passed."""
    day = said.number("day", "numbers")
    shift = said.number("which", "which") if "which" in said else int(day < said.today.day)
    first = _add_months(said.today.replace(day=1), shift)
    return _one_day(first.replace(day=day), said.words)


def _period(said: Said) -> When:
    unit, which = said.text("unit", "units"), said.number("which", "which")
    n = said.number("n", "numbers", 1)
    if unit == "day":
        if n == 1 and "n" not in said:
            return _one_day(said.today + which * _DAY, said.words)
        first, last = (
            (said.today - (n - 1) * _DAY, said.today) if which < 0 else (said.today, said.today + (n - 1) * _DAY)
        )
    elif which == 0:
        first, last = _span(unit, said.today)
        return When(said.words, None, f"this_{unit}", first, last)
    elif which < 0:
        first, last = _span(unit, _shift(unit, said.today, -n if "n" in said else which))
        last = _span(unit, _shift(unit, said.today, -1 if "n" in said else which))[1]
    else:
        first = _span(unit, _shift(unit, said.today, 1 if "n" in said else which))[0]
        last = _span(unit, _shift(unit, said.today, n if "n" in said else which))[1]
    side = "last" if which < 0 else "next"
    plain = "n" not in said or (n == 1 and unit != "day")
    if plain and abs(which) > 1:
        return When(said.words, None, _name(unit, first), first, last)
    return When(said.words, None, f"{side}_{unit}" if plain else f"{side}_{n}_{unit}s", first, last)


def _distance(said: Said) -> When:
    n = said.number("n", "numbers", 1)
    unit = said.text("unit", "units")
    return _one_day(_shift(unit, said.today, n * said.number("way", "ways", 1)), said.words)


def _ahead(said: Said) -> When:
    return _one_day(_shift(said.text("unit", "units"), said.today, said.number("n", "numbers", 1)), said.words)


def _ago(said: Said) -> When:
    return _one_day(_shift(said.text("unit", "units"), said.today, -said.number("n", "numbers", 1)), said.words)


def _end(said: Said) -> When:
    unit = said.text("unit", "units") or said.text("short", "ends")
    if "month" in said or "quarter" in said:
        when = (_month if "month" in said else _quarter)(said)
        day = when.last or said.today
        if when.open_year and day < said.today - timedelta(days=120):
            day = _add_months(day, 12)
        return _one_day(day, said.words, open_year=when.open_year)
    if unit == "day":
        return _one_day(said.today, said.words)
    return _one_day(_span(unit, _shift(unit, said.today, said.number("which", "which")))[1], said.words)


def _start_of(said: Said) -> When:
    unit = said.text("unit", "units")
    return _one_day(_span(unit, _shift(unit, said.today, said.number("which", "which")))[0], said.words)


def _quarter(said: Said) -> When:
    quarter = said.number("quarter", "quarters")
    year = said.number("year", "years", said.today.year)
    year = year + 2000 if year < 100 else year
    if "which" in said:
        year = said.today.year + said.number("which", "which")
    first, last = _span("quarter", date(year, quarter * 3 - 2, 1))
    return When(
        said.words, None, f"{year}-Q{quarter}", first, last, open_year="year" not in said and "which" not in said
    )


def _half(said: Said) -> When:
    half, year = said.number("half", "halves"), said.number("year", "years", said.today.year)
    year = year + 2000 if year < 100 else year
    first = date(year, 1 if half == 1 else 7, 1)
    return When(said.words, None, f"{year}-H{half}", first, _add_months(first, 6) - _DAY, open_year="year" not in said)


def _month(said: Said) -> When:
    month = said.number("month", "months")
    year = said.number("year", "years", said.today.year)
    year = year + 2000 if year < 100 else year
    if "which" in said:
        year = said.today.year + said.number("which", "which")
    first, last = _span("month", date(year, month, 1))
    closed = "year" in said or "which" in said
    return When(said.words, None, f"{year}-{month:02}", first, last, open_year=not closed)


def _year(said: Said) -> When:
    year = said.number("year", "years")
    year = year + 2000 if year < 100 else year
    return When(said.words, None, str(year), date(year, 1, 1), date(year, 12, 31))


def _week(said: Said) -> When:
    week = said.number("week", "numbers")
    year = said.number("year", "years", said.today.isocalendar().year)
    first = date.fromisocalendar(year, week, 1)
    return When(said.words, None, f"{year}-W{week:02}", first, first + 6 * _DAY, open_year="year" not in said)


def _to_date(said: Said) -> When:
    unit = said.text("unit", "units") or said.text("short", "todates")
    return When(said.words, None, f"this_{unit}", _span(unit, said.today)[0], said.today)


def _rhythm(said: Said) -> When:
    unit = said.text("every", "rhythms")
    first, last = _span(unit, said.today)
    return When(said.words, None, f"this_{unit}", first, last, every=True)


def _vague(said: Said) -> When:
    return When(said.words, vague=True)


_KINDS: Mapping[str, Callable[[Said], When]] = {
    "day": _relative_day,
    "weekday": _weekday,
    "date": _full_date,
    "slashed": _slashed,
    "ordered": _ordered,
    "month_day": _month_day,
    "period": _period,
    "distance": _distance,
    "ahead": _ahead,
    "ago": _ago,
    "end": _end,
    "start": _start_of,
    "quarter": _quarter,
    "half": _half,
    "month": _month,
    "year": _year,
    "week": _week,
    "to_date": _to_date,
    "rhythm": _rhythm,
    "vague": _vague,
}


# ---------------------------------------------------------------- the calendar


def _span(unit: str, day: date) -> tuple[date, date]:
    """The first and the last day of the unit around a day."""
    if unit == "week":
        first = day - day.weekday() * _DAY
        return first, first + 6 * _DAY
    if unit == "month":
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    if unit == "quarter":
        first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        return first, _add_months(first, 3) - _DAY
    if unit == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    return day, day


def _shift(unit: str, day: date, n: int) -> date:
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months:
        return _add_months(day, n * months)
    return day + n * (7 if unit == "week" else 1) * _DAY


def _add_months(day: date, n: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _name(unit: str, first: date) -> str:
    if unit == "week":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    if unit == "month":
        return f"{first.year}-{first.month:02}"
    return f"{first.year}-Q{(first.month + 2) // 3}" if unit == "quarter" else str(first.year)
