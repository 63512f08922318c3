"""Several people at once, doing whatever comes to their mind: place, correct, submit, decide, take back, ship, press
buttons of long ago, press the same moment as somebody else, while the process is restarted. Whatever they do, what is
kept stays right and what stands on every screen is what is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot import cards
from bot.messages import Button, Reply, Tap
from bot.text import Words, sentences
from core.desk import Company, Desk
from core.events import Event
from core.orders import service as orders
from core.orders.model import Order, State, StepState, order_total
from core.orders.policy import Policy, Rule
from core.team import Person, Role, Roster
from tests import talk as talking
from tests.talk import Talk

SELLERS = ("tom", "lena", "fang", "raj")
EVERYBODY = ("tom", "lena", "fang", "raj", "chen", "mia", "dan", "grace")
DECISIONS = ("order.signed", "order.approved", "order.rejected", "order.changes_requested")
SUBMITTED = "order.submitted"
MISTAKES = [
    sentences(language)[f"error.{code}"].partition("{")[0][:20]
    for language in ("en", "zh")
    for code in ("our_mistake", "storage_down")
]
AFTER = {  # the state in which each thing that happens leaves an order
    "order.placed": State.DRAFT,
    "order.changed": State.DRAFT,
    "order.signed": State.PENDING,
    "order.approved": State.APPROVED,
    "order.rejected": State.REJECTED,
    "order.changes_requested": State.CHANGES,
    "order.withdrawn": State.WITHDRAWN,
    "order.cancelled": State.CANCELLED,
    "order.started": State.PRODUCTION,
    "order.shipped": State.SHIPPED,
    "order.delivered": State.DELIVERED,
    "order.closed": State.CLOSED,
}


def firm() -> Company:
    """The small company with a second director, so that a step can be anybody's of two."""
    people = [*talking.people(), Person(id="dan", name="Dan Weiss", role=Role.DIRECTOR, logins=("web:dan",))]
    rules = (
        Rule(name="Discount above 10 %", ask="manager", discount_over=Decimal(10)),
        Rule(name="Discount above 20 %", ask="role:director", discount_over=Decimal(20)),
    )
    return replace(talking.company(), roster=Roster.of(people), policy=Policy(rules=rules))


