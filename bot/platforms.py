"""The platforms that the settings set up: their adapters, what they serve over HTTP, and what a doctor finds.

A platform's library is imported only when it is set up: each costs a good part of a second and many megabytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bot.config import ConfigError
from bot.messages import Adapter, Shelf
from bot.settings import Settings
from bot.text import Words, languages, supported
from core.desk import Company
from core.team import Role

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from bot.adapters.slack import SlackAdapter
    from bot.adapters.telegram import TelegramAdapter
    from bot.adapters.web import WebAdapter, WebPerson

LOOPBACK = ("127.0.0.1", "localhost", "::1")
CLOCK_OFF = 60.0  # seconds; Slack refuses signatures that are five minutes off

Finding = tuple[str, bool, str]  # what was looked at, whether it is well, what to do when it is not


@dataclass(slots=True)
class Platforms:
    """What is set up. `names` in the order in which somebody is told something; `absent` says what is not, and why."""

    adapters: list[Adapter] = field(default_factory=list)
    routes: list[BaseRoute] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def names(settings: Settings) -> list[str]:
    """The platforms set up, the best place to tell somebody something first. Imports nothing."""
    real = [("slack", settings.slack_bot_token), ("telegram", settings.telegram_token)]
    return [*(name for name, token in real if token), "web"]


def build(settings: Settings, company: Company, shelf: Shelf) -> Platforms:
    """Every adapter that the settings set up. The page is always there."""
    found = Platforms(names=names(settings))
    page = web(settings, company, shelf)
    found.adapters.append(page)
    found.routes += page.routes
    for name, make in (("slack", slack), ("telegram", telegram)):
        if name not in found.names:
            found.absent.append(f"{name.capitalize()} is not set up: DEALDESK_{TOKENS[name]} is empty.")
            continue
        adapter = make(settings, company)
        found.adapters.append(adapter)
        found.routes += adapter.routes
    return found


TOKENS = {"slack": "SLACK_BOT_TOKEN", "telegram": "TELEGRAM_TOKEN"}


def web(settings: Settings, company: Company, shelf: Shelf) -> WebAdapter:
    from bot.adapters.web import WebAdapter  # noqa: PLC0415

    people = web_people(company)
    hosts = () if settings.host in LOOPBACK else (settings.host,)
    return WebAdapter(lambda: people, shelf, company.name, allow_hosts=hosts)


def web_people(company: Company) -> list[WebPerson]:
    """Who can be chosen on the page: reps first, then those who approve, so that three panes show the whole path."""
    from bot.adapters.web import WebPerson  # noqa: PLC0415

    order, words = list(Role), Words(company.language)
    people = sorted((p for p in company.roster.people.values() if p.active), key=lambda p: order.index(p.role))
    teams = company.teams
    return [WebPerson(p.id, p.name, words(f"role.{p.role}"), p.language, teams.get(p.team, p.team)) for p in people]


def slack(settings: Settings, company: Company) -> SlackAdapter:
    """Socket Mode with an app-level token (no public address needed), else signed requests on our server."""
    from bot.adapters.slack import SlackAdapter  # noqa: PLC0415
    from bot.adapters.slack.words import SlackWords  # noqa: PLC0415

    if not settings.slack_app_token and not settings.slack_signing_secret:
        raise ConfigError(
            "DEALDESK_SLACK_BOT_TOKEN is set, but neither DEALDESK_SLACK_APP_TOKEN (Socket Mode) nor"
            " DEALDESK_SLACK_SIGNING_SECRET (HTTP) is. Set one; `dealdesk slack manifest` makes the app."
        )
    spoken = {code: SlackWords(**Words(code).under("slack.")) for code in languages()}
    return SlackAdapter(
        bot_token=settings.slack_bot_token,
        app_token=settings.slack_app_token,
        signing_secret=settings.slack_signing_secret,
        api_url=settings.slack_api_url,
        words=lambda language: spoken[supported(language or company.language)],
    )


def telegram(settings: Settings, company: Company) -> TelegramAdapter:  # noqa: ARG001 -- as every platform's maker
    """Long polling; with a public address and a webhook secret, a webhook on our server."""
    from bot.adapters.telegram import WEBHOOK_PATH, TelegramAdapter  # noqa: PLC0415
    from bot.adapters.telegram.words import TelegramWords  # noqa: PLC0415

    hooked = bool(settings.telegram_webhook_secret and settings.public_url)
    if settings.telegram_webhook_secret and not settings.public_url:
        raise ConfigError(
            "DEALDESK_TELEGRAM_WEBHOOK_SECRET is set, but DEALDESK_PUBLIC_URL is not: Telegram must know where this"
            " server is reached. Set it, or leave the secret empty for long polling."
        )
    spoken = {}
    for code in languages():
        said = Words(code).under("telegram.")
        menu = {key.removeprefix("menu."): text for key, text in said.items() if key.startswith("menu.")}
        plain: dict[str, Any] = {key: text for key, text in said.items() if not key.startswith("menu.")}
        spoken[code] = TelegramWords(**plain, menu=menu)
    try:
        return TelegramAdapter(
            token=settings.telegram_token,
            api_url=settings.telegram_api_url,
            webhook_url=settings.public_url.rstrip("/") + WEBHOOK_PATH if hooked else "",
            webhook_secret=settings.telegram_webhook_secret if hooked else "",
            words=spoken,
        )
    except ValueError as error:
        raise ConfigError(f"Telegram cannot be set up: {error}.") from None


# ---------------------------------------------------------------- the doctor


def examine(settings: Settings, company: Company) -> list[Finding]:
    """What stands in the way of the platforms set up: tokens, scopes, reachability, clock, people without logins."""
    findings: list[Finding] = []
    for name, make in (("slack", slack), ("telegram", telegram)):
        if name not in names(settings):
            remedy = f"to use it, set DEALDESK_{TOKENS[name]}"
            findings.append((f"{name}: not set up ({remedy})", True, ""))
            continue
        findings += [(f"{name}: {what}", well, remedy) for what, well, remedy in _asked(make, settings, company)]
        findings += _without_login(name, company)
    findings.append(_clock(settings))
    return findings


def _asked(make: Callable[[Settings, Company], Any], settings: Settings, company: Company) -> Sequence[Finding]:
    try:
        found: Sequence[Finding] = make(settings, company).check()
    except ConfigError as error:
        return [(str(error), False, "see the message")]
    return found


def _without_login(platform: str, company: Company) -> list[Finding]:
    people = [p for p in company.roster.people.values() if p.active]
    missing = [p.name for p in people if not any(login.startswith(f"{platform}:") for login in p.logins)]
    if not missing:
        return []
    remedy = f"add their {platform} logins to company.toml, or let each type “link me” where they are known"
    return [(f"{platform}: {len(missing)} of {len(people)} people have no login yet ({remedy})", True, "")]


def _clock(settings: Settings) -> Finding:
    """Our clock against the one of the first platform set up: signatures and tokens depend on it."""
    urls = {"slack": settings.slack_api_url, "telegram": settings.telegram_api_url}
    url = next((urls[name] for name in names(settings) if name in urls), "")
    if not url.startswith(("http://", "https://")):
        return ("clock: nothing to compare it with", True, "")
    before = time.time()
    try:
        with urlopen(Request(url, method="HEAD"), timeout=10) as answer:  # noqa: S310 -- checked above
            said = answer.headers.get("Date")
    except HTTPError as error:  # an answer too, and it carries the time
        said = error.headers.get("Date")
    except OSError as error:
        return (f"clock: {url} cannot be reached", False, f"check the network ({error})")
    if not said:
        return ("clock: the platform did not say the time", True, "")
    ours = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    off = abs((ours - parsedate_to_datetime(said)).total_seconds())
    return (f"clock: {off:.0f} s off", off < CLOCK_OFF, "set this machine's clock (NTP): signatures are refused")


def told(findings: Sequence[Finding]) -> str:
    """The findings for people; where one is not well, what to do about it."""
    return "\n".join(f"ok   {what}" if well else f"BAD  {what}\n       {remedy}" for what, well, remedy in findings)
