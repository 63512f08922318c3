"""What a doctor asks Telegram: is the token taken, does the webhook fit how we listen, what may the bot see."""

from __future__ import annotations

from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.adapters.telegram.line import Line, Slow, told

Finding = tuple[str, bool, str]


async def findings(line: Line, webhook_url: str) -> list[Finding]:
    """Each finding, whether it is well, and what to do or to know about it."""
    try:
        me = await line.call("getMe")
        info = await line.call("getWebhookInfo")
    except TelegramError as error:
        return [(f"Telegram: {told(error)}", False, remedy(error))]
    found: list[Finding] = [(f"Telegram knows the bot as @{me.get('username', '?')}", True, "")]
    found.append(_webhook(str(info.get("url", "")), webhook_url))
    trouble = info.get("last_error_message")
    if webhook_url and trouble:
        found.append(
            (f"Telegram's last call to the webhook failed: {trouble}", False, "Check DEALDESK_PUBLIC_URL from outside.")
        )
    if me.get("can_join_groups") is False:
        found.append(("The bot cannot be added to groups", False, "Allow it with /setjoingroups at @BotFather."))
    if me.get("can_read_all_group_messages"):
        advice = "It answers only when named, answered or commanded; /setprivacy at @BotFather hides the rest from it."
        found.append(("The bot is shown everything said in its groups", True, advice))
    else:
        advice = (
            "In groups it is shown commands, replies to it and messages that name it. Where naming it does nothing, "
            "reply to it, write /order@its_name, or make it an administrator."
        )
        found.append(("Privacy mode is on", True, advice))
    return found


def _webhook(stands: str, wanted: str) -> Finding:
    if stands == wanted:
        return ("The webhook is set" if wanted else "Updates are read by long polling", True, "")
    if wanted:
        return ("The webhook is not set to this address yet", True, "`dealdesk serve` sets it when it starts.")
    return (
        "A webhook is set, so long polling would be refused",
        False,
        "`dealdesk serve` removes it when it starts. If another program set it, give this one a bot of its own.",
    )


def remedy(error: TelegramError) -> str:
    """What somebody can do about it."""
    if isinstance(error, InvalidToken):
        return (
            "Check DEALDESK_TELEGRAM_TOKEN: @BotFather shows it under /mybots, API Token."
            " DEALDESK_TELEGRAM_API_URL has to be the address alone."
        )
    if isinstance(error, BadRequest):
        return "Check DEALDESK_PUBLIC_URL: Telegram calls HTTPS on port 443, 80, 88 or 8443."
    if isinstance(error, Slow):
        return "Too many calls were made: it goes on by itself."
    return "Check that this machine can reach DEALDESK_TELEGRAM_API_URL."
