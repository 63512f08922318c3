"""The playground's event stream over a real server, and that server's own manners."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from bot import messages as m
from bot.server import Server

from .web_room import Room, error


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.web.stop()


@contextmanager
def stream(url: str, people: str) -> Iterator[Iterator[tuple[str, Any]]]:
    host, port = url.removeprefix("http://").split(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", f"/api/stream?people={people}")
    response = connection.getresponse()
    assert response.getheader("content-type") == "text/event-stream; charset=utf-8"
    yield events(response)
    connection.close()


def events(response: HTTPResponse) -> Iterator[tuple[str, Any]]:
    for line in response:
        if line.startswith(b"event: "):
            yield line[7:].decode().strip(), json.loads(response.readline()[6:])


@pytest.fixture
def served(room: Room) -> Iterator[str]:
    server = Server(room.web.routes, port=0)
    yield server.start()
    server.stop()


def test_a_stream_begins_with_what_stands_and_goes_on_with_what_changes(room: Room, served: str) -> None:
    handle = room.web.send("web:mia", m.Reply(m.Card(text="old"), name="c"))
    with stream(served, "mia,chen") as news:
        kind, state = next(news)
        assert (kind, state["person"], state["entries"][0][0]) == ("state", "mia", handle)
        assert next(news) == ("state", {"person": "chen", "entries": []})
        assert next(news)[0] == "ready"

        room.web.edit("web:mia", handle, m.Reply(m.Card(text="new"), name="c"))
        kind, event = next(news)
        assert (kind, event["handle"], event["entry"]["reply"]["card"]["text"]) == ("entry", handle, "new")
        room.post("message", person="chen", text="hi")
        assert next(news)[1]["entry"]["text"] == "hi"


def test_a_stream_hears_only_its_own_people(room: Room, served: str) -> None:
    with stream(served, "mia") as news:
        assert [next(news)[0], next(news)[0]] == ["state", "ready"]
        room.web.send("web:chen", m.Reply(m.Card(text="not for her")))
        room.web.send("web:mia", m.Reply(m.Card(text="for her")))
        assert next(news)[1]["person"] == "mia"


def test_stopping_ends_the_streams_and_starting_goes_on(room: Room, served: str) -> None:
    with stream(served, "mia") as news:
        assert next(news)[0] == "state"
        room.web.stop()
        assert [kind for kind, _ in news] == ["ready"]
    assert error(room.post("message", text="hi"), 503)
    room.web.start(room._receive)
    assert room.post("message", text="hi").status_code == 200


@pytest.mark.parametrize("people", ["", ",", ",".join("abcdefghi")])
def test_a_stream_needs_a_few_people(room: Room, people: str) -> None:
    assert error(room.client.get("/api/stream", params={"people": people}), 400)


def test_a_stream_of_somebody_unknown_is_refused(room: Room) -> None:
    assert error(room.client.get("/api/stream?people=mia,zoe"), 404)


# ---------------------------------------------------------------- the server


def test_a_busy_port_moves_to_a_free_one(room: Room) -> None:
    first = Server(room.web.routes, port=0)
    url = first.start()
    second = Server(room.web.routes, port=first.port)
    try:
        other = second.start()
        assert (first.moved, second.moved) == (False, True)
        assert other != url
        with urllib.request.urlopen(f"{other}/api/company") as answer:  # noqa: S310  # our own address
            assert answer.status == 200
    finally:
        first.stop()
        second.stop()


def test_stopping_ends_open_streams_and_frees_the_port(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(room.web.routes, port=0)
    with stream(server.start(), "mia") as news:
        assert next(news)[0] == "state"
        server.stop()  # the adapter still runs: the stream is ended for it
        assert [kind for kind, _ in news] == ["ready"]
    server.stop()
    assert caplog.records == []
    again = Server(room.web.routes, port=server.port)
    again.start()
    again.stop()
    assert not again.moved
