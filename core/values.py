"""Values: money that is exact, percentages, and weeks. Nothing here rounds twice or turns into a float."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from moneyed import CurrencyDoesNotExist, Money, get_currency

from core.errors import Invalid

__all__ = [
    "MAX_AMOUNT",
    "MAX_QUANTITY",
    "MAX_TOTAL",
    "Money",
    "Week",
    "discounted",
    "known_currency",
    "money",
    "percent",
    "quantity",
    "rounded",
    "total",
]

MAX_QUANTITY = Decimal(1_000_000)
MAX_AMOUNT = Decimal(1_000_000_000)  # of one price or one budget, in any currency
MAX_TOTAL = Decimal(1_000_000_000_000)  # of one order: in ten-thousandths, ten thousand of them still fit 64 bits
PRICE_PLACES = Decimal("0.0001")  # prices a piece may be finer than a cent


def known_currency(code: str) -> str:
    """The ISO 4217 code in capitals; `Invalid` when there is no such currency."""
    try:
        return get_currency(code.strip().upper()).code
    except CurrencyDoesNotExist:
        raise Invalid("currency_unknown", currency=code) from None


def money(amount: Decimal | int | str, currency: str) -> Money:
    """An amount a person may name: exact to four places, at least zero, at most a thousand million."""
    value = Decimal(amount)
    if not value.is_finite() or value < 0 or value > MAX_AMOUNT:
        raise Invalid("amount_out_of_range", amount=str(amount), largest=MAX_AMOUNT)
    if value != value.quantize(PRICE_PLACES):
        raise Invalid("amount_too_fine", amount=str(amount))
    return Money(value + 0, known_currency(currency))  # no minus before a zero


def rounded(value: Money) -> Money:
    """To what can be paid in that currency (cents, whole yen), halves away from zero, as invoices do."""
    unit = Decimal(1) / value.currency.sub_unit if value.currency.sub_unit else Decimal(1)
    return Money(value.amount.quantize(unit, rounding=ROUND_HALF_UP), value.currency)


def percent(value: Decimal | int | str) -> Decimal:
    """A percentage from 0 to 100, to two places."""
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number <= 100 or number != number.quantize(Decimal("0.01")):
        raise Invalid("percent_out_of_range", percent=str(value))
    return number.normalize() + 0


def quantity(value: Decimal | int | str) -> Decimal:
    """How many: above zero, at most a million, at most three decimals."""
    number = Decimal(value)
    if not number.is_finite() or not 0 < number <= MAX_QUANTITY or number != number.quantize(Decimal("0.001")):
        raise Invalid("quantity_out_of_range", quantity=str(value), largest=MAX_QUANTITY)
    return number


def discounted(value: Money, off: Decimal) -> Money:
    """`value` less `off` percent, rounded once."""
    return rounded(value * ((Decimal(100) - off) / Decimal(100)))


def total(values: Iterable[Money], currency: str) -> Money:
    """The sum, in one currency; `Invalid` when another one is among them."""
    result = Money(0, currency)
    for value in values:
        if value.currency != result.currency:
            raise Invalid("mixed_currencies", currencies=sorted({value.currency.code, currency}))
        result += value
    return result


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO week: Monday 00:00 up to (not including) the next Monday 00:00, in one time zone."""

    monday: date

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> Week:
        return cls.holding(moment.astimezone(zone).date())

    @classmethod
    def holding(cls, day: date) -> Week:
        """The week the calendar day lies in."""
        return cls(day - timedelta(days=day.weekday()))

    @property
    def label(self) -> str:
        """`2026-W47`, with the ISO week-year (29 December may be in next year's week 1)."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02d}"

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    def plus(self, weeks: int) -> Week:
        return Week(self.monday + timedelta(weeks=weeks))

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """First moment and first moment after, aware: 167 or 169 hours apart when the clocks change."""
        end = self.monday + timedelta(days=7)
        return datetime.combine(self.monday, time(), zone), datetime.combine(end, time(), zone)
