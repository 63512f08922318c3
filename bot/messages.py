"""The two small vocabularies of the conversation, and the two ports around it.

In come a `Message`, a `Tap`, a `Form` or a `File`; out go `Reply` objects made of cards. Adapters translate both to
and from their platform; dialogs only ever see these. Everything here is a plain value that survives JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

# ---------------------------------------------------------------- in


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something a person did, as the platform told it.

    `id` is the platform's own id of the event, made unique across platforms (`slack:Ev1`): a second arrival with
    the same id is a repeat. `address` is where an answer belongs (`slack:C1/9.9`, `telegram:77`, `web:mia`), `login`
    is who the *platform* says it was (`web:mia`); neither is ever read from a button.
    """

    id: str
    address: str
    login: str
    at: datetime  # aware, UTC
    language: str = ""  # the platform's hint, "en" or "zh"; "" when it has none
    private: bool = True  # nobody but this person reads this address


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Arrival):
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap(Arrival):
    """A button. `action` is what its `Button.action` said; `card` is the name of the card it stood on."""

    action: str
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Arrival):
    """A form that was filled in and sent. `form` is the `Ask.name` it came from."""

    form: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Arrival):
    name: str
    mime: str
    content: bytes


Incoming = Message | Tap | Form | File


# ---------------------------------------------------------------- out


@dataclass(frozen=True, slots=True)
class Button:
    """`action` comes back in a `Tap`: at most 60 bytes of ASCII, because Telegram carries 64 bytes."""

    label: str
    action: str
    style: str = "plain"  # plain, primary, danger


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled fact on a card. A platform may lay several side by side unless `wide`."""

    label: str
    value: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A few rows in columns, such as an order's lines. The first column is text, the others are right-aligned."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """What one message shows, top to bottom: title, text, fields, table, note, buttons. Plain text, no markup."""

    text: str = ""
    title: str = ""
    fields: tuple[Field, ...] = ()
    table: Table | None = None
    note: str = ""  # small print
    buttons: tuple[Button, ...] = ()
    tone: str = "plain"  # plain, waiting, good, bad: a colour or a sign where the platform has one


@dataclass(frozen=True, slots=True)
class Image:
    """A picture still to be drawn: a report's name and its data. It is drawn outside the conversation's process.

    `data` is what the report's `build` returned, as JSON-able values; `alt` says in words what the picture shows.
    """

    report: str
    data: dict[str, Any]
    language: str
    filename: str  # "weekly-sales-2026-W47.png"
    alt: str


@dataclass(frozen=True, slots=True)
class Input:
    """One blank of a form. `kind`: text, long, number, choice. A choice lists (value, label) in `options`."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A form to show at once to the person who tapped. `name` comes back in `Form.form`."""

    name: str
    title: str
    inputs: tuple[Input, ...]
    submit: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Something to say.

    A reply named `order:42` is *the* card of order 42: where it already stands it is edited, elsewhere it is posted.
    `address` "" is where the arrival came from. `only` is a login: then nobody else at the address may see it.
    `image` is always a message of its own, after the card. With `pointer` the card is posted anew at the bottom, for
    somebody who asked for it, and the copy further up turns into the pointer, so that no dead button stays.
    """

    card: Card
    name: str = ""
    address: str = ""
    only: str = ""
    image: Image | None = None
    pointer: Card | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the adapter learns at once of the arrival it brought. Everything else is said through the outbox."""

    handled: bool  # False: a repeat, nothing was done
    ask: Ask | None = None


# ---------------------------------------------------------------- ports


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn `Image`: the bytes of a PNG."""

    content: bytes
    filename: str
    alt: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform can carry. An adapter splits what is longer and says what it cannot do."""

    text: int = 40_000  # characters in one message
    buttons: int = 100  # on one card
    fields: int = 100
    forms: bool = True  # shows a whole form at once
    private: bool = True  # can show something to one person in a shared place
    edits: bool = True  # can change what it said


class CannotDeliver(Exception):
    """This cannot be said now. `retry_after` seconds when the platform named them; `gone` when it never can be.

    `away`: the address itself cannot be written to (a blocked bot, an archived channel), whatever is said there.
    """

    def __init__(self, why: str, retry_after: float | None = None, *, gone: bool = False, away: bool = False) -> None:
        super().__init__(why)
        self.why, self.retry_after, self.gone, self.away = why, retry_after, gone or away, away


Receive = Callable[[Incoming], Receipt]


class Adapter(Protocol):
    """One platform. It brings arrivals to `receive` and says replies where it is told; it decides nothing.

    A login (`telegram:77`) is also an address: its owner's private talk with us, which the adapter knows how to open.
    `send` and `edit` are called from a delivery thread, one at a time for each address, and return the platform's
    handle of the message that now stands (what `edit` needs later). They raise `CannotDeliver`.
    """

    platform: str
    limits: Limits

    def serves(self, address: str) -> bool: ...
    def start(self, receive: Receive) -> None: ...
    def stop(self) -> None: ...
    def send(self, address: str, reply: Reply) -> str: ...
    def edit(self, address: str, handle: str, reply: Reply) -> str: ...
    def picture(self, address: str, picture: Picture) -> str: ...


class Shelf(Protocol):
    """Where a platform of our own keeps what stands on its page; Slack and Telegram keep it themselves.

    An entry is a JSON-able dict. `put` with a handle that is already there replaces the entry in its place; `recent`
    gives the newest `limit` of them, oldest first.
    """

    def put(self, address: str, handle: str, entry: dict[str, Any]) -> None: ...
    def recent(self, address: str, limit: int = 200) -> list[tuple[str, dict[str, Any]]]: ...
    def keep(self, content: bytes, mime: str) -> str: ...
    def fetch(self, key: str) -> tuple[bytes, str] | None: ...
