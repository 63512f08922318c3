"""An `Ask` as a Slack modal, and the modal's answer as values.

What has to come back with a form travels in the view itself, so a form that was opened before a restart still works.
"""

from __future__ import annotations

import base64
import json
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from bot.adapters.slack.blocks import VALUE, VIEW_BLOCKS, VIEW_BYTES, Block, plain, sections, size
from bot.adapters.slack.text import clean, head, pieces, plain_width, width
from bot.adapters.slack.words import SlackWords
from bot.messages import Ask, Input

# docs.slack.dev, modals, input block and block elements
TITLE = 24  # also submit and close
LABEL, HINT = 2000, 2000
INPUT = 3000
OPTIONS, OPTION, OPTION_VALUE = 100, 75, 150
METADATA = 3000
FORM = "form"  # callback_id
LARGEST = VIEW_BLOCKS - 10  # blanks; the rest is for text above them


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a form was asked for: the address its values go to, and the message that offered it, if one did."""

    address: str
    private: bool
    message: str = ""  # "channel/ts", taken away once the form was sent


def view(ask: Ask, origin: Origin, words: SlackWords) -> dict[str, Any]:
    """The modal. `ValueError` when it has more blanks, or is longer, than Slack opens."""
    if len(ask.inputs) > LARGEST:
        raise ValueError(words.too_many_blanks.format(count=len(ask.inputs), largest=LARGEST))
    title, submit = clean(ask.title).strip() or "…", clean(ask.submit).strip() or words.send
    above = clean(ask.text).strip()
    if width(title) > TITLE:
        above = f"{title}\n{above}".strip()
    if width(submit) > TITLE:
        above = f"{above}\n[{submit}]".strip()
    body: list[Block] = []
    for index, blank in enumerate(ask.inputs):
        body += _blank(index, blank, words)
    lead = [part.block for part in sections(above)]
    shown = {
        "type": "modal",
        "callback_id": FORM,
        "title": plain(head(title, TITLE)),
        "submit": plain(head(submit, TITLE)),
        "close": plain(head(words.cancel, TITLE)),
        "private_metadata": json.dumps([ask.name, origin.address, origin.private, origin.message]),
        "blocks": lead + body,
    }
    if not ask.inputs and not lead:
        shown["blocks"] = [{"type": "section", "text": plain(title)}]
    if len(shown["blocks"]) > VIEW_BLOCKS or size([shown]) > VIEW_BYTES or len(shown["private_metadata"]) > METADATA:
        raise ValueError(words.too_many_blanks.format(count=len(ask.inputs), largest=LARGEST))
    return shown


def notice(text: str, title: str, words: SlackWords) -> dict[str, Any]:
    """A modal that only says something: while a form is on its way, or that none comes."""
    shown = head(clean(title).strip() or "…", TITLE)
    blocks = [part.block for part in sections(text)]
    return {"type": "modal", "title": plain(shown), "close": plain(head(words.close, TITLE)), "blocks": blocks}


def _blank(index: int, blank: Input, words: SlackWords) -> Iterator[Block]:
    label, hint = clean(blank.label).strip() or blank.name or "…", clean(blank.hint).strip()
    if width(label) > LABEL:
        yield from (part.block for part in sections(label))
        label = head(label, 200)
    hints = list(pieces(hint, HINT)) if hint else []
    for extra in hints[1:]:
        yield {"type": "context", "elements": [plain(extra)]}
    element, below = _element(blank, words)
    yield from below
    block: Block = {
        "type": "input",
        # how the answer is checked when it comes; unique by its number
        "block_id": f"{index}:{blank.kind}:{'required' if blank.required else 'optional'}"[:255],
        "label": plain(label),
        "element": element,
        "optional": not blank.required,
    }
    if hints:
        block["hint"] = plain(hints[0])
    yield block


def _element(blank: Input, words: SlackWords) -> tuple[Block, list[Block]]:
    """The thing to fill in, and what has to be written above it because it has no room inside."""
    action_id = blank.name[:255] or "value"
    options = [(value, clean(label).strip() or value or "…") for value, label in blank.options]
    if blank.kind == "choice" and options and all(plain_width(value) < OPTION_VALUE for value, _ in options):
        return _select(action_id, blank, options)
    value = clean(blank.value)
    if blank.kind == "number" and (not value.strip() or _number(value) is not None):
        element: Block = {"type": "number_input", "action_id": action_id, "is_decimal_allowed": True}
        number = _number(value)
        return element | ({"initial_value": number} if number is not None else {}), []
    element = {"type": "plain_text_input", "action_id": action_id, "max_length": INPUT}
    if blank.kind == "long":
        element["multiline"] = True
    above = [part.block for part in sections("\n".join(f"{value}: {label}" for value, label in options))]
    if plain_width(value) > INPUT:
        above += [part.block for part in sections(words.shortened)]
        value = head(value, INPUT, plain_width)
    return element | ({"initial_value": value} if value.strip() else {}), above


def _select(action_id: str, blank: Input, options: Sequence[tuple[str, str]]) -> tuple[Block, list[Block]]:
    """A menu. Labels that are too long are numbered in it and written out above; long menus come in groups."""
    above: list[Block] = []
    if any(width(label) > OPTION for _, label in options):
        numbered = [f"{number}. {label}" for number, (_, label) in enumerate(options, start=1)]
        above = [part.block for part in sections("\n".join(numbered))]
        options = [(value, text) for (value, _), text in zip(options, numbered, strict=True)]
    # "=" in front, because Slack refuses an empty value
    shown = [{"text": plain(head(label, OPTION)), "value": f"={value}"} for value, label in options]
    element: Block = {"type": "static_select", "action_id": action_id}
    if len(shown) <= OPTIONS:
        element["options"] = shown
    else:
        element["option_groups"] = [
            {
                "label": plain(f"{start + 1}-{min(start + OPTIONS, len(shown))}"),
                "options": shown[start : start + OPTIONS],
            }
            for start in range(0, len(shown), OPTIONS)
        ][:OPTIONS]
    chosen = next((option for option in shown if option["value"] == f"={blank.value}"), None)
    if chosen and blank.value:
        element["initial_option"] = chosen
    return element, above


# ---------------------------------------------------------------- the answer


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent: `errors` says by block what is wrong, and then nothing else counts."""

    form: str
    origin: Origin
    values: dict[str, str]
    errors: dict[str, str]


