"""What Slack brings, read: each payload becomes an arrival, or is counted with the reason why it does not."""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from bot.adapters.slack.forms import FORM, Filled, filled, unpacked
from bot.adapters.slack.text import mentions, typed
from bot.adapters.slack.words import SlackWords
from bot.messages import Ask, File, Form, Incoming, Message, Tap

Payload = Mapping[str, Any]
Stamp = dict[str, Any]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

REMEMBERED = 20_000  # messages and threads kept in mind
OPEN_FORM = "~form"  # the action of a button whose value is a form
HOME_TAP = "home."  # taps whose answer is the Home tab itself
# Ways in which a person's own words arrive; every other subtype is news about a message or a channel.
SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})

# command: (with words, in English and in Chinese; without any)
COMMANDS = {
    "/deal": ("log a deal {text}", "记录商机 {text}", "log a deal"),
    "/lead": ("new lead: {text}", "新线索：{text}", ""),
    "/order": ("order {text}", "下单 {text}", ""),
    "/who": ("who is {text}", "{text} 是谁", "find a customer"),
    "/report": ("{text}", "{text}", "weekly sales"),
    "/pending": ("what waits for me?", "有什么等我处理？", "what waits for me?"),
    "/dealdesk": ("{text}", "{text}", "help"),
}
FORMS = {"/order": "order.new", "/lead": "lead.new"}  # a bare command asks for its form
SHORTCUTS = {
    "log_as_lead": ("new lead: {text}", "新线索：{text}"),
    "log_as_need": ("note need: {text}", "记需求：{text}"),
}
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_NAME = re.compile(r"^[A-Za-z0-9_-]{2,60}$")  # people and channels
_TS = re.compile(r"^\d{1,12}\.\d{1,10}$")


@dataclass(frozen=True, slots=True)
class Brought:
    """An arrival on its way. `build` makes it, once the person's language is known.

    `trigger` can open a form for three seconds. With `waits` the person sees that work goes on when it takes longer.
    `thread` has to be one the bot takes part in. `ask` is a form to open without asking anybody.
    """

    id: str
    address: str
    user: str
    private: bool
    build: Callable[[Stamp], Incoming]
    at: datetime
    channel: str = ""
    trigger: str = ""
    waits: bool = False
    thread: tuple[str, str] | None = None
    ask: Ask | None = None
    message: str = ""  # "channel/ts" of the message that offered the form

    def incoming(self, language: str) -> Incoming:
        return self.build(
            {
                "id": f"slack:{self.id}",
                "address": self.address,
                "login": f"slack:{self.user}",
                "at": self.at,
                "language": language,
                "private": self.private,
            }
        )


class Recent(Generic[K, V]):
    """A mapping that forgets what was not touched for longest."""

    def __init__(self, largest: int = REMEMBERED) -> None:
        self._items: OrderedDict[K, V] = OrderedDict()
        self._largest = largest
        self._lock = threading.Lock()  # in HTTP mode the server's loop reads while the adapter's own writes

    def get(self, key: K) -> V | None:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            if len(self._items) > self._largest:
                self._items.popitem(last=False)


