"""Figures: counts, money and percents, in digits and words, with both decimal styles. Never a float."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.entities.found import MOST, Found, Text, Unit

_DIGITS = re.compile(r"[0-9]{1,60}(?:[.,'][0-9]{1,60}){0,6}")
_RUN = re.compile(r"[0-9.,']+|[零〇一二两三四五六七八九十百千万亿]+")
_LONGEST = 60  # characters of one figure; what is longer is no amount
_GROUPS = re.compile(r"[0-9]{1,3}(?:([.,'])[0-9]{3})(?:\1[0-9]{3})*$")
_COMMA_DECIMALS = re.compile(r"[0-9]\.[0-9]{3},[0-9]{1,2}(?![0-9])|(?<![0-9,.])[0-9]+,[0-9]{2}(?![0-9,])")
_HAN_NUMERAL = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_HAN_SCALE = re.compile(r"\s?(百万|千万|[百千万亿])+(?:([0-9])(?![0-9.,%套个台份件箱折点人])([千百十])?)?")
_HAN_DIGIT = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_PLACE = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_SIGN = re.compile(r"(?:(?<![^\s(@:=,$€£¥])-|(?<![a-z])(?:minus|negative)\s{1,2}|负)$")
_BULLET = re.compile(r"\n\s*$")
_NEVER_BEFORE = frozenset("元块刀欧镑") | {"块钱"}  # "模块100": these stand behind their figure
_COMMA_MONEY = frozenset({"EUR", "CHF", "BRL", "DKK", "SEK", "NOK", "PLN"})


@dataclass(frozen=True, slots=True)
class Amount:
    """A figure. `currency` when one was said, `unit` when a measure word followed, `other` its second reading."""

    value: Decimal
    currency: str = ""
    unit: str = ""
    spelled: bool = False  # written in words
    other: Decimal | None = None  # "1.250" may be either
    each: bool = False  # a price for one, said by its unit ("/seat")


@dataclass(frozen=True, slots=True)
class Figures:
    """The words of one or more languages that numbers are said with."""

    words: Mapping[str, Decimal]
    scales: Mapping[str, Decimal]
    currency: Mapping[str, str]
    unit: re.Pattern[str]
    spelled: re.Pattern[str]
    scale: re.Pattern[str]
    money_after: re.Pattern[str]
    money_before: re.Pattern[str]
    percent: re.Pattern[str]
    points: re.Pattern[str]
    off_tenths: re.Pattern[str]
    percent_before: re.Pattern[str]
    each_after: re.Pattern[str]
    not_number: re.Pattern[str]
    shares: Mapping[str, Decimal]  # "half price"
    share: re.Pattern[str]
    first: frozenset[str]


def figures(words: Iterable[Mapping[str, Any]]) -> Figures:
    """The number words of these languages' files, made ready."""
    merged: dict[str, dict[str, Any]] = {}
    for table in words:
        for name in ("numbers", "scales", "currencies", "shares"):
            merged.setdefault(name, {}).update(table.get(name, {}))
        for name in ("units", "percent", "points", "tenths", "percent_before", "each", "not_numbers"):
            merged.setdefault(name, {}).update(dict.fromkeys(table.get(name, "").split("|")))
    numbers, scales = merged["numbers"], merged["scales"]
    latin = [w for w in numbers if w.isascii()]
    one = _any(latin)
    shares = {w: Decimal(v) for w, v in merged["shares"].items()}
    first = frozenset(w.split()[0].split("-")[0] if w.isascii() else w[0] for w in (*latin, *shares))
    return Figures(
        words={w: Decimal(str(v)) for w, v in numbers.items()},
        scales={w: Decimal(str(v)) for w, v in scales.items()},
        currency=merged["currencies"],
        unit=re.compile(rf"[\s-]?({_any(merged['units'])})"),
        spelled=re.compile(rf"{one}(?:(?:[\s-]|\sand\s){one})*" if latin else r"(?!)"),
        scale=re.compile(rf"\s?({_any(w for w in scales if w.isascii())})"),
        money_after=re.compile(rf"\s?({_any(merged['currencies'])})"),
        money_before=re.compile(rf"({_any(merged['currencies'], after=False)})\s?$"),
        percent=re.compile(rf"\s?({_any(merged['percent'])})"),
        points=re.compile(rf"\s?({_any(merged['points'])})"),
        off_tenths=re.compile(rf"\s?({_any(merged['tenths'])})"),
        percent_before=re.compile(rf"({_any(merged['percent_before'])})$"),
        each_after=re.compile(rf"\s?(?:{_any(merged['each'])})"),
        not_number=re.compile(rf"(?:{_any(merged['not_numbers'])})"),
        shares=shares,
        share=re.compile(_any(shares)),
        first=first,
    )


