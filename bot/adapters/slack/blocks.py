"""Cards as Slack's Block Kit, within every limit that Slack documents or was seen to enforce.

Nothing is cut off: what is too long for one block goes on in the next, what is too long for one message goes on in
the next message, and each says so. Text is shown as it is; Slack's own formatting is used for labels only, and only
where the text beside it cannot be mistaken for formatting.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.adapters.slack.text import clean, escape, head, pieces, plain_width, styled, width
from bot.adapters.slack.words import SlackWords
from bot.messages import Button, Card, Field, Table

Block = dict[str, Any]

# docs.slack.dev, Block Kit reference
HEADER = 150
SECTION = 3000
FIELD, FIELDS = 2000, 10
CONTEXT = 2000  # one text of a context block; the block holds ten
BUTTONS, BUTTON, VALUE, ACTION = 25, 75, 2000, 255
TABLE_ROWS, TABLE_COLUMNS, TABLE_TEXT = 100, 20, 10_000
MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
VIEW_BYTES = 250_000
# Not documented: a message whose blocks come to some 13,200 characters of JSON is refused as msg_blocks_too_long.
MESSAGE_BYTES = 12_000
FALLBACK = 3000  # the text beside the blocks, for notifications; chat.update refuses more than 4,000

SIGNS = {"waiting": "🟡", "good": "🟢", "bad": "🔴"}  # the coloured bar belongs to attachments, which are legacy


@dataclass(frozen=True, slots=True)
class Part:
    """A block and what it says in plain words."""

    block: Block
    says: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One message: its blocks and the text that stands for them in a notification."""

    blocks: list[Block]
    text: str


def messages(card: Card, name: str, words: SlackWords, *, tables: bool = True) -> list[Page]:
    """The card as one message, or as several when one cannot hold it. `name` comes back with each button.

    `tables=False` draws tables with characters, for places and emulators that know no table block.
    """
    pages = _packed(_all_parts(card, name, tables=tables), MESSAGE_BLOCKS - 2, MESSAGE_BYTES - 600)
    if len(pages) == 1:
        return [_page(pages[0])]
    parts = str(len(pages))
    for number, page in enumerate(pages, start=1):
        if number > 1:
            page.insert(0, _context(words.continued.format(part=number, parts=parts)))
        if number < len(pages):
            page.append(_context(words.continues.format(part=number, parts=parts)))
    return [_page(page) for page in pages]


