"""A login nobody knows. It can do nothing but link itself with a one-time code."""

from __future__ import annotations

import re
from datetime import datetime

from bot.messages import Card, Incoming, Message, Reply
from bot.text import Words, supported
from core import presence
from core.desk import Company
from core.errors import NotFound
from core.store import Records

# The code alone, or as Telegram's deep link brings it (`/start CODE`), or after a word.
_CODE = re.compile(r"(?:^|\s)([A-Za-z0-9_-]{24})\s*$")


def stranger(incoming: Incoming, company: Company, records: Records, now: datetime) -> list[Reply]:
    words = Words(supported(incoming.language or company.language), company.zone)
    code = _CODE.search(incoming.text) if isinstance(incoming, Message) else None
    if code is None:
        return [_only(incoming, words("hello.stranger", login=incoming.login, company=company.name))]
    try:
        person = presence.use_code(records, company.roster, code[1], incoming.login, now)
    except NotFound:
        return [_only(incoming, words("error.link_code_wrong"))]
    words = Words(person.language, person.zone)
    return [_only(incoming, words("hello.linked", name=person.name))]


def _only(incoming: Incoming, text: str) -> Reply:
    return Reply(Card(text=text), only=incoming.login)
