"""The nouns of an order. An order is one record with its lines and steps; only `approval` moves its state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from core.values import Money, discounted, rounded, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    id: int
    name: str
    family: str = ""
    list_price: Money
    aliases: tuple[str, ...] = ()
    active: bool = True
    version: int = 1


class State(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    APPROVED = "approved"
    PRODUCTION = "production"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CLOSED = "closed"
    REJECTED = "rejected"
    CHANGES = "changes"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


BOOKED = (State.APPROVED, State.PRODUCTION, State.SHIPPED, State.DELIVERED, State.CLOSED)
EDITABLE = (State.DRAFT, State.REJECTED, State.CHANGES, State.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """`price` is for one piece, before discount; `list_price` is what the price list said that day."""

    product: int
    name: str
    family: str = ""
    quantity: Decimal
    price: Decimal
    list_price: Decimal | None  # in the order's currency; None when there is no rate to tell it by
    discount: Decimal = Decimal(0)  # percent off this line

    def amount(self, currency: str) -> Money:
        return discounted(rounded(Money(self.price * self.quantity, currency)), self.discount)

    def at_list(self, currency: str) -> Money | None:
        return None if self.list_price is None else rounded(Money(self.list_price * self.quantity, currency))


class StepState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """One signature the policy demands: any one of `approvers`. `rules` say why, as the policy's rule names."""

    position: int  # 1, 2, ...
    approvers: tuple[str, ...]
    rules: tuple[str, ...] = ()
    state: StepState = StepState.OPEN
    by: str = ""
    at: datetime | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    number: int
    customer: int
    rep: str
    currency: str
    lines: tuple[OrderLine, ...]
    discount: Decimal = Decimal(0)  # percent off the whole order, after the lines' own
    total: Money
    state: State = State.DRAFT
    steps: tuple[ApprovalStep, ...] = ()
    created: datetime
    submitted: datetime | None = None
    decided: datetime | None = None  # when it was approved; a no is in its steps
    due: date | None = None
    moved: datetime | None = None  # when it last changed state
    reason: str = ""  # of the last rejection, change request or cancellation
    tracking: str = ""
    base_total: Money | None = None  # total in the company's currency at the rate of the decision
    version: int = 1

    @property
    def subtotal(self) -> Money:
        return total((line.amount(self.currency) for line in self.lines), self.currency)

    @property
    def effective_discount(self) -> Decimal | None:
        """How far below the price list the whole order is, in percent with one decimal; 0 when it is above.

        None when a list price cannot be told in the order's currency, for want of a rate.
        """
        listed = [line.at_list(self.currency) for line in self.lines]
        if any(amount is None for amount in listed):
            return None
        full = total((amount for amount in listed if amount is not None), self.currency).amount
        if full <= 0 or self.total.amount >= full:
            return Decimal(0)
        return ((full - self.total.amount) / full * 100).quantize(Decimal("0.1"))

    @property
    def open_step(self) -> ApprovalStep | None:
        return next((step for step in self.steps if step.state is StepState.OPEN), None)

    @property
    def content(self) -> str:
        """A short hash of what an approver agrees to: customer, lines, prices, discount, currency."""
        parts = [str(self.customer), self.currency, _plain(self.discount)]
        parts += [f"{n.product}|{_plain(n.quantity)}|{_plain(n.price)}|{_plain(n.discount)}" for n in self.lines]
        return hashlib.blake2s("\n".join(parts).encode(), digest_size=4).hexdigest()


def _plain(number: Decimal) -> str:
    """The same text for 1.5 and 1.500: the database does not keep the zeros."""
    return f"{number.normalize():f}"


def order_total(lines: tuple[OrderLine, ...], discount: Decimal, currency: str) -> Money:
    """The sum of the lines less the order's own discount: rounded a line at a time, then once."""
    return discounted(total((line.amount(currency) for line in lines), currency), discount)
