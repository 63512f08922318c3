"""What Slack refuses in blocks and views, from its reference; with the published schema too where that is at hand."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

SPECS = Path(os.environ.get("DEALDESK_SPECS") or Path(__file__).parents[2].parent / "shared" / "specs") / "slack"
BLOCKS_TOO_LONG = 13_200  # bytes of JSON; not documented, measured by others
_RAW = re.compile(r"[<>]|&(?!(?:amp|lt|gt);)")

Block = dict[str, Any]


class Refused(Exception):
    """Slack's word for it, and where."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code}: {where}")
        self.code, self.where = code, where


def message(arguments: dict[str, Any], method: str) -> None:
    """A message's text and blocks."""
    text, blocks = arguments.get("text") or "", arguments.get("blocks")
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > (4000 if method == "chat.update" else 40_000):
        raise Refused("msg_too_long")
    _need(not _RAW.search(text), "the fallback text is not escaped")
    if blocks is not None:
        _blocks(blocks, "message", 50)
        if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")).encode()) > BLOCKS_TOO_LONG:
            raise Refused("msg_blocks_too_long")
    _schema("chat", blocks or [])


def view(shown: Any, kind: str) -> None:
    """A modal or a Home tab."""
    _need(isinstance(shown, dict) and shown.get("type") == kind, "the view's type")
    if len(json.dumps(shown, ensure_ascii=False).encode()) > 250_000:
        raise Refused("view_too_large")
    _need(len(shown.get("private_metadata", "")) <= 3000, "private_metadata")
    _need(len(shown.get("callback_id", "")) <= 255, "callback_id")
    if kind == "modal":
        for key in ("title", "submit", "close"):
            if key in shown or key == "title":
                _text(shown[key], 24, key, plain=True)
        if any(block["type"] == "input" for block in shown["blocks"]):
            _need("submit" in shown, "inputs need submit")
    _need(bool(shown["blocks"]), "no blocks")
    _blocks(shown["blocks"], kind, 100)
    _schema("modal" if kind == "modal" else "home", [shown])


