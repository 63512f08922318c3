"""The terminal as a platform: one person types, buttons are numbers, charts are saved to files that are named.

With `--json` every line in and out is one JSON object, so that a script can talk.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.cells import cell_len
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from bot.messages import (
    Ask,
    Button,
    CannotDeliver,
    Card,
    Form,
    Incoming,
    Input,
    Limits,
    Message,
    Picture,
    Receipt,
    Receive,
    Reply,
    Tap,
)

LONGEST_TITLE = 60
COLOURS = {"plain": "blue", "waiting": "yellow", "good": "green", "bad": "red"}
STYLES = {"plain": "bold", "primary": "bold green", "danger": "bold red"}


@dataclass(slots=True)
class _Shown:
    """The buttons printed since the person last typed, by the number to type."""

    buttons: list[tuple[Button, str]] = field(default_factory=list)


class ConsoleAdapter:
    """Talks as one person. `lines` yields what they type; `settled` waits until everything has been said."""

    platform = "console"
    limits = Limits()

    def __init__(self, person: str, folder: Path, out: Console, *, as_json: bool = False) -> None:
        self.address = f"console:{person}"
        self._folder = folder
        self._out = out
        self._json = as_json
        self._shown = _Shown()
        self._handles = 0
        self._lock = threading.Lock()
        self._receive: Receive | None = None

    def serves(self, address: str) -> bool:
        return address == self.address

    def start(self, receive: Receive) -> None:
        self._receive = receive

    def stop(self) -> None:
        self._receive = None

    # ------------------------------------------------------------ out

    def send(self, address: str, reply: Reply) -> str:  # noqa: ARG002
        with self._lock:
            self._handles += 1
            self._print(reply, edited=False)
            return str(self._handles)

    def edit(self, address: str, handle: str, reply: Reply) -> str:  # noqa: ARG002
        if reply.card.title or self._json:  # on paper nothing can be moved: "it is further down" is seen anyway
            with self._lock:
                self._print(reply, edited=True)
        return handle

    def picture(self, address: str, picture: Picture) -> str:  # noqa: ARG002
        path = self._folder / Path(picture.filename).name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.content)
        except OSError as error:
            why = f"The chart cannot be saved as {near(path)} ({error.strerror})."
            self._line({"error": why}) if self._json else self._out.print(Text(f"  {why}"), soft_wrap=True)
            raise CannotDeliver(why, gone=True) from None
        with self._lock:
            if self._json:
                self._line({"image": str(path), "alt": picture.alt})
            else:
                self._out.print(Text.assemble("  Chart: ", (near(path), "underline")), soft_wrap=True)
            self._handles += 1
            return str(self._handles)

    def _print(self, reply: Reply, *, edited: bool) -> None:
        if self._json:
            self._line(
                {"say": _lean(asdict(reply.card)), "name": reply.name, "edited": edited, "only_you": bool(reply.only)}
            )
            return
        first = len(self._shown.buttons) + 1
        self._shown.buttons += [(button, reply.name) for button in reply.card.buttons]
        self._out.print(rendered(reply.card, first))

    def _line(self, value: dict[str, Any]) -> None:
        self._out.file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._out.file.flush()

    # ------------------------------------------------------------ in

    def run(self, lines: Iterator[str], settled: Callable[[], object]) -> None:
        """Take lines until there are no more; each is answered in full before the next is taken."""
        settled()
        for line in lines:
            text = line.rstrip("\r\n")
            if not text.strip():
                continue
            if text.strip().lower() in ("exit", "quit", "/exit", "/quit"):
                break
            for incoming in self._json_in(text) if self._json else [self._typed(text)]:
                self._bring(incoming, lines)
            settled()
            if self._json:
                self._line({"done": True})

    def _bring(self, incoming: Incoming, lines: Iterator[str]) -> None:
        receipt = self._receive(incoming) if self._receive else Receipt(handled=False)
        if receipt.ask is None:
            return
        if self._json:
            self._line({"ask": asdict(receipt.ask)})
            return
        values = self._filled(receipt.ask, lines)
        if values is not None:
            self._bring(Form(**self._stamp(), form=receipt.ask.name, values=values), lines)

    def _typed(self, text: str) -> Incoming:
        """A number of a button that was just shown is a tap; everything else is said as it is."""
        shown, self._shown = self._shown, _Shown()
        number = text.strip()
        if number.isdecimal() and len(number) < 4 and 1 <= int(number) <= len(shown.buttons):
            button, card = shown.buttons[int(number) - 1]
            return Tap(**self._stamp(), action=button.action, card=card)
        return Message(**self._stamp(), text=text)

    def _filled(self, ask: Ask, lines: Iterator[str]) -> dict[str, str] | None:
        """Ask blank after blank; None when the person leaves with "cancel" or the input ends."""
        self._out.print(Text(ask.title, style="bold"))
        if ask.text:
            self._out.print(Text(ask.text))
        values = {}
        for blank in ask.inputs:
            given = f" [{blank.value}]" if blank.value else ""  # kept by an empty line
            hint = f" ({blank.hint})" if blank.hint else ""
            self._out.print(Text(f"  {blank.label}{hint}{given}:"))
            for number, (_, label) in enumerate(blank.options, start=1):
                self._out.print(Text(f"    [{number}] {label}"))
            answer = next(lines, "cancel").strip()
            while blank.required and not answer and not blank.value:  # what is needed is asked for again
                answer = next(lines, "cancel").strip()
            if answer.lower() in ("cancel", "取消"):
                return None
            values[blank.name] = _chosen(blank, answer) or blank.value
        return values

    def _json_in(self, text: str) -> Iterator[Incoming]:
        try:
            said = json.loads(text)
            kinds = {key: said[key] for key in ("text", "tap", "form") if key in said}
            (kind,) = kinds
            values = {str(key): str(value) for key, value in said.get("values", {}).items()}
        except (ValueError, TypeError, AttributeError):
            hint = 'write one of {"text": "..."}, {"tap": "ACTION", "card": "NAME"}, {"form": "NAME", "values": {}}'
            self._line({"error": f"not understood: {hint}"})
            return
        stamp = self._stamp(str(said.get("id", "")))
        if kind == "text":
            yield Message(**stamp, text=str(said["text"]))
        elif kind == "tap":
            yield Tap(**stamp, action=str(said["tap"]), card=str(said.get("card", "")))
        else:
            yield Form(**stamp, form=str(said["form"]), values=values)

    def _stamp(self, given: str = "") -> dict[str, Any]:
        event = f"{self.address}:{given or uuid4().hex}"
        return {"id": event, "address": self.address, "login": self.address, "at": datetime.now(UTC)}


def typed_lines(out: Console, prompt: str) -> Iterator[str]:
    """What the person types, with a prompt when there is a person; ends at Ctrl-D or Ctrl-C."""
    while True:
        try:
            if sys.stdin.isatty():
                yield out.input(prompt)
            else:
                line = sys.stdin.readline()
                if not line:
                    return
                yield line
        except (EOFError, KeyboardInterrupt):
            return


def rendered(card: Card, first_button: int = 1, *, numbers: bool = True) -> Panel:
    """A card as a panel. Everything in it is plain text: what looks like markup is shown as it is."""
    parts: list[Any] = []
    inside = cell_len(card.title) > LONGEST_TITLE  # a frame cuts what does not fit into it
    if inside:
        parts.append(Text(card.title, style="bold"))
    if card.text:
        parts.append(Text(card.text))
    if card.fields:
        grid = RichTable.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for item in card.fields:
            grid.add_row(Text(item.label), Text(item.value))
        parts.append(grid)
    if card.table:
        parts.append(_table(card))
    if card.note:
        parts.append(Text(card.note, style="dim italic"))
    if card.buttons:
        labels = []
        for number, button in enumerate(card.buttons, start=first_button):
            labels += [
                Text(f"[{number}] " if numbers else "[ ", "dim"),
                Text(button.label, STYLES.get(button.style, "")),
            ]
            labels.append(Text("   " if numbers else " ]  "))
        parts.append(Text.assemble(*labels))
    title = Text(card.title, style="bold") if card.title and not inside else None
    return Panel(
        Group(*parts), title=title, title_align="left", border_style=COLOURS.get(card.tone, "blue"), expand=False
    )


def _table(card: Card) -> RichTable:
    shown = RichTable(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for index, head in enumerate(card.table.head if card.table else ()):
        shown.add_column(Text(head), justify="right" if index else "left", overflow="fold")
    for row in card.table.rows if card.table else ():
        shown.add_row(*(Text(cell) for cell in row))
    return shown


def near(path: Path) -> str:
    """The path as seen from here, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _chosen(blank: Input, answer: str) -> str:
    if blank.options and answer.isdecimal() and 1 <= int(answer) <= len(blank.options):
        return blank.options[int(answer) - 1][0]
    return answer


def _lean(value: Any) -> Any:
    """Without what is empty: a line of JSON is read by people too."""
    if isinstance(value, dict):
        return {key: _lean(item) for key, item in value.items() if item not in ("", None, (), [], False)}
    if isinstance(value, list | tuple):
        return [_lean(item) for item in value]
    return value
