"""How every picture looks: sheet, colours, figures, legend, footer. Positions are pixels from the top left corner.

Nothing here knows matplotlib's axes: ticks and layout cost more than the drawing, and a phone needs a few large labels
that stand exactly where they fit. All bars are one collection, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from io import BytesIO
from threading import Lock

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform
from PIL import Image

from core.reports._letters import abbreviated, days, drawable, fitted, font, has_bold, percentage, width, wrapped

WIDTH, HEIGHT, MARGIN = 1200, 750, 48
PAPER, BAND, RULE, FAINT = "#FFFFFF", "#F1F4F8", "#E3E7ED", "#C3CAD4"
INK, SOFT = "#17202E", "#596579"
GOOD, BAD, NOTICE, NOTICE_PAPER = "#0B6E6E", "#B3400F", "#7A4B00", "#FDF0D5"
# Told apart with any colour vision, also by lightness; neighbours in a stack differ most. Grey is for "others".
SERIES = ("#1F4E9C", "#5FB3E4", "#0E8C7A", "#F2B134", "#8B4B86")
OTHERS, NAMELESS = "#8B95A5", "#C9CFD8"
TITLE, FIGURE, BODY, SMALL = 34, 46, 22, 20  # letter sizes in pixels: the smallest is still read at 375 wide
_DRAWING = Lock()


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number of the strip. `direction` -1, 0 or 1 colours the note and gives it an arrow."""

    label: str
    value: str
    note: str = ""
    direction: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the stack, a height for each column; below zero it hangs."""

    name: str
    colour: str
    heights: Sequence[float]


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns. `mean` and `target` have a value or None for each column; the last column is the subject."""

    labels: Sequence[str]
    series: Sequence[Series]
    mean: Sequence[float | None]
    target: Sequence[float | None]
    total: str  # written at the last column


class Sheet:
    """A white page to draw on. What is written is fitted first: no letter is cut, none is an empty box."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        # At 72 dots to the inch a point is a pixel, and no transform is needed but turning the page upside down.
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=PAPER)
        self.canvas = FigureCanvasAgg(self.figure)
        self._level = 0.0

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = BODY,
        colour: str = INK,
        align: str = "left",
        bold: bool = False,
        room: float = 0,
    ) -> float:
        """Write on the baseline `y`; returns the width taken. More than `room` pixels is shortened to fit."""
        words = fitted(words, room, size, bold=bold) if room else drawable(words)
        bold = bold and has_bold(words)
        if words:
            style = font(words, size, bold=bold)
            y = self.height - y
            self._put(Text(x, y, words, color=colour, ha=align, fontproperties=style, parse_math=False))
        return width(words, size, bold=bold)

    def boxes(self, boxes: Sequence[tuple[float, float, float, float]], colours: str | Sequence[str]) -> None:
        """Filled rectangles (left, top, right, bottom), all in one go, with edges on whole pixels."""
        if not boxes:
            return
        tops = self.height
        corners = [
            ((left, tops - top), (right, tops - top), (right, tops - bottom), (left, tops - bottom))
            for left, top, right, bottom in (map(round, box) for box in boxes)
        ]
        self._put(
            PolyCollection(
                corners, facecolors=colours, linewidths=0, antialiaseds=False, transform=IdentityTransform(), zorder=0
            )
        )

    def rules(self, lines: Sequence[tuple[float, float, float, float]], colour: str = RULE, thick: float = 1) -> None:
        """Straight hairlines (x, y, x, y)."""
        ends = [((x0, self.height - y0), (x1, self.height - y1)) for x0, y0, x1, y1 in lines]
        self._put(
            LineCollection(ends, colors=colour, linewidths=thick, antialiaseds=False, transform=IdentityTransform())
        )

    def path(
        self,
        points: Sequence[tuple[float, float]],
        colour: str,
        thick: float = 3,
        dash: tuple[float, float] | None = None,
    ) -> None:
        if points:
            xs, ys = zip(*((x, self.height - y) for x, y in points), strict=True)
            line = Line2D(xs, ys, color=colour, linewidth=thick, solid_joinstyle="round")
            if dash:
                line.set_dashes(dash)
            self._put(line)

    def pill(self, right: float, y: float, words: str) -> float:
        """A notice in a rounded box that ends at `right`; returns where it begins."""
        wide = width(drawable(words), SMALL)
        left = right - wide - 28
        box = FancyBboxPatch(
            (left + 16, self.height - y - 7 + 9), wide - 4, 10, boxstyle="round,pad=16,rounding_size=16",
            facecolor=NOTICE_PAPER, edgecolor="none", transform=IdentityTransform(),
        )  # fmt: skip
        self._put(box)
        self.text(left + 14, y, words, size=SMALL, colour=NOTICE)
        return left

    def png(self) -> bytes:
        # Unhinted letters are as wide as measured, and a tenth quicker; the setting belongs to the whole process.
        with _DRAWING, rc_context({"text.hinting": "none"}):
            self.canvas.draw()  # type: ignore[no-untyped-call]
        drawn = self.canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        out = BytesIO()
        page = Image.frombuffer("RGBA", (self.width, self.height), drawn, "raw", "RGBA", 0, 1)
        page.convert("RGB").save(out, "PNG", compress_level=1)
        return out.getvalue()

    def _put(self, artist: Text | Line2D | PolyCollection | LineCollection | FancyBboxPatch) -> None:
        """Add it above everything that is there."""
        self._level += 1
        artist.set_zorder(self._level)
        if not artist.is_transform_set():
            artist.set_transform(IdentityTransform())
        self.figure.add_artist(artist)


class Sayer:
    """The chart's words in one language: labels by key, numbers as that language shortens them."""

    def __init__(self, words: Mapping[str, str], language: str) -> None:
        self._words, self.language = words, language

    def __call__(self, key: str, **facts: object) -> str:
        return self._words[key].format(**facts)

    def short(self, amount: str | None) -> str:
        return "–" if amount is None else abbreviated(Decimal(amount), self.language)

    def percent(self, value: str) -> str:
        return percentage(Decimal(value))

    def days(self, first: date, last: date) -> str:
        return days(first, last, self.language)


