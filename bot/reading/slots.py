"""From things to slots: what each thing in the sentence means for the intent that was found."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from bot.entities import When
from bot.gazetteer import Gazetteer
from bot.reading import asides, told
from bot.reading.intents import Verdict
from bot.reading.lines import discounts, order_lines, unit_prices
from bot.reading.newcomers import BY_NUMBER, Gathered, new_names, strange_products
from bot.reading.sentence import Sentence, Thing
from bot.reading.strangers import forget_go_betweens

_REPORTS = frozenset(
    {"report_sales", "report_pipeline", "forecast", "segment", "recommend", "list_pending", "lookup_customer"}
)
_FIGURED = frozenset({"report_sales", "report_pipeline", "forecast", "segment"})
_ANSWERS = frozenset({"other", "confirm", "deny"})
_LARGE = frozenset({"update_deal", "log_lead"})
_ASKED = {
    "create_order": ("customer", "product", "quantity"),
    "log_lead": ("customer",),
    "update_deal": ("customer",),
    "log_activity": ("customer", "activity_type"),
    "log_need": ("customer",),
    "lookup_customer": ("customer",),
} | dict.fromkeys(BY_NUMBER, ("order_no",))
_INSTEAD = {"order_no": "customer", "customer": "contact_name"}  # what also tells which or who is meant


def gather(
    sentence: Sentence,
    verdict: Verdict,
    customers: Gazetteer,
    products: Gazetteer,
    expecting: Collection[str] = (),
) -> Gathered:
    """Fill the slots of this intent; a message that is only an answer fills what was asked for."""
    found = Gathered()
    forget_go_betweens(sentence)
    strange_products(sentence, verdict, products, found)
    _customer(sentence, found)
    new_names(sentence, verdict, customers, found)
    _addresses(sentence, found)
    _dates(sentence, verdict, found)
    _order_numbers(sentence, verdict, found, expecting)
    _money(sentence, verdict, found, expecting)
    _products(sentence, verdict, found, expecting)
    if verdict.intent in _REPORTS:
        _report(sentence, verdict, found)
    else:
        _words(sentence, verdict, found)
    found.missing = [slot for slot in _ASKED.get(verdict.intent, ()) if not _settled(found, slot)]
    return found


def _settled(found: Gathered, slot: str) -> bool:
    if slot in ("product", "quantity"):
        lines = found.slots.get("lines", ())
        if slot == "product" and "product" in found.ambiguous:
            return True
        return bool(lines) and all(line.get(slot) is not None for line in lines)
    other = _INSTEAD.get(slot, slot)
    return any(name in held for name in (slot, other) for held in (found.slots, found.ambiguous))


# ---------------------------------------------------------------- who


def _customer(sentence: Sentence, found: Gathered) -> None:
    things = sentence.of("customer")
    names: dict[str, None] = {}
    for thing in things:
        if len(thing.value) == 1:
            names.setdefault(thing.value[0].name)
    if len(names) == 1:
        found.slots["customer"] = next(iter(names))
    elif names:
        found.ambiguous["customer"] = tuple(names)
    elif things:
        found.ambiguous["customer"] = tuple(entry.name for entry in things[0].value)


def _addresses(sentence: Sentence, found: Gathered) -> None:
    for kind, slot in (("email", "contact_email"), ("phone", "contact_phone"), ("tracking", "tracking")):
        things = sentence.of(kind)
        if things:
            found.slots[slot] = things[0].value


# ---------------------------------------------------------------- when


def _dates(sentence: Sentence, verdict: Verdict, found: Gathered) -> None:
    things = sentence.of("date")
    if verdict.intent in _REPORTS:
        _period(sentence, verdict, found)
    elif things:
        day: When = next((t.value for t in things if t.value.day), things[0].value)
        if verdict.intent == "other" and day.token:
            found.slots["period"] = day.token  # as an answer it may be either
        if not day.every:
            found.slots["due_date"] = day.words
            found.slots["due_date_iso"] = day.day.isoformat() if day.day else None
            if day.others:
                found.ambiguous["due_date"] = tuple(other.isoformat() for other in day.others)


def _period(sentence: Sentence, verdict: Verdict, found: Gathered) -> None:
    things = sentence.of("date")
    value, said = asides.compare(sentence)
    if value:
        found.slots["compare"] = value
    whens = [t for t in things if t not in said] or things
    when = asides.period_of(whens)
    if when is None:
        return
    if verdict.intent == "forecast":
        when = when.ahead_of(sentence.now.date())
    rhythm = next((t.value.token for t in whens if t.value.every), "")
    if rhythm.endswith(("_week", "_month")) and not when.every:
        found.slots["dimension"] = rhythm.removeprefix("this_")  # "monthly sales this year"
    found.slots["period"] = when.token
    if when.first and when.last:
        found.slots["period_range"] = [when.first.isoformat(), when.last.isoformat()]


# ---------------------------------------------------------------- which order, how much


def _order_numbers(sentence: Sentence, verdict: Verdict, found: Gathered, expecting: Collection[str]) -> None:
    loose = verdict.intent in BY_NUMBER or "order_no" in expecting
    loose = loose or (verdict.intent == "other" and verdict.runner_up in BY_NUMBER)
    odd: list[Thing] = []  # no order can have this number, but it was said
    limit = _next_command(sentence, verdict)
    numbers = []
    for thing in sentence.of("number"):
        if "order" in thing.roles and _counts(sentence, thing):
            thing.roles.discard("order")
        whole = thing.value.value == int(thing.value.value) and 0 < thing.value.value < 10**12
        free = not thing.roles & {"ignore", "limit", "total"} and not thing.value.unit
        if thing.start >= limit:
            continue  # "approve 42 and reject 43": only the first is done
        if verdict.intent == "confirm" and verdict.start <= thing.start < verdict.end:
            thing.roles.add("order")  # "submit 42"
        if not whole and free and loose and not _counts(sentence, thing):
            odd.append(thing)
        if whole and ("order" in thing.roles or (loose and free and not _counts(sentence, thing))):
            numbers.append(thing)
            thing.roles.add("order")
    digits = list(dict.fromkeys(str(int(t.value.value)) for t in numbers))
    if not digits and odd and verdict.intent in BY_NUMBER:
        odd[0].roles.add("order")
        found.slots["order_no"] = sentence.text.typed[odd[0].start : odd[0].end].strip("# ")
    if digits:
        found.slots["order_no"] = digits[0] if len(digits) == 1 else digits


def _next_command(sentence: Sentence, verdict: Verdict) -> int:
    """Where another command about orders begins: its numbers are not this one's."""
    begins = [
        hit.start
        for intent in BY_NUMBER - {verdict.intent, "order_status"}
        for hit in sentence.hits.get(intent, ())
        if hit.cue.weight >= 0.9 and hit.start >= verdict.end > 0
    ]
    return min(begins, default=len(sentence.text.low) + 1)


