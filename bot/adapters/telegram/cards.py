"""A card as Telegram shows it: one or more messages of HTML, with an inline keyboard.

Nothing is cut off. What is longer than a message goes on in the next one, which says so; so do too many buttons.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.adapters.telegram.words import TelegramWords
from bot.messages import Button, CannotDeliver, Card, Table

TEXT = 4096  # characters after the markup is read; Telegram counts as UTF-16 does
CAPTION = 1024
DATA = 64  # bytes of callback_data
BUTTONS = 100  # on one message, and
ROW = 8  # in one row: found by experiment, the Bot API names no number
MARKUP = 8000  # bytes; "reply markup is too long" comes from about 10 kB
LABEL = 120  # characters of a button; a telephone shows less, so the whole of a longer one is said in the text
ROW_WIDTH = 36  # columns of a telephone's keyboard
PRE_WIDTH = 34  # columns of monospace before a telephone wraps them
SIGNS = {"waiting": "⏳", "good": "✅", "bad": "❌"}
STYLES = {"primary": "primary", "danger": "danger"}
_CONTROL = {code: " " for code in range(32) if code != 10} | {127: " "}
_TAGS = {"": ("", ""), "b": ("<b>", "</b>"), "i": ("<i>", "</i>"), "pre": ("<pre>", "</pre>")}
_GAP, _LINE = "\n\n", "\n"
_WORTH_FILLING = 400  # room below which a long line begins a new message instead of being cut here

Keyboard = list[list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Part:
    """One message. `unnamed`: its buttons had no room for their card's name, so somebody has to remember it."""

    html: str
    keyboard: Keyboard
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    sep: str  # what stands between it and the piece before
    kind: str
    text: str


def parts(card: Card, words: TelegramWords, name: str = "", lead: str = "") -> list[Part]:
    """The messages of a card, top to bottom; the buttons stand under the last of the text.

    `lead` is ready HTML, such as a mention, that goes before everything.
    """
    keyboards = _keyboards(card.buttons, name)
    reserve = 2 * width(words.part.format(number=999, of=999)) + (width(lead) if lead else 0) + 8
    texts = _packed(_pieces(card), TEXT - reserve) or [[]]
    of = len(texts) + max(0, len(keyboards) - 1)
    found = []
    for index in range(of):
        keyboard, unnamed = ([], False) if index < len(texts) - 1 else _at(keyboards, index - len(texts) + 1)
        pieces = texts[index] if index < len(texts) else []
        body = "".join((piece.sep if at else "") + _html(piece) for at, piece in enumerate(pieces))
        if of > 1:
            mark = f"<i>{escape(words.part.format(number=index + 1, of=of))}</i>"
            body = (f"{mark}\n\n{body}" if index else f"{body}\n\n{mark}").strip("\n")
        found.append(Part((lead if index == 0 else "") + (body or "…"), keyboard, unnamed))
    return found


def caption(text: str) -> tuple[str, str]:
    """A picture's caption and what did not fit into it, both plain."""
    return cut(cleaned(text).strip(), CAPTION)


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def cleaned(text: str) -> str:
    """Text without what Telegram would refuse or replace: control characters and halves of characters."""
    if not text.isprintable():
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def width(text: str) -> int:
    """Its length as Telegram counts it."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def decode(data: str) -> tuple[str, str]:
    """The action and the card's name that a button carries."""
    action, bar, name = data.rpartition("|")
    return (action, name) if bar else (data, "")


# ---------------------------------------------------------------- text


def _pieces(card: Card) -> list[_Piece]:
    sign = SIGNS.get(card.tone, "")
    title, text, note = (cleaned(part).strip() for part in (card.title, card.text, card.note))
    if sign and (title or not text):
        title = f"{sign} {title}".strip()
    elif sign:
        text = f"{sign} {text}"
    found = [_Piece(_GAP, "b", title), _Piece(_LINE if title and len(text) < 80 else _GAP, "", text)]
    sep = _GAP
    for item in card.fields:
        label, value = cleaned(item.label).strip(), cleaned(item.value).strip()
        middle = ":\n" if label and "\n" in value else ": " if label else ""
        found.append(_Piece(sep, "", f"{label}{middle}{value}"))
        sep = _LINE
    found += _table(card.table) if card.table else []
    found.append(_Piece(_GAP, "i", note))
    sep = _GAP
    for button in card.buttons:
        if width(button.label) > LABEL:
            found.append(_Piece(sep, "", "▸ " + cleaned(button.label).strip()))
            sep = _LINE
    return [piece for piece in found if piece.text.strip()]


def _table(table: Table) -> list[_Piece]:
    """In columns where a telephone shows them side by side, else a row a line."""
    count = max(len(row) for row in (table.head, *table.rows))
    rows = [[cleaned(cell).strip() for cell in row] + [""] * (count - len(row)) for row in (table.head, *table.rows)]
    wide = [max(columns(row[index]) for row in rows) for index in range(count)]
    if sum(wide) + 2 * (count - 1) <= PRE_WIDTH and not any("\n" in cell for row in rows for cell in row):
        lines = [_aligned(row, wide) for row in rows if any(row)]
        return [_Piece(_GAP, "pre", "\n".join(lines))] if lines else []
    found, sep, kind = [], _GAP, "i"
    for row in rows:
        line = " · ".join(cell.replace("\n", " ") for cell in row if cell)
        if line:
            found.append(_Piece(sep, kind, line if kind else f"• {line}"))
            sep = _LINE
        kind = ""
    return found


