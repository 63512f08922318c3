"""What a message wants: one intent, its slots, and what is still missing or unclear. Deterministic and explainable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.entities import clean
from bot.gazetteer import Entry, Gazetteer
from bot.reading.corrections import correct
from bot.reading.intents import decide
from bot.reading.manner import manner
from bot.reading.sentence import read
from bot.reading.slots import gather

CHAT_ONLY = frozenset({"cancel", "confirm", "deny", "thanks"})  # intents that only mean something in a conversation
INTENTS = (
    "log_lead", "update_deal", "log_activity", "log_need",
    "create_order", "cancel_order", "order_status", "ship_order", "close_order",
    "approve_order", "reject_order", "list_pending",
    "lookup_customer", "recommend",
    "report_sales", "report_pipeline", "forecast", "segment",
    "help", "other",
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """The names of one version of the catalogue. Built once, never changed, safe to share between threads."""

    customers: Gazetteer = field(default_factory=Gazetteer)
    products: Gazetteer = field(default_factory=lambda: Gazetteer(tails=True))
    people: Gazetteer = field(default_factory=Gazetteer)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood. Slots have the names and forms of docs/understanding.md; figures are `Decimal`."""

    text: str
    language: str  # en or zh
    intent: str
    confidence: float
    slots: dict[str, Any]
    missing: tuple[str, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)  # slot -> the nearest known names
    unknown: dict[str, str] = field(default_factory=dict)  # slot -> the unknown words as typed
    negated: bool = False  # "don't approve 42 yet"
    question: bool = False  # "is it approved?"
    correction: bool = False  # "actually 60", "no, Globex"
    takes_back: bool = False  # "withdraw 42": taken back from its approvers, not ended
    removes: tuple[str, ...] = ()  # products to take off the order
    further: bool = False  # a discount on top of the one that was given
    reasons: tuple[str, ...] = ()  # how the reading came about, a short line each

    @property
    def asks(self) -> bool:
        """Something is missing, ambiguous, or to be checked."""
        return bool(self.missing or self.ambiguous or self.near)


def understand(
    text: str, names: Names, now: datetime, *, language: str = "", expecting: Collection[str] = ()
) -> Reading:
    """Read one message. `language` is used when the text itself does not tell; `expecting` are the slots asked for.

    Never raises for any text, never writes, and gives the same reading for the same arguments.
    """
    cleaned = clean(text)
    spoken = "zh" if cleaned.han else ("en" if cleaned.latin else language or "en")
    sentence = read(cleaned, names.customers, names.products, names.people, now)
    correct(sentence)
    verdict = decide(sentence, expecting)
    said = manner(sentence, verdict)
    found = gather(sentence, verdict, names.customers, names.products, expecting)
    return Reading(
        text=text,
        language=spoken,
        intent=verdict.intent,
        confidence=verdict.confidence,
        slots=found.slots,
        missing=tuple(found.missing),
        ambiguous=found.ambiguous,
        near=found.near,
        unknown=found.unknown,
        negated=verdict.negated,
        question=verdict.question,
        correction=verdict.correction or bool(said.removes),
        takes_back=said.takes_back,
        removes=said.removes,
        further=said.further,
        reasons=(*verdict.reasons, *sentence.reasons),
    )


__all__ = ["CHAT_ONLY", "INTENTS", "Entry", "Gazetteer", "Names", "Reading", "understand"]
