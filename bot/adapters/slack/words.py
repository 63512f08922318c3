"""The few sentences that only Slack needs. A person's language chooses among several sets of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlackWords:
    """English. Texts with names in braces are filled in with `str.format`."""

    working: str = "Working…"
    done: str = "Done. The answer is in the conversation."
    failed: str = "Something went wrong here, and nothing was sent. Please try again in a moment."
    send: str = "Send"
    cancel: str = "Cancel"
    close: str = "Close"
    required: str = "Please fill this in."
    number: str = "Please write a number, such as 1200.50."
    open_form: str = "Open the form"
    fill_in: str = "There is a short form to fill in: {title}"
    tap_again: str = "That took too long for Slack to open the form. Please tap again: {title}"
    too_many_blanks: str = "This form has more blanks than Slack shows ({count}, at most {largest})."
    continued: str = "continued ({part}/{parts})"
    continues: str = "more below ({part}/{parts})"
    more: str = "There is more than this page can hold. Ask me in Messages."
    shortened: str = "The text that was here is longer than Slack lets you edit; what is shown is its beginning."


Words = Callable[[str], SlackWords]


def english(_: str) -> SlackWords:
    return _ENGLISH


_ENGLISH = SlackWords()
