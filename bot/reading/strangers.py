"""Names nobody knows yet: a new customer, the person to talk to. Who merely made the introduction is neither."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.entities.found import Unit
from bot.reading.phrases import MARKS, language
from bot.reading.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Stranger:
    """Words that look like a name, and how much they look like a person's or a company's."""

    words: str
    start: int
    end: int
    person: int = 0
    company: int = 0


@dataclass(frozen=True, slots=True)
class Parties:
    """The new names of a message: the company and the person in it."""

    customer: Stranger | None = None
    contact: Stranger | None = None


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a name, compiled."""

    person_before: re.Pattern[str]
    person_after: re.Pattern[str]
    company_before: re.Pattern[str]
    company_after: re.Pattern[str]
    referred_before: re.Pattern[str]
    referred_after: re.Pattern[str]
    first_names: frozenset[str]
    company_words: frozenset[str]
    joins: frozenset[str]


def forget_go_betweens(sentence: Sentence) -> None:
    """Known names that only made the introduction are not who the message is about."""
    around = _around(sentence.speech.languages[0].code)
    patterns = [re.compile(one.words["strangers"]["referred_after"]) for one in sentence.speech.languages]
    for thing in sentence.of("customer", "person"):
        before, after = _near(sentence, thing.start, thing.end)
        if around.referred_before.search(before) or any(pattern.match(after) for pattern in patterns):
            thing.gone = True
            sentence.reasons.append(f"{sentence.text.typed[thing.start : thing.end]!r} made the introduction")


def parties(sentence: Sentence, *, known: bool) -> Parties:
    """The company and the person among the new names. `known`: the customer is one we know already."""
    found = [*_latin(sentence)]
    if sentence.text.han:
        found += _han(sentence)
    companies = sorted((s for s in found if s.company > 0), key=lambda s: -s.company)
    people = sorted((s for s in found if s.person > s.company), key=lambda s: s.company - s.person)
    contact = people[0] if people else None
    customer = next((s for s in companies if s is not contact and s.company >= s.person), None)
    if known:
        return Parties(None, contact)
    return Parties(customer, contact)


def _near(sentence: Sentence, start: int, end: int) -> tuple[str, str]:
    low = sentence.text.low
    return low[max(0, start - 40) : start], low[end : end + 30]


@cache
def thing_counted(*, han: bool) -> re.Pattern[str]:
    """What stands behind a count: the words of a product nobody knows, in `it`."""
    behind = "for at to with from by and on in please pls plz each asap before until off less minus".replace(" ", "|")
    stop = rf"(?=\s*(?:[,.;:!?\n{MARKS}]|$|\b(?:{behind})\b))"
    if han:
        return re.compile(
            rf"[个的\s]{{0,2}}(?P<it>[一-鿿a-z0-9 ]{{2,12}}?)(?=给|,|。|;|$|和|单价|每|打|请|吧|\s*[{MARKS}])"
        )
    return re.compile(r"\s*(?:x|of|units of|more|new)?\s*(?P<it>[a-z][a-z0-9 -]{1,40}?)" + stop)


# ---------------------------------------------------------------- Latin letters


@cache
def _around(code: str) -> _Around:
    parts = dict(language(code).words["strangers"])
    words = {name: frozenset(parts.pop(name).split()) for name in ("first_names", "company_words", "joins")}
    made: dict[str, Any] = {name: re.compile(body) for name, body in parts.items()} | words
    return _Around(**made)


def _latin(sentence: Sentence) -> Iterator[Stranger]:
    around = _around(sentence.speech.languages[0].code)
    emails = [thing.value.lower() for thing in sentence.of("email")]
    for start, end in _runs(sentence, around):
        before, after = _near(sentence, start, end)
        if around.referred_before.search(before) or around.referred_after.match(after):
            continue
        tokens = [word.strip(".&'") for word in sentence.text.low[start:end].split()]
        in_name, in_domain = _in_emails(tokens, emails)
        legal = any(token in around.company_words for token in tokens)
        person = 3 * in_name + 2 * bool(around.person_before.search(before))
        company = 3 * in_domain + 2 * bool(around.company_before.search(before))
        company += bool(around.company_after.match(after))
        if legal:
            company += 4
        else:
            person += 3 * (tokens[0] in around.first_names) + 3 * bool(around.person_after.match(after))
            person += bool(emails) and len(tokens) in (2, 3)
        yield Stranger(sentence.text.typed[start:end], start, end, person, company or int(not person))


