"""A list of names that are looked for in sentences, forgiving about plurals, short forms and typing.

What a database of a million names must offer to stand in for it: `spans`, `near` and `find`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.entities.found import Unit, clean, units

# Legal forms say nothing about who is meant; a name is also known without the one at its end.
_LEGAL = frozenset(
    [
        "inc",
        "corp",
        "corporation",
        "co",
        "company",
        "ltd",
        "limited",
        "llc",
        "llp",
        "plc",
        "gmbh",
        "ag",
        "sa",
        "srl",
        "bv",
        "kg",
        "pty",
        "holdings",
        "group",
    ]
)
_LEGAL_HAN = ("股份有限公司", "有限责任公司", "有限公司", "集团公司", "集团", "公司")
_SMALL = frozenset(["the", "a", "an", "of", "and", "for", "to", "in", "on", "at", "by", "de", "la", "le", "el", "new"])
_RARE = 8  # grams looked up for one name: the rarest tell most
_CROWD = 400  # names rescored for one question


@dataclass(frozen=True, slots=True)
class Entry:
    """Something with a name. `name` is what the database says; `aliases` are what people also say."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A name that is like what was typed; `score` 1 is the same."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Span:
    """Names found at a place in a sentence. Several entries: it could be any of them.

    `whole` says that a full name or alias stood there, not only its beginning.
    """

    start: int
    end: int
    entries: tuple[Entry, ...]
    whole: bool


