"""Reading a TOML file that a person wrote: what is wrong is said with the file, the line and a remedy."""

from __future__ import annotations

import re
import tomllib
from decimal import InvalidOperation
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


class ConfigError(Exception):
    """Something set up that cannot be used: which, where in it, why, and what to do. Shown as it is; exit code 2."""


def read_toml(path: Path, kind: type[T], choices: dict[str, str] | None = None) -> T:
    """The file as `kind`. `choices` adds to a complaint about a key what may be written there."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a byte order mark first
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise ConfigError(f"{path}: {why}. `dealdesk init` writes one to start from.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    try:
        return msgspec.convert(tomllib.loads(text), kind, strict=False)
    except (tomllib.TOMLDecodeError, InvalidOperation) as error:
        last = len(text.splitlines())
        why = str(error).replace("(at end of document)", f"(at line {last}, the end)")
        raise ConfigError(f"{path}: {why}. Check the quotes and brackets there.") from None
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        where = where.rstrip("`").lstrip(".")
        unknown = _UNKNOWN.search(why)
        if unknown:
            where = f"{where}.{unknown[1]}" if where else unknown[1]
        hint = (choices or {}).get(where.rpartition(".")[2], "")
        raise wrong(path, where, f"{why}; {hint}" if hint else why) from None


def wrong(path: Path, where: str, why: str) -> ConfigError:
    """The complaint about `where` (`rule[1].ask`), with its line when it can be found."""
    line = line_of(path.read_text(encoding="utf-8-sig"), where)
    return ConfigError(f"{path}, line {line}: {why.rstrip('.')}." if line else f"{path}: {why.rstrip('.')}.")


def line_of(text: str, where: str) -> int:
    """The line of `rule[1].ask` (that key of the second `[[rule]]`, or the table's own line), of `rates.EUR` or `zone`.

    0 when there is no such place.
    """
    found = re.fullmatch(r"(?:(?P<list>\w+)\[(?P<at>\d+)\]|(?P<table>\w+)(?=\.))?\.?(?P<key>[\w-]*).*", where)
    if found is None or not where:
        return 0
    head = f"[[{found['list']}]]" if found["list"] else f"[{found['table']}]" if found["table"] else ""
    wanted, seen = int(found["at"] or 0), -1
    start = 0 if head else 1
    inside = not head
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("["):
            seen += bool(head) and bare.startswith(head)
            inside = bool(head) and bare.startswith(head) and seen == wanted
            start = number if inside else start
        elif inside and found["key"] and bare.partition("=")[0].strip().strip('"') == found["key"]:
            return number
    return start if head else 0
