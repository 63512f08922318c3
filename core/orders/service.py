"""The verbs of an order: place, change, submit, decide, carry out. Each checks who may, moves it, notes the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from core.customers.model import Customer
from core.desk import Desk
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.orders import approval
from core.orders.model import EDITABLE, ApprovalStep, Order, OrderLine, Product, State, StepState, order_total
from core.orders.policy import Verdict, judge
from core.team import Role
from core.values import MAX_TOTAL, Money, money, percent, quantity

MAX_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWish:
    """One line as asked for. `price` None takes the price list's; its currency is the order's."""

    product: Product
    quantity: Decimal
    price: Decimal | None = None
    discount: Decimal = Decimal(0)


def place(
    desk: Desk,
    customer: Customer,
    wishes: Sequence[LineWish],
    *,
    currency: str,
    discount: Decimal = Decimal(0),
    due: date | None = None,
) -> Order:
    """A new draft of the asking person's. Nothing is binding until it is submitted."""
    lines = _lines(desk, wishes, currency)
    order = Order(
        number=desk.records.next_id(Order),
        customer=customer.id,
        rep=desk.person.id,
        currency=currency,
        lines=lines,
        discount=percent(discount),
        total=_total(lines, discount, currency),
        created=desk.now,
        moved=desk.now,
        due=due,
    )
    desk.records.add(order)
    desk.note("order.placed", f"order:{order.number}", total=str(order.total.amount), content=order.content)
    return order


def change(
    desk: Desk,
    number: int,
    wishes: Sequence[LineWish],
    *,
    customer: Customer | None = None,
    currency: str = "",
    discount: Decimal | None = None,
    due: date | None = None,
) -> Order:
    """The draft with other lines, customer or discount. An order under way is locked: withdraw it first."""
    order = of_owner(desk, number)
    if order.state not in EDITABLE:
        raise WrongState("locked", number=number, state=order.state.value)
    currency = currency or order.currency
    discount = order.discount if discount is None else percent(discount)
    lines = _lines(desk, wishes, currency)
    draft = order if order.state is State.DRAFT else approval.advance(order, "revise", desk.now)
    changed = replace(
        draft,
        customer=customer.id if customer else order.customer,
        currency=currency,
        lines=lines,
        discount=discount,
        total=_total(lines, discount, currency),
        due=due or order.due,
        steps=(),
    )
    desk.records.save(changed)
    desk.note(
        "order.changed",
        f"order:{number}",
        total=str(changed.total.amount),
        was=str(order.total.amount),
        content=changed.content,
    )
    return changed


def verdict(desk: Desk, order: Order) -> Verdict:
    """What the policy says of the order as it is now: the rules, and the chain of people."""
    return judge(order, desk.company.policy, desk.company.roster, desk.company.in_base(order.total))


def submit(desk: Desk, number: int, content: str = "") -> Order:
    """Send the draft on its way: to the first who must sign, or straight to approved when nobody must.

    `content` is the hash of what the person saw; when the order is another by now, `WrongState`.
    """
    order = of_owner(desk, number)
    _same_content(order, content)
    if order.state is State.PENDING:
        raise WrongState("already_in_review", number=number, since=order.submitted)
    steps = verdict(desk, order).steps
    asked = replace(order, steps=steps, submitted=desk.now, decided=None, reason="")
    moved = approval.advance(asked, "submit" if steps else "clear", desk.now)
    if not steps:
        moved = _decided(desk, moved)
    desk.records.save(moved)
    desk.note("order.submitted", f"order:{number}", content=order.content, steps=len(steps))
    return moved


def to_decide(desk: Desk, number: int, *, step: int = 0, content: str = "") -> Order:
    """The order, when this person may decide it now; raises what `approve` and `reject` would."""
    return _my_turn(desk, number, step, content)[0]


def approve(desk: Desk, number: int, *, step: int = 0, content: str = "", comment: str = "") -> Order:
    """Sign the open step. `step` and `content` are what the button named; 0 and "" when it was said in words."""
    order, mine = _my_turn(desk, number, step, content)
    signed = _signed(desk, order, mine, StepState.APPROVED, comment)
    last = signed.open_step is None
    moved = approval.advance(signed, "approve" if last else "sign", desk.now)
    if last:
        moved = _decided(desk, moved)
    desk.records.save(moved)
    desk.note("order.approved" if last else "order.signed", f"order:{number}", step=mine.position, comment=comment)
    return moved


def reject(desk: Desk, number: int, reason: str, *, step: int = 0, content: str = "", back: bool = False) -> Order:
    """Say no, with a reason; `back` asks for changes instead. One no ends the review."""
    order, mine = _my_turn(desk, number, step, content)
    if not reason.strip():
        raise Invalid("reason_missing", number=number)
    outcome = StepState.CHANGES if back else StepState.REJECTED
    signed = replace(_signed(desk, order, mine, outcome, reason), reason=reason.strip()[:500])
    moved = approval.advance(signed, "request_changes" if back else "reject", desk.now)
    desk.records.save(moved)
    name = "order.changes_requested" if back else "order.rejected"
    desk.note(name, f"order:{number}", step=mine.position, reason=moved.reason)
    return moved


def withdraw(desk: Desk, number: int) -> Order:
    """Take a pending order back; its signatures are void."""
    return _own_move(desk, number, "withdraw", "order.withdrawn")


def cancel(desk: Desk, number: int, reason: str = "") -> Order:
    """End an order that has not left the house."""
    return _own_move(desk, number, "cancel", "order.cancelled", reason)


