"""Fonts and what is written with them: which letters can be drawn, how wide they are; numbers and days in short."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from matplotlib import get_data_path
from matplotlib.font_manager import FontEntry, FontProperties, fontManager
from matplotlib.ft2font import FT2Font

HERE = Path(__file__).parent / "fonts"
REGULAR, BOLD, SPARE = "Dealdesk Regular", "Dealdesk Bold", "DejaVu Sans"
FILES = {
    REGULAR: HERE / "NotoSansSC-Regular.otf",
    BOLD: HERE / "NotoSansSC-Bold.otf",
    SPARE: Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf",
}
# Names of our own: a machine's Noto of another kind or year never takes the place of ours.
fontManager.ttflist.extend(FontEntry(fname=str(FILES[name]), name=name, weight=400) for name in (REGULAR, BOLD))

GETA = "〓"  # what Chinese and Japanese printers set for a character they have no type for
ELLIPSIS = "..."  # the font's own ellipsis is as wide as a Chinese character, in English too
STRAIGHT = str.maketrans("‘’“”", "''\"\"")  # likewise its curly quotes
UNITS = {
    "en": ((12, "T"), (9, "B"), (6, "M"), (3, "K")),
    "zh": ((12, "万亿"), (8, "亿"), (4, "万")),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def font(text: str, size: float, *, bold: bool = False) -> FontProperties:
    """The letters to draw the text with, `size` pixels high. What the font lacks comes from matplotlib's own."""
    first = BOLD if bold else REGULAR
    # To ask for a second font costs as much as the drawing, and hardly any text needs one.
    return _font((first,) if all(ord(char) in _face(first)[1] for char in text) else (REGULAR, SPARE), size)


@cache
def _font(names: tuple[str, ...], size: float) -> FontProperties:
    return FontProperties(family=list(names), size=size)


def missing(text: str) -> set[str]:
    """The characters no font here has: drawn as they are, they would be empty boxes."""
    return {char for char in text if not _drawn(char)}


def drawable(text: str) -> str:
    """The text with nothing in it that cannot be drawn, the same if all of it can.

    Fancy forms become plain ones, signs without a glyph (emoji) go, a rare Chinese character becomes the printers'
    geta mark, and a stretch of a script without a font is named: `(Thai)`.
    """
    text = unicodedata.normalize("NFC", text)
    if text.isascii() and text.isprintable():
        return text
    if not any("\u2e80" <= char <= "\uffef" for char in text):
        text = text.translate(STRAIGHT)
    result: list[str] = []
    for piece in _pieces(text):
        if not (result and piece.startswith("(") and piece == result[-1]):
            result.append(piece)
    return " ".join("".join(result).split())


def has_bold(text: str) -> bool:
    """Whether all of it can be bold: half a title in bold would look broken."""
    return all(ord(char) in _face(BOLD)[1] for char in text)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How many pixels wide the text is drawn."""
    return sum(_advance(char, bold) for char in text) * size


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The drawable text, shortened to `room` pixels with an ellipsis if it must be."""
    text = drawable(text)
    if width(text, size, bold=bold) <= room:
        return text
    room -= width(ELLIPSIS, size, bold=bold)
    end = len(text)
    while end and width(text[:end], size, bold=bold) > room:
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def wrapped(text: str, room: float, size: float) -> list[str]:
    """The drawable text in lines of at most `room` pixels, broken between words or beside Chinese characters."""
    lines = [""]
    for word in _words(drawable(text)):
        if lines[-1] and width((lines[-1] + word).rstrip(), size) > room:
            lines.append(word.lstrip())
        else:
            lines[-1] += word
    return [line.rstrip() for line in lines if line.strip()]


