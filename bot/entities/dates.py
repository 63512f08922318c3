"""Days and periods, as people say them. Weeks start on Monday; nothing here knows which language it reads.

A language's phrases file lists the *shapes* of its date expressions as small regular expressions with named groups
(`which`, `n`, `unit`, `weekday`, `month`, `day`, `year`, `quarter`, `half`, `week`, `offset`) and `<list>`s of words;
`bot.entities.when` works out what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from bot.entities.found import MOST, Found, Text, Unit
from bot.entities.when import Said, When, meaning

_NUMERALS = re.compile("[0-9一二三四五六七八九十百千万亿]+")
_LONGEST = 12  # numerals in one date; what is longer is none
_DIGIT_FIRST = re.compile(r"(?:\(\?(?:P<[a-z]+>|:)|\()*(?:\\d|20|0\?|1\[|\[|<numbers>)")


@dataclass(slots=True)
class Shape:
    """One shape of expression: how it is meant, and what it looks like. Compiled when it is first tried."""

    kind: str
    body: str
    digits: bool  # may begin with a digit
    han: bool  # says it in Chinese
    _regex: re.Pattern[str] | None = None

    def match(self, low: str, start: int) -> re.Match[str] | None:
        if self._regex is None:
            self._regex = re.compile(self.body)
        return self._regex.match(low, start)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The words of one or more languages that dates are said with."""

    shapes: tuple[Shape, ...]
    starters: frozenset[str]
    values: Mapping[str, Mapping[str, Any]]
    since: re.Pattern[str]


def calendar(words: Iterable[Mapping[str, Any]]) -> Calendar:
    """The date words of these languages' files, made ready."""
    shapes: list[Shape] = []
    starters: set[str] = set()
    values: dict[str, dict[str, Any]] = {}
    since: list[str] = []
    for table in words:
        lists: Mapping[str, Mapping[str, Any]] = table["lists"]
        for name, listed in lists.items():
            values.setdefault(name, {}).update(listed)
        for kind, templates in table["shapes"].items():
            for template in templates:
                body = re.sub(r"(?<!P)<([a-z]+)>", partial(_listed, lists), template)
                shapes.append(Shape(kind, body, bool(_DIGIT_FIRST.match(template)), not body.isascii()))
        starters.update(table["starters"].split())
        starters.update(_start(word) for name in table["first"] for word in lists[name])
        since.append(table["since"])
    return Calendar(tuple(shapes), frozenset(starters), values, re.compile(rf"(?:{'|'.join(since)})$"))


def _listed(lists: Mapping[str, Mapping[str, Any]], match: re.Match[str]) -> str:
    return _options(lists[match[1]])


def _options(listed: Mapping[str, Any]) -> str:
    ordered = sorted(listed, key=len, reverse=True)
    latin = "|".join(re.escape(w) for w in ordered if w.isascii())
    rest = "|".join(re.escape(w) for w in ordered if not w.isascii())
    return f"(?:{'|'.join(filter(None, ((f'(?:{latin})(?![a-z])') if latin else '', rest)))})"


def _start(word: str) -> str:
    return word.split(maxsplit=1)[0].split("-", maxsplit=1)[0] if word.isascii() else word[0]


def dates(text: Text, say: Calendar, today: date, taken: Callable[[int, int], bool]) -> list[Found]:
    """Every day and period that stands in a free place, from left to right."""
    low = text.low
    found: list[Found] = []
    done = 0
    for unit in text.units:
        start = unit.start
        if start < done or not ("0" <= unit.word[0] <= "9" or unit.word in say.starters):
            continue
        run = _NUMERALS.match(low, start)
        if run is not None and run.end() - start > _LONGEST:
            done = run.end()
            continue
        one = _at(text, unit, say, today, taken)
        if one is not None:
            found.append(one)
            done = one.end
            if len(found) == MOST:
                break
    return found


def _at(text: Text, unit: Unit, say: Calendar, today: date, taken: Callable[[int, int], bool]) -> Found | None:
    """The date that begins at a word: the first shape that fits."""
    start = unit.start
    digit, han = "0" <= unit.word[0] <= "9", not unit.word.isascii()
    for shape in say.shapes:
        if (digit and not shape.digits) or (han and not shape.han):
            continue
        match = shape.match(text.low, start)
        if match is None or taken(start, match.end()):
            continue
        parts = {name: value for name, value in match.groupdict().items() if value}
        words = text.typed[start : match.end()].strip()
        when = meaning(shape.kind, Said(parts, say.values, today, words))
        if when is not None:
            begin, when = _opened(text.low, start, when, say, today)
            return Found("date", begin, match.end(), when)
    return None


def _opened(low: str, start: int, when: When, say: Calendar, today: date) -> tuple[int, When]:
    """`since January` is open at its end."""
    before = say.since.search(low, max(0, start - 12), start)
    if before is None or when.first is None or when.first > today:
        return start, when
    token = when.token if not when.day else when.day.isoformat()
    return before.start(), When(when.words, None, f"since_{token}", when.first, today)
