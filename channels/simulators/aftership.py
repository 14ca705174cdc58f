"""AfterShip on loopback: parcels are followed, listed and pushed; calls may have to be signed (``must_sign``)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from channels.simulators.server import Request, Response
from channels.simulators.signed import SignedPlatform, written
from channels.simulators.webhooks import Event, Webhooks

PATH = "/tracking/2026-07/trackings"


class Platform(SignedPlatform):
    """The parcels that one account follows."""

    usual: ClassVar[Mapping[str, str]] = {"api_key": "AK", "api_secret": "AS", "webhook_secret": "aswhsecret"}

    def __init__(self, *, must_sign: bool = True, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"carriers": {"SFI": "sf-express", "DHL": "dhl"}}
        self.must_sign = must_sign
        self.followed: dict[tuple[str, str], dict[str, Any]] = {}  # slug and number → the parcel
        self.webhooks = Webhooks(self.faults, self._signed)
        self._ids = count(1)

    # -- what a test or the demo does ------------------------------------------------------------

    def scan(self, slug: str, number: str, tag: str, text: str, *, at: datetime, place: str = "") -> None:
        """Let a parcel that is followed pass a checkpoint; raises ``KeyError`` for one that is not."""
        with self.lock:
            parcel = self.followed[slug, number]
            time = at.isoformat()
            parcel["checkpoints"].append(
                {
                    "checkpoint_time": time,
                    "created_at": time,
                    "slug": slug,
                    "location": place,
                    "message": text,
                    "tag": tag,
                }
            )
            parcel["tag"] = tag
            told = {"event": "tracking_update", "event_id": f"e-{next(self._ids)}", "is_tracking_first_tag": True}
            self.webhooks.add(Event(json.dumps({**told, "msg": parcel, "ts": int(at.timestamp())}).encode()))

    def push_to(self, url: str) -> list[int]:
        """Post what waits and return the HTTP statuses (0: no answer)."""
        return self.webhooks.post_to(url)

    def state(self) -> dict[str, Any]:
        """Return the parcels' tags."""
        with self.lock:
            tags = {"/".join(parcel): row["tag"] for parcel, row in self.followed.items()}
            return {"followed": tags, "calls": dict(self.calls)}

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; a refusal has a status and a code in ``meta``."""
        if request.path.startswith("/control/"):
            return super().answer(request)
        with self.lock:
            if request.path != PATH or request.method not in ("GET", "POST"):
                return _meta(404, 404, "NotFound")
            self.calls[request.method] += 1
            if request.headers.get("as-api-key") != self.credentials["api_key"] or not self._is_signed(request):
                return _meta(401, 401, "Unauthorized")
            if self.is_too_fast():
                return _meta(429, 429, "TooManyRequests")
            return self._create(request.body) if request.method == "POST" else self._list(request.query)

    def _create(self, body: bytes) -> Response:
        try:
            asked = json.loads(body)
            slug, number = asked["slug"], asked["tracking_number"]
        except (ValueError, KeyError, TypeError):
            return _meta(400, 4001, "BadRequest")
        if slug not in self.options["carriers"].values():
            return _meta(400, 4010, "BadRequest")
        if (slug, number) in self.followed:
            return _meta(400, 4003, "BadRequest")
        parcel = {**asked, "id": f"as{next(self._ids)}", "tag": "Pending", "checkpoints": []}
        self.followed[slug, number] = parcel
        return written({"meta": {"code": 201}, "data": parcel}, 201)

    def _list(self, query: str) -> Response:
        asked = dict(parse_qsl(query))
        numbers = set(asked["tracking_numbers"].split(",")) if "tracking_numbers" in asked else None
        rows = [row for row in self.followed.values() if numbers is None or row["tracking_number"] in numbers]
        return written({"meta": {"code": 200}, "data": {"trackings": rows[: int(asked.get("limit", "100"))]}})

    def _is_signed(self, request: Request) -> bool:
        if not self.must_sign:
            return True
        target = request.path + ("?" + urlencode(sorted(parse_qsl(request.query))) if request.query else "")
        parts = [
            request.method,
            hashlib.md5(request.body).hexdigest().upper() if request.body else "",
            request.headers.get("content-type", "") if request.body else "",
            request.headers.get("date", ""),
            f"as-api-key:{self.credentials['api_key']}",
            target,
        ]
        return request.headers.get("as-signature-hmac-sha256") == _sealed(
            self.credentials["api_secret"], "\n".join(parts).encode()
        )

    def _signed(self, url: str, event: Event) -> dict[str, str]:
        return {"aftership-hmac-sha256": _sealed(self.credentials["webhook_secret"], event.body)}


def _sealed(secret: str, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def _meta(status: int, code: int, kind: str) -> Response:
    return written({"meta": {"code": code, "message": "refused", "type": kind}, "data": {}}, status)
