"""Linking a login to a person with a one-time code: who may ask for one, and what using it does."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from core.desk import Desk
from core.errors import NotAllowed, NotFound
from core.events import Event
from core.store import Records
from core.team import Link, Login, Person, Role, Roster

LASTS = timedelta(hours=24)


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
    records.add(Login(id=login, person=person.id, created=now))
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


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
