"""The windows of time that weekly reports count in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import Invalid
from core.values import Week


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows asked for in one go. In a running week the week before is cut in two, after the same days."""

    weeks: tuple[Week, ...]
    bounds: tuple[datetime, ...]
    days: int  # of the last week, as far as they have begun
    partial: bool  # the last week is not over

    def week_of(self, window: int) -> int:
        """Which of `weeks` a window belongs to."""
        cut = len(self.bounds) > len(self.weeks) + 1
        return window - 1 if cut and window >= len(self.weeks) - 1 else window

    def compared(self, window: int) -> bool:
        """Whether the window is what this week is measured against."""
        return window == len(self.weeks) - 2


def windows(week: Week, count: int, now: datetime, zone: ZoneInfo) -> Windows:
    """`count` weeks up to and including `week`, whose bounds follow each other without a gap, in UTC.

    The running week ends with today: it is as many days long as have begun, and is compared with as many.
    """
    begun = (now.astimezone(zone).date() - week.monday).days + 1
    if begun < 1:
        raise Invalid("week_not_begun", week=week.label)
    days = min(begun, 7)
    weeks = tuple(week.plus(back) for back in range(1 - count, 1))
    starts = [each.bounds(zone)[0] for each in weeks]
    if days < 7:
        starts.insert(-1, _midnight(weeks[-2].monday + timedelta(days=days), zone))
    end = week.bounds(zone)[1] if days == 7 else _midnight(week.monday + timedelta(days=days), zone)
    bounds = tuple(bound.astimezone(UTC) for bound in (*starts, end))
    return Windows(weeks, bounds, days, now < week.bounds(zone)[1])


def quarter(monday: date) -> str:
    """The quarter a week is counted in: that of its Thursday, as its year is."""
    thursday = monday + timedelta(days=3)
    return f"{thursday.year}-Q{(thursday.month + 2) // 3}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
