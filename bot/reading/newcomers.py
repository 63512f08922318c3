"""Who and what the catalogue does not know: whatever stands in the customer's or a counted product's place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.gazetteer import Gazetteer
from bot.reading.intents import Verdict
from bot.reading.lines import paired, quantities
from bot.reading.phrases import MARKS
from bot.reading.sentence import NEAR_TYPO, Sentence, Thing
from bot.reading.strangers import parties, thing_counted

BY_NUMBER = frozenset({"approve_order", "reject_order", "cancel_order", "order_status", "ship_order", "close_order"})
_MEETS_NEW = frozenset(
    {"log_lead", "create_order", "update_deal", "log_activity", "log_need", "lookup_customer", "recommend"}
)
_PLACED = frozenset({"create_order", "update_deal", "log_need"})  # who stands behind "for" is the customer
_MARK = MARKS[0]
_STOP = (
    rf"(?=\s*(?:[{MARKS}\n]|$|[，。；！？]|[,.:!?](?:\s|$)|(?<=\w);\s)"
    r"|\s+-+\s|\s+(?:at|with|by|on|before|until|in|please|pls|and|from|to|for|asap|less|minus|but|as|via|net)(?![a-z]))"
)
_BEHIND = re.compile(rf"(?<![a-z])(?:for|(?<=[{MARKS}] )to|(?<=order )to)\s+(?P<it>[^\s{MARKS}].{{0,80}}?){_STOP}")
_WITH = re.compile(rf"(?<![a-z])(?:deal|opportunity)\s+(?:with|at|for)\s+(?P<it>[^\s{MARKS}].{{0,80}}?){_STOP}")
_LEAD = re.compile(r"(?:(?:the|our|a|an|my|new|customer|client|company|account)\s+)+", re.IGNORECASE)
_WANTS = re.compile(r"\s*(?:wants?|needs?|orders?|ordered|would like|takes?|buys|bought|wanna)(?![a-z])")
_HAN_PLACES = (
    re.compile(
        rf"(?:给|为|帮|替)(?P<it>[^\s,.;:!?，。；{MARKS}给]{{1,20}}?)"
        rf"(?=下单|下个单|下一单|下订单|建单|建个|开单|开个|开张|创建|做单|报单|录单|订购|订|(?:下|来|要|加)?[{MARKS}])"
    ),
    re.compile(
        rf"(?:^|[,，。;；]\s*)(?P<it>[^\s,.;:!?，。；{MARKS}]{{2,20}}?)(?:要|想|想要|需要|准备|打算)?(?:下单|订购|采购|购买|要|订)"
        rf"(?=[了个一]{{0,2}}[{MARKS}])"
    ),
)
_NOBODY = frozenset(
    [
        "me",
        "us",
        "him",
        "her",
        "it",
        "them",
        "you",
        "this",
        "that",
        "these",
        "those",
        "everyone",
        "someone",
        "free",
        "now",
        "use",
        "review",
        "approval",
        "testing",
        "trial",
    ]
)
_HAN_NOBODY = re.compile(
    r"^(?:给|为|帮|替|我|你|您|他|她|它|咱|俺|对方|客户|公司|这|那|该|其|大家|谁|请|帮|麻烦|再|先|也|还|都|就|想|要|需要|可以|能|下|订|新|老客户|新客户)"
    r"|^(?:一|二|两|三)?[个家位份]|吗$"
)
_HAN_NO_THING = re.compile(
    r"就|吧|了|先|不|行|可以|以上|左右|单价|总|共|原价|尽快|马上|明|今天|本|这|交|发|付|送|谢|改|要|给|麻烦|价|折"
)


@dataclass(slots=True)
class Gathered:
    """The slots of one message, and what about them is not settled."""

    slots: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


# ---------------------------------------------------------------- who


def new_names(sentence: Sentence, verdict: Verdict, customers: Gazetteer, found: Gathered) -> None:
    """A customer and a contact nobody knows yet; what is nearly a known name is offered, not taken."""
    wanted = verdict.intent in _MEETS_NEW or (verdict.correction and verdict.intent == "other")
    if not wanted and verdict.intent not in BY_NUMBER | {"other"}:
        return
    known = "customer" in found.slots or "customer" in found.ambiguous
    new = parties(sentence, known=known)
    if new.contact is not None and verdict.intent in ("log_lead", "log_activity", "update_deal", "log_need"):
        found.slots["contact_name"] = new.contact.words
    if not wanted or known:
        return
    placed = _in_place(sentence, verdict.intent)
    if placed:
        _unknown_customer(placed, customers, found)
    elif new.customer is not None and (
        verdict.intent == "log_lead" or new.customer.company >= 2 or _only_stranger(sentence, new.customer.start)
    ):
        _unknown_customer(new.customer.words, customers, found)


def _only_stranger(sentence: Sentence, start: int) -> bool:
    return not sentence.text.low[:start].strip(" ,.:") or len(sentence.things) == 0


def _unknown_customer(words: str, customers: Gazetteer, found: Gathered) -> None:
    like = customers.near(words, 3) or customers.near(words.split(maxsplit=1)[0], 3)
    near = [match.entry.name for match in like if match.score >= NEAR_TYPO]
    found.unknown["customer"] = words
    found.slots["customer"] = words
    if near:
        found.near["customer"] = tuple(near)


def _in_place(sentence: Sentence, intent: str) -> str:
    """What stands where the customer's name would: "for X", "给X下单", "X wants"; a colleague's name is no customer."""
    if intent == "lookup_customer":
        people = sentence.of("person")
        return sentence.text.words(people[0].start, people[0].end) if people else ""
    if intent not in _PLACED:
        return ""
    low = _blotted(sentence)
    for start, end in _places(low, intent, han=sentence.text.han):
        words = sentence.text.typed[start:end].strip(" \t\r\n,.:!?，。：！？")
        cut = _LEAD.match(words)
        words = words[cut.end() :] if cut else words
        if words and _could_be_a_name(sentence, words):
            return words
    if intent == "create_order":
        for person in sentence.of("person"):
            if _WANTS.match(low, person.end):
                return sentence.text.words(person.start, person.end)
    return ""


def _places(low: str, intent: str, *, han: bool) -> Iterator[tuple[int, int]]:
    for pattern in (_BEHIND,) if intent == "create_order" else (_WITH,):
        for match in pattern.finditer(low):
            yield match.span("it")
    if han and intent == "create_order":
        for pattern in _HAN_PLACES:
            for match in pattern.finditer(low):
                if not _HAN_NOBODY.search(match["it"]):
                    yield match.span("it")


def _blotted(sentence: Sentence) -> str:
    """The message with its things blotted out, but not the people in it."""
    chars = list(sentence.text.low)
    for thing in sentence.things:
        if thing.kind not in ("person", "stranger"):
            chars[thing.start : thing.end] = _MARK * (thing.end - thing.start)
    return "".join(chars)


def _could_be_a_name(sentence: Sentence, words: str) -> bool:
    tokens = re.findall(r"[^\W\d_]+", words)
    low = [token.lower() for token in tokens]
    if not tokens or (len(tokens) == 1 and low[0] in _NOBODY) or not any(len(token) > 1 for token in tokens):
        return False
    if any(not token.isascii() for token in tokens):
        return True
    capital = any(token[0].isupper() for token in tokens) and not sentence.text.typed.isupper()
    return any(token not in sentence.speech.common for token in low) or (capital and low[0] not in _NOBODY)


# ---------------------------------------------------------------- what


def strange_products(sentence: Sentence, verdict: Verdict, products: Gazetteer, found: Gathered) -> None:
    """A count before words that are no known product: the product as typed, with the nearest names."""
    adding = verdict.intent == "other" and not verdict.question and "create_order" in sentence.hits
    if verdict.intent != "create_order" and not adding:
        return
    known = sentence.of("product")
    counts = quantities(sentence, ordering=True)
    if not known:
        for count in counts:
            spans = products.spans(count.value.unit) if count.value.unit else []
            if spans:  # "10 seats": some kind of seat
                sentence.things.append(Thing("product", count.end, count.end, spans[0].entries))
                return
    blotted = _blotted(sentence)
    used = {id(count) for count in paired(sentence, known, counts).values()}
    for count in counts:
        if id(count) in used or (adding and "order" in count.roles):
            continue
        start, end = _thing_behind(sentence, blotted, count, alone=not known)
        if end > start:
            sentence.things.append(Thing("stranger", start, end, sentence.text.low[start:end]))
            if "product" not in found.unknown:
                words = sentence.text.typed[start:end]
                found.unknown["product"] = words
                near = [m.entry.name for m in products.near(words, 3) if m.score >= NEAR_TYPO]
                if near:
                    found.near["product"] = tuple(near)
    sentence.things.sort(key=lambda t: t.start)


def _thing_behind(sentence: Sentence, blotted: str, count: Thing, *, alone: bool) -> tuple[int, int]:
    """Where the noun behind a count stands, or nowhere."""
    match = thing_counted(han=sentence.text.han).match(blotted, count.end)
    words = match["it"].strip() if match else ""
    if match is None or len(words) < 2:
        return 0, 0
    tokens = re.findall(r"[a-z]+", words)
    if tokens and all(token in sentence.speech.common for token in tokens):
        return 0, 0
    if not words.isascii() and not alone and _HAN_NO_THING.search(words):
        return 0, 0
    return match.start("it"), match.start("it") + len(words)
