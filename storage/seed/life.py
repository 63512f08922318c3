"""What became of each order: its people do to it what core's verbs allow, at their pace, until now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from core.orders import service as orders
from core.orders.model import Order, State
from core.orders.service import LineWish
from storage.seed.catalogue import texts
from storage.seed.demand import Ask
from storage.seed.ledger import NotYet, Past

PACE = {"raj": 3.0, "chen": 4.2, "mia": 6.5}  # working hours until somebody signs, in the middle
WORKDAY = 9.0


class Lives:
    """Tells orders from their first draft to wherever they stand now."""

    def __init__(self, past: Past, rng: Random) -> None:
        self._past = past
        self._rng = rng
        self._operations = past.company.roster.with_role("operations")[0].id

    def live(self, ask: Ask) -> None:
        rep = ask.buyer.customer.owner
        order = orders.place(
            self._past.desk(rep, ask.at),
            ask.buyer.customer,
            ask.wishes,
            currency=ask.currency,
            discount=ask.discount,
            due=ask.due,
        )
        try:
            if ask.ends:
                self._as_told(order, ask)
            else:
                self._as_usual(order, ask)
        except NotYet:
            return

    # ------------------------------------------------------------ the usual course

    def _as_usual(self, order: Order, ask: Ask) -> None:
        rng = self._rng
        if rng.random() < 0.02:  # a draft nobody sends
            at = self._later(order.rep, ask.at, rng.uniform(3, 11) * WORKDAY)
            self._cancel(order, at, "quiet")
            return
        at = ask.at + timedelta(seconds=rng.randrange(40, 900))
        if rng.random() < 0.22:
            at = self._later(order.rep, at, rng.expovariate(1 / 5))
        order = orders.submit(self._past.desk(order.rep, at), order.number, order.content)
        for _ in range(4):
            if order.state is State.PENDING:
                order, at = self._reviewed(order, at)
            if order.state is State.APPROVED:
                self._fulfilled(order, at)
                return
            again = self._tried_again(order, at, ask)
            if again is None:
                return
            order, at = again

    def _reviewed(self, order: Order, at: datetime) -> tuple[Order, datetime]:
        """Everybody who must sign does, or one of them says no, or the rep takes it back first."""
        rng = self._rng
        if rng.random() < 0.03:
            at = self._later(order.rep, at, rng.uniform(0.3, 2))
            return orders.withdraw(self._past.desk(order.rep, at), order.number), at
        while (step := order.open_step) is not None and order.state is State.PENDING:
            signer = step.approvers[0] if len(step.approvers) == 1 else rng.choice(step.approvers)
            at = self._later(signer, at, min(rng.lognormvariate(0, 0.9) * PACE.get(signer, 4), 5 * WORKDAY))
            desk = self._past.desk(signer, at)
            deep = (order.effective_discount or Decimal(0)) > 15
            # The second signature follows the first more often than not.
            no = (0.05 + 0.012 * max(0.0, float(order.effective_discount or Decimal(0)) - 15)) / step.position
            fate, kind = rng.random(), "discount" if deep else "total"
            if fate < no:
                order = orders.reject(desk, order.number, self._words(order.rep, f"over_{kind}"), step=step.position)
            elif fate < no + 0.07 / step.position:
                reason = self._words(order.rep, f"changes_{kind}")
                order = orders.reject(desk, order.number, reason, step=step.position, back=True)
            else:
                comment = self._words(signer, "approved") if rng.random() < 0.18 else ""
                order = orders.approve(desk, order.number, step=step.position, content=order.content, comment=comment)
        return order, at

    def _tried_again(self, order: Order, at: datetime, ask: Ask) -> tuple[Order, datetime] | None:
        """After a no: most are changed and sent again, some end there."""
        rng = self._rng
        at = self._later(order.rep, at, rng.uniform(1, 22))
        if rng.random() > {State.CHANGES: 0.92, State.WITHDRAWN: 0.6}.get(order.state, 0.5):
            if rng.random() < 0.85:
                self._cancel(order, self._later(order.rep, at, rng.uniform(2, 60)), "given_up")
            return None
        wishes = ask.wishes
        discount = order.discount
        if (order.effective_discount or Decimal(0)) > 15:
            limit = Decimal(rng.choice((8, 10, 12, 12, 15)))
            discount = min(discount, limit)
            wishes = tuple(
                replace(w, discount=min(w.discount, limit), price=_dearer(w, limit, order.currency)) for w in wishes
            )
        else:
            wishes = tuple(replace(w, quantity=_fewer(w.quantity)) for w in wishes)
        changed = orders.change(self._past.desk(order.rep, at), order.number, wishes, discount=discount)
        at += timedelta(seconds=rng.randrange(30, 600))
        return orders.submit(self._past.desk(order.rep, at), order.number, changed.content), at

    def _fulfilled(self, order: Order, at: datetime) -> None:
        """Made, shipped, delivered, closed; a few are cancelled before they leave the house."""
        rng = self._rng
        families = {line.family for line in order.lines}
        number, operations = order.number, self._operations
        hard = "Hardware" in families
        lost = rng.random() < 0.02
        if hard:
            at = self._later(operations, at, rng.uniform(1, 1.6 * WORKDAY))
            if lost and rng.random() < 0.5:
                self._cancel(order, self._later(order.rep, at, rng.uniform(1, 20)), "cancelled")
                return
            orders.start(self._past.desk(operations, at), number)
        if lost:
            self._cancel(order, self._later(order.rep, at, rng.uniform(2, 12)), "cancelled")
            return
        at = self._later(operations, at, self._until_shipped(families, at))
        tracking = f"QH-{rng.randrange(1000, 10000)}-{rng.randrange(1000, 10000)}" if hard else ""
        orders.ship(self._past.desk(operations, at), number, tracking)
        at = self._later(operations, at, rng.uniform(1.5, 6) * WORKDAY if hard else rng.uniform(0.3, 7))
        orders.deliver(self._past.desk(operations, at), number)
        at = self._later(order.rep, at, rng.lognormvariate(0, 0.6) * 7 * WORKDAY)
        orders.close(self._past.desk(order.rep, at), number)

    def _until_shipped(self, families: set[str], at: datetime) -> float:
        """Working hours from the go-ahead to the shipment; hardware is slower in a full fourth quarter."""
        rng = self._rng
        if "Hardware" in families:
            busy = 1.3 if at.month >= 11 else 1
            late = rng.uniform(1.8, 2.8) if rng.random() < 0.11 else 1
            return rng.uniform(3, 9) * WORKDAY * busy * late
        if "Services" in families:
            return rng.uniform(2, 12) * WORKDAY
        return rng.uniform(0.3, 10)

    # ------------------------------------------------------------ what the story tells

    def _as_told(self, order: Order, ask: Ask) -> None:
        """As far as `ends` says."""
        if ask.ends == "draft":
            return
        number, content, rep = order.number, order.content, order.rep
        at = min(ask.at + timedelta(minutes=6), _between(ask.at, self._past.now, 0.2))
        orders.submit(self._past.desk(rep, at), number, content)
        signer = self._past.company.roster.people[rep].manager
        if ask.ends == "signed":
            orders.approve(self._past.desk(signer, self._soon(signer, at, 1.5)), number, step=1, content=content)
        elif ask.ends in ("rejected", "changes"):
            desk = self._past.desk(signer, self._soon(signer, at, 4))
            orders.reject(desk, number, ask.reason, step=1, content=content, back=ask.ends == "changes")
        elif ask.ends == "withdrawn":
            orders.withdraw(self._past.desk(rep, self._soon(rep, at, 0.8)), number)
        elif ask.ends == "cancelled":
            orders.cancel(self._past.desk(rep, self._soon(rep, at, 7)), number, ask.reason)

    # ------------------------------------------------------------ small things

    def _soon(self, person: str, at: datetime, hours: float) -> datetime:
        """So many working hours later, or sooner when that is still to come."""
        later = self._later(person, at, hours)
        return later if later <= self._past.now else _between(at, self._past.now, 0.4)

    def _later(self, person: str, at: datetime, hours: float) -> datetime:
        return self._past.office(person).after(at, hours)

    def _words(self, person: str, kind: str) -> str:
        return str(self._rng.choice(texts(self._past.company.roster.people[person].language)[kind]))

    def _cancel(self, order: Order, at: datetime, kind: str) -> None:
        orders.cancel(self._past.desk(order.rep, at), order.number, self._words(order.rep, kind))


def _between(start: datetime, end: datetime, part: float) -> datetime:
    return (start + (end - start) * part).replace(microsecond=0)


def _dearer(wish: LineWish, off: Decimal, currency: str) -> Decimal | None:
    """The agreed price, raised to at most so many percent below the list; the list knows its own currency only."""
    listed = wish.product.list_price
    if wish.price is None or listed.currency.code != currency:
        return wish.price
    lowest = (listed.amount * (100 - off) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return max(wish.price, lowest)


def _fewer(quantity: Decimal) -> Decimal:
    return max(Decimal(1), (quantity * Decimal("0.8")).quantize(Decimal(1), ROUND_HALF_UP))
