"""Where an order is, and moving it on: withdraw, cancel, production, shipped, delivered, closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot import cards
from bot.asking import customer_of, number_in, number_of, numbers_in, stand_by
from bot.messages import Ask, Button, Card, Form, Input, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.customers.model import Customer
from core.desk import Desk
from core.errors import NotFound
from core.orders import service as orders
from core.orders.model import Order, State

INTENTS = ("order_status", "ship_order", "close_order", "cancel_order")
COMMANDS = ("my orders", "orders", "status", "我的订单", "订单", "订单状态")
SHOWN = 6
SURE = 0.8


def handle(turn: Turn, reading: Reading) -> Said:
    if reading.text.strip().casefold() in COMMANDS:
        return [_mine(turn)]
    customer = customer_of(turn, reading) if reading.slots.get("customer") else None
    if reading.intent == "order_status" and customer is not None and not numbers_in(reading):
        return [_orders_of(turn, customer)]
    if reading.intent == "order_status" and not numbers_in(reading) and turn.focused("order") is None:
        return [_mine(turn)]
    number = number_in(turn, reading)
    if not (reading.negated or reading.question):
        asked = _move(turn, reading, number)
        if asked is not None:
            return [asked]
    return [_shown(turn, number)]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    """The reason that was asked for before an order that others have seen is cancelled."""
    number = int(data["cancel"])
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("track.kept", number=number)]
    if reading.intent not in ("other", "confirm", "deny") and reading.confidence > SURE:
        return None
    turn.settle()
    orders.cancel(turn.desk, number, reading.text)
    return [_shown(turn, number)]


def _shown(turn: Turn, number: int) -> Reply:
    """The order's card at the bottom of the talk; what is said next may be about it."""
    order = orders.seen(turn.desk, number)
    turn.focus(order=number, customer=order.customer)
    stand_by(turn, order)
    return cards.order_reply(turn, order, fresh=True)


def _move(turn: Turn, reading: Reading, number: int) -> Reply | None:
    """What the words say happened to the order; a question when a reason is still needed."""
    desk, reason = turn.desk, str(reading.slots.get("reason") or "")
    match reading.intent:
        case "ship_order":
            orders.ship(desk, number, str(reading.slots.get("tracking") or ""))
        case "close_order":
            order = orders.seen(desk, number)
            (orders.deliver if order.state is State.SHIPPED else orders.close)(desk, number)
        case "cancel_order" if reading.takes_back:
            orders.withdraw(desk, number)
        case "cancel_order":
            if orders.of_owner(desk, number).submitted and not reason:
                question = turn.words("track.why_cancel", number=number)
                turn.wait("track_order", cancel=number, question=question, expecting=["reason"])
                return Reply(Card(text=question))
            orders.cancel(desk, number, reason)
    return None


def _orders_of(turn: Turn, customer: Customer) -> Reply:
    found = visible(turn, turn.book.find(Order, customer=customer.id, newest=True, limit=40))[:SHOWN]
    turn.focus(customer=customer.id)
    return _list(turn, turn.words("track.of", customer=customer.name), found)


def _mine(turn: Turn) -> Reply:
    found = turn.book.find(Order, rep=turn.person.id, newest=True, limit=SHOWN)
    return _list(turn, turn.words("track.mine"), found)


def _list(turn: Turn, title: str, found: list[Order]) -> Reply:
    if not found:
        return Reply(Card(title=title, text=turn.words("track.none")))
    buttons = tuple(Button(f"#{order.number}", f"order.show:{order.number}") for order in found)
    return Reply(Card(title=title, table=cards.order_lines(turn.desk, turn.words, found), buttons=buttons))


def visible(turn: Turn, found: list[Order]) -> list[Order]:
    return [order for order in found if turn.company.roster.may_see(turn.person, order.rep)]


def _show(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return [_shown(turn, number_of(rest))]


def _by(verb: Callable[[Desk, int], Order]) -> Callable[[Turn, Tap, list[str]], Said]:
    def tapped(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
        verb(turn.desk, number_of(rest))
        turn.focus(order=number_of(rest))
        return []

    return tapped


def _ask_tracking(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    order = orders.seen(turn.desk, number_of(rest))
    words = turn.words
    tracking = Input("tracking", words("order.tracking"), required=False, hint=words("track.tracking_hint"))
    title = words("track.ship_title", number=order.number)
    return [Ask(f"order.ship:{order.number}", title, (tracking,), words("button.ship"))]


def _shipped(turn: Turn, form: Form, rest: list[str]) -> Said:
    orders.ship(turn.desk, number_of(rest), form.values.get("tracking", ""))
    return []


def _ask_cancel(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    """A draft is dropped at once; what others have seen is cancelled with a reason."""
    order = orders.of_owner(turn.desk, number_of(rest))
    if order.submitted is None:
        orders.cancel(turn.desk, order.number)
        return []
    words = turn.words
    reason = Input("reason", words("decide.reason"), kind="long", hint=words("decide.reason_hint"))
    title = words("track.cancel_title", number=order.number)
    return [Ask(f"order.cancel:{order.number}", title, (reason,), words("button.cancel"))]


def _cancelled(turn: Turn, form: Form, rest: list[str]) -> Said:
    if not form.values.get("reason", "").strip():
        raise NotFound("reason_missing", number=number_of(rest))
    orders.cancel(turn.desk, number_of(rest), form.values["reason"])
    return []


TAPS = {
    "order.show": _show,
    "order.withdraw": _by(orders.withdraw),
    "order.start": _by(orders.start),
    "order.ship": _ask_tracking,
    "order.deliver": _by(orders.deliver),
    "order.close": _by(orders.close),
    "order.cancel": _ask_cancel,
}
FORMS = {"order.ship": _shipped, "order.cancel": _cancelled}
