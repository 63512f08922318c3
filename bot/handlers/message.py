"""A message: the dialog that waits for an answer is asked first, then the one whose goal it is."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Ask, Button, Card, Message, Reply
from bot.nlu import Reading, understand
from bot.turn import Dialog, Said, Turn, name_of

LONGEST = 8000  # characters; more is no sales talk, and nobody reads an answer to it
SURE = 0.5


def handle(turn: Turn, message: Message, dialogs: Sequence[Dialog]) -> Said:
    text = message.text.strip()
    if len(text) > LONGEST:
        return [turn.privately("error.too_long", largest=LONGEST, count=len(text))]
    if not text:
        return [turn.privately("error.empty")]
    commanded = next((dialog for dialog in dialogs if text.casefold() in getattr(dialog, "COMMANDS", ())), None)
    waits, data = turn.waiting
    expecting = tuple(data.get("expecting", ()))
    reading = understand(text, turn.names, turn.now, language=turn.words.language, expecting=expecting)
    if commanded is not None:
        return _ask_again(turn, commanded.handle(turn, reading), waits, data)
    waiting = next((dialog for dialog in dialogs if name_of(dialog) == waits), None)
    if waiting is not None:
        said = waiting.resume(turn, reading, data)
        if said is not None:
            return said
        if reading.intent == "cancel":
            turn.settle()
            return [turn.reply("chat.cancelled")]
    said = _new_goal(turn, reading, dialogs)
    return _ask_again(turn, said, waits, data)


def _new_goal(turn: Turn, reading: Reading, dialogs: Sequence[Dialog]) -> Said:
    dialog = next((dialog for dialog in dialogs if reading.intent in dialog.INTENTS), None)
    if dialog is not None and reading.confidence >= SURE:
        return dialog.handle(turn, reading)
    if reading.intent == "thanks":
        return [turn.reply("chat.welcome")]
    if reading.intent in ("confirm", "deny", "cancel"):
        order = turn.focused("order")
        if reading.intent == "cancel" and order:
            return [turn.reply("chat.cancel_which", number=order)]
        return [turn.reply("chat.nothing_open")]
    return [nearest(turn, dialogs)]


def nearest(turn: Turn, dialogs: Sequence[Dialog]) -> Reply:
    """Not understood: what it can do, as buttons that say it. Never a bare "I did not understand"."""
    there = {name_of(dialog) for dialog in dialogs}
    names = [key for key in turn.words.under("help.") if key in there]
    buttons = tuple(Button(turn.words(f"help.{name}"), f"help.about:{name}") for name in names)
    return Reply(Card(text=turn.words("chat.not_understood"), buttons=buttons))


def _ask_again(turn: Turn, said: Said, waits: str, data: dict[str, object]) -> Said:
    """A question or another goal in the middle of a dialog was answered: the question stands again."""
    question = str(data.get("question", ""))
    if not question or turn.memory.get("open") != {"dialog": waits, "data": data}:
        return said
    if any(isinstance(item, Ask) for item in said):
        return said
    return [*said, turn.reply("chat.still_open", question=question)]