def _blocks(blocks: Any, surface: str, most: int) -> None:
    _need(isinstance(blocks, list) and len(blocks) <= most, f"at most {most} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    _need(len(set(ids)) == len(ids) and all(0 < len(name) <= 255 for name in ids), "block_id")
    _need(sum(block["type"] == "table" for block in blocks) <= 1, "only_one_table_allowed")
    for block in blocks:
        check = _BLOCKS.get(block["type"])
        _need(check is not None, f"a {block['type']} block")
        _need(block["type"] != "input" or surface != "message", "an input in a message")
        _need(block["type"] != "table" or surface == "message", "a table in a view")
        assert check is not None
        check(block)


def _text(text: Any, most: int, where: str, *, plain: bool = False) -> None:
    _need(isinstance(text, dict) and text.get("type") in ("plain_text", "mrkdwn"), f"{where}: text object")
    _need(not plain or text["type"] == "plain_text", f"{where}: plain_text")
    _need(1 <= _long(text["text"]) <= most, f"{where}: 1 to {most} characters, has {_long(text['text'])}")
    _need(not _RAW.search(text["text"]), f"{where}: not escaped")
    _need(bool(text["text"].strip()), f"{where}: blank")


def _long(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _header(block: Block) -> None:
    _text(block["text"], 150, "header", plain=True)


def _section(block: Block) -> None:
    _need("text" in block or "fields" in block, "a section without anything")
    if "text" in block:
        _text(block["text"], 3000, "section")
    if "fields" in block:
        _need(1 <= len(block["fields"]) <= 10, "1 to 10 fields")
        for field in block["fields"]:
            _text(field, 2000, "field")


def _context(block: Block) -> None:
    _need(1 <= len(block["elements"]) <= 10, "1 to 10 context elements")
    for element in block["elements"]:
        _text(element, 3000, "context")


def _actions(block: Block) -> None:
    elements = block["elements"]
    _need(1 <= len(elements) <= 25, "1 to 25 elements")
    ids = [element["action_id"] for element in elements]
    _need(len(set(ids)) == len(ids), "duplicate action_id")
    for element in elements:
        _need(element["type"] == "button", "an element of another kind")
        _text(element["text"], 75, "button", plain=True)
        _need(1 <= len(element["action_id"]) <= 255, "action_id")
        _need("value" not in element or 1 <= len(element["value"]) <= 2000, "button value")
        _need(element.get("style") in (None, "primary", "danger"), "button style")


def _table(block: Block) -> None:
    rows = block["rows"]
    _need(1 <= len(rows) <= 100, "1 to 100 rows")
    _need(all(1 <= len(row) <= 20 for row in rows) and len({len(row) for row in rows}) == 1, "1 to 20 cells")
    _need(len(block.get("column_settings", [])) <= 20, "column settings")
    cells = [cell for row in rows for cell in row]
    _need(all(cell["type"] == "raw_text" and cell["text"] for cell in cells), "an empty cell")
    _need(sum(_long(cell["text"]) for cell in cells) <= 10_000, "10,000 characters in a table")


def _rich(block: Block) -> None:
    for element in block["elements"]:
        _need(element["type"] == "rich_text_preformatted" and bool(element["elements"]), "rich text")
        _need(all(part["type"] == "text" and part["text"] for part in element["elements"]), "empty rich text")


def _input(block: Block) -> None:
    _text(block["label"], 2000, "label", plain=True)
    if "hint" in block:
        _text(block["hint"], 2000, "hint", plain=True)
    element = block["element"]
    _need(1 <= len(element["action_id"]) <= 255, "action_id")
    if element["type"] == "static_select":
        groups = [group["options"] for group in element.get("option_groups", [])] or [element["options"]]
        _need(len(groups) <= 100 and all(1 <= len(options) <= 100 for options in groups), "1 to 100 options")
        options = [option for group in groups for option in group]
        for option in options:
            _text(option["text"], 75, "option", plain=True)
            _need(1 <= len(option["value"]) <= 150, "option value")
        _need("initial_option" not in element or element["initial_option"] in options, "initial_option")
    elif element["type"] == "number_input":
        _need(isinstance(element["is_decimal_allowed"], bool), "is_decimal_allowed")
        if "initial_value" in element:
            _need(bool(re.fullmatch(r"-?\d+(\.\d+)?", element["initial_value"])), "initial_value is no number")
    else:
        _need(element["type"] == "plain_text_input", "an input of another kind")
        _need(len(element.get("initial_value", "")) <= 3000, "initial_value")


_BLOCKS: dict[str, Callable[[Block], None]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "table": _table,
    "rich_text": _rich,
    "input": _input,
}


def _need(well: bool, where: str) -> None:
    if not well:
        raise Refused("invalid_blocks", where)


# ---------------------------------------------------------------- the published schema


def _schema(kind: str, values: list[Any]) -> None:
    validator = _validator({"chat": "KnownBlock", "modal": "ModalView", "home": "HomeView"}[kind])
    for value in values if validator else ():
        problem = next(iter(validator.iter_errors(value)), None)
        if problem is not None:
            raise Refused("invalid_blocks", f"schema: {problem.message[:300]}")


@cache
def _validator(definition: str) -> Any:
    """None where the specification or the library to check it is absent; the rules above are checked in any case."""
    path = SPECS / "slack-types.schema.json"
    try:
        jsonschema = importlib.import_module("jsonschema")
    except ImportError:
        return None
    if not path.exists():
        return None
    schema = json.loads(path.read_text("utf-8"))
    return jsonschema.Draft7Validator({**schema, "$ref": f"#/definitions/{definition}"})


def words(value: Any) -> Iterator[str]:
    """Every text that a person would read in blocks or a view, as Slack's clients show it."""
    if isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                parsed = value.get("type") in ("plain_text", "mrkdwn")
                yield item.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if parsed else item
            elif key == "initial_value":
                yield str(item)
            elif isinstance(item, dict | list):
                yield from words(item)
