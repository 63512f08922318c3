"""What else was said about the doing: taken back, taken out, on top of what there is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.reading.intents import Verdict
from bot.reading.sentence import Sentence, Thing

_ALSO = re.compile(r"\s*(?:,|，|、|and|or|和|跟|及|与)?\s*(?:and|和)?\s*(?:the\s+)?")
_TAKES_OUT = frozenset({"other", "create_order", "cancel_order", "deny", "cancel", "log_need", "update_deal"})


@dataclass(frozen=True, slots=True)
class Manner:
    """See the fields of `bot.nlu.Reading`."""

    takes_back: bool = False
    removes: tuple[str, ...] = ()
    further: bool = False


def manner(sentence: Sentence, verdict: Verdict) -> Manner:
    """Read it; the products that are taken out are in no line, so they are gone afterwards."""
    back = verdict.intent == "cancel_order" and bool(sentence.flagged("takes_back"))
    return Manner(back, _removed(sentence, verdict), bool(sentence.flagged("further")))


def _removed(sentence: Sentence, verdict: Verdict) -> tuple[str, ...]:
    if verdict.intent not in _TAKES_OUT or verdict.question or verdict.negated or sentence.flagged("but"):
        return ()
    products = sentence.of("product")
    out: list[Thing] = []
    for hit in sentence.flagged("removes"):
        for product in products:
            inside = hit.start <= product.start < hit.end
            joined = bool(out) and _ALSO.fullmatch(sentence.text.low, out[-1].end, product.start) is not None
            if (inside or joined) and product not in out:
                out.append(product)
    names: dict[str, None] = {}
    for product in out:
        product.gone = True
        names.update(dict.fromkeys(str(entry.name) for entry in product.value[:1]))
    return tuple(names)
