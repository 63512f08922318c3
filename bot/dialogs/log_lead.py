"""Logging a lead: somebody who may buy, from one sentence."""

from __future__ import annotations

from typing import Any

from bot import cards
from bot.asking import customer_named
from bot.messages import Ask, Card, Form, Input, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.customers import service as customers

INTENTS = ("log_lead",)


def handle(turn: Turn, reading: Reading) -> Said:
    return _go_on(turn, _told(reading))


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("lead.dropped")]
    told = _told(reading)
    if reading.intent not in ("other", "log_lead"):
        return None
    if not told and not data["told"].get("company"):
        told = {"company": reading.text.strip()}  # the answer to "which company?"
    return _go_on(turn, {**data["told"], **told})


def _told(reading: Reading) -> dict[str, str]:
    """What a lead's record can hold of what was said."""
    slots = reading.slots
    company = slots.get("customer") or reading.unknown.get("customer") or slots.get("company")
    told = {
        "company": company,
        "contact_name": slots.get("contact_name"),
        "email": slots.get("contact_email"),
        "phone": slots.get("contact_phone"),
        "source": slots.get("source"),
        "interest": slots.get("need") or slots.get("product"),
    }
    return {key: str(value) for key, value in told.items() if value}


def _go_on(turn: Turn, told: dict[str, str]) -> Said:
    if not told.get("company") and not told.get("contact_name"):
        question = turn.words("lead.need_company")
        turn.wait("log_lead", told=told, question=question, expecting=["customer"])
        return [Reply(Card(text=question))]
    customer = customer_named(turn, told["company"]) if told.get("company") else None
    company = told.pop("company", "")
    lead = customers.log_lead(turn.desk, company, customer=customer, **told)
    turn.settle()
    return [Reply(cards.lead(turn.desk, turn.words, lead))]


def _open_form(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    words = turn.words
    blanks = (
        Input("company", words("lead.company")),
        Input("contact_name", words("lead.contact"), required=False),
        Input("email", words("lead.email"), required=False),
        Input("phone", words("lead.phone"), required=False),
        Input("interest", words("lead.interest"), kind="long", required=False),
    )
    return [Ask("lead.new", words("help.log_lead"), blanks, words("lead.form_submit"))]


def _form_sent(turn: Turn, form: Form, rest: list[str]) -> Said:  # noqa: ARG001
    known = ("company", "contact_name", "email", "phone", "interest")
    return _go_on(turn, {key: form.values[key].strip() for key in known if form.values.get(key, "").strip()})


TAPS = {"lead.new": _open_form}
FORMS = {"lead.new": _form_sent}