def abbreviated(value: Decimal, language: str) -> str:
    """Three digits and a unit: `1.23M`, `−45K`; `123万` in Chinese. Four digits are short enough, cents stay cents."""
    size = abs(value)
    whole = size.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    if 1000 <= whole <= 9999:
        return f"{_sign(value)}{whole:,f}"
    for power, unit in UNITS.get(language, UNITS["en"]):
        number = _three(size.scaleb(-power))
        if number >= 1:
            return f"{_sign(value)}{number:f}{unit}"
    number = size.quantize(Decimal("0.01") if size < 100 else Decimal(1), rounding=ROUND_HALF_UP)
    number = number.quantize(Decimal(1)) if number == number.to_integral_value() else number
    return f"{_sign(value) if number else ''}{number:f}"


def percentage(value: Decimal) -> str:
    """`12.4%`; far beyond a thousand only that it is."""
    size = abs(value)
    if size >= 1000:
        return ">999%" if value > 0 else "<−999%"
    return f"{_sign(value)}{size.quantize(Decimal(1) if size >= 100 else Decimal('0.1'), rounding=ROUND_HALF_UP):f}%"


def days(first: date, last: date, language: str) -> str:
    """`16–22 Nov 2026`, `30 Nov – 6 Dec 2026`; `2026年11月16–22日` in Chinese. Both days are in it."""
    if language == "zh":
        start = f"{first.year}年{first.month}月{first.day}"
        if first.year != last.year:
            return f"{start}日–{last.year}年{last.month}月{last.day}日"
        return f"{start}–{last.day}日" if first.month == last.month else f"{start}日–{last.month}月{last.day}日"
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first.year != last.year:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year} – {end}"
    return f"{first.day}–{end}" if first.month == last.month else f"{first.day} {MONTHS[first.month - 1]} – {end}"


# ---------------------------------------------------------------- how


def _three(size: Decimal) -> Decimal:
    """Three digits that count, whole numbers left whole, no zeros at the end."""
    places = Decimal("0.01") if size < 10 else Decimal("0.1") if size < 100 else Decimal(1)
    number = size.quantize(places, rounding=ROUND_HALF_UP).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _sign(value: Decimal) -> str:
    return "−" if value < 0 else ""


def _chain(*, bold: bool) -> list[str]:
    return [BOLD, REGULAR, SPARE] if bold else [REGULAR, SPARE]


@cache
def _face(name: str) -> tuple[FT2Font, frozenset[int]]:
    face = FT2Font(str(FILES[name]))
    face.set_size(100, 72)
    return face, frozenset(face.get_charmap())


@cache
def _drawn(char: str) -> bool:
    return any(ord(char) in _face(name)[1] for name in _chain(bold=False))


@cache
def _advance(char: str, bold: bool) -> float:
    """The width of a character in letters of one pixel."""
    name = next((each for each in _chain(bold=bold) if ord(char) in _face(each)[1]), None)
    if name is None:
        return 1.0
    glyph = _face(name)[0].load_char(ord(char))
    return float(glyph.linearHoriAdvance) / 65536 / 100


def _pieces(text: str) -> Iterator[str]:
    for char in text:
        if char.isspace():
            yield " "
        elif unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} or "\ufe00" <= char <= "\ufe0f":
            continue  # controls, joiners, marks of direction and of variation have no shape of their own
        elif _drawn(char):
            yield char
        else:
            yield _instead(char)


def _instead(char: str) -> str:
    """What to draw for a character without a glyph."""
    plain = unicodedata.normalize("NFKC", char)
    if not missing(plain):
        return plain
    base = unicodedata.normalize("NFKD", char)[0]
    if base != char and _drawn(base):
        return base
    name = unicodedata.name(char, "")
    if name.startswith("CJK") or not name:
        return GETA
    if unicodedata.category(char)[0] in "LMN":  # letters, their marks, digits
        return f"({name.split()[0].split('-')[0].capitalize()})"
    return ""


def _words(text: str) -> Iterator[str]:
    """The text in pieces that a line may end after."""
    word = ""
    for char in text:
        word += char
        if char == " " or char >= "\u2e80":
            yield word
            word = ""
    if word:
        yield word
