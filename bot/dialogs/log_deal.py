"""Logging a deal with a customer, and moving it along the pipeline."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from bot import cards
from bot.asking import customer_of, number_of, offer_customers
from bot.messages import Button, Card, Reply, Tap
from bot.nlu import Reading
from bot.turn import Said, Turn
from core.customers import service as customers
from core.customers.model import Customer, Opportunity
from core.errors import NotFound
from core.values import Money, money

INTENTS = ("update_deal",)


def handle(turn: Turn, reading: Reading) -> Said:
    told = _told(reading)
    customer = customer_of(turn, reading)
    if customer is None:
        asked = offer_customers(turn, reading, "deal.customer")
        turn.wait("log_deal", told=told, question=asked.card.text, expecting=["customer"])
        return [asked]
    return _go_on(turn, customer, told)


def resume(turn: Turn, reading: Reading, data: dict[str, Any]) -> Said | None:
    if reading.intent == "cancel":
        turn.settle()
        return [turn.reply("deal.dropped")]
    if reading.intent not in ("other", "update_deal", "create_order", "confirm"):
        return None
    told = {**data["told"], **_told(reading)}
    customer = turn.book.get(Customer, int(data["customer"])) if "customer" in data else customer_of(turn, reading)
    if "customer" in data and reading.slots.get("customer"):
        customer = customer_of(turn, reading)
    if customer is None:
        asked = offer_customers(turn, reading, "deal.customer")
        turn.wait("log_deal", told=told, question=asked.card.text, expecting=["customer"])
        return [asked]
    return _go_on(turn, customer, told)


def _told(reading: Reading) -> dict[str, str]:
    slots = reading.slots
    amount = slots.get("amount")
    if amount is None and slots.get("lines"):
        amount = slots["lines"][0].get("unit_price") or slots["lines"][0].get("quantity")
    told = {
        "amount": amount,
        "currency": slots.get("currency"),
        "stage": slots.get("stage"),
        "title": slots.get("product") or _title(reading),
        "reason": slots.get("reason"),
        "expected": slots.get("due_date_iso"),
    }
    return {key: str(value) for key, value in told.items() if value is not None}


def _title(reading: Reading) -> str | None:
    """What the deal is about, when a few words are added at the end: "..., for $30k, renewal"."""
    head, comma, tail = reading.text.replace("，", ",").rpartition(",")
    words = tail.strip(" .。!")
    plain = comma and head and words and len(words) <= 40 and not any(c.isdigit() for c in words)
    taken = [str(reading.slots.get(slot) or "").lower() for slot in ("stage", "reason", "customer", "due_date")]
    return words if plain and words.lower() not in taken and "stage" not in reading.slots else None


def _go_on(turn: Turn, customer: Customer, told: dict[str, str]) -> Said:
    """Moves the customer's open deal when there is one and no new one was described; opens one otherwise."""
    turn.focus(customer=customer.id)
    standing = customers.deals_of(turn.desk, customer)
    if told.get("stage") and standing and ("amount" not in told or len(standing) == 1):
        return _move(turn, standing, told)
    if "amount" not in told:
        question = turn.words("deal.need_amount", customer=customer.name)
        turn.wait("log_deal", told=told, customer=customer.id, question=question, expecting=["amount"])
        return [Reply(Card(text=question))]
    amount = _amount(turn, told)
    expected = date.fromisoformat(told["expected"]) if told.get("expected") else None
    deal = customers.open_deal(
        turn.desk, customer, told.get("title", ""), amount, stage=told.get("stage", "Prospecting"), expected=expected
    )
    turn.settle()
    turn.focus(deal=deal.id)
    return [Reply(cards.deal(turn.desk, turn.words, deal))]


def _move(turn: Turn, standing: list[Opportunity], told: dict[str, str]) -> Said:
    focused = [deal for deal in standing if deal.id == turn.focused("deal")]
    if len(standing) > 1 and not focused:
        turn.settle()
        buttons = tuple(
            Button(f"{deal.title}: {turn.words.show(deal.amount)}"[:75], f"deal.move:{deal.id}:{told['stage']}")
            for deal in standing[:6]
        )
        return [
            Reply(Card(text=turn.words("deal.which", stage=cards.stage(turn.words, told["stage"])), buttons=buttons))
        ]
    deal = (focused or standing)[0]
    expected = date.fromisoformat(told["expected"]) if told.get("expected") else None
    amount = _amount(turn, told) if "amount" in told else None
    moved = customers.change_deal(
        turn.desk, deal.id, stage=told["stage"], amount=amount, expected=expected, reason=told.get("reason", "")
    )
    turn.settle()
    turn.focus(deal=moved.id)
    return [Reply(cards.deal(turn.desk, turn.words, moved))]


def _amount(turn: Turn, told: dict[str, str]) -> Money:
    return money(Decimal(told["amount"]), told.get("currency") or turn.company.currency)


def _tap_move(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    deal = customers.change_deal(turn.desk, number_of(rest), stage=rest[1] if len(rest) > 1 else "")
    turn.focus(deal=deal.id, customer=deal.customer)
    return [Reply(cards.deal(turn.desk, turn.words, deal))]


def _tap_customer(turn: Turn, tap: Tap, rest: list[str]) -> Said:  # noqa: ARG001
    waits, data = turn.waiting
    customer = turn.book.get(Customer, number_of(rest))
    if waits != "log_deal" or customer is None:
        raise NotFound("question_gone")
    return _go_on(turn, customer, dict(data["told"]))


TAPS = {"deal.move": _tap_move, "deal.customer": _tap_customer}
FORMS: dict[str, Any] = {}
