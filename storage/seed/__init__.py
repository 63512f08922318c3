"""The demo company: two years of business that ends now. Told by core's own verbs, so that everything in it is legal.

Chance is fixed and time is relative: the same `now` gives the same records everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from random import Random

from core.desk import Company
from storage.seed.catalogue import catalogue, contacts
from storage.seed.deals import tell_activities, tell_deals
from storage.seed.demand import asks
from storage.seed.leads import tell_leads, tell_needs
from storage.seed.ledger import Ledger, Past
from storage.seed.life import Lives
from storage.seed.quotas import BEFORE, tell_quotas
from storage.seed.season import back_quarters
from storage.seed.story import Story
from storage.store import Database

SEED = "quillhaven"


def fill(
    database: Database, company: Company, now: datetime, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Tell the demo company's history up to `now` into a database without customers, products and orders.

    One transaction: all of it or, with a `Conflict` when there are such records already, nothing. `company` is the one
    of `company.toml` (its people are in the story). `tell` hears how much of the work is done.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    start = back_quarters(now.astimezone(company.tz).date(), BEFORE)
    beginning = datetime.combine(start, time(), company.tz).astimezone(UTC)
    with Ledger(database) as ledger:
        past = Past(ledger, company, now)
        stock = catalogue(company, start, now, _chance("catalogue"))
        for record in (*stock.products.values(), *(buyer.customer for buyer in stock.buyers)):
            ledger.add(record)
        for contact in contacts(stock.buyers, _chance("contacts")):
            ledger.add(contact)
        wanted = asks(past, stock, start, _chance("asks"))
        lives = Lives(past, _chance("lives"))
        total = len(wanted) * 2  # writing takes about as long as telling
        for done, ask in enumerate(wanted):
            lives.live(ask)
            if done % 200 == 0:
                tell(done, total)
        tell_leads(Story(past, stock, start, _chance("leads")), beginning)
        tell_needs(Story(past, stock, start, _chance("needs")), beginning)
        tell_deals(Story(past, stock, start, _chance("deals")), beginning)
        tell_activities(Story(past, stock, start, _chance("activities")), beginning)
        tell_quotas(past, _chance("quotas"))
        tell(len(wanted), total)
        ledger.commit()
        tell(total, total)


def _chance(subject: str) -> Random:
    """A chance of its own for each subject, so that a change of one leaves the others as they are."""
    return Random(f"{SEED}/{subject}")
