"""A form that was sent: it goes to the dialog that asked."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Form
from bot.turn import Dialog, Said, Turn

LONGEST = 3000  # characters of one blank; Slack's own limit


def handle(turn: Turn, form: Form, dialogs: Sequence[Dialog]) -> Said:
    name, *rest = form.form.split(":")
    if any(len(value) > LONGEST for value in form.values.values()):
        return [turn.privately("error.too_long", largest=LONGEST, count=max(map(len, form.values.values())))]
    for dialog in dialogs:
        if name in dialog.FORMS:
            return dialog.FORMS[name](turn, form, rest)
    return [turn.privately("error.button_unknown")]
