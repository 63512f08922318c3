"""A form on a platform without forms: its blanks are asked one after another, and what was answered is collected here.

Open forms are forgotten at a restart. Every question begins with a sign by which an answer that comes too late is
recognised, so that the person is told instead of misunderstood.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count

from bot.adapters.telegram.heard import QUESTION, Heard
from bot.adapters.telegram.words import TelegramWords, Vocabulary
from bot.messages import Ask, Button, Card, Form, Input

MOST = 1000  # open forms; the oldest gives way
_LEAVE = frozenset({"cancel", "取消"})
_NUMBER = re.compile(r"[-+]?\D{0,4}\d[\d\s.,'’_]*\D{0,6}")  # "1,500.50", "US$ 40", "3万": the dialog reads it
_PRESSED = re.compile(r"~f:([0-9a-z]+):(\d+):(skip|leave|\d+)")


@dataclass(slots=True)
class Open:
    """A form somebody is filling in. `asked` says which blank a message of ours asked for."""

    id: str
    ask: Ask
    opened: Heard
    words: TelegramWords
    at: int = 0
    values: dict[str, str] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    aside: bool = False  # they turned to something else: only a real reply counts from here on

    @property
    def blank(self) -> Input:
        return self.ask.inputs[self.at]

    def question(self, why: str = "") -> tuple[Card, bool]:
        """The blank in words, and whether the person's keyboard may be made to reply to it."""
        blank, words = self.blank, self.words
        number = f" · {self.at + 1}/{len(self.ask.inputs)}" if len(self.ask.inputs) > 1 else ""
        said = [why, self.ask.text if self.at == 0 and not why else "", blank.label, blank.hint]
        buttons = [Button(label, self._action(index)) for index, (_, label) in enumerate(blank.options)]
        if blank.value and not blank.options:
            buttons.append(Button(words.keep.format(value=_short(blank.value)), self._action("skip")))
        elif not blank.required:
            buttons.append(Button(words.skip, self._action("skip")))
        if buttons:
            buttons.append(Button(words.cancel, self._action("leave")))
        how = words.press if blank.options else words.answer_or_press if buttons else words.answer
        card = Card(
            title=f"{QUESTION}{self.ask.title}{number}",
            text="\n".join(filter(None, said)),
            note=how,
            buttons=tuple(buttons),
        )
        return card, not buttons

    def settled(self, index: int, answer: str) -> Card:
        """What stands instead of a question with buttons once it is answered."""
        return Card(title=f"{QUESTION}{self.ask.title}", text=f"{self.ask.inputs[index].label}: {answer}")

    def _action(self, choice: object) -> str:
        return f"~f:{self.id}:{self.at}:{choice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What came of an answer: the next question (`why` it is asked again), a finished form, or a plain sentence."""

    form: Open | None = None
    why: str = ""
    done: Form | None = None
    say: str = ""
    settled: Card | None = None  # takes the place of the question whose button was pressed


class Forms:
    """The open forms, one for a person in a chat."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._open: OrderedDict[tuple[int, int], Open] = OrderedDict()
        self._ids = count(1)
        self._run = ""

    def begin(self, run: str) -> None:
        """A new run: forms of the one before are gone, and `run` keeps their buttons from meaning new ones."""
        self._open.clear()
        self._run = run

    def open(self, ask: Ask, heard: Heard) -> Step:
        """Begin asking. An older form of this person in this chat gives way."""
        form = Open(f"{self._run}{next(self._ids)}", ask, heard, self._words[heard.language])
        if not ask.inputs:
            return Step(done=Form(**heard.stamp, form=ask.name, values={}))
        self._open[heard.chat, heard.user] = form
        self._open.move_to_end((heard.chat, heard.user))
        while len(self._open) > MOST:
            self._open.popitem(last=False)
        return Step(form=form)

    def drop(self, form: Open) -> None:
        """It cannot be asked any further."""
        key = (form.opened.chat, form.opened.user)
        if self._open.get(key) is form:
            del self._open[key]

    def again(self, form: Open) -> None:
        """Its last answer was not kept: it stands where it stood before."""
        form.at -= 1
        self._open[form.opened.chat, form.opened.user] = form

    def notice(self, heard: Heard) -> str:
        """What to say at once to a press that does nothing; "" when it may do something."""
        found = _PRESSED.fullmatch(heard.data)
        form = self._of(found[1]) if found else None
        words = self._words[heard.language]
        if not found or (form is not None and form.opened.user == heard.user):
            return ""
        return words.others if form is not None else words.lost

    def _of(self, form_id: str) -> Open | None:
        return next((form for form in self._open.values() if form.id == form_id), None)

    def hear(self, heard: Heard) -> Step | None:
        """What this means for a form; None when it is about something else."""
        if heard.callback:
            found = _PRESSED.fullmatch(heard.data)
            return self._pressed(heard, *found.groups()) if found else None
        form = self._open.get((heard.chat, heard.user))
        if heard.to_question and (form is None or heard.reply_to not in form.asked):
            words = self._words[heard.language]
            others = any(it.opened.chat == heard.chat and heard.reply_to in it.asked for it in self._open.values())
            return Step(say=words.others if others else words.lost)
        return self._told(form, heard) if form is not None else None

    def _told(self, form: Open, heard: Heard) -> Step | None:
        mine = heard.reply_to in form.asked
        direct = heard.private and not heard.reply_to and not form.aside
        if heard.command == "cancel" or ((mine or direct) and _plain(heard.text) in _LEAVE):
            return self._left(form)
        if heard.command:
            form.aside = True
        elif mine or direct:
            return self._answered(form, heard, form.asked.get(heard.reply_to, form.at))
        return None

    def _pressed(self, heard: Heard, form_id: str, at: str, choice: str) -> Step:
        form = self._of(form_id)
        if form is None:
            return Step(settled=Card(text=self._words[heard.language].lost))
        if form.opened.user != heard.user or int(at) != form.at:
            return Step()  # somebody else's, or an older question's button, pressed before it was taken away
        if choice == "leave":
            left = self._left(form)
            return Step(settled=Card(text=left.say))
        blank = form.blank
        if choice == "skip":
            value, shown = blank.value, blank.value or form.words.skipped
        elif int(choice) < len(blank.options):
            value, shown = blank.options[int(choice)]
        else:
            return Step()
        settled = form.settled(form.at, shown)
        return self._next(form, heard, form.at, value, settled)

    def _answered(self, form: Open, heard: Heard, index: int) -> Step:
        blank, words = form.ask.inputs[index], form.words
        text = heard.text.strip()
        if not text:
            return Step(form=form, why=words.no_file if heard.file else words.needed)
        if blank.options:
            wanted = [value for value, label in blank.options if _plain(text) in (_plain(value), _plain(label))]
            if not wanted:
                return Step(form=form, why=words.no_choice)
            return self._next(form, heard, index, wanted[0])
        if blank.kind == "number":
            text = unicodedata.normalize("NFKC", text)
            if not _NUMBER.fullmatch(text):
                return Step(form=form, why=words.no_number)
        return self._next(form, heard, index, text)

    def _next(self, form: Open, heard: Heard, index: int, value: str, settled: Card | None = None) -> Step:
        form.values[form.ask.inputs[index].name] = value
        form.aside = False
        if index == form.at:
            form.at += 1
        if form.at < len(form.ask.inputs):
            return Step(form=form, settled=settled)
        self.drop(form)
        return Step(form=form, done=Form(**heard.stamp, form=form.ask.name, values=form.values), settled=settled)

    def _left(self, form: Open) -> Step:
        self.drop(form)
        return Step(say=form.words.left)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
