"""One goal a file. A dialog returns what to say and never sends it; it imports no other dialog and no platform."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from bot.turn import Dialog


@cache
def load() -> tuple[Dialog, ...]:
    """Every dialog in this folder, in the order of their names."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(cast("Dialog", import_module(f"{__name__}.{name}")) for name in names)
