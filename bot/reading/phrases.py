"""The phrases files: how people say things, as data. One `bot/text/<language>.phrases.toml` per language.

The template language, one line per way of saying it:

    word word      these words in this order; only blanks and marks may stand between them
    (a|b c)        one of these
    [a|b]          one of these, or nothing
    [a|b]*         none to four of these, one after the other
    <list>         any word of that list of the file's `[lists]`
    {customer}     something known of that kind: see `KINDS`
    *              at most a few other words, in the same sentence
    ^  $           the beginning, the end of the message

Each template is filed under the words it cannot do without, so a message only meets the few templates that share a
word with it, and each becomes one bounded regular expression the first time it is met.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.entities.found import Text

# Every kind of thing that was found in a message stands in it as one of these marks, as long as the thing itself.
# They are letters (of Linear A, which nobody types), so that a mark counts as a word and not as a blank.
_KINDS = (
    "customer", "product", "person", "number", "money", "percent", "date", "contact", "order", "quote", "code",
    "foreign",  # a number of somebody else's, a link, the time of day
    "future",  # a date after today; {date} is any date
)  # fmt: skip
KINDS = {kind: chr(0x10600 + at) for at, kind in enumerate(_KINDS)}
MARKS = "\U00010600-\U0001060f"
# How much one template says about an intent. Several add up like independent hints; "never" takes away.
WEIGHTS = {"sure": 0.9, "likely": 0.65, "hint": 0.35, "never": -0.9, "unlike": -0.5}

_TOKEN = re.compile(r"\{[a-z]+\}|<[a-z_]+>|[<>]=?|\]\*|[()\[\]|*^$]|[^\s()\[\]|*^${}<>]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"(?<![{<a-z])[a-z']+(?![a-z}>])")
_NOISE = r"\W{0,8}"
_FOLDER = Path(__file__).parents[1] / "text"


@dataclass(slots=True)
class Cue:
    """One template: what it hints at, and how strongly. Compiled when it is first met."""

    intent: str
    weight: float
    template: str
    parsed: _Seq
    spaced: bool
    lists: Mapping[str, list[str]]
    needs: tuple[frozenset[str], ...] = ()  # one key of each of these must be in the message, or it cannot fit
    _regex: re.Pattern[str] | None = None

    def find(self, marked: str) -> re.Match[str] | None:
        """Where the template stands in a marked message."""
        if self._regex is None:
            self._regex = re.compile(_pattern(self.parsed, self.lists, spaced=self.spaced))
        return self._regex.search(marked)

    def again(self, marked: str, start: int) -> Iterator[re.Match[str]]:
        """The further places where the template stands, after one that was found."""
        return self._regex.finditer(marked, start) if self._regex is not None else iter(())


@dataclass(frozen=True, slots=True)
class Language:
    """One language's file, compiled: the cues under their keys, and the plain word lists."""

    code: str
    cues: Mapping[str, tuple[Cue, ...]]
    lists: Mapping[str, list[str]]
    words: Mapping[str, Any]
    vocabulary: frozenset[str] = field(repr=False)

    def matching(self, marked: str, keys: set[str]) -> Iterator[tuple[Cue, re.Match[str]]]:
        """Every cue that stands in the message."""
        seen: set[int] = set()
        cues = self.cues
        for key in keys & cues.keys():
            for cue in cues[key]:
                if id(cue) not in seen:
                    seen.add(id(cue))
                    if not any(need.isdisjoint(keys) for need in cue.needs):
                        match = cue.find(marked)
                        if match is not None:
                            yield cue, match


@cache
def language(code: str) -> Language:
    """The phrases of a language, read once."""
    with (_FOLDER / f"{code}.phrases.toml").open("rb") as file:
        data = tomllib.load(file)
    lists: dict[str, list[str]] = {name: _split(words) for name, words in data["lists"].items()}
    keyed = {name: frozenset(map(_key, listed)) for name, listed in lists.items()}
    spaced = bool(data["spaced"])
    cues: dict[str, list[Cue]] = {}
    groups = data["intents"] | _named("?", data["flags"]) | _named("#", data["roles"])
    for intent, levels in groups.items():
        for level, templates in levels.items():
            for template in templates:
                parsed = _parse(template)
                needs = _needs(parsed, keyed)
                cue = Cue(intent, WEIGHTS[level], template, parsed, spaced, lists, tuple(needs[1:]))
                for key in needs[0] if needs else ("",):
                    cues.setdefault(key, []).append(cue)
    words = data["words"]
    vocabulary = _vocabulary(groups, lists, words)
    return Language(code, {k: tuple(v) for k, v in cues.items()}, lists, words, vocabulary)


def known_languages() -> tuple[str, ...]:
    """The languages there is a phrases file for."""
    return tuple(sorted(path.name.split(".")[0] for path in _FOLDER.glob("*.phrases.toml")))


def keys_of(text: Text, marked: str) -> set[str]:
    """What templates may be filed under in this message: its words, its Chinese pairs, the kinds of things in it."""
    keys = {unit.word for unit in text.units}
    keys.add("")
    if text.han:
        words = text.units
        keys.update(a.word + b.word for a, b in pairwise(words) if a.end == b.start)
    keys.update(mark for mark in KINDS.values() if mark in marked)
    return keys


