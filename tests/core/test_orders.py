"""The verbs of an order: who may do what in which state, what is put on record, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.desk import Desk
from core.errors import DealdeskError, Invalid, NotAllowed, NotFound, WrongState
from core.orders import service as orders
from core.orders.model import EDITABLE, ApprovalStep, Order, OrderLine, Product, State, StepState, order_total
from core.orders.policy import Policy, Rule
from core.values import MAX_TOTAL, Money
from tests.core.desks import SEAT, House, company
from tests.talk import NOW

TOM_S = ("tom", "raj", "mia")  # the rep of the orders here, and those who lead him
SHIPPERS = ("grace", "ada")
EVERYBODY = ("tom", "raj", "mia", "lena", "chen", "fang", "grace", "ada")
TWO_STEPS = {"count": "10", "discount": "30"}  # 30 % below list asks the manager, then the director


# ---------------------------------------------------------------- every verb, every state, everybody


@dataclass(frozen=True)
class Verb:
    """What one verb promises. `changed` is what it leaves behind in the order besides the state."""

    do: Callable[[Desk, int], Order]
    who: tuple[str, ...]
    states: tuple[State, ...]
    dest: State
    event: str
    facts: dict[str, Any]


def _change(desk: Desk, number: int) -> Order:
    product = desk.records.get(Product, SEAT)
    assert product is not None
    return orders.change(desk, number, [orders.LineWish(product=product, quantity=Decimal(3), price=Decimal(24))])


UNDER_WAY = (State.DRAFT, State.PENDING, State.REJECTED, State.CHANGES, State.WITHDRAWN, State.APPROVED)
VERBS = {
    "change": Verb(_change, TOM_S, EDITABLE, State.DRAFT, "order.changed", {"total": "72.00", "was": "200"}),
    "submit": Verb(orders.submit, TOM_S, EDITABLE, State.PENDING, "order.submitted", {"steps": 1}),
    "approve": Verb(
        lambda desk, number: orders.approve(desk, number, comment="fine"),
        ("raj",),
        (State.PENDING,),
        State.APPROVED,
        "order.approved",
        {"step": 1, "comment": "fine"},
    ),
    "reject": Verb(
        lambda desk, number: orders.reject(desk, number, " too thin "),
        ("raj",),
        (State.PENDING,),
        State.REJECTED,
        "order.rejected",
        {"step": 1, "reason": "too thin"},
    ),
    "request_changes": Verb(
        lambda desk, number: orders.reject(desk, number, "fewer", back=True),
        ("raj",),
        (State.PENDING,),
        State.CHANGES,
        "order.changes_requested",
        {"step": 1, "reason": "fewer"},
    ),
    "withdraw": Verb(orders.withdraw, TOM_S, (State.PENDING,), State.WITHDRAWN, "order.withdrawn", {"reason": ""}),
    "cancel": Verb(
        lambda desk, number: orders.cancel(desk, number, "gone"),
        TOM_S,
        (*UNDER_WAY, State.PRODUCTION),
        State.CANCELLED,
        "order.cancelled",
        {"reason": "gone"},
    ),
    "start": Verb(orders.start, SHIPPERS, (State.APPROVED,), State.PRODUCTION, "order.started", {"tracking": ""}),
    "ship": Verb(
        lambda desk, number: orders.ship(desk, number, " DHL 1 "),
        SHIPPERS,
        (State.APPROVED, State.PRODUCTION),
        State.SHIPPED,
        "order.shipped",
        {"tracking": "DHL 1"},
    ),
    "deliver": Verb(orders.deliver, SHIPPERS, (State.SHIPPED,), State.DELIVERED, "order.delivered", {"tracking": ""}),
    "close": Verb(orders.close, TOM_S, (State.DELIVERED,), State.CLOSED, "order.closed", {"reason": ""}),
}
STRICT = Policy(rules=(Rule(name="all", ask="manager", total_over=Decimal(1)),))  # so that submit leads to pending


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("state", State)
def test_a_verb_works_for_whom_and_where_it_should_and_otherwise_changes_nothing(
    house: House, state: State, name: str
) -> None:
    verb = VERBS[name]
    house.company = company(policy=STRICT)
    order = house.stands(state)
    for person in EVERYBODY:
        with house.turn(person) as (desk, unit):
            if person in verb.who and state in verb.states:
                moved = verb.do(desk, order.number)
                assert moved.state is verb.dest
                assert moved.moved == (NOW if state is not verb.dest else order.moved)
                [event] = unit.events
                assert (event.name, event.actor, event.subject, event.at) == (
                    verb.event,
                    person,
                    f"order:{order.number}",
                    NOW,
                )
                assert event.facts.items() >= verb.facts.items()
                kept = unit.get(Order, order.number)
                assert kept == replace(moved, version=order.version + 1)
            else:
                with pytest.raises((NotAllowed, WrongState)):
                    verb.do(desk, order.number)
                assert not unit.events
                assert unit.get(Order, order.number) == order
                unit.commit()  # even if somebody commits what is left of the turn
        assert house.order(order.number) == order


@pytest.mark.parametrize("name", VERBS)
def test_an_order_that_does_not_exist_is_not_found(house: House, name: str) -> None:
    with pytest.raises(NotFound) as error:
        house.does("mia", VERBS[name].do, 999)
    assert (error.value.code, error.value.facts) == ("order_unknown", {"number": 999})


@pytest.mark.parametrize("state", State)
def test_what_a_person_may_do_is_what_the_verbs_let_them(house: House, state: State) -> None:
    """`may` puts the buttons on a card; none of them may be a lie."""
    from core.orders import approval  # noqa: PLC0415 -- beside its only use

    house.company = company(policy=STRICT)
    order = house.stands(state)
    for person in EVERYBODY:
        with house.turn(person) as (desk, _):
            offered = {move.trigger for move in approval.moves_from(state) if orders.may(desk, order, move.who)}
        for name, verb in VERBS.items():
            trigger = {"change": "revise"}.get(name, name)
            if trigger == "revise" and state is State.DRAFT:
                continue
            works = person in verb.who and state in verb.states
            assert (trigger in offered) == works, (person, trigger)


# ---------------------------------------------------------------- who sees


@pytest.mark.parametrize("person", EVERYBODY)
def test_an_order_is_seen_by_its_rep_those_above_those_who_see_all_and_nobody_else(house: House, person: str) -> None:
    order = house.stands(State.PENDING)
    if person in (*TOM_S, *SHIPPERS):
        assert house.does(person, orders.seen, order.number) == order
    else:
        with pytest.raises(NotAllowed) as error:
            house.does(person, orders.seen, order.number)
        assert (error.value.code, error.value.facts["owner"]) == ("not_yours", "Tom Becker")


def test_who_signs_an_order_sees_it_and_still_cannot_change_it(house: House) -> None:
    order = house.stands(State.PENDING, approvers=("chen",))
    assert house.does("chen", orders.seen, order.number) == order
    with pytest.raises(NotAllowed) as error:
        house.does("chen", orders.cancel, order.number)
    assert error.value.code == "not_your_order"


# ---------------------------------------------------------------- placing


def test_a_placed_order_is_a_draft_of_whoever_placed_it(house: House) -> None:
    order = house.places(count="50", price="20")
    assert (order.state, order.rep, order.version, order.steps) == (State.DRAFT, "tom", 1, ())
    assert (order.created, order.moved, order.submitted, order.decided) == (NOW, NOW, None, None)
    assert (order.total, order.effective_discount) == (Money(1000, "USD"), Decimal("20.0"))
    assert house.order(order.number) == order
    [event] = house.history(order.number)
    assert event.facts == {"total": "1000.00", "content": order.content}


def test_numbers_are_never_given_twice(house: House) -> None:
    numbers = [house.places().number for _ in range(5)]
    assert len(set(numbers)) == 5
    assert numbers == sorted(numbers)


def test_without_a_price_the_price_list_s_is_taken(house: House) -> None:
    assert house.places(count="2").lines[0].price == Decimal(25)


def test_in_a_currency_the_price_list_does_not_know_a_price_must_be_said(house: House) -> None:
    with pytest.raises(Invalid) as error:
        house.does("tom", orders.place, house.customer(), [house.wish()], currency="EUR")
    assert (error.value.code, error.value.facts) == ("price_missing", {"product": "Pro seat", "currency": "EUR"})
    order = house.does("tom", orders.place, house.customer(), [house.wish("10", "20")], currency="EUR")
    assert (order.total, order.effective_discount) == (Money(200, "EUR"), Decimal("13.6")), "25 USD are 23.15 EUR"


@pytest.mark.parametrize(
    ("count", "price", "discount", "code"),
    [
        ("0", None, "0", "quantity_out_of_range"),
        ("-1", None, "0", "quantity_out_of_range"),
        ("1000001", "1", "0", "quantity_out_of_range"),
        ("NaN", None, "0", "quantity_out_of_range"),
        ("1", "-1", "0", "amount_out_of_range"),
        ("1", "0.00001", "0", "amount_too_fine"),
        ("1", "Infinity", "0", "amount_out_of_range"),
        ("1", None, "101", "percent_out_of_range"),
        ("1000000", "1000000.01", "0", "total_out_of_range"),
    ],
)
def test_an_impossible_line_places_nothing(house: House, count: str, price: str, discount: str, code: str) -> None:
    with house.turn("tom") as (desk, unit):
        with pytest.raises(Invalid) as error:
            orders.place(desk, house.customer(), [house.wish(count, price, discount=discount)], currency="USD")
        unit.commit()
    assert error.value.code == code
    with house.turn("tom") as (_, unit):
        assert not unit.find(Order)


def test_an_impossible_discount_on_the_whole_order_places_nothing(house: House) -> None:
    with pytest.raises(Invalid) as error:
        house.places(discount="100.01")
    assert error.value.code == "percent_out_of_range"


@pytest.mark.parametrize(("count", "code"), [(0, "no_lines"), (51, "too_many_lines")])
def test_an_order_has_one_to_fifty_lines(house: House, count: int, code: str) -> None:
    with pytest.raises(Invalid) as error:
        house.does("tom", orders.place, house.customer(), [house.wish()] * count, currency="USD")
    assert error.value.code == code
    fifty = house.does("tom", orders.place, house.customer(), [house.wish()] * 50, currency="USD")
    assert len(house.order(fifty.number).lines) == 50


def test_the_largest_order_is_kept_to_the_cent(house: House) -> None:
    order = house.places(count="1000", price="1000000000")
    assert house.order(order.number).total.amount == MAX_TOTAL


# ---------------------------------------------------------------- sums


CENT = Decimal("0.01")
wishes = st.lists(
    st.tuples(
        st.decimals(min_value=Decimal("0.001"), max_value=5000, places=3),
        st.decimals(min_value=0, max_value=9999, places=4),
        st.decimals(min_value=0, max_value=100, places=2),
    ),
    min_size=1,
    max_size=12,
)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def lines_of(asked: list[tuple[Decimal, Decimal, Decimal]]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(product=1, name="x", quantity=count, price=price, list_price=price, discount=off)
        for count, price, off in asked
    )


@given(wishes, st.decimals(min_value=0, max_value=100, places=2))
def test_the_total_is_the_sum_of_rounded_lines_less_the_order_s_discount(
    asked: list[tuple[Decimal, Decimal, Decimal]], discount: Decimal
) -> None:
    """What a person with a calculator gets from the printed lines."""
    printed = [cents(cents(price * count) * (100 - off) / 100) for count, price, off in asked]
    total = order_total(lines_of(asked), discount, "USD")
    assert [line.amount("USD").amount for line in lines_of(asked)] == printed
    assert total.amount == cents(sum(printed, Decimal(0)) * (100 - discount) / 100)


@given(wishes, st.decimals(min_value=0, max_value=100, places=2))
def test_the_discount_people_sign_for_is_how_far_the_total_is_below_the_list(
    asked: list[tuple[Decimal, Decimal, Decimal]], discount: Decimal
) -> None:
    lines = lines_of(asked)
    order = Order(
        number=1,
        customer=1,
        rep="tom",
        currency="USD",
        lines=lines,
        discount=discount,
        total=order_total(lines, discount, "USD"),
        created=NOW,
    )
    full = sum((cents(price * count) for count, price, _ in asked), Decimal(0))
    below = order.effective_discount
    assert below is not None
    assert 0 <= below <= 100
    if full:
        assert abs(below - (full - order.total.amount) / full * 100) <= Decimal("0.05")


def test_dearer_than_the_list_is_no_discount(house: House) -> None:
    assert house.places(price="30").effective_discount == 0


def test_an_order_for_nothing_has_no_discount_to_divide_by() -> None:
    free = OrderLine(product=1, name="gift", quantity=Decimal(1), price=Decimal(0), list_price=Decimal(0))
    order = Order(number=1, customer=1, rep="tom", currency="USD", lines=(free,), total=Money(0, "USD"), created=NOW)
    assert order.effective_discount == 0


# ---------------------------------------------------------------- the content that is signed


LINE = OrderLine(product=1, name="Seat", quantity=Decimal(10), price=Decimal(20), list_price=Decimal(25))
ORDER = Order(number=1, customer=1, rep="tom", currency="USD", lines=(LINE,), total=Money(200, "USD"), created=NOW)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ORDER, customer=2),
        replace(ORDER, currency="EUR"),
        replace(ORDER, discount=Decimal(1)),
        replace(ORDER, lines=(LINE, LINE)),
        replace(ORDER, lines=(replace(LINE, product=2),)),
        replace(ORDER, lines=(replace(LINE, quantity=Decimal(11)),)),
        replace(ORDER, lines=(replace(LINE, price=Decimal("20.0001")),)),
        replace(ORDER, lines=(replace(LINE, discount=Decimal("0.01")),)),
    ],
)
def test_whatever_an_approver_agrees_to_changes_the_content(changed: Order) -> None:
    assert changed.content != ORDER.content


@pytest.mark.parametrize(
    "changed",
    [
        replace(ORDER, number=2),
        replace(ORDER, rep="lena"),
        replace(ORDER, state=State.PENDING, moved=NOW, submitted=NOW, decided=NOW),
        replace(ORDER, steps=(ApprovalStep(position=1, approvers=("raj",)),)),
        replace(ORDER, reason="too thin", tracking="DHL"),
        replace(ORDER, version=9, base_total=Money(1, "EUR")),
        replace(ORDER, due=date(2027, 1, 1)),
        replace(ORDER, lines=(replace(LINE, name="Seat, renamed", family="Software"),)),
    ],
)
def test_nothing_else_changes_the_content(changed: Order) -> None:
    assert changed.content == ORDER.content


def test_the_order_of_the_lines_is_part_of_the_content() -> None:
    other = replace(LINE, product=2)
    assert replace(ORDER, lines=(LINE, other)).content != replace(ORDER, lines=(other, LINE)).content


@pytest.mark.parametrize(
    ("count", "price", "off"),
    [("10", "20.50", "0"), ("1.500", "20", "0"), ("10.0", "20.00", "5.50"), ("1E+1", "2E+1", "0")],
)
def test_the_content_is_the_same_before_and_after_it_was_kept(house: House, count: str, price: str, off: str) -> None:
    """A card is shown before the order is read back: its buttons must still fit."""
    placed = house.does(
        "tom",
        orders.place,
        house.customer(),
        [house.wish(count, price, discount=off)],
        currency="USD",
        discount=Decimal(off),
    )
    assert house.order(placed.number).content == placed.content
    house.does("tom", orders.submit, placed.number, placed.content)


# ---------------------------------------------------------------- changing and resubmitting


@pytest.mark.parametrize("state", [state for state in State if state not in EDITABLE])
def test_an_order_under_way_is_locked(house: House, state: State) -> None:
    order = house.stands(state)
    with pytest.raises(WrongState) as error:
        house.does("tom", _change, order.number)
    assert (error.value.code, error.value.facts) == ("locked", {"number": order.number, "state": state.value})


@pytest.mark.parametrize("state", [State.REJECTED, State.CHANGES, State.WITHDRAWN])
def test_a_change_makes_a_draft_again_without_any_signature(house: House, state: State) -> None:
    order = house.stands(state)
    changed = house.does("tom", _change, order.number)
    assert (changed.state, changed.steps, changed.total) == (State.DRAFT, (), Money(72, "USD"))
    assert house.order(order.number) == replace(changed, version=order.version + 1)


def test_a_change_keeps_what_it_does_not_name(house: House) -> None:
    order = house.does(
        "tom",
        orders.place,
        house.customer(2),
        [house.wish()],
        currency="USD",
        discount=Decimal(5),
        due=date(2026, 12, 24),
    )
    changed = house.does("tom", _change, order.number)
    assert (changed.customer, changed.discount, changed.due) == (2, Decimal(5), date(2026, 12, 24))
    assert (changed.currency, changed.rep, changed.created) == ("USD", "tom", order.created)


def test_a_change_by_whoever_leads_the_rep_leaves_the_order_the_rep_s(house: House) -> None:
    order = house.places()
    assert house.does("raj", _change, order.number).rep == "tom"


def test_an_order_that_no_rule_catches_is_approved_when_it_is_submitted(house: House) -> None:
    order = house.places()
    moved = house.does("tom", orders.submit, order.number)
    assert (moved.state, moved.steps, moved.decided) == (State.APPROVED, (), NOW)
    assert moved.base_total == moved.total


def test_a_booked_order_is_worth_its_total_at_the_rate_of_that_day(house: House) -> None:
    order = house.does("tom", orders.place, house.customer(), [house.wish("10", "20")], currency="EUR")
    assert house.does("tom", orders.submit, order.number).base_total == Money(216, "USD")


def test_an_order_in_a_currency_without_a_rate_waits_for_a_signature_and_is_worth_nothing_known(house: House) -> None:
    order = house.does("tom", orders.place, house.customer(), [house.wish("1", "1")], currency="JPY")
    assert house.does("tom", orders.submit, order.number).state is State.PENDING
    assert house.does("raj", orders.approve, order.number).base_total is None


def test_submitting_twice_says_since_when_it_is_in_review(house: House) -> None:
    order = house.stands(State.PENDING)
    house.later(hours=5)
    with pytest.raises(WrongState) as error:
        house.does("tom", orders.submit, order.number)
    assert (error.value.code, error.value.facts["since"]) == ("already_in_review", NOW)


def test_a_submit_button_of_an_older_look_does_nothing(house: House) -> None:
    order = house.places()
    house.does("tom", _change, order.number)
    with pytest.raises(WrongState) as error:
        house.does("tom", orders.submit, order.number, order.content)
    assert error.value.code == "order_changed"
    assert house.order(order.number).state is State.DRAFT


def test_when_nobody_may_sign_the_order_stays_a_draft(house: House) -> None:
    order = house.places("mia", **TWO_STEPS)
    with pytest.raises(Invalid) as error:
        house.does("mia", orders.submit, order.number)
    assert error.value.code == "nobody_may_approve"
    assert house.order(order.number).state is State.DRAFT


def test_withdrawn_and_submitted_again_the_order_needs_every_signature_anew(house: House) -> None:
    order = house.places(**TWO_STEPS)
    house.does("tom", orders.submit, order.number)
    house.does("raj", orders.approve, order.number)
    house.does("tom", orders.withdraw, order.number)
    assert (house.waiting("raj"), house.waiting("mia")) == ([], [])
    again = house.does("tom", orders.submit, order.number)
    assert (again.state, [step.state for step in again.steps]) == (State.PENDING, [StepState.OPEN] * 2)
    assert {(step.by, step.at, step.comment) for step in again.steps} == {("", None, "")}
    assert house.waiting("raj") == [order.number]


def test_rejected_the_order_can_be_revised_and_approved(house: House) -> None:
    order = house.places(**TWO_STEPS)
    house.does("tom", orders.submit, order.number)
    rejected = house.does("raj", orders.reject, order.number, "too cheap")
    assert (rejected.reason, rejected.steps[0].state, rejected.steps[0].by) == ("too cheap", StepState.REJECTED, "raj")
    assert house.waiting("mia") == []
    house.does("tom", _change, order.number)
    again = house.does("tom", orders.submit, order.number)
    assert (again.state, again.reason) == (State.PENDING, "")


# ---------------------------------------------------------------- deciding


def test_two_steps_are_signed_one_after_the_other_by_the_one_each_names(house: House) -> None:
    order = house.places(**TWO_STEPS)
    pending = house.does("tom", orders.submit, order.number)
    assert [step.approvers for step in pending.steps] == [("raj",), ("mia",)]
    assert (house.waiting("raj"), house.waiting("mia")) == ([order.number], [])
    with pytest.raises(NotAllowed) as error:
        house.does("mia", orders.approve, order.number)
    assert (error.value.code, error.value.facts["waiting"]) == ("not_your_turn", ["Raj Patel"])
    house.later(minutes=5)
    signed = house.does("raj", orders.approve, order.number, step=1, content=order.content, comment=" ok ")
    assert (signed.state, signed.decided) == (State.PENDING, None)
    first = signed.steps[0]
    assert (first.state, first.by, first.at, first.comment) == (StepState.APPROVED, "raj", house.now, "ok")
    assert (house.waiting("raj"), house.waiting("mia")) == ([], [order.number])
    house.later(minutes=5)
    approved = house.does("mia", orders.approve, order.number, step=2, content=order.content)
    assert (approved.state, approved.decided, approved.open_step) == (State.APPROVED, house.now, None)
    assert [step.by for step in approved.steps] == ["raj", "mia"]
    names = [event.name for event in house.history(order.number)]
    assert names == ["order.placed", "order.submitted", "order.signed", "order.approved"]
    assert house.waiting("mia") == []


def test_a_second_no_or_yes_is_told_who_decided_and_when(house: House) -> None:
    order = house.stands(State.PENDING, approvers=("mia", "raj"))
    house.does("mia", orders.approve, order.number)
    for again in (VERBS["approve"].do, VERBS["reject"].do):
        with pytest.raises(WrongState) as error:
            house.does("raj", again, order.number)
        assert error.value.code == "already_decided"
        assert (error.value.facts["by"], error.value.facts["at"]) == ("mia", NOW)


def test_the_button_of_a_step_that_was_signed_never_signs_the_next_one(house: House) -> None:
    """Two people press the same step in the same moment: the loser must not sign the step after it."""
    both = (ApprovalStep(position=1, approvers=("mia", "raj")), ApprovalStep(position=2, approvers=("mia", "raj")))
    order = house.stands(State.PENDING, steps=both)
    house.does("raj", orders.approve, order.number, step=1, content=order.content)
    for person in ("mia", "raj"):
        with pytest.raises(WrongState) as error:
            house.does(person, orders.approve, order.number, step=1, content=order.content)
        assert (error.value.code, error.value.facts["by"]) == ("already_decided", "raj")
    assert house.order(order.number).steps[1].state is StepState.OPEN


def test_the_button_of_a_later_step_does_nothing_yet(house: House) -> None:
    both = (ApprovalStep(position=1, approvers=("mia", "raj")), ApprovalStep(position=2, approvers=("mia",)))
    order = house.stands(State.PENDING, steps=both)
    with pytest.raises(NotAllowed) as error:
        house.does("mia", orders.approve, order.number, step=2)
    assert error.value.code == "not_your_step"


@pytest.mark.parametrize(
    "decide",
    [
        lambda desk, number, shown: orders.approve(desk, number, step=1, content=shown),
        lambda desk, number, shown: orders.reject(desk, number, "no", step=1, content=shown),
    ],
)
def test_a_button_that_showed_another_content_decides_nothing(
    house: House, decide: Callable[[Desk, int, str], Order]
) -> None:
    order = house.places(**TWO_STEPS)
    shown = house.does("tom", orders.submit, order.number).content
    house.does("tom", orders.withdraw, order.number)
    house.does("tom", orders.change, order.number, [house.wish("99")], discount=Decimal(40))
    house.does("tom", orders.submit, order.number)
    with house.turn("raj") as (desk, _), pytest.raises(WrongState) as error:
        decide(desk, order.number, shown)
    assert error.value.code == "order_changed"
    assert house.order(order.number).state is State.PENDING


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_no_without_a_reason_decides_nothing(house: House, reason: str) -> None:
    order = house.stands(State.PENDING)
    with pytest.raises(Invalid) as error:
        house.does("raj", orders.reject, order.number, reason)
    assert error.value.code == "reason_missing"
    assert house.order(order.number) == order


def test_nobody_decides_their_own_order_even_when_the_step_names_them(house: House) -> None:
    order = house.stands(State.PENDING, approvers=("raj", "tom"))
    for verb in (VERBS["approve"].do, VERBS["reject"].do, orders.to_decide):
        with pytest.raises(NotAllowed) as error:
            house.does("tom", verb, order.number)
        assert error.value.code == "own_order"


def test_to_decide_promises_what_approve_and_reject_keep(house: House) -> None:
    order = house.stands(State.PENDING)
    assert house.does("raj", orders.to_decide, order.number, step=1, content=order.content) == order
    for person in set(EVERYBODY) - {"raj"}:
        with pytest.raises(DealdeskError) as asked:
            house.does(person, orders.to_decide, order.number)
        with pytest.raises(DealdeskError) as done:
            house.does(person, orders.approve, order.number)
        assert (asked.value.code, asked.value.facts) == (done.value.code, done.value.facts)


def test_long_words_are_cut_and_never_lost_entirely(house: House) -> None:
    order = house.stands(State.PENDING)
    rejected = house.does("raj", orders.reject, order.number, "x" * 5000)
    assert rejected.reason == rejected.steps[0].comment == "x" * 500
    shipped = house.does("grace", orders.ship, house.stands(State.APPROVED).number, "y" * 5000)
    assert shipped.tracking == "y" * 100


def test_cancelling_without_a_reason_keeps_the_one_that_stands(house: House) -> None:
    order = house.stands(State.REJECTED, reason="too thin")
    assert house.does("tom", orders.cancel, order.number).reason == "too thin"


# ---------------------------------------------------------------- what reports count


@pytest.mark.parametrize("trigger", ["reject", "request_changes"])
def test_an_order_that_was_never_approved_is_never_counted_as_booked(house: House, trigger: str) -> None:
    order = house.stands(State.PENDING)
    house.does("raj", VERBS[trigger].do, order.number)
    house.does("tom", orders.cancel, order.number)
    with house.turn("mia") as (_, unit):
        assert unit.bookings([NOW, NOW.replace(year=2027)], None) == []


def test_another_currency_does_not_walk_past_the_rules_about_discounts(house: House) -> None:
    order = house.does("tom", orders.place, house.customer(), [house.wish("500", "0.01")], currency="EUR")
    assert house.does("tom", orders.submit, order.number).state is State.PENDING


def test_a_discount_that_cannot_be_told_for_want_of_a_rate_needs_a_signature(house: House) -> None:
    order = house.does("tom", orders.place, house.customer(), [house.wish("1", "25")], currency="JPY")
    assert order.effective_discount is None
    assert house.does("tom", orders.submit, order.number).state is State.PENDING
