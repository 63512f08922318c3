"""Turns: an update becomes an arrival, or an answer in a form, and the conversation gets it until it is kept."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

from telegram.error import TelegramError

from bot.adapters.telegram.cards import escape, parts
from bot.adapters.telegram.forms import Forms, Open, Step
from bot.adapters.telegram.heard import Heard, Ignored, Me, Moved, read
from bot.adapters.telegram.inbox import MAX_BODY, Backoff, Lanes, nothing
from bot.adapters.telegram.line import Line, pause
from bot.adapters.telegram.say import Place, Speaker
from bot.adapters.telegram.words import Vocabulary
from bot.messages import CannotDeliver, Card, File, Form, Incoming, Receipt, Receive, Tap

log = logging.getLogger(__name__)

REMEMBERED = 5000
ANSWER_WAIT = 0.25  # seconds in which a press is answered before its work begins; a slow network does not hold it up
TYPING_AFTER = 2.0


class Known:
    """What is remembered while we run: people's names, the language last spoken in a chat, cards' names."""

    def __init__(self) -> None:
        self.people: OrderedDict[int, str] = OrderedDict()
        self.tongues: OrderedDict[int, str] = OrderedDict()
        self.cards: OrderedDict[tuple[int, int], str] = OrderedDict()  # those that had no room in their buttons

    def note(self, heard: Heard) -> None:
        keep(self.people, heard.user, heard.name)
        if heard.language:
            keep(self.tongues, heard.chat, heard.language)


class Turns:
    """Handles updates on the adapter's event loop, and the conversation's own work in the threads of `pool`."""

    def __init__(
        self,
        *,
        line: Line,
        speaker: Speaker,
        forms: Forms,
        words: Vocabulary,
        known: Known,
        counts: Counter[str],
        receive: Receive,
        pool: Executor,
        leaving: asyncio.Event,
    ) -> None:
        self._line, self._speaker, self._forms, self._words = line, speaker, forms, words
        self._known, self._counts, self._receive, self._pool, self._leaving = known, counts, receive, pool, leaving
        self.lanes = Lanes(counts)
        self.me: Me | None = None
        self.worked = 0.0  # when the last turn ended, in the loop's time

    def take(self, update: dict[str, Any], tries: int) -> asyncio.Future[None]:
        """Begin to handle an update; its future ends well when it was kept, or when there was nothing to keep."""
        if self.me is None:
            return nothing()
        try:
            heard = read(update, self.me)
        except Exception:  # no update may keep the ones behind it from being read
            log.exception("telegram: an update could not be read")
            heard = Ignored("malformed")
        if isinstance(heard, Moved):
            self._speaker.moved(heard.old, heard.new)
            self._counts["moved"] += 1
            return nothing()
        if isinstance(heard, Ignored):
            self._counts[heard.why] += 1
            if heard.callback:
                self._answering(heard.callback, "")
            return nothing()
        answered = None
        if heard.callback and not self.lanes.known(heard.event):
            # First of all, once: until then the button shows a spinner, and soon Telegram takes no answer any more.
            answered = self._answering(heard.callback, self._forms.notice(heard))
        self._known.note(heard)
        return self.lanes.put(heard.address, heard.event, lambda: self._work(heard, answered, tries))

    def _answering(self, callback: str, text: str) -> asyncio.Task[None]:
        async def answer() -> None:
            try:
                said: dict[str, Any] = {"text": text[:200]} if text else {}
                await self._line.call("answerCallbackQuery", callback_query_id=callback, **said)
            except TelegramError:
                self._counts["answer_refused"] += 1  # too late, or answered before a restart: the work counts

        return asyncio.create_task(answer())

    async def _work(self, heard: Heard, answered: asyncio.Task[None] | None, tries: int) -> None:
        if answered is not None:
            await asyncio.wait({answered}, timeout=ANSWER_WAIT)
        try:
            step = self._forms.hear(heard)
            if step is not None:
                await self._step(heard, step, tries)
                return
            card = self._known.cards.get((heard.chat, heard.message), "")
            incoming: Incoming = heard.arrival(card)
            if heard.file is not None:
                content = b""
                with suppress(TelegramError, TypeError, AttributeError):
                    content = await self._line.download(heard.file.file_id, MAX_BODY)
                incoming = File(**heard.stamp, name=heard.file.name, mime=heard.file.mime, content=content)
            receipt = await self._hand_over(heard, incoming, tries)
            if receipt.ask is not None:
                await self._step(heard, self._forms.open(receipt.ask, heard), tries)
        finally:
            self.worked = asyncio.get_running_loop().time()

    async def _hand_over(self, heard: Heard, incoming: Incoming, tries: int) -> Receipt:
        """Let the conversation have it. When that fails it is tried again, because Telegram keeps it for us."""
        backoff = Backoff(0.25, 30.0)
        loop = asyncio.get_running_loop()
        while True:
            work = loop.run_in_executor(self._pool, self._receive, incoming)
            await asyncio.wait({work}, timeout=TYPING_AFTER)
            busy = None if work.done() else asyncio.create_task(self._speaker.busy(heard_at(heard)))
            try:
                receipt = await work
            except Exception as error:  # its text may be the person's
                tries -= 1
                self._counts["failed"] += 1
                if tries <= 0:
                    self._counts["lost"] += 1
                    log.error("telegram: an arrival could not be kept (%s)", type(error).__name__)
                    raise
                log.warning("telegram: an arrival was not kept (%s). Trying again.", type(error).__name__)
            else:
                self._counts[_kind(incoming)] += 1
                return receipt
            finally:
                if busy is not None:
                    busy.cancel()
            if await pause(self._leaving, backoff.next()):
                raise asyncio.CancelledError  # not confirmed, so it comes again after the restart

    async def _step(self, heard: Heard, step: Step, tries: int) -> None:
        """Carry on with a form."""
        place, words = heard_at(heard), self._words[heard.language]
        try:
            if step.settled is not None and heard.callback:
                await self._speaker.change(place, [heard.message], parts(step.settled, words))
            if step.say and not heard.callback:
                await self._speaker.say(place, parts(Card(text=step.say), words), patient=True)
            if step.form is not None and step.done is None:
                await self._put_question(heard, step.form, step.why)
        except CannotDeliver as error:
            log.warning("telegram: a form could not be asked (%s)", error.why)
            if step.form is not None and step.done is None:
                self._forms.drop(step.form)
        if step.done is not None:
            try:
                receipt = await self._hand_over(heard, step.done, tries)
            except BaseException:
                if step.form is not None:
                    self._forms.again(step.form)
                raise
            if receipt.ask is not None:
                await self._step(heard, self._forms.open(receipt.ask, heard), tries)

    async def _put_question(self, heard: Heard, form: Open, why: str) -> None:
        card, force = form.question(why)
        lead = "" if heard.private else f"{mention(heard.user, heard.name)}\n"
        shown = parts(card, form.words, lead=lead)
        hint = (form.blank.hint or form.blank.label) if force else ""
        # In a group only who is answered or mentioned gets the reply box, and only a reply is sent on to a bot.
        answer_to = 0 if heard.private or heard.callback else heard.message
        ids = await self._speaker.say(heard_at(heard), shown, patient=True, force=hint, answer_to=answer_to)
        form.asked.update(dict.fromkeys(ids, form.at))


def keep(kept: OrderedDict[Any, str], key: object, value: str) -> None:
    """Remember it, and forget the oldest."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def mention(user: int, name: str) -> str:
    """HTML that calls somebody by name; Telegram tells them."""
    return f'<a href="tg://user?id={user}">{escape(name[:60] or "…")}</a>'


def heard_at(heard: Heard) -> Place:
    return Place(heard.chat, heard.thread)


def _kind(incoming: Incoming) -> str:
    return {Tap: "tap", Form: "form", File: "file"}.get(type(incoming), "said")
