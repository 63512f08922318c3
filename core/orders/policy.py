"""Which orders need whose signature. Pure rules that explain themselves; no clock, no storage.

A policy is read from `policy.toml` (by `bot.company`) and is a list of rules in the order in which people sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.errors import Invalid
from core.orders.model import ApprovalStep, Order
from core.team import Roster
from core.values import Money

MANAGER = "manager"  # whoever leads the rep


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When the order is above a limit, somebody signs.

    Either limit may be None; both set means both must be exceeded. `total_over` is in the company's currency,
    `discount_over` in percent below the price list. `ask` is `manager`, `role:NAME` or `person:ID`.
    """

    name: str
    ask: str
    total_over: Decimal | None = None
    discount_over: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule made of one order: each test's value against its limit. `value` None: no rate for the currency."""

    rule: str
    fired: bool
    tests: tuple[tuple[str, Decimal | None, Decimal], ...]  # (total | discount, value, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    findings: tuple[Finding, ...]
    steps: tuple[ApprovalStep, ...]

    @property
    def fired(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.fired)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    rules: tuple[Rule, ...] = ()


def judge(order: Order, policy: Policy, roster: Roster, in_base: Money | None) -> Verdict:
    """The rules that fired and the signatures they demand, in order. An order that fires none needs nobody.

    `in_base` is the order's total in the company's currency, None when there is no rate: then a total rule fires,
    because nobody can say that it should not. Raises `Invalid` when a signature is demanded that nobody can give.
    """
    findings = tuple(_test(rule, order, in_base) for rule in policy.rules)
    by_signers: dict[tuple[str, ...], list[str]] = {}
    for rule, finding in zip(policy.rules, findings, strict=True):
        if finding.fired:
            by_signers.setdefault(_signers(rule, order, roster), []).append(rule.name)
    steps = tuple(
        ApprovalStep(position=position, approvers=signers, rules=tuple(names))
        for position, (signers, names) in enumerate(by_signers.items(), start=1)
    )
    return Verdict(findings=findings, steps=steps)


def _test(rule: Rule, order: Order, in_base: Money | None) -> Finding:
    tests: list[tuple[str, Decimal | None, Decimal]] = []
    if rule.total_over is not None:
        tests.append(("total", in_base.amount if in_base is not None else None, rule.total_over))
    if rule.discount_over is not None:
        tests.append(("discount", order.effective_discount, rule.discount_over))
    fired = bool(tests) and all(value is None or value > limit for _, value, limit in tests)
    return Finding(rule=rule.name, fired=fired, tests=tuple(tests))


def _signers(rule: Rule, order: Order, roster: Roster) -> tuple[str, ...]:
    """Who may sign for this rule: never the rep of the order, and never an empty list."""
    kind, _, name = rule.ask.partition(":")
    if kind == MANAGER:
        rep = roster.people.get(order.rep)
        ids = [rep.manager] if rep and rep.manager else []
    elif kind == "role":
        ids = [person.id for person in roster.with_role(name)]
    else:
        ids = [name]
    able = tuple(sorted(i for i in ids if i != order.rep and i in roster.people and roster.people[i].active))
    if not able:
        raise Invalid("nobody_may_approve", rule=rule.name, ask=rule.ask)
    return able
