"""The weekly chart: drawing it against plain matplotlib, what others notice of it, and that every letter is drawn."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks._house import House, application
from benchmarks._measure import Row, quantile, rounds, seconds
from bot.app import App
from bot.drawing import Pen
from bot.messages import Image, Message
from bot.text import Words
from core.desk import Desk
from core.reports import _letters, _look, preload, weekly_sales

MILLI = 1_000
WEEKS, REGIONS = 26, ("Americas", "Asia", "China", "Europe")
WIDTH, HEIGHT = 1200, 675
HEIGHTS = {region: [40.0 + (n * (r + 3) * 7919) % 61 for n in range(WEEKS)] for r, region in enumerate(REGIONS)}
TOTALS = [sum(HEIGHTS[region][n] for region in REGIONS) for n in range(WEEKS)]
SPAN = "1 Jun – 29 Nov 2026"
# Names as customers and regions have them, in every script the demo company meets and some it does not.
ODD_NAMES = (
    "星辰科技 北区",
    "Łódź Ähren GmbH",
    "Société Générale",
    "𠮷野家",
    "🚀 Rocket",
    "ไทย",
    "Ελλάδα",
    "Москва",
    "①ﬁne",
)


def run(*, quick: bool) -> list[Row]:
    preload()
    with TemporaryDirectory(prefix="dealdesk-chart-") as folder:
        house = House(Path(folder))
        reports = {language: _report(house, language) for language in ("en", "zh")}
        image = _image(*reports["en"])
        drawn = rounds(
            5 if quick else 15,
            peer=lambda: seconds(plain) * MILLI,
            product=lambda: seconds(ours) * MILLI,
            whole=lambda: seconds(lambda: weekly_sales.draw(*reports["en"], "en")) * MILLI,
        )
        whole = drawn.pop("whole")
        return [
            Row(
                f"a warm chart, {WEEKS} weeks x {len(REGIONS)} regions, {WIDTH} x {HEIGHT}",
                "ms",
                drawn,
                ("product", "peer"),
                limit=0.7,
                note="The same data, title, legend, scale, labels and PNG; the peer with matplotlib's `Figure` and one"
                " `ax.bar` a region. Ours also has the four-week mean over the columns.",
            ),
            Row(
                "the product's weekly report as it is sent",
                "ms",
                {"peer": drawn["peer"], "product": whole},
                ("product", "peer"),
                note="Thirteen weeks with four figures on top, a target, a mean and small print, 1200 x 750.",
            ),
            *_others(house, image, quick=quick),
            _glyphs(reports),
        ]


# ---------------------------------------------------------------- drawing


def plain() -> bytes:
    """What one writes with matplotlib's manual open, in the form that is safe in threads."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (costs most of a second)

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    axes: Any = figure.subplots()
    bottom = [0.0] * WEEKS
    for region in REGIONS:
        axes.bar(range(WEEKS), HEIGHTS[region], bottom=bottom, label=region)
        bottom = [low + more for low, more in zip(bottom, HEIGHTS[region], strict=True)]
    axes.set_xticks(range(WEEKS), [str(n + 1) for n in range(WEEKS)])
    axes.set_title(f"Weekly sales, {SPAN}")
    axes.set_ylabel("USD, thousands")
    axes.legend()
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def ours() -> bytes:
    """The same with the product's own look."""
    sheet = _look.Sheet(WIDTH, HEIGHT)
    series = [_look.Series(name, colour, HEIGHTS[name]) for name, colour in zip(REGIONS, _look.SERIES, strict=False)]
    mean = [None] * 3 + [sum(TOTALS[n - 3 : n + 1]) / 4 for n in range(3, WEEKS)]
    labels = [str(n + 1) for n in range(WEEKS)]
    _look.heading(sheet, "Weekly sales", SPAN)
    top = _look.legend(sheet, 110, [("box", each.colour, each.name) for each in series])
    sheet.text(_look.MARGIN, HEIGHT - 16, "USD, thousands", size=_look.SMALL)
    _look.columns(sheet, _look.Columns(labels, series, mean, [None] * WEEKS, "231"), top, HEIGHT - 40, "en")
    return sheet.png()


