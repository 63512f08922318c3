"""What Telegram sends, read: who did what where, or in one word why it is none of our business."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from bot.adapters.telegram.cards import decode
from bot.messages import Incoming, Message, Tap

UPDATES = ["message", "callback_query"]
QUESTION = "✎ "  # begins every question of a form, so that the answer to a lost form is recognised
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+|$)")
_SAID = {  # a command as a sentence: with what follows it, and alone
    "order": ("order {}", ""),
    "lead": ("new lead: {}", ""),
    "deal": ("log a deal {}", "log a deal"),
    "who": ("who is {}", "who is"),
    "report": ("{}", "weekly sales"),
    "pending": ("what waits for me?", "what waits for me?"),
    "cancel": ("cancel", "cancel"),
    "help": ("help", "help"),
    "start": ("/start {}", "help"),
}
_OPENS = {"order": "order.new", "lead": "lead.new"}  # alone, these open a form
_FILES = ("document", "photo", "video", "animation", "audio", "voice", "video_note")


class _User(msgspec.Struct):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class _Chat(msgspec.Struct):
    id: int
    type: str


class _Replied(msgspec.Struct):
    message_id: int = 0
    from_user: _User | None = msgspec.field(default=None, name="from")
    text: str = ""
    forum_topic_created: Any = None


class _Entity(msgspec.Struct):
    type: str
    offset: int
    length: int
    user: _User | None = None


class _Message(msgspec.Struct):
    chat: _Chat
    message_id: int = 0
    date: int = 0
    from_user: _User | None = msgspec.field(default=None, name="from")
    sender_chat: Any = None
    via_bot: Any = None
    text: str = ""
    entities: list[_Entity] = []
    caption: str = ""
    message_thread_id: int | None = None
    is_topic_message: bool = False
    reply_to_message: _Replied | None = None
    migrate_to_chat_id: int | None = None
    document: Any = None
    photo: Any = None
    video: Any = None
    animation: Any = None
    audio: Any = None
    voice: Any = None
    video_note: Any = None


class _Query(msgspec.Struct):
    id: str
    from_user: _User = msgspec.field(name="from")
    message: _Message | None = None
    data: str = ""


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None
    callback_query: _Query | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, as getMe tells it."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Attached:
    file_id: str
    name: str
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing a person did that is meant for the bot."""

    event: str  # unique for ever, though update ids are not
    chat: int
    thread: int | None
    user: int
    name: str
    language: str
    at: datetime
    private: bool
    message: int  # the message it was, or the one the button stands on
    text: str = ""
    command: str = ""
    reply_to: int = 0
    to_question: bool = False  # it answers a form's question, perhaps one nobody remembers
    callback: str = ""  # to be answered at once
    data: str = ""
    file: Attached | None = None

    @property
    def address(self) -> str:
        return f"telegram:{self.chat}/{self.thread}" if self.thread else f"telegram:{self.chat}"

    @property
    def stamp(self) -> dict[str, Any]:
        """The fields that every kind of arrival has."""
        return {
            "id": self.event,
            "address": self.address,
            "login": f"telegram:{self.user}",
            "at": self.at,
            "language": self.language,
            "private": self.private,
        }

    def arrival(self, card: str = "") -> Incoming:
        """What the conversation is told. `card` names the card a button stands on when the button itself does not."""
        if self.callback:
            action, name = decode(self.data)
            return Tap(**self.stamp, action=action, card=name or card)
        rest = self.text
        if self.command:
            rest = _COMMAND.sub("", self.text, count=1).strip()
            if not rest and self.command in _OPENS:
                return Tap(**self.stamp, action=_OPENS[self.command])
            full, bare = _SAID.get(self.command, (f"{self.command} {{}}", self.command))
            return Message(**self.stamp, text=full.replace("{}", rest) if rest else bare)
        return Message(**self.stamp, text=rest or "help")  # only the bot's name was said


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup, which has another id."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """None of our business; `why` in a word to count it under. A button's `callback` is to be answered all the same."""

    why: str
    callback: str = ""


def read(update: dict[str, Any], me: Me) -> Heard | Moved | Ignored:
    """An update as what it means. Whatever it holds, this never raises."""
    try:
        it = msgspec.convert(update, _Update)
    except msgspec.ValidationError:
        return Ignored("malformed")
    if it.message is not None:
        return _message(it.update_id, it.message, me)
    if it.callback_query is not None:
        return _query(it.update_id, it.callback_query, me)
    kinds = [key for key in update if key != "update_id"]
    return Ignored(str(kinds[0])[:40] if kinds else "malformed")