def _any(words: Iterable[str], *, after: bool = True) -> str:
    """A pattern for any of these words, the longest first; between figures and words a blank may be missing."""
    listed = sorted((w for w in words if w), key=len, reverse=True)
    latin = [w for w in listed if w[0].isascii() and w[0].isalpha() and w[-1].isalpha()]
    rest = [w for w in listed if w not in latin]
    parts = [rf"(?<![a-z])(?:{_joined(latin)}){'(?![a-z])' if after else ''}"] if latin else []
    parts += [_joined(rest)] if rest else []
    return f"(?:{'|'.join(parts)})" if parts else r"(?!)"


def _joined(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s?") for word in words)


def numbers(text: Text, say: Figures, taken: Callable[[int, int], bool]) -> list[Found]:
    """Every figure that stands in a free place, as "number", "money" or "percent", from left to right."""
    low = text.low
    found: list[Found] = []
    comma = bool(_COMMA_DECIMALS.search(low)) if "," in low else False
    done = 0
    for unit in text.units:
        start = unit.start
        if start < done:
            continue
        run = _RUN.match(low, start)
        if run is not None and run.end() - start > _LONGEST:
            done = run.end()
            continue
        one = _figure(low, unit, say, comma=comma)
        if one is not None and not taken(one.start, one.end):
            done = one.end
            found.append(one)
            if len(found) == MOST:
                break
    return found


def _figure(low: str, unit: Unit, say: Figures, *, comma: bool) -> Found | None:
    """The figure that begins at a word, with its sign."""
    start, head = unit.start, unit.word[0]
    one: Found | None = None
    if "0" <= head <= "9":
        one = _in_digits(low, start, say, comma=comma)
    elif head == "x" and unit.word[1:].isdecimal():
        one = _in_digits(low, start + 1, say, comma=comma)  # "Pro seats x10"
    elif head in _HAN_DIGIT or head in _HAN_PLACE:
        one = _in_han(low, start, say)
    if one is None and unit.word in say.first:
        share = say.share.match(low, start)
        one = _in_words(low, start, say) if share is None else _share(share, say)
    return None if one is None else _signed(low, one, say)


def _in_digits(low: str, start: int, say: Figures, *, comma: bool) -> Found | None:
    match = _DIGITS.match(low, start)
    if match is None:
        return None
    end = match.end()
    scale = say.scale.match(low, end)
    han = None if scale else _HAN_SCALE.match(low, end)
    if scale is None and han is None and end < len(low) and "a" <= low[end] <= "z":
        glued = say.unit.match(low, end) or say.money_after.match(low, end) or say.percent.match(low, end)
        if glued is None:
            return None  # "5g", "2nd": part of a word
    if scale is not None:
        factor, end = say.scales[_plain(scale[1])], scale.end()
    elif han is not None:
        factor, end = _han_factor(han), han.end()
    else:
        factor = Decimal(1)
    currency, begin, end = _currency(low, start, end, say)
    value, other = _decimal(match[0], comma=comma or currency in _COMMA_MONEY)
    if han is not None and han[2]:
        step = Decimal(_HAN_PLACE[han[3]]) if han[3] else factor / 10  # 1万2千, 3万5
        value, factor = value * factor + Decimal(han[2]) * step, Decimal(1)
    if factor != 1:  # a product has no more than 28 digits
        value, other = value * factor, other and other * factor
    return _kind(low, begin, end, say, Amount(value, currency, other=other))


def _han_factor(match: re.Match[str]) -> Decimal:
    factor = Decimal(1)
    for char in match[0][: (match.start(2) if match[2] else match.end()) - match.start()].strip():
        if char in _HAN_PLACE:
            factor *= _HAN_PLACE[char]
    return factor


def _plain(word: str) -> str:
    return " ".join(word.split())


def _decimal(digits: str, *, comma: bool) -> tuple[Decimal, Decimal | None]:
    """The value, and the other value it could have: 1.250 is a thousand to some and little more than one to others."""
    digits = digits.replace("'", "")
    dot, com = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and com >= 0:
        point = "." if dot > com else ","
        whole, _, rest = digits.rpartition(point)
        return Decimal(re.sub(r"[.,]", "", whole) + "." + rest), None
    if dot < 0 and com < 0:
        return Decimal(digits), None
    mark = "." if dot >= 0 else ","
    whole, _, rest = digits.rpartition(mark)
    if not _GROUPS.match(digits) or whole[0] == "0":
        if mark in whole:
            return Decimal(digits.replace(mark, "")), None
        return Decimal(f"{whole}.{rest}"), None
    thousand, small = Decimal(digits.replace(mark, "")), Decimal(f"{whole}.{rest}") if mark not in whole else None
    if mark == "," or small is None:
        return thousand, None
    return (thousand, None) if comma else (small, thousand)


def _currency(low: str, start: int, end: int, say: Figures) -> tuple[str, int, int]:
    """The currency before or after a figure, and the span with it."""
    code, begin = "", start
    before = say.money_before.search(low, max(0, start - 9), start)
    if before is not None and before[1] not in _NEVER_BEFORE:
        code, begin = say.currency[_plain(before[1])], before.start(1)
    after = say.money_after.match(low, end)
    if after is not None:
        word = _plain(after[1])
        if not code or say.currency[word] != code:
            code = code if before is not None and word in ("元", "块") else say.currency[word]
        end = after.end()
    return code, begin, end


def _kind(low: str, start: int, end: int, say: Figures, amount: Amount) -> Found:
    """Decide by what stands around a figure whether it is money, a percentage or a bare number."""
    percent = None if amount.currency else _percent(low, start, end, say, amount.value)
    if percent is not None:
        return percent
    each = say.each_after.match(low, end)
    if each is not None and (amount.currency or each[0].lstrip()[:1] in "/每e"):
        return Found("money", start, each.end(), replace(amount, each=True))
    unit = None if amount.currency else say.unit.match(low, end)
    if unit is not None:
        return Found("number", start, unit.end(), replace(amount, unit=unit[1]))
    # 30万 without a measure word is a sum of money.
    money = bool(amount.currency) or low[end - 1] in "万亿"
    return Found("money" if money else "number", start, end, amount)


def _percent(low: str, start: int, end: int, say: Figures, value: Decimal) -> Found | None:
    after = say.percent.match(low, end)
    if after is not None:
        return Found("percent", start, after.end(), value)
    before = say.percent_before.search(low, max(0, start - 4), start)
    if before is not None:
        return Found("percent", before.start(1), end, value)
    tenths = say.off_tenths.match(low, end)
    if tenths is not None and 0 < value < 100:
        if 10 < value < 20 or (value > 10 and "十" in low[start:end]):
            return Found("tenths", start, tenths.end(), f"{value}折")  # more than the price: nobody gives that
        paid = value * 10 if value <= 10 else value
        return Found("percent", start, tenths.end(), 100 - paid)
    points = say.points.match(low, end)
    return Found("percent", start, points.end(), value) if points is not None and 0 < value <= 100 else None


def _signed(low: str, found: Found, say: Figures) -> Found:
    """A figure with the minus before it, or before its currency; a dash between two things is none."""
    sign = _SIGN.search(low, max(0, found.start - 10), found.start)
    currency = ""
    if sign is None:
        return found
    before = low[: sign.start()]
    dash = sign[0] == "-"
    if dash and (before.rstrip()[-1:].isdigit() or _BULLET.search(before[-6:]) or (not before and "\n-" in low)):
        return found
    begin = sign.start()
    if found.kind == "percent":
        return Found("percent", begin, found.end, found.value.copy_negate()) if dash else found
    if found.kind == "tenths":
        return found
    if dash and not found.value.currency:
        money = say.money_before.search(low, max(0, begin - 9), begin)
        if money is not None:  # "$-3"
            currency, begin = say.currency.get(_plain(money[1]), ""), money.start(1)
    value = replace(found.value, value=found.value.value.copy_negate(), other=None)
    if currency:
        return Found("money", begin, found.end, replace(value, currency=currency))
    return Found(found.kind, begin, found.end, value)


def _share(match: re.Match[str], say: Figures) -> Found:
    return Found("percent", match.start(), match.end(), say.shares[_plain(match[0])])


def _in_words(low: str, start: int, say: Figures) -> Found | None:
    match = say.spelled.match(low, start)
    if match is None or say.not_number.match(low, start):
        return None
    total = part = Decimal(0)
    for word in re.findall(r"[a-z]+(?: a [a-z]+)?", match[0].replace("-", " ")):
        value = say.words.get(word)
        if value is None:
            continue
        if value >= 1000:
            total += max(part, Decimal(1)) * value
            part = Decimal(0)
        elif value == 100 or word in ("dozen", "couple"):
            part = max(part, Decimal(1)) * value
        else:
            part += value
    whole = _plain(match[0].replace("-", " "))
    value = say.words.get(whole, total + part)
    currency, begin, end = _currency(low, start, match.end(), say)
    return _kind(low, begin, end, say, Amount(value, currency, spelled=True))


def _in_han(low: str, start: int, say: Figures) -> Found | None:
    match = _HAN_NUMERAL.match(low, start)
    if match is None or say.not_number.match(low, start):
        return None
    value = han_value(match[0])
    if value is None:
        return None
    tenths = say.off_tenths.match(low, match.end())
    if tenths is not None and len(match[0]) == 2 and not set(match[0]) & set(_HAN_PLACE):
        value = Decimal(_HAN_DIGIT[match[0][0]] * 10 + _HAN_DIGIT[match[0][1]])
    currency, begin, end = _currency(low, start, match.end(), say)
    found = _kind(low, begin, end, say, Amount(value, currency, spelled=True))
    ranked = start > 0 and low[start - 1] == "前"  # the first ten
    lone = len(match[0]) == 1 and not ranked and found.kind == "number" and not found.value.unit
    return None if lone else found


def han_value(numeral: str) -> Decimal | None:
    """The value of a Chinese numeral, or nothing when it is none: 两百五 is 250, 二零二六 is 2026."""
    if not set(numeral) & set(_HAN_PLACE):
        return Decimal("".join(str(_HAN_DIGIT[c]) for c in numeral))
    total = section = digit = 0
    last = 1
    for char in numeral:
        if char in _HAN_DIGIT:
            digit = _HAN_DIGIT[char]
            if char in "零〇":
                last = 1
            continue
        place = _HAN_PLACE[char]
        if place >= 10_000:
            if not section and not digit and not total:
                return None
            total, section, digit = (total + section + digit) * place, 0, 0
        else:
            section, digit = section + (digit or 1) * place, 0
        last = place
    if digit and last >= 100:
        digit *= last // 10  # 一百五, 两万三
    return Decimal(total + section + digit)
