"""The robots of three work chats on loopback, each at its own path, each with its own refusals and signature."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from channels.simulators.server import Request, Response
from channels.simulators.signed import SignedPlatform, written

SKEW = timedelta(hours=1)
FEISHU = "/open-apis/bot/v2/hook/"


class Platform(SignedPlatform):
    """One robot in each chat, with one token and secret."""

    usual: ClassVar[Mapping[str, str]] = {"token": "robot-token", "secret": "SECabc"}

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"live": True, "kind": "dingtalk"}
        self.messages: list[tuple[str, dict[str, Any]]] = []  # the chat and what was written

    def state(self) -> dict[str, Any]:
        """Return how many messages each chat has."""
        with self.lock:
            chats = [chat for chat, _ in self.messages]
            return {"messages": {chat: chats.count(chat) for chat in sorted(set(chats))}, "calls": dict(self.calls)}

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; refusals come with HTTP 200."""
        if request.path.startswith("/control/"):
            return super().answer(request)
        with self.lock:
            query = dict(parse_qsl(request.query))
            told = json.loads(request.body)
            if request.path == "/robot/send":
                return self._dingtalk(query, told)
            if request.path.startswith(FEISHU):
                return self._feishu(request.path.removeprefix(FEISHU), told)
            if request.path == "/cgi-bin/webhook/send":
                return self._wecom(query, told)
            return Response(b"Not Found", 404, "text/plain")

    def _dingtalk(self, query: Mapping[str, str], told: dict[str, Any]) -> Response:
        self.calls["dingtalk"] += 1
        if query.get("access_token") != self.credentials["token"]:
            return written({"errcode": 300005, "errmsg": "token is not exist"})
        expected = self._sealed(self.credentials["secret"], f"{query.get('timestamp')}\n{self.credentials['secret']}")
        if query.get("sign") != expected or not self._is_now(int(query["timestamp"]) / 1000):
            return written({"errcode": 310000, "errmsg": "sign not match"})
        if self.is_too_fast():
            return written({"errcode": 130101, "errmsg": "send too fast"})
        self.messages.append(("dingtalk", told))
        return written({"errcode": 0, "errmsg": "ok"})

    def _feishu(self, token: str, told: dict[str, Any]) -> Response:
        self.calls["feishu"] += 1
        if token != self.credentials["token"]:
            return written({"code": 19001, "msg": "param invalid: incoming webhook access token invalid", "data": {}})
        expected = self._sealed(f"{told.get('timestamp')}\n{self.credentials['secret']}", "")
        if told.get("sign") != expected or not self._is_now(int(told["timestamp"])):
            return written({"code": 19021, "msg": "sign match fail or timestamp is not within one hour", "data": {}})
        if self.is_too_fast():
            return written({"code": 11232, "msg": "frequency limited", "data": {}})
        self.messages.append(("feishu", told))
        return written({"code": 0, "msg": "success", "StatusCode": 0, "data": {}})

    def _wecom(self, query: Mapping[str, str], told: dict[str, Any]) -> Response:
        self.calls["wecom"] += 1
        if query.get("key") != self.credentials["token"]:
            return written({"errcode": 93000, "errmsg": "invalid webhook url"})
        if len(told["text"]["content"].encode()) > 2048:
            return written({"errcode": 40058, "errmsg": "text.content exceed max length 2048"})
        if self.is_too_fast():
            return written({"errcode": 45009, "errmsg": "api freq out of limit"})
        self.messages.append(("wecom", told))
        return written({"errcode": 0, "errmsg": "ok"})

    def _is_now(self, seconds: float) -> bool:
        return abs(self.clock().timestamp() - seconds) <= SKEW.total_seconds()

    def _sealed(self, key: str, text: str) -> str:
        return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
