"""Keeping what a customer needs, and what was done with them: a call, a mail, a meeting, a demo, a task."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot import cards
from bot.asking import customer_of, number_of, offer_customers
from bot.messages import Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.customers import service as customers
from core.customers.model import Customer
from core.errors import NotFound

INTENTS = ("log_need", "log_activity")


def handle(turn: Turn, reading: Reading) -> Said:
    told = _told(reading)
    customer = customer_of(turn, reading)
    if customer is None:
        asked = offer_customers(turn, reading, "note.customer")
        turn.wait("note_customer", told=told, question=asked.card.text, expecting=["customer"])
        return [asked]
    return _keep(turn, customer, told)


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("note.dropped")]
    customer = customer_of(turn, reading) if reading.slots.get("customer") else None
    if customer is None or reading.intent not in ("other", "lookup_customer"):
        return None
    return _keep(turn, customer, data["told"])


def _told(reading: Reading) -> dict[str, str]:
    slots = reading.slots
    told = {
        "what": "need" if reading.intent == "log_need" else str(slots.get("activity_type") or "call"),
        "text": slots.get("need") or slots.get("text") or reading.text,
        "due": slots.get("due_date_iso"),
    }
    return {key: str(value) for key, value in told.items() if value}


def _keep(turn: Turn, customer: Customer, told: dict[str, str]) -> Said:
    turn.settle()
    turn.focus(customer=customer.id)
    if told["what"] == "need":
        return [Reply(cards.need(turn.desk, turn.words, customers.log_need(turn.desk, customer, told["text"])))]
    due = date.fromisoformat(told["due"]) if told.get("due") else None
    activity = customers.log_activity(turn.desk, customer, told["what"], told["text"], due=due)
    return [Reply(cards.activity(turn.desk, turn.words, activity))]


def _pick(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    waits, data = turn.waiting
    customer = turn.book.get(Customer, number_of(rest))
    if waits != "note_customer" or customer is None:
        raise NotFound("question_gone")
    return _keep(turn, customer, data["told"])


TAPS = {"note.customer": _pick}
FORMS: dict[str, Any] = {}
