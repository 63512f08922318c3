"""Socket Mode: connections that are replaced, dropped, refused and crowded out, and what must not get lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot import messages as m
from bot.adapters.slack import socket as slack_socket

from .slack_room import SlackRoom


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackRoom]:
    monkeypatch.setattr(slack_socket, "FIRST", 0.01)
    monkeypatch.setattr(slack_socket, "CROWDED", 0.01)
    room = SlackRoom()
    yield room
    room.close()


def heard(room: SlackRoom, text: str, which: int = -1) -> m.Incoming:
    count = len(room.arrived) + 1
    said = room.slack.keep("DU1", room.slack.ts(), user="U1", text=text)
    room.slack.event(room.slack.message_event(said), which=which)
    arrived: m.Incoming = room.last(count)
    return arrived


@pytest.fixture(autouse=True)
def conversation(room: SlackRoom) -> None:
    room.slack.direct("U1")
    heard(room, "hello")


def test_a_dropped_connection_is_replaced(room: SlackRoom) -> None:
    room.slack.drop()
    room.slack.wait(lambda: room.slack.connections == 2 and room.slack.live() == 1)
    heard(room, "still there?")


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
def test_a_refresh_opens_the_next_connection_and_reads_the_old_one_to_its_end(room: SlackRoom, reason: str) -> None:
    room.slack.disconnect(reason)
    room.slack.wait(lambda: room.slack.live() == 2)
    heard(room, "on the new one", which=1)
    heard(room, "on the old one", which=0)
    room.slack.drop(0)
    room.slack.wait(lambda: room.slack.live() == 1)
    heard(room, "after it")
    assert room.slack.connections == 2


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
def test_one_connection_too_many_is_given_up_and_tried_again_later(room: SlackRoom, reason: str) -> None:
    room.slack.disconnect(reason)
    room.slack.wait(lambda: room.slack.connections == 2 and room.slack.live() == 1)
    heard(room, "again")
    room.counted(f"socket: {reason}")


def test_a_refused_connection_is_tried_again_with_a_new_address(room: SlackRoom) -> None:
    room.slack.fail("apps.connections.open", "internal_error", times=2)
    room.slack.drop()
    room.slack.wait(lambda: room.slack.connections == 2 and room.slack.live() == 1)
    assert len(room.slack.called("apps.connections.open")) == 4
    assert room.adapter.counts["socket: connection failed"] == 2


def test_a_connection_that_does_not_greet_is_given_up(room: SlackRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_socket, "HELLO", 0.05)
    room.slack.greets = False
    room.slack.drop()
    room.slack.wait(lambda: room.slack.connections >= 3)
    room.slack.greets = True
    monkeypatch.setattr(slack_socket, "HELLO", 10.0)
    room.slack.wait(lambda: room.adapter.wait_until_live(0) and room.slack.live() == 1)


def test_an_envelope_that_comes_twice_counts_once(room: SlackRoom) -> None:
    body = room.slack.wrapped({"type": "app_home_opened", "user": "U1", "tab": "home"}, "EvTwice")
    room.slack.bring("events_api", body)
    room.slack.bring("events_api", body, retry=1)
    room.counted("repeat or refused")
    assert len(room.arrived) == 2  # hello, and this once


def test_frames_that_make_no_sense_are_counted(room: SlackRoom) -> None:
    for frame in ("Ping from applink", "[]", "{}", '{"type": "events_api", "payload": {}}'):
        room.slack.frame(frame)
    room.counted("socket: malformed", 4)
    room.slack.bring("something_new", {"type": "x"})
    room.slack.bring("interactive", {"type": "dialog_submission"})
    room.counted("ignored: payload of another kind", 2)
    heard(room, "fine")
