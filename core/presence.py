"""Who is who on the platforms, and where they are reached: one-time codes that link a login, and places that work."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.desk import Desk
from core.errors import NotAllowed, NotFound
from core.events import Event
from core.store import Records
from core.team import Link, Login, Person, Reach, Role, Roster

LASTS = timedelta(hours=24)
FRESH = timedelta(minutes=10)  # a place somebody talks from all day is not written down again with every word
TERMINAL = "console"
OWN = ("web", TERMINAL)  # platforms of our own, where everybody has a login from the start


def new_code(desk: Desk, person: Person | None = None) -> str:
    """A code that links one more login to the person (oneself; an admin also to others). Valid once, for a day."""
    whose = person or desk.person
    if whose.id != desk.person.id and desk.person.role is not Role.ADMIN:
        raise NotAllowed("link_not_yours", name=whose.name)
    code = secrets.token_urlsafe(18)  # 24 characters of A-Za-z0-9_-, which fits a deep link
    desk.records.add(Link(id=_hash(code), person=whose.id, expires=desk.now + LASTS))
    desk.note("login.code", f"person:{whose.id}")
    return code


def use_code(records: Records, roster: Roster, code: str, login: str, now: datetime) -> Person:
    """Link the login to the code's person. `NotFound` for a code that is unknown, used or too old."""
    link = records.get(Link, _hash(code))
    person = roster.people.get(link.person) if link else None
    if link is None or person is None or link.used is not None or link.expires < now:
        raise NotFound("link_code_wrong")
    records.save(replace(link, used=now))
    linked = Login(id=login, person=person.id, created=now)
    if records.get(Login, login) is None:
        records.add(linked)
    else:  # of somebody who left
        records.save(linked)
    records.note(Event(at=now, actor=person.id, name="login.linked", subject=f"person:{person.id}"))
    return person


def person_of(records: Records, roster: Roster, login: str) -> Person | None:
    """Whose login it is: as company.toml says, else as it was linked. None for a stranger or somebody who left."""
    person = roster.by_login.get(login)
    if person is None:
        linked = records.get(Login, login)
        person = roster.people.get(linked.person) if linked else None
    return person if person and person.active else None


def logins_of(records: Records, person: Person) -> list[str]:
    """Everywhere the person is known, company.toml's logins first."""
    linked = [login.id for login in records.find(Login, person=person.id)]
    return list(dict.fromkeys([*person.logins, *linked]))


def met(desk: Desk, address: str) -> None:
    """The person was met at this private address: there they are told things from now on."""
    known = desk.records.get(Reach, address)
    if known is None:
        desk.records.add(Reach(id=address, person=desk.person.id, at=desk.now))
    elif not known.works or known.person != desk.person.id or desk.now - known.at > FRESH:
        desk.records.save(replace(known, works=True, person=desk.person.id, at=desk.now))


def lost(records: Records, address: str, person: str, now: datetime) -> None:
    """The platform said that this address cannot be written to (a bot that was never opened, or was blocked)."""
    known = records.get(Reach, address)
    if known is None:
        records.add(Reach(id=address, person=person, works=False, at=now))
    else:
        records.save(replace(known, works=False))


def addresses_of(records: Records, person: Person, platforms: Sequence[str]) -> list[str]:
    """Where the person can be told something, the best place first: where they were last met, else their logins.

    `platforms` are those set up, best first. Every terminal somebody ever opened comes too: it shows what it missed.
    """
    met_at = {reach.id: reach for reach in records.find(Reach, person=person.id)}
    working = sorted((r for r in met_at.values() if r.works), key=lambda r: r.at, reverse=True)
    logins = [login for login in logins_of(records, person) if login not in met_at or met_at[login].works]
    logins.sort(key=lambda login: _rank(login, platforms))
    best = [a for a in (*(r.id for r in working), *logins) if platform_of(a) in platforms]
    return list(dict.fromkeys([*best[:1], *(r.id for r in working if platform_of(r.id) == TERMINAL)]))


def reachable(records: Records, person: Person) -> bool:
    """False when every chat of theirs has failed: then whoever waits for them is told.

    The page and a terminal count only for somebody who was met there: nobody may be looking.
    """
    tried = {reach.id: reach.works for reach in records.find(Reach, person=person.id)}
    if not tried:
        return True
    chats = [login for login in logins_of(records, person) if platform_of(login) not in OWN]
    return any(tried.get(place, True) for place in (*tried, *chats))


def platform_of(address: str) -> str:
    return address.partition(":")[0]


def _rank(login: str, platforms: Sequence[str]) -> int:
    platform = platform_of(login)
    return list(platforms).index(platform) if platform in platforms else len(platforms)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
