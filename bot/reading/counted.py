"""Products and their counts: an everyday word behind a count is the product of that name, "两天培训" counts days."""

from __future__ import annotations

import re
from decimal import Decimal

from bot.entities.numbers import Amount, han_value

_HAN_NUMERAL = "零一二两三四五六七八九十百千"
_COUNT_BEFORE = re.compile(
    r"(?:(?<![\w.#/])(?:[0-9]{1,9}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|hundred)"
    r"\s{0,2}(?:x|×|of|more|units\s+of|days\s+of)?\s{1,2}|[0-9]x|[个套台份件次天项]的?)$"
)
_VERB_BEFORE = re.compile(
    r"(?<![a-z])(?:remove|drop|delete|take\s+out|take\s+off|leave\s+out|get\s+rid\s+of|without|and|plus)\s+(?:the\s+)?$"
)
_COUNT_BEHIND = re.compile(r"\s*(?:x|×|\*|:)?\s*[0-9]{1,9}\s*(?:$|[,;，；、])")
_CLAUSE = re.compile(r"(?:^|[,;，；、]\s*|\s(?:and|plus)\s+)$")
_DAYS = re.compile(
    rf"(?<![第周期拜负{_HAN_NUMERAL}0-9.])([{_HAN_NUMERAL}]{{1,6}}|[0-9]{{1,6}})\s?(天|人天|个|台|套|份|次|场|节|项|位)的?\s?$"
)
_DAYS_LATIN = re.compile(r"(?<![\w.])([0-9]{1,6})\s(?:man-)?days?\s(?:of\s)?$")
_IN = re.compile(r"(?<![a-z])(?:in|within|after|every|next|last)\s$")


def stands_counted(low: str, start: int, end: int) -> bool:
    """ "6 analytics", "remove the support": an everyday word where only a product can stand."""
    before = low[max(0, start - 24) : start]
    if _COUNT_BEFORE.search(before) or _VERB_BEFORE.search(before):
        return True
    return bool(_CLAUSE.search(before)) and bool(_COUNT_BEHIND.match(low, end))


def days_before(low: str, start: int) -> tuple[int, int, Amount] | None:
    """ "两天培训", "2 days training": the count in days right before a product."""
    from_ = max(0, start - 20)
    match = _DAYS.search(low, from_, start)
    if match is not None:
        value = Decimal(match[1]) if match[1].isdigit() else han_value(match[1])
        return None if value is None else (match.start(), match.end(2), Amount(value, unit=match[2], spelled=True))
    match = _DAYS_LATIN.search(low, from_, start)
    if match is None or _IN.search(low[: match.start()]):
        return None
    return match.start(), match.end(), Amount(Decimal(match[1]), unit="days")
