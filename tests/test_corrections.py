"""What must not be guessed, and what may be corrected: each line was once got wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.orders.model import Order, State
from tests.talk import Talk, words_of


def test_a_number_no_order_can_have_is_unknown_and_never_the_one_just_spoken_of(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.says("status of 1")
    raj.says("approve 99999999999999999999")
    assert talk.order(1).state is State.PENDING


@pytest.mark.parametrize("text", ["withdraw 1", "withdraw it", "withdraw"])
def test_withdrawing_in_words_takes_the_order_back_and_does_not_end_it(talk: Talk, text: str) -> None:
    tom = talk.person("tom")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    tom.says(text)
    assert talk.order(1).state is State.WITHDRAWN


@pytest.mark.parametrize(
    "text", ["order 5 Pro seats for Robert'); DROP TABLE customers;--", "order 5 Pro seats for <b>Bold</b> & Sons"]
)
def test_somebody_unknown_is_not_the_customer_just_spoken_of(talk: Talk, text: str) -> None:
    tom = talk.person("tom")
    tom.says("who is Acme?")
    tom.says(text)
    assert talk.count(Order) == 0
    tom.sees("I do not know")


def test_the_customer_just_spoken_of_serves_when_none_is_named_and_is_named_back(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("who is Acme?")
    tom.says("I want to place an order")
    tom.sees("For Acme Corp, I still need")


def test_an_unknown_product_is_asked_about_and_changes_no_other_line(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats for Acme")
    tom.says("add 3 rockets")
    [line] = talk.order(1).lines
    assert (line.name, line.quantity) == ("Pro seat", Decimal(10))


def test_an_order_for_another_customer_is_another_order(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats for Acme")
    tom.says("order 5 Basic seats for Globex")
    assert [(line.name, line.quantity) for line in talk.order(1).lines] == [("Pro seat", Decimal(10))]
    assert [(line.name, line.quantity) for line in talk.order(2).lines] == [("Basic seat", Decimal(5))]


@pytest.mark.parametrize("text", ["order -5 Pro seats for Acme", "order 5 Pro seats for Acme at $-3"])
def test_a_number_below_zero_is_refused_and_not_turned_round(talk: Talk, text: str) -> None:
    talk.person("tom").says(text)
    assert talk.count(Order) == 0


def test_the_order_that_is_shown_is_the_one_that_is_corrected(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats for Acme")
    tom.says("order 5 Basic seats for Globex")
    tom.says("status of 1")
    tom.says("make it 70")
    assert (talk.order(1).lines[0].quantity, talk.order(2).lines[0].quantity) == (Decimal(70), Decimal(5))


def test_submit_with_a_number_submits_that_order(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Basic seats for Acme")
    tom.says("order 5 Basic seats for Globex")
    tom.says("submit 1")
    assert (talk.order(1).state, talk.order(2).state) == (State.APPROVED, State.DRAFT)


@pytest.mark.parametrize("text", ["don't make it 60", "what if I give 30% off?"])
def test_a_thought_is_no_correction(talk: Talk, text: str) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats for Acme")
    before = talk.order(1)
    tom.says(text)
    assert talk.order(1).content == before.content


def test_a_line_is_taken_off(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats and 3 Sensor 200 for Acme")
    tom.says("remove the Pro seats")
    assert [line.name for line in talk.order(1).lines] == ["Sensor 200"]


def test_a_discount_on_top_takes_its_part_of_what_is_left(talk: Talk) -> None:
    fang = talk.person("fang")
    fang.says("给星辰科技下单40套专业版，八折")
    fang.says("再打九五折")
    assert talk.order(1).discount == Decimal(24)


def test_an_order_that_others_have_seen_is_cancelled_with_a_reason(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    tom.says("cancel order 1")
    assert talk.order(1).state is State.PENDING
    tom.sees("Why is order #1 cancelled?")
    tom.says("the customer went bankrupt")
    assert (talk.order(1).state, talk.order(1).reason) == (State.CANCELLED, "the customer went bankrupt")


def test_a_no_to_a_draft_changes_nothing(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Pro seats for Acme")
    tom.says("no")
    assert talk.order(1).state is State.DRAFT


def test_operations_says_delivered(talk: Talk) -> None:
    tom, grace = talk.person("tom"), talk.person("grace")
    tom.says("order 10 Basic seats for Acme")
    tom.taps("Submit")
    grace.says("ship 1")
    grace.says("1 delivered")
    assert talk.order(1).state is State.DELIVERED


def test_a_named_week_is_shown(talk: Talk) -> None:
    tom, mia = talk.person("tom"), talk.person("mia")
    tom.says("order 10 Basic seats for Acme")
    tom.taps("Submit")
    mia.says("sales 2026-W46")
    assert "2026-W46" in words_of(mia.last)
