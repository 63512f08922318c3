"""The app manifest: what an administrator pastes into Slack, so that setting up is paste, install, copy the tokens."""

from __future__ import annotations

from typing import Any, Literal

from bot.adapters.slack.inbox import COMMANDS, SHORTCUTS

# What each is for; `doctor` names the missing ones.
SCOPES = {
    "app_mentions:read": "hear when it is mentioned",
    "channels:history": "hear threads in public channels",
    "chat:write": "speak",
    "commands": "slash commands and shortcuts",
    "files:write": "send charts",
    "groups:history": "hear threads in private channels",
    "im:history": "hear direct messages",
    "im:write": "write to a person first",
    "mpim:history": "hear threads in group messages",
    "users:read": "a person's language and zone",
}
EVENTS = ("app_home_opened", "app_mention", "message.channels", "message.groups", "message.im", "message.mpim")
_ABOUT = {
    "/deal": ("Log a deal", "Acme, 40k, closes in March"),
    "/lead": ("Log a new lead", "Jo Park, Globex, wants a demo"),
    "/order": ("Place an order", "50 Pro seats for Acme, 12 months"),
    "/who": ("Find a customer", "Acme"),
    "/report": ("Show a report", "weekly sales"),
    "/pending": ("What waits for me", ""),
    "/dealdesk": ("Ask Dealdesk anything", "help"),
}
_SHORTCUTS = {"log_as_lead": "Log as lead", "log_as_need": "Log as need"}
PATH = "/slack/events"


def manifest(mode: Literal["socket", "http"], public_url: str = "") -> dict[str, Any]:
    """The manifest for the mode. HTTP needs the public address under which Slack reaches this server."""
    if mode == "http" and not public_url.startswith("https://"):
        raise ValueError("Slack sends requests to an https:// address only: give the public one.")
    url = {"url": public_url.rstrip("/") + PATH} if mode == "http" else {}
    request = {"request_url": url["url"]} if url else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Dealdesk",
            "description": "Deals, orders, approvals and charts, where the team talks.",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Dealdesk", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": key, "description": f"{name}, from this message"}
                for key, name in _SHORTCUTS.items()
                if key in SHORTCUTS
            ],
            "slash_commands": [_command(name) | url for name in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _command(name: str) -> dict[str, Any]:
    about, hint = _ABOUT[name]
    command: dict[str, Any] = {"command": name, "description": about, "should_escape": False}
    return command | ({"usage_hint": hint} if hint else {})
