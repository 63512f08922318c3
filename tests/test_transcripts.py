"""The conversation as people have it: who says, who taps, who sees."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from core.customers.model import Activity, Customer, Lead, Need, Opportunity
from core.orders.model import Order, State
from core.values import Money
from tests.talk import Talk, words_of


def test_a_sentence_becomes_a_draft_with_its_card(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.sees("Order #1 · draft", "Acme Corp", "$1,000.00", "20% below list", "Would go to Raj Patel", "[Submit]")
    order = talk.order(1)
    assert (order.state, order.total, order.rep) == (State.DRAFT, Money(1000, "USD"), "tom")


def test_several_lines_prices_and_a_discount_in_one_sentence(talk: Talk) -> None:
    talk.person("tom").says("order 40 Pro seats at $22 and 3 Sensor 200 for Globex, 10% off")
    order = talk.order(1)
    assert [(line.name, line.quantity, line.price) for line in order.lines] == [
        ("Pro seat", Decimal(40), Decimal(22)),
        ("Sensor 200", Decimal(3), Decimal(180)),
    ]
    assert order.total == Money("1278.00", "USD")  # (880 + 540) less a tenth


def test_a_draft_is_corrected_in_words_until_it_is_submitted(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.says("actually 60")
    assert talk.order(1).lines[0].quantity == 60
    tom.says("no, for Globex")
    tom.sees("Globex", "$1,200.00")
    tom.says("5% off")
    assert talk.order(1).total == Money(1140, "USD")
    tom.says("submit")
    assert talk.order(1).state is State.PENDING
    assert talk.count(Order) == 1


def test_what_is_missing_is_asked_for_at_once_and_answered_in_any_order(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("I want to place an order")
    tom.sees("the customer", "the product", "how many")
    tom.says("50")
    tom.says("Acme")
    tom.sees("the product")
    tom.says("Pro seats")
    assert talk.order(1).lines[0].quantity == 50


def test_cancel_frees_the_user_and_leaves_nothing(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order something for Acme")
    tom.says("cancel")
    tom.sees("Dropped")
    assert talk.count(Order) == 0
    tom.says("who is Globex?")
    tom.sees("Globex")


def test_cancel_on_a_draft_ends_it(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 5 Basic seats for Acme")
    tom.says("cancel")
    assert talk.order(1).state is State.CANCELLED


def test_a_question_in_between_is_answered_and_the_open_one_stands_again(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 20 Pro seats")
    tom.says("who is Globex?")
    assert "Globex" in words_of(tom.messages()[-2].reply.card)
    tom.sees("Still open", "the customer")
    tom.says("Acme")
    assert talk.order(1).customer == 1


def test_an_unfinished_order_survives_a_restart(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 20 Pro seats")
    talk.restart()
    tom.says("Acme")
    assert talk.order(1).lines[0].quantity == 20


def test_an_order_within_the_policy_needs_nobody(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 10 Basic seats for Acme")
    tom.sees("No approval needed")
    tom.taps("Submit")
    assert talk.order(1).state is State.APPROVED
    assert talk.person("raj").messages() == []


def test_the_approver_gets_the_card_and_one_tap_decides_it_everywhere(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.sees("waiting for approval", "20% below list > 15%", "[Approve]", "[Reject]")
    raj.taps("Approve")
    assert talk.order(1).state is State.APPROVED
    assert "Approved by Raj Patel" in words_of(raj.card("order:1"))
    assert "Approved by Raj Patel" in words_of(tom.card("order:1"))
    assert len(raj.messages()) == 1, "the decision edits the card and says nothing more"
    assert "Approve" not in raj.buttons()


def test_a_rejection_wants_a_reason_and_the_rep_sees_it(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.taps("Reject")
    assert raj.asked is not None
    assert talk.order(1).state is State.PENDING, "opening the form decides nothing"
    raj.fills(reason="margin too thin")
    assert talk.order(1).state is State.REJECTED
    assert "margin too thin" in words_of(tom.card("order:1"))


def test_a_rejected_order_is_corrected_and_submitted_again(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.taps("Reject")
    raj.fills(reason="at most 15 % below list")
    tom.says("actually at $22")
    tom.taps("Submit", card="order:1")
    assert talk.order(1).state is State.APPROVED
    assert talk.order(1).total == Money(1100, "USD")


def test_reject_in_words_asks_why_and_takes_the_answer(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.says("reject 1")
    raj.sees("Why do you reject order #1?")
    raj.says("too cheap for this volume")
    assert talk.order(1).reason == "too cheap for this volume"


def test_two_signatures_come_one_after_the_other(talk: Talk) -> None:
    tom, raj, mia = (talk.person(key) for key in ("tom", "raj", "mia"))
    tom.says("order 100 Pro seats for Acme at $18")
    tom.taps("Submit")
    assert mia.messages() == []
    raj.taps("Approve")
    assert talk.order(1).state is State.PENDING
    mia.sees("Approved by Raj Patel", "Waits for Mia Torres")
    mia.says("approve 1")
    assert talk.order(1).state is State.APPROVED


def test_two_approvers_at_once_one_wins_and_the_other_is_told_who(talk: Talk) -> None:
    talk.person("tom").says("order 50 Pro seats for Acme at $20")
    talk.person("tom").taps("Submit")
    raj = talk.person("raj")
    approve = next(button for button in raj.last.buttons if button.label == "Approve")
    gate = threading.Barrier(8)

    def press() -> None:
        seat = talk.person("raj")
        gate.wait()
        seat.presses(approve, "order:1")

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    talk.settle()
    with talk.database.turn() as book:
        decisions = [event for event in book.history("order:1") if event.name == "order.approved"]
    assert len(decisions) == 1
    told = [m for m in raj.messages() if "already approved: Raj Patel" in words_of(m.reply.card)]
    assert len(told) == 7


def test_a_tap_on_a_card_that_was_decided_is_told_privately_and_renews_the_card(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    approve = raj.last.buttons[0]
    raj.taps("Approve")
    raj.presses(approve, "order:1")
    notice = raj.messages()[-1].reply
    assert notice.only == "web:raj"
    assert "already approved" in words_of(notice.card)


def test_a_button_of_an_older_content_decides_nothing(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    old = next(button for button in raj.last.buttons if button.label == "Approve")
    tom.taps("Withdraw")
    tom.says("actually at $15")
    tom.taps("Submit", card="order:1")
    raj.presses(old, "order:1")
    assert talk.order(1).state is State.PENDING
    assert "has changed" in words_of(raj.messages()[-1].reply.card)


def test_nobody_decides_their_own_order_or_out_of_turn(talk: Talk) -> None:
    tom, lena, raj = (talk.person(key) for key in ("tom", "lena", "raj"))
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    approve = raj.last.buttons[0]
    tom.presses(approve, "order:1")
    tom.sees("is your own")
    lena.presses(approve, "order:1")
    lena.sees("belongs to Tom Becker")
    talk.person("mia").presses(approve, "order:1")
    talk.person("mia").sees("waits for Raj Patel, not for you")
    assert talk.order(1).state is State.PENDING


def test_the_same_event_twice_counts_once(talk: Talk) -> None:
    tom = talk.person("tom")
    assert tom.says("order 5 Basic seats for Acme", event="web:twice").handled
    assert not tom.says("order 5 Basic seats for Acme", event="web:twice").handled
    assert talk.count(Order) == 1
    assert len(tom.messages()) == 1


def test_somebody_unknown_can_do_nothing(talk: Talk) -> None:
    stranger = talk.person("mallory")
    stranger.says("order 5 Basic seats for Acme")
    stranger.sees("I do not know web:mallory")
    assert talk.count(Order) == 0


@pytest.mark.parametrize("text", ["don't approve 1 yet", "is 1 approved?", "Raj said “approve 1”, right?"])
def test_talking_about_a_decision_decides_nothing(talk: Talk, text: str) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    raj.says(text)
    assert talk.order(1).state is State.PENDING


def test_what_waits_for_me_is_a_list_that_leads_to_the_cards(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    raj.says("what waits for me?")
    raj.sees("Nothing waits for you")
    for price in (20, 19):
        tom.says(f"order 50 Pro seats for Acme at ${price}")
        tom.taps("Submit")
    raj.says("what waits for me?")
    raj.sees("2 orders wait for you", "#1 Acme Corp", "#2 Acme Corp")
    raj.taps("#2")
    raj.sees("Order #2 · waiting for approval", "[Approve]")
    with_buttons = [m for m in raj.messages() if m.reply.name == "order:2" and m.reply.card.buttons]
    assert len(with_buttons) == 1, "the copy further up lost its buttons"


def test_a_customer_card_shows_contacts_deals_needs_and_orders(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("log a deal with Acme for $30k, renewal")
    tom.says("order 10 Basic seats for Acme")
    tom.says("who is acme")
    tom.sees("Ada Stone", "ada@example.com", "renewal: $30,000.00", "single sign-on", "#1", "Tom Becker")


def test_a_customer_of_somebody_else_shows_only_who_owns_it(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("who is Initech Labs?")
    tom.sees("Lena Fischer looks after this customer")
    assert "@" not in words_of(tom.last)


def test_an_order_of_somebody_else_is_not_shown(talk: Talk) -> None:
    talk.person("tom").says("order 10 Basic seats for Acme")
    lena = talk.person("lena")
    lena.says("status of 1")
    lena.sees("belongs to Tom Becker")


def test_two_customers_of_that_name_are_offered_as_buttons(talk: Talk) -> None:
    lena = talk.person("lena")
    lena.says("order 5 Basic seats for Initech")
    lena.sees("[Initech Labs]", "[Initech Works]")
    lena.taps("Initech Works")
    assert talk.order(1).customer == 4


def test_a_misspelt_product_is_offered(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 5 Basik sets for Acme")
    shown = words_of(tom.last)
    assert "Basic seat" in shown


def test_an_unknown_customer_can_be_added_with_a_tap(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 5 Basic seats for Zebra Logistics")
    tom.sees("I do not know “Zebra Logistics”", "[New customer: Zebra Logistics]")
    assert talk.count(Order) == 0
    tom.taps("New customer: Zebra Logistics")
    tom.sees("Order #1 · draft", "Zebra Logistics")
    assert talk.count(Customer) == 6


def test_operations_ships_and_the_rep_closes(talk: Talk) -> None:
    tom, grace = talk.person("tom"), talk.person("grace")
    tom.says("order 10 Basic seats for Acme")
    tom.taps("Submit")
    grace.says("ship 1, tracking DHL 4711")
    assert talk.order(1).state is State.SHIPPED
    grace.taps("Delivered")
    tom.says("close order 1")
    assert talk.order(1).state is State.CLOSED
    tom.says("ship 1")
    tom.sees("Only operations")


def test_a_lead_a_need_and_a_call_are_kept(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("new lead: Jane Doe from Brightside Foods, jane@example.com, wants a demo")
    tom.sees("Lead logged", "Brightside Foods", "Jane Doe", "jane@example.com")
    tom.says("Acme needs an audit log")
    tom.says("called Acme about the renewal")
    assert (talk.count(Lead), talk.count(Need), talk.count(Activity)) == (1, 2, 1)


def test_a_deal_moves_along_by_words_and_by_button(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("log a deal with Acme for $30k, renewal")
    tom.taps("Engaging")
    tom.sees("Engaging")
    tom.says("Acme deal is won")
    with talk.database.turn() as book:
        deal = book.find(Opportunity)[0]
    assert (deal.stage, deal.amount) == ("Won", Money(30_000, "USD"))
    assert deal.closed == talk.now


def test_the_week_comes_as_text_first_and_a_picture_after_it(talk: Talk) -> None:
    tom, mia = talk.person("tom"), talk.person("mia")
    tom.says("order 10 Basic seats for Acme")
    tom.taps("Submit")
    mia.says("weekly sales")
    text, picture = mia.messages()[-2:]
    assert "$100.00" in words_of(text.reply.card)
    assert picture.picture is not None
    assert picture.picture.filename == "weekly-sales-2026-W47.png"


def test_help_lists_what_every_dialog_can_do(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("help")
    tom.sees("Place an order", "Approve or reject", "Look up a customer", "Log a lead", "weekly sales")


def test_what_is_not_understood_is_answered_with_what_it_can_do(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("the weather in Paris")
    tom.sees("[Place an order]", "[See the week]")


def test_the_same_day_in_chinese(talk: Talk) -> None:
    fang, chen = talk.person("fang"), talk.person("chen")
    fang.says("给星辰科技下单40套专业版，八折")
    fang.sees("订单 #1 · 草稿", "星辰科技", "陈晓", "[提交]")
    fang.says("改成60套")
    assert talk.order(1).lines[0].quantity == 60
    fang.says("提交")
    chen.says("有什么等我审批？")
    chen.sees("有 1 个订单等您审批")
    chen.says("驳回1，利润太低")
    assert talk.order(1).state is State.REJECTED
    assert "利润太低" in words_of(fang.card("order:1"))


def test_a_card_is_in_the_language_of_whoever_looks_at_it(talk: Talk) -> None:
    fang, chen, mia = (talk.person(key) for key in ("fang", "chen", "mia"))
    fang.says("给星辰科技下单100套专业版，七折")
    fang.says("提交")
    chen.taps("批准")
    assert "waiting for approval" in words_of(mia.card("order:1"))
    assert "待审批" in words_of(fang.card("order:1"))


def test_a_button_of_a_withdrawn_order_says_who_took_it_back(talk: Talk) -> None:
    tom, raj = talk.person("tom"), talk.person("raj")
    tom.says("order 50 Pro seats for Acme at $20")
    tom.taps("Submit")
    approve = raj.last.buttons[0]
    tom.taps("Withdraw")
    raj.presses(approve, "order:1")
    raj.sees("withdrawn: Tom Becker")


def test_my_orders_lists_the_latest_of_mine(talk: Talk) -> None:
    tom = talk.person("tom")
    tom.says("order 5 Basic seats for Acme")
    tom.says("my orders")
    tom.sees("Your latest orders", "#1 Acme Corp")
    fang = talk.person("fang")
    fang.says("我的订单")
    fang.sees("没有")


def test_another_period_than_a_week_is_not_passed_off_as_what_was_asked(talk: Talk) -> None:
    tom, mia = talk.person("tom"), talk.person("mia")
    tom.says("order 10 Basic seats for Acme")
    tom.taps("Submit")
    mia.says("sales last quarter")
    assert "one week at a time" in words_of(mia.messages()[-2].reply.card)
