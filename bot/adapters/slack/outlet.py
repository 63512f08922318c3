"""Saying things on Slack: posting, editing, showing to one person, the Home tab, pictures and forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.adapters.slack.blocks import Page, home, messages
from bot.adapters.slack.calls import Calls, SlackError
from bot.adapters.slack.forms import Origin, notice, packed, view
from bot.adapters.slack.inbox import OPEN_FORM, Recent
from bot.adapters.slack.people import People
from bot.adapters.slack.text import clean, escape, head, pieces
from bot.adapters.slack.words import SlackWords, Words
from bot.messages import Ask, Button, CannotDeliver, Card, Picture, Reply

HOME = "home"  # the handle of a Home tab, and how the names of the cards that it shows begin
ALT = 1000  # alt_txt of an upload
COMMENT = 3000
QUIET = {"unfurl_links": False, "unfurl_media": False}  # a link's preview would show it to everybody in the channel
VANISHED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


@dataclass(frozen=True, slots=True)
class Place:
    """An address, read: a person's own conversation or tab, or a channel with or without a thread."""

    user: str = ""
    channel: str = ""
    thread: str = ""
    tab: bool = False

    @property
    def own(self) -> bool:
        return bool(self.user) or self.channel.startswith("D")


def place(address: str) -> Place:
    """`slack:U1`, `slack:D1`, `slack:home/U1`, `slack:C1` or `slack:C1/1700000000.000100`.

    A login, `slack:U1`, is read as its owner's own conversation: Slack's people begin with U or W, channels never do.
    """
    rest = address.removeprefix("slack:")
    first, _, second = rest.partition("/")
    if first.startswith(("@", "U", "W")):
        return Place(user=first.removeprefix("@"))
    if first == "home":
        return Place(user=second, tab=True)
    return Place(channel=first, thread=second)