def filled(shown: Mapping[str, Any], words: SlackWords) -> Filled:
    """Read a submitted view. `ValueError` when it is not one of ours."""
    name, address, private, message = json.loads(shown["private_metadata"])
    if not (isinstance(name, str) and isinstance(address, str) and isinstance(message, str)):
        raise TypeError("private_metadata")
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for block_id, answers in shown["state"]["values"].items():
        _, _, rest = str(block_id).partition(":")
        kind, _, need = rest.partition(":")
        for blank, answer in answers.items():
            value = _answer(answer)
            values[blank] = value
            if not value:
                if need == "required":
                    errors[block_id] = words.required
            elif kind == "number":
                number = _number(value)
                if number is None:
                    errors[block_id] = words.number
                else:
                    values[blank] = number
    return Filled(name, Origin(address, bool(private), message), values, errors)


def _answer(answer: Mapping[str, Any]) -> str:
    option = answer.get("selected_option")
    if isinstance(option, dict):
        return str(option.get("value", ""))[1:]
    return str(answer.get("value") or "").strip()


def _number(text: str) -> str | None:
    """A number as people write it (1,200.50, 1 200, full-width digits) in plain digits; None when it is none."""
    plain_text = unicodedata.normalize("NFKC", text).replace(",", "").replace("_", "x")
    try:
        number = Decimal("".join(plain_text.split()))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return None
    return format(number, "f")  # without an exponent, which Slack's number input refuses


# ---------------------------------------------------------------- a form that waits behind a button


def packed(ask: Ask) -> str:
    """The form as a button's value, so that the button works after a restart; "" when it is too long for that."""
    text = base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(ask), 9)).decode()
    return text if len(text) <= VALUE else ""


def unpacked(value: str) -> Ask:
    """The form that a button's value holds. `ValueError` when it holds none."""
    try:
        return msgspec.json.decode(zlib.decompress(base64.urlsafe_b64decode(value)), type=Ask)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise ValueError("not a form") from error
