"""The playground's server side: its contract with the application, bad input, and the page's own files."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC

import pytest

from bot import messages as m
from bot.adapters.web import STATIC

from .web_room import ASK, PNG, Room, error


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.web.stop()


# ---------------------------------------------------------------- arrivals


def test_a_message_arrives_as_the_person_and_stands_on_their_page(room: Room) -> None:
    event = str(uuid.uuid4())
    response = room.post("message", id=event, person="chen", text="  有什么等我处理？\n")
    assert response.json() == {"handled": True, "ask": None}
    [message] = room.arrived
    assert isinstance(message, m.Message)
    assert (message.id, message.address, message.login) == (f"web:{event}", "web:chen", "web:chen")
    assert (message.text, message.language, message.private) == ("有什么等我处理？", "zh", True)
    assert message.at.tzinfo is UTC
    [entry] = room.standing("chen")
    assert (entry["kind"], entry["text"], entry["at"]) == ("in", "有什么等我处理？", message.at.isoformat())


def test_the_same_message_sent_again_stands_once(room: Room) -> None:
    event = str(uuid.uuid4())
    room.post("message", id=event, text="hello")
    room.receipt = m.Receipt(handled=False)
    assert room.post("message", id=event.upper(), text="hello").json()["handled"] is False
    assert len(room.standing("mia")) == 1
    assert room.arrived[0].id == room.arrived[1].id


def test_a_tap_brings_its_action_and_its_card_and_leaves_no_trace(room: Room) -> None:
    room.receipt = m.Receipt(handled=True, ask=ASK)
    ask = room.post("tap", action="decline:7:s2", card="order:7").json()["ask"]
    assert (ask["name"], ask["submit"], ask["inputs"][0]["options"]) == ("why", "Send", [["a", "A"]])
    [tap] = room.arrived
    assert isinstance(tap, m.Tap)
    assert (tap.action, tap.card) == ("decline:7:s2", "order:7")
    assert room.standing("mia") == []


def test_a_form_brings_its_values(room: Room) -> None:
    room.post("form", form="why", values={"reason": "too cheap"})
    [form] = room.arrived
    assert isinstance(form, m.Form)
    assert (form.form, form.values) == ("why", {"reason": "too cheap"})


def test_a_file_brings_its_bytes(room: Room) -> None:
    room.post("file", name="leads.csv", mime="text/csv", content="bmFtZQo=")
    [file] = room.arrived
    assert isinstance(file, m.File)
    assert (file.name, file.mime, file.content) == ("leads.csv", "text/csv", b"name\n")
    assert room.standing("mia")[0]["file"] == "leads.csv"


def test_arrivals_are_handled_side_by_side(room: Room) -> None:
    together = threading.Barrier(2, timeout=10)

    def receive(_: m.Incoming) -> m.Receipt:
        together.wait()
        return m.Receipt(handled=True)

    room.web.start(receive)
    with room.client:  # one event loop for both
        threads = [threading.Thread(target=room.post, args=("message",), kwargs={"text": "hi"}) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not together.broken


# ---------------------------------------------------------------- replies


def test_a_card_is_sent_and_edited_in_its_place(room: Room) -> None:
    card = m.Card(
        title="Order 7",
        fields=(m.Field("Customer", "Acme"),),
        table=m.Table(("Product", "Seats"), (("Pro", "50"),)),
        buttons=(m.Button("Approve", "approve:7", "primary"),),
        tone="waiting",
    )
    handle = room.web.send("web:mia", m.Reply(card, name="order:7"))
    room.web.send("web:mia", m.Reply(m.Card(text="later")))
    [first, _] = room.standing("mia")
    assert first["reply"]["card"]["buttons"] == [{"label": "Approve", "action": "approve:7", "style": "primary"}]

    assert room.web.edit("web:mia", handle, m.Reply(m.Card(title="Approved", tone="good"), name="order:7")) == handle
    [now, after] = room.standing("mia")
    assert (now["reply"]["card"]["title"], after["reply"]["card"]["text"]) == ("Approved", "later")
    assert now["at"] == first["at"]
    assert "edited" in now
    assert "edited" not in first


def test_a_picture_is_kept_and_served_under_its_name(room: Room) -> None:
    room.web.picture("web:mia", m.Picture(PNG, "每周销售 2026.png", "Sales, rising"))
    [entry] = room.standing("mia")
    assert (entry["kind"], entry["alt"], entry["width"], entry["height"]) == ("image", "Sales, rising", 640, 360)
    response = room.client.get(f"/pictures/{entry['key']}/{entry['filename']}")
    assert (response.content, response.headers["content-type"]) == (PNG, "image/png")
    assert "filename*=UTF-8''%E6%AF%8F" in response.headers["content-disposition"]
    assert error(room.client.get("/pictures/other/x.png"), 404)


def test_what_is_for_one_person_never_reaches_another(room: Room) -> None:
    room.web.send("web:mia", m.Reply(m.Card(text="psst"), only="web:mia"))
    assert room.standing("mia")[0]["reply"]["only"] == "web:mia"
    with pytest.raises(m.CannotDeliver) as refused:
        room.web.send("web:mia", m.Reply(m.Card(text="psst"), only="web:chen"))
    assert refused.value.gone
    assert len(room.standing("mia")) == 1


def test_it_serves_its_own_addresses_only(room: Room) -> None:
    assert room.web.serves("web:mia")
    assert not room.web.serves("slack:C1/9.9")
    adapter: m.Adapter = room.web
    assert adapter.platform == "web"


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"\xff"',
        b'{"person":"mia","text":"hi"}',
        b'{"id":"1","person":"mia","text":"hi"}',
        b'{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","person":"mia","text":7}',
        b'{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","person":"mia","text":"  \\n"}',
        b'{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","person":"mia","text":"hi","login":"web:chen"}',
        b'{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","person":"mia","text":"\\ud800"}',
        b"[" * 100_000,
    ],
)
def test_a_malformed_body_is_refused(room: Room, body: bytes) -> None:
    response = room.client.post("/api/message", content=body, headers={"content-type": "application/json"})
    assert error(response, 400)
    assert room.arrived == []
    assert room.standing("mia") == []


def test_a_body_over_one_mebibyte_is_refused(room: Room) -> None:
    assert "1 MiB" in error(room.post("form", form="f", values={"long": "x" * (1 << 20)}), 413)
    assert error(room.post("message", text="x" * 40_001), 413)
    assert room.post("message", text="x" * 40_000).status_code == 200


def test_a_button_carries_at_most_sixty_bytes(room: Room) -> None:
    assert error(room.post("tap", action="a" * 61), 400)


def test_an_unknown_person_is_refused(room: Room) -> None:
    assert "Choose a person" in error(room.post("message", person="zoe", text="hi"), 404)
    assert room.arrived == []
    assert room.standing("zoe") == []


def test_only_json_is_taken(room: Room) -> None:
    response = room.client.post("/api/message", content=b"{}", headers={"content-type": "text/plain"})
    assert error(response, 415)


def test_a_crash_inside_says_nothing_of_the_inside(room: Room) -> None:
    room.failure = RuntimeError("secret inside")
    assert "secret" not in error(room.post("message", text="hi"), 500)
    assert room.standing("mia")[0]["text"] == "hi"  # said is said; sending it again is a repeat


def test_no_nul_reaches_the_application(room: Room) -> None:
    room.post("message", text="a\x00b")
    message = room.arrived[0]
    assert isinstance(message, m.Message)
    assert message.text == "ab"


def test_nothing_outside_the_page_is_served(room: Room) -> None:
    for path in ("/static/%2e%2e/web.py", "/static/..%2fweb.py", "/static/%2e%2e%2f%2e%2e%2fsettings.py", "/static/"):
        assert error(room.client.get(path), 404)


# ---------------------------------------------------------------- the page's files


def test_both_languages_have_the_same_words() -> None:
    words = json.loads((STATIC / "words.json").read_text("utf-8"))
    assert set(words["en"]) == set(words["zh"])
    for key, text in words["en"].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", words["zh"][key])), key


def test_every_word_the_page_says_is_there() -> None:
    words = json.loads((STATIC / "words.json").read_text("utf-8"))["en"]
    code = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js"))
    assert set(re.findall(r'\bt\("(\w+)"', code)) <= set(words)


def test_the_page_loads_nothing_from_elsewhere(room: Room) -> None:
    pages = [
        path for path in STATIC.rglob("*") if path.suffix in {".html", ".css", ".js"} and "vendor" not in path.parts
    ]
    assert len(pages) > 10
    for path in pages:
        assert not re.search(
            r"(?:src|href|url\(|import|from)\s*[=(]?\s*[\"']?(?:https?:)?//", path.read_text("utf-8")
        ), path
