"""A report: the text summary first, the picture after it."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.messages import Card, Image, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core import reports
from core.values import Week

INTENTS = ("report_sales",)


def handle(turn: Turn, reading: Reading) -> Said:
    week = _week(turn, reading)
    asked = reading.slots.get("period")
    # Another period than a week was meant: say what is shown instead of letting it pass for what was asked.
    other = bool(asked) and week is None and asked not in ("this_week", "today")
    return [_show(turn, "weekly_sales", week, note=turn.words("chat.only_weeks") if other else "")]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:  # noqa: ARG001
    return None


def _week(turn: Turn, reading: Reading) -> Week | None:
    """The week that was asked for; None for the running one."""
    this = Week.of(turn.now, turn.company.tz)
    period = str(reading.slots.get("period") or "")
    if period == "last_week":
        return this.plus(-1)
    days = reading.slots.get("period_range")
    if days and "W" in period:
        return Week.holding(date.fromisoformat(str(days[0])))
    return None


def _show(turn: Turn, name: str, week: Week | None, note: str = "") -> Reply:
    report = reports.find(name)
    data = report.build(turn.desk, week)
    prefix = f"report.{name}."
    lines = [turn.words(key, **facts) for key, facts in report.summary(data)]
    title, text = lines[0], "\n".join(lines[1:])
    image = None
    if not data.get("empty"):
        image = Image(
            report=name,
            data={"report": data, "words": turn.words.under(prefix)},
            language=turn.words.language,
            filename=f"{name.replace('_', '-')}-{data['week']['label']}.png",
            alt=title,
        )
    return Reply(Card(title=title, text=text, note=note), image=image)


def _tapped(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return [_show(turn, rest[0] if rest else "", None)]


TAPS = {"report.show": _tapped}
FORMS: dict[str, Any] = {}