class Inbox:
    """Reads payloads. `bot` and `bot_id` are who we are, as soon as that is known."""

    def __init__(self, counts: Counter[str]) -> None:
        self.bot = self.bot_id = ""
        self._counts = counts
        self._taken: Recent[tuple[str, str], bool] = Recent()
        self._threads: Recent[tuple[str, str], bool] = Recent()
        self._events: dict[str, Callable[[Payload, str], list[Brought]]] = {
            "message": self._message,
            "app_mention": self._message,
            "app_home_opened": self._home_opened,
        }

    # ------------------------------------------------------------ threads the bot takes part in

    def spoke(self, channel: str, thread: str) -> None:
        """The bot speaks in this thread, or was spoken to: what is said there from now on is for it too."""
        self._threads.put((channel, thread), True)

    def silent(self, channel: str, thread: str) -> None:
        self._threads.put((channel, thread), False)

    def takes_part(self, channel: str, thread: str) -> bool | None:
        """None when it is not known, as after a restart."""
        return self._threads.get((channel, thread))

    # ------------------------------------------------------------ events

    def event(self, body: Payload) -> list[Brought]:
        event = body["event"]
        read = self._events.get(event["type"])
        if read is None:
            return self._ignored("event of another type")
        if not self.bot:
            self.bot = _who_we_are(body)
        event_id = body.get("event_id") or f"{event.get('channel', '')}/{event.get('event_ts') or event.get('ts', '')}"
        return read(event, str(event_id))

    def _message(self, event: Payload, event_id: str) -> list[Brought]:
        reason = self._not_a_persons(event)
        if reason:
            return self._ignored(reason)
        user, channel, ts, text = (str(event.get(key) or "") for key in ("user", "channel", "ts", "text"))
        kind = event.get("channel_type")
        direct = kind in ("im", "app_home") or (kind is None and channel.startswith("D"))
        thread = str(event.get("thread_ts") or "")
        thread = thread if _TS.match(thread) and thread != ts else ""
        if event["type"] == "app_mention" or mentions(text, self.bot):
            self.spoke(channel, thread or ts)
        elif thread and event.get("parent_user_id") == self.bot:
            self.spoke(channel, thread)
        part = self.takes_part(channel, thread or ts)
        if not direct and (part is False or (part is None and not thread)):
            return self._ignored("message not for us")
        # A mention comes twice, as a message and as an app_mention with another event id.
        if self._taken.get((channel, ts)):
            return self._ignored("repeat")
        self._taken.put((channel, ts), True)
        check = None if direct or part else (channel, thread)
        address = f"slack:{user}" if direct else f"slack:{channel}/{thread or ts}"
        return self._said(event, event_id, address, typed(text, self.bot), check)

    def _not_a_persons(self, event: Payload) -> str:
        """Why this is no message that a person wrote just now; "" when it is one."""
        subtype = str(event.get("subtype") or "")
        user = str(event.get("user") or "")
        if (user and user == self.bot) or (self.bot_id and event.get("bot_id") == self.bot_id):
            return "message of ourselves"  # no loops
        if event.get("bot_id") or user == "USLACKBOT":
            return "message of a bot"
        if subtype not in SPOKEN or event.get("hidden"):
            return f"message: {subtype}"[:60]
        well = _NAME.match(user) and _NAME.match(str(event.get("channel"))) and _TS.match(str(event.get("ts")))
        return "" if well else "malformed"

    def _said(
        self, event: Payload, event_id: str, address: str, text: str, check: tuple[str, str] | None
    ) -> list[Brought]:
        user, channel, at = str(event["user"]), str(event["channel"]), _moment(event["ts"])
        private = address.startswith(("slack:U", "slack:W"))

        def brought(id_: str, build: Callable[[Stamp], Incoming]) -> Brought:
            return Brought(id_, address, user, private, build, at, channel, thread=check)

        if text:
            return [brought(event_id, lambda stamp: Message(**stamp, text=text))]
        found = [
            brought(f"{event_id}:{number}" if number else event_id, _file(file))
            for number, file in enumerate(event.get("files") or ())
        ]
        if not found and (private or mentions(str(event.get("text")), self.bot)):
            return [brought(event_id, lambda stamp: Message(**stamp, text=""))]
        return found or self._ignored("message without text")

    def _home_opened(self, event: Payload, event_id: str) -> list[Brought]:
        user = str(event.get("user") or "")
        if not _NAME.match(user):
            return self._ignored("malformed")
        if event.get("tab", "home") != "home":
            return self._ignored("messages tab opened")
        build = _tap("home.show", "home")
        return [Brought(event_id, f"slack:home/{user}", user, True, build, _moment(event.get("event_ts")))]

    # ------------------------------------------------------------ what people press, type and send

    def action(self, body: Payload) -> list[Brought]:
        action, user = body["actions"][0], _user(body)
        container = body.get("container") or {}
        index, _, name = str(action["action_id"]).partition(":")
        if not index.isdecimal() or not name or action.get("type", "button") != "button":
            return self._ignored("action of another kind")
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
        home = (body.get("view") or {}).get("type") == "home"
        private = home or not channel or channel.startswith("D")
        place = str(container.get("message_ts") or container.get("view_id") or "")
        id_ = f"a/{user}/{place}/{action.get('action_ts') or body.get('trigger_id')}"
        value = str(action.get("value") or "")
        message = f"{channel}/{place}" if channel and not container.get("is_ephemeral") else ""
        return [
            Brought(
                id=id_,
                address=_address_of_tap(body, user, name, channel, private=private, home=home),
                user=user,
                private=private,
                build=_tap(name, value),
                at=_moment(action.get("action_ts")),
                channel=channel,
                trigger=str(body.get("trigger_id") or ""),
                waits=True,
                ask=unpacked(value) if name == OPEN_FORM else None,
                message=message if name == OPEN_FORM else "",
            )
        ]

    def command(self, body: Payload) -> list[Brought]:
        """The answer goes to the person's own conversation with us: a command is seen by nobody else either."""
        name, user = str(body["command"]).lower(), str(body["user_id"])
        if name not in COMMANDS or not _NAME.match(user):
            return self._ignored("command of another name")
        english, chinese, bare = COMMANDS[name]
        words = typed(str(body.get("text") or ""), self.bot)
        build: Callable[[Stamp], Incoming]
        if not words and name in FORMS:
            build = _tap(FORMS[name], "")
        else:
            text = (chinese if _CHINESE.search(words) else english).format(text=words) if words else bare
            build = _message(text)
        trigger = str(body.get("trigger_id") or "")
        return [
            Brought(
                id=f"c/{user}/{trigger}",
                address=f"slack:{user}",
                user=user,
                private=True,
                build=build,
                at=datetime.now(UTC),
                trigger=trigger,
                waits=not words and name in FORMS,
            )
        ]

    def shortcut(self, body: Payload) -> list[Brought]:
        """ "Log as lead" on somebody's message: as if the person who chose it had said it to us."""
        user = _user(body)
        sentences = SHORTCUTS.get(str(body.get("callback_id")))
        text = typed(str((body.get("message") or {}).get("text") or ""), self.bot)
        if sentences is None or not text:
            return self._ignored("shortcut of another name" if sentences is None else "message without text")
        sentence = sentences[bool(_CHINESE.search(text))].format(text=text)
        moment = body.get("action_ts")
        trigger = str(body.get("trigger_id") or "")
        id_ = f"s/{user}/{body.get('message_ts', '')}/{moment or trigger}"
        return [
            Brought(id_, f"slack:{user}", user, True, _message(sentence), _moment(moment), trigger=trigger),
        ]

    def submission(self, body: Payload, words: Callable[[str], SlackWords]) -> tuple[dict[str, str], list[Brought]]:
        """A form that was sent: what is wrong with it by block, or the arrival."""
        view, user = body["view"], _user(body)
        if view.get("callback_id") != FORM:
            return {}, self._ignored("view of another kind")
        sent: Filled = filled(view, words(user))
        if sent.errors:
            self._counts["form with mistakes"] += 1
            return sent.errors, []
        return {}, [
            Brought(
                id=f"v/{user}/{view['id']}/{view.get('hash', '')}",
                address=sent.origin.address,
                user=user,
                private=sent.origin.private,
                build=lambda stamp: Form(**stamp, form=sent.form, values=sent.values),
                at=datetime.now(UTC),
                channel=sent.origin.address.removeprefix("slack:").partition("/")[0],
                trigger=str(body.get("trigger_id") or ""),
                message=sent.origin.message,
            )
        ]

    # ------------------------------------------------------------ small things

    def _ignored(self, why: str) -> list[Brought]:
        self._counts[f"ignored: {why}"] += 1
        return []


