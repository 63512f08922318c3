"""One message taken apart: the things in it, the phrases that stand in it, and what each figure is there for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

from bot.entities import Found, Text, contacts, dates, numbers
from bot.entities.dates import Calendar, calendar
from bot.entities.found import Unit
from bot.entities.numbers import Figures, figures
from bot.gazetteer import Entry, Gazetteer, Match, Span, singular
from bot.reading.counted import days_before, stands_counted
from bot.reading.phrases import KINDS, Cue, Language, keys_of, language

SURE_TYPO = 0.88  # or one slip in five letters and more: "Globx" is Globex
NEAR_TYPO = 0.55  # worth offering
_MARKS = {
    "email": "contact", "phone": "contact", "tracking": "code",
    "link": "foreign", "clock": "foreign", "purchase": "foreign", "tenths": "foreign",
}  # fmt: skip
_HAN = re.compile("[一-鿿]")
_QUOTES = re.compile(
    "\"([^\"\n]{3,300})\"|“([^”\n]{3,300})”|「([^」\n]{3,300})」|『([^』\n]{3,300})』|(?<!\\w)'([^'\n]{6,300})'(?!\\w)|(?m:^\\s*>[^\n]+)"
)


@dataclass(frozen=True)
class Speech:
    """The languages a message is read in, their files joined."""

    languages: tuple[Language, ...]
    figures: Figures
    calendar: Calendar
    common: frozenset[str]

    def word(self, table: str, word: str) -> Any:
        """The meaning of a word in a table of the phrases files, or None."""
        for one in self.languages:
            found = one.words.get(table, {}).get(word)
            if found is not None:
                return found
        return None


@cache
def speech(*codes: str) -> Speech:
    """The files of these languages, joined once."""
    languages = tuple(language(code) for code in codes)
    return Speech(
        languages,
        figures(one.words for one in languages),
        calendar(one.words["dates"] for one in reversed(languages)),  # 2027年3月 is tried before 2027
        frozenset().union(*(one.vocabulary for one in languages)),
    )


@dataclass(slots=True, eq=False)
class Thing:
    """Something found in the message, and what it is there for."""

    kind: str
    start: int
    end: int
    value: Any
    roles: set[str] = field(default_factory=set)
    gone: bool = False  # taken back by a correction

    @property
    def figure(self) -> bool:
        return self.kind in ("number", "money", "percent")


@dataclass(slots=True)
class Hit:
    """A phrase that stands in the message, and where."""

    cue: Cue
    start: int
    end: int


@dataclass(slots=True)
class Sentence:
    """Everything known about a message before anybody says what it wants."""

    text: Text
    speech: Speech
    now: datetime
    things: list[Thing]
    marked: str
    hits: dict[str, list[Hit]]
    reasons: list[str]
    places: tuple[int, ...] = ()  # where each marked character stood, when words were put right
    repaired: frozenset[int] = frozenset()  # where those words begin
    mask: bytearray = field(default_factory=bytearray, repr=False)  # a 1 wherever a thing stands

    def of(self, *kinds: str) -> list[Thing]:
        """The things of these kinds that were not taken back, from left to right."""
        return [t for t in self.things if t.kind in kinds and not t.gone]

    def flagged(self, flag: str) -> list[Hit]:
        return self.hits.get("?" + flag, [])


def read(text: Text, customers: Gazetteer, products: Gazetteer, people: Gazetteer, now: datetime) -> Sentence:
    """Find the things and phrases of a message."""
    said = speech("en", "zh") if text.han else speech("en")
    finder = _Finder(text, said)
    finder.add(contacts(text))
    finder.names(customers, products, people)
    finder.days()
    finder.add(f for f in dates(text, said.calendar, now.date(), finder.taken) if not finder.counts(f))
    finder.add(numbers(text, said.figures, finder.taken))
    repaired = finder.typos(customers, products)
    things = sorted(finder.things, key=lambda t: t.start)
    marked, places = _mark(text, things, repaired, said, now)
    hits = _hits(text, said, marked, places, repaired)
    sentence = Sentence(text, said, now, things, marked, hits, finder.reasons, places, frozenset(repaired), finder.mask)
    _give_roles(sentence)
    return sentence


class _Finder:
    """Collects the things of one message; a place that is taken is not looked at again."""

    def __init__(self, text: Text, said: Speech) -> None:
        self.text, self.speech = text, said
        self.things: list[Thing] = []
        self.reasons: list[str] = []
        self.mask = bytearray(len(text.low))
        self._parts: set[int] = set()  # places where only a part of a name stands

    def taken(self, start: int, end: int) -> bool:
        return self.mask.find(1, start, end) >= 0

    def add(self, found: Iterable[Found]) -> None:
        for one in found:
            self.put(one.kind, one.start, one.end, one.value)

    def counts(self, found: Found) -> bool:
        """ "2000 Pro seats": digits that could be a year, before the name of a thing or a measure word."""
        low = self.text.low
        if not low[found.start : found.end].isdigit():
            return False
        return self.taken(found.end, found.end + 2) or bool(self.speech.figures.unit.match(low, found.end))

    def put(self, kind: str, start: int, end: int, value: Any) -> None:
        self.things.append(Thing(kind, start, end, value))
        self.mask[start:end] = b"\x01" * (end - start)

    def names(self, customers: Gazetteer, products: Gazetteer, people: Gazetteer) -> None:
        """Known names: a full name before a part of one, the longer before the shorter."""
        words = self.text.units
        kinds = (("product", products), ("customer", customers), ("person", people))
        ranked = [
            (not span.whole, span.start - span.end, order, kind, span)
            for order, (kind, known) in enumerate(kinds)
            for span in known.look(words)
            if not self._everyday(span, kind)
        ]
        for _, _, _, kind, span in sorted(ranked, key=lambda r: r[:3]):
            if not self.taken(span.start, span.end):
                self.put(kind, span.start, span.end, span.entries)
                self._parts.update(range(span.start, span.end) if not span.whole else ())

    def days(self) -> None:
        """ "两天培训": the days before a product are its count, and no date."""
        for product in [t for t in self.things if t.kind == "product"]:
            counted = days_before(self.text.low, product.start)
            if counted is not None and not self.taken(counted[0], counted[1]):
                self.put("number", *counted)

    def _everyday(self, span: Span, kind: str) -> bool:
        """A name that is also a common word counts only when it is written like a name."""
        word = self.text.low[span.start : span.end]
        if word not in self.speech.common and (span.whole or singular(word) not in self.speech.common):
            return False
        if kind == "product" and span.whole and stands_counted(self.text.low, span.start, span.end):
            return False
        typed = self.text.typed[span.start : span.end]
        if span.whole and self._stands_like_a_name(span):
            return False
        first = span.start == 0 and not span.whole
        return typed == word or first or not typed[0].isupper()

    def _stands_like_a_name(self, span: Span) -> bool:
        """ "for cheers", "cheers wants": a common word where a customer would stand."""
        before, after = _where_names_stand(self.speech.languages[0].code)
        low = self.text.low
        given = span.start > 0 and low[span.start - 1] in "给为帮跟和"
        return given or bool(before.search(low, max(0, span.start - 40), span.start) or after.match(low, span.end))

    # -------------------------------------------------------- names and words with a slip of the finger

    def typos(self, customers: Gazetteer, products: Gazetteer) -> dict[int, str]:
        """Take nearly right names for the name, and return nearly right words by their place."""
        if self.text.han:
            for kind, gazetteer in (("customer", customers), ("product", products)):
                for span in gazetteer.almost(self.text.units):
                    if not self.taken(span.start, span.end):
                        self._settle(kind, span.start, span.end, span.entries[0])
        repaired: dict[int, str] = {}
        units = self.text.units
        free = [u for u in units if u.start in self._parts or not self.taken(u.start, u.end)]
        strange = [u for u in free if u.start not in self._parts and self._strange(u)][:12]
        for unit in strange:
            if self.taken(unit.start, unit.end):
                continue
            if not self._name_with_typo(unit, free, customers, products):
                right = "" if self._a_name(unit) else _repair(unit.word, self.speech.languages[0])
                if right:
                    repaired[unit.start] = right
        return repaired

    def _strange(self, unit: Unit) -> bool:
        word = unit.word
        return len(word) >= 4 and word not in self.speech.common and word.isascii() and word.isalpha()

    def _a_name(self, unit: Unit) -> bool:
        """A capital inside a sentence, or a first name: nothing to put right."""
        typed = self.text.typed
        capital = typed[unit.start].isupper() and not typed[: unit.end].isupper()
        names = self.speech.languages[0].words["strangers"]["first_names"]
        return (capital and bool(typed[: unit.start].strip())) or f" {unit.word} " in f" {names} "

    def _name_with_typo(self, unit: Unit, free: Sequence[Unit], customers: Gazetteer, products: Gazetteer) -> bool:
        at = free.index(unit)
        best: tuple[float, str, Unit, Unit, list[Match]] | None = None
        for first, last in ((at, at + 1), (at, at), (at - 1, at), (at, at + 2), (at - 1, at + 1), (at - 2, at)):
            if first < 0 or last >= len(free) or not _adjoin(free, first, last):
                continue
            words = self.text.low[free[first].start : free[last].end]
            for kind, gazetteer in (("customer", customers), ("product", products)):
                matches = gazetteer.near(words, 3)
                if matches and _sure(matches[0].score, len(words)) and (best is None or matches[0].score > best[0]):
                    best = matches[0].score, kind, free[first], free[last], matches
        if best is None:
            return False
        score, kind, begin, end, matches = best
        if len(matches) > 1 and matches[1].score > score - 0.05:
            self.put(kind, begin.start, end.end, tuple(m.entry for m in matches if m.score > score - 0.05))
        else:
            self._settle(kind, begin.start, end.end, matches[0].entry)
        return True

    def _settle(self, kind: str, start: int, end: int, entry: Entry) -> None:
        """Take it for the name; the parts of other names that stood inside were none."""
        self.things = [t for t in self.things if t.end <= start or end <= t.start]
        self.put(kind, start, end, (entry,))
        self.reasons.append(f"{self.text.typed[start:end]!r} is read as {entry.name}")


def _sure(score: float, size: int) -> bool:
    return score >= SURE_TYPO or (size >= 5 and (1 - score) * size < 1.01)


@cache
def _where_names_stand(code: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    table = language(code).words["strangers"]
    return re.compile(table["company_before"]), re.compile(table["company_after"].removeprefix("^"))


def _adjoin(free: Sequence[Unit], first: int, last: int) -> bool:
    return all(b.start - a.end <= 2 for a, b in pairwise(free[first : last + 1]))


@cache
def _repairs(code: str) -> dict[str, str]:
    """Every word a cue hangs on, under each of its spellings with a letter missing."""
    known = language(code).vocabulary
    found: dict[str, str] = {}
    for word in sorted((w for w in known if len(w) >= 5 and w.isalpha()), key=lambda w: (-len(w), w)):
        for i in range(len(word)):
            found[word[:i] + word[i + 1 :]] = word
    return found


def _repair(word: str, said: Language) -> str:
    """The known word this one is a slip of: a letter too few, too many, wrong or swapped."""
    known, cut = said.vocabulary, _repairs(said.code)
    if word in cut:
        return cut[word]
    for i in range(len(word)):
        less = word[:i] + word[i + 1 :]
        if less in known and len(less) >= 5:
            return less
        right = cut.get(less)
        if right is not None and abs(len(right) - len(word)) == 0 and len(word) >= 5 and _one_slip(word, right):
            return right
    return ""


def _one_slip(a: str, b: str) -> bool:
    wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    return len(wrong) == 1 or (len(wrong) == 2 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]])


# ---------------------------------------------------------------- marking, and the phrases


def _mark(
    text: Text, things: Sequence[Thing], repaired: dict[int, str], said: Speech, now: datetime
) -> tuple[str, tuple[int, ...]]:
    """The message with every thing blotted out by its mark, and slips of words put right.

    Without slips every character keeps its place; with slips the second value says where each one stood.
    """
    chars = list(text.low)
    for thing in things:
        if thing.kind == "date" and thing.value.every:
            continue  # "weekly" is as much a word as a date
        mark = KINDS[_MARKS.get(thing.kind, thing.kind)]
        if thing.kind == "date" and thing.value.first and thing.value.first > now.date():
            mark = KINDS["future"]
        end = thing.end + 2 if text.low.startswith("'s", thing.end) else thing.end
        chars[thing.start : end] = mark * (end - thing.start)
    if any(q in text.low for q in "\"“「『'>"):
        for match in _QUOTES.finditer(text.low):
            rest = "".join(chars[match.start() : match.end()])  # a quoted name is still a name
            if any(word in said.common for word in re.findall(r"[a-z]+", rest)) or len(_HAN.findall(rest)) > 1:
                chars[match.start() : match.end()] = KINDS["quote"] * len(match[0])
    ends = {unit.start: unit.end for unit in text.units} if repaired else {}
    places: list[int] = []
    parts: list[str] = []
    done = 0
    for start in sorted(repaired):
        right = repaired[start]
        parts += ["".join(chars[done:start]), right]
        places += [*range(done, start), *([start] * len(right))]
        done = ends[start]
    if not repaired:
        return "".join(chars), ()
    return "".join(parts) + "".join(chars[done:]), (*places, *range(done, len(chars) + 1))


def _hits(
    text: Text, said: Speech, marked: str, places: Sequence[int], repaired: dict[int, str]
) -> dict[str, list[Hit]]:
    keys = keys_of(text, marked)
    keys.update(repaired.values())
    found: dict[str, list[Hit]] = {}
    for one in said.languages:
        for cue, first in one.matching(marked, keys):
            held = found.setdefault(cue.intent, [])
            matches = [first]
            if cue.intent[0] in "?#":
                matches.extend(cue.again(marked, first.end()))
            for match in matches:
                start, end = match.span()
                held.append(Hit(cue, places[start], places[end]) if places else Hit(cue, start, end))
    return found


def _give_roles(sentence: Sentence) -> None:
    """Tell every figure what it is there for: the last figure of each role's phrase."""
    figures = [thing for thing in sentence.things if thing.figure]
    starts = [thing.start for thing in figures]
    for name, hits in sentence.hits.items():
        if name[0] == "#":
            for hit in hits:
                after = bisect_left(starts, hit.end)
                follows = after < len(starts) and starts[after] - hit.end <= 6
                if follows and name in ("#total", "#price") and hit.cue.template[0] == "{":
                    continue  # "$900 each, total $17,000": the total is what comes next
                if after and starts[after - 1] >= hit.start:
                    figures[after - 1].roles.add(name[1:])
