"""What every verb needs to know: the company, the records, who is asking and what time it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.events import Event
from core.orders.policy import Policy
from core.store import Records
from core.team import Person, Roster
from core.values import PRICE_PLACES, Money, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The frame a company works in, as `company.toml` and `policy.toml` say. Immutable."""

    name: str
    currency: str = "USD"  # the base currency: reports and policies count in it
    zone: str = "UTC"
    language: str = "en"
    rates: dict[str, Decimal] = field(default_factory=dict)  # one unit of that currency in the base currency
    teams: dict[str, str] = field(default_factory=dict)  # a team's name by its id
    roster: Roster
    policy: Policy = field(default_factory=Policy)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def in_base(self, amount: Money) -> Money | None:
        """The amount in the base currency; None when no rate is known. A missing rate is never taken as 1."""
        code = amount.currency.code
        if code == self.currency:
            return amount
        rate = self.rates.get(code)
        return rounded(Money(amount.amount * rate, self.currency)) if rate else None

    def price_in(self, listed: Money, currency: str) -> Decimal | None:
        """A list price a piece in another currency, to four places; None when a rate is missing."""
        if listed.currency.code == currency:
            return listed.amount
        rates = {**self.rates, self.currency: Decimal(1)}
        have, want = rates.get(listed.currency.code), rates.get(currency)
        return (listed.amount * have / want).quantize(PRICE_PLACES) if have and want else None


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at work at one moment. Verbs take it first: `orders.place(desk, ...)`."""

    records: Records
    company: Company
    person: Person
    now: datetime  # aware, UTC

    def note(self, name: str, subject: str, **facts: Any) -> None:
        """Put on record that this person did this, now."""
        event = Event(at=self.now, actor=self.person.id, name=name, subject=subject, facts=facts)
        self.records.note(event)
