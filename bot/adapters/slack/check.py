"""What `doctor` asks of Slack: the tokens, the scopes, whether it is reached, and the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.manifest import SCOPES

Finding = tuple[str, bool, str]  # what was looked at, whether it is well, what to do when it is not

APPS = "https://api.slack.com/apps"
SKEW = 120.0  # seconds; a signature counts for five minutes
TIMEOUT = 15.0


async def examine(
    api_url: str, bot_token: str, app_token: str, signing_secret: str, logger: logging.Logger
) -> list[Finding]:
    """Ask Slack, without changing anything there."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = AsyncWebClient(token=bot_token, base_url=api_url, session=session, logger=logger)
        findings = await _bot(client, bot_token)
        if app_token:
            findings.append(await _socket(client, app_token))
        else:
            hint = "set DEALDESK_SLACK_SIGNING_SECRET to the Signing Secret of Basic Information"
            findings.append(("signing secret", bool(signing_secret), hint))
    return findings


async def _bot(client: AsyncWebClient, token: str) -> list[Finding]:
    if not token.startswith("xoxb-"):
        hint = "set DEALDESK_SLACK_BOT_TOKEN to the Bot User OAuth Token, which begins with xoxb-"
        return [("bot token", False, hint)]
    answer, error = await _asked(client.auth_test())
    if error == "unreachable":
        return [("reaching Slack", False, f"no answer from {client.base_url}: check the network and any proxy")]
    findings: list[Finding] = [("reaching Slack", True, "")]
    if error:
        hint = f"Slack says {error}: install the app again ({APPS}) and copy its Bot User OAuth Token"
        return [*findings, ("bot token", False, hint)]
    findings.append(("bot token", True, ""))
    headers = {str(key).lower(): _text(value) for key, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = {scope: SCOPES[scope] for scope in sorted(SCOPES.keys() - granted)} if granted else {}
    wanted = ", ".join(f"{scope} ({use})" for scope, use in missing.items())
    hint = f"missing: {wanted}. Paste the manifest again (dealdesk slack manifest) and reinstall" if missing else ""
    findings.append(("scopes", not missing, hint))
    if "date" in headers:
        off = abs(time.time() - parsedate_to_datetime(headers["date"]).timestamp())
        findings.append(("clock", off < SKEW, f"this machine's clock is {off:.0f} s off Slack's: set it by NTP"))
    return findings


async def _socket(client: AsyncWebClient, token: str) -> Finding:
    if not token.startswith("xapp-"):
        hint = "DEALDESK_SLACK_APP_TOKEN must begin with xapp-: Basic Information, App-Level Tokens"
        return ("app-level token", False, hint)
    _, error = await _asked(client.apps_connections_open(app_token=token))
    hint = f"Slack says {error}: make a token with connections:write, switch Socket Mode on ({APPS})" if error else ""
    return ("app-level token", not error, hint)


async def _asked(call: Any) -> tuple[Any, str]:
    """The answer, or Slack's word for what is wrong."""
    try:
        return await asyncio.wait_for(call, TIMEOUT), ""
    except SlackClientError as error:
        data = getattr(getattr(error, "response", None), "data", None)
        return None, str(data.get("error") or "no") if isinstance(data, dict) and data.get("error") else "unreachable"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError):
        return None, "unreachable"


def _text(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value)
