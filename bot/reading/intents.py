"""Which intent a sentence has: phrases add up like independent hints, the manner of speaking decides the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.reading.phrases import MARKS
from bot.reading.sentence import Hit, Sentence

# What changes something: a question, a negation or somebody else's words never start these.
ACTS = frozenset({"approve_order", "reject_order", "cancel_order", "ship_order", "close_order", "create_order"})
DECISIONS = frozenset({"approve_order", "reject_order", "cancel_order", "ship_order", "close_order"})
_ENOUGH = 0.37  # a single faint hint wants nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """The intent and the manner it was said in."""

    intent: str
    confidence: float
    negated: bool = False
    question: bool = False
    correction: bool = False
    start: int = 0  # where the phrase that decided stands
    end: int = 0
    runner_up: str = ""
    reasons: tuple[str, ...] = ()


def decide(sentence: Sentence, expecting: Collection[str] = ()) -> Verdict:
    """Weigh the phrases of every intent; the manner of speaking may turn an act into a question or into nothing."""
    scores: dict[str, tuple[float, Hit]] = {}
    for intent, hits in sentence.hits.items():
        if intent[0] not in "?#":
            score, best = _weigh(hits, len(sentence.text.low))
            if best is not None and score > 0:
                scores[intent] = score, best
    question = bool(sentence.flagged("question"))
    correction = bool(sentence.flagged("correction"))
    request = bool(sentence.flagged("request"))
    forbids = bool(sentence.flagged("forbids")) and not sentence.flagged("affirmed")
    if not expecting and _bare_number(sentence):
        return Verdict("order_status", 0.6, question=question, reasons=("a bare number names an order",))
    if not scores or (expecting and _only_things(sentence)):
        return Verdict("other", 0.5, forbids, question and not request, correction)
    ranked = sorted(scores, key=lambda i: (-scores[i][0], i))
    intent = ranked[0]
    score, hit = scores[intent]
    reasons = [f"{intent} {scores[intent][0]:.2f}: {scores[intent][1].cue.template}" for intent in ranked[:3]]
    question = question and not request
    negated = _negated(sentence, hit) or (forbids and intent not in ACTS)
    if score < _ENOUGH:
        reasons.append("too little for any intent")
        return Verdict("other", 0.5, negated or forbids, question, correction, hit.start, hit.end, "", tuple(reasons))
    if intent in ACTS:
        turned = _turned(sentence, intent, hit, question=question, negated=negated)
        if turned:
            reasons.append(turned)
            priced = intent == "create_order" and bool(sentence.of("product"))  # "how much are 10 pro seats?"
            asked = turned.startswith("a question") and _about_order(sentence) and not priced
            intent = "order_status" if asked else "other"
            score = max(0.6, scores.get(intent, (0.0, hit))[0])
    runner_up = next((i for i in ranked if i != intent), "")
    return Verdict(
        intent,
        round(min(score, 0.99), 3),
        negated,
        question,
        correction,
        hit.start,
        hit.end,
        runner_up,
        tuple(reasons),
    )


def _only_things(sentence: Sentence) -> bool:
    """Nothing but names and figures: an answer to what was asked."""
    return bool(sentence.things) and not any(c.isalnum() and not MARKS[0] <= c <= MARKS[-1] for c in sentence.marked)


def _bare_number(sentence: Sentence) -> bool:
    """ "4497" and nothing else: three digits or more are an order's number."""
    things = sentence.things
    if len(things) != 1 or things[0].kind != "number" or not _only_things(sentence):
        return False
    typed = sentence.text.low[things[0].start : things[0].end]
    return len(typed) > 2 and typed.isdigit()


def _weigh(hits: list[Hit], size: int) -> tuple[float, Hit | None]:
    """One minus the chance that every hint is wrong; what speaks against an intent takes its share away."""
    doubt, against = 1.0, 1.0
    best: Hit | None = None
    best_weight = 0.0
    strong = 0
    for hit in sorted(hits, key=lambda h: (-h.cue.weight, h.start - h.end)):
        weight = hit.cue.weight
        if weight < 0:
            against *= 1 + weight
            continue
        weight *= 0.9 + 0.1 * min(1.0, (hit.end - hit.start) / max(size, 1))
        if strong < 4:
            doubt *= 1 - weight
            strong += 1
        if weight > best_weight:
            best, best_weight = hit, weight
    return (1 - doubt) * against, best


def _negated(sentence: Sentence, hit: Hit) -> bool:
    """A "not" shortly before the phrase, in the same clause."""
    if any(f.start <= hit.end and f.end >= hit.start - 12 for f in sentence.flagged("affirmed")):
        return False
    low = sentence.text.low
    for flag in sentence.flagged("negation"):
        if flag.start >= hit.start and _own_words(low[flag.start : flag.end], hit):
            continue  # "I can't approve 42" is what a rejection sounds like
        if flag.start <= hit.end and flag.end >= hit.start - 25 and not _breaks(low, flag.end, hit.start):
            return True
    return False


def _own_words(words: str, hit: Hit) -> bool:
    """Whether the negation is a part of the phrase itself."""
    return hit.cue.intent in ("reject_order", "cancel_order") and words.strip() in _own(hit)


def _own(hit: Hit) -> str:
    lists = "|".join("|".join(hit.cue.lists[name]) for name in hit.cue.lists if f"<{name}>" in hit.cue.template)
    return f"{hit.cue.template}|{lists}"


def _breaks(low: str, start: int, end: int) -> bool:
    return any(mark in low[start:end] for mark in ".;,!?。\n")


def _turned(sentence: Sentence, intent: str, hit: Hit, *, question: bool, negated: bool) -> str:
    """Why this act is not to be done after all, or nothing."""
    if sentence.flagged("overruling"):
        return "nobody overrules the rules in a message"
    if question:
        return "a question starts nothing"
    if negated:
        return "a negation starts nothing"
    if intent in DECISIONS and _not_their_own(sentence, intent, hit):
        return "somebody else's words, or a condition, start nothing"
    return ""


def _not_their_own(sentence: Sentence, intent: str, hit: Hit) -> bool:
    """ "Bob said approve 42", "approve 42 if they pay": not this person's decision, or not yet."""
    low = sentence.text.low
    for flag in sentence.flagged("reported"):
        between = low[flag.end : hit.start]
        joined = not any(c.isalnum() for c in between) or not _breaks(low, flag.end, hit.start)
        if flag.end <= hit.end and flag.start <= hit.start and joined:
            return True
    for flag in (*sentence.flagged("afterwards"), *sentence.flagged("hold")):
        behind = intent == "reject_order" and _breaks(low, hit.end - 1, flag.end)
        if flag.start >= hit.start and not behind:  # what follows a rejection is its reason
            return True
    return False


def _about_order(sentence: Sentence) -> bool:
    return any(thing.kind == "number" for thing in sentence.things) or "order_status" in sentence.hits