def _report(house: House, language: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The demo company's weekly report as data, and the words it is drawn with."""
    database = house.database()
    with database.turn() as book:
        desk = Desk(book, house.company, house.company.roster.people["mia"], datetime.now(UTC))
        data = weekly_sales.build(desk)
    database.close()
    return data, Words(language).under("report.weekly_sales.")


def _image(data: dict[str, Any], words: dict[str, str]) -> Image:
    return Image("weekly_sales", {"report": data, "words": words}, "en", "weekly.png", "the week")


# ---------------------------------------------------------------- what others notice


def _others(house: House, image: Image, *, quick: bool) -> list[Row]:
    """Somebody asks something again and again: while nothing is drawn, and while charts are drawn without a pause."""
    asked, names = 60 if quick else 250, itertools.count()
    database = house.database()
    app = application(database, house.company)
    pen = Pen()
    pen.draw(image)
    _tail(app, names, 50)

    def in_a_thread() -> None:
        weekly_sales.draw(image.data["report"], image.data["words"], "en")

    def while_drawing(draw: Callable[[], object]) -> float:
        with _drawing(draw):
            return _tail(app, names, asked)

    found = rounds(
        3 if quick else 9,
        floor=lambda: _tail(app, names, asked),
        peer=lambda: while_drawing(in_a_thread),
        product=lambda: while_drawing(lambda: pen.draw(image)),
    )
    pen.close()
    database.close()
    return [
        Row(
            "another's answer while charts are drawn, 99th percentile",
            "ms",
            found,
            ("product", "floor"),
            limit=1.5,
            note="The floor is the same while nothing is drawn; the peer draws in a thread of the bot's own process.",
        )
    ]


def _tail(app: App, names: itertools.count[int], count: int) -> float:
    times = []
    for _ in range(count):
        n = next(names)
        arrival = Message(
            id=f"web:tail{n}", address="web:rep00", login="web:rep00", at=datetime.now(UTC), text="who is Acme?"
        )
        began = time.perf_counter()
        app.receive(arrival)
        times.append(time.perf_counter() - began)
    return quantile(times, 0.99) * MILLI


@contextmanager
def _drawing(draw: Callable[[], object]) -> Iterator[None]:
    ends = threading.Event()

    def work() -> None:
        while not ends.is_set():
            draw()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


# ---------------------------------------------------------------- letters


class _Boxes(logging.Handler):
    """Hears matplotlib say that a letter or a font is missing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def _glyphs(reports: dict[str, tuple[dict[str, Any], dict[str, str]]]) -> Row:
    boxes = _Boxes()
    logging.getLogger("matplotlib").addHandler(boxes)
    drawn = 0
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for language, (data, words) in reports.items():
            odd = {**data, "company": ODD_NAMES[0], "scope": {**data["scope"], "kind": "team", "name": ODD_NAMES[1]}}
            odd["rows"] = [{**row, "region": ODD_NAMES[n % len(ODD_NAMES)]} for n, row in enumerate(data["rows"])]
            for report in (data, odd):
                weekly_sales.draw(report, words, language)
                drawn += 1
        sheet = _look.Sheet()
        for n, name in enumerate(ODD_NAMES):
            sheet.text(48, 60 + 40 * n, name)
        sheet.png()
    logging.getLogger("matplotlib").removeHandler(boxes)
    left = sum(len(_letters.missing(_letters.drawable(name))) for name in ODD_NAMES)
    missing = len(boxes.heard) + len(warned) + left
    return Row(
        "missing glyphs",
        held=missing == 0,
        seen=f"{missing} in {drawn + 1} pictures, English and Chinese",
        note="With names in scripts and signs that no font here has: they are written another way, never as boxes.",
    )
