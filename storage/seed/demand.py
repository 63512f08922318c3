"""What was asked for: who wanted to order what on which day, before anybody at the company touched it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import exp
from random import Random

from core.orders.model import Product
from core.orders.service import LineWish
from storage.seed.catalogue import Buyer, Catalogue, table
from storage.seed.ledger import Past
from storage.seed.season import Office, days, demand, quarter, this_week

A_WEEK = 31  # orders, on average over the whole story
# How much is bought in a region at the story's beginning and at its end, the middle being 1.
REGION_TREND = {
    "Europe": (0.95, 1.06),
    "Americas": (0.86, 1.14),
    "North China": (1.05, 0.94),
    "South China": (0.82, 1.2),
}
TASTES = {
    "software": (["Basic seat", "Pro seat", "Enterprise seat", "Analytics add-on", "Onboarding"], [22, 46, 16, 10, 6]),
    "hardware": (["Sensor 200", "Sensor 400", "Gateway 8", "Mounting kit", "Pro seat"], [44, 24, 18, 6, 8]),
    "services": (
        ["Training day", "Priority support", "Integration workshop", "Pro seat", "Onboarding"],
        [26, 34, 10, 20, 10],
    ),
    "mixed": (["Basic seat", "Pro seat", "Sensor 200", "Sensor 400", "Priority support"], [16, 32, 30, 12, 10]),
}
# What goes with what: the second line of an order follows from its first.
ALONG = {
    "Basic seat": ["Analytics add-on", "Training day", "Onboarding"],
    "Pro seat": ["Analytics add-on", "Analytics add-on", "Priority support", "Onboarding"],
    "Enterprise seat": ["Analytics add-on", "Integration workshop", "Priority support"],
    "Analytics add-on": ["Pro seat", "Training day"],
    "Sensor 200": ["Mounting kit", "Mounting kit", "Gateway 8", "Sensor 400"],
    "Sensor 400": ["Mounting kit", "Gateway 8", "Gateway 8", "Priority support"],
    "Gateway 8": ["Sensor 200", "Integration workshop"],
    "Mounting kit": ["Sensor 200"],
    "Onboarding": ["Pro seat", "Training day"],
    "Training day": ["Basic seat", "Priority support"],
    "Priority support": ["Training day", "Pro seat"],
    "Integration workshop": ["Enterprise seat", "Priority support"],
}
HABIT = {"tom": 1.35, "lena": 0.75, "fang": 0.95, "lei": 1.15}  # how easily a rep gives a discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One order as the customer wanted it. `ends` and `reason` are set when the story says how far it has come."""

    at: datetime
    buyer: Buyer
    wishes: tuple[LineWish, ...]
    currency: str
    discount: Decimal = Decimal(0)
    due: date | None = None
    ends: str = ""
    reason: str = ""


def asks(past: Past, stock: Catalogue, start: date, rng: Random) -> list[Ask]:
    """Every order anybody wanted from the first day until now, in the order of time."""
    found = [_ask(stock, buyer, moment, rng) for buyer, moment in _moments(past, stock, start, rng)]
    found += _recent(past, stock)
    first = min(this_week(past.now, past.company.tz, 1), default=past.now)
    found += [
        Ask(at=at, buyer=buyer, wishes=(_line(stock, "Training day", Decimal(1), buyer.currency),),
            currency=buyer.currency, ends="approved")
        for at, buyer in _early(past, stock, sum(ask.at >= first for ask in found))
    ]  # fmt: skip
    return sorted(found, key=lambda ask: (ask.at, ask.buyer.customer.id))


def _early(past: Past, stock: Catalogue, already: int) -> list[tuple[datetime, Buyer]]:
    """A few small orders for a week so young that nothing has come in by itself."""
    if already >= 3:
        return []
    east = [buyer for buyer in stock.buyers if past.office(buyer.customer.owner).chinese and buyer.size >= 4]
    return list(zip(this_week(past.now, past.company.tz, 3), east or stock.buyers, strict=False))


