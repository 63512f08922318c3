"""What happened, as facts for the record: append-only, one line for each thing that anybody did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`actor` did `name` to `subject` (`order:42`); `on_behalf_of` is somebody else they stood in for, or "".

    `facts` are JSON-able and small: the version, the reason, what changed from what to what.
    """

    at: datetime  # aware, UTC
    actor: str  # a person's id; "policy" when a rule did it
    name: str  # "order.submitted"
    subject: str
    on_behalf_of: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
