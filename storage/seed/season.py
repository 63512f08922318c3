"""When business happens: working hours, holidays, and how much is bought on which day of the year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from core.team import Person
from core.values import Week

DAY = timedelta(days=1)
OPENS, CLOSES = time(9), time(18)
WEEKDAYS = (0.9, 1.14, 1.16, 1.1, 0.82, 0.025, 0.01)
WESTERN_MONTHS = (0.92, 1.0, 1.03, 1.0, 1.0, 1.04, 0.84, 0.68, 1.04, 1.05, 1.08, 0.98)
CHINESE_MONTHS = (1.0, 0.95, 1.02, 1.0, 1.0, 1.02, 0.95, 0.93, 1.03, 1.0, 1.08, 1.12)
# The first day of the Chinese year; a year that is not listed takes 5 February.
SPRING_FESTIVALS = {
    date(*day).year: date(*day)
    for day in (
        *((2020, 1, 25), (2021, 2, 12), (2022, 2, 1), (2023, 1, 22), (2024, 2, 10), (2025, 1, 29), (2026, 2, 17)),
        *((2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3), (2031, 1, 23), (2032, 2, 11), (2033, 1, 31)),
        *((2034, 2, 19), (2035, 2, 8), (2036, 1, 28), (2037, 2, 15), (2038, 2, 4), (2039, 1, 24), (2040, 2, 12)),
    )
}


def festival(year: int) -> date:
    """Chinese New Year's Day."""
    return SPRING_FESTIVALS.get(year, date(year, 2, 5))


def quarter(day: date) -> tuple[date, date]:
    """The first day of the day's quarter, and of the next one."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    later = first + timedelta(days=95)
    return first, date(later.year, later.month, 1)


def quarter_name(day: date) -> str:
    """`2026-Q4`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def back_quarters(day: date, count: int) -> date:
    """The first day of the quarter `count` quarters before that of the day."""
    first, _ = quarter(day)
    for _ in range(count):
        first, _ = quarter(first - DAY)
    return first


def this_week(now: datetime, zone: ZoneInfo, count: int) -> list[datetime]:
    """So many moments between Monday and now, evenly spread: none in the first minutes of a week."""
    monday, _ = Week.of(now, zone).bounds(zone)
    gone = now - monday
    if gone < timedelta(minutes=20):
        return []
    return [(monday + gone * ((n + 1) / (count + 1))).astimezone(UTC).replace(microsecond=0) for n in range(count)]


@lru_cache(maxsize=4096)
def demand(day: date, *, chinese: bool) -> float:
    """How much is bought on that day, 1 on an ordinary one."""
    level = WEEKDAYS[day.weekday()] * (CHINESE_MONTHS if chinese else WESTERN_MONTHS)[day.month - 1]
    if is_holiday(day, chinese=chinese):
        level *= 0.02
    if chinese:
        gone = (day - festival(day.year)).days
        level *= 0.5 if -9 <= gone < -1 else 0.7 if 7 <= gone < 14 else 1
    elif (day.month == 12 and day.day >= 20) or (day.month == 1 and day.day <= 4):
        level *= 0.35
    first, after = quarter(day)
    into, left = (day - first).days, (after - day).days
    level *= 1.6 if left <= 7 else 1.25 if left <= 14 else 1
    return level * (0.74 if into < 7 else 0.9 if into < 14 else 1)


@lru_cache(maxsize=4096)
def is_holiday(day: date, *, chinese: bool) -> bool:
    if chinese:
        golden = day.month == 10 and day.day <= 7
        may = day.month == 5 and day.day <= 3
        return golden or may or (day.month, day.day) == (1, 1) or -1 <= (day - festival(day.year)).days <= 6
    return (day.month, day.day) in {(1, 1), (12, 24), (12, 25), (12, 26), (12, 31)}


def days(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


@dataclass(frozen=True, slots=True)
class Office:
    """Where somebody works: their clock and their holidays."""

    zone: ZoneInfo
    chinese: bool

    @classmethod
    def of(cls, person: Person) -> Office:
        return cls(ZoneInfo(person.zone), person.zone.startswith("Asia/"))

    def works(self, day: date) -> bool:
        return day.weekday() < 5 and not is_holiday(day, chinese=self.chinese)

    def after(self, moment: datetime, hours: float) -> datetime:
        """So many working hours later."""
        left = timedelta(hours=hours)
        local = moment.astimezone(self.zone)
        while True:
            opens, closes = self._day(local.date())
            if self.works(local.date()) and local < closes:
                local = max(local, opens)
                if local + left <= closes:
                    return _whole(local + left)
                left -= closes - local
            local = opens + DAY

    def before(self, moment: datetime, hours: float) -> datetime:
        """So many working hours earlier."""
        left = timedelta(hours=hours)
        local = moment.astimezone(self.zone)
        while True:
            opens, closes = self._day(local.date())
            if self.works(local.date()) and local > opens:
                local = min(local, closes)
                if local - left >= opens:
                    return _whole(local - left)
                left -= local - opens
            local = closes - DAY

    def sometime(self, day: date, rng: Random) -> datetime:
        """A moment of that day as people keep it: late morning, or the middle of the afternoon."""
        hour = rng.gauss(10.7, 0.9) if rng.random() < 0.54 else rng.gauss(15.3, 1.3)
        seconds = int(min(max(hour, 8.2), 19.4) * 3600)
        return (datetime.combine(day, time(), self.zone) + timedelta(seconds=seconds)).astimezone(UTC)

    def _day(self, day: date) -> tuple[datetime, datetime]:
        return datetime.combine(day, OPENS, self.zone), datetime.combine(day, CLOSES, self.zone)


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
