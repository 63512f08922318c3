"""Placing an order: one sentence to a draft and its card; what is missing is asked at once; corrections change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bot import cards
from bot.asking import candidates, customer_buttons, customer_named, number_of
from bot.messages import Ask, Button, Card, Form, Input, Reply, Tap
from bot.nlu import Reading, understand
from bot.turn import Said, Turn
from core.customers import service as customers
from core.customers.model import Customer
from core.errors import Invalid, NotFound
from core.orders import service as orders
from core.orders.model import EDITABLE, Order, Product, State
from core.values import quantity

INTENTS = ("create_order",)
RELEVANT = ("customer", "lines", "discount_percent", "due_date_iso", "currency")


def handle(turn: Turn, reading: Reading) -> Said:
    return _go_on(turn, _merged(turn, {}, reading), reading)


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    if "order" in data:
        return _about_draft(turn, reading, int(data["order"]))
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("place.dropped")]
    fresh = reading.intent == "create_order" and not reading.correction and _whole(reading)
    if fresh or not (_tells(reading) and _answers(reading)):
        return None
    return _go_on(turn, _merged(turn, data["wish"], reading), reading)


def _about_draft(turn: Turn, reading: Reading, number: int) -> Said | None:
    """While the card of a draft (or of an order sent back) stands: yes submits it, cancel ends it, words correct it."""
    order = turn.book.get(Order, number)
    if order is None or order.state not in (*EDITABLE, State.PENDING):
        turn.settle()
        return None
    if order.state is not State.PENDING:
        if reading.intent == "confirm":
            return _submit(turn, number)
        if reading.intent in ("cancel", "deny") and not _tells(reading):
            turn.settle()
            orders.cancel(turn.desk, number)
            return [cards.order_reply(turn, _now(turn, number), fresh=True)]
    if _tells(reading) and (reading.correction or _answers(reading)):
        wish = _merged(turn, _wish_of(turn, order), reading)
        return _go_on(turn, wish, reading, draft=order)
    return None


def _answers(reading: Reading) -> bool:
    """No goal of its own: a bare "60", "Acme", "8% off" belongs to what is being placed."""
    part = reading.intent == "create_order" and not _whole(reading)
    return part or reading.intent in ("other", "deny", "confirm") or reading.correction


def _tells(reading: Reading) -> bool:
    return any(reading.slots.get(slot) for slot in RELEVANT) or bool(reading.unknown)


def _whole(reading: Reading) -> bool:
    return bool(reading.slots.get("customer")) and any(n.get("product") for n in reading.slots.get("lines", []))


# ---------------------------------------------------------------- the wish: what was said so far, as plain JSON


def _merged(turn: Turn, wish: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """The wish with what this message adds or corrects."""
    merged = dict(wish)
    slots = reading.slots
    if slots.get("customer") and not reading.unknown.get("customer"):
        merged["customer"] = str(slots["customer"])
        merged.pop("typed", None)
    elif reading.unknown.get("customer") or reading.ambiguous.get("customer"):
        merged["typed"] = reading.unknown.get("customer", "")
        merged.pop("customer", None)
    elif not merged.get("customer") and not merged.get("typed") and turn.focused("customer"):
        focused = turn.book.get(Customer, int(turn.focused("customer")))
        merged["customer"] = focused.name if focused else None
    merged["lines"] = _merged_lines(wish.get("lines", []), slots.get("lines", []))
    for slot, name in (("discount_percent", "discount"), ("currency", "currency"), ("due_date_iso", "due")):
        if slots.get(slot) is not None:
            merged[name] = str(slots[slot])
    return merged


def _merged_lines(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line that names a product is its own; one that does not corrects or completes the last."""
    lines = [dict(line) for line in old]
    for line in new:
        said = {key: str(value) for key, value in line.items() if value is not None}
        same = [n for n in lines if said.get("product") and n.get("product") == said["product"]]
        unnamed = [n for n in lines if not n.get("product")]
        if same:
            same[-1].update(said)
        elif said.get("product") and unnamed:
            unnamed[0].update(said)
        elif not said.get("product") and lines:
            lines[-1].update(said)
        else:
            lines.append(said)
    return lines


def _wish_of(turn: Turn, order: Order) -> dict[str, Any]:
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
    wish: dict[str, Any] = {"customer": customer.name if customer else None, "lines": lines}
    wish |= {"discount": str(order.discount), "currency": order.currency}
    return wish | ({"due": order.due.isoformat()} if order.due else {})