def _address_of_tap(body: Payload, user: str, action: str, channel: str, *, private: bool, home: bool) -> str:
    """Where the card stands. From the Home tab it is the person's own conversation: a tab holds no messages."""
    if home and action.startswith(HOME_TAP):
        return f"slack:home/{user}"
    if private:
        return f"slack:{user}"
    container, message = body.get("container") or {}, body.get("message") or {}
    thread = str(container.get("thread_ts") or message.get("thread_ts") or "")
    if thread and thread != container.get("message_ts"):  # a card with answers below it stands in the channel itself
        return f"slack:{channel}/{thread}"
    return f"slack:{channel}"


def _tap(action: str, card: str) -> Callable[[Stamp], Incoming]:
    return lambda stamp: Tap(**stamp, action=action, card=card)


def _message(text: str) -> Callable[[Stamp], Incoming]:
    return lambda stamp: Message(**stamp, text=text)


def _file(file: Payload) -> Callable[[Stamp], Incoming]:
    """A file that was shared without a word; it is named and not fetched."""
    name, mime = str(file.get("name") or "file"), str(file.get("mimetype") or "")
    return lambda stamp: File(**stamp, name=name, mime=mime, content=b"")


def _user(body: Payload) -> str:
    user = str(body["user"]["id"])
    if not _NAME.match(user):
        raise ValueError("user")
    return user


def _who_we_are(body: Payload) -> str:
    """Our user id as every event tells it, for as long as Slack could not be asked."""
    for authorization in body.get("authorizations") or ():
        if authorization.get("is_bot"):
            return str(authorization.get("user_id") or "")
    return ""


def _moment(ts: object) -> datetime:
    """A Slack timestamp, `1700000000.000100`, as a moment; now when there is none."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
