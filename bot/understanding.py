"""The language layer's public door: what `dealdesk understand` reads and writes (docs/understanding.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.config import ConfigError
from bot.nlu import CHAT_ONLY, Entry, Gazetteer, Names
from bot.nlu import understand as read_text
from core.customers.model import Customer
from core.desk import Company
from core.orders.model import Product
from core.store import Records
from core.team import Roster

LONGEST = 20_000


def names_of(customers: Iterable[Customer], products: Iterable[Product], roster: Roster) -> Names:
    """What the language layer recognises: the catalogue's own names and aliases, whatever they are."""
    return Names(
        customers=Gazetteer(Entry(str(c.id), c.name, c.aliases) for c in customers),
        products=Gazetteer((Entry(str(p.id), p.name, p.aliases) for p in products), tails=True),
        people=Gazetteer(Entry(p.id, p.name, p.aliases) for p in roster.people.values()),
    )


def names(records: Records, firm: Company) -> Names:
    return names_of(records.find(Customer), records.find(Product, active=True), firm.roster)


def moment(text: str) -> datetime:
    """The moment a message was said; now when none is given, UTC when it names no zone."""
    if not text:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--now: {text!r} is no moment. Write one like 2026-11-21T09:00:00+00:00.") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def read(text: str, known: Names, now: datetime, language: str = "") -> dict[str, Any]:
    """One message as the contract's JSON object, without its id."""
    reading = read_text(text[:LONGEST], known, now, language=language if language in ("en", "zh") else "")
    return {
        "intent": "other" if reading.intent in CHAT_ONLY else reading.intent,
        "confidence": round(float(reading.confidence), 3),
        "slots": _plain(reading.slots),
        "missing": list(reading.missing),
        "ambiguous": {slot: list(found) for slot, found in {**reading.near, **reading.ambiguous}.items()},
        "asks": reading.asks,
        "reasons": list(reading.reasons),
    }


def answers(lines: Iterable[str], known: Names, now: datetime) -> Iterator[str]:
    """One JSON object a line in, one a line out, as they come."""
    for line in lines:
        if line.strip():
            yield json.dumps(answer(line, known, now), ensure_ascii=False)


def answer(line: str, known: Names, now: datetime) -> dict[str, Any]:
    """One line of JSON in, one object out; a line that cannot be read says so and does not end the stream."""
    try:
        asked = json.loads(line)
        text = asked["text"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        return {"error": 'write one JSON object a line, like {"id": "1", "text": "order 50 Pro seats for Acme"}'}
    found = read(text, known, now, str(asked.get("lang", "")))
    found.pop("reasons")
    return {"id": asked.get("id"), **found}


def told(found: Mapping[str, Any], *, explain: bool) -> list[str]:
    """A reading for people, a fact a line."""
    lines = [f"{found['intent']} ({found['confidence']:.0%} sure)"]
    lines += [f"  {slot}: {json.dumps(value, ensure_ascii=False)}" for slot, value in found["slots"].items()]
    lines += [f"  missing: {', '.join(found['missing'])}"] if found["missing"] else []
    lines += [f"  which {slot}? {', '.join(names)}" for slot, names in found["ambiguous"].items()]
    lines += [f"  because {reason}" for reason in found["reasons"]] if explain else []
    return lines


def _plain(value: Any) -> Any:
    """Decimals as JSON numbers: whole ones without a point."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