class People(RuleBasedStateMachine):
    folder: Path  # where `stocked.db` lies, to be copied for each run

    def __init__(self) -> None:
        super().__init__()
        self.room = Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copy(self.folder / "stocked.db", self.room / "talk.db")
        self.talk = Talk(self.room / "talk.db", firm(), stocked=False)
        self.seats = {key: self.talk.person(key) for key in EVERYBODY}
        self.seen: dict[str, list[tuple[Button, str]]] = {key: [] for key in EVERYBODY}  # buttons ever shown

    def teardown(self) -> None:
        self.talk.close()
        shutil.rmtree(self.room)

    # ------------------------------------------------------------ what people do

    @rule(
        who=st.sampled_from(SELLERS),
        count=st.integers(1, 60),
        price=st.sampled_from(["25", "23.50", "21", "19.99", "15"]),
        customer=st.sampled_from(["Acme", "Globex", "Initech Labs"]),
    )
    def place(self, who: str, count: int, price: str, customer: str) -> None:
        self.seats[who].says(f"order {count} Pro seats for {customer} at ${price}")

    @rule(who=st.sampled_from(SELLERS), price=st.sampled_from(["25", "22.25", "19.99", "15"]))
    def place_and_submit(self, who: str, price: str) -> None:
        self.seats[who].says(f"order 9 Pro seats for Acme at ${price}")
        self.seats[who].says("submit")

    @rule(who=st.sampled_from(SELLERS), text=st.sampled_from(["actually 12", "25% off", "5% off", "submit", "cancel"]))
    def correct(self, who: str, text: str) -> None:
        self.seats[who].says(text)

    @rule(
        who=st.sampled_from(EVERYBODY),
        verb=st.sampled_from(["approve", "reject", "status of", "cancel order", "ship", "close order"]),
        which=st.integers(0, 99),
        reason=st.sampled_from(["", " because it is too cheap"]),
    )
    def speak(self, who: str, verb: str, which: int, reason: str) -> None:
        numbers = [order.number for order in self.orders()]
        if numbers:
            self.seats[who].says(f"{verb} {numbers[which % len(numbers)]}{reason}")

    @rule(who=st.sampled_from(EVERYBODY), text=st.sampled_from(["what waits for me?", "my orders", "help", "too thin"]))
    def ask(self, who: str, text: str) -> None:
        self.seats[who].says(text)

    @rule(which=st.integers(0, 999), reason=st.sampled_from(["no", " ", "too thin"]))
    def press_to_decide(self, which: int, reason: str) -> None:
        self.press_one_of(which, reason, "order.approve", "order.reject", "order.request_changes")

    @rule(which=st.integers(0, 999))
    def press_approve(self, which: int) -> None:
        self.press_one_of(which, "", "order.approve")

    @rule(which=st.integers(0, 999))
    def press_to_carry_out(self, which: int) -> None:
        self.press_one_of(which, "DHL 1", "order.start", "order.ship", "order.deliver", "order.close")

    @rule(which=st.integers(0, 999))
    def press_submit(self, which: int) -> None:
        self.press_one_of(which, "", "order.submit")

    @rule(who=st.sampled_from(EVERYBODY), which=st.integers(0, 99), reason=st.sampled_from(["", "because"]))
    def press_what_stands_there(self, who: str, which: int, reason: str) -> None:
        standing = list(self.standing(who))
        if standing:
            self.press(who, *standing[which % len(standing)], reason)

    @rule(who=st.sampled_from(EVERYBODY), whose=st.sampled_from(EVERYBODY), which=st.integers(0, 999))
    def press_something_of_long_ago(self, who: str, whose: str, which: int) -> None:
        """Also a button that was shown to somebody else: what a button says proves nothing."""
        if self.seen[whose]:
            self.press(who, *self.seen[whose][which % len(self.seen[whose])], "too late")

    @rule(who=st.sampled_from(EVERYBODY), which=st.integers(0, 99))
    def press_and_the_platform_tells_it_twice(self, who: str, which: int) -> None:
        tap = self.tap(who, which)
        if tap is not None:
            self.talk.app.receive(tap)
            self.talk.settle()
            before = self.orders()
            assert not self.talk.app.receive(tap).handled
            self.talk.settle()
            assert self.orders() == before

    @rule(minutes=st.sampled_from([1, 7]))
    def time_passes(self, minutes: int) -> None:
        self.talk.later(minutes=minutes)

    @rule()
    def restart(self) -> None:
        self.talk.restart()

    # ------------------------------------------------------------ hands

    def press_one_of(self, which: int, reason: str, *verbs: str) -> None:
        """One of the buttons of these verbs, on anybody's screen."""
        found = [(who, *it) for who in EVERYBODY for it in self.standing(who) if it[0].action.startswith(verbs)]
        if found:
            who, button, card = found[which % len(found)]
            number = int(button.action.split(":")[1])
            before = self.talk.order(number).version
            self.press(who, button, card, reason)
            if reason.strip() or not button.action.startswith(("order.reject", "order.request_changes")):
                assert self.talk.order(number).version == before + 1, (
                    f"{who} pressed {button.action} and it did nothing"
                )

    def press(self, who: str, button: Button, card: str, reason: str) -> None:
        """The button, and what it asks for is filled in."""
        seat = self.seats[who]
        asked = seat.presses(button, card).ask
        if asked is not None:
            seat.fills(**{blank.name: reason for blank in asked.inputs})

    def tap(self, who: str, which: int) -> Tap | None:
        standing = list(self.standing(who))
        if not standing:
            return None
        button, card = standing[which % len(standing)]
        here = f"web:{who}"
        event = self.talk.next_id()
        return Tap(id=event, address=here, login=here, at=self.talk.now, action=button.action, card=card)

    def standing(self, who: str) -> Iterator[tuple[Button, str]]:
        for message in self.seats[who].messages():
            for button in message.reply.card.buttons:
                yield button, message.reply.name

    def orders(self) -> list[Order]:
        with self.talk.database.turn() as book:
            return book.find(Order)

    # ------------------------------------------------------------ what is always true

    @invariant()
    def what_is_kept_is_right(self) -> None:
        with self.talk.database.turn() as book:
            for order in book.find(Order):
                history = [
                    event for event in book.history(f"order:{order.number}") if event.name in (*AFTER, SUBMITTED)
                ]
                self.check(order, history)

    def check(self, order: Order, history: list[Event]) -> None:
        assert order.total == order_total(order.lines, order.discount, order.currency)
        assert all(step.by != order.rep for step in order.steps), "nobody signs their own order"
        assert all(order.rep not in step.approvers for step in order.steps)
        for step in order.steps:
            assert (step.by != "") == (step.state is not StepState.OPEN) == (step.at is not None)
            assert step.by in ("", *step.approvers)
        decided: set[int] = set()
        for event in history:
            if event.name == SUBMITTED:
                decided.clear()
            elif event.name in DECISIONS:
                assert event.facts["step"] not in decided, "a step is decided once"
                decided.add(event.facts["step"])
        assert order.state is replayed(history), "what happened leads to where it is"
        if order.state is State.APPROVED:
            assert order.open_step is None
            assert order.base_total == order.total

    @invariant()
    def who_is_waited_for_is_who_must_sign(self) -> None:
        with self.talk.database.turn() as book:
            found = book.find(Order)
            for person in EVERYBODY:
                waiting = {order.number for order in book.waiting_for(person)}
                meant = {
                    order.number
                    for order in found
                    if order.state is State.PENDING and order.open_step and person in order.open_step.approvers
                }
                assert waiting == meant, person

    @invariant()
    def what_stands_on_every_screen_is_what_is_kept(self) -> None:
        company = self.talk.app.company
        with self.talk.database.turn() as book:
            for key in EVERYBODY:
                person = company.roster.people[key]
                desk, words = Desk(book, company, person, self.talk.now), Words(person.language, person.zone)
                newest = {it.reply.name: it.reply for it in self.seats[key].messages() if it.reply.name}
                for name, reply in newest.items():
                    order = orders.seen(desk, int(name.removeprefix("order:")))
                    assert reply.card == cards.order(desk, words, order), f"{name} on the screen of {key}"
                for message in self.seats[key].messages():
                    old = message.reply.name and message.reply is not newest[message.reply.name]
                    assert not (old and message.reply.card.buttons), f"a dead button stands before {key}"
                    self.remember(key, message.reply)

    def remember(self, key: str, reply: Reply) -> None:
        for button in reply.card.buttons:
            if (button, reply.name) not in self.seen[key]:
                self.seen[key].append((button, reply.name))

    @invariant()
    def whoever_must_sign_has_the_card_before_them(self) -> None:
        for order in self.orders():
            step = order.open_step
            if order.state is State.PENDING and step:
                for person in step.approvers:
                    shown = [
                        it.reply.card
                        for it in self.seats[person].messages()
                        if it.reply.name == f"order:{order.number}"
                    ]
                    assert shown, f"{person} never saw #{order.number}"
                    assert any(button.action.startswith("order.approve") for button in shown[-1].buttons)

    @invariant()
    def nothing_ever_goes_wrong_on_our_side(self) -> None:
        for key in EVERYBODY:
            for message in self.seats[key].messages():
                assert not any(mark in message.reply.card.text for mark in MISTAKES), message.reply.card.text


