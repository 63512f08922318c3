"""Text as Slack writes it: what a person typed read back from Slack's markup, and our text made safe for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

_SPECIAL = re.compile(r"<([^<>]*)>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MARKUP = re.compile(r"[*_~`]|:[\w+'-]+:|^\s*(?:>|&gt;)", re.MULTILINE)
_GREETING = re.compile(r"^[\s,:;，：、；]+")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")  # zero-width joiner and variation selectors: inside one emoji
_SKINS = range(0x1F3FB, 0x1F400)


def typed(text: str, bot: str = "") -> str:
    """What the person typed: Slack's `<...>` markup and entities undone, the mention of `bot` left out.

    Slack sends `<https://example.com|example.com>` for a typed `example.com`, `<@U1|mia>` for a mention, and
    `&amp;`, `&lt;`, `&gt;` for the three characters that its markup needs.
    """
    if bot:
        mention = re.compile(rf"<@{re.escape(bot)}(?:\|[^<>]*)?>")
        begins = mention.match(text.lstrip())
        text = mention.sub(" ", text)
        if begins:  # "@dealdesk, order ..."
            text = _GREETING.sub("", text)
    text = _SPECIAL.sub(lambda found: _shown(found[1]), text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"[^\S\n]{2,}", " ", text.replace("\xa0", " ")).strip()


def _shown(inside: str) -> str:
    """What `<inside>` stood for on the screen of the person who typed it."""
    target, _, label = inside.partition("|")
    if target.startswith(("@", "#")):
        return target[0] + (label or target[1:]).removeprefix(target[0])
    if target.startswith("!"):  # <!here>, <!subteam^S1|@sales>, <!date^1700000000^{date}|14 November>
        return label or "@" + target[1:].partition("^")[0]
    return label or target.removeprefix("mailto:").removeprefix("tel:")


def mentions(text: str, bot: str) -> bool:
    return bool(bot) and (f"<@{bot}>" in text or f"<@{bot}|" in text)


def clean(text: str) -> str:
    """Text that JSON and Slack carry: no control characters, no halves of surrogate pairs, plain line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def escape(text: str) -> str:
    """The three characters that Slack parses in every text object; nothing else may be encoded."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def styled(text: str) -> bool:
    """Whether Slack would take part of the text for formatting, an emoji's name or a quotation."""
    return _MARKUP.search(text) is not None


def width(text: str) -> int:
    """The length as the strictest reading of Slack's limits counts it: escaped, in UTF-16 units."""
    return len(escape(text).encode("utf-16-le", "surrogatepass")) // 2


def plain_width(text: str) -> int:
    """The length of text that is not escaped (typed into a form, or a table's cell), in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pieces(text: str, size: int, measure: Callable[[str], int] = width) -> Iterator[str]:
    """The text in parts of at most `size`, cut at line ends, else at spaces, else between two characters.

    Nothing but white space at a cut is lost.
    """
    while measure(text) > size:
        cut = _cut(text, _longest(text, size, measure))
        head, text = text[:cut], text[cut:]
        if head.strip():
            yield head.strip("\n")
        text = text.lstrip()
    if text.strip():
        yield text


def head(text: str, size: int, measure: Callable[[str], int] = width) -> str:
    """The beginning of the text with an ellipsis when it is longer than `size`; for where a label must be short."""
    if measure(text) <= size:
        return text
    return text[: _between(text, _longest(text, size - 1, measure))].rstrip() + "…"


def _longest(text: str, size: int, measure: Callable[[str], int]) -> int:
    """How many characters fit; at least one."""
    low, high = 1, min(len(text), size)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= size:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, longest: int) -> int:
    for mark in ("\n", " "):
        found = text.rfind(mark, longest // 2, longest + 1)
        if found > 0:
            return found
    return _between(text, longest)


def _between(text: str, cut: int) -> int:
    """A place near `cut` that does not tear an accent from its letter or an emoji apart."""
    place = cut
    while place > 1 and cut - place < 16 and place < len(text) and _joined(text[place - 1], text[place]):
        place -= 1
    return place if cut - place < 16 else cut


def _joined(before: str, after: str) -> bool:
    return (
        after in _JOINERS
        or before == "\u200d"
        or unicodedata.combining(after) != 0
        or ord(after) in _SKINS
        or (0x1F1E6 <= ord(after) <= 0x1F1FF and 0x1F1E6 <= ord(before) <= 0x1F1FF)
    )