def _aligned(row: Sequence[str], wide: Sequence[int]) -> str:
    cells = []
    for index, (cell, room) in enumerate(zip(row, wide, strict=True)):
        space = " " * (room - columns(cell))
        cells.append(space + cell if index else cell + space)
    return "  ".join(cells).rstrip()


def columns(text: str) -> int:
    """How many columns it takes in monospace: a Chinese character takes two."""
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


@lru_cache(4096)
def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _html(piece: _Piece) -> str:
    begin, end = _TAGS[piece.kind]
    return f"{begin}{escape(piece.text)}{end}"


def _packed(pieces: Sequence[_Piece], limit: int) -> list[list[_Piece]]:
    """Pieces in messages of at most `limit` characters; a piece is cut only when no message could hold it."""
    messages: list[list[_Piece]] = []
    room = 0
    for piece in pieces:
        rest = piece
        while rest.text:
            need = width(rest.text) + len(rest.sep)
            if messages and need <= room:
                messages[-1].append(rest)
                room -= need
                break
            if width(rest.text) <= limit and (not messages or need <= limit or not messages[-1]):
                messages.append([rest])
                room = limit - width(rest.text)
                break
            if not messages or room < _WORTH_FILLING:
                messages.append([])
                room = limit
            head, tail = cut(rest.text, room - len(rest.sep))
            messages[-1].append(_Piece(rest.sep, rest.kind, head))
            rest, room = _Piece(_LINE, rest.kind, tail), 0
    return messages


def cut(text: str, limit: int) -> tuple[str, str]:
    """Its beginning of at most `limit` characters, cut at a line's or a word's end where there is one, and the rest."""
    if width(text) <= limit:
        return text, ""
    end, used = 0, 0
    while used + (size := 2 if text[end] > "\uffff" else 1) <= limit:
        end, used = end + 1, used + size
    head = text[:end]
    for mark in ("\n", " "):
        at = head.rfind(mark, end // 2)
        if at > 0 and head[:at].strip():
            return head[:at].rstrip(), text[at:].strip()
    end -= _joined(text, end)
    return text[:end].rstrip() or text[:end], text[end:].strip()


def _joined(text: str, end: int) -> int:
    """How many characters to step back so as not to cut through an accent or an emoji made of several."""
    for back in range(min(12, end - 1)):
        after, before = text[end - back], text[end - back - 1]
        if _columns(after) and not "\U0001f3fb" <= after <= "\U0001f3ff" and before != "\u200d":
            return back
    return 0


# ---------------------------------------------------------------- buttons


def _at(keyboards: Sequence[tuple[Keyboard, bool]], index: int) -> tuple[Keyboard, bool]:
    return keyboards[index] if index < len(keyboards) else ([], False)


def _keyboards(buttons: Sequence[Button], name: str) -> list[tuple[Keyboard, bool]]:
    """The buttons on as many messages as they need, each with whether a button had no room for the name."""
    found: list[tuple[Keyboard, bool]] = []
    row: list[dict[str, str]] = []
    widest = count = size = 0
    for button in buttons:
        made, unnamed = _button(button, name)
        weight = 40 + len(made["text"].encode()) + len(made["callback_data"]) + 20 * ("style" in made)
        if not found or count == BUTTONS or size + weight > MARKUP:
            found.append(([], False))
            row, count, size = [], 0, 0
        keyboard, before = found[-1]
        widest = max(widest, columns(made["text"]) + 2)
        if not row or len(row) == ROW or widest * (len(row) + 1) > ROW_WIDTH:
            row, widest = [], columns(made["text"]) + 2
            keyboard.append(row)
        row.append(made)
        count, size = count + 1, size + weight
        found[-1] = (keyboard, before or unnamed)
    return found


def _button(button: Button, name: str) -> tuple[dict[str, str], bool]:
    label = " ".join(cleaned(button.label).split()) or "…"
    if width(label) > LABEL:
        label = cut(label, LABEL - 1)[0] + "…"
    data, unnamed = encode(button.action, name)
    made = {"text": label, "callback_data": data}
    if button.style in STYLES:
        made["style"] = STYLES[button.style]
    return made, unnamed


def encode(action: str, name: str) -> tuple[str, bool]:
    """What a button carries: its action, and its card's name where that fits; else True, and it is to be remembered."""
    bare = f"{action}|" if "|" in action else action
    if not action or len(bare.encode()) > DATA:
        raise CannotDeliver(f"a button's action takes 1 to {DATA} bytes on Telegram", gone=True)
    if not name:
        return bare, False
    both = f"{action}|{name}"
    return (bare, True) if "|" in name or len(both.encode()) > DATA else (both, False)
