"""The words: every language has the same sentences with the same blanks, and figures are written as people do there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import dialogs
from bot.text import Words, languages, sentences, supported
from bot.turn import name_of
from core.customers.model import STAGES
from core.orders import approval
from core.orders.model import State, StepState
from core.values import Money

ROOT = Path(__file__).parents[1]
LANGUAGES = languages()
NOW = datetime(2026, 11, 19, 9, 5, tzinfo=UTC)
HAN = re.compile(r"[\u4e00-\u9fff]")


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def plausible(name: str, spec: str) -> Any:
    """A fact that could stand in a blank of that name."""
    if spec == "time":
        return NOW
    if spec == "percent":
        return Decimal("12.5")
    if spec == "id" or "|" in spec:
        return 2
    by_name: dict[str, Any] = {
        "products": ["Pro seat", "Sensor"],
        "waiting": ["Raj", "Mia"],
        "stages": STAGES,
        "what": ["a", "b"],
    }
    by_name |= {"totals": ["1", "2"], "currencies": ["EUR", "USD"], "largest": Decimal(1000), "count": 3}
    return by_name.get(name, "Acme & “Söhne”")


def facts_of(sentence: str) -> dict[str, Any]:
    return {name: plausible(name, spec or "") for _, name, spec, _ in Formatter().parse(sentence) if name}


# ---------------------------------------------------------------- the same everywhere


def test_there_is_english_first_and_chinese() -> None:
    assert LANGUAGES[0] == "en"
    assert "zh" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language: str) -> None:
    assert set(sentences(language)) == set(sentences("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_has_the_same_blanks_in_every_language(language: str) -> None:
    for key, sentence in sentences(language).items():
        assert blanks(sentence) == blanks(sentences("en")[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_said(language: str) -> None:
    words = Words(language, "Europe/Berlin")
    for key, sentence in sentences(language).items():
        said = words(key, **facts_of(sentence))
        assert said.strip(), key
        assert not re.search(r"[{}]", said), (key, said)
        assert "None" not in said, (key, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_names_a_blank_by_its_place_or_a_part_of_it(language: str) -> None:
    for key, sentence in sentences(language).items():
        for name in blanks(sentence):
            assert name.isidentifier(), (key, name)


def test_chinese_is_chinese_and_english_is_not() -> None:
    for key, sentence in sentences("zh").items():
        if re.search(r"[a-z]{3}", re.sub(r"\{[^}]*\}", "", sentence)):
            assert HAN.search(sentence), key
    for key, sentence in sentences("en").items():
        assert not HAN.search(sentence), key


# ---------------------------------------------------------------- nothing is missing


def test_every_state_step_stage_button_and_dialog_has_its_words() -> None:
    keys = set(sentences("en"))
    wanted = {f"state.{state.value}" for state in State}
    wanted |= {f"step.{state.value}" for state in StepState if state is not StepState.OPEN}
    wanted |= {f"stage.{stage.lower()}" for stage in STAGES}
    wanted |= {f"button.{move.trigger}" for move in approval.TABLE}
    names = [name_of(dialog) for dialog in dialogs.load()]
    wanted |= {f"help.{name}_try" for name in names if f"help.{name}" in keys}
    assert wanted <= keys, wanted - keys


ERRORS = {"Invalid", "NotFound", "NotAllowed", "WrongState"}


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """(where, code, facts) of every refusal that the code can raise."""
    for path in sorted([*ROOT.glob("core/**/*.py"), *ROOT.glob("bot/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS):
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield where, str(node.args[0].value), {word.arg for word in node.keywords if word.arg}


REFUSALS = list(raised())


def test_the_refusals_are_found() -> None:
    assert len(REFUSALS) > 30


@pytest.mark.parametrize(("where", "code", "facts"), REFUSALS, ids=[f"{code}-{where}" for where, code, _ in REFUSALS])
def test_every_refusal_has_a_sentence_whose_blanks_its_facts_fill(where: str, code: str, facts: set[str]) -> None:
    assert f"error.{code}" in sentences("en"), where
    assert blanks(sentences("en")[f"error.{code}"]) <= facts, where


def said_keys() -> Iterator[tuple[str, str]]:
    """(where, key) of every sentence that the code names outright."""
    for path in sorted(ROOT.glob("bot/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            key = node.args[0].value
            if (
                name in ("words", "reply", "privately")
                and isinstance(key, str)
                and re.fullmatch(r"[a-z]+\.[a-z_]+", key)
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", key


def test_every_sentence_that_is_asked_for_exists() -> None:
    missing = [(where, key) for where, key in said_keys() if key not in sentences("en")]
    assert not missing


def test_a_sentence_that_does_not_exist_is_a_mistake_of_ours() -> None:
    assert not Words("en").has("no.such")
    with pytest.raises(KeyError):
        Words("en")("no.such")


# ---------------------------------------------------------------- which language


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("en", "en"),
        ("zh", "zh"),
        ("zh-Hans-CN", "zh"),
        ("ZH_TW", "zh"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../zh", "en"),
    ],
)
def test_the_nearest_language_there_is_is_spoken(asked: str, given: str) -> None:
    assert supported(asked) == given
    assert Words(asked).language == given


def test_the_words_below_a_key_are_found() -> None:
    under = Words("en").under("state.")
    assert under["draft"] == sentences("en")["state.draft"]
    assert set(under) == {state.value for state in State}


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (Money(1000, "USD"), "$1,000.00", "US$1,000.00"),
        (Money("1234567.5", "EUR"), "€1,234,567.50", "€1,234,567.50"),
        (Money(1000, "CNY"), "CN¥1,000.00", "¥1,000.00"),
        (Money(1000, "JPY"), "¥1,000", "JP¥1,000"),
        (Money("0.0125", "USD"), "$0.0125", "US$0.0125"),
        (Money("20.5", "USD"), "$20.50", "US$20.50"),
        (Money(0, "USD"), "$0.00", "US$0.00"),
        (Decimal("1234.5"), "1,234.5", "1,234.5"),
        (Decimal("1E+3"), "1,000", "1,000"),
        (1234567, "1,234,567", "1,234,567"),
        (date(2026, 11, 21), "Nov 21, 2026", "2026年11月21日"),
        (["Raj", "Mia"], "Raj and Mia", "Raj和Mia"),
        (("a", "b", "c"), "a, b, and c", "a、b和c"),
        ("1,000 $", "1,000 $", "1,000 $"),
    ],
)
def test_a_figure_is_written_as_people_write_it_there(value: Any, english: str, chinese: str) -> None:
    assert Words("en").show(value) == english
    assert Words("zh").show(value) == chinese


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("value", "said"),
    [("15", "15%"), ("15.0", "15%"), ("12.5", "12.5%"), ("0", "0%"), ("1E+2", "100%"), ("0.25", "0.25%")],
)
def test_a_percentage_has_no_idle_zeros(language: str, value: str, said: str) -> None:
    assert Words(language).show(Decimal(value), "percent") == said


def test_a_moment_is_told_in_the_person_s_own_zone() -> None:
    assert Words("en", "Asia/Shanghai").show(NOW, "time") == "Nov 19, 2026 17:05"
    assert Words("zh", "Asia/Shanghai").show(NOW, "time") == "2026年11月19日 17:05"
    late = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    assert Words("en", "Europe/Berlin").show(late) == "Nov 20, 2026"


def test_a_number_chooses_its_own_words() -> None:
    one, many = "# order waits", "# orders wait"
    assert [Words("en").show(count, f"{one}|{many}") for count in (0, 1, 2, 1234)] == [
        "0 orders wait",
        "1 order waits",
        "2 orders wait",
        "1,234 orders wait",
    ]
    assert Words("zh").show(5, "# 单|# 单") == "5 单"


def test_an_order_s_number_takes_no_separators() -> None:
    assert Words("en").show(104217, "id") == "104217"
    assert "#104217" in Words("zh")("order.moved_down", number=104217)


@given(st.text(max_size=40))
def test_what_people_wrote_is_repeated_and_never_read_as_a_blank(name: str) -> None:
    """A customer called `{company}` is a customer."""
    assert Words("en")("place.new_customer", name=name) == f"New customer: {name}"
    assert Words("en")("place.new_customer", name="{total.__class__}") == "New customer: {total.__class__}"


@given(st.decimals(min_value=0, max_value=10**12, places=4), st.sampled_from(["USD", "EUR", "CNY", "JPY", "KWD"]))
def test_no_digit_of_an_amount_is_lost(amount: Decimal, currency: str) -> None:
    for language in LANGUAGES:
        said = Words(language).show(Money(amount, currency))
        digits = Decimal(re.sub(r"[^\d.]", "", said))
        assert digits == amount, said