def _in_emails(tokens: Sequence[str], emails: Sequence[str]) -> tuple[bool, bool]:
    """Whether a word of the name is in an address, before or behind its @."""
    long = [token for token in tokens if len(token) > 2]
    parts = [email.partition("@") for email in emails]
    return (
        any(token in name for name, _, _ in parts for token in long),
        any(token in domain for _, _, domain in parts for token in long),
    )


def _runs(sentence: Sentence, around: _Around) -> Iterator[tuple[int, int]]:
    """Neighbouring words that are capitalised like a name, or that no dictionary has."""
    text = sentence.text
    run: list[Unit] = []
    for unit in text.units:
        free = unit.word.isascii() or not "\u3400" <= unit.word[0] <= "\u9fff"
        free = free and sentence.mask.find(1, unit.start, unit.end) < 0
        if run and text.low[run[-1].end : unit.start] not in (" ", "-", "&", " & ", "'", ". ", "."):
            yield from _trim(run, around)
            run = []
        if free and _like_name(sentence, unit, around, inside=bool(run)):
            run.append(unit)
        elif run:
            yield from _trim(run, around)
            run = []
    yield from _trim(run, around)


def _like_name(sentence: Sentence, unit: Unit, around: _Around, *, inside: bool) -> bool:
    word = unit.word
    if inside and (word in around.joins or word in around.company_words or word[0].isdigit()):
        return True
    if word[0].isdigit() or unit.start in sentence.repaired:
        return False
    typed = sentence.text.typed
    if word not in sentence.speech.common:
        return len(word) > 2 or typed[unit.start].isupper()
    if not typed[unit.start].isupper() or (len(word) > 1 and typed[unit.start : unit.end].isupper()):
        return False
    head = typed[: unit.start].rstrip()
    return bool(head) and head[-1] not in ".!?:\n。！？：-"


def _trim(run: Sequence[Unit], around: _Around) -> Iterator[tuple[int, int]]:
    run = list(run)
    while run and run[-1].word in around.joins:
        run.pop()
    while run and run[0].word in around.joins:
        run.pop(0)
    if run:
        yield run[0].start, run[-1].end


# ---------------------------------------------------------------- Chinese


@dataclass(frozen=True, slots=True)
class _HanAround:
    """How a name is found where no blanks are: the patterns of each kind, and what is cut off or not a name."""

    found: Mapping[str, tuple[re.Pattern[str], ...]]
    trim: re.Pattern[str]
    no_name: re.Pattern[str]


@cache
def _han_around(code: str) -> _HanAround | None:
    table = language(code).words["strangers"]
    if "han_person" not in table:
        return None
    kinds = ("han_referred", "han_person", "han_company")
    found = {kind: tuple(re.compile(b.replace("SURNAME", table["surnames"])) for b in table[kind]) for kind in kinds}
    return _HanAround(found, re.compile(table["han_trim"]), re.compile(table["han_not"]))


def _han(sentence: Sentence) -> Iterator[Stranger]:
    arounds = [_han_around(one.code) for one in sentence.speech.languages]
    taken: list[tuple[int, int]] = []
    for kind in ("han_referred", "han_person", "han_company"):
        for around in arounds:
            if around is not None and not sentence.places:
                for start, end in _han_names(sentence.marked, around, kind):
                    if not any(a < end and start < b for a, b in taken):
                        taken.append((start, end))
                        weight = {"han_person": (3, 0), "han_company": (0, 3)}.get(kind, (0, 0))
                        yield Stranger(sentence.text.typed[start:end], start, end, *weight)


def _han_names(marked: str, around: _HanAround, kind: str) -> Iterator[tuple[int, int]]:
    for pattern in around.found[kind]:
        for match in pattern.finditer(marked):
            words = around.trim.sub("", match[1])
            if len(words) >= 2 and not around.no_name.match(words):
                yield match.end(1) - len(words), match.end(1)