class Outlet:
    """Everything that is said. All of it raises `CannotDeliver`. Used inside one event loop."""

    def __init__(self, calls: Calls, people: People, words: Words, spoke: Callable[[str, str], None]) -> None:
        self._calls, self._people, self._words, self._spoke = calls, people, words, spoke
        self._begun: Recent[str, list[str]] = Recent(1000)  # messages of which only the first parts were posted

    def words(self, user: str = "") -> SlackWords:
        return self._words(self._people.known(user).language if user else "")

    # ------------------------------------------------------------ the port

    async def send(self, address: str, reply: Reply) -> str:
        where = place(address)
        if reply.only:
            return await self._only(where, reply)
        if where.tab:
            return await self._tab(where, reply)
        return await self._post(where, reply)

    async def edit(self, address: str, handle: str, reply: Reply) -> str:
        where = place(address)
        if handle == HOME or not handle:
            return await self.send(address, reply)
        where = Place(user=where.user) if where.tab else where
        try:
            return await self._update(where, handle.split(","), reply)
        except SlackError as error:
            if error.code not in VANISHED:
                raise
        await self.remove(await self._channel(where), handle.split(","))
        return await self._post(where, reply)

    async def picture(self, address: str, picture: Picture) -> str:
        """Upload and share the picture with its words, the rest of long ones below it; the handle is the file's id."""
        where = place(address)
        where = Place(user=where.user) if where.tab else where
        comment, *rest = list(pieces(clean(picture.alt).strip(), COMMENT)) or [""]
        key = _digest([address, picture.filename, picture.alt])
        [file] = self._begun.get(key) or [await self._share(where, picture, comment)]
        if rest:
            self._begun.put(key, [file])  # the picture stands: after a failure only its words are said again
            await self._post(where, Reply(Card(text="\n".join(rest))))
            self._begun.put(key, [])
        return file

    async def _share(self, where: Place, picture: Picture, comment: str) -> str:
        channel = await self._channel(where)
        ticket = await self._calls.call(
            "files.getUploadURLExternal",
            place=channel,
            filename=picture.filename,
            length=len(picture.content),
            alt_txt=head(clean(picture.alt).strip(), ALT, len) or None,
        )
        await self._calls.upload(str(ticket["upload_url"]), picture.content)
        await self._calls.call(
            "files.completeUploadExternal",
            place=channel,
            files=json.dumps([{"id": str(ticket["file_id"]), "title": picture.filename}]),
            channel_id=channel,
            thread_ts=where.thread or None,
            initial_comment=escape(comment) or None,
        )
        return str(ticket["file_id"])

    # ------------------------------------------------------------ messages

    async def _post(self, where: Place, reply: Reply) -> str:
        channel = await self._channel(where)
        thread = {"thread_ts": where.thread} if where.thread else {}

        async def post(pages: Sequence[Page]) -> str:
            return ",".join(await self._each(channel, thread, pages))

        handle = await self._shown(reply, self.words(where.user), post)
        if where.thread:
            self._spoke(channel, where.thread)
        return handle

    async def _each(self, channel: str, thread: dict[str, str], pages: Sequence[Page]) -> list[str]:
        """Post page after page. After a failure in the middle the next attempt goes on where this one ended."""
        key = _digest([channel, thread, [page.blocks for page in pages]])
        posted = list(self._begun.get(key) or ()) if len(pages) > 1 else []
        for page in pages[len(posted) :]:
            said = await self._calls.call("chat.postMessage", place=channel, **_said(channel, page), **thread, **QUIET)
            posted.append(str(said.get("ts", "")))
            if len(pages) > 1:
                self._begun.put(key, list(posted))
        if len(pages) > 1:
            self._begun.put(key, [])
        return posted

    async def _update(self, where: Place, handles: list[str], reply: Reply) -> str:
        channel = await self._channel(where)
        thread = {"thread_ts": where.thread} if where.thread else {}

        async def update(pages: Sequence[Page]) -> str:
            for ts, page in zip(handles, pages, strict=False):
                # With the blocks in any case: without them Slack keeps the old ones.
                await self._calls.call("chat.update", place=channel, ts=ts, **_said(channel, page))
            more = await self._each(channel, thread, pages[len(handles) :]) if len(pages) > len(handles) else []
            await self.remove(channel, handles[len(pages) :])
            return ",".join([*handles[: len(pages)], *more])

        return await self._shown(reply, self.words(where.user), update)

    async def _shown(self, reply: Reply, words: SlackWords, say: Callable[[Sequence[Page]], Any]) -> str:
        """Say the card; without table blocks when Slack, or what stands in for it, refuses them."""
        pages = messages(reply.card, reply.name, words)
        try:
            return str(await say(pages))
        except SlackError as error:
            if error.code not in REFUSED_BLOCKS or reply.card.table is None:
                raise
        return str(await say(messages(reply.card, reply.name, words, tables=False)))

    async def remove(self, channel: str, handles: Sequence[str]) -> None:
        """Take messages away; one that is gone already is as well."""
        for ts in handles:
            try:
                await self._calls.call("chat.delete", place=channel, channel=channel, ts=ts)
            except CannotDeliver as error:
                if not error.gone and getattr(error, "code", "") != "cant_delete_message":
                    raise

    async def _only(self, where: Place, reply: Reply) -> str:
        """To one person: in their own conversation a message, elsewhere one that Slack shows to them alone."""
        user = reply.only.removeprefix("slack:")
        if not reply.only.startswith("slack:") or not user:
            raise CannotDeliver("this is for somebody who is not on Slack", gone=True)
        if where.own:
            mine = where.user == user if where.user else await self._people.channel(user) == where.channel
            if not mine:
                raise CannotDeliver("this is for somebody else than who reads it", gone=True)
            return await self._post(Place(user=user), reply)
        words = self.words(user)

        async def show(pages: Sequence[Page]) -> str:
            thread = {"thread_ts": where.thread} if where.thread else {}
            for page in pages:
                said = _said(where.channel, page)
                await self._calls.call("chat.postEphemeral", place=where.channel, user=user, **said, **thread)
            return ""  # what one person sees cannot be edited

        try:
            return await self._shown(reply, words, show)
        except SlackError as error:
            if error.code not in ("user_not_in_channel", "not_in_channel", "channel_not_found"):
                raise
        await self._post(Place(user=user), reply)
        return ""

    async def _tab(self, where: Place, reply: Reply) -> str:
        """The Home tab shows its own card; everything else said there is a message in the person's conversation."""
        if reply.name and not reply.name.startswith(HOME):
            return await self._post(Place(user=where.user), reply)
        shown = home(reply.card, reply.name, self.words(where.user))
        await self._calls.call("views.publish", place=where.user, user_id=where.user, view=shown)
        return HOME

    async def _channel(self, where: Place) -> str:
        return where.channel or await self._people.channel(where.user)

    # ------------------------------------------------------------ forms

    async def open(self, trigger: str, ask: Ask, origin: Origin, user: str) -> None:
        await self._calls.call("views.open", trigger_id=trigger, view=view(ask, origin, self.words(user)))

    async def open_notice(self, trigger: str, user: str) -> str:
        """Something to look at while the form is on its way; the view's id, with which it is replaced."""
        words = self.words(user)
        shown = notice(words.working, words.working, words)
        opened = await self._calls.call("views.open", trigger_id=trigger, view=shown)
        return str((opened.get("view") or {}).get("id") or "")

    async def replace(self, view_id: str, ask: Ask, origin: Origin, user: str) -> None:
        await self._calls.call("views.update", view_id=view_id, view=view(ask, origin, self.words(user)))

    async def replace_notice(self, view_id: str, user: str, *, failed: bool) -> None:
        words = self.words(user)
        shown = notice(words.failed if failed else words.done, words.close, words)
        await self._calls.call("views.update", view_id=view_id, view=shown)

    async def offer(self, address: str, user: str, ask: Ask, *, late: bool) -> None:
        """The form behind a button that only this person sees, where nothing was pressed that could open it."""
        words = self.words(user)
        value = packed(ask)
        if not value:
            await self.tell(address, user, words.too_many_blanks.format(count=len(ask.inputs), largest=len(ask.inputs)))
            return
        text = (words.tap_again if late else words.fill_in).format(title=ask.title)
        button = Button(words.open_form, OPEN_FORM, "primary")
        await self._only(_public(address), Reply(Card(text=text, buttons=(button,)), name=value, only=f"slack:{user}"))

    async def tell(self, address: str, user: str, text: str) -> None:
        await self._only(_public(address), Reply(Card(text=text), only=f"slack:{user}"))


def _public(address: str) -> Place:
    where = place(address)
    return Place(user=where.user) if where.tab else where


def _said(channel: str, page: Page) -> dict[str, Any]:
    return {"channel": channel, "text": page.text, "blocks": page.blocks}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("utf-8", "surrogatepass")).hexdigest()