def close(desk: Desk, number: int) -> Order:
    return _own_move(desk, number, "close", "order.closed")


def start(desk: Desk, number: int) -> Order:
    return _carry_out(desk, number, "start", "order.started")


def ship(desk: Desk, number: int, tracking: str = "") -> Order:
    return _carry_out(desk, number, "ship", "order.shipped", tracking)


def deliver(desk: Desk, number: int) -> Order:
    return _carry_out(desk, number, "deliver", "order.delivered")


def seen(desk: Desk, number: int) -> Order:
    """The order, for somebody who may see it: its rep, those above, those who sign it, those who see all."""
    order = desk.records.get(Order, number)
    if order is None:
        raise NotFound("order_unknown", number=number)
    if not any(desk.person.id in step.approvers for step in order.steps):
        desk.company.roster.must_see(desk.person, order.rep, f"#{number}")
    return order


def of_owner(desk: Desk, number: int) -> Order:
    """The order, for its rep or somebody leading them."""
    order = seen(desk, number)
    if not desk.company.roster.may_change(desk.person, order.rep):
        raise NotAllowed("not_your_order", number=number, owner=desk.company.roster.named(order.rep))
    return order


def may(desk: Desk, order: Order, who: str) -> bool:
    """Whether the asking person is the `who` a move of the table demands."""
    if who == approval.OWNER:
        return desk.company.roster.may_change(desk.person, order.rep)
    if who == approval.APPROVER:
        step = order.open_step
        return step is not None and desk.person.id in step.approvers and desk.person.id != order.rep
    return who == approval.OPERATIONS and desk.person.role in (Role.OPERATIONS, Role.ADMIN)


def _lines(desk: Desk, wishes: Sequence[LineWish], currency: str) -> tuple[OrderLine, ...]:
    if not wishes:
        raise Invalid("no_lines")
    if len(wishes) > MAX_LINES:
        raise Invalid("too_many_lines", count=len(wishes), largest=MAX_LINES)
    return tuple(_line(desk, wish, currency) for wish in wishes)


def _line(desk: Desk, wish: LineWish, currency: str) -> OrderLine:
    product = wish.product
    listed = product.list_price
    if wish.price is None and listed.currency.code != currency:
        raise Invalid("price_missing", product=product.name, currency=currency)
    price = money(listed.amount if wish.price is None else wish.price, currency).amount
    return OrderLine(
        product=product.id,
        name=product.name,
        family=product.family,
        quantity=quantity(wish.quantity),
        price=price,
        # In the order's own currency, or a price in another one would walk past every rule about discounts.
        list_price=desk.company.price_in(listed, currency),
        discount=percent(wish.discount),
    )


def _total(lines: tuple[OrderLine, ...], discount: Decimal, currency: str) -> Money:
    result = order_total(lines, percent(discount), currency)
    if result.amount > MAX_TOTAL:
        raise Invalid("total_out_of_range", largest=MAX_TOTAL)
    return result


def _same_content(order: Order, content: str) -> None:
    if content and content != order.content:
        raise WrongState("order_changed", number=order.number)


def _my_turn(desk: Desk, number: int, step: int, content: str) -> tuple[Order, ApprovalStep]:
    """The order and its open step, when this person may decide it now; else why not, in the order people ask it."""
    order = seen(desk, number)
    named = next((s for s in order.steps if s.position == step), None)
    if named and named.state is not StepState.OPEN:
        raise WrongState("already_decided", number=number, state=named.state.value, by=named.by, at=named.at)
    mine = order.open_step
    if order.state is not State.PENDING or mine is None:
        last = next((s for s in reversed(order.steps) if s.by), None)
        by, at = (last.by, last.at) if last else (order.rep, order.moved)
        raise WrongState("already_decided", number=number, state=order.state.value, by=by, at=at)
    _same_content(order, content)
    if desk.person.id == order.rep:
        raise NotAllowed("own_order", number=number)
    if desk.person.id not in mine.approvers:
        waiting = [desk.company.roster.named(person) for person in mine.approvers]
        raise NotAllowed("not_your_turn", number=number, waiting=waiting)
    if step and step != mine.position:
        raise NotAllowed("not_your_step", number=number)
    return order, mine


def _signed(desk: Desk, order: Order, mine: ApprovalStep, outcome: StepState, comment: str) -> Order:
    done = replace(mine, state=outcome, by=desk.person.id, at=desk.now, comment=comment.strip()[:500])
    return replace(order, steps=tuple(done if s.position == mine.position else s for s in order.steps))


def _decided(desk: Desk, order: Order) -> Order:
    return replace(order, decided=desk.now, base_total=desk.company.in_base(order.total))


def _own_move(desk: Desk, number: int, trigger: str, event: str, reason: str = "") -> Order:
    order = of_owner(desk, number)
    moved = approval.advance(order, trigger, desk.now)
    moved = replace(moved, reason=reason.strip()[:500] or order.reason)
    desk.records.save(moved)
    desk.note(event, f"order:{number}", reason=reason.strip()[:500])
    return moved


def _carry_out(desk: Desk, number: int, trigger: str, event: str, tracking: str = "") -> Order:
    order = seen(desk, number)
    if not may(desk, order, approval.OPERATIONS):
        raise NotAllowed("operations_only", number=number)
    moved = approval.advance(order, trigger, desk.now)
    moved = replace(moved, tracking=tracking.strip()[:100] or order.tracking)
    desk.records.save(moved)
    desk.note(event, f"order:{number}", tracking=moved.tracking)
    return moved
