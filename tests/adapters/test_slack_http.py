"""Slack's requests over HTTP: signatures, sizes, shapes, retries; and what an administrator sets up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from bot import messages as m
from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.manifest import EVENTS, SCOPES, manifest
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, SECRET, Ack, FakeSlack

from .slack_room import SlackRoom

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def room() -> Iterator[SlackRoom]:
    room = SlackRoom("http")
    yield room
    room.close()


def post(room: SlackRoom, body: bytes | str, content_type: str = "application/json", **options: Any) -> Ack:
    raw = body if isinstance(body, bytes) else body.encode()
    ack: Ack = room.slack.run(room.slack.post(raw, content_type, **options))
    return ack


def test_the_address_is_confirmed(room: SlackRoom) -> None:
    ack = post(room, json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}))
    assert (ack.status, ack.payload) == (200, {"challenge": "abc"})
    assert post(room, urlencode({"ssl_check": "1", "token": "x"}), FORM).status == 200


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "another"},
        {"late": 600},
        {"late": -600},
        {"x_slack_signature": "v0=00"},
        {"x_slack_signature": "v0=é"},
        {"x_slack_request_timestamp": "soon"},
        {"x_slack_request_timestamp": "-1"},
        {"x_slack_request_timestamp": ""},
    ],
    ids=str,
)
def test_what_slack_did_not_sign_just_now_is_refused(room: SlackRoom, options: dict[str, Any]) -> None:
    body = json.dumps(room.slack.wrapped({"type": "app_home_opened", "user": "U1", "tab": "home"}))
    assert post(room, body, **options).status == 401
    room.counted("refused: signature")
    assert room.arrived == []


def test_a_replayed_request_is_a_repeat(room: SlackRoom) -> None:
    body = json.dumps(room.slack.wrapped({"type": "app_home_opened", "user": "U1", "tab": "home"}, "Ev1"))
    assert post(room, body).status == 200
    room.last()
    assert post(room, body, retry=1).status == 200
    room.counted("repeat or refused")
    room.counted("retries")
    assert len(room.arrived) == 1


def test_a_body_that_is_too_large_is_refused(room: SlackRoom) -> None:
    assert post(room, b"{" + b" " * 1024 * 1024 + b"}").status == 413
    room.counted("refused: too large")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{", "application/json"),
        ("[]", "application/json"),
        ("", "application/json"),
        ("nonsense", "application/json"),
        (b"\xff\xfe{}", "application/json"),
        ("payload=%7B", FORM),
        ("payload=3", FORM),
        ("{" * 100_000, "application/json"),
    ],
    ids=range(8),
)
def test_what_cannot_be_read_is_refused(room: SlackRoom, body: bytes | str, content_type: str) -> None:
    status = post(room, body, content_type).status
    assert status == (401 if body == b"\xff\xfe{}" else 400)


def payload(**fields: object) -> str:
    return urlencode({"payload": json.dumps(fields)})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"type": "app_rate_limited", "minute_rate_limited": 1}), "application/json"),
        (json.dumps({"type": "event_callback", "event": {"type": "team_join"}}), "application/json"),
        (json.dumps({"type": "event_callback", "event": {"type": "message"}}), "application/json"),
        (json.dumps({"type": "event_callback", "event": {"type": "message", "channel": ["C1"]}}), "application/json"),
        (json.dumps({"type": "event_callback", "event": {"type": 3}}), "application/json"),
        (json.dumps({"type": "event_callback", "event": "x"}), "application/json"),
        (json.dumps({"type": "event_callback"}), "application/json"),
        (json.dumps({"type": ["x"]}), "application/json"),
        (payload(type="block_actions", actions=[]), FORM),
        (payload(type="block_actions", actions=[{"action_id": "0:x"}]), FORM),
        (payload(type="block_actions", actions=[{"action_id": "x"}], user={"id": "U1"}), FORM),
        (payload(type="block_actions", actions=[{"action_id": "0:~form", "value": "junk"}], user={"id": "U1"}), FORM),
        (payload(type="view_submission", view={"callback_id": "form", "type": "modal"}, user={"id": "U1"}), FORM),
        (payload(type="view_submission", view={"callback_id": "other", "type": "modal"}, user={"id": "U1"}), FORM),
        (payload(type="view_closed", view={"callback_id": "form"}), FORM),
        (payload(type="message_action", callback_id="log_as_lead", user={"id": "../../x"}), FORM),
        (payload(type="block_suggestion"), FORM),
        (payload(type="something_new"), FORM),
        (urlencode({"command": "/order"}), FORM),
        (urlencode({"token": "x"}), FORM),
    ],
    ids=range(20),
)
def test_what_is_not_for_us_is_acknowledged_and_counted(room: SlackRoom, body: str, content_type: str) -> None:
    assert post(room, body, content_type).status == 200
    assert sum(times for why, times in room.adapter.counts.items() if why.startswith("ignored")) == 1
    assert room.arrived == []
    assert room.adapter.counts["failed"] == 0


def test_payloads_with_anything_missing_or_of_another_kind_break_nothing(room: SlackRoom) -> None:
    """Each part of each payload in turn replaced: acknowledged or refused, and afterwards all is well."""
    slack = room.slack
    room.adapter.send("slack:C1", m.Reply(m.Card(text="x", buttons=(m.Button("Go", "go"),))))
    pressed = slack.pressed("U1", slack.standing("C1")[0], "Go")
    said = {
        "type": "message",
        "user": "U1",
        "channel": "DU1",
        "channel_type": "im",
        "ts": "1.1",
        "text": "x",
        "files": [{}],
    }
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "form",
        "hash": "1",
        "private_metadata": '["f", "slack:U1", true, ""]',
    }
    view["state"] = {"values": {"0:text:required": {"a": {"type": "plain_text_input", "value": "x"}}}}  # type: ignore[assignment]
    sent = {"type": "view_submission", "user": {"id": "U1"}, "trigger_id": "1", "view": view, "team": {"id": "T1"}}
    chosen = {"type": "message_action", "callback_id": "log_as_lead", "user": {"id": "U1"}, "message": {"text": "x"}}
    for kind, whole in (
        ("events_api", slack.wrapped(said, "Ev")),
        ("interactive", pressed),
        ("interactive", sent),
        ("interactive", chosen),
        ("slash_commands", {"command": "/pending", "user_id": "U1", "text": "x", "trigger_id": "1"}),
    ):
        for path in paths(whole):
            for wrong in (None, "", "x", 3, [], {}, ["x"], {"x": "y"}):
                ack = slack.bring(kind, replaced(whole, path, wrong))
                assert ack.status in (200, 400), (path, wrong)
    slack.say("U1", slack.direct("U1"), "still well?")
    slack.wait(lambda: any(getattr(one, "text", "") == "still well?" for one in room.arrived))
    assert room.adapter.counts["failed"] == 0


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path for key in keys for path in [(*so_far, key), *paths(value[key], (*so_far, key))]]


def replaced(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], wrong)
    return copy


def test_a_stopped_adapter_lets_slack_try_again(room: SlackRoom) -> None:
    room.adapter.stop()
    body = json.dumps(room.slack.wrapped({"type": "app_home_opened", "user": "U1", "tab": "home"}, "Ev1"))
    assert post(room, body).status == 503
    room.adapter.start(room.receive)
    assert post(room, body, retry=1).status == 200
    assert room.last().id == "slack:Ev1"


def test_work_that_takes_long_is_acknowledged_at_once(room: SlackRoom) -> None:
    held = threading.Event()
    room.react = lambda _: m.Receipt(handled=held.wait(10))
    ack = room.slack.command("U1", "/pending")
    assert ack.status == 200
    assert ack.seconds < 1.0
    held.set()
    room.last()


# ---------------------------------------------------------------- setting up


def test_the_manifest_fits_its_mode() -> None:
    socket = manifest("socket")
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(socket)
    http = manifest("http", "https://deals.example.com/")
    url = "https://deals.example.com/slack/events"
    settings = http["settings"]
    assert settings["event_subscriptions"]["request_url"] == settings["interactivity"]["request_url"] == url
    assert {command["url"] for command in http["features"]["slash_commands"]} == {url}
    for shown in (socket, http):
        assert shown["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
        assert shown["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)
        assert all(len(shortcut["name"]) <= 24 for shortcut in shown["features"]["shortcuts"])
        assert len(shown["display_information"]["description"]) <= 140
        names = [command["command"] for command in shown["features"]["slash_commands"]]
        assert names == ["/deal", "/lead", "/order", "/who", "/report", "/pending", "/dealdesk"]
    with pytest.raises(ValueError, match="https"):
        manifest("http", "http://localhost")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    slack = FakeSlack().start()
    yield slack
    slack.stop()


def checked(api_url: str, **tokens: str) -> dict[str, tuple[bool, str]]:
    given: dict[str, Any] = {"bot_token": BOT_TOKEN, "app_token": APP_TOKEN, **tokens}
    adapter = SlackAdapter(**given, api_url=api_url)
    return {what: (well, remedy) for what, well, remedy in adapter.check()}


def test_a_setup_that_is_well_has_nothing_to_say(slack: FakeSlack) -> None:
    slack.scopes = ",".join(SCOPES)
    found = checked(slack.api_url)
    assert list(found) == ["reaching Slack", "bot token", "scopes", "clock", "app-level token"]
    assert all(well for well, _ in found.values())
    assert checked(slack.api_url, app_token="", signing_secret=SECRET)["signing secret"][0]


def test_each_fault_of_a_setup_is_named_with_what_to_do(slack: FakeSlack) -> None:
    slack.scopes = ",".join(scope for scope in SCOPES if scope != "files:write")
    well, remedy = checked(slack.api_url)["scopes"]
    assert not well
    assert "files:write (send charts)" in remedy
    slack.fail("apps.connections.open", "not_allowed_token_type")
    assert "not_allowed_token_type" in checked(slack.api_url)["app-level token"][1]
    slack.fail("auth.test", "invalid_auth")
    assert "invalid_auth" in checked(slack.api_url)["bot token"][1]
    assert not checked(slack.api_url, bot_token="xoxp-1")["bot token"][0]
    assert not checked(slack.api_url, app_token="xoxb-1")["app-level token"][0]
    assert not checked("http://127.0.0.1:1/api/")["reaching Slack"][0]
    assert all(SECRET not in remedy and BOT_TOKEN not in remedy for _, remedy in checked(slack.api_url).values())
