"""What Telegram checks in a call: the markup, the limits, and, where the published specification lies, every field."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

_TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "a", "tg-spoiler", "blockquote"}
_KINDS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "a": "text_link"}
_TAG = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s+[a-z-]+(?:=\"[^\"<>]*\")?)*)\s*>")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay")


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, code: int, why: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(why)
        self.code, self.why, self.parameters = code, why, parameters


def units(text: str) -> int:
    """Length as UTF-16 counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parsed(html: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of Telegram's HTML; refuses what Telegram cannot read."""
    text, at = "", 0
    entities: list[dict[str, Any]] = []
    opened: list[tuple[str, int, str]] = []
    while at < len(html):
        if html[at] == "<":
            tag = _TAG.match(html, at)
            if tag is None or tag[2].lower() not in _TAGS:
                raise Refused(400, f"Bad Request: can't parse entities: Unsupported start tag at byte offset {at}")
            at = tag.end()
            if not tag[1]:
                opened.append((tag[2].lower(), len(text), tag[3]))
                continue
            if not opened or opened[-1][0] != tag[2].lower():
                raise Refused(400, f"Bad Request: can't parse entities: Unmatched end tag at byte offset {at}")
            name, begin, attributes = opened.pop()
            if text[begin:].strip():
                found = re.search(r'href="([^"]*)"', attributes)
                entities.append(
                    {
                        "type": _KINDS.get(name, name),
                        "offset": units(text[:begin]),
                        "length": units(text[begin:]),
                        **({"url": unescape(found[1])} if found else {}),
                    }
                )
        elif html[at] == "&" and (reference := _REFERENCE.match(html, at)):
            text += unescape(reference[0])
            at = reference.end()
        else:
            text += html[at]
            at += 1
    if opened:
        raise Refused(400, f"Bad Request: can't parse entities: Can't find end tag corresponding to {opened[-1][0]}")
    return _clean(text), entities


def _clean(text: str) -> str:
    """What the server does to every text: it takes characters away that change how others are shown, and trims."""
    text = text.replace("\r", "")
    text = "".join(" " if ord(char) < 32 and char != "\n" else char for char in text)
    return re.sub("[\u202a-\u202e\u0333\u033f\u030a]", "", text).strip()


def said(params: dict[str, Any], field: str = "text", most: int = 4096) -> tuple[str, list[dict[str, Any]]]:
    raw = str(params.get(field, ""))
    if params.get("parse_mode") == "HTML":
        text, entities = parsed(raw)
    else:
        text, entities = _clean(raw), []
    if not text and field == "text":
        raise Refused(400, "Bad Request: message text is empty")
    if units(text) > most:
        raise Refused(400, f"Bad Request: {'message' if field == 'text' else 'message caption'} is too long")
    if len(entities) > 100:
        raise Refused(400, "Bad Request: more than 100 entities")
    return text, entities


def keyboard(markup: Any) -> list[list[dict[str, Any]]]:
    """The rows of an inline keyboard; refuses what Telegram refuses, and rows a telephone does not show."""
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    buttons = [button for row in rows for button in row]
    if len(buttons) > 100 or len(json.dumps(markup, ensure_ascii=False).encode()) > 10_000:
        raise Refused(400, "Bad Request: reply markup is too long")
    if any(not 1 <= len(row) <= 8 for row in rows):
        raise Refused(400, "Bad Request: a row has 1 to 8 buttons")
    for button in buttons:
        if not str(button.get("text", "")).strip():
            raise Refused(400, "Bad Request: can't parse inline keyboard button: button text must be non-empty")
        if sum(action in button for action in _ACTIONS) != 1:
            raise Refused(400, "Bad Request: text buttons are not allowed in the inline keyboard")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return [list(row) for row in rows]


# ---------------------------------------------------------------- the specification


@cache
def specification() -> dict[str, Any] | None:
    """The published Bot API as data; None where it does not lie next to the project."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
    folder = Path(os.environ.get("DEALDESK_SPECS", beside))
    path = folder / "telegram" / "telegram-bot-api-spec.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def violations(method: str, params: dict[str, Any]) -> list[str]:
    """What the specification does not know about this call."""
    spec = specification()
    if spec is None:
        return []
    if method not in spec["methods"]:
        return [f"{method}: no such method"]
    return _fields(spec, method, spec["methods"][method].get("fields", []), params)


def _fields(spec: dict[str, Any], where: str, fields: list[dict[str, Any]], given: dict[str, Any]) -> list[str]:
    known = {field["name"]: field for field in fields}
    found = [f"{where}: unknown {name}" for name in given if name not in known]
    found += [f"{where}: {name} is missing" for name, field in known.items() if field["required"] and name not in given]
    for name, value in given.items():
        if name in known and not any(not _typed(spec, kind, value) for kind in known[name]["types"]):
            found += _typed(spec, known[name]["types"][0], value, f"{where}.{name}")
    return found


def _typed(spec: dict[str, Any], kind: str, value: Any, where: str = "") -> list[str]:
    plain = {"Integer": int, "String": str, "Boolean": bool, "Float": (int, float), "InputFile": tuple, "True": bool}
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [wrong for item in value for wrong in _typed(spec, kind[9:], item, where)]
    if kind in plain:
        fits = isinstance(value, plain[kind]) and not (kind == "Integer" and isinstance(value, bool))  # type: ignore[arg-type]
        return [] if fits else [f"{where}: {value!r} is no {kind}"]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    return _fields(spec, f"{where}:{kind}", spec["types"].get(kind, {}).get("fields", []), value)
