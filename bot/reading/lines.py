"""The lines of an order: which count, price and discount belongs to which product."""

from __future__ import annotations

import re
from bisect import bisect_left
from decimal import Decimal
from typing import Any

from bot.reading.sentence import Sentence, Thing

_NO_COUNT = frozenset({"order", "ignore", "limit", "k", "price", "total", "not_discount"})
_FAR = 60  # characters between a product and its count
_COMMA = re.compile(r"[,;，；、\n]|\band\b|\bplus\b|和|加|还有")


def quantities(sentence: Sentence, *, ordering: bool = False) -> list[Thing]:
    """The figures that may count something. `ordering`: "order 5 unicorns" says no order number."""
    never = _NO_COUNT - {"order"} if ordering else _NO_COUNT
    return [t for t in sentence.of("number") if not t.roles & never]


def unit_prices(sentence: Sentence) -> list[Thing]:
    """The figures that are a price for one."""
    found = []
    for thing in sentence.of("money", "number"):
        if "total" in thing.roles or "over" in thing.roles or "under" in thing.roles:
            continue
        priced = "price" in thing.roles or thing.value.each
        if priced or (thing.kind == "money" and _follows_product(sentence, thing)):
            found.append(thing)
    return found


def _follows_product(sentence: Sentence, money: Thing) -> bool:
    """ "50 Pro seats $20": money right behind the product or its count is for one."""
    for thing in sentence.of("product", "number"):
        gap = sentence.marked[thing.end : money.start]
        if 0 <= money.start - thing.end <= 3 and not gap.strip(" ,:，："):
            return True
    return False


def discounts(sentence: Sentence) -> list[Thing]:
    """The percentages that are taken off."""
    return [t for t in sentence.of("percent") if "not_discount" not in t.roles]


def order_lines(sentence: Sentence) -> tuple[list[dict[str, Any]], list[Decimal]]:
    """The lines that were said, and the discounts on the whole order: two when it is not clear which."""
    mentions = sentence.of("product", "stranger")
    counts = paired(sentence, mentions, quantities(sentence))
    products, at = _first_mentions(mentions, counts)
    lines: list[dict[str, Any]] = []
    for product in products:
        line: dict[str, Any] = {"product": _product_name(product)}
        count = counts.get(id(product))
        if count is not None:
            line["quantity"] = count.value.value
        lines.append(line)
    if not lines:
        loose = quantities(sentence)
        lines = [{"quantity": loose[0].value.value}] if loose else [{}]
    prices = unit_prices(sentence)
    in_turn = len(prices) == len(products) > 1 and products[-1].end <= prices[0].start
    for turn, price in enumerate(prices):
        line = lines[turn if in_turn else at[_nearest(mentions, price)] if mentions else 0]
        line.setdefault("unit_price", price.value.value)
        if price.value.currency:
            line.setdefault("currency", price.value.currency)
    whole = _spread_discounts(sentence, mentions, at, lines)
    return _merged(sentence, [line for line in lines if line]), whole


def _merged(sentence: Sentence, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same product counted twice: together, or the last count when it corrects the first."""
    kept: list[dict[str, Any]] = []
    for line in lines:
        same = next((k for k in kept if line.get("product") and k.get("product") == line["product"]), None)
        if same is None or _priced(same) != _priced(line):
            kept.append(line)
        elif "quantity" not in same or "quantity" not in line or sentence.flagged("correction"):
            same.update(line)
        else:
            same["quantity"] += line["quantity"]
    return kept


def _priced(line: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in line.items() if k not in ("product", "quantity")}


def _first_mentions(mentions: list[Thing], counts: dict[int, Thing]) -> tuple[list[Thing], list[int]]:
    """Which mentions make a line, and the line each belongs to: "10% off the Pro seats" speaks of an earlier one."""
    products: list[Thing] = []
    at: list[int] = []
    for mention in mentions:
        name = _product_name(mention)
        same = [i for i, product in enumerate(products) if name and _product_name(product) == name]
        if same and id(mention) not in counts:
            at.append(same[0])
        else:
            at.append(len(products))
            products.append(mention)
    return products, at


def _product_name(product: Thing) -> str | None:
    if product.kind == "stranger" or len(product.value) != 1:
        return None
    return str(product.value[0].name)


def paired(sentence: Sentence, products: list[Thing], counts: list[Thing]) -> dict[int, Thing]:
    """Give every product the count that stands nearest: before it without a comma, or behind it."""
    pairs: list[tuple[float, int, int]] = []
    starts = [count.start for count in counts]
    for i, product in enumerate(products):
        for j in range(bisect_left(starts, product.start - _FAR - 20), bisect_left(starts, product.end + _FAR)):
            count = counts[j]
            low, high = min(product.end, count.end), max(product.start, count.start)
            gap = sentence.marked[low:high]
            if high - low > _FAR or any(low <= p.start and p.end <= high for p in products if p is not product):
                continue
            cost = (high - low) + 6.0 * len(_COMMA.findall(gap)) + (1.5 if count.start > product.start else 0.0)
            pairs.append((cost, i, j))
    found: dict[int, Thing] = {}
    used: set[int] = set()
    for _, i, j in sorted(pairs):
        if id(products[i]) not in found and j not in used:
            found[id(products[i])] = counts[j]
            used.add(j)
    return found


def _nearest(products: list[Thing], thing: Thing) -> int:
    """The line a price belongs to: the product before it, or the first one when it comes first."""
    before = [i for i, product in enumerate(products) if product.start < thing.start]
    return before[-1] if before else 0


def _spread_discounts(
    sentence: Sentence, mentions: list[Thing], at: list[int], lines: list[dict[str, Any]]
) -> list[Decimal]:
    """A discount belongs to its line when several lines were said and it stands inside one; else to the order."""
    taken = discounts(sentence)
    if sentence.hits.get("#no_discount") or sentence.flagged("no_discount"):
        return [] if taken else [Decimal(0)]
    whole: list[Decimal] = []
    for found in taken:
        named = _named_after(sentence, mentions, found)
        if len(lines) > 1 and named is not None:
            lines[at[named]]["discount_percent"] = found.value
        elif len(lines) > 1 and _inside_line(sentence, mentions, found):
            lines[at[_nearest(mentions, found)]]["discount_percent"] = found.value
        else:
            whole.append(found.value)
    if sentence.flagged("correction"):
        return whole[-1:]
    return list(dict.fromkeys(whole))


def _named_after(sentence: Sentence, mentions: list[Thing], found: Thing) -> int | None:
    """ "10% off the Pro seats", "10% discount on Pro": the mention the discount is said to be for."""
    for i, mention in enumerate(mentions):
        gap = sentence.marked[found.end : mention.start]
        if 0 <= mention.start - found.end <= 24 and re.fullmatch(r"[\w\s]*\b(?:off|on|for)(?: the| all)? ?", gap):
            return i
    return None


def _inside_line(sentence: Sentence, products: list[Thing], found: Thing) -> bool:
    """Another product follows, or nothing but a preposition is between the product (or its price) and the discount."""
    if sentence.flagged("apply_all") or sentence.hits.get("#apply_all"):
        return False
    at = _nearest(products, found)
    if at + 1 < len(products):
        return products[at].start < found.start
    if not any(t is not found and products[0].start < t.start < products[-1].start for t in discounts(sentence)):
        return False
    return not re.search(r"[.;。；]", sentence.marked[products[at].end : found.start])
