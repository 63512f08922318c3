"""The fake's Web API: each method checks its arguments, refuses what Slack refuses and changes the workspace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes import slack_rules as rules
from tests.fakes.slack_rules import Refused

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack

Json = dict[str, Any]


@dataclass
class Fault:
    """A planned failure of a method."""

    method: str
    error: str = ""
    status: int = 200
    retry_after: float | None = None
    channel: str = ""
    times: int = 1
    hang: bool = False  # close the connection without an answer


class Api:
    """The methods. Anything else is an unknown_method, as on Slack."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self._methods: dict[str, Callable[[Json], Json]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._connections_open,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._ephemeral,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.open": self._conversation,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._complete,
            "files.getUploadURLExternal": self._upload_url,
            "users.info": self._user,
            "views.open": self._open,
            "views.publish": self._publish,
            "views.update": self._update_view,
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or arguments.pop("token", "")
        with self.slack.changed:
            self.slack.calls.append((method, arguments))
            fault = self._fault(method, arguments)
            self.slack.changed.notify_all()
        if fault is not None:
            if fault.hang and request.transport is not None:
                request.transport.abort()
            headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
            if fault.status >= 500:
                return web.Response(status=fault.status, text="<html>oops</html>", content_type="text/html")
            return web.json_response(
                {"ok": False, "error": fault.error or "ratelimited"}, status=fault.status, headers=headers
            )
        wanted = "xapp-" if method == "apps.connections.open" else "xoxb-"
        try:
            if not token.startswith(wanted):
                raise Refused("invalid_auth" if token else "not_authed")
            if method not in self._methods:
                raise Refused("unknown_method")
            with self.slack.changed:
                result = self._methods[method](arguments)
                self.slack.changed.notify_all()
        except Refused as refused:
            messages = {"response_metadata": {"messages": [refused.where]}} if refused.where else {}
            return web.json_response({"ok": False, "error": refused.code, **messages})
        headers = {"x-oauth-scopes": self.slack.scopes} if self.slack.scopes else {}
        return web.json_response({"ok": True, **result}, headers=headers)

    def _fault(self, method: str, arguments: Json) -> Fault | None:
        for fault in self.slack.faults:
            if fault.method == method and fault.channel in ("", arguments.get("channel")):
                fault.times -= 1
                if fault.times <= 0:
                    self.slack.faults.remove(fault)
                return fault
        return None

    # ------------------------------------------------------------ messages

    def _channel(self, arguments: Json, key: str = "channel") -> Json:
        channel = self.slack.channels.get(str(arguments.get(key, "")))
        if channel is None:
            raise Refused("channel_not_found")
        if channel["archived"]:
            raise Refused("is_archived")
        if "UBOT" not in channel["members"]:
            raise Refused("not_in_channel")
        return channel

    def _post(self, arguments: Json) -> Json:
        channel = self._channel(arguments)
        rules.message(arguments, "chat.postMessage")
        if arguments.get("unfurl_links") is not False or arguments.get("unfurl_media") is not False:
            raise Refused("invalid_arguments", "this application unfurls nothing")
        thread = str(arguments.get("thread_ts") or "")
        if thread and (channel["id"], thread) not in self.slack.messages:
            raise Refused("thread_not_found")
        ts = self.slack.ts()
        said = self.slack.keep(
            channel["id"],
            ts,
            user="UBOT",
            bot_id="BBOT",
            text=arguments["text"],
            thread=thread,
            blocks=arguments["blocks"],
        )
        if self.slack.echo and (self.slack.mode == "http" or self.slack.live()):
            self.slack.soon(self.slack._bring("events_api", self.slack.wrapped(self.slack.message_event(said))))
        return {"channel": channel["id"], "ts": ts, "message": {"text": said["text"]}}

    def _ephemeral(self, arguments: Json) -> Json:
        channel = self._channel(arguments)
        rules.message(arguments, "chat.postEphemeral")
        if arguments["user"] not in channel["members"]:
            raise Refused("user_not_in_channel")
        ts = self.slack.ts()
        said = {"user": "UBOT", "bot_id": "BBOT", "text": arguments["text"], "blocks": arguments["blocks"]}
        self.slack.keep(channel["id"], ts, thread=str(arguments.get("thread_ts") or ""), **said)["to"] = arguments[
            "user"
        ]
        return {"message_ts": ts}

    def _standing(self, arguments: Json) -> Json:
        channel = self._channel(arguments)
        said = self.slack.messages.get((channel["id"], str(arguments.get("ts"))))
        if said is None or said["to"]:  # what one person sees cannot be edited or deleted so
            raise Refused("message_not_found")
        return said

    def _update(self, arguments: Json) -> Json:
        said = self._standing(arguments)
        if said["user"] != "UBOT":
            raise Refused("cant_update_message")
        rules.message(arguments, "chat.update")
        said["text"] = arguments["text"]
        said["edits"] = said.get("edits", 0) + 1
        if "blocks" in arguments:  # without them the old ones stay
            said["blocks"] = arguments["blocks"]
        return {"channel": said["channel"], "ts": said["ts"], "text": said["text"]}

    def _delete(self, arguments: Json) -> Json:
        said = self._standing(arguments)
        if said["user"] != "UBOT":
            raise Refused("cant_delete_message")
        del self.slack.messages[said["channel"], said["ts"]]
        return {"channel": said["channel"], "ts": said["ts"]}

    def _replies(self, arguments: Json) -> Json:
        channel = self._channel(arguments)
        found = [
            {
                "ts": said["ts"],
                "user": said["user"],
                "text": said["text"],
                **({"bot_id": "BBOT"} if "bot_id" in said else {}),
            }
            for said in self.slack.standing(channel["id"])
            if arguments["ts"] in (said["ts"], said["thread"])
        ]
        if not found:
            raise Refused("thread_not_found")
        return {"messages": found, "has_more": False}

    def _conversation(self, arguments: Json) -> Json:
        if arguments.get("users") not in self.slack.users:
            raise Refused("user_not_found")
        return {"channel": {"id": self.slack.direct(arguments["users"])}}

    # ------------------------------------------------------------ views

    def _trigger(self, arguments: Json) -> None:
        trigger = str(arguments.get("trigger_id", ""))
        if trigger not in self.slack.triggers:
            raise Refused("invalid_trigger_id")
        user, until = self.slack.triggers[trigger]
        if not user:
            raise Refused("exchanged_trigger_id")
        if time.monotonic() > until:
            raise Refused("expired_trigger_id")
        self.slack.triggers[trigger] = ("", until)

    def _open(self, arguments: Json) -> Json:
        rules.view(arguments.get("view"), "modal")
        self._trigger(arguments)
        view = {**arguments["view"], "id": f"V{self.slack.ts()}", "hash": self.slack.ts()}
        self.slack.views[view["id"]] = view
        return {"view": view}

    def _update_view(self, arguments: Json) -> Json:
        if arguments.get("view_id") not in self.slack.views:
            raise Refused("not_found")
        rules.view(arguments.get("view"), "modal")
        view = {**arguments["view"], "id": arguments["view_id"], "hash": self.slack.ts()}
        self.slack.views[view["id"]] = view
        return {"view": view}

    def _publish(self, arguments: Json) -> Json:
        if arguments.get("user_id") not in self.slack.users:
            raise Refused("user_not_found")
        rules.view(arguments.get("view"), "home")
        view = {**arguments["view"], "id": f"VH{arguments['user_id']}", "hash": self.slack.ts()}
        self.slack.homes[arguments["user_id"]] = view
        return {"view": view}

    # ------------------------------------------------------------ files, people, the application itself

    def _upload_url(self, arguments: Json) -> Json:
        if not arguments.get("filename") or not int(arguments.get("length", 0)):
            raise Refused("invalid_arguments")
        if len(arguments.get("alt_txt", "")) > 1000:
            raise Refused("alt_txt_too_large")
        name = f"F{self.slack.ts().replace('.', '')}"
        self.slack.files[name] = {**arguments, "id": name}
        return {"upload_url": f"{self.slack.origin}/upload/{name}", "file_id": name}

    def _complete(self, arguments: Json) -> Json:
        channel = self._channel(arguments, "channel_id")
        done = []
        for entry in json.loads(arguments["files"]):
            file = self.slack.files.get(entry["id"])
            if file is None or "content" not in file:
                raise Refused("file_not_found")
            file |= {"shared": channel["id"], "thread": arguments.get("thread_ts", ""), "title": entry.get("title", "")}
            file |= {"comment": arguments.get("initial_comment", "")}
            done.append({"id": file["id"], "title": file["title"]})
        return {"files": done}

    def _user(self, arguments: Json) -> Json:
        user = self.slack.users.get(str(arguments.get("user")))
        if user is None:
            raise Refused("user_not_found")
        return {
            "user": {k: v for k, v in user.items() if k != "locale" or arguments.get("include_locale") in ("1", "true")}
        }

    def _auth_test(self, _: Json) -> Json:
        return {"user_id": "UBOT", "bot_id": "BBOT", "team_id": "T1", "url": "https://x.slack.com/"}

    def _connections_open(self, _: Json) -> Json:
        return {"url": self.slack.ticket()}


async def _arguments(request: web.Request) -> Json:
    """JSON, a form or the query: Slack takes each, and the SDK sends each."""
    arguments: Json = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            arguments |= await request.json()
        else:
            arguments |= dict(await request.post())
    return arguments