# ---------------------------------------------------------------- asking, or drafting


def _go_on(turn: Turn, wish: dict[str, Any], reading: Reading, draft: Order | None = None) -> Said:
    """Ask for everything that is missing in one line; when nothing is, make or change the draft and show its card."""
    _check(wish, reading)
    missing, buttons = _missing(turn, wish, reading)
    if missing:
        question = turn.words("place.need", what=missing)
        turn.wait("place_order", wish=wish, question=question, expecting=_expecting(wish))
        return [Reply(Card(text=question, fields=(), buttons=buttons, note=turn.words("place.need_note")))]
    return [_draft(turn, wish, draft)]


def _check(wish: Mapping[str, Any], reading: Reading) -> None:
    """What is wrong with what was said, before anything is asked: two currencies, a total that does not add up."""
    if reading.ambiguous.get("currency"):
        raise Invalid("mixed_currencies", currencies=reading.ambiguous["currency"])
    currencies = {line["currency"] for line in wish["lines"] if line.get("currency")}
    if len(currencies) > 1:
        raise Invalid("mixed_currencies", currencies=sorted(currencies))
    if reading.ambiguous.get("total"):
        raise Invalid("total_mismatch", totals=reading.ambiguous["total"])
    for line in wish["lines"]:
        if line.get("quantity") is not None:
            quantity(line["quantity"])


def _missing(turn: Turn, wish: Mapping[str, Any], reading: Reading) -> tuple[list[str], tuple[Button, ...]]:
    words = turn.words
    missing: list[str] = []
    buttons: tuple[Button, ...] = ()
    if not wish.get("customer"):
        typed = wish.get("typed")
        names = candidates(reading, "customer")
        missing.append(words("place.need_customer_near", name=typed) if typed else words("place.need_customer"))
        buttons += customer_buttons(turn, names, "place.customer")
        if typed:
            buttons += (Button(words("place.new_customer", name=typed), "place.new_customer", "plain"),)
    lines = wish["lines"] or [{}]
    if any(not line.get("product") for line in lines):
        typed = reading.unknown.get("product")
        missing.append(words("place.need_product_near", name=typed) if typed else words("place.need_product"))
        names = candidates(reading, "product") or ([] if wish["lines"] else _some_products(turn))
        found = {p.name: p.id for p in turn.book.find(Product, name=list(names))} if names else {}
        buttons += tuple(Button(name, f"place.product:{found[name]}") for name in names if name in found)
    uncounted = [line["product"] for line in lines if line.get("product") and not line.get("quantity")]
    if uncounted:
        missing.append(words("place.need_quantity", products=uncounted))
    elif any(not line.get("quantity") for line in lines):
        missing.append(words("place.need_any_quantity"))
    return missing, buttons


def _some_products(turn: Turn) -> list[str]:
    return [product.name for product in turn.book.find(Product, active=True, limit=6)]


def _expecting(wish: Mapping[str, Any]) -> list[str]:
    lines = wish["lines"] or [{}]
    expecting = [] if wish.get("customer") else ["customer"]
    expecting += ["product"] if any(not line.get("product") for line in lines) else []
    return expecting + (["quantity"] if any(not line.get("quantity") for line in lines) else [])


def _draft(turn: Turn, wish: Mapping[str, Any], draft: Order | None) -> Reply:
    customer = customer_named(turn, wish["customer"])
    if customer is None:
        raise NotFound("customer_gone", name=wish["customer"])
    names = [line["product"] for line in wish["lines"]]
    products = {p.name: p for p in turn.book.find(Product, name=names, active=True)}
    gone = [name for name in names if name not in products]
    if gone:
        raise NotFound("product_gone", name=gone[0])
    currency = _currency(wish, products)
    wishes = [_line_wish(line, products[line["product"]]) for line in wish["lines"]]
    discount = Decimal(wish.get("discount", "0"))
    due = date.fromisoformat(wish["due"]) if wish.get("due") else None
    if draft is None:
        order = orders.place(turn.desk, customer, wishes, currency=currency, discount=discount, due=due)
    else:
        order = orders.change(
            turn.desk, draft.number, wishes, customer=customer, currency=currency, discount=discount, due=due
        )
    turn.wait("place_order", order=order.number)
    turn.focus(order=order.number, customer=customer.id)
    return cards.order_reply(turn, order, fresh=draft is not None)


def _currency(wish: Mapping[str, Any], products: Mapping[str, Product]) -> str:
    said = [line["currency"] for line in wish["lines"] if line.get("currency")]
    listed = products[wish["lines"][0]["product"]].list_price.currency.code
    return str(said[0] if said else wish.get("currency") or listed)


