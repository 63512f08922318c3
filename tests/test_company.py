"""`company.toml` and `policy.toml`: what is wrong is said with its file, its line and a remedy."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bot import company
from bot.company import ConfigError
from core.orders.policy import Policy, Rule
from core.team import Role, Roster, Team

ROOT = Path(__file__).parents[1]
GOOD = """\
name = "Quillhaven"
currency = "usd"
zone = "Europe/Berlin"
language = "zh"

[rates]
EUR = "1.08"
cny = 0.14

[[team]]
id = "china"
name = "China"
region = "Asia"

[[person]]
id = "mia"
name = "Mia Torres"
role = "director"

[[person]]
id = "fang"
name = "王芳"
role = "rep"
aliases = ["Fang", "小芳"]
team = "china"
manager = "mia"
language = "zh"
zone = "Asia/Shanghai"
logins = { slack = "U012", telegram = "77" }
"""
POLICY = """\
# Rules

[[rule]]
name = "Discount"
ask = "manager"
discount_over = 15.5

[[rule]]
name = "Total"
ask = "role:director"
total_over = "20000"
discount_over = 5

[[rule]]
name = "Mia"
ask = "person:mia"
total_over = 100000
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "company.toml"


def wrong(path: Path, text: str) -> str:
    """What is said of the file with that text."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        company.load(path)
    said = str(error.value)
    assert said.startswith(str(path)), said
    assert "\n" not in said
    return said


def line(text: str, part: str) -> int:
    """The number of the first line that holds the part."""
    return next(number for number, content in enumerate(text.splitlines(), start=1) if part in content)


# ---------------------------------------------------------------- what is right


def test_a_company_is_read_as_it_is_written(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    firm, teams = company.load(path)
    assert (firm.name, firm.currency, firm.zone, firm.language) == ("Quillhaven", "USD", "Europe/Berlin", "zh")
    assert firm.rates == {"EUR": Decimal("1.08"), "CNY": Decimal("0.14")}
    assert teams == (Team(id="china", name="China", region="Asia"),)
    assert firm.policy == Policy()
    mia, fang = firm.roster.people.values()
    assert (mia.role, mia.zone, mia.language, mia.manager, mia.active) == (
        Role.DIRECTOR,
        "Europe/Berlin",
        "en",
        "",
        True,
    )
    assert (fang.role, fang.zone, fang.language, fang.manager, fang.team) == (
        Role.REP,
        "Asia/Shanghai",
        "zh",
        "mia",
        "china",
    )
    assert fang.aliases == ("Fang", "小芳")


def test_a_person_is_known_by_every_login(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    roster = company.load(path)[0].roster
    for login in ("web:fang", "console:fang", "slack:U012", "telegram:77"):
        assert roster.by_login[login].id == "fang"
    assert set(roster.by_login) == {"web:fang", "console:fang", "slack:U012", "telegram:77", "web:mia", "console:mia"}


def test_a_policy_is_read_exactly_and_in_its_order(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    path.with_name("policy.toml").write_text(POLICY, encoding="utf-8")
    assert company.load(path)[0].policy.rules == (
        Rule(name="Discount", ask="manager", discount_over=Decimal("15.5")),
        Rule(name="Total", ask="role:director", total_over=Decimal(20000), discount_over=Decimal(5)),
        Rule(name="Mia", ask="person:mia", total_over=Decimal(100_000)),
    )


def test_a_byte_order_mark_is_taken_as_editors_write_it(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8-sig")
    assert company.load(path)[0].name == "Quillhaven"


@pytest.mark.parametrize("folder", ["bot/templates", "storage/seed"])
def test_the_files_we_give_away_are_right(folder: str) -> None:
    firm, _ = company.load(ROOT / folder / "company.toml")
    assert firm.roster.people
    assert firm.policy.rules


# ---------------------------------------------------------------- what is wrong


# (what to change, to what, the part of the line that is named, parts of what is said)
MISTAKES = {
    "a field that does not exist": ('zone = "Europe/Berlin"', 'timezone = "Europe/Berlin"', "timezone", ["timezone"]),
    "a person's field that does not exist": ('aliases = ["', 'nicknames = ["', "[[person]]", ["nicknames"]),
    "a role that does not exist": ('role = "director"', 'role = "boss"', 'role = "boss"', ["boss", "director", "rep"]),
    "a zone that does not exist": (
        'zone = "Europe/Berlin"',
        'zone = "Berlin"',
        'zone = "Berlin"',
        ["'Berlin'", "Europe/Berlin"],
    ),
    "a person's zone that does not exist": (
        'zone = "Asia/Shanghai"',
        'zone = "../../etc"',
        'zone = "../../etc"',
        ["../../etc", "Europe/Berlin"],
    ),
    "a currency that does not exist": ('currency = "usd"', 'currency = "EURO"', "EURO", ["'EURO'", "ISO 4217"]),
    "a rate's currency that does not exist": ('EUR = "1.08"', 'EURO = "1.08"', "EURO", ["'EURO'", "ISO 4217"]),
    "a rate that is no number": ('EUR = "1.08"', 'EUR = "one"', "EUR", []),
    "a rate of nothing": ('EUR = "1.08"', 'EUR = "0"', "EUR", []),
    "a rate below nothing": ('EUR = "1.08"', 'EUR = "-1.08"', "EUR", []),
    "a rate that is not finite": ('EUR = "1.08"', 'EUR = "NaN"', "EUR", []),
    "a manager who does not exist": ('manager = "mia"', 'manager = "max"', "max", ['"max"']),
    "somebody who leads themselves": ('manager = "mia"', 'manager = "fang"', 'manager = "fang"', ['"fang"']),
    "a team that does not exist": ('team = "china"', 'team = "chine"', "chine", ['"chine"']),
    "two people of one id": ('id = "fang"', 'id = "mia"', "", ['"mia"']),
    "two teams of one id": ('id = "china"', 'id = "china"\nname = "x"\n[[team]]\nid = "china"', "", ['"china"']),
    "a language there are no words for": ('language = "zh"', 'language = "fr"', "fr", ["fr"]),
    "a name that is no text": ('name = "Mia Torres"', "name = 5", "name = 5", []),
    "a person without an id": ('id = "fang"\n', "", "", ["id"]),
    "a login of two people": ("[[person]]\nid", '[[person]]\nlogins = { slack = "U012" }\nid', "", ["slack"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_to_do(path: Path, mistake: str) -> None:
    before, after, named, parts = MISTAKES[mistake]
    text = GOOD.replace(before, after, 1)
    assert text != GOOD
    said = wrong(path, text)
    assert f"{path}, line " in said
    if named and named != "[[person]]":
        assert f"line {line(text, named)}:" in said
    for part in parts:
        assert part in said, said


def test_a_circle_of_managers_is_told_for_whom_it_closes(path: Path) -> None:
    text = GOOD.replace('role = "director"', 'role = "director"\nmanager = "fang"')
    said = wrong(path, text)
    assert f"line {line(text, 'manager = ')}:" in said
    assert "mia" in said


def test_the_second_of_two_people_with_one_id_is_named(path: Path) -> None:
    text = GOOD.replace('id = "fang"', 'id = "mia"')
    ids = [number for number, content in enumerate(text.splitlines(), start=1) if content == 'id = "mia"']
    assert f"line {ids[1]}:" in wrong(path, text)


def test_an_unknown_field_of_a_person_is_told_at_that_person(path: Path) -> None:
    text = GOOD.replace('aliases = ["', 'nicknames = ["')
    said = wrong(path, text)
    second = [number for number, content in enumerate(text.splitlines(), start=1) if content == "[[person]]"][1]
    assert any(f"line {number}:" in said for number in (second, line(text, "nicknames"))), said


def test_a_company_without_a_name_says_what_is_missing(path: Path) -> None:
    assert "name" in wrong(path, GOOD.replace('name = "Quillhaven"\n', ""))


def test_text_that_is_no_toml_is_told_with_its_line(path: Path) -> None:
    text = GOOD.replace("[rates]", "[rates")
    assert f"line {line(text, '[rates')}" in wrong(path, text)


def test_a_file_that_is_not_utf_8_says_so_and_what_to_do(path: Path) -> None:
    path.write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(ConfigError, match=r"company\.toml.*UTF-8.*[Ss]ave"):
        company.load(path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["missing", "a folder"])  # noqa: ARG005
def test_a_file_that_cannot_be_read_is_named_with_a_way_out(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(ConfigError, match=r"company\.toml: cannot be read.*dealdesk init"):
        company.load(path)


# ---------------------------------------------------------------- the policy


POLICY_MISTAKES = {
    "a rule that tests nothing": ("discount_over = 15.5\n", "", "", ["total_over", "discount_over"]),
    "a field that does not exist": ("discount_over = 15.5", "margin_over = 15.5", "", ["margin_over"]),
    "somebody who does not exist": (
        '"person:mia"',
        '"person:max"',
        "person:max",
        ["manager", "role:director", "person:"],
    ),
    "a role that does not exist": ('"role:director"', '"role:king"', "role:king", ["manager", "role:director"]),
    "an ask that is none": ('"manager"', '"managers"', '"managers"', ["manager", "person:"]),
    "an ask with too much": ('"manager"', '"manager:mia"', '"manager:mia"', ["manager", "person:"]),
    "a limit that is no number": ('"20000"', '"lots"', "lots", []),
    "a limit that is not finite": ('"20000"', '"NaN"', "NaN", []),
    "a limit below nothing": ('"20000"', '"-1"', '"-1"', []),
    "a discount that is none": ("discount_over = 15.5", "discount_over = 155", "155", []),
    "two rules of one name": ('name = "Total"', 'name = "Discount"', "", ["Discount"]),
    "no toml": ("[[rule]]", "[[rule]", "[[rule]", []),
}


@pytest.mark.parametrize("mistake", POLICY_MISTAKES)
def test_a_mistake_in_the_policy_is_told_with_its_line_and_what_to_do(path: Path, mistake: str) -> None:
    before, after, named, parts = POLICY_MISTAKES[mistake]
    text = POLICY.replace(before, after, 1)
    assert text != POLICY
    path.write_text(GOOD, encoding="utf-8")
    policy = path.with_name("policy.toml")
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        company.load(path)
    said = str(error.value)
    assert said.startswith(str(policy))
    assert " line " in said
    if named:
        assert f"line {line(text, named)}" in said
    for part in parts:
        assert part in said, said


def test_a_policy_is_read_again_for_another_roster(path: Path) -> None:
    policy = path.with_name("policy.toml")
    policy.write_text(POLICY, encoding="utf-8")
    with pytest.raises(ConfigError, match="person:mia"):
        company.load_policy(policy, Roster.of([]))


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("where", "at"),
    [
        ("currency", 2),
        ("person[0].role", 18),
        ("person[1].role", 23),
        ("person[1].logins[...]", 29),
        ("person[1].nothing", 20),
        ("team[0].region", 13),
        ("person[7].role", 0),
        ("nothing", 0),
        ("", 0),
    ],
)
def test_the_line_of_a_key_is_found(where: str, at: int) -> None:
    assert company.line_of(GOOD, where) == at


def test_a_key_of_one_person_is_not_looked_for_in_the_next(path: Path) -> None:
    """`role` is missing for the first person: the line is theirs, not the second one's."""
    text = GOOD.replace('role = "director"\n', "")
    said = wrong(path, text)
    assert "role" in said
    assert f"line {line(text, '[[person]]')}:" in said
