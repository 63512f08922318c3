"""A wire fake of Slack: the Web API and Socket Mode over real HTTP and WebSocket on loopback, and signed requests.

It refuses what Slack refuses. `people` act through its verbs (`say`, `press`, `submit`, ...), which return when the
application has acknowledged. Nothing here waits by sleeping: `wait` returns as soon as what it asks for is so.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import itertools
import json
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from tests.fakes import slack_rules as rules
from tests.fakes.slack_api import Api, Fault

BOT, BOT_ID, TEAM, APP = "UBOT", "BBOT", "T1", "A1"
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-1-fake", "xapp-1-fake", "s3cret"
DEADLINE = 10.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ack:
    """How the application acknowledged: the HTTP status (200 on a socket), the payload, and after how long."""

    status: int
    payload: Json
    seconds: float


@dataclass
class FakeSlack:
    """`mode` is "socket" or "http"; for the latter `app_url` is where the application listens."""

    mode: str = "socket"
    app_url: str = ""
    trigger_life: float = 3.0
    echo: bool = True  # tell the application of its own messages, as Slack does
    users: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Json] = field(default_factory=dict)
    messages: dict[tuple[str, str], Json] = field(default_factory=dict)
    views: dict[str, Json] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))
    scopes: str = ""
    connections: int = 0  # ever opened
    greets: bool = True

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._sockets: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._tickets: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.person("U1", locale="en-US", tz="America/Los_Angeles")
        self.person("U2", locale="zh-CN", tz="Asia/Shanghai")
        self.channel("C1", "U1", "U2")

    # ------------------------------------------------------------ the workspace

    def person(self, user: str, locale: str = "en-US", tz: str = "Europe/Paris") -> None:
        self.users[user] = {"id": user, "name": user.lower(), "locale": locale, "tz": tz}

    def channel(self, name: str, *members: str, kind: str = "channel", archived: bool = False) -> None:
        self.channels[name] = {"id": name, "kind": kind, "members": {BOT, *members}, "archived": archived}

    def direct(self, user: str) -> str:
        name = f"D{user}"
        if name not in self.channels:
            self.channel(name, user, kind="im")
        return name

    def ts(self) -> str:
        return f"{1_700_000_000 + next(self._numbers)}.000100"

    def standing(self, channel: str, *, seen_by: str = "") -> list[Json]:
        """The messages in a channel, oldest first; with `seen_by` those shown to this person alone as well."""
        with self.changed:
            return [
                said
                for (where, _), said in sorted(self.messages.items())
                if where == channel and said["to"] in ("", seen_by)
            ]

    def called(self, method: str) -> list[Json]:
        with self.changed:
            return [arguments for name, arguments in self.calls if name == method]

    def wait(self, so: Callable[[], Any], seconds: float = DEADLINE) -> Any:
        """What `so` returns, as soon as that is true."""
        with self.changed:
            value = so()
            end = time.monotonic() + seconds
            while not value:
                left = end - time.monotonic()
                assert left > 0, "it did not happen in time"
                self.changed.wait(min(left, 0.5))
                value = so()
            return value

    def fail(self, method: str, error: str = "", **fault: Any) -> None:
        """The next call of the method (`times` of them) fails so: `status`, `retry_after`, only in `channel`."""
        with self.changed:
            self.faults.append(Fault(method, error, **fault))

    # ------------------------------------------------------------ running

    def start(self) -> FakeSlack:
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(up)), name="fake-slack", daemon=True)
        self._thread.start()
        assert up.wait(DEADLINE)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ends.set)
        self._thread.join(DEADLINE)

    async def _serve(self, up: threading.Event) -> None:
        self._loop, self._ends = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", Api(self).answer)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/link", self._link)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.api_url = f"{self.origin}/api/"
        async with aiohttp.ClientSession() as self._http:
            up.set()
            await self._ends.wait()
            for socket in list(self._sockets):
                await socket.close()
            for task in list(self._tasks):
                task.cancel()
        await runner.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE * 2)

    def soon(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _upload(self, request: web.Request) -> web.Response:
        content = await request.read()
        with self.changed:
            file = self.files[request.match_info["file"]]
            if len(content) != int(file["length"]):
                return web.Response(status=400)
            file["content"] = content
            self.changed.notify_all()
        return web.Response(text=f"OK - {len(content)}")

    # ------------------------------------------------------------ Socket Mode

    def ticket(self) -> str:
        ticket = f"t{next(self._numbers)}"
        self._tickets.add(ticket)
        return f"{self.origin.replace('http', 'ws', 1)}/link?ticket={ticket}"

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        if self.greets:
            hello = {"type": "hello", "num_connections": len(self._sockets) + 1, "connection_info": {"app_id": APP}}
            await socket.send_json(hello)
        with self.changed:
            self._sockets.append(socket)
            self.connections += 1
            self.changed.notify_all()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    ack = json.loads(message.data)
                    waiting = self._acks.pop(ack["envelope_id"], None)
                    if waiting and not waiting.done():
                        waiting.set_result(ack.get("payload") or {})
        finally:
            with self.changed:
                if socket in self._sockets:
                    self._sockets.remove(socket)
                self.changed.notify_all()
        return socket

    def live(self) -> int:
        with self.changed:
            return len(self._sockets)

    def disconnect(self, reason: str) -> None:
        """Announce that the newest connection goes away; it stays open until `drop`."""
        self.run(self._sockets[-1].send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "x"}}))

    def drop(self, which: int = 0) -> None:
        """Cut a connection without a word."""
        socket = self._sockets[which]

        async def cut() -> None:
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

        self.run(cut())

    def frame(self, text: str) -> None:
        self.run(self._sockets[-1].send_str(text))

    # ------------------------------------------------------------ bringing things to the application

    def bring(self, kind: str, payload: Json, *, which: int = -1, retry: int = 0) -> Ack:
        ack: Ack = self.run(self._bring(kind, payload, which, retry))
        return ack

    async def _bring(self, kind: str, payload: Json, which: int = -1, retry: int = 0) -> Ack:
        began = time.monotonic()
        if self.mode == "http":
            return await self.post(*_encoded(kind, payload), retry=retry)
        mark = f"e{next(self._numbers)}"
        waiting: asyncio.Future[Json] = self._loop.create_future()
        self._acks[mark] = waiting
        envelope = {
            "envelope_id": mark,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
            "retry_attempt": retry,
            "retry_reason": "timeout" if retry else "",
        }
        await self._sockets[which].send_json(envelope)
        answer = await asyncio.wait_for(waiting, 3.0)
        return Ack(200, answer, time.monotonic() - began)

    async def post(
        self,
        body: bytes,
        content_type: str,
        *,
        secret: str = SECRET,
        late: float = 0.0,
        retry: int = 0,
        **more: str,
    ) -> Ack:
        """A signed request, as Slack sends them."""
        began = time.monotonic()
        stamp = str(int(time.time() - late))
        mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": content_type,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={mac}",
            **({"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"} if retry else {}),
            **{key.replace("_", "-"): value for key, value in more.items()},
        }
        async with self._http.post(f"{self.app_url}/slack/events", data=io.BytesIO(body), headers=headers) as response:
            text = await response.text()
        payload = json.loads(text) if text.startswith("{") else {}
        return Ack(response.status, payload, time.monotonic() - began)

    def event(self, event: Json, *, event_id: str = "", retry: int = 0, which: int = -1) -> Ack:
        return self.bring("events_api", self.wrapped(event, event_id), retry=retry, which=which)

    def wrapped(self, event: Json, event_id: str = "") -> Json:
        return {
            "token": "x",
            "team_id": TEAM,
            "api_app_id": APP,
            "type": "event_callback",
            "event_id": event_id or f"Ev{next(self._numbers)}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}],
            "event": event,
        }

    # ------------------------------------------------------------ what people do

    def say(self, user: str, channel: str, text: str, *, thread: str = "", event_id: str = "", **more: Any) -> str:
        """Type something; the timestamp of the message. A mention comes a second time, as an app_mention."""
        ts = self.ts()
        said = self.keep(channel, ts, user=user, text=text, thread=thread)
        event = self.message_event(said) | more
        self.event(event, event_id=event_id)
        if f"<@{BOT}>" in text and self.channels[channel]["kind"] != "im":
            mention = {key: value for key, value in event.items() if key not in ("channel_type", "parent_user_id")}
            self.event(mention | {"type": "app_mention"})
        return ts

    def keep(self, channel: str, ts: str, *, user: str, text: str, thread: str = "", **more: Any) -> Json:
        with self.changed:
            said = {"ts": ts, "channel": channel, "user": user, "text": text, "thread": thread, "to": "", **more}
            self.messages[channel, ts] = said
            self.changed.notify_all()
            return said

    def message_event(self, said: Json) -> Json:
        kind = self.channels[said["channel"]]["kind"]
        event = {"type": "message", "event_ts": said["ts"], "channel_type": kind}
        event |= {key: said[key] for key in ("user", "text", "ts", "channel")}
        event |= {key: said[key] for key in ("bot_id", "blocks") if key in said}
        if said["thread"]:
            parent = self.messages.get((said["channel"], said["thread"]), {})
            event |= {"thread_ts": said["thread"], "parent_user_id": parent.get("user", "U9")}
        return event

    def trigger(self, user: str) -> str:
        with self.changed:
            trigger = f"{next(self._numbers)}.1.abc"
            self.triggers[trigger] = (user, time.monotonic() + self.trigger_life)
            return trigger

    def press(self, user: str, said: Json, label: str, **more: Any) -> Json:
        """Press the button with this label on a standing message, or on a Home tab; the payload that was brought."""
        payload = self.pressed(user, said, label) | more
        self.bring("interactive", payload)
        return payload

    def pressed(self, user: str, said: Json, label: str) -> Json:
        elements = [e for block in said["blocks"] if block["type"] == "actions" for e in block["elements"]]
        button = next(element for element in elements if element["text"]["text"] == label)
        ts = f"{time.time():.6f}"
        action = {**button, "block_id": "b", "action_ts": ts}
        payload: Json = {"type": "block_actions", "user": {"id": user}, "team": {"id": TEAM}, "api_app_id": APP}
        payload |= {"trigger_id": self.trigger(user), "actions": [action]}
        if "channel" not in said:
            view = {"id": said["id"], "type": said["type"]}
            return payload | {"view": view, "container": {"type": "view", "view_id": said["id"]}}
        container = {"type": "message", "message_ts": said["ts"], "channel_id": said["channel"]}
        container |= {"is_ephemeral": bool(said["to"])} | ({"thread_ts": said["thread"]} if said["thread"] else {})
        message = {"ts": said["ts"], "user": BOT, "text": said["text"], "bot_id": BOT_ID}
        return payload | {"container": container, "channel": {"id": said["channel"]}, "message": message}

    def submit(self, user: str, view: Json, values: dict[str, str]) -> Ack:
        """Fill in an open modal by the blanks' names and send it. It closes unless mistakes are pointed out."""
        state: Json = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                value = values.get(element["action_id"], "")
                options = [
                    *element.get("options", []),
                    *(o for g in element.get("option_groups", []) for o in g["options"]),
                ]
                chosen = next((option for option in options if option["text"]["text"] == value), None)
                answer = {"selected_option": chosen} if "options" in element else {"value": value or None}
                state[block["block_id"]] = {element["action_id"]: {"type": element["type"], **answer}}
        payload: Json = {"type": "view_submission", "user": {"id": user}, "team": {"id": TEAM}, "api_app_id": APP}
        payload |= {"trigger_id": self.trigger(user), "view": {**view, "state": {"values": state}}, "response_urls": []}
        ack = self.bring("interactive", payload)
        if ack.payload.get("response_action") != "errors":
            with self.changed:
                self.views.pop(view["id"], None)
                self.changed.notify_all()
        return ack

    def command(self, user: str, name: str, text: str = "", *, channel: str = "C1", **more: Any) -> Ack:
        payload = {"token": "x", "team_id": TEAM, "api_app_id": APP, "channel_id": channel, "user_id": user}
        payload |= {
            "command": name,
            "text": text,
            "trigger_id": self.trigger(user),
            "response_url": self.origin,
            **more,
        }
        return self.bring("slash_commands", payload)

    def open_home(self, user: str, tab: str = "home") -> Ack:
        event = {"type": "app_home_opened", "user": user, "channel": self.direct(user), "tab": tab}
        return self.event({**event, "event_ts": self.ts()})

    def shortcut(self, user: str, said: Json, callback_id: str) -> Ack:
        payload = {"type": "message_action", "callback_id": callback_id, "user": {"id": user}, "team": {"id": TEAM}}
        payload |= {"trigger_id": self.trigger(user), "action_ts": f"{time.time():.6f}", "message_ts": said["ts"]}
        payload |= {"channel": {"id": said["channel"]}, "message": {"ts": said["ts"], "text": said["text"]}}
        return self.bring("interactive", payload)


def _encoded(kind: str, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    if kind == "interactive":
        payload = {"payload": json.dumps(payload)}
    return urlencode(payload).encode(), "application/x-www-form-urlencoded"


def texts(said: Json) -> str:
    """All that a message or a view shows."""
    return "\n".join(rules.words(said.get("blocks", [])))
