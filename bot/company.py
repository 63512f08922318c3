"""Reads `company.toml` and the `policy.toml` beside it. What is wrong is said with its file, its line and a remedy."""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from core.desk import Company
from core.errors import Invalid
from core.orders.policy import Policy, Rule
from core.team import Person, Role, Roster, Team
from core.values import known_currency

OWN_PLATFORMS = ("web", "console")  # on our own page and terminal everybody's login is their id


class ConfigError(Exception):
    """A file that cannot be used: which, where in it, why, and what to do."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Team(_File):
    id: str
    name: str
    region: str = ""


class _Person(_File):
    id: str
    name: str
    role: Role
    aliases: list[str] = []
    team: str = ""
    manager: str = ""
    language: str = "en"
    zone: str = ""
    logins: dict[str, str] = {}


class _Company(_File):
    name: str
    currency: str = "USD"
    zone: str = "UTC"
    language: str = "en"
    rates: dict[str, Decimal] = {}
    team: list[_Team] = []
    person: list[_Person] = []


class _Rule(_File):
    name: str
    ask: str
    total_over: Decimal | None = None
    discount_over: Decimal | None = None


class _Policy(_File):
    rule: list[_Rule] = []


def load(path: Path) -> tuple[Company, tuple[Team, ...]]:
    """The company of `company.toml` with the policy beside it (none: nothing needs a signature), and its teams."""
    read = _read(path, _Company)
    _check_company(path, read)
    people = [_person(entry, read.zone) for entry in read.person]
    roster = Roster.of(people)
    policy = load_policy(path.with_name("policy.toml"), roster)
    company = Company(
        name=read.name,
        currency=known_currency(read.currency),
        zone=read.zone,
        language=read.language,
        rates={code.upper(): rate for code, rate in read.rates.items()},
        roster=roster,
        policy=policy,
    )
    return company, tuple(Team(id=team.id, name=team.name, region=team.region) for team in read.team)


def load_policy(path: Path, roster: Roster) -> Policy:
    """The rules of `policy.toml`, in the order in which people sign."""
    if not path.exists():
        return Policy()
    read = _read(path, _Policy)
    for index, rule in enumerate(read.rule):
        where = f"rule[{index}]"
        if rule.total_over is None and rule.discount_over is None:
            raise _wrong(path, where, f'rule "{rule.name}" tests nothing: give it total_over or discount_over')
        kind, _, name = rule.ask.partition(":")
        known = {"manager": rule.ask == "manager", "role": name in list(Role), "person": name in roster.people}
        if not known.get(kind):
            raise _wrong(path, f"{where}.ask", f'"{rule.ask}" is nobody: write manager, role:director or person:ID')
    return Policy(
        rules=tuple(
            Rule(name=r.name, ask=r.ask, total_over=r.total_over, discount_over=r.discount_over) for r in read.rule
        )
    )


def _person(entry: _Person, zone: str) -> Person:
    logins = {**dict.fromkeys(OWN_PLATFORMS, entry.id), **entry.logins}
    return Person(
        id=entry.id,
        name=entry.name,
        role=entry.role,
        team=entry.team,
        manager=entry.manager,
        language=entry.language,
        zone=entry.zone or zone,
        aliases=tuple(entry.aliases),
        logins=tuple(f"{platform}:{login}" for platform, login in logins.items()),
    )


def _check_company(path: Path, read: _Company) -> None:
    try:
        known_currency(read.currency)
        for code in read.rates:
            known_currency(code)
    except Invalid as error:
        raise _wrong(path, "currency", f"there is no currency {error.facts['currency']!r}: use ISO 4217") from None
    zones = [("zone", read.zone)] + [(f"person[{i}].zone", p.zone) for i, p in enumerate(read.person) if p.zone]
    for where, zone in zones:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise _wrong(path, where, f"there is no time zone {zone!r}: write one like Europe/Berlin") from None
    ids = [person.id for person in read.person]
    for index, person in enumerate(read.person):
        if ids.index(person.id) != index:
            raise _wrong(path, f"person[{index}].id", f'two people have the id "{person.id}"')
        if person.manager and person.manager not in ids:
            raise _wrong(path, f"person[{index}].manager", f'nobody has the id "{person.manager}"')
        if person.team and person.team not in [team.id for team in read.team]:
            raise _wrong(path, f"person[{index}].team", f'there is no team "{person.team}"')
        if _leads_in_a_circle(person, read.person):
            raise _wrong(path, f"person[{index}].manager", f'"{person.id}" would lead themselves')


def _leads_in_a_circle(person: _Person, people: list[_Person]) -> bool:
    managers = {entry.id: entry.manager for entry in people}
    above, steps = person.manager, 0
    while above and steps <= len(people):
        if above == person.id:
            return True
        above, steps = managers.get(above, ""), steps + 1
    return False


def _read(path: Path, kind: type[Any]) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}). `dealdesk init` writes one to start from."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    try:
        return msgspec.convert(tomllib.loads(text), kind, strict=False)
    except (tomllib.TOMLDecodeError, InvalidOperation) as error:
        raise ConfigError(f"{path}: {error}") from None
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        raise _wrong(path, where.rstrip("`").lstrip("."), why) from None


def _wrong(path: Path, where: str, why: str) -> ConfigError:
    line = line_of(path.read_text(encoding="utf-8"), where)
    return ConfigError(f"{path}, line {line}: {why}." if line else f"{path}: {why}.")


def line_of(text: str, where: str) -> int:
    """The line of `rule[1].ask`: that key of the second `[[rule]]`, or the table's own line; 0 when there is none."""
    table, _, rest = where.partition("[")
    number, _, key = rest.partition("]")
    key = key.lstrip(".").partition("[")[0] if rest else table
    seen, start = -1, 0 if rest else 1
    for at, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if rest and bare.startswith(f"[[{table}]]"):
            seen += 1
            start = at if seen == int(number) else start
        inside = start and (not rest or seen == int(number))
        if inside and key and bare.partition("=")[0].strip() == key:
            return at
    return start if rest else 0
