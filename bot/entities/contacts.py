"""E-mail and web addresses, phone, tracking and purchase-order numbers, the time of day: no amount hides in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.entities.found import Found, Text

_EMAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>|]{1,300}")
_PHONE = re.compile(
    r"(?<![\w.,$€£¥-])(?:\+\d{1,3}[\s.-]?(?:\(\d{1,4}\)[\s.-]?)?|\(\d{2,5}\)[\s.-]?|\d{2,4}[\s.-])"
    r"\d{2,5}(?:[\s.-]?\d{2,5}){1,4}(?![\w%-])"
    r"|(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)"
)
_NO_PHONE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$|\d{1,3}(?:\.\d{3})+$")  # a date, a large figure
_TRACKING = re.compile(
    r"(?<![a-z0-9])(?:1z[0-9a-z]{16}|(?:sf|jt|yt|zto|sto|jd|jdv|ems|yd)[0-9]{9,15}|[a-z]{2}\d{9}[a-z]{2})(?![a-z0-9])"
)
_CLOCK = re.compile(r"(?<![\d:.,])(?:[01]?\d|2[0-3])(?::[0-5]\d(?!\d)(?:\s?[ap]\.?m\b)?|\s?[ap]\.?m\b)")
_NAMED = re.compile(
    r"(?:tracking(?:\s+(?:number|no|code|id|#))?|tracking#|waybill|awb|物流单号|快递单号|运单号|运单|快递号|单号)"
    r"[\s.:#]*(?:is|是|为)?\s*"
    # A carrier's name makes a code of any number after it; without one, a short number may be an order's.
    r"((?:dhl|ups|usps|fedex|dpd|gls|tnt|ems|hermes|顺丰|圆通|中通|申通|韵达)[\s-]?[0-9][0-9a-z-]{0,24}"
    r"|[a-z]{0,5}[\s-]?[0-9][0-9a-z-]{5,24})"
)
# A customer's own number for its purchase: never one of our orders.
_PURCHASE = re.compile(
    r"(?<![a-z])(?:p\.?o\.?|purchase\s+order|their\s+(?:order|ref(?:erence)?)|customer\s+(?:order|ref(?:erence)?))"
    r"(?:\s*(?:number|num|no\.?|nr\.?|ref\.?|id))?[\s:#.-]*([a-z]{0,4}-?[0-9][0-9a-z/-]{1,20})"
    r"|(?:采购(?:订?单)?|客户(?:订单|采购单?)|对方(?:订单|单))(?:编?号码?)?[\s:#是为]*([a-z]{0,4}-?[0-9][0-9a-z/-]{1,20})"
)


def contacts(text: Text) -> list[Found]:
    """Addresses and numbers that reach somebody or name something elsewhere, from left to right, not overlapping."""
    low = text.low
    found: list[Found] = []
    if "@" in low:
        found.extend(Found("email", m.start(), m.end(), text.typed[m.start() : m.end()]) for m in _EMAIL.finditer(low))
    if "://" in low or "www." in low:
        found.extend(Found("link", m.start(), m.end(), text.typed[m.start() : m.end()]) for m in _LINK.finditer(low))
    if any("0" <= char <= "9" for char in low):
        for one in _numbered(text):
            if not any(one.start < other.end and other.start < one.end for other in found):
                found.append(one)
    return sorted(found, key=lambda f: f.start)


def _numbered(text: Text) -> Iterator[Found]:
    low, typed = text.low, text.typed
    if "po" in low or "p.o" in low or "purchase" in low or "their" in low or "customer" in low or "单" in low:
        for match in _PURCHASE.finditer(low):
            group = 1 if match[1] else 2
            yield Found("purchase", match.start(), match.end(), typed[match.start(group) : match.end(group)])
    for match in _NAMED.finditer(low):
        yield Found("tracking", match.start(), match.end(), typed[match.start(1) : match.end(1)].strip())
    for match in _TRACKING.finditer(low):
        yield Found("tracking", match.start(), match.end(), typed[match.start() : match.end()])
    for match in _CLOCK.finditer(low):
        yield Found("clock", match.start(), match.end(), match[0])
    for match in _PHONE.finditer(low):
        digits = sum(c.isdigit() for c in match[0])
        if 7 <= digits <= 15 and not _NO_PHONE.match(match[0]):
            yield Found("phone", match.start(), match.end(), typed[match.start() : match.end()].strip())
