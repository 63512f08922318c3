"""Linking one's login on another platform: a one-time code, said there, makes it known."""

from __future__ import annotations

from typing import Any

from bot.messages import Card, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core import presence

INTENTS: tuple[str, ...] = ()
COMMANDS = ("link", "/link", "link me", "link my login", "绑定", "绑定账号")


def handle(turn: Turn, reading: Reading) -> Said:  # noqa: ARG001
    return [_code(turn)]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:  # noqa: ARG001
    return None


def _code(turn: Turn) -> Reply:
    """Only for the person's own eyes: whoever says the code is taken for them."""
    code = presence.new_code(turn.desk)
    card = Card(title=turn.words("link.title"), text=turn.words("link.how", code=code), note=turn.words("link.note"))
    return Reply(card, only=turn.arrival.login)


def _tapped(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return [_code(turn)]


TAPS = {"link.new": _tapped}
FORMS: dict[str, Any] = {}