def ranked(heights: Mapping[str, Sequence[float]], others: str, nameless: str) -> list[Series]:
    """The largest five in colours of their own, the rest together and then what has no name in grey."""
    named = sorted((name for name in heights if name), key=lambda name: (-sum(map(abs, heights[name])), name))
    most = len(SERIES)
    # In alphabetical order: the same name keeps its colour from one week to the next, whoever leads.
    found = [Series(name, colour, heights[name]) for name, colour in zip(sorted(named[:most]), SERIES, strict=False)]
    if named[most:]:
        rest = [sum(column) for column in zip(*(heights[name] for name in named[most:]), strict=True)]
        found.append(Series(others, OTHERS, rest))
    if "" in heights:
        found.append(Series(nameless, NAMELESS, heights[""]))
    return found


# ---------------------------------------------------------------- the parts of a page


def heading(sheet: Sheet, title: str, span: str, notice: str = "") -> None:
    """The title on the left; what time it is about on the right, with a notice beside it when there is one."""
    right = float(sheet.width - MARGIN)
    if notice:
        right = sheet.pill(right, 61, notice) - 18
    right -= sheet.text(right, 62, span, size=24, colour=SOFT, align="right", room=520)
    sheet.text(MARGIN, 62, title, size=TITLE, bold=True, room=right - MARGIN - 24)


def strip(sheet: Sheet, kpis: Sequence[Kpi]) -> None:
    """Big numbers side by side, a thin rule between them."""
    step = (sheet.width - 2 * MARGIN + 24) / len(kpis)
    sheet.rules([(MARGIN + step * n - 24, 98, MARGIN + step * n - 24, 206) for n in range(1, len(kpis))])
    for n, kpi in enumerate(kpis):
        left, room = MARGIN + step * n, step - 36
        sheet.text(left, 114, kpi.label, size=SMALL, colour=SOFT, room=room)
        sheet.text(left, 164, kpi.value, size=FIGURE, bold=True, room=room)
        colour = {1: GOOD, -1: BAD}.get(kpi.direction, SOFT)
        arrow = {1: "▲ ", -1: "▼ "}.get(kpi.direction, "")
        sheet.text(left, 202, arrow + kpi.note, size=SMALL, colour=colour, room=room)


def legend(sheet: Sheet, y: float, names: Sequence[tuple[str, str, str]]) -> float:
    """Names of (sign, colour, name), where a sign is "box", "line" or "dash"; returns the y below the last row."""
    left, gap = float(MARGIN), 30
    for sign, colour, name in names:
        words, mark = fitted(name, 300, SMALL), 18 if sign == "box" else 30
        wide = mark + 10 + width(words, SMALL)
        if left > MARGIN and left + wide > sheet.width - MARGIN:
            left, y = float(MARGIN), y + 32
        if sign == "box":
            sheet.boxes([(left, y - 16, left + mark, y + 2)], colour)
        else:
            dash = (2.4, 1.2) if sign == "dash" else None
            sheet.path([(left, y - 7), (left + mark, y - 7)], colour, dash=dash)
        sheet.text(left + mark + 10, y, words, size=SMALL, colour=INK)
        left += wide + gap
    return y + 14


def footer(sheet: Sheet, lines: Sequence[str]) -> float:
    """Small print at the bottom, wrapped where it is too wide; returns the y of its top."""
    room = sheet.width - 2 * MARGIN
    rows = [row for line in lines for row in wrapped(line, room, SMALL - 2)]
    top = sheet.height - 20 - 26 * len(rows)
    sheet.rules([(MARGIN, top, sheet.width - MARGIN, top)])
    for n, row in enumerate(rows):
        sheet.text(MARGIN, top + 27 + 26 * n, row, size=SMALL - 2, colour=SOFT, room=room)
    return float(top)


