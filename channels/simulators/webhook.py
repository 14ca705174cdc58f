"""A partner's endpoint for Standard Webhooks 1.0: checks each signature over the received bytes and keeps what came.

What it answers next can be planned: a status (410, 429 with Retry-After, 500, 502 …), a redirect, or silence.
``GET`` lists what was accepted.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from channels.simulators.server import Faults, LoopbackServer, Request, Response

TOLERANCE_SECONDS = 300
USUAL_SECRET = "whsec_" + base64.b64encode(b"a secret to play with, 32 bytes.").decode()
HANG = 0  # a planned status of nought: no answer for a while


@dataclass
class Event:
    """One authentic event and how often it came."""

    id: str
    body: Any
    signatures: int
    times: int = 1


class Receiver:
    """Accepts events signed with one of ``secrets`` (``whsec_…``); keeps them in the order they came first."""

    path = "/hooks"

    def __init__(self, *secrets: str, hang_seconds: float = 30.0, faults: Faults | None = None) -> None:
        self.secrets = list(secrets) or [USUAL_SECRET]
        self.credentials = {"secret": self.secrets[0]}
        self.options: dict[str, Any] = {"events": ["order.created", "order.cancelled", "parcel.shipped"]}
        self.faults = faults or Faults()
        self.hang_seconds = hang_seconds
        self.let_go = threading.Event()
        self.refused = 0
        self._planned: deque[tuple[int, dict[str, str]]] = deque()
        self._events: dict[str, Event] = {}
        self._lock = threading.Lock()

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this partner; ``url`` is its address."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def plan(self, status: int, times: int = 1, **headers: str) -> None:
        """Answer the next calls with this status; ``Retry_After="7"`` names a header."""
        with self._lock:
            self._planned.extend([(status, {name.replace("_", "-"): value for name, value in headers.items()})] * times)

    def events(self) -> list[Event]:
        """Return what was accepted."""
        with self._lock:
            return list(self._events.values())

    def answer(self, request: Request) -> Response:
        """Answer one request: 400 for one that is not authentic, else as planned, else 200."""
        if request.method == "GET":
            return Response(json.dumps([asdict(event) for event in self.events()], ensure_ascii=False).encode())
        signatures = request.headers.get("webhook-signature", "").split(" ")
        if request.method != "POST" or not self._is_authentic(request, signatures):
            self.refused += 1
            return Response(b'{"error":"bad_signature"}', 400)
        with self._lock:
            status, headers = self._planned.popleft() if self._planned else (200, {})
        if status == HANG:
            self.let_go.wait(self.hang_seconds)
            return Response(b"", 503)
        if not 200 <= status < 300:
            return Response(b'{"error":"planned"}', status, headers=headers)
        self._keep(request, len(signatures))
        return Response(b'{"ok":true}')

    def _keep(self, request: Request, signatures: int) -> None:
        event = Event(request.headers["webhook-id"], json.loads(request.body), signatures)
        with self._lock:
            known = self._events.setdefault(event.id, event)
            if known is not event:
                known.times += 1

    def _is_authentic(self, request: Request, signatures: list[str]) -> bool:
        sent_at, message_id = request.headers.get("webhook-timestamp", ""), request.headers.get("webhook-id", "")
        if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > TOLERANCE_SECONDS or not message_id:
            return False
        signed = f"{message_id}.{sent_at}.".encode() + request.body
        expected = []
        for secret in self.secrets:
            key = base64.b64decode(secret.removeprefix("whsec_"))
            expected.append("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        return any(hmac.compare_digest(one, given) for one in expected for given in signatures)


Platform = Receiver  # what ``manage.py simulators`` looks for
