from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from io import BytesIO
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from core import reports
from core.reports import _letters as letters
from core.reports import _look as look
from tests.reports.desks import rich, words

LANGUAGES = ("en", "zh")
LONG = (
    "Nordrhein-Westfalen und Niedersachsen",
    "内蒙古自治区与宁夏回族自治区",
    "North America & Caribbean Islands",
    "D",
    "E",
    "F",
    "",
)
CASES = {
    "rich": rich(),
    "partial": rich(partial=True),
    "huge": rich(scale=Decimal(123456789)),
    "tiny": rich(scale=Decimal("0.000049")),
    "fallen": rich(scale=Decimal(-1)),
    "long names": rich(partial=True, regions=LONG),
    "strange names": rich(regions=("ภาคเหนือ", "서울", "日本語", "Łódź", "नमस्ते", "⚡ Spark")),
}


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[look.Sheet]:
    """Every sheet that becomes a picture, to be looked at afterwards."""
    seen: list[look.Sheet] = []
    png = look.Sheet.png

    def watched(sheet: look.Sheet) -> bytes:
        seen.append(sheet)
        return png(sheet)

    monkeypatch.setattr(look.Sheet, "png", watched)
    return seen


def drawn(data: dict[str, Any], language: str) -> bytes:
    return reports.find("weekly_sales").draw(data, words(language), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_every_text_stands_whole_on_the_page_and_on_no_other(
    case: str, language: str, sheets: list[look.Sheet]
) -> None:
    content = drawn(CASES[case], language)
    picture = Image.open(BytesIO(content))
    assert picture.size >= (1200, 675)

    (sheet,) = sheets
    renderer = sheet.canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [text for text in sheet.figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    assert len(boxes) > 30
    for words_, box in boxes:
        assert not letters.missing(words_)
        assert box.x0 >= 8, words_
        assert box.y0 >= 4, words_
        assert box.x1 <= sheet.width - 8, words_
        assert box.y1 <= sheet.height - 8, words_
    for (one, first), (other, second) in combinations(boxes, 2):
        crossed = Bbox.intersection(first, second)
        assert crossed is None or crossed.width < 2 or crossed.height < 3, (one, other)
    assert min(float(text.get_fontsize()) for text in texts) >= 18


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_chart_have_all_their_glyphs(language: str) -> None:
    assert not letters.missing("".join(words(language).values()))


def test_chinese_has_all_its_glyphs_in_the_font_that_comes_along() -> None:
    pairs = (bytes([lead, trail]) for lead in range(0xB0, 0xF8) for trail in range(0xA1, 0xFF))
    simplified = "".join(pair.decode("gb2312", errors="ignore") for pair in pairs)
    assert len(simplified) == 6763
    regular = letters._face(letters.REGULAR)[1]
    assert not {
        char for char in simplified + "陳黃張劉楊趙吳鄭，。：；？！（）《》【】、￥％▲▼–−·" if ord(char) not in regular
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mia Chen", "Mia Chen"),
        ("李娜", "李娜"),
        ("Tom O’Brien", "Tom O'Brien"),
        ("สมชาย Wong", "(Thai) Wong"),
        ("김민수", "(Hangul)"),
        ("𝓜𝓲𝓪", "Mia"),
        ("\U0002a6d6师傅", "〓师傅"),
        ("Ada 🚀 Ltd", "Ada Ltd"),
        ("a\u200bb\u202ec\nd", "abc d"),
        ("Łódź, Ñandú, Ελλάδα, Київ", "Łódź, Ñandú, Ελλάδα, Київ"),
        ("", ""),
    ],
)
def test_what_cannot_be_drawn_becomes_something_that_can(text: str, shown: str) -> None:
    assert letters.drawable(text) == shown


@given(st.text(max_size=30))
def test_nothing_drawable_is_missing(text: str) -> None:
    shown = letters.drawable(text)
    assert not letters.missing(shown)
    assert letters.drawable(shown) == shown


@given(st.text("abc 文字", max_size=40), st.integers(60, 400))
def test_fitted_and_wrapped_text_fits(text: str, room: int) -> None:
    assert letters.width(letters.fitted(text, room, 20), 20) <= room
    rows = letters.wrapped("abc " + text.replace("a", " a "), room, 20)
    assert all(letters.width(row, 20) <= room or " " not in row for row in rows)


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        ("0", "0", "0"), ("49.9", "49.90", "49.90"), ("999.6", "1,000", "1,000"), ("9999", "9,999", "9,999"),
        ("12345", "12.3K", "1.23万"), ("999999", "1M", "100万"), ("1200000", "1.2M", "120万"),
        ("-45000", "−45K", "−4.5万"), ("99999999", "100M", "1亿"),
        ("3462371916", "3.46B", "34.6亿"), ("1234567890123", "1.23T", "1.23万亿"),
    ],
)  # fmt: skip
def test_numbers_in_short(value: str, english: str, chinese: str) -> None:
    assert letters.abbreviated(Decimal(value), "en") == english
    assert letters.abbreviated(Decimal(value), "zh") == chinese


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        ("2026-11-16", "2026-11-22", "16–22 Nov 2026", "2026年11月16–22日"),
        ("2026-11-30", "2026-12-06", "30 Nov – 6 Dec 2026", "2026年11月30日–12月6日"),
        ("2026-12-28", "2027-01-03", "28 Dec 2026 – 3 Jan 2027", "2026年12月28日–2027年1月3日"),
    ],
)
def test_days_in_short(first: str, last: str, english: str, chinese: str) -> None:
    both = date.fromisoformat(first), date.fromisoformat(last)
    assert (letters.days(*both, "en"), letters.days(*both, "zh")) == (english, chinese)


def test_percentages_in_short() -> None:
    said = [letters.percentage(Decimal(value)) for value in ("12.44", "-3", "229.44", "1000", "-1000")]
    assert said == ["12.4%", "−3.0%", "229%", ">999%", "<−999%"]


@given(st.floats(-1e13, 0), st.floats(0.01, 1e13))
def test_the_scale_is_round_and_inside(low: float, high: float) -> None:
    ticks = look.scale(low, high)
    assert 0 in ticks
    assert 2 <= len(ticks) <= 7
    assert low <= float(ticks[0])
    assert float(ticks[-1]) <= high
    assert len({later - earlier for earlier, later in pairwise(ticks)}) == 1


# Machado, Oliveira and Fernandes (2009), complete loss of one kind of cone, in linear light.
VISION = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def _lab(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    light = []
    for start in (1, 3, 5):
        part = int(colour[start : start + 2], 16) / 255
        light.append(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    red, green, blue = (min(max(sum(m * v for m, v in zip(row, light, strict=True)), 0), 1) for row in matrix)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_by_everybody(vision: str) -> None:
    colours = [*look.SERIES, look.OTHERS, look.NAMELESS]
    seen = {colour: _lab(colour, VISION[vision]) for colour in colours}
    for one, other in combinations(colours, 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
        assert distance > 12, (one, other, distance)


def test_threads_may_draw_at_once() -> None:
    drawn_: list[bytes] = []
    threads = [threading.Thread(target=lambda: drawn_.append(drawn(CASES["rich"], "zh"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(drawn_)) == 1
    assert len(drawn_) == 4
