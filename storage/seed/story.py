"""What the tellers of leads, deals and activities share: the history so far, the catalogue, and how time is drawn."""

from __future__ import annotations

from bisect import bisect
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from core.orders.model import Product
from core.values import Week
from storage.seed.catalogue import Buyer, Catalogue, texts
from storage.seed.ledger import Past
from storage.seed.season import days, demand


class Story:
    """A history being told, with its own chance."""

    def __init__(self, past: Past, stock: Catalogue, start: date, rng: Random) -> None:
        self.past = past
        self.stock = stock
        self.rng = rng
        self.reps = [person.id for person in past.company.roster.with_role("rep")]
        self._days = [day for day in days(start, past.now.date()) if day.weekday() < 5]
        # Half as seasonal as orders: people also talk when nobody buys.
        self._heights = {
            chinese: list(accumulate(demand(day, chinese=chinese) ** 0.5 for day in self._days))
            for chinese in (False, True)
        }

    def moment(self, rep: str, since: datetime) -> datetime:
        """Some moment at which the rep was at work, after `since` and not after now."""
        office = self.past.office(rep)
        heights = self._heights[office.chinese]
        for _ in range(60):
            day = self._days[min(bisect(heights, self.rng.random() * heights[-1]), len(self._days) - 1)]
            at = office.sometime(day, self.rng)
            if since < at <= self.past.now:
                return at
        return self.between(rep, since, self.past.now)

    def between(self, rep: str, since: datetime, until: datetime) -> datetime:
        """Some moment of the span, within the rep's working hours where the span has any."""
        office = self.past.office(rep)
        for _ in range(12):
            at = (since + (until - since) * self.rng.uniform(0.02, 0.98)).replace(microsecond=0)
            if office.works(at.astimezone(office.zone).date()):
                break
        worked = office.before(at, self.rng.uniform(0, 6))
        return worked if worked > since else at

    def fresh(self, rep: str, at: datetime) -> datetime:
        """When the rep last worked before that moment, if it was in the same week; else the moment itself."""
        monday, _ = Week.of(at, self.past.company.tz).bounds(self.past.company.tz)
        worked = self.past.office(rep).before(at, self.rng.uniform(0, 2))
        return worked if worked > monday else at

    def buyer(self) -> Buyer:
        """A customer, the larger ones more often."""
        buyers = self.stock.buyers
        return self.rng.choices(buyers, [b.size**0.7 * (0.4 if b.stopped else 1) for b in buyers])[0]

    def product(self) -> Product:
        return self.rng.choice(self.stock.talked_of)

    def words(self, rep: str, kind: str) -> str:
        """Something of that kind in the rep's language, with a product and a number where it names them."""
        found: str = self.rng.choice(texts(self.language(rep))[kind])
        product = self.product()
        name = product.name
        if self.language(rep) == "zh":
            name = next((alias for alias in product.aliases if not alias.isascii()), name)
        return found.format(product=name, n=self.rng.choice((10, 20, 25, 40, 60, 80, 120)))

    def language(self, rep: str) -> str:
        return self.past.company.roster.people[rep].language

    def ago(self, **gone: float) -> datetime:
        return self.past.now - timedelta(**gone)