def _line_wish(line: Mapping[str, Any], product: Product) -> orders.LineWish:
    return orders.LineWish(
        product=product,
        quantity=Decimal(line["quantity"]),
        price=Decimal(line["unit_price"]) if line.get("unit_price") is not None else None,
        discount=Decimal(line.get("discount_percent", "0")),
    )


# ---------------------------------------------------------------- buttons


def _submit(turn: Turn, number: int, content: str = "") -> Said:
    orders.submit(turn.desk, number, content)
    turn.focus(order=number)
    # A tapped card is edited where it stands, with every other copy; said in words, it comes down to the talk.
    return [] if isinstance(turn.arrival, Tap) else [cards.order_reply(turn, _now(turn, number), fresh=True)]


def _now(turn: Turn, number: int) -> Order:
    order = turn.book.get(Order, number)
    if order is None:
        raise NotFound("order_unknown", number=number)
    return order


def _tap_submit(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return _submit(turn, number_of(rest), rest[2] if len(rest) > 2 else "")


def _standing(turn: Turn) -> dict[str, Any]:
    """The wish that is being asked about; a button of a question long answered has none."""
    waits, data = turn.waiting
    if waits != "place_order" or "wish" not in data:
        raise NotFound("question_gone")
    return dict(data["wish"])


def _nothing_new(turn: Turn) -> Reading:
    return understand("", turn.names, turn.now, language=turn.words.language)


def _pick_customer(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish = _standing(turn)
    customer = turn.book.get(Customer, number_of(rest))
    if customer is None:
        raise NotFound("button_unknown")
    wish["customer"] = customer.name
    return _go_on(turn, wish, _nothing_new(turn))


def _new_customer(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish = _standing(turn)
    name = str(wish.get("typed", ""))
    found = customer_named(turn, name)
    wish["customer"] = (found or customers.add_customer(turn.desk, name)).name
    turn.settle()
    return _go_on(turn, wish, _nothing_new(turn))


def _pick_product(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish = _standing(turn)
    product = turn.book.get(Product, number_of(rest))
    if product is None:
        raise NotFound("button_unknown")
    wish["lines"] = _merged_lines(wish["lines"], [{"product": product.name}])
    return _go_on(turn, wish, _nothing_new(turn))


# ---------------------------------------------------------------- the form, where a platform has forms


def _open_form(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    words = turn.words
    products = tuple((p.name, p.name) for p in turn.book.find(Product, active=True, limit=100))
    blanks = (
        Input("customer", words("order.customer")),
        Input("product", words("order.product"), kind="choice", options=products),
        Input("quantity", words("order.quantity"), kind="number"),
        Input("price", words("order.price"), required=False, hint=words("place.price_hint")),
        Input("discount", words("order.discount"), kind="number", required=False, hint=words("place.discount_hint")),
    )
    return [Ask("order.new", words("help.place_order"), blanks, words("place.form_submit"))]


def _form_sent(turn: Turn, form: Form, rest: list[str]) -> Said:  # noqa: ARG001
    """The form's words are read as if they had been said, so that prices and near names work there too."""
    blank = {name: value.strip() for name, value in form.values.items()}
    customer = understand(blank.get("customer", ""), turn.names, turn.now, expecting=("customer",))
    wish = _merged(turn, {}, customer)
    wish["lines"] = [{"product": blank.get("product", ""), "quantity": _number(blank.get("quantity", ""))}]
    if blank.get("price"):
        price = understand(f"1 at {blank['price']}", turn.names, turn.now)
        said = next((line for line in price.slots.get("lines", []) if line.get("unit_price") is not None), None)
        if said is None:
            raise Invalid("not_a_number", value=blank["price"])
        wish["lines"][0] |= {key: str(said[key]) for key in ("unit_price", "currency") if said.get(key) is not None}
    if blank.get("discount"):
        wish["discount"] = _number(blank["discount"].rstrip("%"))
    return _go_on(turn, wish, customer)


def _number(value: str) -> str:
    try:
        return str(Decimal(value.replace(",", "")))
    except InvalidOperation:
        raise Invalid("not_a_number", value=value) from None


TAPS = {
    "order.submit": _tap_submit,
    "place.customer": _pick_customer,
    "place.new_customer": _new_customer,
    "place.product": _pick_product,
    "order.new": _open_form,
}
FORMS = {"order.new": _form_sent}
