"""The few sentences that only Telegram needs: forms asked line by line, long cards in several messages, the menu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_MENU = MappingProxyType(
    {
        "order": "New order",
        "lead": "New lead",
        "deal": "Log a deal",
        "who": "Look up a customer",
        "report": "A chart, such as weekly sales",
        "pending": "What waits for me",
        "cancel": "Leave what was begun",
        "help": "What I can do",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramWords:
    """One language's sentences. Braces name what is filled in; `menu` is a command's description by its name."""

    part: str = "continued ({number}/{of})"
    answer: str = "Reply to this message with your answer, or write “cancel” to stop."
    answer_or_press: str = "Reply to this message with your answer, or press a button."
    press: str = "Press one of the buttons."
    skip: str = "Skip"
    keep: str = "Keep “{value}”"
    cancel: str = "Cancel"
    skipped: str = "skipped"
    left: str = "Stopped. Nothing was saved."
    lost: str = "This form is no longer open. Please start it again."
    others: str = "This form was opened by someone else."
    needed: str = "This is needed."
    no_number: str = "Please write a number, such as 12 or 1,500.50."
    no_choice: str = "Please choose one of these."
    no_file: str = "Please answer in writing; a file cannot be used here."
    private: str = "{name}, this is for you alone. Open a private chat with me at {link}, press Start, and ask again."
    you: str = "You there"  # who is meant when the person's name is not known
    menu: Mapping[str, str] = field(default_factory=lambda: _MENU)


class Vocabulary:
    """The words by language. English is the default for a language that is not there."""

    def __init__(self, words: Mapping[str, TelegramWords] | None = None) -> None:
        self.by_language = dict(words or {})
        self.default = self.by_language.setdefault("en", TelegramWords())

    def __getitem__(self, language: str) -> TelegramWords:
        return self.by_language.get(language, self.default)
