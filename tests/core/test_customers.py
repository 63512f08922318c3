"""The verbs of the customer side: leads, deals, needs, activities and looking somebody up."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.customers import service as customers
from core.customers.model import OPEN_STAGES, STAGES, Activity, Customer, Lead, LeadState, Need, Opportunity
from core.errors import DealdeskError, Invalid, NotAllowed, NotFound
from core.values import Money
from tests.core.desks import ACME, House
from tests.talk import NOW

DOLLARS = Money(30_000, "USD")


def deal(house: House, person: str = "tom", **facts: Any) -> Opportunity:
    return house.does(person, customers.open_deal, house.customer(), "Renewal", DOLLARS, **facts)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Acme   Corp ", "Acme Corp"),
        ("Zoë O’Brien & Söhne", "Zoë O’Brien & Söhne"),
        ("阳光食品", "阳光食品"),
        ("Robert'); DROP TABLE customer;--", "Robert'); DROP TABLE customer;--"),
        ("Acme\x00\x1b[31m", "Acme[31m"),
        ("\u202eAcme", "Acme"),
        ("x" * 120, "x" * 120),
    ],
)
def test_a_name_is_kept_as_people_write_it_without_what_cannot_be_seen(house: House, given: str, kept: str) -> None:
    assert house.does("tom", customers.log_lead, given).company == kept


@pytest.mark.parametrize("gap", ["\n", "\t", "\r\n", "\u00a0", "\u3000"])
def test_any_kind_of_space_still_parts_two_words(house: House, gap: str) -> None:
    assert house.does("tom", customers.add_customer, f"Bright{gap}Side").name == "Bright Side"


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "name_empty"), (" \n\t", "name_empty"), ("\x00\u200b", "name_empty"), ("x" * 121, "name_too_long")],
)
def test_a_name_that_is_none_is_refused_and_nothing_is_kept(house: House, name: str, code: str) -> None:
    for verb in (customers.add_customer, customers.log_lead):
        with house.turn("tom") as (desk, unit):
            with pytest.raises(Invalid) as error:
                verb(desk, name)
            assert error.value.code == code
            assert not unit.events
            unit.commit()
    with house.turn("tom") as (_, unit):
        assert (len(unit.find(Customer)), unit.find(Lead)) == (5, [])


# ---------------------------------------------------------------- customers and leads


def test_a_new_customer_belongs_to_whoever_named_it_and_can_be_found_at_once(house: House) -> None:
    with house.turn("tom") as (desk, unit):
        added = customers.add_customer(desk, "Zebra Ltd")
        assert unit.find(Customer, name="Zebra Ltd") == [added]
        unit.commit()
    with house.turn("tom") as (_, unit):
        assert unit.find(Customer, name="Zebra Ltd") == [added]
    assert (added.owner, added.created) == ("tom", NOW)


def test_a_lead_is_the_asking_person_s_to_follow_up(house: House) -> None:
    lead = house.does(
        "lena",
        customers.log_lead,
        "Brightside Foods",
        contact_name="Jane Doe",
        email="jane@example.com",
        phone="+49 30 1234",
        source="fair",
        interest="a demo",
    )
    assert (lead.owner, lead.state, lead.customer, lead.created) == ("lena", LeadState.NEW, None, NOW)
    with house.turn("lena") as (_, unit):
        assert unit.find(Lead) == [lead]
        assert [event.name for event in unit.history(f"lead:{lead.id}")] == ["lead.logged"]


def test_a_lead_without_a_company_is_named_for_the_person(house: House) -> None:
    assert house.does("tom", customers.log_lead, "", contact_name="Jane Doe").company == "Jane Doe"


def test_a_lead_of_a_customer_we_have_names_them(house: House) -> None:
    assert house.does("tom", customers.log_lead, "Acme", customer=house.customer()).customer == ACME


def test_overlong_details_are_cut(house: House) -> None:
    lead = house.does("tom", customers.log_lead, "x", email="e" * 999, interest="i" * 9999)
    assert (len(lead.email), len(lead.interest)) == (120, 2000)


# ---------------------------------------------------------------- deals


def test_a_deal_begins_at_the_first_stage_and_belongs_to_whoever_opened_it(house: House) -> None:
    opened = deal(house, expected=date(2027, 1, 31))
    assert (opened.stage, opened.owner, opened.closed) == (STAGES[0], "tom", None)
    assert (opened.amount, opened.expected, opened.customer) == (DOLLARS, date(2027, 1, 31), ACME)


def test_a_deal_without_a_title_is_named_for_the_customer(house: House) -> None:
    assert house.does("tom", customers.open_deal, house.customer(), "  ", DOLLARS).title == "Acme Corp"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("write", [str, str.lower, str.upper])
def test_a_stage_is_known_however_it_is_written_and_only_won_and_lost_close_the_deal(
    house: House, stage: str, write: Any
) -> None:
    for found in (
        deal(house, stage=write(stage)),
        house.does("tom", customers.change_deal, deal(house).id, stage=write(stage)),
    ):
        assert found.stage == stage
        assert found.closed == (None if stage in OPEN_STAGES else NOW)


def test_a_stage_that_does_not_exist_is_refused_with_those_that_do(house: House) -> None:
    with pytest.raises(Invalid) as error:
        deal(house, stage="Dreaming")
    assert (error.value.code, error.value.facts["stages"]) == ("stage_unknown", STAGES)


def test_a_deal_closes_once_and_opens_again_when_it_goes_back(house: House) -> None:
    number = deal(house).id
    house.later(days=1)
    won = house.does("tom", customers.change_deal, number, stage="won", reason=" best price ")
    assert (won.closed, won.reason) == (house.now, "best price")
    closed = won.closed
    house.later(days=1)
    still = house.does("tom", customers.change_deal, number, amount=Money(31_000, "USD"))
    assert (still.closed, still.amount, still.stage) == (closed, Money(31_000, "USD"), "Won")
    lost = house.does("tom", customers.change_deal, number, stage="Lost")
    assert lost.closed == house.now
    again = house.does("tom", customers.change_deal, number, stage="Engaging")
    assert (again.closed, again.reason, again.amount) == (None, "best price", Money(31_000, "USD"))


def test_a_deal_s_amount_can_be_corrected_to_nothing(house: House) -> None:
    number = deal(house).id
    assert house.does("tom", customers.change_deal, number, amount=Money(0, "USD")).amount == Money(0, "USD")


@pytest.mark.parametrize("person", ["lena", "chen", "fang", "grace", "ada"])
def test_a_deal_is_changed_by_its_owner_and_those_leading_them_and_nobody_else(house: House, person: str) -> None:
    opened = deal(house)
    with pytest.raises(NotAllowed) as error:
        house.does(person, customers.change_deal, opened.id, stage="Lost")
    assert (error.value.code, error.value.facts) == ("not_your_deal", {"owner": "Tom Becker"})
    for allowed in ("tom", "raj", "mia"):
        house.does(allowed, customers.change_deal, opened.id, stage="Engaging")


def test_a_deal_that_does_not_exist_is_not_found(house: House) -> None:
    with pytest.raises(NotFound) as error:
        house.does("tom", customers.change_deal, 999, stage="Won")
    assert error.value.code == "deal_unknown"


def test_open_deals_are_listed_newest_first_for_whoever_may_see_them(house: House) -> None:
    first, second = deal(house), deal(house, "lena")
    won = deal(house, stage="Won")
    with house.turn("raj") as (desk, _):
        assert [it.id for it in customers.deals_of(desk, house.customer())] == [second.id, first.id]
    with house.turn("tom") as (desk, _):
        assert won.id not in [it.id for it in customers.deals_of(desk, house.customer())]
        assert [it.id for it in customers.deals_of(desk, house.customer())] == [first.id]


# ---------------------------------------------------------------- needs and activities


def test_a_need_is_kept_in_the_customer_s_words(house: House) -> None:
    need = house.does("tom", customers.log_need, house.customer(), "  single sign-on, “soon”  ", product=1)
    assert (need.text, need.product, need.by, need.open) == ("single sign-on, “soon”", 1, "tom", True)
    with house.turn("tom") as (_, unit):
        assert unit.get(Need, need.id) == need


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_need_is_refused(house: House, text: str) -> None:
    with pytest.raises(Invalid) as error:
        house.does("tom", customers.log_need, house.customer(), text)
    assert error.value.code == "need_empty"


@pytest.mark.parametrize(("kind", "done"), [("call", True), ("meeting", True), ("task", False)])
def test_an_activity_happened_and_a_task_is_still_to_be_done(house: House, kind: str, done: bool) -> None:
    kept = house.does(
        "tom", customers.log_activity, house.customer(), kind, " about the renewal ", due=date(2026, 12, 1)
    )
    assert (kept.kind, kept.text, kept.done, kept.at, kept.by) == (kind, "about the renewal", done, NOW, "tom")
    with house.turn("tom") as (_, unit):
        assert unit.find(Activity) == [kept]


# ---------------------------------------------------------------- looking up


@pytest.mark.parametrize("person", ["tom", "raj", "mia", "grace", "ada"])
def test_a_customer_is_shown_whole_to_whoever_may_see_it(house: House, person: str) -> None:
    opened = deal(house)
    deal(house, stage="Lost")
    found = house.does(person, customers.look_up, ACME)
    assert found.whole
    assert [contact.name for contact in found.contacts] == ["Ada Stone"]
    assert [it.id for it in found.deals] == [opened.id]
    assert [need.text for need in found.needs] == ["single sign-on"]


@pytest.mark.parametrize("person", ["lena", "chen", "fang"])
def test_others_learn_only_whose_customer_it_is(house: House, person: str) -> None:
    deal(house)
    found = house.does(person, customers.look_up, ACME)
    assert (found.whole, found.contacts, found.deals, found.needs) == (False, (), (), ())
    assert found.customer.owner == "tom"


def test_a_customer_that_does_not_exist_is_not_found(house: House) -> None:
    with pytest.raises(NotFound) as error:
        house.does("tom", customers.look_up, 999)
    assert error.value.code == "customer_unknown"


def test_every_refusal_is_of_the_one_small_tree() -> None:
    for kind in (Invalid, NotFound, NotAllowed):
        assert issubclass(kind, DealdeskError)


def test_a_new_customer_whose_cleaned_name_is_known_is_that_customer(house: House) -> None:
    """Otherwise the turn would clash with what is there on every try."""
    before = house.does("tom", customers.add_customer, "Bright Side")
    assert house.does("tom", customers.add_customer, "Bright\u00a0Side").id == before.id
