"""Who is who on the platforms, and where somebody is told something."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import presence
from core.errors import NotAllowed, NotFound
from core.team import Person, Reach, Role
from tests.core.desks import House

ALL = ("slack", "telegram", "web")


@pytest.fixture
def tom(house: House) -> Person:
    return house.company.roster.people["tom"]


def at(house: House, person: Person, platforms: tuple[str, ...] = ALL) -> list[str]:
    with house.turn("tom") as (desk, _):
        return presence.addresses_of(desk.records, person, platforms)


def test_somebody_who_never_wrote_is_told_at_their_login(house: House, tom: Person) -> None:
    assert at(house, tom) == ["web:tom"]


def test_a_place_of_a_platform_that_is_not_set_up_is_no_place(house: House, tom: Person) -> None:
    house.does("tom", presence.met, "telegram:7")
    assert at(house, tom, ("web",)) == ["web:tom"]
    assert at(house, tom) == ["telegram:7"]


def test_the_place_where_they_were_last_met_comes_first(house: House, tom: Person) -> None:
    house.does("tom", presence.met, "slack:U7")
    house.later(hours=1)
    house.does("tom", presence.met, "telegram:7")
    assert at(house, tom) == ["telegram:7"]


def test_a_terminal_gets_what_it_missed_beside_the_other_place(house: House, tom: Person) -> None:
    house.does("tom", presence.met, "console:tom")
    assert at(house, tom) == ["web:tom", "console:tom"]


def test_a_place_that_cannot_be_written_to_is_passed_over_until_they_write_again(house: House, tom: Person) -> None:
    house.does("tom", presence.met, "telegram:7")
    with house.turn("tom") as (desk, unit):
        presence.lost(desk.records, "telegram:7", "tom", house.now)
        unit.commit()
    assert at(house, tom) == ["web:tom"]
    with house.turn("tom") as (desk, _):
        assert not presence.reachable(desk.records, tom)
    house.does("tom", presence.met, "telegram:7")
    assert at(house, tom) == ["telegram:7"]


def test_talking_all_day_is_not_written_down_with_every_word(house: House) -> None:
    house.does("tom", presence.met, "web:tom")
    house.later(minutes=5)
    house.does("tom", presence.met, "web:tom")
    with house.turn("tom") as (desk, _):
        [reach] = desk.records.find(Reach, person="tom")
    assert house.now - reach.at == timedelta(minutes=5)


# ---------------------------------------------------------------- linking


def uses(house: House, code: str, login: str) -> Person:
    with house.turn("tom") as (desk, unit):
        person = presence.use_code(desk.records, house.company.roster, code, login, house.now)
        unit.commit()
    return person


def test_a_code_links_one_login_once(house: House) -> None:
    code = house.does("tom", presence.new_code)
    assert uses(house, code, "telegram:77").id == "tom"
    with house.turn("raj") as (desk, _):
        found = presence.person_of(desk.records, house.company.roster, "telegram:77")
        assert found is not None
        assert found.id == "tom"
    with pytest.raises(NotFound, match="link_code_wrong"):
        uses(house, code, "telegram:78")


def test_a_code_is_good_for_a_day(house: House) -> None:
    code = house.does("tom", presence.new_code)
    house.later(hours=24, seconds=1)
    with pytest.raises(NotFound, match="link_code_wrong"):
        uses(house, code, "telegram:77")


def test_a_code_is_not_kept_as_it_is(house: House) -> None:
    code = house.does("tom", presence.new_code)
    with house.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert code not in dump


def test_only_an_admin_makes_a_code_for_somebody_else(house: House, tom: Person) -> None:
    assert house.company.roster.people["ada"].role is Role.ADMIN
    assert house.does("ada", presence.new_code, tom)
    with pytest.raises(NotAllowed, match="link_not_yours"):
        house.does("raj", presence.new_code, tom)


def test_somebody_who_left_is_nobody_even_with_a_linked_login(house: House) -> None:
    with house.turn("tom") as (desk, unit):
        code = presence.new_code(desk)
        unit.commit()
    uses(house, code, "telegram:9")
    roster = house.company.roster
    gone = {**roster.people, "tom": Person(id="tom", name="Tom", role=Role.REP, active=False)}
    with house.turn("raj") as (desk, _):
        assert presence.person_of(desk.records, type(roster).of(gone.values()), "telegram:9") is None


def test_a_login_of_somebody_who_left_can_be_linked_to_somebody_else(house: House) -> None:
    assert uses(house, house.does("tom", presence.new_code), "telegram:9").id == "tom"
    assert uses(house, house.does("raj", presence.new_code), "telegram:9").id == "raj"
    with house.turn("raj") as (desk, _):
        found = presence.person_of(desk.records, house.company.roster, "telegram:9")
    assert found is not None
    assert found.id == "raj"
