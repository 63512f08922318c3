"""A small company with its records in a real database, and its people at work, one turn at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, TypeVar

from core.customers.model import Customer
from core.desk import Company, Desk
from core.events import Event
from core.orders import service as orders
from core.orders.model import ApprovalStep, Order, OrderLine, Product, State, StepState
from core.team import Person, Role, Roster
from core.values import Money
from storage.store import Database
from storage.unit import Unit
from tests import talk

P = ParamSpec("P")
T = TypeVar("T")
SEAT = 1  # the product that costs 25 USD
ACME = 1  # a customer of tom's


def company(**changed: Any) -> Company:
    """The company of the transcripts, and an administrator and somebody who left."""
    more = [
        Person(id="ada", name="Ada Admin", role=Role.ADMIN),
        Person(id="gone", name="Gus Gone", role=Role.MANAGER, active=False),
    ]
    return replace(talk.company(), roster=Roster.of([*talk.people(), *more]), **changed)


@dataclass
class House:
    """Verbs, each in a turn of its own. `does` keeps what happened; `tries` forgets it."""

    database: Database
    company: Company = field(default_factory=company)
    now: datetime = talk.NOW

    def does(self, person: str, verb: Callable[Concatenate[Desk, P], T], *args: P.args, **facts: P.kwargs) -> T:
        with self.turn(person) as (desk, unit):
            result = verb(desk, *args, **facts)
            unit.commit()
        return result

    @contextmanager
    def turn(self, person: str) -> Iterator[tuple[Desk, Unit]]:
        with self.database.turn() as unit:
            yield Desk(unit, self.company, self.company.roster.people[person], self.now), unit

    def later(self, **gone: float) -> None:
        self.now += timedelta(**gone)

    def order(self, number: int) -> Order:
        with self.database.turn() as unit:
            found = unit.get(Order, number)
        assert found is not None
        return found

    def customer(self, number: int = ACME) -> Customer:
        with self.database.turn() as unit:
            found = unit.get(Customer, number)
        assert found is not None
        return found

    def product(self, number: int = SEAT) -> Product:
        with self.database.turn() as unit:
            found = unit.get(Product, number)
        assert found is not None
        return found

    def history(self, number: int) -> list[Event]:
        with self.database.turn() as unit:
            return unit.history(f"order:{number}")

    def waiting(self, person: str) -> list[int]:
        with self.database.turn() as unit:
            return [order.number for order in unit.waiting_for(person)]

    def wish(self, count: str = "10", price: str | None = None, *, discount: str = "0") -> orders.LineWish:
        asked = None if price is None else Decimal(price)
        return orders.LineWish(product=self.product(), quantity=Decimal(count), price=asked, discount=Decimal(discount))

    def places(self, person: str = "tom", count: str = "10", price: str | None = None, *, discount: str = "0") -> Order:
        """A draft of seats for Acme."""
        wishes = [self.wish(count, price)]
        return self.does(person, orders.place, self.customer(), wishes, currency="USD", discount=Decimal(discount))

    def stands(self, state: State, *, approvers: tuple[str, ...] = ("raj",), rep: str = "tom", **facts: Any) -> Order:
        """An order put straight into a state, as if it had come there."""
        step = ApprovalStep(position=1, approvers=approvers)
        if state is not State.PENDING:
            outcome = {State.REJECTED: StepState.REJECTED, State.CHANGES: StepState.CHANGES}
            step = replace(step, state=outcome.get(state, StepState.APPROVED), by=approvers[0], at=self.now)
        line = OrderLine(product=SEAT, name="Pro seat", quantity=Decimal(10), price=Decimal(20), list_price=Decimal(25))
        with self.database.turn() as unit:
            order = Order(
                number=unit.next_id(Order),
                customer=ACME,
                rep=rep,
                currency="USD",
                lines=(line,),
                total=Money(200, "USD"),
                state=state,
                steps=() if state in (State.DRAFT, State.WITHDRAWN) else (step,),
                created=self.now,
                moved=self.now,
                submitted=None if state is State.DRAFT else self.now,
            )
            order = replace(order, **facts)
            unit.add(order)
            unit.commit()
        return order