def _message(update_id: int, it: _Message, me: Me) -> Heard | Moved | Ignored:
    if it.migrate_to_chat_id is not None:
        return Moved(it.chat.id, it.migrate_to_chat_id)
    sender, why = it.from_user, _no_person(it)
    if sender is None or why:
        return Ignored(why)
    file = _attached(it)
    if not (it.text or file):
        return Ignored("no_text")  # a service message, a sticker, a place, a poll
    said, named = _without_name(it.text or it.caption, it.entities if it.text else [], me)
    said = _whole(said)
    found = _COMMAND.match(said)
    command = found[1].lower() if found else ""
    replied = it.reply_to_message
    to_us = replied is not None and _replies(replied, me)
    private = it.chat.type == "private"
    if found and found[2]:
        if found[2].lower() != me.username.lower():
            return Ignored("other_bot")
    elif not private and not (named or to_us or command in _SAID):
        # With privacy mode off, or as an administrator, a bot is told everything that is said in a group.
        return Ignored("not_addressed")
    return Heard(
        event=f"telegram:{me.id}:{update_id}:{it.date}",
        **_where(it, sender),
        at=_when(it.date),
        text=said,
        command=command,
        reply_to=replied.message_id if replied is not None and to_us else 0,
        to_question=replied is not None and to_us and _asks(replied.text),
        file=file,
    )


def _query(update_id: int, it: _Query, me: Me) -> Heard | Ignored:
    if it.message is None or not it.data or it.from_user.is_bot:
        return Ignored("tap_without_message", it.id)
    return Heard(
        event=f"telegram:{me.id}:{update_id}:{it.id}",
        **_where(it.message, it.from_user),
        at=datetime.now(UTC),  # Telegram does not say when it was pressed
        callback=it.id,
        data=it.data,
    )


def _no_person(it: _Message) -> str:
    """Why nobody in the company can have said this."""
    if it.chat.type not in ("private", "group", "supergroup"):
        return "channel"
    if it.via_bot is not None:
        return "via_bot"
    if it.from_user is None or it.sender_chat is not None:
        return "no_person"  # an anonymous administrator, a linked channel
    return "bot" if it.from_user.is_bot else ""


def _where(it: _Message, person: _User) -> dict[str, Any]:
    # Outside forums a thread id only says which message is answered. A forum's "General" cannot be named when sending.
    thread = it.message_thread_id if it.is_topic_message and it.message_thread_id != 1 else None
    return {
        "chat": it.chat.id,
        "thread": thread,
        "user": person.id,
        "name": _whole(f"{person.first_name} {person.last_name}".strip() or person.username),
        "language": _language(person.language_code),
        "private": it.chat.type == "private",
        "message": it.message_id,
    }


def _replies(replied: _Replied, me: Me) -> bool:
    # In a forum everything formally answers the message that made the topic, and that may be the bot's.
    by = replied.from_user
    return by is not None and by.id == me.id and replied.forum_topic_created is None


def _asks(text: str) -> bool:
    return any(line.startswith(QUESTION) for line in text.splitlines()[:3])


def _without_name(text: str, entities: list[_Entity], me: Me) -> tuple[str, bool]:
    """The text without the bot's name, and whether it was named. Offsets count as UTF-16 does."""
    named = False
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in sorted(entities, key=lambda it: -it.offset):
        if entity.type == "text_mention" and entity.user is not None and entity.user.id == me.id:
            units = units[: 2 * entity.offset] + units[2 * (entity.offset + entity.length) :]
            named = True
    if named:
        text = units.decode("utf-16-le", "replace")
    if me.username and "@" in text:
        text, count = re.subn(rf"(?<![\w@/])@{re.escape(me.username)}(?!\w)[,:，：]?", " ", text, flags=re.IGNORECASE)
        named = named or count > 0
    if named:
        text = re.sub(r"[ \t]{2,}", " ", text)
    return text.strip(), named


def _whole(text: str) -> str:
    """Text that every database can keep: without zero bytes and halves of characters."""
    if not text.isprintable():
        text = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
    return text


def _attached(it: _Message) -> Attached | None:
    for kind in _FILES:
        found = getattr(it, kind)
        if isinstance(found, list) and found:  # a photo in several sizes, the largest last
            found = found[-1]
        if isinstance(found, dict):
            name = found.get("file_name") or ("photo.jpg" if kind == "photo" else kind)
            mime = found.get("mime_type") or ("image/jpeg" if kind == "photo" else "application/octet-stream")
            return Attached(str(found.get("file_id", "")), _whole(str(name))[:200], str(mime)[:200])
    return None


def _language(code: str) -> str:
    short = code.lower()[:2]
    return short if short in ("en", "zh") else ""


def _when(date: int) -> datetime:
    try:
        return datetime.fromtimestamp(date, UTC) if date > 0 else datetime.now(UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.now(UTC)
