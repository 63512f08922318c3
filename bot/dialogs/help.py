"""What it can do, from the dialogs themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.messages import Card, Field, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn

INTENTS = ("help",)
HERE = Path(__file__).parent


def goals(turn: Turn) -> list[str]:
    """The dialogs beside this one that the words describe, in the words' own order."""
    there = {path.stem for path in HERE.glob("[!_]*.py")}
    return [key for key in turn.words.under("help.") if key in there]


def handle(turn: Turn, reading: Reading) -> Said:  # noqa: ARG001
    return [_all(turn)]


def _all(turn: Turn) -> Reply:
    words = turn.words
    fields = tuple(Field(words(f"help.{name}"), words(f"help.{name}_try"), wide=True) for name in goals(turn))
    return Reply(Card(title=words("help.title", name=turn.person.name), fields=fields, note=words("help.note")))


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:  # noqa: ARG001
    return None


def _about(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    name = rest[0] if rest else ""
    if name not in goals(turn):
        return [_all(turn)]
    words = turn.words
    return [Reply(Card(title=words(f"help.{name}"), text=words(f"help.{name}_try")))]


TAPS = {"help.about": _about}
FORMS: dict[str, Any] = {}
