"""`python -m benchmarks [PART ...] [--quick] [--json FILE]`: measures and prints one table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks._measure import Row, Skip, told

PARTS = ("durable", "turns", "machine", "wire", "outbox", "chart", "start", "setup")
SIDES = ("floor", "peer", "product")
LEAST_WIDTH = 150


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it runs, not to be quoted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's numbers there, too")
    asked = parser.parse_args()
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]}: there are {', '.join(PARTS)}")

    found: dict[str, list[Row]] = {}
    skipped: dict[str, str] = {}
    for part in asked.parts or PARTS:
        told(f"{part} ...")
        began = time.perf_counter()
        try:
            found[part] = import_module(f"benchmarks.{part}").run(quick=asked.quick)
        except Skip as reason:
            skipped[part] = str(reason)
        told(f"{part}: {time.perf_counter() - began:.0f} s")
    _print(found, skipped)
    if asked.json:
        asked.json.write_text(json.dumps({part: list(map(_facts, rows)) for part, rows in found.items()}, indent=1))
    return 1 if any(row.held is False for rows in found.values() for row in rows) else 0


def _print(found: dict[str, list[Row]], skipped: dict[str, str]) -> None:
    out = Console(highlight=False, markup=False)
    if out.width < LEAST_WIDTH and not out.is_terminal:
        out = Console(highlight=False, markup=False, width=LEAST_WIDTH)
    table = Table(title="Medians of all rounds; a ratio is the median of the rounds' own ratios", title_justify="left")
    for name in ("what", *SIDES, "ratio", "min–max", "target", "met"):
        table.add_column(name, justify="left" if name in ("what", "target", "met") else "right", overflow="fold")
    notes: list[str] = []
    for part, rows in found.items():
        table.add_section()
        for row in rows:
            if row.note:
                notes.append(f"[{len(notes) + 1}] {row.note}")
            mark = f" [{len(notes)}]" if row.note else ""
            table.add_row(f"{part}: {row.what}{mark}", *_cells(row))
    out.print(table)
    for note in notes:
        out.print(note)
    for part, reason in skipped.items():
        out.print(f"{part} was skipped: {reason}.")


def _cells(row: Row) -> list[str]:
    met = {None: "", True: "yes", False: "NO"}[row.met]
    if not row.sides:
        return ["", "", row.seen, "", "", row.target, met]
    shown = [f"{_short(median(row.sides[side]))} {row.unit}" if side in row.sides else "" for side in SIDES]
    ratios = row.ratios
    middle = f"{_short(median(ratios))} x" if ratios else ""
    spread = f"{_short(min(ratios))}–{_short(max(ratios))}" if ratios else ""
    return [*shown, middle, spread, row.target, met]


def _short(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _facts(row: Row) -> dict[str, Any]:
    facts: dict[str, Any] = {"what": row.what, "unit": row.unit, "rounds": row.sides, "target": row.target}
    if row.ratios:
        facts |= {"ratio": median(row.ratios), "least": min(row.ratios), "most": max(row.ratios)}
    return facts | {"met": row.met, "seen": row.seen, "note": row.note}


if __name__ == "__main__":
    sys.exit(main())
