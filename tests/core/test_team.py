"""The people: who leads whom, who may see what, and who is nobody."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.desk import Company
from core.errors import NotAllowed
from core.team import SEES_ALL, Person, Role, Roster
from core.values import Money
from tests.core.desks import company

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
