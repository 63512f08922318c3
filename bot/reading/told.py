"""What is kept as it was said: the stage, the kind of activity, a reason, a need."""

from __future__ import annotations

import re
from functools import cache

from bot.reading.phrases import any_of, language
from bot.reading.sentence import Sentence, Speech

_MARKS_AROUND = "\"'“”「」() "
_FILLERS = re.compile(r"^(?:号|订单|单|吧|了|please|pls|it is|it's|is|-|,|，)+[\s,，:：-]*", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?:the|they|their|he|she|it|we|our|there|this|that|customer|client|no|not|nobody)\b", re.IGNORECASE
)
_MAY_COME = re.compile(r"(?:签约|签单|成交|win)(?!了|完|下来)")
_POLITE = frozenset(("please", "pls", "thanks", "thx", "asap", "today", "now", "both", "order", "orders"))


def stage(sentence: Sentence) -> tuple[str, int]:
    """The stage that was named last, and where."""
    best = ("", -1)
    if re.search(r"\b(?:rates?|ratio|cycle|vs|versus)\b|率|周期", sentence.text.low):
        return best
    for name, place in _stages(sentence.speech, sentence.marked):
        if place > best[1]:
            best = name, place
    return best


def yet_to_come(sentence: Sentence, place: int) -> bool:
    """ "下月签约", "sign next month": a day ahead, and no word that it has happened."""
    today = sentence.now.date()
    ahead = any(t.value.first is not None and t.value.first > today for t in sentence.of("date"))
    return ahead and _MAY_COME.match(sentence.marked, place) is not None


def _stages(speech: Speech, low: str) -> list[tuple[str, int]]:
    found = []
    for one in speech.languages:
        for word, name in one.words["stages"].items():
            place = low.rfind(word)
            if place >= 0 and (not word.isascii() or _whole(word, low)):
                found.append((str(name), place))
    return found


def first_meaning(sentence: Sentence, table: str) -> str:
    """The meaning of the word of a table that stands first: "called" is a call."""
    best = (len(sentence.marked), "")
    for one in sentence.speech.languages:
        for word, value in one.words[table].items():
            place = sentence.marked.find(word)
            if 0 <= place < best[0] and (not word.isascii() or _whole(word, sentence.marked)):
                best = place, str(value)
    return best[1]


def _whole(word: str, low: str) -> bool:
    return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", low) is not None


@cache
def _lead_in(code: str, table: str) -> re.Pattern[str]:
    return re.compile(any_of(language(code).words["reason"][table].split("|")))


def words_after(sentence: Sentence, table: str, start: int) -> str:
    """The words as typed behind the first phrase of a table: "because" and a reason, "needs" and a need."""
    for one in reversed(sentence.speech.languages):
        for match in _lead_in(one.code, table).finditer(sentence.text.low, start):
            rest = sentence.text.words(match.end(), len(sentence.text.typed)).removeprefix("of ").strip(_MARKS_AROUND)
            if match[0] != "as" or _SUBJECT.match(rest):  # "mark it as lost" gives no reason
                return rest
    return ""


def words_behind(sentence: Sentence, place: int) -> str:
    """Whatever else was said behind a place, when it is more than politeness."""
    rest = sentence.text.words(place, len(sentence.text.typed)).strip(_MARKS_AROUND)
    rest = _FILLERS.sub("", rest)
    words = [word for word in re.findall(r"[a-z]{2,}", rest.lower()) if word not in _POLITE]
    told = len(words) >= 2 or any(len(word) > 3 for word in words) or re.search(r"[\u4e00-\u9fff]{2}", rest)
    return rest if told else ""


def reason(sentence: Sentence, place: int, *, bare: bool) -> str:
    """Why: behind "because"; or, when `bare`, whatever stands behind the order's number and behind `place`."""
    why = words_after(sentence, "after", 0)
    orders = [t for t in sentence.of("number") if "order" in t.roles] or sentence.of("customer")
    if not why and bare and orders:
        why = words_behind(sentence, max(orders[-1].end, place))
    return why


def lost_because(sentence: Sentence, place: int) -> str:
    """Why a deal was lost: behind "because", or behind a dash or colon after the stage at `place`."""
    why = words_after(sentence, "after", 0)
    dash = re.search(r"\s[-–—]+\s|[:：(（]", sentence.text.typed[max(place, 0) :])
    return why or (words_behind(sentence, place + dash.end()) if dash else "")


def need(sentence: Sentence) -> str:
    """What is needed: behind "needs", of the customer rather than before; or behind a colon."""
    told = sentence.of("customer")
    found = words_after(sentence, "need", told[0].end) if told else ""
    return found or words_after(sentence, "need", 0) or sentence.text.typed.partition(":")[2].strip()
