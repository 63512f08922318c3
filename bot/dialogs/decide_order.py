"""Deciding: approve, reject with a reason or ask for changes, by button and by words; and what waits for me."""

from __future__ import annotations

from typing import Any

from bot import cards
from bot.asking import number_of, numbers_in
from bot.messages import Ask, Button, Card, Form, Input, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.errors import Invalid
from core.orders import service as orders
from core.orders.model import Order

INTENTS = ("approve_order", "reject_order", "list_pending")
SHOWN = 10


def handle(turn: Turn, reading: Reading) -> Said:
    if reading.intent == "list_pending":
        return [_pending(turn)]
    if reading.negated or reading.question:
        # "don't approve 42 yet", "is 42 approved?": nothing is decided; the card says where it stands.
        numbers = numbers_in(reading)
        return (
            [cards.order_reply(turn, orders.seen(turn.desk, numbers[0]), fresh=True)] if numbers else [_pending(turn)]
        )
    numbers = _meant(turn, reading)
    if len(numbers) > SHOWN:
        raise Invalid("too_many_orders", count=len(numbers), largest=SHOWN)
    if not numbers:
        return [_pending(turn)]
    if reading.intent == "reject_order":
        return _reject_in_words(turn, reading, numbers)
    return [_approve(turn, number) for number in numbers]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    """The reason that was asked for: whatever is said next, unless it is another goal."""
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("decide.left_open", number=data["reject"])]
    if reading.intent not in ("other", "deny", "confirm") and reading.confidence > 0.8:
        return None
    return _rejected(turn, int(data["reject"]), reading.text)


def _approve(turn: Turn, number: int) -> Reply:
    order = orders.approve(turn.desk, number)
    turn.focus(order=number)
    return cards.order_reply(turn, turn.book.get(Order, number) or order, fresh=True)


def _reject_in_words(turn: Turn, reading: Reading, numbers: list[int]) -> Said:
    reason = str(reading.slots.get("reason") or "")
    if not reason:
        order = orders.to_decide(turn.desk, numbers[0])
        question = turn.words("decide.why", number=order.number)
        turn.wait("decide_order", reject=order.number, question=question, expecting=["reason"])
        return [Reply(Card(text=question))]
    return [said for number in numbers for said in _rejected(turn, number, reason)]


def _rejected(turn: Turn, number: int, reason: str) -> Said:
    order = orders.reject(turn.desk, number, reason)
    turn.settle()
    turn.focus(order=number)
    return [cards.order_reply(turn, turn.book.get(Order, number) or order, fresh=True)]


def _meant(turn: Turn, reading: Reading) -> list[int]:
    """The orders named; else the one just spoken of, when it waits for this person; else the only one that does."""
    numbers = numbers_in(reading)
    if numbers:
        return list(dict.fromkeys(numbers))
    mine = [order.number for order in turn.book.waiting_for(turn.person.id)]
    focused = turn.focused("order")
    if focused in mine:
        return [int(focused)]
    return mine if len(mine) == 1 else []


def _pending(turn: Turn) -> Reply:
    """What waits for me, the longest waiting first, each with a button that shows its card."""
    found = turn.book.waiting_for(turn.person.id)
    if not found:
        return turn.reply("decide.nothing")
    shown = found[:SHOWN]
    return Reply(
        Card(
            title=turn.words("decide.pending", count=len(found)),
            table=cards.order_lines(turn.desk, turn.words, shown, reps=True),
            buttons=tuple(Button(f"#{order.number}", f"order.show:{order.number}") for order in shown),
            note=turn.words("decide.more", count=len(found) - len(shown)) if len(found) > len(shown) else "",
            tone="waiting",
        )
    )


def _tap_approve(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    orders.approve(turn.desk, number_of(rest), **_shown(rest))
    turn.focus(order=number_of(rest))
    return []


def _tap_reject(turn: Turn, tap: Tap, rest: list[str]) -> Said:
    """Ask for the reason in a form, once it is sure that this person may decide."""
    verb = tap.action.partition(":")[0]
    order = orders.to_decide(turn.desk, number_of(rest), **_shown(rest))
    words = turn.words
    reason = Input("reason", words("decide.reason"), kind="long", hint=words("decide.reason_hint"))
    title = words(f"{verb.replace('order.', 'decide.')}_title", number=order.number)
    return [
        Ask(
            name=":".join([verb, *rest]), title=title, inputs=(reason,), submit=words(verb.replace("order.", "button."))
        )
    ]


def _form_reject(turn: Turn, form: Form, rest: list[str]) -> Said:
    back = form.form.startswith("order.request_changes")
    orders.reject(turn.desk, number_of(rest), form.values.get("reason", ""), back=back, **_shown(rest))
    turn.focus(order=number_of(rest))
    return []


def _shown(rest: list[str]) -> dict[str, Any]:
    """The step and the content that the button was shown with."""
    step = int(rest[1]) if len(rest) > 1 and rest[1].isdecimal() and len(rest[1]) < 4 else 0
    return {"step": step, "content": rest[2] if len(rest) > 2 else ""}


TAPS = {
    "order.approve": _tap_approve,
    "order.reject": _tap_reject,
    "order.request_changes": _tap_reject,
}
FORMS = {"order.reject": _form_reject, "order.request_changes": _form_reject}
