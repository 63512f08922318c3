"""The nouns of the customer side. Plain frozen records; what may be done to them is in this package's verbs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: int
    name: str
    aliases: tuple[str, ...] = ()
    sector: str = ""
    country: str = ""
    region: str = ""
    owner: str = ""  # a person's id
    on_hold: bool = False
    created: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    id: int
    customer: int
    name: str
    title: str = ""
    email: str = ""
    phone: str = ""


class LeadState(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    CONVERTED = "converted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Somebody who may buy. `customer` is set once they are one."""

    id: int
    company: str
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    source: str = ""
    interest: str = ""
    owner: str
    state: LeadState = LeadState.NEW
    customer: int | None = None
    created: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something a customer said they need, in their words; `kind` groups it (`integration`, `price`, ...)."""

    id: int
    customer: int
    text: str
    kind: str = ""
    product: int | None = None
    by: str
    open: bool = True
    created: datetime
    version: int = 1


STAGES = ("Prospecting", "Engaging", "Won", "Lost")
OPEN_STAGES = STAGES[:2]
STAGE_CHANCE = {"Prospecting": 20, "Engaging": 50, "Won": 100, "Lost": 0}  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    id: int
    customer: int
    title: str
    amount: Money
    stage: str = STAGES[0]
    owner: str
    created: datetime
    expected: date | None = None
    closed: datetime | None = None
    reason: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A call, mail, meeting, demo or task with a customer. Never a chat event."""

    id: int
    customer: int
    opportunity: int | None = None
    kind: str
    text: str
    by: str
    at: datetime
    due: date | None = None
    done: bool = True
