"""What narrows a report: by what, compared with what, only whom, since when."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from bot.entities import When
from bot.reading.phrases import Language, language
from bot.reading.sentence import Sentence, Thing

_REGION = re.compile(
    r"\b(?:in|for|from|of|to)\s+(?:the\s+)?([a-z]{3,14})\s+(?:region|area|office|territory|market)|(?:^|[^a-z])([a-z]{3,14})\s+(?:region|territory)"
    r"|([\u4e00-\u9fff]{2,4}?)(?:大区|地区|区域|办事处|区(?![域别分]))(?!的?(?:统计|划分|排名|分布))"
)
_NO_REGION = frozenset(
    ("the", "each", "every", "which", "what", "any", "all", "by", "per", "our", "my", "best", "top", "this")
)


def dimension(sentence: Sentence) -> str:
    """What the figures are split by, or nothing."""
    low = sentence.marked
    for one in sentence.speech.languages:
        match = _dimensions(one).search(low)
        if match is not None:
            return str(one.words["dimension"][" ".join(match["it"].split())])
    return ""


def _dimensions(one: Language) -> re.Pattern[str]:
    """ "by region", "top 5 customers", "按产品": the words of a dimension behind a word that asks for one."""
    return _dimensions_of(one.code)


@cache
def _dimensions_of(code: str) -> re.Pattern[str]:
    table = language(code).words
    before = "|".join(re.escape(w) for w in sorted(table["before_dimension"].split("|"), key=len, reverse=True))
    words = "|".join(re.escape(w) for w in sorted(table["dimension"], key=len, reverse=True))
    if table["before_dimension"].isascii():
        middle = r"[\s\U00010603-]{1,6}(?:(?:the|my|our|selling|performing|sales|biggest|best|and)\s){0,2}"
        return re.compile(rf"\b(?:{before}){middle}(?P<it>{words})\b")
    return re.compile(rf"(?:{before})[个位家名大\s\U00010603的]{{0,4}}(?P<it>{words})")


def compare(sentence: Sentence) -> tuple[str, list[Thing]]:
    """What the figures are compared with, and the dates that only say that."""
    dates = sentence.of("date")
    for one in sentence.speech.languages:
        for date in dates:
            value = _compared(sentence, one, date, alone=len(dates) == 1)
            if value:
                return value, [date]
        value = _compare_word(sentence.text.low, one, dates)
        if value:
            return value, []
    return "", []


def _compared(sentence: Sentence, one: Language, date: Thing, *, alone: bool) -> str:
    """ "vs last week", "和去年对比": the date behind a word that compares."""
    low = sentence.text.low
    value = one.words["compare"].get(low[date.start : date.end].removeprefix("the ").strip(), "")
    before = low[max(0, date.start - 18) : date.start].rstrip()
    if not re.search(rf"(?:{one.words['reason']['compare']})(?: to| with| the| same period)*$", before):
        return ""
    if not value and not alone and re.search(r"(?:vs\.?|versus|against|compared? (?:to|with)|than|比|对比)$", before):
        return _distance(sentence.of("date")[0].value, date.value)
    if not value:
        return ""
    said = ("compar" in before, "vs" in before, "对比" in low, "相比" in low, "比" in low[date.end : date.end + 8])
    return str(value) if not alone or any(said) else ""


def _distance(when: When, other: When) -> str:
    """ "Q1 2026 vs Q1 2025": a year apart, or the period before."""
    if when.first is None or other.first is None or when.first <= other.first:
        return ""
    return "last_year" if (when.first - other.first).days in (364, 365, 366) else "previous"


def _compare_word(low: str, one: Language, dates: list[Thing]) -> str:
    """ "year over year", "同比": a word that compares by itself, and is no date of its own."""
    for word, value in one.words["compare"].items():
        place = low.find(word)
        if place >= 0 and (not word.isascii() or re.search(rf"\b{re.escape(word)}\b", low)):
            dated = any(d.start < place + len(word) and place < d.end for d in dates)
            if not dated or word in ("去年同期", "same period last year"):
                return str(value)
    return ""


def narrowed(sentence: Sentence) -> dict[str, Any]:
    """Only whom or what, and all but whom or what."""
    found: dict[str, Any] = {}
    for kind, field in (("person", "rep"), ("product", "product"), ("customer", "customer")):
        for thing in sentence.of(kind):
            if len(thing.value) == 1:
                key = f"{field}_not" if _excluded(sentence, thing.start) else field
                found.setdefault(key, thing.value[0].name)
    region = _REGION.search(sentence.text.low)
    if region is not None:
        group = next(g for g in (1, 2, 3) if region[g])
        words = sentence.text.typed[region.start(group) : region.end(group)]
        words = re.sub("^(?:查看|看看|看|查|给我|的|和|在|本周|本月|上周|上月|今年|按|各)+", "", words)
        if (
            words
            and not set(words) & set("哪各每个")
            and words.lower() not in _NO_REGION
            and words.lower() not in ("sales", "revenue", "销售")
        ):
            found["region_not" if _excluded(sentence, region.start(group)) else "region"] = words[0].upper() + words[1:]
    return found


def _excluded(sentence: Sentence, place: int) -> bool:
    before = sentence.text.low[max(0, place - 26) : place].rstrip()
    return any(
        re.search(rf"(?:{one.words['reason']['exclude']})(?: for| the)?$", before) for one in sentence.speech.languages
    )


def period_of(things: list[Thing]) -> When | None:
    """The period that was meant: a real one before a mere rhythm."""
    whens: list[When] = [t.value for t in things if t.value.token]
    for when in whens:
        if not when.every:
            return when
    return whens[0] if whens else None
