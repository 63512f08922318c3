"""Cards and forms as Slack's blocks: whatever they hold, Slack takes the payload, and nothing is left out."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import messages as m
from bot.adapters.slack import blocks, forms
from bot.adapters.slack.text import clean, head, pieces, plain_width, typed, width
from bot.adapters.slack.words import SlackWords
from tests.fakes import slack_rules as rules

WORDS = SlackWords()
ORIGIN = forms.Origin("slack:U1", private=True)
AWKWARD = [
    "*bold* _it_ ~no~ `code` ```",
    "<@U1> <!here> & &amp; >",
    "👩‍👩‍👧‍👦🏽 🇨🇳",
    "שלום مرحبا",
    "五十个席位 50",
    ":smile: 10:30:00",
    "\ud800",
    "a\x00b\r\nc",
]
some_text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(AWKWARD),
    st.builds(
        lambda word, times: word * times, st.sampled_from([*AWKWARD, "x", "word ", "行\n", "&"]), st.integers(1, 4000)
    ),
)
label = st.one_of(st.text(max_size=30), st.sampled_from(AWKWARD), st.just("long label " * 30))
buttons = st.lists(
    st.builds(m.Button, label, st.from_regex(r"\A[a-z.:0-9]{1,60}\Z"), st.sampled_from(["plain", "primary", "danger"])),
    max_size=200,
)
tables = st.one_of(
    st.none(),
    st.builds(
        m.Table,
        st.lists(label, max_size=25).map(tuple),
        st.lists(st.lists(label, max_size=25).map(tuple), max_size=8).flatmap(
            lambda rows: st.integers(1, 40).map(lambda times: tuple(rows * times)[:300])
        ),
    ),
)
cards = st.builds(
    m.Card,
    text=some_text,
    title=some_text,
    fields=st.lists(st.builds(m.Field, label, some_text, st.booleans()), max_size=100).map(tuple),
    table=tables,
    note=some_text,
    buttons=buttons.map(tuple),
    tone=st.sampled_from(["plain", "waiting", "good", "bad"]),
)
inputs = st.builds(
    m.Input,
    name=st.from_regex(r"\A[a-z_]{1,20}\Z"),
    label=label,
    kind=st.sampled_from(["text", "long", "number", "choice"]),
    value=some_text,
    options=st.lists(st.tuples(st.text(max_size=160), label), max_size=260).map(tuple),
    required=st.booleans(),
    hint=some_text,
)
asks = st.builds(
    m.Ask,
    name=st.text(max_size=60),
    title=label,
    inputs=st.lists(inputs, max_size=6).map(tuple),
    submit=label,
    text=label,
)


def bare(text: str) -> str:
    """Without white space, which may move at a cut."""
    return re.sub(r"\s+", "", clean(text))


def shown(payload: object) -> str:
    return bare("\n".join(rules.words(payload)))


def pages_of(card: m.Card, **options: bool) -> list[blocks.Page]:
    pages = blocks.messages(card, "order:7", WORDS, **options)
    for page in pages:
        rules.message({"text": page.text, "blocks": page.blocks}, "chat.update")
        json.dumps(page.blocks).encode()
    return pages


@settings(max_examples=60, deadline=None)
@given(cards, st.booleans())
def test_any_card_is_taken_and_says_everything(card: m.Card, drawn: bool) -> None:
    pages = pages_of(card, tables=not drawn)
    everything = shown([page.blocks for page in pages])
    split = len(pages) > 1 or max(map(width, [card.text, card.title, card.note])) > 2900
    for said in (card.title, card.text, card.note, *(f.label for f in card.fields), *(f.value for f in card.fields)):
        if len(said) < 200 or not split:
            assert bare(said) in everything or width(said) > 1900
    actions = [e for page in pages for block in page.blocks if block["type"] == "actions" for e in block["elements"]]
    assert [element["action_id"].partition(":")[2] for element in actions] == [button.action for button in card.buttons]
    for button in card.buttons:
        assert bare(button.label) in everything
    if card.table is not None:
        for cell in {cell for row in card.table.rows for cell in row}:
            assert bare(cell) in everything


@settings(max_examples=60, deadline=None)
@given(st.lists(some_text, min_size=1, max_size=4), st.integers(30, 3000))
def test_splitting_loses_nothing_but_white_space(texts: list[str], size: int) -> None:
    text = clean("\n".join(texts))
    parts = list(pieces(text, size))
    assert all(width(part) <= size for part in parts)
    assert bare("".join(parts)) == bare(text)
    assert width(head(text, size)) <= size


@settings(max_examples=50, deadline=None)
@given(asks)
def test_any_form_opens_and_shows_everything(ask: m.Ask) -> None:
    try:
        view = forms.view(ask, ORIGIN, WORDS)
    except ValueError:
        assert len(json.dumps([i.options for i in ask.inputs], ensure_ascii=False)) > 40_000 or len(ask.inputs) > 5
        return
    rules.view(view, "modal")
    everything = shown(view)
    for blank in ask.inputs:
        assert bare(blank.label) in everything
        assert all(bare(text) in everything for _, text in blank.options) or blank.kind != "choice"


@settings(max_examples=30, deadline=None)
@given(cards)
def test_any_card_is_a_home_tab(card: m.Card) -> None:
    rules.view(blocks.home(card, "home", WORDS), "home")


def test_a_plain_card_is_one_small_message() -> None:
    card = m.Card(
        title="Order 7",
        text="Acme asked for more.",
        fields=(m.Field("Customer", "Acme & Sons"), m.Field("Total", "$1,200"), m.Field("Note", "a_b *c*")),
        table=m.Table(("Product", "Seats"), (("Pro", "50"), ("Base", ""))),
        note="waits for Lena",
        buttons=(m.Button("Approve", "order.approve:7", "primary"), m.Button("Reject", "order.reject:7", "danger")),
        tone="waiting",
    )
    [page] = pages_of(card)
    assert [block["type"] for block in page.blocks] == ["header", "section", "section", "table", "context", "actions"]
    assert page.blocks[0]["text"]["text"] == "🟡 Order 7"
    texts = [(field["type"], field["text"]) for field in page.blocks[2]["fields"]]
    assert texts == [
        ("mrkdwn", "*Customer*\nAcme &amp; Sons"),
        ("mrkdwn", "*Total*\n$1,200"),
        ("plain_text", "Note\na_b *c*"),
    ]
    approve = page.blocks[5]["elements"][0]
    assert (approve["action_id"], approve["value"], approve["style"]) == ("0:order.approve:7", "order:7", "primary")
    assert page.text.startswith("🟡 Order 7\nAcme asked")


def test_what_is_longer_than_a_message_goes_on_in_the_next_and_says_so() -> None:
    pages = pages_of(m.Card(title="Long", text="line\n" * 8000, buttons=(m.Button("Ok", "ok"),)))
    assert len(pages) > 2
    assert shown(pages[0].blocks[-1:]) == bare(f"more below (1/{len(pages)})")
    assert shown(pages[1].blocks[:1]) == bare(f"continued (2/{len(pages)})")
    assert pages[-1].blocks[-1]["type"] == "actions"


def test_a_table_without_table_blocks_keeps_its_columns() -> None:
    card = m.Card(table=m.Table(("产品", "Seats"), (("专业版", "50"), ("Base", "1,200"))))
    [page] = pages_of(card, tables=False)
    [drawn] = rules.words(page.blocks)
    assert drawn.splitlines() == ["产品    Seats", "专业版     50", "Base    1,200"]


def test_a_form_comes_back_as_it_was_filled_in() -> None:
    ask = m.Ask(
        "order.new",
        "New order",
        (
            m.Input("customer", "Customer"),
            m.Input("seats", "Seats", "number", value="1,200"),
            m.Input("term", "Term", "choice", "b", options=(("", "None"), ("b", "Year"))),
            m.Input("note", "Note", "long", required=False),
        ),
        "Place it",
    )
    view = forms.view(ask, ORIGIN, WORDS)
    rules.view(view, "modal")
    kinds = [block["element"]["type"] for block in view["blocks"]]
    assert kinds == ["plain_text_input", "number_input", "static_select", "plain_text_input"]
    ids = [block["block_id"] for block in view["blocks"]]
    none = view["blocks"][2]["element"]["options"][0]
    state = {
        ids[0]: {"customer": {"value": "  "}},
        ids[1]: {"seats": {"value": "many"}},
        ids[2]: {"term": {"selected_option": none}},
        ids[3]: {"note": {"value": None}},
    }
    sent = forms.filled({**view, "state": {"values": state}}, WORDS)
    assert sent.errors == {ids[0]: WORDS.required, ids[1]: WORDS.number, ids[2]: WORDS.required}
    state |= {ids[0]: {"customer": {"value": " Acme "}}, ids[1]: {"seats": {"value": "１，２００"}}}
    state[ids[2]] = {"term": {"selected_option": view["blocks"][2]["element"]["options"][1]}}
    sent = forms.filled({**view, "state": {"values": state}}, WORDS)
    assert (sent.form, sent.origin, sent.errors) == ("order.new", ORIGIN, {})
    assert sent.values == {"customer": "Acme", "seats": "1200", "term": "b", "note": ""}


def test_a_form_with_too_many_blanks_is_refused_in_words() -> None:
    ask = m.Ask("f", "F", tuple(m.Input(f"i{n}", "x") for n in range(200)), "Go")
    with pytest.raises(ValueError, match="200"):
        forms.view(ask, ORIGIN, WORDS)


def test_a_form_survives_in_a_buttons_value() -> None:
    ask = m.Ask("f:7", "为什么？", (m.Input("why", "原因", "long"),), "发送")
    assert forms.unpacked(forms.packed(ask)) == ask
    for junk in ("", "x", "AAAA", "é"):
        with pytest.raises(ValueError, match="not a form"):
            forms.unpacked(junk)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<@UBOT> order 50 seats", "order 50 seats"),
        ("<@UBOT|dealdesk>: order", "order"),
        ("hey <@UBOT> order", "hey order"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        (
            "mail <mailto:jo@x.com|jo@x.com> at <https://x.com/a?b=1&amp;c|x.com> <https://y.com>",
            "mail jo@x.com at x.com https://y.com",
        ),
        ("<@U2|mia> in <#C1|sales> <!here> <!subteam^S1|@reps> <tel:+123|+123>", "@mia in #sales @here @reps +123"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("50\xa0个席位\n第二行", "50 个席位\n第二行"),
    ],
)
def test_text_is_read_as_it_was_typed(sent: str, meant: str) -> None:
    assert typed(sent, "UBOT") == meant


@pytest.mark.skipif(not (rules.SPECS / "block_kit_limits.json").exists(), reason="the published limits are not here")
def test_our_limits_are_the_published_ones() -> None:
    limits = json.loads((rules.SPECS / "block_kit_limits.json").read_text("utf-8"))
    ours = [
        (blocks.HEADER, limits["header"]["text"]["max_length"]),
        (blocks.SECTION, limits["section"]["text"]["max_length"]),
        (blocks.FIELD, limits["section"]["fields"]["item_max_length"]),
        (blocks.FIELDS, limits["section"]["fields"]["max_items"]),
        (blocks.BUTTONS, limits["actions"]["elements"]["max_items"]),
        (blocks.BUTTON, limits["button"]["text"]["max_length"]),
        (blocks.VALUE, limits["button"]["value"]["max_length"]),
        (blocks.ACTION, limits["action_id"]["max_length"]),
        (blocks.TABLE_ROWS, limits["table"]["rows"]["max_items"]),
        (blocks.TABLE_COLUMNS, limits["table"]["columns"]["max_items"]),
        (blocks.MESSAGE_BLOCKS, limits["message"]["blocks"]["max_items"]),
        (forms.LABEL, limits["input"]["label"]["max_length"]),
        (forms.HINT, limits["input"]["hint"]["max_length"]),
        (forms.INPUT, limits["plain_text_input"]["max_length"]["max"]),
        (forms.OPTION, limits["option"]["text"]["max_length"]),
        (forms.OPTION_VALUE, limits["option"]["value"]["max_length"]),
        (forms.OPTIONS, limits["select"]["options"]["max_items"]),
    ]
    assert all(mine == published for mine, published in ours), ours


def test_widths_count_what_slack_counts() -> None:
    assert (width("a&b"), width("👍"), plain_width("a&b")) == (7, 2, 3)