def columns(sheet: Sheet, chart: Columns, top: float, bottom: float, language: str) -> None:
    """Stacked columns between two heights, with their mean, target, scale and labels."""
    low, high = _extent(chart)
    ticks = scale(low, high)
    hangs = sum(series.heights[-1] for series in chart.series) < 0
    foot = bottom - 36  # room for the labels; and above them or at the top for the number of the last column
    top, bottom = (top + 20, foot - 34) if hangs else (top + 44, foot)

    def height(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    marks = [abbreviated(tick, language) for tick in ticks]
    left = MARGIN + max(width(mark, SMALL) for mark in marks) + 16
    right = float(sheet.width - MARGIN)
    pitch = (right - left) / len(chart.labels)
    centres = [left + pitch * (n + 0.5) for n in range(len(chart.labels))]
    half = round(pitch * 0.31)

    sheet.boxes([(right - pitch, top - (16 if hangs else 40), right, foot + 40)], BAND)
    sheet.rules([(left, height(float(tick)), right, height(float(tick))) for tick in ticks])
    for tick, mark in zip(ticks, marks, strict=True):
        sheet.text(left - 14, height(float(tick)) + 7, mark, size=SMALL, colour=SOFT, align="right")

    boxes, colours, tip, low_tip = _stacked(chart, centres, half, height)
    sheet.boxes(boxes, colours)
    sheet.rules([(left, height(0), right, height(0))], colour=SOFT)
    for dash, colour, values in (((2.4, 1.2), BAD, chart.target), (None, INK, chart.mean)):
        points = [(x, height(v)) for x, v in zip(centres, values, strict=True) if v is not None]
        if dash and points:  # a target holds for the whole width of its columns
            points = [p for x, y in points for p in ((x - pitch / 2, y), (x + pitch / 2, y))]
        sheet.path(points, PAPER, thick=6)  # a rim that keeps the line apart from the colours it crosses
        sheet.path(points, colour, thick=3, dash=dash)

    last = len(centres) - 1
    for n, (x, label) in enumerate(zip(centres, chart.labels, strict=True)):
        sheet.text(x, foot + 28, label, size=SMALL, colour=INK if n == last else SOFT, align="center", bold=n == last)
    middle = min(centres[last], sheet.width - 12 - width(drawable(chart.total), BODY, bold=True) / 2)
    reach = (centres[last] - middle + width(drawable(chart.total), BODY, bold=True) / 2) / pitch
    levels = [_span(values[-2:], reach) for values in (chart.mean, chart.target)]
    lines = [(height(high), height(low)) for low, high in filter(None, levels)]
    y = height(low_tip) + 26 if hangs else _clear(height(tip) - 10, lines)
    sheet.text(middle, y, chart.total, size=BODY, align="center", bold=True)


def _span(ends: Sequence[float | None], back: float) -> tuple[float, float] | None:
    """The lowest and highest value of a line between its last point and `back` of the way to the one before."""
    before, last = ends[0], ends[-1]
    if last is None:
        return None
    level = last if before is None else last + (before - last) * back
    return min(level, last), max(level, last)


def _clear(y: float, lines: Sequence[tuple[float, float]]) -> float:
    """The baseline nearest above `y` where letters touch none of the lines, given from top to bottom."""
    for top, bottom in sorted(lines, reverse=True):
        if y - 24 < bottom and top < y + 8:
            y = top - 10
    return y


def _extent(chart: Columns) -> tuple[float, float]:
    """The lowest and the highest value that anything drawn reaches, zero included."""
    reached = [0.0, *(v for v in (*chart.mean, *chart.target) if v is not None)]
    for n in range(len(chart.labels)):
        heights = [series.heights[n] for series in chart.series]
        reached += [sum(h for h in heights if h > 0), sum(h for h in heights if h < 0)]
    low, high = min(reached), max(reached)
    return low, high if high > low else low + 1


def _stacked(
    chart: Columns, centres: Sequence[float], half: int, height: Callable[[float], float]
) -> tuple[list[tuple[float, float, float, float]], list[str], float, float]:
    """Boxes and colours of all columns, a pixel of paper between two colours; and both ends of the last column."""
    boxes, colours, tip, foot = [], [], 0.0, 0.0
    for n, x in enumerate(centres):
        tip = foot = 0.0
        for series in chart.series:
            value = series.heights[n]
            if value == 0:
                continue
            start = tip if value > 0 else foot
            ends = sorted((height(start), height(start + value)))
            gap = 1 if start and ends[1] - ends[0] > 3 else 0
            boxes.append((x - half, ends[0] + (gap if value < 0 else 0), x + half, ends[1] - (gap if value > 0 else 0)))
            colours.append(series.colour)
            if value > 0:
                tip += value
            else:
                foot += value
    return boxes, colours, tip, foot


def scale(low: float, high: float, steps: int = 5) -> list[Decimal]:
    """Round numbers between `low` and `high`, zero among them when it is between, about `steps` apart."""
    reach = Decimal(repr(high - low))
    power = Decimal(10) ** (reach / steps).adjusted()
    rounds = [power * Decimal(factor) for factor in ("1", "2", "2.5", "5", "10")]
    step = next(each for each in rounds if each * steps >= reach)
    first = (Decimal(repr(low)) / step).to_integral_value(ROUND_CEILING)
    last = (Decimal(repr(high)) / step).to_integral_value(ROUND_FLOOR)
    return [step * n for n in range(int(first), int(last) + 1)]
