"""The policy: which orders need whose signature, and why. Rules fire above a limit, and nobody signs for themselves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.orders.model import Order, OrderLine, StepState, order_total
from core.orders.policy import Policy, Rule, Verdict, judge
from core.team import Person, Role, Roster
from core.values import Money
from tests.talk import NOW

PEOPLE = Roster.of(
    [
        Person(id="dora", name="Dora", role=Role.DIRECTOR),
        Person(id="dan", name="Dan", role=Role.DIRECTOR),
        Person(id="max", name="Max", role=Role.MANAGER, manager="dora"),
        Person(id="old", name="Old", role=Role.MANAGER, active=False),
        Person(id="rita", name="Rita", role=Role.REP, manager="max"),
        Person(id="lost", name="Lost", role=Role.REP, manager="old"),
        Person(id="solo", name="Solo", role=Role.REP),
    ]
)
TOTAL = Rule(name="big", ask="manager", total_over=Decimal(1000))
DISCOUNT = Rule(name="cheap", ask="manager", discount_over=Decimal(15))
BOTH = Rule(name="both", ask="manager", total_over=Decimal(1000), discount_over=Decimal(15))


def order(total: str = "100", discount: str = "0", rep: str = "rita", currency: str = "USD") -> Order:
    """An order of one line that costs `total` after `discount` percent off the list."""
    listed = Decimal(total) / (1 - Decimal(discount) / 100)
    line = OrderLine(
        product=1, name="Seat", quantity=Decimal(1), price=listed, list_price=listed, discount=Decimal(discount)
    )
    lines = (line,)
    return Order(
        number=1,
        customer=1,
        rep=rep,
        currency=currency,
        lines=lines,
        total=order_total(lines, Decimal(0), currency),
        created=NOW,
    )


def verdict(it: Order, *rules: Rule) -> Verdict:
    return judge(it, Policy(rules=rules), PEOPLE, it.total)


def fires(it: Order, rule: Rule) -> bool:
    return bool(verdict(it, rule).fired)


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(("total", "fired"), [("999.99", False), ("1000", False), ("1000.01", True), ("5000", True)])
def test_a_total_rule_fires_above_its_limit_and_not_at_it(total: str, fired: bool) -> None:
    assert fires(order(total), TOTAL) is fired


@pytest.mark.parametrize(("off", "fired"), [("0", False), ("14.9", False), ("15", False), ("15.1", True), ("90", True)])
def test_a_discount_rule_fires_above_its_limit_and_not_at_it(off: str, fired: bool) -> None:
    it = order("850", off)
    assert it.effective_discount == Decimal(off)
    assert fires(it, DISCOUNT) is fired


@pytest.mark.parametrize(
    ("total", "off", "fired"),
    [("1000", "15", False), ("2000", "15", False), ("1000", "20", False), ("2000", "20", True)],
)
def test_a_rule_with_two_limits_fires_when_both_are_exceeded(total: str, off: str, fired: bool) -> None:
    assert fires(order(total, off), BOTH) is fired


def test_a_rule_without_a_limit_never_fires() -> None:
    assert not fires(order("999999"), Rule(name="nothing", ask="manager"))


def test_an_order_that_no_rule_catches_needs_nobody() -> None:
    it = verdict(order("10"), TOTAL, DISCOUNT, BOTH)
    assert (it.fired, it.steps) == ((), ())
    assert [finding.rule for finding in it.findings] == ["big", "cheap", "both"]


def test_an_empty_policy_asks_nobody() -> None:
    assert verdict(order("999999", "90")).steps == ()


@given(
    st.decimals(min_value=1, max_value=2000, places=2),
    st.decimals(min_value=0, max_value=90, places=0),
    st.decimals(min_value=0, max_value=2000, places=2),
    st.decimals(min_value=0, max_value=90, places=0),
)
def test_two_limits_are_as_strict_as_either_alone(
    total: Decimal, off: Decimal, total_limit: Decimal, off_limit: Decimal
) -> None:
    it = order(str(total), str(off))
    by_total = Rule(name="t", ask="manager", total_over=total_limit)
    by_discount = Rule(name="d", ask="manager", discount_over=off_limit)
    both = Rule(name="b", ask="manager", total_over=total_limit, discount_over=off_limit)
    assert fires(it, both) == (fires(it, by_total) and fires(it, by_discount))


# ---------------------------------------------------------------- no rate


@pytest.mark.parametrize("rule", [TOTAL, replace(BOTH, discount_over=Decimal(0))])
def test_a_total_that_cannot_be_told_fires(rule: Rule) -> None:
    """Without a rate nobody can say that the order is small."""
    it = judge(order("1", "10"), Policy(rules=(rule,)), PEOPLE, None)
    assert it.fired[0].tests[0] == ("total", None, Decimal(1000))
    assert it.steps[0].approvers == ("max",)


def test_a_missing_rate_does_not_excuse_the_other_limit() -> None:
    assert not judge(order("1"), Policy(rules=(BOTH,)), PEOPLE, None).fired


def test_the_total_is_judged_in_the_company_s_currency() -> None:
    it = order("5000", currency="CNY")
    assert not judge(it, Policy(rules=(TOTAL,)), PEOPLE, Money(700, "USD")).fired
    assert judge(it, Policy(rules=(TOTAL,)), PEOPLE, Money(Decimal("1000.01"), "USD")).fired


# ---------------------------------------------------------------- why


def test_every_finding_tells_what_was_tested_with_which_value_against_which_limit() -> None:
    it = verdict(order("2000", "20"), TOTAL, DISCOUNT, BOTH, replace(DISCOUNT, name="very", discount_over=Decimal(25)))
    assert [(f.rule, f.fired, f.tests) for f in it.findings] == [
        ("big", True, (("total", Decimal(2000), Decimal(1000)),)),
        ("cheap", True, (("discount", Decimal(20), Decimal(15)),)),
        ("both", True, (("total", Decimal(2000), Decimal(1000)), ("discount", Decimal(20), Decimal(15)))),
        ("very", False, (("discount", Decimal(20), Decimal(25)),)),
    ]
    assert [finding.rule for finding in it.fired] == ["big", "cheap", "both"]


# ---------------------------------------------------------------- who signs


@pytest.mark.parametrize(
    ("rep", "ask", "approvers"),
    [
        ("rita", "manager", ("max",)),
        ("max", "manager", ("dora",)),
        ("rita", "role:director", ("dan", "dora")),
        ("dora", "role:director", ("dan",)),
        ("rita", "role:manager", ("max",)),
        ("rita", "person:dan", ("dan",)),
    ],
)
def test_whom_a_rule_asks_for(rep: str, ask: str, approvers: tuple[str, ...]) -> None:
    assert verdict(order("2000", rep=rep), replace(TOTAL, ask=ask)).steps[0].approvers == approvers


@pytest.mark.parametrize(
    ("rep", "ask"),
    [
        ("solo", "manager"),  # nobody leads them
        ("lost", "manager"),  # whoever led them has left
        ("max", "role:manager"),  # the only one of that role
        ("rita", "role:operations"),  # nobody has that role
        ("max", "person:max"),  # themselves
        ("rita", "person:old"),  # has left
        ("rita", "person:nobody"),
        ("stranger", "manager"),
    ],
)
def test_a_signature_that_nobody_can_give_is_refused_and_never_means_everybody(rep: str, ask: str) -> None:
    with pytest.raises(Invalid) as error:
        verdict(order("2000", rep=rep), replace(TOTAL, ask=ask))
    assert (error.value.code, error.value.facts) == ("nobody_may_approve", {"rule": "big", "ask": ask})


def test_a_rule_that_did_not_fire_may_ask_for_nobody() -> None:
    assert verdict(order("10", rep="solo"), TOTAL).steps == ()


@given(st.sampled_from(sorted(PEOPLE.people)), st.sampled_from(["manager", "role:director", "role:rep", "person:max"]))
def test_nobody_is_ever_asked_to_sign_their_own_order(rep: str, ask: str) -> None:
    try:
        steps = verdict(order("2000", rep=rep), replace(TOTAL, ask=ask)).steps
    except Invalid:
        return
    assert steps
    for step in steps:
        assert step.approvers
        assert rep not in step.approvers
        assert all(PEOPLE.people[person].active for person in step.approvers)


# ---------------------------------------------------------------- the chain


def test_rules_that_ask_the_same_people_are_one_step_and_the_order_of_the_rules_stays() -> None:
    it = verdict(
        order("2000", "20"),
        DISCOUNT,
        replace(TOTAL, name="directors", ask="role:director"),
        TOTAL,
        replace(BOTH, ask="person:max"),
    )
    assert [(step.position, step.approvers, step.rules) for step in it.steps] == [
        (1, ("max",), ("cheap", "big", "both")),
        (2, ("dan", "dora"), ("directors",)),
    ]
    assert {step.state for step in it.steps} == {StepState.OPEN}
    assert {step.by for step in it.steps} == {""}


def test_the_same_order_is_judged_the_same_way_again() -> None:
    it, rules = order("2000", "20"), (BOTH, TOTAL, replace(DISCOUNT, ask="role:director"))
    assert verdict(it, *rules) == verdict(it, *rules)
