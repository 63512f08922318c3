"""Leads that came in, and what customers said they need."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from core.customers import service as customers
from core.customers.model import LeadState
from storage.seed.catalogue import Buyer, person, slug, table, telephone, texts
from storage.seed.season import this_week
from storage.seed.story import Story

LEADS, NEEDS = 250, 120
SOURCES = (("website", "referral", "trade fair", "webinar", "partner", "cold call"), (34, 22, 16, 12, 10, 6))
# By age in days: how far a lead has come that did not become a customer, of every hundred.
STATES = (LeadState.NEW, LeadState.CONTACTED, LeadState.QUALIFIED, LeadState.DROPPED)
FATES = (
    (4, (70, 30, 0, 0)),
    (14, (30, 40, 20, 10)),
    (60, (8, 28, 30, 34)),
    (150, (0, 13, 22, 65)),
    (100_000, (0, 2, 5, 93)),
)
NEED_KINDS = (30, 22, 16, 14, 10, 8, 6)  # how often each, in the order of `texts.toml`


def tell_leads(story: Story, beginning: datetime) -> None:
    """Everybody who might have bought. The customers who joined were leads once."""
    rng, past = story.rng, story.past
    joined = [buyer for buyer in story.stock.buyers if buyer.joined]
    known = rng.sample([buyer for buyer in story.stock.buyers if not buyer.joined], 12)
    wanted: list[tuple[datetime, str, Buyer | None]] = []
    for buyer in joined:
        owner, since = buyer.customer.owner, buyer.customer.created
        wanted.append((story.between(owner, since - timedelta(days=70), since - timedelta(days=6)), owner, buyer))
    # Another department of theirs asked.
    wanted += [(story.moment(buyer.customer.owner, beginning), buyer.customer.owner, buyer) for buyer in known]
    for at in this_week(past.now, past.company.tz, 3):
        rep = rng.choice(story.reps)
        wanted.append((story.fresh(rep, at), rep, None))
    while len(wanted) < LEADS:
        rep = rng.choice(story.reps)
        wanted.append((story.moment(rep, beginning), rep, None))
    used: set[str] = set()
    for at, rep, who in sorted(wanted, key=lambda want: (want[0], want[1])):
        _lead(story, at, rep, who, used)


def _lead(story: Story, at: datetime, rep: str, buyer: Buyer | None, used: set[str]) -> None:
    rng, chinese = story.rng, story.past.office(rep).chinese
    country = "China" if chinese else rng.choice(("Germany", "United Kingdom", "United States", "France", "Sweden"))
    if buyer is None:
        company, site = _company(used, rng, chinese=chinese)
    else:
        company, site, country = buyer.customer.name, buyer.site, buyer.customer.country
    name, mail = person(rng, chinese=country == "China")
    lead = customers.log_lead(
        story.past.desk(rep, at),
        company,
        contact_name=name,
        email=f"{mail}@{site}.example.com",
        phone=telephone(country, rng.randrange(100, 400)) if rng.random() < 0.7 else "",
        source=rng.choices(*SOURCES)[0],
        interest=story.words(rep, "interest"),
    )
    if buyer is not None:
        lead = replace(lead, state=LeadState.CONVERTED, customer=buyer.customer.id)
    else:
        age = (story.past.now - at).days
        lead = replace(lead, state=rng.choices(STATES, next(fates for limit, fates in FATES if age <= limit))[0])
    if lead.state is not LeadState.NEW:
        story.past.ledger.save(lead)


def _company(used: set[str], rng: Random, *, chinese: bool) -> tuple[str, str]:
    """An invented company nobody named so far, and how its mail domain begins."""
    names = table("names")["chinese" if chinese else "english"]
    while True:
        stem, business = rng.choice(names["company"]), rng.choice(names["business"])
        name = f"{stem[0]}{business}" if chinese else f"{stem} {business}"
        if name not in used:
            used.add(name)
            return name, stem[1] if chinese else slug(stem)


def tell_needs(story: Story, beginning: datetime) -> None:
    """What customers said they need; the older needs are mostly met."""
    rng = story.rng
    found = []
    for _ in range(NEEDS):
        buyer = story.buyer()
        found.append((story.moment(buyer.customer.owner, max(beginning, buyer.customer.created)), buyer))
    for at, buyer in sorted(found, key=lambda pair: (pair[0], pair[1].customer.id)):
        rep = buyer.customer.owner
        kinds = texts(story.language(rep))["need"]
        kind = rng.choices(list(kinds), NEED_KINDS)[0]
        product = story.product().id if rng.random() < 0.4 else None
        need = customers.log_need(story.past.desk(rep, at), buyer.customer, rng.choice(kinds[kind]), product=product)
        met = rng.random() < min(0.85, (story.past.now - at).days / 300)
        story.past.ledger.save(replace(need, kind=kind, open=not met))
