"""A partner's system that accepts deliveries in the house language: what a node or a till would do with them.

``POST /deliveries/`` takes JSON with ``X-Hub-Signature`` (hex HMAC-SHA256 of the body) and ``Idempotency-Key``. The
same key again gets the first answer again and counts once. ``GET /deliveries/`` lists what was accepted.
"""

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass
from typing import Any

from channels.simulators.server import Faults, LoopbackServer, Request, Response


@dataclass
class Delivery:
    """One accepted delivery and how often it was sent."""

    key: str
    body: Any
    times: int = 1


class House:
    """Accepts deliveries signed with ``secret``; keeps them in memory in the order they came."""

    path = "/deliveries/"

    def __init__(self, *, secret: str = "house-secret", faults: Faults | None = None) -> None:
        self.secret = secret
        self.credentials = {"secret": secret}
        self.options: dict[str, Any] = {}
        self.faults = faults or Faults()
        self._deliveries: dict[str, Delivery] = {}
        self._lock = threading.Lock()

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this partner; ``url`` is its address."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def deliveries(self) -> list[Delivery]:
        """Return what was accepted, oldest first."""
        with self._lock:
            return list(self._deliveries.values())

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.path != self.path:
            return _json({"error": "not_found"}, 404)
        if request.method == "GET":
            rows = [{"key": each.key, "times": each.times, "body": each.body} for each in self.deliveries()]
            return _json({"count": len(rows), "deliveries": rows})
        return self._accept(request)

    def _accept(self, request: Request) -> Response:
        expected = hmac.new(self.secret.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get("x-hub-signature", "").encode()):
            return _json({"accepted": False, "error": "bad_signature"}, 401)
        key = request.headers.get("idempotency-key", "")
        if not key:
            return _json({"accepted": False, "error": "missing_idempotency_key"}, 400)
        try:
            body = json.loads(request.body)
        except ValueError:
            return _json({"accepted": False, "error": "malformed_json"}, 400)
        self._keep(Delivery(key, body))
        return _json({"accepted": True})

    def _keep(self, delivery: Delivery) -> None:
        with self._lock:
            known = self._deliveries.setdefault(delivery.key, delivery)
            if known is not delivery:
                known.times += 1


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status)
