"""Core's records as cards, for whoever looks at them: what they may see, and the buttons they may press."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Button, Card, Field, Reply, Table
from bot.text import Words
from bot.turn import Turn
from core import presence
from core.customers import service as customers
from core.customers.model import Activity, Customer, Lead, Need, Opportunity
from core.desk import Desk
from core.errors import Invalid
from core.orders import approval
from core.orders import service as orders
from core.orders.model import EDITABLE, ApprovalStep, Order, OrderLine, State, StepState
from core.orders.policy import Finding, Verdict
from core.values import Money

# The moves that have a button, in the order in which a card shows them, with its style.
BUTTONS = {
    "submit": "primary",
    "approve": "primary",
    "reject": "danger",
    "request_changes": "plain",
    "start": "plain",
    "ship": "primary",
    "deliver": "primary",
    "close": "primary",
    "withdraw": "plain",
    "cancel": "danger",
}
TONES = {
    State.PENDING: "waiting",
    State.CHANGES: "waiting",
    State.APPROVED: "good",
    State.PRODUCTION: "good",
    State.SHIPPED: "good",
    State.DELIVERED: "good",
    State.CLOSED: "good",
    State.REJECTED: "bad",
    State.CANCELLED: "bad",
}
MARKS = {StepState.APPROVED: "✓", StepState.REJECTED: "✗", StepState.CHANGES: "↩", StepState.OPEN: "…"}
SHOWN_LINES = 12


def order_name(number: int) -> str:
    return f"order:{number}"


def number_in(name: str) -> int:
    """The order whose card has that name; 0 for another kind of card."""
    number = name.removeprefix("order:")
    return int(number) if number != name and number.isdecimal() else 0


def order(desk: Desk, words: Words, it: Order, *, buttons: bool = True) -> Card:
    """*The* card of an order, through the eyes of `desk.person`."""
    customer = desk.records.get(Customer, it.customer)
    fields = [
        Field(words("order.customer"), customer.name if customer else "?"),
        Field(words("order.rep"), desk.company.roster.named(it.rep)),
        Field(words("order.total"), words.show(it.total)),
        *_discount(words, it),
        *([Field(words("order.due"), words.show(it.due))] if it.due else []),
        *([Field(words("order.tracking"), it.tracking)] if it.tracking else []),
    ]
    path = _path(desk, words, it)
    if path:
        fields.append(Field(words("order.approval"), path, wide=True))
    if it.reason and it.state in (State.REJECTED, State.CHANGES, State.CANCELLED):
        fields.append(Field(words("order.reason"), it.reason, wide=True))
    return Card(
        title=words("order.title", number=it.number, state=words(f"state.{it.state.value}")),
        fields=tuple(fields),
        table=_lines(words, it),
        note=_note(desk, words, it),
        buttons=tuple(_buttons(desk, words, it)) if buttons else (),
        tone=TONES.get(it.state, "plain"),
    )


def order_reply(turn: Turn, it: Order, *, fresh: bool = False) -> Reply:
    """The order's card, where the turn came from: edited where it stands, or posted anew (`fresh`) when asked for."""
    pointer = Card(text=turn.words("order.moved_down", number=it.number)) if fresh else None
    return Reply(order(turn.desk, turn.words, it), name=order_name(it.number), pointer=pointer)


def order_lines(desk: Desk, words: Words, found: Sequence[Order], *, dates: bool = False, reps: bool = False) -> Table:
    """Several orders, one a row: number with the customer's name (`dates`: the day), total, state (`reps`: whose)."""
    rows = []
    for it in found:
        customer = desk.records.get(Customer, it.customer)
        about = words.show(it.created) if dates else customer.name if customer else ""
        last = desk.company.roster.named(it.rep) if reps else words(f"state.{it.state.value}")
        rows.append((f"#{it.number} {about}", words.show(it.total), last))
    head = (words("order.order"), words("order.total"), words("order.rep" if reps else "order.state"))
    return Table(head, tuple(rows))