def _named(prefix: str, groups: Mapping[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    return {prefix + name: {"sure": templates} for name, templates in groups.items()}


def _split(words: str | list[str]) -> list[str]:
    return words if isinstance(words, list) else [w.strip() for w in re.split(r"[|\n]", words) if w.strip()]


def _vocabulary(groups: Mapping[str, Mapping[str, list[str]]], lists: Any, words: Mapping[str, Any]) -> frozenset[str]:
    """Every word of the file: what is among them is no name."""
    parts = [template for levels in groups.values() for templates in levels.values() for template in templates]
    parts += [word for listed in lists.values() for word in listed]
    for value in words.values():
        parts += value if isinstance(value, dict) else [value] if isinstance(value, str) else []
    return frozenset(_WORD.findall("|".join(parts)))


# ---------------------------------------------------------------- the template language


@dataclass(slots=True)
class _Item:
    kind: str  # word, list, slot, any, start, end, group
    value: str = ""
    options: tuple[_Seq, ...] = ()
    most: int = 0  # how often an optional group may stand there; 0 when it must, once


_Seq = tuple[_Item, ...]


def _parse(template: str) -> _Seq:
    tokens = _TOKEN.findall(template)
    parsed, rest = _sequence(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"a bracket is not closed in the phrase {template!r}")
    return parsed[0] if len(parsed) == 1 else (_Item("group", options=parsed),)


def _sequence(pieces: list[str], at: int) -> tuple[tuple[_Seq, ...], int]:
    """Alternatives up to the closing bracket that belongs to them."""
    options: list[_Seq] = []
    items: list[_Item] = []
    while at < len(pieces) and pieces[at] not in (")", "]", "]*"):
        piece = pieces[at]
        at += 1
        if piece == "|":
            options.append(tuple(items))
            items = []
        elif piece in "([":
            inner, at = _sequence(pieces, at)
            closing = pieces[at] if at < len(pieces) else ""
            if closing not in (("]", "]*") if piece == "[" else (")",)):
                raise ValueError(f"a bracket is not closed in the phrase {' '.join(pieces)!r}")
            at += 1
            items.append(_Item("group", options=inner, most={"]": 1, "]*": 4}.get(closing, 0)))
        else:
            items.append(_item(piece))
    options.append(tuple(items))
    return tuple(options), at


@cache
def _item(token: str) -> _Item:
    if token[0] == "{":
        return _Item("slot", token[1:-1])
    if token[0] == "<" and token[-1] == ">":
        return _Item("list", token[1:-1])
    return _Item({"*": "any", "^": "start", "$": "end"}.get(token, "word"), token)


@cache
def _key(word: str) -> str:
    """What a word is filed under: its first word, or its first two Chinese characters."""
    if _HAN.match(word):
        return word[:2] if len(word) > 1 and _HAN.match(word[1]) else word[0]
    found = re.match(r"[^\W_\u3400-\u9fff]+", word)
    return found[0] if found else ""


_Keyed = Mapping[str, frozenset[str]]


def _needs(items: _Seq, keyed: _Keyed) -> list[frozenset[str]]:
    """What every sentence that fits must have, one key of each set: the most telling set first."""
    found = [keys for item in items if (keys := _item_keys(item, keyed)) and "" not in keys]
    return sorted(found, key=lambda keys: (-min(map(len, keys)), len(keys)))


def _item_keys(item: _Item, keyed: _Keyed) -> frozenset[str]:
    if item.most:
        return frozenset()
    if item.kind == "word":
        return frozenset((_key(item.value),))
    if item.kind == "list":
        return keyed[item.value]
    if item.kind == "slot":
        return _SLOT_KEYS[item.value]
    if item.kind == "group":
        found = [_needs(option, keyed) for option in item.options]
        return frozenset().union(*(needs[0] for needs in found)) if all(found) else frozenset()
    return frozenset()


_SLOTS = KINDS | {
    "figure": KINDS["number"] + KINDS["money"],
    "id": KINDS["order"] + KINDS["number"],
    "date": KINDS["date"] + KINDS["future"],
}
_SLOT_KEYS = {name: frozenset(marks) for name, marks in _SLOTS.items()}


def _pattern(items: _Seq, lists: Mapping[str, list[str]], *, spaced: bool) -> str:
    gap = r"\W{0,4}" if spaced else r"\W{0,3}"
    parts: list[str] = []
    for at, item in enumerate(items):
        last = at == len(items) - 1 or items[at + 1].kind == "end"
        glue = "" if last or item.kind in ("start", "any") else gap
        parts.append(_piece(item, lists, glue, spaced=spaced))
    return "".join(parts)


def _piece(item: _Item, lists: Mapping[str, list[str]], glue: str, *, spaced: bool) -> str:
    if item.kind == "group":
        inner = "|".join(_pattern(option, lists, spaced=spaced) for option in item.options)
        return f"(?:(?:{inner}){glue}){{0,{item.most}}}" if item.most else f"(?:{inner}){glue}"
    if item.kind == "word":
        return _word(item.value) + glue
    if item.kind == "list":
        return any_of(lists[item.value]) + glue
    if item.kind == "slot":
        marks = _SLOTS[item.value]  # the whole of it, from its beginning: half a thing is never tried
        return f"(?<![{marks}])[{marks}]++{glue}"
    if item.kind == "any":
        return r"(?:[^.;!?\n]{0,32}?(?<![a-z]))" if spaced else r"[^。;!?\n]{0,12}?"
    return rf"^{_NOISE}" if item.kind == "start" else rf"{_NOISE}$"


def _word(word: str) -> str:
    return any_of((word,))


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first; Latin words only as whole words."""
    listed = sorted(words, key=len, reverse=True)
    latin = [w for w in listed if w[0].isascii() and w[0].isalnum() and w[-1].isalnum()]
    rest = [w for w in listed if w not in latin]
    parts = [rf"(?<![a-z0-9])(?:{_joined(latin)})(?![a-z0-9])"] if latin else []
    parts += [_joined(rest)] if rest else []
    return parts[0] if len(parts) == 1 and latin else f"(?:{'|'.join(parts)})"


def _joined(words: list[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
