"""Deals through the stages of the pipeline, and the calls, mails, meetings, demos and tasks around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.customers import service as customers
from core.customers.model import STAGES, Opportunity
from core.values import Money
from storage.seed.catalogue import Buyer
from storage.seed.season import this_week
from storage.seed.story import Story

CLOSED, OPEN, ACTIVITIES, OPEN_TASKS = 164, 34, 570, 24
PROSPECTING, ENGAGING, WON, LOST = STAGES
WIN_RATE = {"tom": 0.41, "lena": 0.49, "fang": 0.47, "lei": 0.38}
# The same words in both languages, so that they add up.
REASONS = ("price", "no decision", "competitor", "timing", "no budget", "missing feature")
REASONS_OF = {"tom": (38, 18, 20, 8, 10, 6), "lei": (20, 30, 22, 12, 10, 6)}
USUAL_REASONS = (26, 18, 22, 14, 12, 8)
KINDS = (("call", "email", "meeting", "demo", "task"), (34, 27, 17, 12, 10))


@dataclass(frozen=True, slots=True)
class _Deal:
    created: datetime
    closed: datetime | None  # None: still open
    buyer: Buyer
    won: bool = False


def tell_deals(story: Story, beginning: datetime) -> None:
    """Deals won, lost and open. Every one of them was opened at the first stage and moved from there."""
    past, rng = story.past, story.rng
    plans = [_closed(story, None, beginning) for _ in range(CLOSED)]
    for week, outcomes in ((0, (True, True, False)), (1, (True, False))):
        for at, won in zip(this_week(past.now, past.company.tz, len(outcomes)), outcomes, strict=False):
            plans.append(replace(_closed(story, at - timedelta(weeks=week), beginning), won=won))
    for _ in range(OPEN):
        buyer = story.buyer()
        since = max(buyer.customer.created, story.ago(days=rng.triangular(2, 190, 40)))
        plans.append(_Deal(story.between(buyer.customer.owner, since, past.now), None, buyer))
    for at in this_week(past.now, past.company.tz, 2):
        buyer = story.buyer()
        plans.append(_Deal(max(story.fresh(buyer.customer.owner, at), buyer.customer.created), None, buyer))
    for plan in sorted(plans, key=lambda plan: (plan.created, plan.buyer.customer.id)):
        _tell(story, plan)


def _closed(story: Story, at: datetime | None, beginning: datetime) -> _Deal:
    """A deal that was closed at that moment (or some moment): won ones are decided sooner."""
    rng = story.rng
    while True:
        buyer = story.buyer()
        rep, since = buyer.customer.owner, buyer.customer.created
        closed = story.fresh(rep, at) if at else story.moment(rep, max(beginning, since))
        won = rng.random() < WIN_RATE.get(rep, 0.5)
        cycle = rng.lognormvariate(3.7 if won else 4.0, 0.55)
        created = story.past.office(rep).before(closed - timedelta(days=cycle), rng.uniform(0.2, 5))
        if since < created < closed:
            return _Deal(created, closed, buyer, won)


def _tell(story: Story, plan: _Deal) -> None:
    rng, rep = story.rng, plan.buyer.customer.owner
    now = story.past.now
    deal = customers.open_deal(
        story.past.desk(rep, plan.created),
        plan.buyer.customer,
        story.words(rep, "title"),
        _amount(story, plan),
        expected=_expected(story, plan),
    )
    if plan.closed is None:
        if rng.random() < min(0.75, (now - plan.created).days / 45):
            at = story.between(rep, plan.created, now)
            customers.change_deal(story.past.desk(rep, at), deal.id, stage=ENGAGING)
        return
    if plan.won or rng.random() < 0.62:
        at = story.between(rep, plan.created, plan.created + (plan.closed - plan.created) * 0.7)
        customers.change_deal(story.past.desk(rep, at), deal.id, stage=ENGAGING)
    reason = "" if plan.won else rng.choices(REASONS, REASONS_OF.get(rep, USUAL_REASONS))[0]
    customers.change_deal(story.past.desk(rep, plan.closed), deal.id, stage=WON if plan.won else LOST, reason=reason)


def _amount(story: Story, plan: _Deal) -> Money:
    """Larger at larger customers; lost deals were the larger ones. Round, in the customer's currency."""
    company, currency = story.past.company, plan.buyer.currency
    base = story.rng.lognormvariate(9.75, 0.62) * (plan.buyer.size / 4) ** 0.5
    base *= 1 if plan.won else 1.15
    rate = float(company.rates[currency]) if currency != company.currency else 1.0
    exact = base / rate
    step = 5000 if exact >= 100_000 else 1000 if exact >= 20_000 else 500
    return Money(Decimal(max(1, round(exact / step)) * step), currency)


def _expected(story: Story, plan: _Deal) -> date:
    """When it was meant to close. Some slip, and a few open ones are overdue."""
    if plan.closed is None:
        return (story.past.now + timedelta(days=story.rng.triangular(-12, 95, 25))).date()
    meant = plan.closed + timedelta(days=story.rng.gauss(-5, 13))
    return max(meant, plan.created + timedelta(days=5)).date()


def tell_activities(story: Story, beginning: datetime) -> None:
    """What people did with customers, two thirds of it for a deal; some tasks are still to be done."""
    past, rng = story.past, story.rng
    deals = past.ledger.all(Opportunity)
    buyers = {buyer.customer.id: buyer for buyer in story.stock.buyers}
    weights = [1.0 if deal.closed else 0.6 for deal in deals]  # much is still to come for the open ones
    found: list[tuple[datetime, Buyer, Opportunity | None, bool]] = []
    for _ in range(ACTIVITIES):
        if rng.random() < 0.66:
            deal = rng.choices(deals, weights)[0]
            at = story.between(deal.owner, deal.created, deal.closed or past.now)
            found.append((at, buyers[deal.customer], deal, False))
        else:
            buyer = story.buyer()
            since = max(beginning, buyer.customer.created)
            found.append((story.moment(buyer.customer.owner, since), buyer, None, False))
    for at in this_week(past.now, past.company.tz, 3):
        buyer = story.buyer()
        found.append((story.fresh(buyer.customer.owner, at), buyer, None, False))
    running = [deal for deal in deals if deal.closed is None]
    for _ in range(OPEN_TASKS):
        deal = rng.choice(running)
        since = max(deal.created, story.ago(days=24))
        found.append((story.between(deal.owner, since, past.now), buyers[deal.customer], deal, True))
    for at, buyer, about, is_open in sorted(found, key=lambda item: (item[0], item[1].customer.id, item[3])):
        _activity(story, at, buyer, about, is_open=is_open)


def _activity(story: Story, at: datetime, buyer: Buyer, deal: Opportunity | None, *, is_open: bool) -> None:
    rng, rep = story.rng, buyer.customer.owner
    kind = "task" if is_open else rng.choices(*KINDS)[0]
    due = None
    if is_open:
        due = (story.past.now + timedelta(days=rng.randrange(-4, 15))).date()
    elif kind == "task":
        due = (at + timedelta(days=rng.randrange(1, 8))).date()
    done = customers.log_activity(
        story.past.desk(rep, at),
        buyer.customer,
        kind,
        story.words(rep, kind),
        due=max(due, at.date()) if due else None,
        deal=deal.id if deal else None,
    )
    if kind == "task" and not is_open:
        story.past.ledger.save(replace(done, done=True))
