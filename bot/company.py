"""Reads `company.toml` and the `policy.toml` beside it. What is wrong is said with its file, its line and a remedy."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from shutil import copyfile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from bot.config import ConfigError, line_of, read_toml, wrong
from bot.text import languages
from core.desk import Company
from core.errors import Invalid
from core.orders.policy import Policy, Rule
from core.team import Person, Role, Roster, Team
from core.values import MAX_TOTAL, known_currency

TEMPLATES = Path(__file__).parent / "templates"
OWN_PLATFORMS = ("web", "console")  # on our own page and terminal everybody's login is their id


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
    rates: dict[str, str | float | int] = {}
    team: list[_Team] = []
    person: list[_Person] = []


class _Rule(_File):
    name: str
    ask: str
    total_over: Decimal | None = None
    discount_over: Decimal | None = None


class _Policy(_File):
    rule: list[_Rule] = []


def begin(folder: Path, templates: Path = TEMPLATES, *, over: bool = False) -> list[Path]:
    """Write a commented company.toml and policy.toml to start from; what is there is left alone unless `over`."""
    files = [folder / name for name in ("company.toml", "policy.toml")]
    for path in files:
        if path.exists() and not over:
            raise ConfigError(f"{path}: is there already, and was left alone. Name another folder, or move it away.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in files:
            copyfile(templates / path.name, path)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written to ({error.strerror}). Name another folder.") from None
    return files


def load(path: Path) -> tuple[Company, tuple[Team, ...]]:
    """The company of `company.toml` with the policy beside it (none: nothing needs a signature), and its teams."""
    read = read_toml(path, _Company, {"role": f"write one of {', '.join(Role)}"})
    _check_frame(path, read)
    _check_people(path, read)
    people = [_person(entry, read.zone) for entry in read.person]
    roster = Roster.of(people)
    company = Company(
        name=read.name,
        currency=known_currency(read.currency),
        zone=read.zone,
        language=read.language,
        rates={known_currency(code): Decimal(str(rate)) for code, rate in read.rates.items()},
        teams={team.id: team.name for team in read.team},
        roster=roster,
        policy=load_policy(path.with_name("policy.toml"), roster),
    )
    return company, tuple(Team(id=team.id, name=team.name, region=team.region) for team in read.team)


def find(firm: Company, who: str) -> Person:
    """The person of that id, name or alias; `ConfigError` with everybody's when there is none."""
    wanted = who.strip().casefold()
    for person in firm.roster.people.values():
        if wanted in (person.id.casefold(), person.name.casefold(), *(alias.casefold() for alias in person.aliases)):
            return person
    people = ", ".join(f"{p.id} ({p.name}, {p.role})" for p in firm.roster.people.values())
    raise ConfigError(f"{who}: nobody of that name works here. There are {people or 'none yet: see dealdesk init'}.")


def load_policy(path: Path, roster: Roster) -> Policy:
    """The rules of `policy.toml`, in the order in which people sign."""
    if not path.exists():
        return Policy()
    read = read_toml(path, _Policy)
    names = [rule.name for rule in read.rule]
    for index, rule in enumerate(read.rule):
        where = f"rule[{index}]"
        if names.index(rule.name) != index:
            raise wrong(path, f"{where}.name", f'two rules are called "{rule.name}"')
        if rule.total_over is None and rule.discount_over is None:
            raise wrong(path, where, f'rule "{rule.name}" tests nothing: give it total_over or discount_over')
        for key, largest in (("total_over", MAX_TOTAL), ("discount_over", Decimal(100))):
            limit = getattr(rule, key)
            if limit is not None and not (limit.is_finite() and 0 <= limit <= largest):
                raise wrong(path, f"{where}.{key}", f"{limit} is no limit: write a number from 0 to {largest}")
        if not _asks_somebody(rule.ask, roster):
            raise wrong(path, f"{where}.ask", f'"{rule.ask}" is nobody: write manager, role:director or person:ID')
    return Policy(
        rules=tuple(
            Rule(name=r.name, ask=r.ask, total_over=r.total_over, discount_over=r.discount_over) for r in read.rule
        )
    )


def _asks_somebody(ask: str, roster: Roster) -> bool:
    kind, _, name = ask.partition(":")
    if kind == "role":
        return name in list(Role)
    return ask == "manager" or (kind == "person" and name in roster.people)


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


def _check_frame(path: Path, read: _Company) -> None:
    """Currencies, rates, zones, languages and teams."""
    _check_currency(path, "currency", read.currency)
    for code, rate in read.rates.items():
        _check_currency(path, f"rates.{code}", code)
        try:
            good = Decimal(str(rate)).is_finite() and Decimal(str(rate)) > 0
        except InvalidOperation:
            good = False
        if not good:
            raise wrong(path, f"rates.{code}", f"{rate} is no rate: write what one {code} is worth, like 1.08")
    people = [(f"person[{index}].", person) for index, person in enumerate(read.person)]
    for where, zone in [("", read.zone), *((at, person.zone) for at, person in people if person.zone)]:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise wrong(path, f"{where}zone", f"there is no time zone {zone!r}: write one like Europe/Berlin") from None
    for where, language in [("", read.language), *((at, person.language) for at, person in people)]:
        if language not in languages():
            spoken = ", ".join(languages())
            raise wrong(path, f"{where}language", f"there are no words for {language!r}: write one of {spoken}")
    teams = [team.id for team in read.team]
    for index, team in enumerate(read.team):
        if teams.index(team.id) != index:
            raise wrong(path, f"team[{index}].id", f'two teams have the id "{team.id}"')


def _check_currency(path: Path, where: str, code: str) -> None:
    try:
        known_currency(code)
    except Invalid:
        raise wrong(path, where, f"there is no currency {code!r}: use ISO 4217") from None


def _check_people(path: Path, read: _Company) -> None:
    """Ids, managers, teams and logins: everybody is one person, and nobody leads themselves."""
    ids = [person.id for person in read.person]
    teams = [team.id for team in read.team]
    owners: dict[tuple[str, str], str] = {}
    for index, person in enumerate(read.person):
        where = f"person[{index}]"
        if ids.index(person.id) != index:
            raise wrong(path, f"{where}.id", f'two people have the id "{person.id}"')
        if person.manager and person.manager not in ids:
            raise wrong(path, f"{where}.manager", f'nobody has the id "{person.manager}"')
        if person.team and person.team not in teams:
            raise wrong(path, f"{where}.team", f'there is no team "{person.team}"')
        if _leads_in_a_circle(person, read.person):
            raise wrong(path, f"{where}.manager", f'"{person.id}" would lead themselves')
        for login in person.logins.items():
            other = owners.setdefault(login, person.id)
            if other != person.id:
                raise wrong(path, f"{where}.logins", f'the {login[0]} login "{login[1]}" is {other}\'s already')


def _leads_in_a_circle(person: _Person, people: list[_Person]) -> bool:
    managers = {entry.id: entry.manager for entry in people}
    above, steps = person.manager, 0
    while above and steps <= len(people):
        if above == person.id:
            return True
        above, steps = managers.get(above, ""), steps + 1
    return False


__all__ = ["ConfigError", "line_of", "load", "load_policy"]
