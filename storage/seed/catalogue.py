"""The demo company's products, customers and their contacts, from `catalogue.toml` and `names.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unicodedata import normalize

from core.customers.model import Contact, Customer
from core.desk import Company
from core.orders.model import Product
from core.values import Money
from storage.seed.season import Office

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """A customer, and how they buy."""

    customer: Customer
    currency: str
    size: int
    buys: str
    trend: str
    joined: date | None  # None: before the story begins
    stopped: date | None
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    company: Company
    products: dict[str, Product]
    usual: dict[int, int]  # by product: how many at a time
    talked_of: tuple[Product, ...]  # what deals are about
    buyers: tuple[Buyer, ...]

    def price(self, product: Product, currency: str) -> Decimal:
        """What the price list for that currency says: the company's own, converted and made round."""
        if currency == self.company.currency:
            return product.list_price.amount
        exact = product.list_price.amount / self.company.rates[currency]
        step = Decimal(10 if exact >= 1000 else 5 if exact >= 100 else 1 if exact >= 20 else "0.5")
        return (exact / step).quantize(Decimal(1), ROUND_HALF_UP) * step


@cache
def table(name: str) -> dict[str, Any]:
    """A file of this folder."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def texts(language: str) -> dict[str, Any]:
    """What people write in that language; English where nobody wrote any."""
    found: dict[str, Any] = table("texts").get(language) or table("texts")["en"]
    return found


def catalogue(company: Company, start: date, now: datetime, rng: Random) -> Catalogue:
    """Products, and customers as they are today: those who joined did so in the rhythm of the story."""
    rows = table("catalogue")
    products = [
        Product(
            id=number,
            name=row["name"],
            family=row["family"],
            list_price=Money(Decimal(row["list"]), company.currency),
            aliases=tuple(row["aliases"]),
        )
        for number, row in enumerate(rows["product"], start=1)
    ]
    # Ids go up with the day of joining; those from before the story keep the order of the file.
    drawn = [(_since(row, company, start, now, rng), row) for row in rows["customer"]]
    joined = sorted((pair for pair in drawn if "joined" in pair[1]), key=lambda pair: pair[0])
    known = [pair for pair in drawn if "joined" not in pair[1]]
    since = sorted(moment for moment, _ in known)
    ordered = [*zip(since, (row for _, row in known), strict=True), *joined]
    return Catalogue(
        company=company,
        products={product.name: product for product in products},
        usual={product.id: row["usual"] for product, row in zip(products, rows["product"], strict=True)},
        talked_of=tuple(
            product for product, row in zip(products, rows["product"], strict=True) if not row.get("aside")
        ),
        buyers=tuple(
            _buyer(number, row, moment, company, now) for number, (moment, row) in enumerate(ordered, start=1)
        ),
    )


def _since(row: dict[str, Any], company: Company, start: date, now: datetime, rng: Random) -> datetime:
    office = Office.of(company.roster.people[row["owner"]])
    if "joined" in row:
        return office.before(now - timedelta(days=row["joined"]), rng.uniform(0.5, 6))
    long_ago = datetime.combine(start - timedelta(days=rng.randrange(60, 1400)), time(9), UTC)
    return office.after(long_ago, rng.uniform(0.5, 20))


def _buyer(number: int, row: dict[str, Any], since: datetime, company: Company, now: datetime) -> Buyer:
    customer = Customer(
        id=number,
        name=row["name"],
        aliases=tuple(row["aliases"]),
        sector=row["sector"],
        country=row["country"],
        region=row["region"],
        owner=row["owner"],
        on_hold=row.get("on_hold", False),
        created=since,
    )
    currency = row["currency"] if row["currency"] in company.rates else company.currency
    return Buyer(
        customer=customer,
        currency=currency,
        size=row["size"],
        buys=row["buys"],
        trend=row.get("trend", ""),
        joined=since.date() if "joined" in row else None,
        stopped=now.date() - timedelta(days=row["stopped"]) if "stopped" in row else None,
        site=row.get("site") or slug(row["name"].split()[0]),
    )


def contacts(buyers: tuple[Buyer, ...], rng: Random) -> list[Contact]:
    """One to three people at each customer; more at the larger ones."""
    found: list[Contact] = []
    for buyer in buyers:
        chinese = buyer.customer.country == "China"
        names: set[str] = set()
        for _ in range(min(3, 1 + (buyer.size >= 3) + (rng.random() < 0.15 * buyer.size / 2))):
            name, mail = person(rng, chinese=chinese)
            while name in names:
                name, mail = person(rng, chinese=chinese)
            names.add(name)
            title = rng.choice(table("names")["chinese" if chinese else "english"]["title"])
            number = len(found) + 1
            email = f"{mail}@{buyer.site}.example.com"
            phone = telephone(buyer.customer.country, number)
            found.append(
                Contact(id=number, customer=buyer.customer.id, name=name, title=title, email=email, phone=phone)
            )
    return found


def person(rng: Random, *, chinese: bool) -> tuple[str, str]:
    """An invented name, and how it begins an e-mail address."""
    names = table("names")["chinese" if chinese else "english"]
    last, first = rng.choice(names["last"]), rng.choice(names["first"])
    if chinese:
        return last[0] + first[0], f"{last[1]}.{first[1]}"
    return f"{first} {last}", f"{slug(first)}.{slug(last)}"


def telephone(country: str, number: int) -> str:
    """A number of the range kept free for fiction in that country."""
    ranges = {
        "China": f"+86 10 0100 {1000 + number}",
        "France": f"+33 1 99 00 {number // 100:02d} {number % 100:02d}",
        "Germany": f"+49 30 23125 {number % 1000:03d}",
        "Sweden": f"+46 8 465 004 {number % 100:02d}",
        "United Kingdom": f"+44 20 7946 0{number % 1000:03d}",
    }
    return ranges.get(country, f"+1 {('212', '312', '416', '503')[number // 100 % 4]} 555 01{number % 100:02d}")


def slug(text: str) -> str:
    return "".join(c for c in normalize("NFKD", text.lower()) if c.isascii() and c.isalnum())
