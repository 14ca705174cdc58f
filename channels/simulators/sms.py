"""A provider of short messages on loopback: checks token and signature, takes a message once a request id."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from channels.simulators.server import Request, Response
from channels.simulators.signed import SignedPlatform, written


class Platform(SignedPlatform):
    """One account. ``refused`` names phones that cannot be reached."""

    path: ClassVar[str] = "/sms/send"
    usual: ClassVar[Mapping[str, str]] = {"token": "smstoken", "secret": "smssecret"}

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {
            "live": True,
            "fields": {"to": "mobile", "text": "content"},
            "extra": {"sign_name": "示例"},
            "success": {"code": "0"},
        }
        self.refused: set[str] = set()
        self.messages: dict[str, dict[str, Any]] = {}  # by request id

    def state(self) -> dict[str, Any]:
        """Return how many messages were taken."""
        with self.lock:
            return {"messages": len(self.messages), "calls": dict(self.calls)}

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if request.path.startswith("/control/") or request.path != self.path:
            return super().answer(request)
        with self.lock:
            self.calls["send"] += 1
            signature = hmac.new(self.credentials["secret"].encode(), request.body, hashlib.sha256).hexdigest()
            if request.headers.get("authorization") != f"Bearer {self.credentials['token']}":
                return written({"code": 401, "message": "token"}, 401)
            if request.headers.get("x-signature") != signature:
                return written({"code": 403, "message": "signature"}, 403)
            if self.is_too_fast():
                return written({"code": 429, "message": "too fast"}, 429)
            told = json.loads(request.body)
            if told["mobile"] in self.refused:
                return written({"code": 14, "message": "号码不可达"})
            self.messages.setdefault(told["request_id"], told)
            return written({"code": 0, "message": "ok", "id": f"m{list(self.messages).index(told['request_id']) + 1}"})

    def call(self, request: Request) -> None:
        """Answer nothing anywhere else."""
        return
