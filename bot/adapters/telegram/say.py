"""Saying things: messages of several parts, edits, pictures; and what each refusal of Telegram's means."""

from __future__ import annotations

import asyncio
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from telegram import InputFile
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.adapters.telegram.cards import TEXT, Keyboard, Part, caption, cut, escape
from bot.adapters.telegram.line import UPLOAD, Line, Slow, told
from bot.adapters.telegram.pace import Pace
from bot.messages import CannotDeliver, Picture

PHOTO_BYTES, FILE_BYTES = 10_000_000, 50_000_000
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20  # width and height together; the longer to the shorter
PATIENCE = 8  # times a question of a form is tried again
_NO_PREVIEW = '{"is_disabled":true}'
_AWAY = (  # the person or the group cannot be reached at all
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "user_is_blocked",
    "bot can't initiate",
    "bot was kicked",
    "group chat was upgraded",
    "group chat was deleted",
    "message thread not found",
    "topic_deleted",
    "topic_closed",
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
)
_MISSING = ("message to edit not found", "message can't be edited", "message_id_invalid", "message identifier is not")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: a chat, and a topic in it."""

    chat: int
    thread: int | None = None


class Speaker:
    """Calls that say something, at the pace of each chat. Everything here runs on the adapter's event loop.

    A message of several parts that was interrupted goes on where it stopped when it is said again, so that nobody
    reads its beginning twice.
    """

    def __init__(self, line: Line, pace: Pace) -> None:
        self._line, self._pace = line, pace
        self._moved: dict[int, int] = {}
        self._begun: OrderedDict[tuple[Place, tuple[str, ...]], list[int]] = OrderedDict()

    def moved(self, old: int, new: int) -> None:
        """A group has become a supergroup with another id; what is meant for the old one goes there."""
        if old != new:
            self._moved[old] = new

    def where(self, chat: int) -> int:
        for _ in range(5):
            if chat not in self._moved:
                break
            chat = self._moved[chat]
        return chat

    async def say(
        self,
        place: Place,
        parts: Sequence[Part],
        *,
        patient: bool = False,
        force: str = "",
        answer_to: int = 0,
    ) -> list[int]:
        """Post the parts; their ids. `force` makes the person's keyboard reply, with these words as placeholder."""
        key = (place, tuple(part.html for part in parts))
        ids = self._begun.pop(key, [])
        try:
            for part in parts[len(ids) :]:
                last = len(ids) == len(parts) - 1
                params: dict[str, Any] = {"text": part.html, "parse_mode": "HTML", "link_preview_options": _NO_PREVIEW}
                if part.keyboard:
                    params["reply_markup"] = markup(part.keyboard)
                elif force and last:
                    params["reply_markup"] = {
                        "force_reply": True,
                        "selective": True,
                        "input_field_placeholder": force[:64],
                    }
                if answer_to and not ids:
                    params["reply_parameters"] = {"message_id": answer_to, "allow_sending_without_reply": True}
                sent = await self._call(place, "sendMessage", patient=patient, **params)
                ids.append(int(sent["message_id"]))
        except BaseException:
            if ids:
                self._begun[key] = ids
                while len(self._begun) > 256:
                    self._begun.popitem(last=False)
            raise
        return ids

    async def change(self, place: Place, ids: Sequence[int], parts: Sequence[Part]) -> list[int]:
        """Make the messages `ids` show `parts`; the ids that now stand. What was deleted is posted anew."""
        for at, (message, part) in enumerate(zip(ids, parts, strict=False)):
            if not await self._edited(place, message, part):
                for other in (*ids[:at], *ids[at + 1 :]):
                    await self.remove(place, other)
                return await self.say(place, parts)
        for message in ids[len(parts) :]:
            await self.remove(place, message)
        kept = list(ids[: len(parts)])
        return kept + (await self.say(place, parts[len(kept) :]) if len(parts) > len(kept) else [])

    async def remove(self, place: Place, message: int) -> None:
        """Take a message away; or, after the 48 hours in which Telegram lets bots do that, at least what it says."""
        try:
            await self._call(place, "deleteMessage", within_chat=False, message_id=message)
        except CannotDeliver as error:
            if error.gone and "not found" not in error.why:
                await self._edited(place, message, Part("…", []))
            elif not error.gone:
                raise

    async def _edited(self, place: Place, message: int, part: Part) -> bool:
        """True when the message now shows this; False when there is no such message to edit."""
        try:
            await self._call(
                place,
                "editMessageText",
                within_chat=False,
                message_id=message,
                text=part.html,
                parse_mode="HTML",
                link_preview_options=_NO_PREVIEW,
                reply_markup=markup(part.keyboard),  # always: an edit without one takes the buttons away
            )
        except CannotDeliver as error:
            why = error.why.lower()
            if "is not modified" in why:
                return True
            if error.gone and any(mark in why for mark in _MISSING):
                return False
            raise
        return True

    async def show(self, place: Place, picture: Picture) -> list[int]:
        """A picture with its words as caption; as a file where Telegram would not take it as a photo."""
        if len(picture.content) > FILE_BYTES:
            raise CannotDeliver("a file of more than 50 MB cannot be sent on Telegram", gone=True)
        head, rest = caption(picture.alt)
        key = (place, (picture.filename, picture.alt))
        ids = self._begun.pop(key, [])
        if not ids:
            methods = ["sendPhoto", "sendDocument"] if photographic(picture.content) else ["sendDocument"]
            ids = [await self._uploaded(place, methods, picture, head)]
        if rest:
            self._begun[key] = ids
            ids = ids + await self.say(place, [Part(escape(piece), []) for piece in _pages(rest)])
            self._begun.pop(key, None)
        return ids

    async def _uploaded(self, place: Place, methods: Sequence[str], picture: Picture, head: str) -> int:
        for method in methods:
            kind = "photo" if method == "sendPhoto" else "document"
            file = InputFile(picture.content, filename=picture.filename, attach=False)
            params: dict[str, Any] = {kind: file}
            if head:
                params |= {"caption": escape(head), "parse_mode": "HTML"}
            try:
                sent = await self._call(place, method, within=UPLOAD, **params)
            except CannotDeliver as error:
                marks = ("photo_invalid", "image_process", "too big", "wrong file")
                if method != methods[-1] and any(mark in error.why.lower() for mark in marks):
                    continue
                raise
            return int(sent["message_id"])
        raise AssertionError("unreachable")

    async def busy(self, place: Place) -> None:
        """Show that an answer is on its way; nobody minds when it does not show."""
        chat: dict[str, Any] = {"chat_id": self.where(place.chat)}
        if place.thread:
            chat["message_thread_id"] = place.thread
        try:
            await self._line.call("sendChatAction", **chat, action="typing")
        except TelegramError:
            return

    async def _call(
        self, place: Place, method: str, *, patient: bool = False, within_chat: bool = True, **params: Any
    ) -> Any:
        """One call about a chat. Raises `CannotDeliver`; `patient` waits for what passes."""
        if place.thread and within_chat:
            params["message_thread_id"] = place.thread
        tries = PATIENCE if patient else 1
        while True:
            chat = self.where(place.chat)
            await self._pace.enter(chat, patient=patient)
            tries -= 1
            try:
                return await self._line.call(method, chat_id=chat, **params)
            except ChatMigrated as error:
                if self.where(error.new_chat_id) == chat:
                    raise CannotDeliver("unreachable: the group has moved in a circle", away=True) from None
                self.moved(chat, error.new_chat_id)
                tries += 1
            except Slow as error:
                self._pace.hold(chat, error.seconds)
                if not tries:
                    raise CannotDeliver(told(error), error.seconds) from None
            except TelegramError as error:
                refused = refusal(error)
                if refused.gone or not tries:
                    raise refused from None
                await asyncio.sleep(0.5 * (PATIENCE - tries))


def refusal(error: TelegramError) -> CannotDeliver:
    """What Telegram's refusal means. The same message would be refused again, so a 400 or 403 is for good."""
    why = told(error)
    if isinstance(error, Forbidden) or any(mark in why.lower() for mark in _AWAY):
        return CannotDeliver(f"unreachable: {why}", away=True)
    lasting = isinstance(error, BadRequest) or "entity too large" in why.lower()
    return CannotDeliver(why, gone=lasting and not isinstance(error, InvalidToken))


def markup(keyboard: Keyboard) -> str:
    return msgspec.json.encode({"inline_keyboard": keyboard}).decode()


def photographic(content: bytes) -> bool:
    """Whether Telegram takes these bytes of a PNG as a photo."""
    if len(content) > PHOTO_BYTES or not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        return False
    width, height = struct.unpack(">II", content[16:24])
    short, long = sorted((width, height))
    return bool(short > 0 and long + short <= PHOTO_SIDES and long <= PHOTO_RATIO * short)


def _pages(text: str) -> list[str]:
    found = []
    while text:
        head, text = cut(text, TEXT)
        found.append(head)
    return found
