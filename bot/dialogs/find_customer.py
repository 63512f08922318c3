"""Who is Acme? A customer's card: contacts, owner, open deals, needs, last orders."""

from __future__ import annotations

from typing import Any

from bot import cards
from bot.asking import customer_of, number_of, offer_customers
from bot.messages import Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.customers import service as customers
from core.customers.model import Customer
from core.orders.model import Order

INTENTS = ("lookup_customer",)
LAST_ORDERS = 4


def handle(turn: Turn, reading: Reading) -> Said:
    customer = customer_of(turn, reading)
    if customer is None:
        return [offer_customers(turn, reading, "customer.show")]
    return [_card(turn, customer)]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:  # noqa: ARG001
    return None


def _card(turn: Turn, customer: Customer) -> Reply:
    overview = customers.look_up(turn.desk, customer.id)
    turn.focus(customer=customer.id)
    last = turn.book.find(Order, customer=customer.id, newest=True, limit=LAST_ORDERS) if overview.whole else []
    last = [order for order in last if turn.company.roster.may_see(turn.person, order.rep)]
    return Reply(cards.overview(turn.desk, turn.words, overview, last))


def _show(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return [_card(turn, customers.look_up(turn.desk, number_of(rest)).customer)]


TAPS = {"customer.show": _show}
FORMS: dict[str, Any] = {}