def replayed(history: list[Event]) -> State:
    state = State.DRAFT
    for event in history:
        if event.name == SUBMITTED:
            state = State.PENDING if event.facts["steps"] else State.APPROVED
        else:
            state = AFTER[event.name]
    return state


class PeopleInOneMoment(People):
    """And somebody else presses a button in the middle of somebody's turn, after it has read and before it is kept."""

    @rule(
        first=st.sampled_from(EVERYBODY),
        second=st.sampled_from(EVERYBODY),
        which=st.tuples(st.integers(0, 99), st.integers(0, 99)),
        ask=st.booleans(),
    )
    def press_in_the_same_moment(self, first: str, second: str, which: tuple[int, int], *, ask: bool) -> None:
        outer, inner = self.tap(first, which[0]), self.tap(second, which[1])
        if first == second or inner is None:
            return
        if ask or outer is None:
            numbers = [order.number for order in self.orders()]
            words = f"status of {numbers[which[0] % len(numbers)]}" if numbers else "my orders"
            in_the_middle_of_a_turn(self.talk, inner, lambda: self.seats[first].says(words))
        else:
            in_the_middle_of_a_turn(self.talk, inner, lambda: self.talk.app.receive(outer))
        self.talk.settle()


def in_the_middle_of_a_turn(talk: Talk, inner: Tap, outer: Callable[[], object]) -> None:
    """Run `outer`, and all of `inner` after it has read what it needs and before it is kept."""
    app, books = talk.app, talk.app._books
    waits = [inner]

    def turn() -> Any:
        unit = books()
        if waits:
            commit = unit.commit

            def after_the_other() -> None:
                if waits:
                    app.receive(waits.pop())
                commit()

            unit.commit = after_the_other  # type: ignore[method-assign]
        return unit

    app._books = turn
    try:
        outer()
    finally:
        app._books = books
    talk.settle()


def run(machine: type[People], folder: Path, examples: int) -> None:
    Talk(folder / "stocked.db").close()
    machine.folder = folder
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            phases=[
                Phase.explicit,
                Phase.reuse,
                Phase.generate,
            ],  # add Phase.shrink to look into a failure: it takes minutes
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_whatever_people_do_what_is_kept_stays_right_and_every_screen_shows_it(tmp_path: Path) -> None:
    run(People, tmp_path, 15)