def _counts(sentence: Sentence, thing: Thing) -> bool:
    """ "order 50 Pro seats": the figure counts a product."""
    if thing.value.unit:
        return True
    gap = sentence.marked[thing.end : thing.end + 12]
    return any(
        0 <= p.start - thing.end <= 12
        and not re.search(r"\b(?:for|to|with|from)\b|[,.;，。]", gap[: p.start - thing.end])
        for p in sentence.of("product", "stranger")
    )


def _large(sentence: Sentence, thing: Thing) -> bool:
    """ "we won Initech, 45k": a large bare figure of a deal is its worth."""
    return thing.kind == "number" and thing.value.value.copy_abs() >= 1000 and not _counts(sentence, thing)


def _money(sentence: Sentence, verdict: Verdict, found: Gathered, expecting: Collection[str]) -> None:
    currencies = list(dict.fromkeys(t.value.currency for t in sentence.of("money") if t.value.currency))
    if len(currencies) == 1:
        found.slots["currency"] = currencies[0]
    elif currencies:
        found.ambiguous["currency"] = tuple(currencies)
    ordering = verdict.intent in ("create_order", "other") or verdict.intent in ("confirm", "deny")
    priced = unit_prices(sentence) if ordering else []
    bound = {"over", "under", "total"} if ordering else {"over", "under", "total", "amount"}
    amounts = [
        t
        for t in sentence.of("money", "number")
        if t not in priced
        and "order" not in t.roles
        and "ignore" not in t.roles
        and not (t.kind == "number" and t.value.unit)
        if t.kind == "money"
        or t.roles & bound
        or (verdict.intent in _LARGE and _large(sentence, t))
        or ("amount" in expecting and not _counts(sentence, t))
    ]
    amounts.sort(key=lambda t: ("total" not in t.roles, t.kind != "money"))
    if amounts:
        best = amounts[0]
        found.slots["amount"] = best.value.value
        best.roles.add("total")
        if best.value.other is not None:
            found.ambiguous["amount"] = (str(best.value.value), str(best.value.other))
        if best.roles & {"over", "under"}:
            found.slots["amount_op"] = ">" if "over" in best.roles else "<"


# ---------------------------------------------------------------- what