def overview(desk: Desk, words: Words, it: customers.Overview, last: Sequence[Order]) -> Card:
    """A customer's card: who they are, whom to call, what runs, what they need, what they bought."""
    customer = it.customer
    owner = desk.company.roster.named(customer.owner) if customer.owner else words("customer.nobody")
    if not it.whole:
        return Card(title=customer.name, text=words("customer.not_yours", owner=owner))
    about = " · ".join(part for part in (customer.sector, customer.country, customer.region) if part)
    fields = [Field(words("customer.owner"), owner)]
    if customer.aliases:
        fields.append(Field(words("customer.aliases"), words.show(customer.aliases)))
    if it.contacts:
        fields.append(Field(words("customer.contacts"), "\n".join(_contact(c) for c in it.contacts), wide=True))
    if it.deals:
        text = "\n".join(_deal_line(words, deal) for deal in it.deals)
        fields.append(Field(words("customer.deals"), text, wide=True))
    if it.needs:
        fields.append(Field(words("customer.needs"), "\n".join(f"• {need.text}" for need in it.needs), wide=True))
    buttons = tuple(Button(f"#{o.number}", f"order.show:{o.number}") for o in last[:3])
    return Card(
        title=customer.name,
        text=about,
        fields=tuple(fields),
        table=order_lines(desk, words, last, dates=True) if last else None,
        note="" if last else words("customer.no_orders"),
        buttons=buttons,
    )


def lead(desk: Desk, words: Words, it: Lead) -> Card:
    fields = [
        Field(words("lead.company"), it.company),
        Field(words("lead.contact"), it.contact_name),
        Field(words("lead.email"), it.email),
        Field(words("lead.phone"), it.phone),
        Field(words("lead.source"), it.source),
        Field(words("lead.interest"), it.interest, wide=True),
        Field(words("lead.owner"), desk.company.roster.named(it.owner)),
    ]
    return Card(title=words("lead.title"), fields=tuple(f for f in fields if f.value), tone="good")


def deal(desk: Desk, words: Words, it: Opportunity) -> Card:
    customer = desk.records.get(Customer, it.customer)
    fields = [
        Field(words("deal.customer"), customer.name if customer else "?"),
        Field(words("deal.amount"), words.show(it.amount)),
        Field(words("deal.stage"), stage(words, it.stage)),
        Field(words("deal.owner"), desk.company.roster.named(it.owner)),
    ]
    if it.expected:
        fields.append(Field(words("deal.expected"), words.show(it.expected)))
    if it.reason:
        fields.append(Field(words("deal.reason"), it.reason, wide=True))
    tone = {"Won": "good", "Lost": "bad"}.get(it.stage, "plain")
    moves = [name for name in ("Engaging", "Won", "Lost") if name != it.stage] if not it.closed else []
    buttons = tuple(Button(stage(words, name), f"deal.move:{it.id}:{name}") for name in moves)
    return Card(title=words("deal.title", title=it.title), fields=tuple(fields), tone=tone, buttons=buttons)


def need(desk: Desk, words: Words, it: Need) -> Card:
    customer = desk.records.get(Customer, it.customer)
    return Card(title=words("need.title", customer=customer.name if customer else "?"), text=it.text, tone="good")


def activity(desk: Desk, words: Words, it: Activity) -> Card:
    customer = desk.records.get(Customer, it.customer)
    title = words("activity.title", kind=words(f"activity.{it.kind}"), customer=customer.name if customer else "?")
    return Card(title=title, text=it.text, note=words.show(it.due) if it.due else "", tone="good")


def stage(words: Words, name: str) -> str:
    """A stage's name in the person's language; a company's own stage as it is."""
    key = f"stage.{name.lower()}"
    return words(key) if words.has(key) else name


def _discount(words: Words, it: Order) -> list[Field]:
    below = it.effective_discount
    if it.discount <= 0 and not below:
        return []
    if below is None:
        text = words("order.discount_given", given=it.discount)
    elif it.discount > 0 and below != round(it.discount, 1):
        text = words("order.discount_both", given=it.discount, below=below)
    else:
        text = words("order.discount_below", below=below or it.discount)
    return [Field(words("order.discount"), text)]


def _lines(words: Words, it: Order) -> Table:
    rows = [_line(words, it, line) for line in it.lines[:SHOWN_LINES]]
    rest = it.lines[SHOWN_LINES:]
    if rest:
        amount = sum((line.amount(it.currency) for line in rest), Money(0, it.currency))
        rows.append((words("order.more_lines", count=len(rest)), "", "", words.show(amount)))
    head = (words("order.product"), words("order.quantity"), words("order.price"), words("order.amount"))
    return Table(head, tuple(rows))


