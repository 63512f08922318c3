"""Core's records to rows and back. A record's fields are a table's columns of the same name; money adds a currency."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from moneyed import Money
from sqlalchemy import Table

from core.customers.model import Activity, Contact, Customer, Lead, LeadState, Need, Opportunity
from core.orders.model import ApprovalStep, Order, OrderLine, Product, State, StepState
from core.team import Link, Login, Quota, Reach
from storage import tables as t

Row = dict[str, Any]
ENUMS = (LeadState, State, StepState)


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """How one kind of record is kept. `children` are tuples of records with rows of their own."""

    kind: type[Any]
    table: Table
    key: str
    versioned: bool
    to_row: Callable[[Any], Row]
    from_row: Callable[[Mapping[str, Any], Row], Any]
    children: tuple[tuple[str, Kept], ...] = ()


def _plain(kind: type[Any], table: Table, key: str = "id", **children: Kept) -> Kept:
    """The mapping that follows from the record's own fields and their types."""
    hints = get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind) if f.name not in children]
    monies = [n for n in names if Money in (hints[n], *getattr(hints[n], "__args__", ()))]
    enums = {n: hints[n] for n in names if hints[n] in ENUMS}
    tuples = [n for n in names if getattr(hints[n], "__origin__", None) is tuple]
    simple = [n for n in names if n not in monies and n not in enums and n not in tuples]
    codes = {n: _currency_column(n) for n in monies}
    written = {n: code for n, code in codes.items() if code not in names}  # the record's own currency field serves

    def to_row(record: Any) -> Row:
        row = {name: getattr(record, name) for name in simple}
        row |= {name: getattr(record, name).value for name in enums}
        row |= {name: list(getattr(record, name)) for name in tuples}
        for name in monies:
            value = getattr(record, name)
            row[name] = value.amount if value is not None else None
            if name in written:
                row[written[name]] = value.currency.code if value is not None else None
        return row

    def from_row(row: Mapping[str, Any], more: Row) -> Any:
        values = {name: row[name] for name in simple}
        values |= {name: enum(row[name]) for name, enum in enums.items()}
        values |= {name: tuple(row[name]) for name in tuples}
        for name, code in codes.items():
            values[name] = Money(row[name], row[code]) if row[name] is not None else None
        return kind(**values, **more)

    return Kept(kind, table, key, "version" in names, to_row, from_row, tuple(children.items()))


def _currency_column(name: str) -> str:
    """An order keeps two monies: its total, and that in the company's currency."""
    return "base_currency" if name == "base_total" else "currency"


_LINE = _plain(OrderLine, t.order_line, "position")
_STEP = _plain(ApprovalStep, t.approval_step, "position")
MAPPINGS: dict[type[Any], Kept] = {
    m.kind: m
    for m in (
        _plain(Login, t.login),
        _plain(Link, t.link),
        _plain(Reach, t.reach),
        _plain(Quota, t.quota),
        _plain(Customer, t.customer),
        _plain(Contact, t.contact),
        _plain(Lead, t.lead),
        _plain(Need, t.need),
        _plain(Opportunity, t.opportunity),
        _plain(Activity, t.activity),
        _plain(Product, t.product),
        _plain(Order, t.orders, "number", lines=_LINE, steps=_STEP),
    )
}
