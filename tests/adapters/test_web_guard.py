"""Who the playground lets in, and what leaves with every answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from .web_room import LOCAL, Room, error


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.web.stop()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.0.0.9", "localhost", "localhost:1", "[::1]:8000"])
def test_loopback_names_are_answered(room: Room, host: str) -> None:
    assert room.client.get("/api/company", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.5", "", "[", "demo.example"]
)
@pytest.mark.parametrize("path", ["/", "/api/company", "/static/app.js", "/pictures/k0/x.png"])
def test_another_host_name_is_refused(room: Room, host: str, path: str) -> None:
    assert error(room.client.get(path, headers={"host": host}), 403)


def test_a_host_can_be_allowed() -> None:
    room = Room(allow_hosts=["Demo.Example"])
    assert room.client.get("/api/company", headers={"host": "demo.example:443"}).json()["local"] is False
    assert error(room.client.get("/api/company", headers={"host": "evil.example"}), 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000", ""]
)
def test_another_origin_is_refused(room: Room, origin: str) -> None:
    body = {"id": str(uuid.uuid4()), "person": "mia", "text": "hi"}
    assert error(room.client.post("/api/message", json=body, headers={"origin": origin}), 403)
    assert room.arrived == []


def test_the_page_itself_is_let_in(room: Room) -> None:
    body = {"id": str(uuid.uuid4()), "person": "mia", "text": "hi"}
    assert room.client.post("/api/message", json=body, headers={"origin": LOCAL}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/company", "/static/app.js", "/pictures/none/x.png", "/static/none"])
def test_every_answer_has_its_safe_headers(room: Room, path: str) -> None:
    headers = room.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_what_the_server_tells_is_not_kept(room: Room) -> None:
    assert room.client.get("/api/company").headers["cache-control"] == "no-store"
    assert room.post("message", text="hi").headers["cache-control"] == "no-store"


def test_the_company_and_its_people_are_told(room: Room) -> None:
    told = room.client.get("/api/company").json()
    assert (told["company"], told["local"]) == ("Northwind", True)
    assert told["people"][1] == {"id": "chen", "name": "陈思远", "title": "销售经理", "language": "zh", "team": "华东"}


def test_other_routes_keep_their_own_rules(room: Room) -> None:
    async def hook(_: Request) -> Response:
        return PlainTextResponse("ok")

    client = TestClient(Starlette(routes=[*room.web.routes, Route("/hook", hook)]), base_url="http://hooks.example")
    assert client.get("/hook").text == "ok"
    assert error(client.get("/"), 403)
