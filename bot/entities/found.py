"""Text made comparable without losing a place: the typed words and their folded twin have the same length."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

MOST = 200  # figures, and dates, read of one message: more is a table, not a sentence
LONGEST = 12_000  # characters read of one message; no platform sends a longer sentence than it shows

_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[A-Za-z]{2}")
# Invisible marks: joiners, direction marks, soft hyphen, variation selectors; and the letters the phrases mark with.
_INVISIBLE = dict.fromkeys(
    place
    for first, last in (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180E),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0x10600, 0x1060F), (0xE0000, 0xE01EF),
    )
    for place in range(first, last + 1)
)  # fmt: skip
_SAME = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"})


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in the sentence: what kind, where (`low[start:end]`), and what it means."""

    kind: str
    start: int
    end: int
    value: Any


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or a single Chinese character."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """A message made comparable. `typed` and `low` have the same length, so one place fits both."""

    typed: str
    low: str
    units: tuple[Unit, ...]
    han: bool  # has Chinese characters
    latin: bool  # has at least a word in Latin letters

    def words(self, start: int, end: int) -> str:
        """The words as typed between two places, without the blanks and marks around them."""
        return self.typed[start:end].strip(" \t\r\n,.;:!?-，。；：！？、")


def fold(text: str) -> str:
    """Lower case without accents, of exactly the same length."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    if low.isascii():
        return low
    return "".join(unicodedata.normalize("NFD", c)[0] if "\u00c0" <= c <= "\u024f" else c for c in low)


def clean(text: str) -> Text:
    """Make a message comparable: full-width forms and odd digits become plain, invisible marks go, names stay."""
    typed = text[:LONGEST]
    if typed.isascii():
        low = typed.lower()
        return Text(typed, low, _units(low), han=False, latin=True)
    typed = unicodedata.normalize("NFC", typed.translate(_INVISIBLE))
    plain = unicodedata.normalize("NFKC", typed)
    if len(plain) != len(typed):
        typed = plain
    low = fold(plain).translate(_SAME)
    if any(c.isdecimal() and not c.isascii() for c in low):
        low = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in low)
    return Text(typed, low, _units(low), han=any(map(is_han, low)), latin=bool(_LATIN.search(low)))


def is_han(char: str) -> bool:
    """Whether this is a Chinese character: a unit of its own."""
    return "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"


def units(low: str) -> list[str]:
    """The words of folded text, each Chinese character for itself."""
    return [unit.word for unit in _units(low)]


def _units(low: str) -> tuple[Unit, ...]:
    found = []
    for match in _WORD.finditer(low):
        word, start = match[0], match.start()
        if word.isascii():
            found.append(Unit(word, start, match.end()))
            continue
        begin = 0
        for at, char in enumerate(word):
            if is_han(char):
                if begin < at:
                    found.append(Unit(word[begin:at], start + begin, start + at))
                found.append(Unit(char, start + at, start + at + 1))
                begin = at + 1
        if begin < len(word):
            found.append(Unit(word[begin:], start + begin, match.end()))
    return tuple(found)
