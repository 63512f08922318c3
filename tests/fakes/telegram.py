"""Telegram's Bot API over real HTTP on loopback, with people who type, press and block.

It keeps Telegram's rules: an update comes again until a higher offset confirms it, a second poller gets 409, a
webhook is called again until it answers 2xx, an unmodified edit is refused, a press is answered once.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from tests.fakes.telegram_rules import Refused, keyboard, said, units, violations

TOKEN = "4242:AAfake-token_that_must_not_leak"
BOT = 4242
NAME = "deal_desk_bot"
_INTEGERS = {"chat_id", "message_id", "message_thread_id", "offset", "limit", "timeout", "max_connections"}
_JSON = {"reply_markup", "link_preview_options", "allowed_updates", "commands", "reply_parameters", "entities"}


@dataclass
class Sent:
    """A message of the bot as it stands now."""

    chat: int
    id: int
    thread: int | None
    text: str
    entities: list[dict[str, Any]]
    keyboard: list[list[dict[str, Any]]]
    markup: dict[str, Any] | None = None
    file: tuple[str, str, bytes] | None = None  # kind, filename, content
    reply_to: int | None = None
    edits: int = 0
    deleted: bool = False

    @property
    def buttons(self) -> dict[str, str]:
        return {button["text"]: button["callback_data"] for row in self.keyboard for button in row}


@dataclass
class Fault:
    """What the next calls of a method get instead of an answer."""

    method: str
    code: int
    why: str = ""
    parameters: dict[str, Any] | None = None
    times: int = 1
    chat: int | None = None
    body: bytes | None = None  # raw, instead of JSON
    drop: bool = False  # the connection is cut


class FakeTelegram:
    """The service. Use its people with `types`, `presses`, `blocks`; look at `sent` and `calls`; wait with `until`."""

    def __init__(self, *, retry: float = 0.02) -> None:
        self.changed = threading.Condition()
        self.people: dict[int, dict[str, Any]] = {}
        self.started: set[int] = set()
        self.blocked: set[int] = set()
        self.groups: dict[int, dict[str, Any]] = {}
        self.topics: dict[int, set[int]] = {}
        self.upgraded: dict[int, int] = {}
        self.sent: dict[tuple[int, int], Sent] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.wrong: list[str] = []  # what the specification does not know
        self.faults: list[Fault] = []
        self.pending: list[dict[str, Any]] = []
        self.confirmed = 0
        self.deliveries: list[tuple[int, int]] = []  # update id, status of the webhook's answer
        self.webhook: dict[str, Any] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.questions: dict[str, bool] = {}  # callback queries, and whether they were answered
        self.answers: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.update_id = 1000
        self.message_id = 10
        self._retry = retry
        self._poll = 0
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        self._ends = asyncio.Event()
        self._delivering: asyncio.Task[None] | None = None
        self.url = ""
        up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(up,), name="fake-telegram", daemon=True)
        self._thread.start()
        up.wait(10)

    # ------------------------------------------------------------ people

    def person(self, id: int, name: str, *, language: str = "en", started: bool = True) -> int:  # noqa: A002
        self.people[id] = {"id": id, "is_bot": False, "first_name": name, "language_code": language}
        if started:
            self.started.add(id)
        return id

    def group(self, id: int, *, topics: tuple[int, ...] = ()) -> int:  # noqa: A002
        self.groups[id] = {"id": id, "type": "supergroup", "title": "Sales", **({"is_forum": True} if topics else {})}
        self.topics[id] = set(topics)
        return id

    def types(
        self, person: int, text: str, chat: int = 0, /, *, topic: int = 0, reply_to: int = 0, **more: Any
    ) -> dict[str, Any]:
        """A message, as Telegram tells it; `more` overrides its fields."""
        message: dict[str, Any] = {
            "message_id": self._next_message(),
            "date": int(time.time()),
            "chat": self._chat(chat or person),
            "from": self.people[person],
            "text": text,
            "entities": _entities(text),
        }
        if not chat:
            self.started.add(person)
        if topic:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to:
            message["reply_to_message"] = self._told(self.sent[chat or person, reply_to])
        return self.happens(message={key: value for key, value in (message | more).items() if value is not None})

    def presses(self, person: int, label: str, message: Sent) -> dict[str, Any]:
        """A press of the button with this label (or this data)."""
        found = [b for row in message.keyboard for b in row if label in (b["text"], b["callback_data"])]
        query = f"q{self.update_id}{len(self.questions)}"
        self.questions[query] = False
        return self.happens(
            callback_query={
                "id": query,
                "from": self.people[person],
                "message": self._told(message),
                "chat_instance": "1",
                "data": found[0]["callback_data"],
            }
        )

    def happens(self, **update: Any) -> dict[str, Any]:
        """Any update at all."""
        with self.changed:
            self.update_id += 1
            made = {"update_id": self.update_id, **update}
            self.again(made)
        return made

    def again(self, update: dict[str, Any]) -> None:
        """The same update once more, or one with an id of its own."""
        with self.changed:
            self.pending.append(update)
        self._loop.call_soon_threadsafe(self._news.set)

    def upgrade(self, old: int, new: int) -> None:
        self.groups[new] = {**self.groups.pop(old), "id": new}
        self.topics[new] = self.topics.pop(old)
        self.upgraded[old] = new

    def delete(self, message: Sent) -> None:
        message.deleted = True

    def fault(self, method: str, code: int = 500, why: str = "", **more: Any) -> Fault:
        made = Fault(method, code, why, **more)
        self.faults.append(made)
        return made

    # ------------------------------------------------------------ looking

    def until(self, wanted: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Wait for something to become true; what it was."""
        with self.changed:
            assert self.changed.wait_for(wanted, timeout), "it did not happen"
            return wanted()

    def standing(self, chat: int) -> list[Sent]:
        return [message for (where, _), message in sorted(self.sent.items()) if where == chat and not message.deleted]

    def last(self, chat: int) -> Sent:
        return self.standing(chat)[-1]

    def said(self, chat: int, part: str) -> Sent:
        """The newest message there with these words, once it stands."""
        found: Sent = self.until(lambda: next((m for m in reversed(self.standing(chat)) if part in m.text), None))
        return found

    def called(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]

    # ------------------------------------------------------------ the server

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ends.set)
            self._thread.join(10)

    def _run(self, up: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(up))

    async def _serve(self, up: threading.Event) -> None:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path:.*}", self._download)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        up.set()
        await self._ends.wait()
        self._news.set()
        if self._delivering:
            self._delivering.cancel()
        await runner.cleanup()

    async def _download(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["path"]])

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        params = await _params(request)
        try:
            if request.match_info["token"] != TOKEN:
                raise Refused(401, "Unauthorized")
            with self.changed:
                self.calls.append((method, params))
                self.wrong += violations(method, params)
                self.changed.notify_all()
            self._fail(request, method, params)
            call = getattr(self, f"_do_{method.lower()}", None)
            if call is None:
                raise Refused(404, "Not Found")
            result = await call(params) if asyncio.iscoroutinefunction(call) else self._locked(call, params)
        except Refused as error:
            if error.code == -1:
                return web.Response(status=502, body=error.why.encode())
            body = {"ok": False, "error_code": error.code, "description": error.why}
            if error.parameters:
                body["parameters"] = error.parameters
            return web.json_response(body, status=error.code)
        finally:
            with self.changed:
                self.changed.notify_all()
        return web.json_response({"ok": True, "result": result})

    def _locked(self, call: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
        with self.changed:
            return call(params)

    def _fail(self, request: web.Request, method: str, params: dict[str, Any]) -> None:
        for fault in self.faults:
            if fault.method in (method, "*") and fault.times > 0 and fault.chat in (None, params.get("chat_id")):
                fault.times -= 1
                if fault.drop and request.transport:
                    request.transport.close()
                    raise asyncio.CancelledError
                if fault.body is not None:
                    raise Refused(-1, fault.body.decode())
                raise Refused(fault.code, fault.why or "Internal Server Error", fault.parameters)

    # ------------------------------------------------------------ its methods

    def _do_getme(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": BOT,
            "is_bot": True,
            "first_name": "Dealdesk",
            "username": NAME,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _do_getupdates(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; delete it first")
        self._poll += 1
        mine = self._poll
        self._news.set()
        offset, end = params.get("offset", 0), time.monotonic() + min(params.get("timeout", 0), 50)
        while True:
            if self._poll != mine:
                raise Refused(409, "Conflict: terminated by other getUpdates request; make sure that only one runs")
            with self.changed:
                if offset:
                    kept = [u for u in self.pending if u["update_id"] >= offset or offset - u["update_id"] > 10**6]
                    if len(kept) < len(self.pending) or offset > self.confirmed:
                        self.confirmed = offset
                        self.changed.notify_all()
                    self.pending = kept
                found = [u for u in self.pending if set(u) & {*params.get("allowed_updates", u)}]
            left = end - time.monotonic()
            if found or left <= 0 or self._ends.is_set():
                return found[: params.get("limit", 100)]
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                continue

    def _do_setwebhook(self, params: dict[str, Any]) -> bool:
        self.webhook = params if params["url"] else {}
        if self._delivering is None and self.webhook:
            self._delivering = self._loop.create_task(self._deliver())
        return True

    def _do_deletewebhook(self, _: dict[str, Any]) -> bool:
        self.webhook = {}
        return True

    def _do_getwebhookinfo(self, _: dict[str, Any]) -> dict[str, Any]:
        url = self.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}

    async def _deliver(self) -> None:
        """Each update until it is taken: again at once, then after growing waits."""
        async with ClientSession(timeout=ClientTimeout(total=20)) as client:
            while True:
                await self._news.wait()
                self._news.clear()
                while self.pending:
                    update, wait = self.pending[0], 0.0
                    status = await self.post(client, update)
                    while not 200 <= status < 300:
                        await asyncio.sleep(wait)
                        wait = min(1.0, wait * 2 or self._retry)
                        status = await self.post(client, update)
                    with self.changed:
                        self.pending.remove(update)
                        self.changed.notify_all()

    async def post(self, client: ClientSession, update: dict[str, Any]) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"]}
        try:
            async with client.post(self.webhook["url"], json=update, headers=headers) as answer:
                status = answer.status
        except OSError:
            status = 0
        with self.changed:
            self.deliveries.append((update["update_id"], status))
            self.changed.notify_all()
        return status

    def _do_setmycommands(self, params: dict[str, Any]) -> bool:
        for command in params["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands[params.get("language_code", "")] = params["commands"]
        return True

    def _do_sendmessage(self, params: dict[str, Any]) -> dict[str, Any]:
        self._reachable(params)
        text, entities = said(params)
        return self._post(params, text, entities)

    def _do_sendphoto(self, params: dict[str, Any]) -> dict[str, Any]:
        name, content = params["photo"]
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        if len(content) > 10_000_000:
            raise Refused(400, "Bad Request: file is too big for a photo")
        if width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise Refused(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        return self._filed(params, ("photo", name, content))

    def _do_senddocument(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._filed(params, ("document", *params["document"]))

    def _filed(self, params: dict[str, Any], file: tuple[str, str, bytes]) -> dict[str, Any]:
        self._reachable(params)
        text, entities = said(params, "caption", 1024)
        return self._post(params, text, entities, file)

    def _do_editmessagetext(self, params: dict[str, Any]) -> dict[str, Any]:
        self._reachable(params)
        message = self.sent.get((params["chat_id"], params["message_id"]))
        if message is None or message.deleted:
            raise Refused(400, "Bad Request: message to edit not found")
        if message.file is not None:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        text, entities = said(params)
        rows = keyboard(params.get("reply_markup"))
        if (text, entities, rows) == (message.text, message.entities, message.keyboard):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        message.text, message.entities, message.keyboard = text, entities, rows
        message.edits += 1
        return self._told(message)

    def _do_deletemessage(self, params: dict[str, Any]) -> bool:
        message = self.sent.get((params["chat_id"], params["message_id"]))
        if message is None or message.deleted:
            raise Refused(400, "Bad Request: message to delete not found")
        message.deleted = True
        return True

    def _do_answercallbackquery(self, params: dict[str, Any]) -> bool:
        if self.questions.get(params["callback_query_id"], True):
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.questions[params["callback_query_id"]] = True
        self.answers.append(params)
        return True

    def _do_sendchataction(self, _: dict[str, Any]) -> bool:
        return True

    def _do_getfile(self, params: dict[str, Any]) -> dict[str, Any]:
        content = self.files.get(params["file_id"])
        if content is None:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        return {"file_id": params["file_id"], "file_size": len(content), "file_path": params["file_id"]}

    # ------------------------------------------------------------ its rules

    def _reachable(self, params: dict[str, Any]) -> None:
        chat, thread = params["chat_id"], params.get("message_thread_id")
        if chat in self.upgraded:
            new = {"migrate_to_chat_id": self.upgraded[chat]}
            raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", new)
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat not in self.groups and chat not in self.people:
            raise Refused(400, "Bad Request: chat not found")
        if chat in self.people and chat not in self.started:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        if thread is not None and thread not in self.topics.get(chat, set()):
            raise Refused(400, "Bad Request: message thread not found")

    def _post(
        self,
        params: dict[str, Any],
        text: str,
        entities: list[dict[str, Any]],
        file: tuple[str, str, bytes] | None = None,
    ) -> dict[str, Any]:
        markup = params.get("reply_markup")
        message = Sent(
            params["chat_id"],
            self._next_message(),
            params.get("message_thread_id"),
            text,
            entities,
            keyboard(markup),
            markup,
            file,
            params.get("reply_parameters", {}).get("message_id"),
        )
        self.sent[message.chat, message.id] = message
        return self._told(message)

    def _next_message(self) -> int:
        with self.changed:
            self.message_id += 1
            return self.message_id

    def _chat(self, chat: int) -> dict[str, Any]:
        if chat in self.groups:
            return self.groups[chat]
        return {"id": chat, "type": "private", "first_name": self.people[chat]["first_name"]}

    def _told(self, message: Sent) -> dict[str, Any]:
        """A message of the bot as Telegram shows it."""
        told: dict[str, Any] = {
            "message_id": message.id,
            "date": int(time.time()),
            "chat": self._chat(message.chat),
            "from": {"id": BOT, "is_bot": True, "first_name": "Dealdesk", "username": NAME},
            "caption" if message.file else "text": message.text,
            "entities": message.entities,
        }
        if message.thread:
            told |= {"message_thread_id": message.thread, "is_topic_message": True}
        if message.keyboard:
            told["reply_markup"] = {"inline_keyboard": message.keyboard}
        return told


async def _params(request: web.Request) -> dict[str, Any]:
    raw: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        raw |= await request.json()
    else:
        for name, value in (await request.post()).items():
            raw[name] = (value.filename, value.file.read()) if isinstance(value, web.FileField) else value
    for name, value in raw.items():
        if isinstance(value, str) and name in _INTEGERS:
            raw[name] = int(value)
        elif isinstance(value, str) and name in _JSON:
            raw[name] = json.loads(value)
    return raw


def _entities(text: str) -> list[dict[str, Any]]:
    """The mentions and commands that Telegram finds in a text."""
    return [
        {"type": kind, "offset": units(text[: match.start()]), "length": units(match[0])}
        for kind, pattern in (("mention", r"(?<!\w)@\w+"), ("bot_command", r"(?<!\S)/\w+(@\w+)?"))
        for match in re.finditer(pattern, text)
    ]
