"""A playground's adapter with a client in front of it and a list of what arrived behind it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot import messages as m
from bot.adapters.web import WebAdapter, WebPerson

PEOPLE = (
    WebPerson("mia", "Mia Torres", "Sales rep", "en", "West"),
    WebPerson("chen", "陈思远", "销售经理", "zh", "华东"),
)
ASK = m.Ask("why", "Why?", (m.Input("reason", "Reason", options=(("a", "A"),)),), "Send")
LOCAL = "http://127.0.0.1:8000"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + (640).to_bytes(4, "big") + (360).to_bytes(4, "big")


class MemoryShelf:
    def __init__(self) -> None:
        self.entries: dict[str, dict[str, dict[str, Any]]] = {}
        self.kept: dict[str, tuple[bytes, str]] = {}

    def put(self, address: str, handle: str, entry: dict[str, Any]) -> None:
        self.entries.setdefault(address, {})[handle] = json.loads(json.dumps(entry))  # as a database would

    def recent(self, address: str, limit: int = 200) -> list[tuple[str, dict[str, Any]]]:
        return list(self.entries.get(address, {}).items())[-limit:]

    def keep(self, content: bytes, mime: str) -> str:
        key = f"k{len(self.kept)}"
        self.kept[key] = (content, mime)
        return key

    def fetch(self, key: str) -> tuple[bytes, str] | None:
        return self.kept.get(key)


class Room:
    """An adapter with a client in front and a list of arrivals behind."""

    def __init__(self, **options: Any) -> None:
        self.shelf = MemoryShelf()
        self.web = WebAdapter(lambda: PEOPLE, self.shelf, "Northwind", **options)
        self.arrived: list[m.Incoming] = []
        self.receipt = m.Receipt(handled=True)
        self.failure: Exception | None = None
        self.web.start(self._receive)
        self.client = TestClient(Starlette(routes=self.web.routes), base_url=LOCAL)

    def _receive(self, incoming: m.Incoming) -> m.Receipt:
        self.arrived.append(incoming)
        if self.failure:
            raise self.failure
        return self.receipt

    def post(self, kind: str, **body: Any) -> httpx2.Response:
        response: httpx2.Response = self.client.post(
            f"/api/{kind}", json={"id": str(uuid.uuid4()), "person": "mia", **body}
        )
        return response

    def standing(self, person: str) -> list[dict[str, Any]]:
        return [entry for _, entry in self.shelf.recent(f"web:{person}")]


def error(response: httpx2.Response, status: int) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error", "code"}
    assert "Traceback" not in response.text
    return str(body["error"])