def _moments(past: Past, stock: Catalogue, start: date, rng: Random) -> Iterator[tuple[Buyer, datetime]]:
    """Who came when: each customer at random, at a rate that follows the season, their region and their own story."""
    last = past.now.date() + timedelta(days=1)
    calendar = list(days(start, last))
    noise = {region: _noise(len(calendar) // 7 + 2, rng) for region in REGION_TREND}
    rates: list[tuple[Buyer, Office, list[float]]] = []
    for buyer in stock.buyers:
        office = past.office(buyer.customer.owner)
        weeks, chinese = noise[buyer.customer.region], buyer.customer.country == "China"
        rates.append((
            buyer,
            office,
            [
                demand(day, chinese=chinese) * weeks[n // 7] * _story(buyer, day, n / len(calendar), past.now.date())
                for n, day in enumerate(calendar)
            ],
        ))  # fmt: skip
    scale = A_WEEK * len(calendar) / 7 / sum(sum(rate) for _, _, rate in rates)
    for buyer, office, rate in rates:
        opened = False
        for day, chance in zip(calendar, rate, strict=True):
            if buyer.joined == day and not opened and office.works(day):
                opened = True
                yield from _until(past.now, buyer, [office.after(buyer.customer.created, rng.uniform(0.4, 3))])
            yield from _until(past.now, buyer, [office.sometime(day, rng) for _ in range(_drawn(chance * scale, rng))])


def _until(now: datetime, buyer: Buyer, moments: list[datetime]) -> Iterator[tuple[Buyer, datetime]]:
    for moment in moments:
        if buyer.customer.created < moment <= now:
            yield buyer, moment


def _noise(weeks: int, rng: Random) -> list[float]:
    """Good and bad weeks: a bad one is likelier after a bad one."""
    levels, level = [], 0.0
    for _ in range(weeks):
        level = 0.45 * level + rng.gauss(0, 0.17)
        levels.append(exp(level))
    return levels


def _story(buyer: Buyer, day: date, gone: float, today: date) -> float:
    """How much of the region's demand this customer is on that day."""
    if (buyer.joined and day < buyer.joined) or (buyer.stopped and day > buyer.stopped):
        return 0
    first, last = REGION_TREND[buyer.customer.region]
    level = (first + (last - first) * gone) * buyer.size**0.75
    if buyer.trend == "growing":
        level *= 0.75 + 0.5 * gone
    elif buyer.trend == "fading":
        level *= 1.3 - 0.95 * gone
    if buyer.joined:  # they begin with a try
        level *= min(1.0, 0.35 + (day - buyer.joined).days / 120)
    if buyer.stopped and (buyer.stopped - day).days < 90:
        level *= 0.45
    return level if day <= today + timedelta(days=1) else 0


def _drawn(rate: float, rng: Random) -> int:
    """How often something of that rate happens (Poisson)."""
    count, left = 0, rng.random() - exp(-rate)
    term = exp(-rate)
    while left > 0 and count < 20:
        count += 1
        term *= rate / count
        left -= term
    return count


def _ask(stock: Catalogue, buyer: Buyer, at: datetime, rng: Random) -> Ask:
    currency = stock.company.currency if rng.random() < 0.06 else buyer.currency
    closing = (quarter(at.date())[1] - at.date()).days <= 12
    project = rng.random() < (0.028 + 0.003 * buyer.size) * (1.7 if closing else 1) and buyer.size >= 3
    large = rng.uniform(8, 17) if rng.random() < 0.14 else rng.uniform(2.5, 7.5)
    scale = (buyer.size / 4) ** 0.62 * (large if project else 1)
    names = [rng.choices(*TASTES[buyer.buys])[0]]
    more = rng.choices((0, 1, 2, 3), (47, 31, 15, 7))[0]
    for _ in range(more):
        pool = ALONG[names[-1]] if rng.random() < 0.75 else list(stock.products)
        name = rng.choice(pool)
        if name not in names:
            names.append(name)
    wishes = []
    for name in names:
        product = stock.products[name]
        spread = rng.lognormvariate(0, 0.52)
        # Services do not grow with the customer as seats and sensors do.
        grown = scale**0.4 if product.family == "Services" else scale
        wishes.append(_line(stock, name, _round(stock.usual[product.id] * grown * spread, rng), currency))
    value = sum(float(wish.quantity * wish.product.list_price.amount) for wish in wishes)
    discount = _discount(buyer, value, rng)
    wishes, discount = _spread(wishes, discount, currency, rng)
    return Ask(
        at=at,
        buyer=buyer,
        wishes=tuple(wishes),
        currency=currency,
        discount=discount,
        due=_due(at, wishes, rng),
    )


def _round(number: float, rng: Random) -> Decimal:
    """As people order: dozens and tens rather than 47, tens rather than 213; small numbers as they are."""
    if number < 10:
        return Decimal(max(1, round(number)))
    step = 1 if number < 30 and rng.random() < 0.35 else 12 if number < 60 and rng.random() < 0.12 else 5
    step = step if number < 100 else 10 if number < 400 else 50
    return Decimal(max(step, round(number / step) * step))


def _discount(buyer: Buyer, value: float, rng: Random) -> Decimal:
    """More for larger orders, by the rep's habit; seldom above what the manager must sign."""
    chance = min(0.85, (0.2 + value / 30_000) * HABIT.get(buyer.customer.owner, 1))
    if rng.random() > chance:
        return Decimal(0)
    usual = (2, 3, 5, 5, 8, 10, 10, 12, 15)
    if rng.random() < 0.21 * HABIT.get(buyer.customer.owner, 1):
        return Decimal(rng.choices((16, 18, 20, 22, 25, 28, 30, 35), (10, 24, 30, 10, 12, 7, 5, 2))[0])
    return Decimal(rng.choice(usual if value > 4000 else usual[:6]))


def _spread(wishes: list[LineWish], discount: Decimal, currency: str, rng: Random) -> tuple[list[LineWish], Decimal]:
    """How the discount is written: on the order, on its largest line, or as a price that was agreed."""
    kind = rng.random()
    if not discount or kind < 0.55:
        return wishes, discount
    largest = max(range(len(wishes)), key=lambda n: wishes[n].quantity * wishes[n].product.list_price.amount)
    wish = wishes[largest]
    if kind < 0.8 or wish.product.list_price.currency.code != currency:
        wishes[largest] = replace(wish, discount=discount)
    else:
        agreed = wish.product.list_price.amount * (100 - discount) / 100
        step = Decimal("0.5") if agreed < 100 else Decimal(5)
        wishes[largest] = replace(wish, price=(agreed / step).quantize(Decimal(1), ROUND_HALF_UP) * step)
    return wishes, Decimal(0)


def _line(stock: Catalogue, name: str, quantity: Decimal, currency: str, price: str = "") -> LineWish:
    product: Product = stock.products[name]
    if price:
        return LineWish(product=product, quantity=quantity, price=Decimal(price))
    listed = product.list_price.currency.code == currency
    return LineWish(product=product, quantity=quantity, price=None if listed else stock.price(product, currency))


def _due(at: datetime, wishes: list[LineWish], rng: Random) -> date | None:
    families = {wish.product.family for wish in wishes}
    if "Hardware" in families:
        return at.date() + timedelta(days=rng.randrange(10, 24))
    if "Services" in families:
        return at.date() + timedelta(days=rng.randrange(14, 40))
    return at.date() + timedelta(days=rng.randrange(3, 11)) if rng.random() < 0.35 else None


def _recent(past: Past, stock: Catalogue) -> list[Ask]:
    """The orders of `recent.toml`."""
    buyers = {buyer.customer.name: buyer for buyer in stock.buyers}
    found = []
    for number, row in enumerate(table("recent")["order"]):
        buyer = buyers[row["customer"]]
        office = past.office(buyer.customer.owner)
        lines = [
            _line(stock, line["product"], Decimal(line["n"]), buyer.currency, line.get("price", ""))
            for line in row["lines"]
        ]
        at = office.before(past.now, row["hours"] + number * 0.017)
        found.append(
            Ask(
                at=at,
                buyer=buyer,
                wishes=tuple(lines),
                currency=buyer.currency,
                discount=Decimal(row.get("discount", 0)),
                due=at.date() + timedelta(days=21),
                ends=row["ends"],
                reason=row.get("reason", ""),
            )
        )
    return found