def _products(sentence: Sentence, verdict: Verdict, found: Gathered, expecting: Collection[str]) -> None:
    things = sentence.of("product")
    several = next((t for t in things if len(t.value) > 1), None)
    if several is not None:
        found.ambiguous["product"] = tuple(entry.name for entry in several.value)
    elif things and verdict.intent != "create_order":
        found.slots["product"] = things[0].value[0].name
    if verdict.intent not in _FIGURED | BY_NUMBER:
        _lines(sentence, verdict, found, expecting)


def _lines(sentence: Sentence, verdict: Verdict, found: Gathered, expecting: Collection[str]) -> None:
    ordering, answers = verdict.intent == "create_order", verdict.intent in _ANSWERS
    if not ordering and not answers:
        for thing in discounts(sentence):
            if "discount" not in thing.roles:
                thing.roles.add("not_discount")  # "the deal is at 40%"
    lines, discounted = order_lines(sentence)
    named = bool(sentence.of("product"))
    whole = discounted[0] if len(discounted) == 1 else None
    if whole is not None:
        found.slots["discount_percent"] = whole
    elif discounted:
        found.ambiguous["discount_percent"] = tuple(f"{percent:f}%" for percent in discounted)
    for odd in sentence.of("tenths"):
        found.ambiguous["discount_percent"] = (odd.value,)
    if ordering or (answers and ("order_no" not in found.slots or named)):
        lines = _answered(found, lines, expecting) if answers and not named else lines
        if lines:
            found.slots["lines"] = lines
        _check_total(found, lines, whole)
    elif any("quantity" in line and "product" in line for line in lines):
        found.slots["lines"] = lines


def _answered(found: Gathered, lines: list[dict[str, Any]], expecting: Collection[str]) -> list[dict[str, Any]]:
    """A bare figure is what was asked for: a price, a discount, an amount; else a quantity."""
    if not lines or set(lines[0]) != {"quantity"}:
        return lines
    figure = lines[0]["quantity"]
    if "quantity" in expecting:
        return lines
    if "unit_price" in expecting:
        return [{"unit_price": figure}]
    if "discount_percent" in expecting:
        found.slots.setdefault("discount_percent", figure)
        return []
    return [] if "amount" in expecting and "amount" in found.slots else lines


def _check_total(found: Gathered, lines: list[dict[str, Any]], whole: Decimal | None) -> None:
    """A total said beside counts and prices is a check: a mismatch is asked about."""
    stated = found.slots.get("amount")
    if stated is None or not lines or not all("quantity" in line and "unit_price" in line for line in lines):
        return
    gross = Decimal(0)
    for line in lines:
        gross += line["quantity"] * line["unit_price"] * _kept(line.get("discount_percent"))
    net = gross * _kept(whole)
    if all(abs(stated - right) > Decimal("0.01") for right in (gross, net)):
        found.ambiguous["total"] = (format(stated, "f"), format(net.normalize(), "f"))


def _kept(percent: Decimal | None) -> Decimal:
    return 1 - (percent or Decimal(0)) / 100


# ---------------------------------------------------------------- reports, and the words of the rest


def _report(sentence: Sentence, verdict: Verdict, found: Gathered) -> None:
    slots = found.slots
    for thing in sentence.of("number"):
        if "limit" in thing.roles:
            slots["limit"] = int(thing.value.value)
        elif verdict.intent == "segment" and ("k" in thing.roles or not thing.roles):
            slots.setdefault("k", int(thing.value.value))
    if verdict.intent not in _FIGURED:
        if verdict.intent == "list_pending" and sentence.of("person"):
            slots["filter"] = asides.narrowed(sentence)
        return
    split = asides.dimension(sentence)
    if split:
        slots["dimension"] = split
    only = asides.narrowed(sentence)
    if verdict.intent == "report_pipeline":
        named, _ = told.stage(sentence)
        if named and split not in ("stage", "reason"):
            only.setdefault("stage", named)
            slots["stage"] = named
    if only:
        slots["filter"] = only


def _words(sentence: Sentence, verdict: Verdict, found: Gathered) -> None:
    intent = verdict.intent
    said: dict[str, str] = {}
    if intent == "log_activity":
        said["activity_type"] = told.first_meaning(sentence, "activity")
    elif intent == "update_deal":
        said["stage"], place = told.stage(sentence)
        if said["stage"] == "Won" and told.yet_to_come(sentence, place):
            said["stage"] = ""
        said["reason"] = told.lost_because(sentence, place) if said["stage"] == "Lost" else ""
    elif intent in ("reject_order", "cancel_order"):
        said["reason"] = told.reason(sentence, verdict.end, bare=intent == "reject_order")
    elif intent in ("log_need", "log_lead"):
        said["need"] = told.need(sentence)
    found.slots.update((slot, words) for slot, words in said.items() if words)
