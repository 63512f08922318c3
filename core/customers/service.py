"""The verbs of the customer side: log a lead, open or move a deal, note a need or an activity, look somebody up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.customers.model import (
    OPEN_STAGES,
    STAGES,
    Activity,
    Contact,
    Customer,
    Lead,
    Need,
    Opportunity,
)
from core.desk import Desk
from core.errors import Invalid, NotAllowed, NotFound
from core.values import Money

LONGEST_NAME = 120


def add_customer(desk: Desk, name: str) -> Customer:
    """A customer nobody knew yet, the asking person's; one of that name is returned as it is."""
    name = _name(name)
    for known in desk.records.find(Customer, name=name):
        return known
    customer = Customer(id=desk.records.next_id(Customer), name=name, owner=desk.person.id, created=desk.now)
    desk.records.add(customer)
    desk.note("customer.added", f"customer:{customer.id}")
    return customer


def log_lead(
    desk: Desk,
    company: str,
    *,
    contact_name: str = "",
    email: str = "",
    phone: str = "",
    source: str = "",
    interest: str = "",
    customer: Customer | None = None,
) -> Lead:
    """Somebody who may buy, the asking person's to follow up."""
    lead = Lead(
        id=desk.records.next_id(Lead),
        company=_name(company or contact_name),
        contact_name=contact_name[:LONGEST_NAME],
        email=email[:LONGEST_NAME],
        phone=phone[:LONGEST_NAME],
        source=source[:LONGEST_NAME],
        interest=interest[:2000],
        owner=desk.person.id,
        customer=customer.id if customer else None,
        created=desk.now,
    )
    desk.records.add(lead)
    desk.note("lead.logged", f"lead:{lead.id}")
    return lead


def open_deal(
    desk: Desk, customer: Customer, title: str, amount: Money, *, stage: str = STAGES[0], expected: date | None = None
) -> Opportunity:
    """A deal with a customer, at the pipeline's first stage unless said otherwise."""
    stage = _stage(stage)
    deal = Opportunity(
        id=desk.records.next_id(Opportunity),
        customer=customer.id,
        title=title.strip()[:LONGEST_NAME] or customer.name,
        amount=amount,
        stage=stage,
        owner=desk.person.id,
        created=desk.now,
        expected=expected,
        closed=None if stage in OPEN_STAGES else desk.now,
    )
    desk.records.add(deal)
    desk.note("deal.opened", f"deal:{deal.id}", stage=deal.stage)
    return deal


def change_deal(
    desk: Desk,
    deal_id: int,
    *,
    stage: str = "",
    amount: Money | None = None,
    expected: date | None = None,
    reason: str = "",
) -> Opportunity:
    """Move a deal along, or correct its amount or date. Won and lost close it; an earlier stage opens it again."""
    deal = desk.records.get(Opportunity, deal_id)
    if deal is None:
        raise NotFound("deal_unknown", number=deal_id)
    if not desk.company.roster.may_change(desk.person, deal.owner):
        raise NotAllowed("not_your_deal", owner=desk.company.roster.named(deal.owner))
    stage = _stage(stage) if stage else deal.stage
    closed = None if stage in OPEN_STAGES else (deal.closed if deal.stage == stage else desk.now)
    moved = replace(
        deal,
        stage=stage,
        amount=deal.amount if amount is None else amount,
        expected=expected or deal.expected,
        closed=closed,
        reason=reason.strip()[:500] or deal.reason,
    )
    desk.records.save(moved)
    desk.note("deal.changed", f"deal:{deal.id}", stage=stage, was=deal.stage)
    return moved


def log_need(desk: Desk, customer: Customer, text: str, *, product: int | None = None) -> Need:
    """Something the customer said they need, in their words."""
    if not text.strip():
        raise Invalid("need_empty")
    need = Need(
        id=desk.records.next_id(Need),
        customer=customer.id,
        text=text.strip()[:2000],
        product=product,
        by=desk.person.id,
        created=desk.now,
    )
    desk.records.add(need)
    desk.note("need.logged", f"need:{need.id}")
    return need


def log_activity(
    desk: Desk, customer: Customer, kind: str, text: str, *, due: date | None = None, deal: int | None = None
) -> Activity:
    """A call, mail, meeting or demo that happened; a task is still to be done."""
    activity = Activity(
        id=desk.records.next_id(Activity),
        customer=customer.id,
        opportunity=deal,
        kind=kind,
        text=text.strip()[:2000],
        by=desk.person.id,
        at=desk.now,
        due=due,
        done=kind != "task",
    )
    desk.records.add(activity)
    desk.note("activity.logged", f"activity:{activity.id}", kind=kind)
    return activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a customer's card tells. `whole` False: only who owns them, for somebody whose customer it is not."""

    customer: Customer
    whole: bool
    contacts: Sequence[Contact] = ()
    deals: Sequence[Opportunity] = ()
    needs: Sequence[Need] = ()


def look_up(desk: Desk, customer_id: int) -> Overview:
    """The customer, with contacts, open deals and open needs for whoever may see them."""
    customer = desk.records.get(Customer, customer_id)
    if customer is None:
        raise NotFound("customer_unknown", number=customer_id)
    if not desk.company.roster.may_see(desk.person, customer.owner):
        return Overview(customer=customer, whole=False)
    return Overview(
        customer=customer,
        whole=True,
        contacts=desk.records.find(Contact, customer=customer.id, limit=5),
        deals=desk.records.find(Opportunity, customer=customer.id, stage=OPEN_STAGES, newest=True, limit=5),
        needs=desk.records.find(Need, customer=customer.id, open=True, newest=True, limit=3),
    )


def deals_of(desk: Desk, customer: Customer) -> list[Opportunity]:
    """The customer's open deals that the asking person may see, newest first."""
    deals = desk.records.find(Opportunity, customer=customer.id, stage=OPEN_STAGES, newest=True)
    return [deal for deal in deals if desk.company.roster.may_see(desk.person, deal.owner)]


def _stage(name: str) -> str:
    for stage in STAGES:
        if stage.lower() == name.strip().lower():
            return stage
    raise Invalid("stage_unknown", stage=name, stages=STAGES)


def _name(name: str) -> str:
    clean = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())
    if not clean:
        raise Invalid("name_empty")
    if len(clean) > LONGEST_NAME:
        raise Invalid("name_too_long", largest=LONGEST_NAME)
    return clean