class Gazetteer:
    """Names that can be found in text. Built once, never changed, safe to share between threads.

    `tails`: a name is also meant by its last word ("seats" when three products are some kind of seat).
    """

    def __init__(self, entries: Iterable[Entry] = (), *, tails: bool = False) -> None:
        self.entries = tuple(entries)
        whole: dict[tuple[str, ...], dict[str, Entry]] = defaultdict(dict)
        part: dict[tuple[str, ...], dict[str, Entry]] = defaultdict(dict)
        tail: dict[tuple[str, ...], dict[str, Entry]] = defaultdict(dict)
        self._spelled: list[tuple[str, Entry]] = []
        for entry in self.entries:
            for form in (entry.name, *entry.aliases):
                self._learn(form, entry, whole, part, tail, tails=tails)
        self._names = {form: tuple(found.values()) for form, found in whole.items()}
        self._first: dict[str, list[tuple[tuple[str, ...], tuple[Entry, ...], bool]]] = defaultdict(list)
        for said, held in whole.items():
            self._first[said[0]].append((said, tuple(held.values()), True))
        for said, held in (tail | part).items():  # the beginning of a name says more than its end
            if said not in whole:
                self._first[said[0]].append((said, tuple(held.values()), False))
        for known in self._first.values():
            known.sort(key=lambda k: (-len(k[0]), not k[2]))
        self._grams: dict[str, list[int]] = defaultdict(list)
        for at, (spelling, _) in enumerate(self._spelled):
            for gram in grams(spelling):
                self._grams[gram].append(at)
        self._han = self._diagonals()

    def _learn(
        self,
        form: str,
        entry: Entry,
        whole: dict[tuple[str, ...], dict[str, Entry]],
        part: dict[tuple[str, ...], dict[str, Entry]],
        tail: dict[tuple[str, ...], dict[str, Entry]],
        *,
        tails: bool,
    ) -> None:
        low = clean(form).low
        said = tuple(singular(word) for word in units(low))
        if not said:
            return
        whole[said][entry.key] = entry
        spellings = {spell(low)}
        latin = all(len(word) > 1 or word.isascii() for word in said)
        if len(said) > 1 and latin:
            whole[("".join(said),)][entry.key] = entry
        if said[0] == "the" and len(said) > 1:
            whole[said[1:]][entry.key] = entry
        bare = _bare(said)
        if bare and bare != said:
            part[bare][entry.key] = entry
            spellings.add(spell("".join(bare) if not latin else " ".join(bare)))
        for n in range(1, len(said)):
            head = said[:n]
            if (latin and len("".join(head)) >= 3 and head[-1] not in _SMALL) or (not latin and n >= 2):
                part[head][entry.key] = entry
        if tails and len(said) > 1 and latin and len(said[-1]) > 2 and not said[-1].isdigit():
            tail[said[-1:]][entry.key] = entry
        self._spelled.extend((spelling, entry) for spelling in sorted(spellings) if spelling)

    def _diagonals(self) -> dict[str, list[tuple[int, int]]]:
        """Where each Chinese character stands in which name: for names typed with one wrong character."""
        places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, (spelling, _) in enumerate(self._spelled):
            if len(spelling) >= 3 and not spelling.isascii():
                for offset, char in enumerate(spelling):
                    places[char].append((at, offset))
        return places

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, name: str) -> tuple[Entry, ...]:
        """Who has exactly this name or alias, however it is written."""
        return self._names.get(tuple(singular(word) for word in units(clean(name).low)), ())

    def spans(self, text: str) -> list[Span]:
        """Every known name in the text, the longest at each place, from left to right."""
        return self.look(clean(text).units)

    def look(self, words: Sequence[Unit]) -> list[Span]:
        """`spans` for text that is already cut into units."""
        found: list[Span] = []
        first = self._first
        if not first:
            return found
        at, size = 0, len(words)
        while at < size:
            known = first.get(words[at].word) or first.get(singular(words[at].word))
            step = 1
            if known:
                for form, entries, whole in known:
                    n = len(form)
                    if n == 1 or (
                        at + n <= size
                        and all(
                            words[at + i].word == form[i] or singular(words[at + i].word) == form[i]
                            for i in range(1, n)
                        )
                        and words[at + n - 1].end - words[at].start <= sum(map(len, form)) + 3 * n
                    ):
                        found.append(Span(words[at].start, words[at + n - 1].end, entries, whole))
                        step = n
                        break
            at += step
        return found

    def near(self, text: str, limit: int = 5) -> list[Match]:
        """The names most like this text, best first; nothing that is less than half like it."""
        from rapidfuzz.distance import OSA  # noqa: PLC0415 half of this module's import time, and few messages need it

        asked = spell(clean(text).low)
        if not asked or not self._spelled:
            return []
        keys = sorted((len(self._grams[g]), g) for g in grams(asked) if g in self._grams)[:_RARE]
        votes: dict[int, int] = defaultdict(int)
        for _, gram in keys:
            for at in self._grams[gram]:
                votes[at] += 1
        crowd = sorted(votes, key=lambda at: -votes[at])[:_CROWD] if len(votes) > _CROWD else votes
        best: dict[str, Match] = {}
        for at in crowd:
            spelling, entry = self._spelled[at]
            score = OSA.normalized_similarity(asked, spelling, score_cutoff=0.5)
            if score >= 0.5 and (entry.key not in best or best[entry.key].score < score):
                best[entry.key] = Match(entry, score)
        return sorted(best.values(), key=lambda m: (-m.score, m.entry.name))[:limit]

    def almost(self, words: Sequence[Unit]) -> list[Span]:
        """Chinese names of three characters or more that stand in the text with one wrong character."""
        if not self._han:
            return []
        votes: dict[tuple[int, int], int] = defaultdict(int)
        for place, unit in enumerate(words):
            for at, offset in self._han.get(unit.word, ()):
                votes[at, place - offset] += 1
        found: list[Span] = []
        for (at, start), hits in sorted(votes.items(), key=lambda v: (-v[1], v[0])):
            spelling, entry = self._spelled[at]
            end = start + len(spelling)
            enough = hits == len(spelling) - 1 and start >= 0 and end <= len(words)
            if enough and words[end - 1].end - words[start].start == len(spelling):
                found.append(Span(words[start].start, words[end - 1].end, (entry,), whole=False))
        return found


def spell(low: str) -> str:
    """A name as it is compared: its words with single blanks, Chinese without any."""
    said = units(low)
    joint = "" if any(not word.isascii() and len(word) == 1 for word in said) else " "
    return joint.join(said)


def grams(spelling: str) -> set[str]:
    """The overlapping pieces a name is looked up by: three letters, or two Chinese characters and each alone."""
    if spelling.isascii():
        padded = f" {spelling} "
        return {padded[i : i + 3] for i in range(len(padded) - 2)}
    return {spelling[i : i + 2] for i in range(len(spelling) - 1)} | set(spelling)


def singular(word: str) -> str:
    """A word without its plural s: "seats" and "seat" are the same name."""
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" and word.isascii() else word


def _bare(said: tuple[str, ...]) -> tuple[str, ...]:
    if len(said) > 1 and said[-1] in _LEGAL:
        return said[:-1]
    joined = "".join(said)
    for legal in _LEGAL_HAN:
        if joined.endswith(legal) and len(joined) - len(legal) >= 2 and said[-1] == legal[-1]:
            return said[: len(said) - len(legal)]
    return said
