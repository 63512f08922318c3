"""The people: who sells, who leads whom, who may see and who may decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.errors import NotAllowed
from core.values import Money


class Role(StrEnum):
    REP = "rep"
    MANAGER = "manager"
    DIRECTOR = "director"
    OPERATIONS = "operations"
    ADMIN = "admin"


# These see every customer and order: a director leads, operations ships, an admin keeps the house.
SEES_ALL = frozenset({Role.DIRECTOR, Role.OPERATIONS, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works here. `id` is a short handle; `logins` are the platforms' names for them (`web:mia`)."""

    id: str
    name: str
    role: Role
    team: str = ""
    manager: str = ""  # a person's id
    language: str = "en"
    zone: str = "UTC"
    aliases: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str
    name: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a person is meant to book in a quarter (`2026-Q4`). Reported, never a gate."""

    id: int
    person: str
    period: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A platform's name for a person that was linked in chat, beside those of company.toml. `id` is the login."""

    id: str  # "telegram:77"
    person: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A private address at which a person was last met, or (`works` False) could not be told something."""

    id: str  # the address, which is the login too
    person: str
    works: bool = True
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-time code that links a login to a person. Only its hash is kept."""

    id: str  # sha256 of the code, in hex
    person: str
    expires: datetime
    used: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody, and who leads whom. Built from the company's people; immutable."""

    people: dict[str, Person]
    by_login: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def of(cls, people: Iterable[Person]) -> Roster:
        everyone = {person.id: person for person in people}
        return cls(everyone, {login: person for person in everyone.values() for login in person.logins})

    def named(self, person_id: str) -> str:
        """The person's name, or the id itself for a system (`policy`) or somebody long gone."""
        person = self.people.get(person_id)
        return person.name if person else person_id

    def leads(self, leader: str, member: str) -> bool:
        """`leader` is somewhere above `member`. A person does not lead themselves."""
        seen: set[str] = set()
        above = self.people[member].manager if member in self.people else ""
        while above and above not in seen:
            if above == leader:
                return True
            seen.add(above)
            above = self.people[above].manager if above in self.people else ""
        return False

    def with_role(self, role: str) -> list[Person]:
        return [person for person in self.people.values() if person.role == role and person.active]

    def may_see(self, viewer: Person, owner: str) -> bool:
        """Own records, those of everybody below, and everything for those whose role sees all."""
        return viewer.id == owner or viewer.role in SEES_ALL or self.leads(viewer.id, owner)

    def may_change(self, person: Person, owner: str) -> bool:
        """Own records and those of everybody below; seeing more does not mean changing more."""
        return person.id == owner or self.leads(person.id, owner)

    def must_see(self, viewer: Person, owner: str, what: str) -> None:
        if not self.may_see(viewer, owner):
            raise NotAllowed("not_yours", what=what, owner=self.named(owner))
