"""What can go wrong because of what somebody asked. Each error has a code and facts; the words live in `bot/text`."""

from __future__ import annotations

from typing import Any


class DealdeskError(Exception):
    """Something asked for cannot be done. `code` names the sentence to say, `facts` fill it in. Nothing was changed."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class Invalid(DealdeskError):
    """A value that cannot be: a quantity of zero, a discount of 120 %, two currencies in one order."""


class NotFound(DealdeskError):
    """Nothing of that name or number, or nothing this person may know of."""


class NotAllowed(DealdeskError):
    """It exists, and it is not this person's to see, decide or change."""


class WrongState(DealdeskError):
    """The order (or step, or lead) is not where this could be done to it: most often somebody was quicker."""


class Conflict(DealdeskError):
    """Somebody else changed the same record in the same moment. The turn is run again on what is there now."""
