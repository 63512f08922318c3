"""Reports: one module of this folder each, found by name. Importing this costs nothing; `draw` loads what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, cast

from core.desk import Desk
from core.errors import NotFound
from core.values import Week


class Report(Protocol):
    """What every report module offers. `NAME` is the module's own name.

    pandas and matplotlib are imported inside `draw` only, because it alone runs outside the conversation's process.
    """

    NAME: str

    def build(self, desk: Desk, week: Week | None = None) -> dict[str, Any]:
        """What `desk.person` may see of the week (the running one by default), as values that survive JSON.

        Money and percentages are strings of exact decimals, dates are ISO. `["empty"]` says there is nothing to draw.
        """
        ...

    def summary(self, data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """The report in words: keys of sentences in `bot/text` with their facts (`Money`, `Decimal`, `date`, `str`)."""
        ...

    def draw(self, data: dict[str, Any], words: Mapping[str, str], language: str) -> bytes:
        """The picture as a PNG. `words` are the sentences of the report's section, by the last part of their key."""
        ...


@cache
def names() -> tuple[str, ...]:
    """Every report there is, in alphabetical order. None of them is imported."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_")))


def find(name: str) -> Report:
    """The report of that name; `NotFound` when there is none."""
    if name not in names():
        raise NotFound("no_such_report", name=name)
    return cast("Report", import_module(f"{__name__}.{name}"))


def preload() -> None:
    """Import what drawing needs and draw once, so that the first picture is as quick as the next. Takes a second."""
    import pandas as pd  # noqa: PLC0415

    from core.reports._look import Sheet  # noqa: PLC0415

    pd.DataFrame({"a": [1], "b": [1], "c": [1]}).pivot(index="a", columns="b", values="c")
    sheet = Sheet()
    sheet.text(0, 20, "0", bold=True)
    sheet.png()
