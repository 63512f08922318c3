"""Placing an order: one sentence to a draft and its card; what is missing is asked at once; corrections change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bot import cards, wishes
from bot.asking import candidates, customer_buttons, customer_named, number_of, numbers_in
from bot.messages import Ask, Button, Card, Form, Input, Reply, Tap
from bot.nlu import Reading, understand
from bot.turn import Said, Turn
from core.customers import service as customers
from core.customers.model import Customer
from core.errors import Invalid, NotFound
from core.orders import service as orders
from core.orders.model import EDITABLE, Order, Product, State
from core.values import quantity

INTENTS = ("create_order", "confirm")


def handle(turn: Turn, reading: Reading) -> Said:
    if reading.intent == "confirm":
        return _confirmed(turn, reading)
    return _go_on(turn, wishes.merged(turn, {}, reading), reading)


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    if reading.intent == "confirm" and numbers_in(reading):
        return _confirmed(turn, reading)
    if "order" in data:
        return _about_draft(turn, reading, int(data["order"]))
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("place.dropped")]
    if wishes.whole(reading) or not (wishes.tells(reading) and wishes.answers(reading)):
        return None
    return _go_on(turn, wishes.merged(turn, data["wish"], reading), reading, _draft_of(turn, data))


def _confirmed(turn: Turn, reading: Reading) -> Said:
    """An order named to be submitted, or a bare yes while nothing asks: then the order just spoken of."""
    numbers = numbers_in(reading)
    focused = turn.focused("order")
    if numbers:
        return _submit(turn, numbers[0])
    if focused and _now(turn, int(focused)).state in EDITABLE:
        return _submit(turn, int(focused))
    return [turn.reply("chat.nothing_open")]


def _about_draft(turn: Turn, reading: Reading, number: int) -> Said | None:
    """While the card of a draft (or of an order sent back) stands: yes submits it, cancel ends it, words correct it."""
    order = turn.book.get(Order, number)
    if order is None or order.state not in (*EDITABLE, State.PENDING):
        turn.settle()
        return None
    if wishes.tells(reading):
        return _corrected(turn, reading, order)
    if reading.takes_back and not numbers_in(reading):
        orders.withdraw(turn.desk, number)
        return [cards.order_reply(turn, _now(turn, number), fresh=True)]
    said: Said | None = None
    if order.state is not State.PENDING:
        match reading.intent:
            case "confirm":
                said = _submit(turn, number)
            case "cancel":
                said = _cancelled(turn, order)
            case "deny":
                said = [turn.reply("place.unchanged", number=number)]
    return said


def _corrected(turn: Turn, reading: Reading, order: Order) -> Said | None:
    """What was said is for this order: another quantity, price, customer or discount, a line more or less."""
    if wishes.whole(reading) or not wishes.answers(reading):
        return None
    before = wishes.of_order(turn, order)
    wish = wishes.merged(turn, before, reading)
    if not wish["lines"]:
        return [turn.reply("place.no_more_lines")]
    if wish == before or reading.question or reading.negated:  # "don't make it 60", "what if I gave 30 %?"
        return [turn.reply("place.unchanged", number=order.number)]
    return _go_on(turn, wish, reading, order)


def _cancelled(turn: Turn, order: Order) -> Said:
    """A draft that nobody else has seen is dropped at once; another waits for a reason on its button or in words."""
    if order.submitted is not None:
        return [turn.reply("chat.cancel_which", number=order.number)]
    turn.settle()
    orders.cancel(turn.desk, order.number)
    return [cards.order_reply(turn, _now(turn, order.number), fresh=True)]


# ---------------------------------------------------------------- asking, or drafting


def _go_on(turn: Turn, wish: dict[str, Any], reading: Reading, draft: Order | None = None) -> Said:
    """Ask for everything that is missing in one line; when nothing is, make or change the draft and show its card."""
    _check(wish, reading)
    missing, buttons = _missing(turn, wish, reading)
    if missing:
        customer = wish.get("customer")
        key = "place.need_for" if customer else "place.need"
        question = turn.words(key, what=missing, customer=customer)
        more = {"draft": draft.number} if draft else {}
        turn.wait("place_order", wish=wish, question=question, expecting=_expecting(wish), **more)
        return [Reply(Card(text=question, fields=(), buttons=buttons, note=turn.words("place.need_note")))]
    return [_draft(turn, wish, draft)]


def _check(wish: Mapping[str, Any], reading: Reading) -> None:
    """What is wrong with what was said, before anything is asked: two currencies, a total that does not add up."""
    if reading.ambiguous.get("currency"):
        raise Invalid("mixed_currencies", currencies=reading.ambiguous["currency"])
    currencies = {line["currency"] for line in wish["lines"] if line.get("currency")}
    if len(currencies) > 1:
        raise Invalid("mixed_currencies", currencies=sorted(currencies))
    if reading.ambiguous.get("discount_percent"):
        raise Invalid("discount_unclear", said=reading.ambiguous["discount_percent"])
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
        names = candidates(reading, "product") or wish.get("offered") or _some_products(turn)
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
    wanted = [_line_wish(line, products[line["product"]]) for line in wish["lines"]]
    discount = Decimal(wish.get("discount", "0"))
    due = date.fromisoformat(wish["due"]) if wish.get("due") else None
    if draft is None:
        order = orders.place(turn.desk, customer, wanted, currency=currency, discount=discount, due=due)
    else:
        order = orders.change(
            turn.desk, draft.number, wanted, customer=customer, currency=currency, discount=discount, due=due
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


def _standing(turn: Turn) -> tuple[dict[str, Any], Order | None]:
    """The wish that is being asked about, and the draft it changes; a button of a question long answered has none."""
    waits, data = turn.waiting
    if waits != "place_order" or "wish" not in data:
        raise NotFound("question_gone")
    return dict(data["wish"]), _draft_of(turn, data)


def _draft_of(turn: Turn, data: Mapping[str, Any]) -> Order | None:
    draft = turn.book.get(Order, int(data["draft"])) if "draft" in data else None
    return draft if draft and draft.state in EDITABLE else None


def _nothing_new(turn: Turn) -> Reading:
    return understand("", turn.names, turn.now, language=turn.words.language)


def _pick_customer(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish, draft = _standing(turn)
    customer = turn.book.get(Customer, number_of(rest))
    if customer is None:
        raise NotFound("button_unknown")
    wish["customer"] = customer.name
    return _go_on(turn, wish, _nothing_new(turn), draft)


def _new_customer(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish, draft = _standing(turn)
    name = str(wish.get("typed", ""))
    found = customer_named(turn, name)
    wish["customer"] = (found or customers.add_customer(turn.desk, name)).name
    turn.settle()
    return _go_on(turn, wish, _nothing_new(turn), draft)


def _pick_product(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    wish, draft = _standing(turn)
    product = turn.book.get(Product, number_of(rest))
    if product is None:
        raise NotFound("button_unknown")
    wish["lines"] = wishes.lines_with(wish["lines"], [{"product": product.name}])
    wish.pop("offered", None)
    return _go_on(turn, wish, _nothing_new(turn), draft)


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
    wish = wishes.merged(turn, {"typed": blank.get("customer", "")}, customer)
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
