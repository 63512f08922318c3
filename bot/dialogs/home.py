"""What a person sees on opening their home: what waits for them, their latest orders, what can be begun."""

from __future__ import annotations

from typing import Any

from bot import cards
from bot.messages import Button, Card, Field, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.orders.model import Order

INTENTS: tuple[str, ...] = ()
COMMANDS = ("home", "/home", "主页")
SHOWN = 5


def handle(turn: Turn, reading: Reading) -> Said:  # noqa: ARG001
    return [_home(turn)]


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:  # noqa: ARG001
    return None


def _home(turn: Turn) -> Reply:
    words = turn.words
    waiting = turn.book.waiting_for(turn.person.id)
    mine = turn.book.find(Order, rep=turn.person.id, newest=True, limit=SHOWN)
    key = "decide.pending" if waiting else "decide.nothing"
    shown = [*waiting[:SHOWN], *mine]
    buttons = [Button(f"#{order.number}", f"order.show:{order.number}") for order in waiting[:SHOWN]]
    buttons += [
        Button(words("help.place_order"), "order.new", "primary"),
        Button(words("help.log_lead"), "lead.new"),
        Button(words("help.show_report"), "report.show:weekly_sales"),
    ]
    return Reply(
        Card(
            title=words("home.title", name=turn.person.name),
            fields=(Field(words("home.waiting"), words(key, count=len(waiting)), wide=True),),
            table=cards.order_lines(turn.desk, words, shown) if shown else None,
            buttons=tuple(buttons),
            tone="waiting" if waiting else "plain",
        ),
        name=f"home:{turn.person.id}",
    )


def _show(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    return [_home(turn)]


TAPS = {"home.show": _show}
FORMS: dict[str, Any] = {}
