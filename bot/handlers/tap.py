"""A button: its action names the verb and what it was shown, `order.approve:42:1:ab12cd34`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot import cards
from bot.messages import Reply, Tap
from bot.turn import Dialog, Said, Turn
from core.orders.model import Order


def handle(turn: Turn, tap: Tap, dialogs: Sequence[Dialog]) -> Said:
    verb, *rest = tap.action.split(":")
    for dialog in dialogs:
        if verb in dialog.TAPS:
            return dialog.TAPS[verb](turn, tap, rest)
    return [turn.privately("error.button_unknown")]


def renewed(turn: Turn, tap: Tap) -> list[Reply]:
    """The order's card as it is now, where somebody pressed a button of an older look; the state decides."""
    verb, *rest = tap.action.split(":")
    if not verb.startswith("order.") or not rest or not rest[0].isdecimal() or len(rest[0]) > 9:
        return []
    order = turn.book.get(Order, int(rest[0]))
    name = cards.order_name(int(rest[0]))
    if order is None or not any(address == turn.arrival.address for address, _ in turn.book.places(name)):
        return []
    return [cards.order_reply(turn, order)]


def readable(turn: Turn, facts: dict[str, Any]) -> dict[str, Any]:
    """An error's facts as people read them: names for ids, words for states."""
    shown = dict(facts)
    if "by" in shown:
        shown["by"] = turn.company.roster.named(shown["by"]) or "?"
    if "state" in shown:
        shown["state"] = turn.words(f"state.{shown['state']}")
    if "trigger" in shown:
        shown["trigger"] = turn.words(f"button.{shown['trigger']}")
    return shown
