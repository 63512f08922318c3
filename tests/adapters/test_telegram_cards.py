"""Any card becomes messages that Telegram takes, and nothing of it is lost on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import messages as m
from bot.adapters.telegram.cards import columns, cut, decode, encode, parts, width
from bot.adapters.telegram.say import markup
from bot.adapters.telegram.words import TelegramWords
from tests.fakes.telegram_rules import keyboard, parsed, said, units, violations

WORDS = TelegramWords()
MARKUP = [
    "<b>",
    "</b>",
    "&amp;",
    "&",
    "<",
    '">',
    "<a href='x'>",
    "@deal_bot ",
    "https://example.com/?a=1&b=2 ",
    "/order ",
]
PIECES = [
    *MARKUP,
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "é",
    "مرحبا بالعالم ",
    "小工具",
    "\u202e",
    "\r\n",
    "\n",
    " ",
    "\t",
    "x" * 300,
    "word " * 300,
]
texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=30)), max_size=60).map("".join),
)
short = st.one_of(st.text(max_size=12), st.sampled_from(["", "1,200", "小工具", "x" * 200]))
actions = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
buttons = st.builds(m.Button, st.one_of(short, texts), actions, st.sampled_from(["plain", "primary", "danger"]))
tables = st.integers(1, 5).flatmap(
    lambda wide: st.builds(
        m.Table,
        st.tuples(*[short] * wide),
        st.lists(st.tuples(*[short] * wide), max_size=40).map(tuple),
    )
)
cards = st.builds(
    m.Card,
    text=texts,
    title=texts,
    fields=st.lists(st.builds(m.Field, short, texts), max_size=30).map(tuple),
    table=st.none() | tables,
    note=texts,
    buttons=st.one_of(
        st.lists(buttons, max_size=12),
        st.lists(buttons, min_size=1, max_size=3).map(lambda few: (few * 70)[:200]),
    ).map(tuple),
    tone=st.sampled_from(["plain", "waiting", "good", "bad"]),
)


def essence(text: str) -> str:
    """A text without what Telegram trims or replaces: spaces, control characters, marks of direction."""
    return re.sub("[\\s\x00-\x20\x7f-\x9f\u202a-\u202e\u0333\u033f\u030a\ud800-\udfff]", "", text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cards, st.sampled_from(["", "order:42", "名" * 30, "a|b"]))
def test_any_card(card: m.Card, name: str) -> None:
    shown = parts(card, WORDS, name)
    read, labels, pressed = [], [], []
    for part in shown:
        params: dict[str, Any] = {
            "chat_id": 77,
            "text": part.html,
            "parse_mode": "HTML",
            "reply_markup": {"inline_keyboard": part.keyboard},
        }
        assert violations("sendMessage", params) == []
        text, _ = said(params)
        read.append(text)
        assert len(markup(part.keyboard).encode()) < 10_000
        for row in keyboard(params["reply_markup"]):
            for made in row:
                labels.append(made["text"])
                action, carried = decode(made["callback_data"])
                pressed.append(action)
                assert carried in (name, "")
                assert carried == name or part.unnamed
    assert pressed == [button.action for button in card.buttons]
    of = len(shown)
    marks = [f"continued ({number}/{of})" for number in range(1, of + 1)]
    assert of == 1 or all(mark in text for mark, text in zip(marks, read, strict=True))
    whole = essence(" ".join(text.replace(mark, "") for mark, text in zip(marks, read, strict=True)))
    everything = whole + essence(" ".join(labels))
    table = [cell for row in (card.table.head, *card.table.rows) for cell in row] if card.table else []
    for piece in (
        card.title,
        card.text,
        card.note,
        *table,
        *(f.label for f in card.fields),
        *(f.value for f in card.fields),
    ):
        assert essence(piece) in whole
    for button in card.buttons:
        assert essence(button.label) in everything


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(20, 200))
def test_a_cut_loses_nothing_but_spaces(text: str, limit: int) -> None:
    head, tail = cut(text, limit)
    assert width(head) == units(head) <= limit
    assert essence(head + tail) == essence(text)
    assert tail == "" or head != ""


def test_a_cut_does_not_tear_what_is_one_sign() -> None:
    family = "👩‍👩‍👧‍👦"
    for limit in range(20, 40):
        head, _ = cut(family * 10, limit)
        assert head.replace(family, "") == ""
    assert cut("e\u0301" * 40, 21)[0] == "e\u0301" * 10


def test_a_table_stands_in_columns_where_it_fits_and_in_lines_where_not() -> None:
    narrow = m.Table(("Product", "Qty"), (("小工具 A", "40"), ("B", "5")))
    text, entities = parsed(parts(m.Card(table=narrow), WORDS)[0].html)
    assert text == "Product   Qty\n小工具 A   40\nB           5"
    assert {columns(line) for line in text.splitlines()} == {13}
    assert entities[0]["type"] == "pre"
    wide = m.Table(("Product", "Total"), (("A rather long product name, in red", "$1,200"), ("B", "")))
    text, _ = parsed(parts(m.Card(table=wide), WORDS)[0].html)
    assert text == "Product · Total\n• A rather long product name, in red · $1,200\n• B"


def test_buttons_share_a_row_as_long_as_they_can_be_read() -> None:
    def rows(*labels: str) -> list[int]:
        made = tuple(m.Button(label, "a") for label in labels)
        return [len(row) for row in parts(m.Card(text="x", buttons=made), WORDS)[0].keyboard]

    assert rows("Approve", "Reject", "Request changes") == [2, 1]
    assert rows(*"123456789") == [8, 1]
    assert rows("批准", "驳回", "要求修改") == [3]
    assert rows("A name that is as long as names are", "B") == [1, 1]


@pytest.mark.parametrize("action", ["", "x" * 65, "x" * 60 + "|小"])
def test_an_action_that_cannot_travel_is_refused(action: str) -> None:
    with pytest.raises(m.CannotDeliver) as caught:
        encode(action, "")
    assert caught.value.gone


def test_an_empty_card_is_still_a_message() -> None:
    assert [part.html for part in parts(m.Card(), WORDS)] == ["…"]
    assert [part.html for part in parts(m.Card(tone="good"), WORDS)] == ["<b>✅</b>"]
