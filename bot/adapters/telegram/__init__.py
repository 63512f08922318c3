"""Telegram: private chats, groups and forum topics, by long polling or by webhook.

The library lives on an event loop in a thread of its own; async stops at this file. What the platform can carry:
4096 characters and 100 buttons in a message (what is longer is said in several), no whole forms (their blanks are
asked one by one), nothing for one person's eyes in a group (that goes to their private chat), and a bot can never
write first: whoever has not pressed Start is unreachable.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from starlette.routing import BaseRoute, Route
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.adapters.telegram import check as checking
from bot.adapters.telegram.cards import Part, escape, parts
from bot.adapters.telegram.forms import Forms
from bot.adapters.telegram.heard import UPDATES, Me
from bot.adapters.telegram.inbox import TRIES, Backoff, Hook, Poller
from bot.adapters.telegram.line import Line, pause, told
from bot.adapters.telegram.pace import Pace, Rates
from bot.adapters.telegram.say import Place, Speaker
from bot.adapters.telegram.turns import Known, Turns, keep, mention
from bot.adapters.telegram.words import TelegramWords, Vocabulary
from bot.messages import CannotDeliver, Limits, Picture, Receive, Reply

__all__ = ["WEBHOOK_PATH", "Rates", "TelegramAdapter", "TelegramWords"]

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/telegram/webhook"
WORKERS = 32  # arrivals handled at the same time; the next ones queue
GRACE = 25.0  # seconds that turns under way get when we stop
SAID_AFTER = 0.15  # seconds after the last turn in which its answer will have come to be sent
LONGEST_CALL = 300.0
_ADDRESS = re.compile(r"telegram:(-?\d{1,19})(?:/(\d{1,10}))?")
_LOGIN = re.compile(r"telegram:(\d{1,19})")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")

T = TypeVar("T")


class TelegramAdapter:
    """The `Adapter` of Telegram.

    Without `webhook_url` it asks for updates by long polling. With it (the whole public address, ending in
    `WEBHOOK_PATH`), give `routes` to the server before `start`; a secret is made up when none is given. `words` are
    its own few sentences by language. `counts` says what came in and what was ignored and why. Wrong arguments raise
    `ValueError`; a refused token does not: what to do is logged, and it is tried again, for a network may be to blame.
    """

    platform = "telegram"
    limits = Limits(text=4096, buttons=100, fields=100, forms=False, private=False, edits=True)

    def __init__(
        self,
        *,
        token: str,
        api_url: str = "https://api.telegram.org",
        webhook_url: str = "",
        webhook_secret: str = "",
        words: Mapping[str, TelegramWords] | None = None,
        rates: Rates | None = None,
        proxy: str = "",
    ) -> None:
        if not re.fullmatch(r"[^\s/?#]+", token):
            raise ValueError(
                "The Telegram token is empty or has a space or a slash in it. Copy it again from @BotFather."
            )
        if webhook_secret and not _SECRET.fullmatch(webhook_secret):
            raise ValueError("A webhook secret has 1 to 256 of the characters A-Z, a-z, 0-9, _ and -.")
        self._token, self._api_url, self._proxy = token, api_url, proxy
        self._webhook_url = webhook_url
        self._secret = webhook_secret or secrets.token_urlsafe(32)
        self._words = Vocabulary(words)
        self._rates = rates or Rates()
        self.counts: Counter[str] = Counter()
        self.ready = threading.Event()  # set once Telegram knows us and updates are being listened for
        self.routes: list[BaseRoute] = []
        if webhook_url:
            hook = Hook(self._secret, self.counts, self._bring)
            self.routes = [Route(WEBHOOK_PATH, hook.receive, methods=["POST"])]
        self._me: Me | None = None
        self._known = Known()
        self._forms = Forms(self._words)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sending = 0
        self._sending_lock = threading.Lock()

    # ------------------------------------------------------------ the port

    def serves(self, address: str) -> bool:
        return address.startswith("telegram:")

    def start(self, receive: Receive) -> None:
        """Begin to listen, and return at once; whatever is wrong with the network or the token is tried again."""
        if self._thread is not None:
            raise RuntimeError("the adapter is already running")
        up = threading.Event()
        self._receive = receive
        self._thread = threading.Thread(target=self._run, args=(up,), name="telegram", daemon=True)
        self._thread.start()
        up.wait()

    def stop(self) -> None:
        """Listen no more, finish the turns under way and what they say, and tell Telegram what was handled."""
        thread, loop = self._thread, self._loop
        if thread is None:
            return
        if loop is not None:
            with suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(self._leaving.set)
        thread.join()
        self._thread = None

    def send(self, address: str, reply: Reply) -> str:
        return self._bridge(self._send(address, reply))

    def edit(self, address: str, handle: str, reply: Reply) -> str:
        return self._bridge(self._edit(address, handle, reply))

    def picture(self, address: str, picture: Picture) -> str:
        return self._bridge(self._show(address, picture))

    # ------------------------------------------------------------ besides the port

    def deep_link(self, token: str) -> str:
        """The link that opens a chat with the bot and, at Start, says `/start token`; "" while its name is not known.

        Telegram carries 1 to 64 of A-Z, a-z, 0-9, _ and -; anything else raises `ValueError`.
        """
        if not _PAYLOAD.fullmatch(token):
            raise ValueError("a deep link carries 1 to 64 of the characters A-Z, a-z, 0-9, _ and -")
        return f"https://t.me/{self._me.username}?start={token}" if self._me else ""

    def check(self) -> list[tuple[str, bool, str]]:
        """What a doctor wants to know: each finding, whether it is well, and what to do about it."""

        async def alone() -> list[tuple[str, bool, str]]:
            line = self._new_line()
            await line.open()
            try:
                return await checking.findings(line, self._webhook_url)
            finally:
                await line.close_session()

        if self._loop is not None:
            return self._bridge(checking.findings(self._line, self._webhook_url))
        return asyncio.run(alone())

    # ------------------------------------------------------------ the loop

    def _new_line(self) -> Line:
        return Line(self._token, self._api_url, self._proxy)

    def _run(self, up: threading.Event) -> None:
        try:
            asyncio.run(self._main(up))
        except Exception as error:  # noqa: BLE001  # a trace could show the address, which holds the token
            log.error("telegram: stopped by %s. Start it again.", type(error).__name__)
        finally:
            self._loop = None
            up.set()

    async def _main(self, up: threading.Event) -> None:
        self._leaving = asyncio.Event()
        self._line = self._new_line()
        self._speaker = Speaker(self._line, Pace(self._rates))
        self._forms.begin(secrets.token_hex(2))
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="telegram")
        self._turns = turns = Turns(
            line=self._line,
            speaker=self._speaker,
            forms=self._forms,
            words=self._words,
            known=self._known,
            counts=self.counts,
            receive=self._receive,
            pool=pool,
            leaving=self._leaving,
        )
        self._poller = Poller(self._line, lambda update: turns.take(update, TRIES), self._leaving)
        await self._line.open()
        self._loop = asyncio.get_running_loop()
        up.set()
        try:
            listening = asyncio.create_task(self._listen())
            await self._leaving.wait()
            await self._leave(listening)
        finally:
            self._loop = None
            self.ready.clear()
            pool.shutdown(wait=False, cancel_futures=True)
            await self._line.close_session()

    async def _listen(self) -> None:
        """Make ourselves known, then read updates until we leave. Says once what is wrong, and goes on trying."""
        backoff, said = Backoff(), ""
        while not self._leaving.is_set():
            try:
                await self._introduce()
                break
            except TelegramError as error:
                if told(error) != said:
                    said = told(error)
                    log.error("telegram: %s. %s Trying again.", said, checking.remedy(error))
                await pause(self._leaving, 60.0 if isinstance(error, InvalidToken) else backoff.next())
        if self._leaving.is_set():
            return
        self.ready.set()
        menu = asyncio.create_task(self._register())
        if not self._webhook_url:
            await self._poller.run()
        await menu

    async def _introduce(self) -> None:
        me = await self._line.call("getMe")
        self._me = self._turns.me = Me(int(me["id"]), str(me.get("username", "")))
        # Only one of the two works at a time: while a webhook is set, getUpdates is refused.
        if self._webhook_url:
            await self._line.call(
                "setWebhook",
                url=self._webhook_url,
                secret_token=self._secret,
                allowed_updates=UPDATES,
                max_connections=40,
            )
        else:
            try:
                await self._line.call("deleteWebhook")
            except (
                BadRequest,
                InvalidToken,
            ) as error:  # the token was taken a moment ago: it is this call's own trouble
                log.warning("telegram: a webhook could not be removed (%s)", told(error))

    async def _register(self) -> None:
        """The menu of commands, by language; "" is for everyone whose language has none."""
        for language, words in self._words.by_language.items():
            menu = [{"command": command, "description": text[:256]} for command, text in words.menu.items()]
            code: dict[str, Any] = {} if words is self._words.default else {"language_code": language}
            try:
                await self._line.call("setMyCommands", commands=menu, **code)
            except TelegramError as error:
                log.warning("telegram: the menu of commands was not set (%s)", told(error))

    async def _leave(self, listening: asyncio.Task[None]) -> None:
        await asyncio.wait({listening}, timeout=1.0)
        listening.cancel()
        await asyncio.wait({listening})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._turns.lanes.drained(), GRACE)
        if not self._webhook_url and self._me is not None:
            with suppress(TelegramError):
                await self._poller.confirm()
        now = asyncio.get_running_loop().time
        end, settled = now() + GRACE, self._turns.worked + SAID_AFTER
        while now() < end and (self._sending or now() < settled):
            await asyncio.sleep(0.01)

    # ------------------------------------------------------------ in

    async def _bring(self, update: dict[str, Any]) -> bool:
        """From the server's loop: handle an update on ours. True when it need not come again."""

        async def taken() -> None:
            await asyncio.shield(self._turns.take(update, 3))  # the server may lose patience; the turn does not

        loop = self._loop
        if loop is None or self._me is None or self._leaving.is_set():
            return False
        try:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(taken(), loop))
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            return False
        return True

    # ------------------------------------------------------------ out

    def _bridge(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it on our loop and wait for it, from any other thread."""
        loop = self._loop
        with self._sending_lock:
            self._sending += 1
        try:
            if loop is None:
                work.close()
                raise CannotDeliver("Telegram is not connected")
            try:
                future = asyncio.run_coroutine_threadsafe(work, loop)
            except RuntimeError:
                work.close()
                raise CannotDeliver("Telegram is not connected") from None
            try:
                return future.result(LONGEST_CALL)
            except (CancelledError, TimeoutError):
                future.cancel()
                raise CannotDeliver("Telegram was stopped, or took too long") from None
        finally:
            with self._sending_lock:
                self._sending -= 1

    async def _send(self, address: str, reply: Reply, standing: str = "") -> str:
        home, place = _placed(address, reply.only)
        shown = parts(reply.card, self._words[self._known.tongues.get(place.chat, "")], reply.name)
        try:
            ids = await self._speaker.say(place, shown)
        except CannotDeliver as error:
            if place == home or not error.gone or not error.why.startswith("unreachable"):
                raise
            return standing or await self._point(home, place.chat)
        return self._stands(home, place, ids, shown, reply.name)

    async def _edit(self, address: str, handle: str, reply: Reply) -> str:
        home, place = _placed(address, reply.only)
        chat, ids = _handled(handle, home.chat)
        if not ids or chat != place.chat:  # it stands elsewhere: what is for one person is never put into the group
            return await self._send(address, reply, handle)
        shown = parts(reply.card, self._words[self._known.tongues.get(place.chat, "")], reply.name)
        return self._stands(home, place, await self._speaker.change(place, ids, shown), shown, reply.name)

    async def _show(self, address: str, picture: Picture) -> str:
        home, _ = _placed(address, "")
        return _handle(home, home, await self._speaker.show(home, picture))

    async def _point(self, home: Place, user: int) -> str:
        """Somebody's eyes only, and they cannot be reached: say in the group what to do, and nothing of what it was."""
        words = self._words[self._known.tongues.get(home.chat, "")]
        link = f"https://t.me/{self._me.username}" if self._me else "my profile"
        named = mention(user, self._known.people.get(user, "") or words.you)
        text = escape(words.private).format(name=named, link=escape(link))
        return _handle(home, home, await self._speaker.say(home, [Part(text, [])]))

    def _stands(self, home: Place, place: Place, ids: Sequence[int], shown: Sequence[Part], name: str) -> str:
        for message, part in zip(ids, shown, strict=False):
            if part.unnamed:
                keep(self._known.cards, (place.chat, message), name)
        return _handle(home, place, ids)


# ---------------------------------------------------------------- small things


def _placed(address: str, only: str) -> tuple[Place, Place]:
    """The place an address names, and the one to speak at: the private chat of `only` where others would read it."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise CannotDeliver("this is no address of Telegram's", gone=True)
    home = Place(int(found[1]), int(found[2]) if found[2] else None)
    if not only:
        return home, home
    login = _LOGIN.fullmatch(only)
    if login is None or (home.chat > 0 and int(login[1]) != home.chat):
        raise CannotDeliver("this is for somebody who does not read this chat", gone=True)
    return home, home if home.chat > 0 else Place(int(login[1]))


def _handle(home: Place, place: Place, ids: Sequence[int]) -> str:
    """What `edit` needs: the messages' ids, and their chat where that is not the address's own."""
    numbers = ",".join(map(str, ids))
    return numbers if place.chat == home.chat else f"{place.chat}:{numbers}"


def _handled(handle: str, chat: int) -> tuple[int, list[int]]:
    there, _, numbers = handle.rpartition(":")
    ids = [int(number) for number in numbers.split(",") if number.isdecimal()]
    return (int(there) if re.fullmatch(r"-?\d+", there) else chat), ids
