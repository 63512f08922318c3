"""What several dialogs ask the same way: which customer was meant, and which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.messages import Button, Card, Reply
from bot.nlu import Reading
from bot.turn import Turn
from core.customers.model import Customer
from core.errors import NotFound
from core.orders.model import EDITABLE, Order, State

OFFERED = 5


def customer_named(turn: Turn, name: str) -> Customer | None:
    found = turn.book.find(Customer, name=name)
    return found[0] if found else None


def customer_of(turn: Turn, reading: Reading) -> Customer | None:
    """The customer the message names, else the one just spoken of when it names none; None when it must be asked."""
    if "customer" in reading.ambiguous or "customer" in reading.unknown:
        return None
    name = reading.slots.get("customer")
    if name:
        return customer_named(turn, str(name))
    focused = turn.focused("customer")
    return turn.book.get(Customer, int(focused)) if focused else None


def candidates(reading: Reading, slot: str) -> Sequence[str]:
    """Names near what was typed: the two Acmes, or the one that was misspelt."""
    return (reading.ambiguous.get(slot) or reading.near.get(slot) or ())[:OFFERED]


def offer_customers(turn: Turn, reading: Reading, action: str) -> Reply:
    """Which customer? The near ones as buttons, `action:ID`."""
    names = candidates(reading, "customer")
    typed = reading.unknown.get("customer", "")
    if reading.ambiguous.get("customer"):
        text = turn.words("customer.which")
    elif typed and names:
        text = turn.words("customer.unknown_near", name=typed)
    elif typed:
        text = turn.words("customer.unknown", name=typed)
    else:
        text = turn.words("customer.say_which")
    return Reply(Card(text=text, buttons=customer_buttons(turn, names, action)))


def customer_buttons(turn: Turn, names: Sequence[str], action: str) -> tuple[Button, ...]:
    found = {c.name: c.id for c in turn.book.find(Customer, name=list(names))} if names else {}
    return tuple(Button(name, f"{action}:{found[name]}") for name in names if name in found)


def numbers_in(reading: Reading) -> list[int]:
    """The order numbers the message names, in its order. One that no order can have is unknown, never another order."""
    said: Any = reading.slots.get("order_no")
    if said is None:
        return []
    several = [str(number) for number in (said if isinstance(said, list | tuple) else [said])]
    for number in several:
        if not number.isdecimal() or len(number) > 9:
            raise NotFound("order_unknown", number=number[:30])
    return [int(number) for number in several]


def number_in(turn: Turn, reading: Reading) -> int:
    """The order that is meant: the one named, else the one just spoken of. `NotFound` when there is neither."""
    numbers = numbers_in(reading)
    if numbers:
        return numbers[0]
    focused = turn.focused("order")
    if focused is None:
        raise NotFound("order_which")
    return int(focused)


def stand_by(turn: Turn, order: Order) -> None:
    """What is said next may correct, submit or cancel this order, which was just shown to its rep."""
    waits, data = turn.waiting
    mine = order.rep == turn.person.id and order.state in (*EDITABLE, State.PENDING)
    if mine and not data.get("question"):
        turn.wait("place_order", order=order.number)
    elif waits == "place_order" and "order" in data:
        turn.settle()


def number_of(rest: Sequence[str]) -> int:
    """The order a button names."""
    if not rest or not rest[0].isdecimal() or len(rest[0]) > 9:
        raise NotFound("button_unknown")
    return int(rest[0])
