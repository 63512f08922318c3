"""The people: who leads whom, who may see what, and who is nobody."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import presence
from core.desk import Company
from core.errors import Conflict, NotAllowed, NotFound
from core.team import SEES_ALL, Link, Login, Person, Reach, Role, Roster
from core.values import Money
from tests.core.desks import House, company

ROSTER = company().roster
BELOW = {
    "mia": {"raj", "tom", "lena", "chen", "fang"},
    "raj": {"tom", "lena"},
    "chen": {"fang"},
}


@pytest.mark.parametrize("leader", sorted(ROSTER.people))
def test_a_person_leads_everybody_below_and_nobody_else(leader: str) -> None:
    led = {member for member in ROSTER.people if ROSTER.leads(leader, member)}
    assert led == BELOW.get(leader, set())


def test_nobody_leads_themselves_a_stranger_or_the_nameless() -> None:
    assert not ROSTER.leads("mia", "mia")
    assert not ROSTER.leads("mia", "stranger")
    assert not ROSTER.leads("", "mia")


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", *"abcdef"])))
def test_leading_ends_even_when_people_lead_in_a_circle(managers: dict[str, str]) -> None:
    people = [Person(id=key, name=key, role=Role.REP, manager=above) for key, above in managers.items()]
    roster = Roster.of(people)
    for leader in "abcdef":
        for member in managers:
            assert roster.leads(leader, member) in (True, False)


@pytest.mark.parametrize("viewer", sorted(ROSTER.people))
@pytest.mark.parametrize("owner", sorted(ROSTER.people))
def test_records_are_seen_by_their_owner_those_above_and_those_whose_role_sees_all(viewer: str, owner: str) -> None:
    person = ROSTER.people[viewer]
    meant = viewer == owner or owner in BELOW.get(viewer, set()) or person.role in SEES_ALL
    assert ROSTER.may_see(person, owner) is meant
    if meant:
        ROSTER.must_see(person, owner, "#1")
    else:
        with pytest.raises(NotAllowed) as error:
            ROSTER.must_see(person, owner, "#1")
        assert error.value.facts == {"what": "#1", "owner": ROSTER.named(owner)}


@pytest.mark.parametrize("role", Role)
def test_only_directors_operations_and_admins_see_what_belongs_to_nobody(role: Role) -> None:
    person = Person(id="x", name="X", role=role)
    assert Roster.of([person]).may_see(person, "") is (role in ("director", "operations", "admin"))


def test_asking_for_a_role_gives_those_who_are_still_here() -> None:
    assert [person.id for person in ROSTER.with_role("manager")] == ["raj", "chen"]
    assert ROSTER.with_role("king") == []


def test_a_login_is_one_person_and_an_unknown_one_is_nobody() -> None:
    assert ROSTER.by_login["web:fang"].name == "王芳"
    assert "web:stranger" not in ROSTER.by_login
    assert "fang" not in ROSTER.by_login


def test_a_name_is_told_and_a_system_or_somebody_long_gone_by_their_id() -> None:
    assert [ROSTER.named(key) for key in ("chen", "policy", "")] == ["陈晓", "policy", ""]


def test_a_missing_rate_is_never_taken_as_one() -> None:
    firm: Company = company()
    assert firm.in_base(Money(100, "USD")) == Money(100, "USD")
    assert firm.in_base(Money(100, "CNY")) == Money(14, "USD")
    assert firm.in_base(Money("0.05", "CNY")) == Money("0.01", "USD")
    assert firm.in_base(Money(100, "JPY")) is None
    assert firm.tz == ZoneInfo("Europe/Berlin")


# ---------------------------------------------------------------- linking a login


def uses(house: House, code: str, login: str = "telegram:77") -> Person:
    with house.turn("mia") as (desk, unit):
        person = presence.use_code(unit, house.company.roster, code, login, desk.now)
        unit.commit()
    return person


def knows(house: House, login: str) -> str:
    with house.turn("mia") as (_, unit):
        person = presence.person_of(unit, house.company.roster, login)
    return person.id if person else ""


def test_a_code_makes_a_login_its_person_and_works_once(house: House) -> None:
    assert knows(house, "telegram:77") == ""
    code = house.does("tom", presence.new_code)
    assert uses(house, code).id == "tom"
    assert knows(house, "telegram:77") == "tom"
    with pytest.raises(NotFound) as error:
        uses(house, code, "telegram:78")
    assert error.value.code == "link_code_wrong"
    assert knows(house, "telegram:78") == ""


def test_a_code_that_two_use_in_the_same_moment_links_one(house: House) -> None:
    code = house.does("tom", presence.new_code)
    with house.turn("mia") as (desk, one), house.turn("mia") as (_, two):
        for unit, login in ((one, "telegram:1"), (two, "telegram:2")):
            presence.use_code(unit, house.company.roster, code, login, desk.now)
        one.commit()
        with pytest.raises(Conflict):
            two.commit()
    assert (knows(house, "telegram:1"), knows(house, "telegram:2")) == ("tom", "")


def test_a_code_lasts_a_day(house: House) -> None:
    code, other = house.does("tom", presence.new_code), house.does("tom", presence.new_code)
    house.later(hours=24)
    uses(house, code)
    house.later(seconds=1)
    with pytest.raises(NotFound):
        uses(house, other, "telegram:78")


def test_a_code_is_kept_so_that_nobody_can_read_it(house: House) -> None:
    code = house.does("tom", presence.new_code)
    with house.turn("mia") as (_, unit):
        [link] = unit.find(Link)
        assert code not in repr((link, unit.history("person:tom")))


@pytest.mark.parametrize("code", ["", "guess", "x" * 5000, "' OR 1=1 --"])
def test_a_guess_links_nothing(house: House, code: str) -> None:
    house.does("tom", presence.new_code)
    with pytest.raises(NotFound):
        uses(house, code)


def test_only_an_admin_makes_a_code_for_somebody_else(house: House) -> None:
    tom = house.company.roster.people["tom"]
    for person in ("lena", "raj", "mia", "grace"):
        with pytest.raises(NotAllowed) as error:
            house.does(person, presence.new_code, tom)
        assert error.value.code == "link_not_yours"
    assert uses(house, house.does("ada", presence.new_code, tom)).id == "tom"


def test_whoever_left_is_nobody_by_any_login(house: House) -> None:
    gone = house.company.roster.people["gone"]
    with house.turn("ada") as (_, unit):
        unit.add(Login(id="telegram:9", person="gone", created=house.now))
        unit.commit()
    assert knows(house, "telegram:9") == ""
    assert not gone.active


def test_a_person_is_known_by_what_the_company_says_first_and_then_by_what_was_linked(house: House) -> None:
    uses(house, house.does("tom", presence.new_code))
    with house.turn("tom") as (desk, unit):
        assert presence.logins_of(unit, desk.person) == ["web:tom", "telegram:77"]


# ---------------------------------------------------------------- where somebody is told things


BOTH = ("telegram", "web")


def told_at(house: House, person: str, platforms: tuple[str, ...] = BOTH) -> list[str]:
    with house.turn(person) as (desk, unit):
        return presence.addresses_of(unit, desk.person, platforms)


def loses(house: House, person: str, address: str) -> None:
    with house.turn(person) as (desk, unit):
        presence.lost(unit, address, person, desk.now)
        unit.commit()


def can_be_reached(house: House, person: str) -> bool:
    with house.turn(person) as (desk, unit):
        return presence.reachable(unit, desk.person)


def test_whoever_was_never_met_is_told_at_a_login_of_theirs(house: House) -> None:
    assert told_at(house, "tom") == ["web:tom"]
    assert told_at(house, "tom", ("telegram",)) == []


def test_somebody_is_told_things_where_they_were_met_last(house: House) -> None:
    house.does("tom", presence.met, "telegram:77")
    house.later(hours=1)
    house.does("tom", presence.met, "web:tom")
    assert told_at(house, "tom") == ["web:tom"]
    house.later(hours=1)
    house.does("tom", presence.met, "telegram:77")
    assert told_at(house, "tom") == ["telegram:77"]
    assert told_at(house, "tom", ("web",)) == ["web:tom"]


def test_a_place_that_stopped_working_is_passed_over_until_they_come_back_to_it(house: House) -> None:
    house.does("tom", presence.met, "telegram:77")
    loses(house, "tom", "telegram:77")
    assert told_at(house, "tom") == ["web:tom"]
    house.does("tom", presence.met, "telegram:77")
    assert told_at(house, "tom") == ["telegram:77"]


def test_somebody_who_cannot_be_reached_anywhere_is_known_to_be_so(house: House) -> None:
    assert can_be_reached(house, "tom"), "nobody tried yet"
    loses(house, "tom", "web:tom")
    assert told_at(house, "tom") == []
    assert not can_be_reached(house, "tom")
    house.does("tom", presence.met, "web:tom")
    assert can_be_reached(house, "tom")


def test_a_place_that_another_person_takes_over_is_theirs(house: House) -> None:
    """A shared screen: whoever sits there now is who is met there."""
    house.does("tom", presence.met, "telegram:77")
    house.does("lena", presence.met, "telegram:77")
    assert told_at(house, "lena") == ["telegram:77"]
    assert told_at(house, "tom") == ["web:tom"]


def test_being_met_all_day_is_written_down_once_in_a_while(house: House) -> None:
    def versions() -> list[int]:
        with house.turn("tom") as (_, unit):
            return [reach.version for reach in unit.find(Reach)]

    house.does("tom", presence.met, "web:tom")
    house.later(minutes=9)
    house.does("tom", presence.met, "web:tom")
    assert versions() == [1]
    house.later(minutes=2)
    house.does("tom", presence.met, "web:tom")
    assert versions() == [2]
