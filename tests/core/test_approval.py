"""The table of an order's moves: what it allows is all there is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from core.errors import WrongState
from core.orders import approval
from core.orders.approval import FINAL, TABLE
from core.orders.model import BOOKED, EDITABLE, State
from tests.core.desks import House

README = Path(__file__).parents[2] / "README.md"
LEFT = (0, 1, 2)  # signatures still open
GUARDS = {"": LEFT, "needs_signature": (1, 2), "needs_nobody": (0,)}  # what each guard lets through
TRIGGERS = sorted({move.trigger for move in TABLE})
NONSENSE = ("to_approved", "to_cancelled", "auto_approve", "may_approve", "is_draft", "", "Approve", "trigger")


def destinations(state: State, trigger: str, left: int) -> set[State]:
    """Where the table, read as data, leads."""
    rows = [move for move in TABLE if move.trigger == trigger and state in move.sources]
    return {move.dest for move in rows if left in GUARDS[move.guard]}


@pytest.mark.parametrize(("state", "trigger", "left"), list(product(State, TRIGGERS, LEFT)))
def test_a_move_leads_where_the_table_says_and_nowhere_else(state: State, trigger: str, left: int) -> None:
    meant = destinations(state, trigger, left)
    if meant:
        assert {approval.next_state(state, trigger, left)} == meant
    else:
        with pytest.raises(WrongState) as error:
            approval.next_state(state, trigger, left)
        assert (error.value.code, error.value.facts) == ("cannot_move", {"trigger": trigger, "state": state.value})


@pytest.mark.parametrize(("state", "trigger"), list(product(State, NONSENSE)))
def test_there_is_no_way_around_the_table(state: State, trigger: str) -> None:
    """`transitions` can add `to_approved` by itself, which walks past every guard."""
    with pytest.raises(WrongState):
        approval.next_state(state, trigger)


def test_the_machine_knows_the_table_s_triggers_and_no_others() -> None:
    assert set(approval._MACHINE.events) == set(TRIGGERS)


@pytest.mark.parametrize("final", FINAL)
def test_nothing_leads_out_of_a_final_state(final: State) -> None:
    assert not approval.moves_from(final)


def test_only_final_states_are_dead_ends_and_every_state_can_be_reached() -> None:
    assert {state for state in State if not approval.moves_from(state)} == set(FINAL)
    reached, new = {State.DRAFT}, {State.DRAFT}
    while new:
        new = {move.dest for state in new for move in approval.moves_from(state)} - reached
        reached |= new
    assert reached == set(State)


def test_only_a_signature_or_the_policy_makes_an_order_approved() -> None:
    into = [move for move in TABLE if move.dest is State.APPROVED]
    assert {move.who for move in into} == {approval.APPROVER, approval.SYSTEM}
    assert {move.guard for move in into} == {"needs_nobody"}


def test_what_is_booked_was_approved_first() -> None:
    """No arrow from a state that is not booked leads past `approved` into production, shipping or the end."""
    for move in TABLE:
        for source in move.sources:
            if source not in BOOKED and move.dest in BOOKED:
                assert move.dest is State.APPROVED


def test_what_may_be_edited_is_what_may_be_submitted() -> None:
    submit = next(move for move in TABLE if move.trigger == "submit")
    clear = next(move for move in TABLE if move.trigger == "clear")
    assert set(submit.sources) == set(clear.sources) == set(EDITABLE)


def test_no_two_rows_could_fire_at_once() -> None:
    for state, trigger, left in product(State, TRIGGERS, LEFT):
        assert len(destinations(state, trigger, left)) <= 1


def test_the_diagram_has_one_arrow_for_each_row_and_source() -> None:
    head, *arrows = approval.diagram().splitlines()
    assert head == "stateDiagram-v2"
    drawn = [line.strip() for line in arrows]
    rows = {f"{source.value} --> {move.dest.value}: {move.trigger}" for move in TABLE for source in move.sources}
    ends = {"[*] --> draft", *(f"{state.value} --> [*]" for state in FINAL)}
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == rows | ends


def test_the_readme_shows_the_table_s_diagram() -> None:
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```mermaid\n(.*?)\n```", text, flags=re.DOTALL)
    drawn = [block for block in blocks if block.startswith("stateDiagram")]
    assert drawn == [approval.diagram()]


def test_advancing_keeps_everything_but_the_state_and_the_moment(house: House) -> None:
    order = house.stands(State.APPROVED)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    moved = approval.advance(order, "ship", later)
    assert (moved.state, moved.moved) == (State.SHIPPED, later)
    assert (moved.lines, moved.steps, moved.total, moved.version) == (
        order.lines,
        order.steps,
        order.total,
        order.version,
    )


def test_an_open_signature_keeps_an_order_from_being_approved(house: House) -> None:
    order = house.stands(State.PENDING)
    with pytest.raises(WrongState):
        approval.advance(order, "approve", house.now)
    assert approval.advance(order, "sign", house.now).state is State.PENDING
