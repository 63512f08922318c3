"""Weekly sales: what was booked in an ISO week, against the week before, thirteen weeks of history and the target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from core.desk import Desk
from core.orders.model import BOOKED, Order, State
from core.reports._windows import quarter, windows
from core.store import Booking
from core.team import SEES_ALL, Quota
from core.values import Money, Week, rounded

if TYPE_CHECKING:
    from core.reports._look import Kpi, Sayer

NAME = "weekly_sales"
SHOWN = 13  # weeks in the chart: a quarter
LEAD = 3  # weeks before them, for the first four-week mean
TOP = 5
QUARTER_WEEKS = 13  # a week's target is this part of the quarter's quota
NAMED_ORDERS = 10
ZERO = Decimal(0)


@dataclass(slots=True)
class _Sums:
    gross: Decimal = ZERO
    cancelled: Decimal = ZERO
    orders: int = 0  # approved, with a rate or without
    cancelled_orders: int = 0
    unrated: int = 0  # of the approved
    unrated_cancelled: int = 0

    def take(self, row: Booking) -> None:
        if row.cancelled:
            self.cancelled += row.amount
            self.cancelled_orders += row.count
            self.unrated_cancelled += row.unrated
        else:
            self.gross += row.amount
            self.orders += row.count
            self.unrated += row.unrated

    @property
    def net(self) -> Decimal:
        return self.gross - self.cancelled

    def average(self, currency: str) -> Decimal | None:
        """Gross value of an approved order; None when none has a value."""
        rated = self.orders - self.unrated
        return rounded(Money(self.gross / rated, currency)).amount if rated else None

    def facts(self, currency: str) -> dict[str, Any]:
        average = self.average(currency)
        return {
            "net": _plain(self.net),
            "gross": _plain(self.gross),
            "cancelled": _plain(self.cancelled),
            "orders": self.orders,
            "cancelled_orders": self.cancelled_orders,
            "average": None if average is None else _plain(average),
        }


def build(desk: Desk, week: Week | None = None) -> dict[str, Any]:
    """See `core.reports.Report`. `Invalid` for a week that has not begun."""
    company, zone = desk.company, desk.company.tz
    span = windows(week or Week.of(desk.now, zone), SHOWN + LEAD, desk.now, zone)
    week, before = span.weeks[-1], span.weeks[-2]
    owners, scope = _scope(desk)
    rows = desk.records.bookings(span.bounds, owners)

    current, compared, last = _Sums(), _Sums(), len(span.weeks) - 1
    by_week = [_Sums() for _ in span.weeks]
    by_region: dict[tuple[int, str], _Sums] = defaultdict(_Sums)
    by_person: dict[str, _Sums] = defaultdict(_Sums)
    for row in rows:
        position = span.week_of(row.window)
        by_week[position].take(row)
        by_region[position, row.region].take(row)
        if span.compared(row.window):
            compared.take(row)
        if position == last:
            current.take(row)
            by_person[row.rep].take(row)

    shown = by_week[LEAD:]
    quotas = _quotas(desk, span.weeks, owners)
    targets = [_part(each, company.currency) for each in quotas]
    code = company.currency
    return {
        "report": NAME,
        "company": company.name,
        "currency": code,
        "zone": company.zone,
        "scope": scope,
        "week": {"label": week.label, "first": week.monday.isoformat(), "last": week.sunday.isoformat()},
        "days": span.days,
        "partial": span.partial,
        "before": {"label": before.label, **compared.facts(code)},
        "now": current.facts(code),
        "change": {
            "net": _change(current.net, compared.net),
            "orders": _change(Decimal(current.orders), Decimal(compared.orders)),
            "average": _change(current.average(code) or ZERO, compared.average(code) or ZERO),
        },
        "target": _attainment(current.net, targets[-1], week),
        "weeks": [
            {"label": each.label, "first": each.monday.isoformat(), "net": _plain(sums.net), "target": _or_none(target)}
            for each, sums, target in zip(span.weeks, by_week, targets, strict=True)
        ],
        "lead": LEAD,
        "rows": [
            {"week": position, "region": region, "net": _plain(sums.net), "gross": _plain(sums.gross)}
            for (position, region), sums in sorted(by_region.items())
            if position >= LEAD
        ],
        "orders_shown": sum(sums.orders for sums in shown),
        "people": _top(desk, by_person),
        "unrated": {
            "orders": current.unrated + current.unrated_cancelled,
            "numbers": _unrated(desk, span.bounds[-2:], owners) if current.unrated + current.unrated_cancelled else [],
            "shown": sum(sums.unrated + sums.unrated_cancelled for sums in shown),
            "quotas": quotas[-1].count(None),
        },
        "empty": not any(sums.orders or sums.cancelled_orders for sums in shown),
    }


def summary(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """See `core.reports.Report`. One sentence when there is nothing to report."""
    head = _head(data)
    if data["empty"]:
        return [_say("empty", **head)]
    code, now = data["currency"], data["now"]
    said = [_say("headline_partial" if data["partial"] else "headline", **head)]
    if now["orders"] or now["cancelled_orders"]:
        net, gross, cancelled = (Money(now[name], code) for name in ("net", "gross", "cancelled"))
        said.append(
            _say("bookings" if cancelled.amount else "bookings_gross", net=net, gross=gross, cancelled=cancelled)
        )
    else:
        said.append(_say("quiet", **head))
    said.append(_say_change(data))
    if now["average"] is not None:
        said.append(_say("orders", count=now["orders"], average=Money(now["average"], code)))
    if data["target"]:
        target = data["target"]
        said.append(_say("target", percent=Decimal(target["percent"]), target=Money(target["week"], code)))
    else:
        said.append(
            _say(
                "target_unrated" if data["unrated"]["quotas"] else "target_none",
                quarter=quarter(date.fromisoformat(data["week"]["first"])),
            )
        )
    said += [
        _say("person", place=place, name=person["name"], net=Money(person["net"], code))
        for place, person in enumerate(data["people"][:3], start=1)
    ]
    if data["unrated"]["orders"]:
        numbers = ", ".join(f"#{number}" for number in data["unrated"]["numbers"])
        said.append(_say("unrated", count=data["unrated"]["orders"], numbers=numbers))
    said.append(_say(f"scope_{data['scope']['kind']}", name=data["scope"]["name"]))
    return said


def draw(data: dict[str, Any], words: Mapping[str, str], language: str) -> bytes:
    """See `core.reports.Report`. Never asked for empty data."""
    import pandas as pd  # noqa: PLC0415  (loaded where pictures are drawn, nowhere else)

    from core.reports import _look as look  # noqa: PLC0415

    lead, weeks = data["lead"], data["weeks"]
    mean = pd.Series([float(week["net"]) for week in weeks]).rolling(lead + 1).mean()
    if data["partial"]:
        mean.iloc[-1] = float("nan")  # a week that is not over would pull it down
    rows = pd.DataFrame(data["rows"]).astype({"net": float})
    table = rows.pivot(index="week", columns="region", values="net").reindex(range(lead, len(weeks))).fillna(0.0)

    say = look.Sayer({key.removeprefix("chart_"): words[key] for key in words if key.startswith("chart_")}, language)
    series = look.ranked({str(name): list(table[name]) for name in table}, say("others"), say("no_region"))
    target = [None if week["target"] is None else float(week["target"]) for week in weeks[lead:]]
    labels = [say("week", number=int(week["label"][-2:])) for week in weeks[lead:]]
    means = [None if pd.isna(value) else float(value) for value in mean[lead:]]
    signs = [("box", each.colour, each.name) for each in series]
    signs += [("line", look.INK, say("mean"))] if any(value is not None for value in means) else []
    signs += [("dash", look.BAD, say("target_line"))] if any(target) else []

    sheet = look.Sheet()
    week = data["week"]
    first, last = (date.fromisoformat(week[name]) for name in ("first", "last"))
    notice = say("partial", days=data["days"]) if data["partial"] else ""
    look.heading(sheet, say("title", week=week["label"]), say.days(first, last), notice)
    look.strip(sheet, _kpis(data, say))
    top = look.legend(sheet, 250, signs)
    bottom = look.footer(sheet, _small_print(data, say, first, last))
    chart = look.Columns(labels, series, means, target, say.short(data["now"]["net"]))
    look.columns(sheet, chart, top, bottom - 18, language)
    return sheet.png()


def _kpis(data: dict[str, Any], say: Sayer) -> list[Kpi]:
    from core.reports._look import Kpi  # noqa: PLC0415  (as in `draw`)

    now, before, change, code = data["now"], data["before"], data["change"], data["currency"]
    days = "_days" if data["partial"] else ""

    def kpi(name: str, value: str) -> Kpi:
        kind, amount = change[name]["kind"], change[name]["amount"]
        direction = 0 if kind == "same" else -1 if amount.startswith("-") else 1
        moved = change[name]["percent"] if kind == "percent" else amount
        moved = (say.percent if kind == "percent" else say.short)(moved.removeprefix("-"))
        key = kind if kind in {"same", "new"} else "changed"
        note = say(key + days, change=moved, week=f"W{before['label'][-2:]}", days=data["days"])
        return Kpi(say(f"kpi_{name}", currency=code), value, note, direction)

    target = data["target"]
    attained = say.percent(target["percent"]) if target else "–"
    none = say("target_unrated" if data["unrated"]["quotas"] else "no_target")
    note = say("of_target", target=say.short(target["week"])) if target else none
    average = kpi("average", say.short(now["average"]))
    return [
        kpi("net", say.short(now["net"])),
        kpi("orders", f"{now['orders']:,}"),
        average if now["average"] and before["average"] else Kpi(average.label, average.value),
        Kpi(say("kpi_target"), attained, note),
    ]


def _small_print(data: dict[str, Any], say: Sayer, first: date, last: date) -> list[str]:
    """Window, zone, currency, whose sales, how many orders, what counts and what was left out."""
    now, scope, unrated = data["now"], data["scope"], data["unrated"]
    facts = {"week": data["week"]["label"], "days": say.days(first, last), "zone": data["zone"]}
    lines = [
        say("window", **facts, currency=data["currency"], count=f"{data['orders_shown']:,}")
        + say(f"scope_{scope['kind']}", name=scope["name"]),
        say("definition", gross=say.short(now["gross"]), cancelled=say.short(now["cancelled"])),
    ]
    if unrated["shown"]:
        lines.append(say("unrated", count=unrated["shown"]))
    return lines


# ---------------------------------------------------------------- what build is made of


def _scope(desk: Desk) -> tuple[list[str] | None, dict[str, Any]]:
    """Whose sales the person may see (None: everybody's), and how the footer names them."""
    person, roster = desk.person, desk.company.roster
    if person.role in SEES_ALL:
        return None, {"kind": "all", "name": desk.company.name, "people": len(roster.people)}
    owners = sorted({person.id, *(each for each in roster.people if roster.may_see(person, each))})
    kind = "team" if len(owners) > 1 else "own"
    return owners, {"kind": kind, "name": person.name, "people": len(owners)}


def _quotas(desk: Desk, weeks: Sequence[Week], owners: list[str] | None) -> list[list[Money | None]]:
    """For each week the quotas of its quarter, in the company's currency; None for one without a rate."""
    quarters = [quarter(week.monday) for week in weeks]
    whose: dict[str, Any] = {} if owners is None else {"person": owners}
    found: dict[str, list[Money | None]] = defaultdict(list)
    for quota in desk.records.find(Quota, period=sorted(set(quarters)), **whose):
        found[quota.period].append(desk.company.in_base(quota.amount))
    return [found[each] for each in quarters]


def _part(quotas: Sequence[Money | None], currency: str) -> Decimal | None:
    """A week's part of the quotas; None when there are none, or when one is worth nobody knows how much."""
    amounts = [quota.amount for quota in quotas if quota is not None]
    whole = sum(amounts, ZERO)
    if whole <= 0 or len(amounts) < len(quotas):
        return None
    return rounded(Money(whole / QUARTER_WEEKS, currency)).amount


def _attainment(net: Decimal, target: Decimal | None, week: Week) -> dict[str, Any] | None:
    if target is None:
        return None
    return {"week": _plain(target), "percent": _plain(_percent(net, target)), "quarter": quarter(week.monday)}


def _change(now: Decimal, before: Decimal) -> dict[str, Any]:
    """How `now` stands against `before`. There is no percentage of nothing, nor across it."""
    difference = _plain(now - before)
    if now == before:
        return {"kind": "same", "amount": difference}
    if before == 0:
        return {"kind": "new", "amount": difference}
    if before < 0 or now < 0:
        return {"kind": "amount", "amount": difference}
    return {"kind": "percent", "amount": difference, "percent": _plain(_percent(now - before, before))}


def _top(desk: Desk, by_person: dict[str, _Sums]) -> list[dict[str, Any]]:
    sold = [(rep, sums) for rep, sums in by_person.items() if sums.net > 0]
    sold.sort(key=lambda each: (-each[1].net, each[0]))
    named = desk.company.roster.named
    return [{"person": r, "name": named(r), "net": _plain(s.net), "orders": s.orders} for r, s in sold[:TOP]]


def _unrated(desk: Desk, window: Sequence[datetime], owners: list[str] | None) -> list[int]:
    """Numbers of the week's orders without a rate, so that somebody can put them right."""
    whose: dict[str, Any] = {} if owners is None else {"rep": owners}
    states = [*(state.value for state in BOOKED), State.CANCELLED.value]
    start, end = window
    found = []
    for order in desk.records.find(Order, state=states, base_total=None, **whose):
        moments = [order.decided, order.moved if order.state is State.CANCELLED else None]
        if order.decided and any(moment and start <= moment < end for moment in moments):
            found.append(order.number)
    return sorted(found)[:NAMED_ORDERS]


# ---------------------------------------------------------------- what summary is made of


def _say(sentence: str, **facts: Any) -> tuple[str, dict[str, Any]]:
    return f"report.{NAME}.{sentence}", facts


def _head(data: dict[str, Any]) -> dict[str, Any]:
    first, last = (date.fromisoformat(data["week"][name]) for name in ("first", "last"))
    return {
        "week": data["week"]["label"],
        "first": first,
        "last": last,
        "zone": data["zone"],
        "days": data["days"],
    }


def _say_change(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    change, code = data["change"]["net"], data["currency"]
    facts: dict[str, Any] = {
        "week": data["before"]["label"],
        "days": data["days"],
        "before": Money(data["before"]["net"], code),
        "amount": Money(abs(Decimal(change["amount"])), code),
    }
    if change["kind"] == "percent":
        facts["percent"] = abs(Decimal(change["percent"]))
    way = "down" if change["amount"].startswith("-") else "up"
    kind = {"percent": way, "amount": f"amount_{way}"}.get(change["kind"], change["kind"])
    return _say(f"change_{kind}_partial" if data["partial"] else f"change_{kind}", **facts)


# ---------------------------------------------------------------- small change


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return (part * 100 / whole).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def _plain(value: Decimal) -> str:
    return f"{value:f}"


def _or_none(value: Decimal | None) -> str | None:
    return None if value is None else _plain(value)