def test_it_stays_so_when_they_do_it_in_the_same_moment(tmp_path: Path) -> None:
    run(PeopleInOneMoment, tmp_path, 12)


def pending(talk: Talk) -> Button:
    """Order 1 waits for raj; the button with which he approves it."""
    talk.person("tom").says("order 50 Pro seats for Acme at $20")
    talk.person("tom").taps("Submit")
    return next(it for it in talk.person("raj").card("order:1").buttons if it.action.startswith("order.approve"))


def approval(talk: Talk, button: Button) -> Tap:
    return Tap(id=talk.next_id(), address="web:raj", login="web:raj", at=talk.now, action=button.action, card="order:1")


@pytest.mark.parametrize("stood", [False, True], ids=["for the first time", "once more"])
def test_a_card_that_is_asked_for_while_somebody_decides_shows_the_decision(talk: Talk, stood: bool) -> None:
    """The turn that only looks read the order before the decision and is kept after it."""
    tap = approval(talk, pending(talk))
    mia = talk.person("mia")
    if stood:
        mia.says("status of 1")
    in_the_middle_of_a_turn(talk, tap, lambda: mia.says("status of 1"))
    assert "approved" in mia.card("order:1").title


def test_a_decision_reaches_a_card_that_was_posted_while_it_was_made(talk: Talk) -> None:
    """The turn that decides read where the card stands before it was posted somewhere new."""
    button = pending(talk)
    mia = talk.person("mia")
    mia.says("my orders")
    look = Tap(id=talk.next_id(), address="web:mia", login="web:mia", at=talk.now, action="order.show:1", card="")
    in_the_middle_of_a_turn(talk, look, lambda: talk.person("raj").presses(button, "order:1"))
    assert "approved" in mia.card("order:1").title


def test_of_two_who_press_the_same_button_in_the_same_moment_one_decides_and_the_other_is_told(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "talk.db", firm())
    talk.person("raj").says("order 50 Pro seats for Acme at $15")
    talk.person("raj").taps("Submit")
    tap = next(it for it in talk.person("mia").card("order:1").buttons if it.action.startswith("order.approve"))
    talk.person("mia").presses(tap, "order:1")
    both = talk.order(1).open_step
    assert both is not None
    assert both.approvers == ("dan", "mia")
    button = next(it for it in talk.person("dan").card("order:1").buttons if it.action.startswith("order.approve"))
    inner = Tap(
        id=talk.next_id(), address="web:dan", login="web:dan", at=talk.now, action=button.action, card="order:1"
    )
    in_the_middle_of_a_turn(talk, inner, lambda: talk.person("mia").presses(button, "order:1"))
    assert [step.by for step in talk.order(1).steps] == ["mia", "dan"]
    talk.person("mia").sees("Dan Weiss")
    talk.close()


# ---------------------------------------------------------------- people come and go


def without(key: str) -> Company:
    """The company after somebody left and was taken out of company.toml."""
    left = [replace(it, manager="mia" if it.manager == key else it.manager) for it in talking.people() if it.id != key]
    return replace(talking.company(), roster=Roster.of(left))


def two_steps(talk: Talk) -> None:
    """Order 1 waits for raj, and then for mia."""
    talk.person("tom").says("order 50 Pro seats for Acme at $15")
    talk.person("tom").taps("Submit")


def goes_on_with(talk: Talk, company: Company) -> None:
    talk._firm = company
    talk.restart()


def test_an_order_can_be_signed_though_somebody_who_is_asked_after_has_left(talk: Talk) -> None:
    two_steps(talk)
    goes_on_with(talk, without("mia"))
    talk.person("raj").taps("Approve")
    assert [step.by for step in talk.order(1).steps] == ["raj", ""]
    goes_on_with(talk, talking.company())


def test_an_order_under_way_can_be_shown_and_decided_though_today_s_policy_would_ask_nobody(talk: Talk) -> None:
    """It was submitted under the policy of that day; its card must not fail because of today's."""
    two_steps(talk)
    nobody = replace(talking.policy().rules[2], ask="role:admin")
    goes_on_with(talk, replace(talking.company(), policy=Policy(rules=(*talking.policy().rules[:2], nobody))))
    talk.person("tom").says("status of 1")
    talk.person("tom").sees("Order #1", "Raj Patel")
    talk.person("raj").taps("Approve")
    assert [step.by for step in talk.order(1).steps] == ["raj", ""]


def test_whoever_left_is_told_nothing_more(talk: Talk) -> None:
    two_steps(talk)
    before = talk.person("raj").card("order:1")
    goes_on_with(talk, without("raj"))
    talk.person("tom").taps("Withdraw")
    assert talk.order(1).state is State.WITHDRAWN
    assert talk.person("raj").card("order:1") == before
