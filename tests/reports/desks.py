"""A small company over a real database, for the tests of reports."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.customers.model import Customer
from core.desk import Company, Desk
from core.orders.model import Order, State
from core.team import Person, Quota, Role, Roster
from core.values import Money
from storage import tables
from storage.store import Database

TEXT = Path(__file__).parents[2] / "bot" / "text"
EARLY = datetime(2026, 1, 1, tzinfo=UTC)
REGIONS = ("EMEA", "China", "")
PEOPLE = (
    Person(id="dana", name="Dana Okafor", role=Role.DIRECTOR),
    Person(id="max", name="Max Weber", role=Role.MANAGER, manager="dana"),
    Person(id="mia", name="Mia Chen", role=Role.REP, manager="max"),
    Person(id="li", name="李娜", role=Role.REP, manager="max"),
    Person(id="tom", name="Tom O’Brien", role=Role.REP, manager="dana"),
)


def words(language: str) -> dict[str, str]:
    """The report's section, from the fragment or from the language's file once it is merged there."""
    for name in (f"weekly_sales.{language}.toml", f"{language}.toml"):
        path = TEXT / name
        if path.exists():
            found: dict[str, str] = tomllib.loads(path.read_text("utf-8")).get("report", {}).get("weekly_sales", {})
            if found:
                return found
    raise LookupError(language)


@dataclass
class House:
    """Books orders as if time had passed; `desk` is somebody asking."""

    database: Database
    zone: str = "Europe/Berlin"
    rates: dict[str, Decimal] = field(default_factory=dict)
    _orders: int = 0
    _quotas: int = 0

    def open(self) -> None:
        with self.database.turn() as unit:
            for number, region in enumerate(REGIONS, start=1):
                unit.add(Customer(id=number, name=f"Customer {number}", region=region, created=EARLY))
            unit.commit()

    def order(
        self,
        amount: str | None,
        decided: datetime,
        *,
        rep: str = "mia",
        region: str = "EMEA",
        cancelled: datetime | None = None,
        state: State = State.APPROVED,
    ) -> int:
        """An order worth `amount` euros; None: in a currency without a rate."""
        self._orders += 1
        value = Money(amount, "EUR") if amount else None
        order = Order(
            number=self._orders, customer=REGIONS.index(region) + 1, rep=rep, currency="EUR" if amount else "ISK",
            lines=(), total=value or Money(1000, "ISK"), base_total=value, created=EARLY, submitted=EARLY,
            decided=decided, moved=cancelled or decided, state=State.CANCELLED if cancelled else state,
        )  # fmt: skip
        with self.database.turn() as unit:
            unit.add(order)
            unit.commit()
        return order.number

    def quota(self, person: str, period: str, amount: int, currency: str = "EUR") -> None:
        self._quotas += 1
        with self.database.turn() as unit:
            unit.add(Quota(id=self._quotas, person=person, period=period, amount=Money(amount, currency)))
            unit.commit()

    @contextmanager
    def desk(self, person: str, now: datetime) -> Iterator[Desk]:
        roster = Roster.of(PEOPLE)
        company = Company(name="Nordwind", currency="EUR", zone=self.zone, rates=self.rates, roster=roster)
        with self.database.turn() as unit:
            yield Desk(unit, company, roster.people[person], now)


def house(path: Path) -> House:
    database = Database(f"sqlite:///{path / 'dealdesk.db'}")
    tables.metadata.create_all(database.engine)
    built = House(database)
    built.open()
    return built


def rich(*, partial: bool = False, scale: Decimal = Decimal(1), regions: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `build` returns, full of everything; `scale` multiplies all money."""

    def money(amount: str) -> str:
        return f"{Decimal(amount) * scale:f}"

    names = regions or ("China", "EMEA", "Latin America", "North America", "")
    weeks = [
        {"label": f"2026-W{32 + n}", "first": "2026-08-03", "net": money(str(250_000 + 9_000 * (n % 5))),
         "target": money("260000") if n > 6 else None}
        for n in range(16)
    ]  # fmt: skip
    rows = [
        {
            "week": 3 + n,
            "region": name,
            "net": money(str((-1) ** (n == i) * (20_000 + 7_000 * ((n + i) % 6)))),
            "gross": "0",
        }
        for n in range(13)
        for i, name in enumerate(names)
    ]
    sums = {"net": money("286000.50"), "gross": money("300000"), "cancelled": money("13999.50"), "orders": 1204}
    sums |= {"cancelled_orders": 3, "average": money("249.17")}
    moved = {"kind": "percent", "amount": money("-12000"), "percent": "-12.4"}
    return {
        "report": "weekly_sales", "company": "Nordwind", "currency": "EUR", "zone": "America/Argentina/Buenos_Aires",
        "scope": {"kind": "team", "name": "Maximilian Weber-Schönfeld 欧阳娜娜", "people": 9},
        "week": {"label": "2026-W47", "first": "2026-11-16", "last": "2026-11-22"},
        "days": 3 if partial else 7, "partial": partial, "now": sums, "before": {"label": "2026-W46", **sums},
        "change": {"net": moved, "orders": {"kind": "new", "amount": "4"}, "average": {"kind": "same", "amount": "0"}},
        "target": {"week": money("260000"), "percent": "110.0", "quarter": "2026-Q4"}, "weeks": weeks, "lead": 3,
        "rows": rows, "orders_shown": 12_004, "people": [], "empty": False,
        "unrated": {"orders": 2, "numbers": [4, 9], "shown": 5, "quotas": 0},
    }  # fmt: skip
