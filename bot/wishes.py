"""An order as it was said so far: plain JSON that memory keeps, and what another message adds to it or corrects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.nlu import Reading
from bot.turn import Turn
from core.customers.model import Customer
from core.orders.model import Order

Wish = dict[str, Any]
RELEVANT = ("customer", "lines", "discount_percent", "due_date_iso", "currency")


def tells(reading: Reading) -> bool:
    """The message says something that an order is made of."""
    said = any(reading.slots.get(slot) for slot in RELEVANT)
    return said or bool(reading.unknown or reading.ambiguous or reading.removes)


def answers(reading: Reading) -> bool:
    """No goal of its own: a bare "60", "Acme", "8% off" belongs to what is being placed."""
    part = reading.intent == "create_order" and not whole(reading)
    return part or reading.intent in ("other", "deny", "confirm") or reading.correction


def whole(reading: Reading) -> bool:
    """An order of its own: for whom and what, though the one or the other may have to be asked about."""
    party = any(
        reading.slots.get("customer") or where.get("customer") for where in (reading.ambiguous, reading.unknown)
    )
    goods = reading.slots.get("lines") or reading.unknown.get("product")
    return party and bool(goods) and not reading.correction


def merged(turn: Turn, wish: Mapping[str, Any], reading: Reading) -> Wish:
    """The wish with what this message adds or corrects. The customer last spoken of serves when none is named."""
    new = dict(wish)
    slots = reading.slots
    if reading.unknown.get("customer") or reading.ambiguous.get("customer"):
        new["typed"] = reading.unknown.get("customer", "")
        new.pop("customer", None)
    elif slots.get("customer"):
        new["customer"] = str(slots["customer"])
        new.pop("typed", None)
    elif "customer" not in new and "typed" not in new and turn.focused("customer"):
        focused = turn.book.get(Customer, int(turn.focused("customer")))
        new["customer"] = focused.name if focused else None
    lines = [line for line in wish.get("lines", []) if line.get("product") not in reading.removes]
    new["lines"] = lines_with(lines, slots.get("lines", []), reading)
    offered = reading.ambiguous.get("product") or reading.near.get("product")
    if offered:
        new["offered"] = list(offered)
    if slots.get("discount_percent") is not None:
        new["discount"] = _discount(wish.get("discount"), Decimal(str(slots["discount_percent"])), reading)
    for slot, name in (("currency", "currency"), ("due_date_iso", "due")):
        if slots.get(slot) is not None:
            new[name] = str(slots[slot])
    return new


def lines_with(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], reading: Reading | None = None
) -> list[dict[str, Any]]:
    """A line that names a product is its own; one that does not corrects or completes the last.

    Words for a product that nobody knows are a line to ask about, never a correction of another. A name that could be
    several products means the one of them that the order has.
    """
    lines = [dict(line) for line in old]
    strange = bool(reading and reading.unknown.get("product"))
    could_be = reading.ambiguous.get("product", ()) if reading else ()
    for line in new:
        said = {key: str(value) for key, value in line.items() if value is not None}
        product = said.get("product")
        meant = [n for n in lines if n.get("product") in ((product,) if product else could_be)]
        unnamed = [n for n in lines if not n.get("product")]
        if len(meant) == 1 or (product and meant):
            meant[-1].update({key: value for key, value in said.items() if key != "product"})
        elif product and unnamed:
            unnamed[0].update(said)
        elif not product and lines and not strange and not could_be:
            lines[-1].update(said)
        else:
            lines.append(said)
    return lines


def of_order(turn: Turn, order: Order) -> Wish:
    """A draft as a wish, to correct it in words."""
    customer = turn.book.get(Customer, order.customer)
    lines = [
        {
            "product": n.name,
            "quantity": str(n.quantity),
            "unit_price": str(n.price),
            "discount_percent": str(n.discount),
        }
        for n in order.lines
    ]
    wish: Wish = {"customer": customer.name if customer else None, "lines": lines}
    wish |= {"discount": str(order.discount), "currency": order.currency}
    return wish | ({"due": order.due.isoformat()} if order.due else {})


def _discount(before: str | None, off: Decimal, reading: Reading) -> str:
    """The discount that was said; one that comes on top takes its part of what the first left."""
    if not reading.further or not before:
        return str(off)
    left = (Decimal(100) - Decimal(before)) * (Decimal(100) - off) / Decimal(100)
    return str((Decimal(100) - left).quantize(Decimal("0.01")).normalize() + 0)