def _line(words: Words, it: Order, line: OrderLine) -> tuple[str, str, str, str]:
    price = words.show(Money(line.price, it.currency))
    if line.discount:
        price = f"{price} −{words.show(line.discount, 'percent')}"
    return (line.name, words.show(line.quantity), price, words.show(line.amount(it.currency)))


def _path(desk: Desk, words: Words, it: Order) -> str:
    """Who signed, who is asked, and which rule asks; for a draft, who would be."""
    if it.state in EDITABLE and it.state is not State.REJECTED and it.state is not State.CHANGES:
        try:
            verdict = orders.verdict(desk, it)
        except Invalid as error:
            return words(f"error.{error.code}", **error.facts)
        if not verdict.steps:
            return words("order.needs_nobody")
        return "\n".join(_step(desk, words, step, it) + _why(words, verdict, step, it) for step in verdict.steps)
    if not it.steps:
        return ""
    if it.state is not State.PENDING:  # decided: whoever was not asked any more is of no interest
        return "\n".join(_step(desk, words, step, it) for step in it.steps if step.by)
    try:
        verdict = orders.verdict(desk, it)
    except Invalid:  # its steps were set under the policy of that day; today's must not keep it from being shown
        verdict = Verdict(findings=(), steps=())
    return "\n".join(_step(desk, words, step, it) + _why(words, verdict, step, it) for step in it.steps)


def _step(desk: Desk, words: Words, step: ApprovalStep, it: Order) -> str:
    if step.by:
        text = words(f"step.{step.state.value}", who=desk.company.roster.named(step.by), at=step.at)
        return f"{MARKS[step.state]} {text}" + (f" “{step.comment}”" if step.comment and not it.reason else "")
    who = [_named(desk, words, person) for person in step.approvers]
    key = "step.would" if it.state is not State.PENDING else "step.waits" if step == it.open_step else "step.then"
    return f"{MARKS[step.state]} {words(key, who=words.show(who))}"


def _named(desk: Desk, words: Words, person_id: str) -> str:
    """The person's name, with a word when nothing we say reaches them."""
    person = desk.company.roster.people.get(person_id)
    name = desk.company.roster.named(person_id)
    return name if person is None or presence.reachable(desk.records, person) else words("step.unreachable", who=name)


def _why(words: Words, verdict: Verdict, step: ApprovalStep, it: Order) -> str:
    """Which rules demand the step, each with the value that tripped it."""
    reasons = [_reason(words, f, it) for f in verdict.fired if f.rule in step.rules]
    return f" ({'; '.join(reasons)})" if reasons else ""


def _reason(words: Words, finding: Finding, it: Order) -> str:
    parts = []
    for test, value, limit in finding.tests:
        if test == "discount":
            key = "why.no_list" if value is None else "why.discount"
            parts.append(words(key, value=value, limit=limit, currency=it.currency))
        elif value is None:
            parts.append(words("why.no_rate", currency=it.currency))
        else:
            parts.append(words("why.total", value=value, limit=limit))
    return ", ".join(parts)


def _note(desk: Desk, words: Words, it: Order) -> str:
    if it.state in EDITABLE and desk.person.id == it.rep:
        return words("order.draft_note" if it.state is State.DRAFT else "order.back_note")
    if it.state is State.PENDING and it.submitted:
        return words("order.pending_since", at=it.submitted)
    return words("order.moved_at", at=it.moved) if it.moved and it.state is not State.DRAFT else ""


def _buttons(desk: Desk, words: Words, it: Order) -> list[Button]:
    """The moves of the table that this person may make now. A button names the step and the content it was shown."""
    step = it.open_step
    marks = f"{it.number}:{step.position if step else 0}:{it.content}"
    # Whoever leads the rep may make the rep's moves in words; an approver's card is for deciding.
    owners = desk.person.id == it.rep
    open_moves = {
        move.trigger
        for move in approval.moves_from(it.state)
        if orders.may(desk, it, move.who) and (owners or move.who != approval.OWNER)
    }
    return [
        Button(words(f"button.{trigger}"), f"order.{trigger}:{marks}", style)
        for trigger, style in BUTTONS.items()
        if trigger in open_moves
    ]


def _contact(it: object) -> str:
    parts = (getattr(it, name) for name in ("name", "title", "email", "phone"))
    return " · ".join(part for part in parts if part)


def _deal_line(words: Words, it: Opportunity) -> str:
    return f"• {it.title}: {words.show(it.amount)}, {stage(words, it.stage)}"
