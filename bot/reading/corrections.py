"""People correct themselves: "4, sorry, I meant 9", "for Globex, not Acme", "不是50，是60". The last word wins."""

from __future__ import annotations

from dataclasses import replace

from bot.reading.sentence import Sentence, Thing

_REACH = 6  # characters between "I meant" and what was meant
_CLOSE = 12  # characters between what was wrong and "no, "


def correct(sentence: Sentence) -> None:
    """Take back what the speaker took back; what was corrected keeps its place and its purpose."""
    for hit in sentence.flagged("correct_to"):
        meant = _next(sentence, hit.end)
        if meant is None:
            continue
        wrong = _wrong(sentence, meant, hit.start)
        if wrong is not None:
            if any(0 <= t.start - meant.end <= 2 for t in sentence.of("product")):
                wrong.gone = True  # "4, I meant 9 Pro seats": the new figure already stands where it belongs
            else:
                _replace(wrong, meant)
            sentence.reasons.append(f"{_words(sentence, meant)!r} corrects {_words(sentence, wrong)!r}")
    for hit in sentence.flagged("but"):
        inside = [t for t in sentence.things if hit.start <= t.start and t.end <= hit.end and not t.gone]
        if inside:
            _drop_if_another(sentence, inside[0])
    for hit in sentence.flagged("instead"):
        dropped = _next(sentence, hit.end)
        if dropped is not None:
            _drop_if_another(sentence, dropped)


def _words(sentence: Sentence, thing: Thing) -> str:
    return sentence.text.typed[thing.start : thing.end]


def _next(sentence: Sentence, place: int) -> Thing | None:
    for thing in sentence.things:
        if thing.start >= place and not thing.gone:
            gap = sentence.text.low[place : thing.start]
            return thing if len(gap) <= _REACH and "." not in gap.strip(" .") else None
    return None


def _wrong(sentence: Sentence, meant: Thing, before: int) -> Thing | None:
    """What the correction is about: the nearest thing of its kind before it. A bare number may correct any figure."""
    left = [t for t in sentence.things if t.end <= before + 1 and not t.gone and t is not meant]
    if not left:
        return None
    if meant.kind == "number":
        if not meant.value.unit and left[-1].figure and before - left[-1].end <= _CLOSE:
            return left[-1]
        return next((t for t in reversed(left) if t.kind == "number"), None)
    return next((t for t in reversed(left) if t.kind == meant.kind), None)


def _replace(wrong: Thing, meant: Thing) -> None:
    if not wrong.figure:
        wrong.gone = True
        return
    if wrong.kind in (meant.kind, "money"):
        value = meant.value
        if wrong.kind != "percent" and not value.currency:
            value = replace(
                value, currency=wrong.value.currency, each=wrong.value.each, unit=value.unit or wrong.value.unit
            )
        wrong.value = value
    elif wrong.kind == "percent":
        wrong.value = meant.value.value
    wrong.roles -= {"price", "total"} & (meant.roles ^ wrong.roles) if meant.roles & {"price", "total"} else set()
    wrong.roles |= meant.roles - {"order"}
    meant.gone = True


def _drop_if_another(sentence: Sentence, thing: Thing) -> None:
    if any(t.kind == thing.kind and t is not thing and not t.gone for t in sentence.things):
        thing.gone = True
        sentence.reasons.append(f"{_words(sentence, thing)!r} was taken back")