def home(card: Card, name: str, words: SlackWords) -> dict[str, Any]:
    """The card as a Home tab. It is one page: what does not fit is said to be elsewhere."""
    pages = _packed(_all_parts(card, name, tables=False), VIEW_BLOCKS - 1, VIEW_BYTES // 2)
    page = [*pages[0], _context(words.more)] if len(pages) > 1 else pages[0]
    return {"type": "home", "blocks": [part.block for part in page]}


def plain(text: str) -> Block:
    """Text exactly as it is: no formatting, no emoji names."""
    return {"type": "plain_text", "text": escape(text), "emoji": False}


def section(text: str) -> Part:
    return Part({"type": "section", "text": plain(text)}, text)


def sections(text: str) -> Iterator[Part]:
    for piece in pieces(text, SECTION):
        yield section(piece)


def size(blocks: Sequence[Block]) -> int:
    """How much the blocks weigh as JSON, in bytes."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")).encode())


# ---------------------------------------------------------------- a card's parts, top to bottom


def _all_parts(card: Card, name: str, *, tables: bool) -> list[Part]:
    return list(_parts(card, name, tables=tables)) or [section("…")]  # Slack refuses a message without any text


def _parts(card: Card, name: str, *, tables: bool) -> Iterator[Part]:
    sign = SIGNS.get(card.tone, "")
    title, text, note = clean(card.title).strip(), clean(card.text).strip(), clean(card.note).strip()
    if sign and title:
        title = f"{sign} {title}"
    elif sign and text:
        text = f"{sign} {text}"
    elif sign:
        yield section(sign)
    if title:
        yield from _title(title)
    yield from sections(text)
    yield from _fields(card.fields)
    if card.table is not None:
        shown = _rectangular(card.table)
        yield from _table(shown) if tables and _drawable(shown) else _drawn(shown)
    for piece in pieces(note, CONTEXT):
        yield _context(piece)
    yield from _buttons(card.buttons, name)


def _title(title: str) -> Iterator[Part]:
    line = " ".join(title.split())
    if width(line) <= HEADER:
        yield Part({"type": "header", "text": plain(line)}, line)
    else:
        yield from sections(title)


def _fields(fields: Sequence[Field]) -> Iterator[Part]:
    """Facts side by side, two a row, as long as they are short; a wide or long one has its own block."""
    row: list[tuple[Block, str]] = []
    for field in fields:
        label, value = clean(field.label).strip(), clean(field.value).strip()
        narrow = not field.wide and width(label) + width(value) + 3 <= FIELD
        if row and (not narrow or len(row) == FIELDS or sum(width(says) for _, says in row) > SECTION):
            yield _row(row)
            row = []
        if narrow and (label or value):
            row.append((_labelled(label, value), f"{label}\n{value}"))
        elif width(label) + width(value) + 3 <= SECTION and (label or value):
            yield Part({"type": "section", "text": _labelled(label, value)}, f"{label}\n{value}")
        else:
            yield from sections(f"{label}\n{value}".strip())
    if row:
        yield _row(row)


def _row(row: Sequence[tuple[Block, str]]) -> Part:
    return Part({"type": "section", "fields": [block for block, _ in row]}, "\n".join(says for _, says in row))


def _labelled(label: str, value: str) -> Block:
    """A bold label above its value; plain where Slack would find formatting in either of them."""
    if not label or not value or styled(label) or styled(value) or "\n" in label:
        return plain(f"{label}\n{value}".strip())
    # verbatim: Slack makes no links of what looks like an address or a name
    return {"type": "mrkdwn", "text": f"*{escape(label)}*\n{escape(value)}", "verbatim": True}


def _context(text: str) -> Part:
    return Part({"type": "context", "elements": [plain(text)]}, text)


# ---------------------------------------------------------------- buttons


def _buttons(buttons: Sequence[Button], name: str) -> Iterator[Part]:
    """Rows of buttons. A label that is too long is shortened on the button, and written out whole above it."""
    for start in range(0, len(buttons), BUTTONS):
        elements: list[Block] = []
        says: list[str] = []
        for index, button in enumerate(buttons[start : start + BUTTONS], start=start):
            label = clean(button.label).strip() or button.action or "…"
            if width(label) > BUTTON:
                yield from sections(f"{index + 1}. {label}")
                label = f"{index + 1}. " + head(label, BUTTON - len(str(index + 1)) - 2)
            elements.append(_button(button, label, index, name))
            says.append(f"[{label}]")
        yield Part({"type": "actions", "elements": elements}, " ".join(says))


def _button(button: Button, label: str, index: int, name: str) -> Block:
    element: Block = {
        "type": "button",
        "text": plain(label),
        "action_id": f"{index}:{button.action}"[:ACTION],  # unique in its block, whatever the actions are
    }
    if name and plain_width(name) <= VALUE:
        element["value"] = name
    if button.style in ("primary", "danger"):
        element["style"] = button.style
    return element


# ---------------------------------------------------------------- tables


def _rectangular(table: Table) -> Table:
    """Every row with the same number of cells, and each cell with something in it: Slack refuses empty ones."""
    columns = max([len(table.head), *(len(row) for row in table.rows)], default=0)

    def cells(row: Sequence[str]) -> tuple[str, ...]:
        return tuple(clean(cell).strip() or " " for cell in [*row, *[""] * (columns - len(row))])

    return Table(cells(table.head), tuple(cells(row) for row in table.rows))


def _drawable(table: Table) -> bool:
    """Whether a table block holds it: not too many columns, and each row with the head within one message."""
    rows = [table.head, *table.rows]
    return 0 < len(table.head) <= TABLE_COLUMNS and all(
        size(_cells([table.head, row])) <= MESSAGE_BYTES // 2 for row in rows
    )


def _table(table: Table) -> Iterator[Part]:
    """The table, in several blocks when it is long, each with the head; a message takes one table block."""
    rows = list(table.rows)
    while True:
        count = _fitting(table, rows)
        shown = [table.head, *rows[:count]]
        columns = [{"align": "right" if index else "left", "is_wrapped": True} for index in range(len(table.head))]
        says = "\n".join(" · ".join(row) for row in shown)
        yield Part({"type": "table", "column_settings": columns, "rows": _cells(shown)}, says)
        rows = rows[count:]
        if not rows:
            return


def _fitting(table: Table, rows: Sequence[Sequence[str]]) -> int:
    weight = size(_cells([table.head])) + 400
    text = sum(map(plain_width, table.head))
    for count, row in enumerate(rows):
        weight += size(_cells([row]))
        text += sum(map(plain_width, row))
        if count + 1 >= TABLE_ROWS or weight > MESSAGE_BYTES - 2000 or text > TABLE_TEXT:
            return max(count, 1)
    return len(rows)


def _cells(rows: Sequence[Sequence[str]]) -> list[Any]:
    return [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]


def _drawn(table: Table) -> Iterator[Part]:
    """The table with characters of one width; a table too broad for that as one line for each cell."""
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in [table.head, *table.rows]]
    if not table.head:
        return
    widths = [max(_columns(row[index]) for row in rows) for index in range(len(table.head))]
    if sum(widths) + 2 * len(widths) > 100:
        for row in rows[1:] or rows:
            pairs = zip(rows[0], row, strict=True)
            yield from sections("\n".join(f"{label}: {cell}" if label else cell for label, cell in pairs))
        return
    lines = ["  ".join(_padded(cell, widths[i], right=i > 0) for i, cell in enumerate(row)).rstrip() for row in rows]
    for piece in pieces("\n".join(lines), SECTION, plain_width):
        text = {"type": "text", "text": piece}
        block = {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [text]}]}
        yield Part(block, piece)


def _columns(text: str) -> int:
    """How many columns the text takes where a Chinese character takes two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(cell: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - _columns(cell))
    return space + cell if right else cell + space


# ---------------------------------------------------------------- messages


def _packed(parts: Sequence[Part], blocks: int, weight: int) -> list[list[Part]]:
    """The parts on as few pages as hold them: so many blocks, so many bytes and one table block on each."""
    pages: list[list[Part]] = [[]]
    bytes_used = 0
    tables = 0
    for part in parts:
        own = size([part.block])
        table = part.block["type"] == "table"
        if pages[-1] and (len(pages[-1]) >= blocks or bytes_used + own > weight or (table and tables)):
            pages.append([])
            bytes_used = tables = 0
        pages[-1].append(part)
        bytes_used += own
        tables += table
    return pages


def _page(parts: Sequence[Part]) -> Page:
    says = "\n".join(part.says for part in parts if part.says)
    return Page([part.block for part in parts], escape(head(says, FALLBACK)))
