"""The one table that moves an order. Every legal state and transition is here, and only this file changes a state.

The same table draws the diagram in the README and feeds the exhaustive test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from transitions import Machine, MachineError

from core.errors import WrongState
from core.orders.model import Order, State

OWNER, APPROVER, OPERATIONS, SYSTEM = "owner", "approver", "operations", "policy"


@dataclass(frozen=True, slots=True)
class Move:
    """`who`: the order's rep or anybody leading them, whom the open step names, those who ship, or the policy."""

    trigger: str
    sources: tuple[State, ...]
    dest: State
    who: str
    guard: str = ""


S = State
TABLE: tuple[Move, ...] = (
    Move("submit", (S.DRAFT, S.REJECTED, S.CHANGES, S.WITHDRAWN), S.PENDING, OWNER, "needs_signature"),
    Move("clear", (S.DRAFT, S.REJECTED, S.CHANGES, S.WITHDRAWN), S.APPROVED, SYSTEM, "needs_nobody"),
    Move("sign", (S.PENDING,), S.PENDING, APPROVER, "needs_signature"),
    Move("approve", (S.PENDING,), S.APPROVED, APPROVER, "needs_nobody"),
    Move("reject", (S.PENDING,), S.REJECTED, APPROVER),
    Move("request_changes", (S.PENDING,), S.CHANGES, APPROVER),
    Move("withdraw", (S.PENDING,), S.WITHDRAWN, OWNER),
    Move("revise", (S.REJECTED, S.CHANGES, S.WITHDRAWN), S.DRAFT, OWNER),
    Move(
        "cancel",
        (S.DRAFT, S.PENDING, S.REJECTED, S.CHANGES, S.WITHDRAWN, S.APPROVED, S.PRODUCTION),
        S.CANCELLED,
        OWNER,
    ),
    Move("start", (S.APPROVED,), S.PRODUCTION, OPERATIONS),
    Move("ship", (S.APPROVED, S.PRODUCTION), S.SHIPPED, OPERATIONS),
    Move("deliver", (S.SHIPPED,), S.DELIVERED, OPERATIONS),
    Move("close", (S.DELIVERED,), S.CLOSED, OWNER),
)
FINAL = (State.CLOSED, State.CANCELLED)


class _Case:
    """What the guards look at: `transitions` plants its attributes on a model, so it gets this, never an Order."""

    __slots__ = ("left", "state")

    def __init__(self, state: str, left: int) -> None:
        self.state = state
        self.left = left

    def needs_signature(self) -> bool:
        return self.left > 0

    def needs_nobody(self) -> bool:
        return self.left == 0


# One machine for all orders, made once: a Machine per order costs a hundred times as much. The default auto
# transitions would add `to_approved`, which walks past every guard.
_MACHINE = Machine(
    model=None,
    states=[state.value for state in State],
    initial=State.DRAFT.value,
    transitions=[
        {
            "trigger": m.trigger,
            "source": s.value,
            "dest": m.dest.value,
            "conditions": [m.guard] if m.guard else [],
        }
        for m in TABLE
        for s in m.sources
    ],
    auto_transitions=False,
)


def next_state(state: State, trigger: str, left: int = 0) -> State:
    """Where `trigger` leads from `state` with `left` signatures still open; `WrongState` where it leads nowhere."""
    case = _Case(state.value, left)
    try:
        moved = _MACHINE.events[trigger].trigger(case)
    except (KeyError, MachineError):
        moved = False
    if not moved:  # a guard that says no makes `transitions` return False, silently
        raise WrongState("cannot_move", trigger=trigger, state=state.value)
    return State(case.state)


def advance(order: Order, trigger: str, now: datetime) -> Order:
    """The order after `trigger`, with its step rows as they are given. Raises `WrongState` and changes nothing."""
    left = sum(step.state == "open" for step in order.steps)
    return replace(order, state=next_state(order.state, trigger, left), moved=now)


def moves_from(state: State) -> Sequence[Move]:
    return [move for move in TABLE if state in move.sources]


def diagram() -> str:
    """The table as a Mermaid state diagram, one arrow a line."""
    arrows = dict.fromkeys(f"    {s.value} --> {m.dest.value}: {m.trigger}" for m in TABLE for s in m.sources)
    ends = [f"    {state.value} --> [*]" for state in FINAL]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft", *arrows, *ends])
