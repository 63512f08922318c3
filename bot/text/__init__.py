"""Every sentence the bot says, one language a file (`en.toml`), and the one way to say one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, lists, numbers

from core.values import Money

HERE = Path(__file__).parent
LOCALES = {"zh": "zh_Hans"}  # what Babel calls a language where it is not our own code


@cache
def languages() -> tuple[str, ...]:
    """The languages there is a file for, English first."""
    found = sorted(path.stem for path in HERE.glob("*.toml") if "." not in path.stem)
    return ("en", *(code for code in found if code != "en"))


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Every key of the language with its sentence: `order.title`."""
    with (HERE / f"{language}.toml").open("rb") as file:
        return dict(_flat("", tomllib.load(file)))


def supported(language: str) -> str:
    """The nearest language there is: `zh-Hans-CN` is `zh`, one we do not speak is English."""
    code = language.replace("_", "-").partition("-")[0].lower()
    return code if code in languages() else "en"


class Words:
    """Says a sentence in one language, with money, numbers and times as people write them there."""

    def __init__(self, language: str, zone: str = "UTC") -> None:
        self.language = supported(language)
        self.zone = ZoneInfo(zone)
        self._sentences = sentences(self.language)
        self._formatter = _Formatter(LOCALES.get(self.language, self.language), self.zone)

    def __call__(self, key: str, **facts: Any) -> str:
        """The sentence. A key without one is a mistake of ours and raises `KeyError`."""
        sentence = self._sentences[key]
        return self._formatter.vformat(sentence, (), facts) if facts else sentence

    def has(self, key: str) -> bool:
        return key in self._sentences

    def show(self, value: Any, spec: str = "") -> str:
        """One value as people write it: `$1,000.00`, `18%`, `21 Nov 2026`."""
        return str(self._formatter.format_field(value, spec))

    def under(self, prefix: str) -> dict[str, str]:
        """The sentences whose keys begin with the prefix, by what follows it."""
        return {key[len(prefix) :]: text for key, text in self._sentences.items() if key.startswith(prefix)}


class _Formatter(Formatter):
    """`{total}` by its type; `{count:one order|{} orders}` by number; `{day:time}` with the hour; `{x:percent}`."""

    def __init__(self, locale: str, zone: ZoneInfo) -> None:
        self._locale = locale
        self._zone = zone
        self._by_type: tuple[tuple[Any, Callable[[Any, str], str]], ...] = (
            (Money, lambda value, _: _money(value.amount, value.currency.code, locale)),
            (str, lambda value, _: value),
            (datetime, self._moment),  # before date, which it is too
            (date, lambda value, _: dates.format_date(value, "medium", locale=locale)),
            (bool, lambda value, _: str(value)),  # before int, which it is too
            (Decimal | int, lambda value, _: _number(Decimal(value), locale)),
            (list | tuple, lambda value, _: lists.format_list([str(item) for item in value], locale=locale)),
        )

    def format_field(self, value: Any, spec: str) -> Any:
        if "|" in spec:
            one, many = spec.split("|", 1)
            return (one if value == 1 else many).replace("#", self.format_field(value, ""))
        if spec == "percent":
            return f"{_number(Decimal(value), self._locale)}%"
        if spec == "id":  # an order's number takes no thousands separator
            return str(value)
        for kind, show in self._by_type:
            if isinstance(value, kind):
                return show(value, spec)
        return super().format_field(value, spec)

    def _moment(self, value: datetime, spec: str) -> str:
        local = value.astimezone(self._zone)
        day = dates.format_date(local, "medium", locale=self._locale)
        return f"{day} {local:%H:%M}" if spec == "time" else day


# An order's card says a dozen amounts and Babel takes its time over each.
@lru_cache(maxsize=4096)
def _money(amount: Decimal, currency: str, locale: str) -> str:
    places = numbers.get_currency_precision(currency)
    fine = amount != round(amount, places)  # a price a piece may be finer than a cent
    pattern = "¤#,##0.00##" if fine else None
    return numbers.format_currency(amount, currency, pattern, locale=locale, currency_digits=not fine)


@lru_cache(maxsize=4096)
def _number(value: Decimal, locale: str) -> str:
    return numbers.format_decimal(value, "#,##0.###", locale=locale)


def _flat(prefix: str, tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        found += _flat(f"{name}.", value) if isinstance(value, dict) else [(name, str(value))]
    return found
