"""Calls of AfterShip: following a parcel and asking where it is."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from audit.rules.sentences import say
from channels.adapters import calls, scans, signing
from channels.adapters.aftership import sign, translate
from channels.adapters.protocol import Connection, Rejected, Throttled
from channels.messages import Outgoing, RawMessage, TrackingRequest

PLATFORM: Final = "AfterShip"
PATH: Final = "/tracking/2026-07/trackings"
NUMBERS: Final = "tracking_numbers"
MOST_NUMBERS: Final = 50  # of one question
PAGE: Final = 200
DONE_ALREADY: Final = 4003
TOO_MANY: Final = 429


def follow(message: Outgoing, connection: Connection) -> str:
    """Ask to be told of a parcel and return the answer; a parcel that is followed already is fine."""
    if not isinstance(message, TrackingRequest):
        raise Rejected(say("%(platform)s follows parcels, nothing else.", platform=PLATFORM))
    slug = scans.theirs(message, connection, PLATFORM)
    asked = {"tracking_number": message.tracking_number, "slug": slug, "title": message.parcel_number}
    try:
        return calls.shown(calls.written(_call(connection, "POST", {}, json.dumps(asked).encode())))
    except _FollowedAlready as known:
        return known.answer


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Ask for these parcels, fifty a call; one that is not followed gives no message."""
    wanted = {parcel: external_id for external_id, parcel in scans.asked(external_ids, connection).items()}
    parcels, messages = list(wanted), []
    for start in range(0, len(parcels), MOST_NUMBERS):
        numbers = [number for _, number in parcels[start : start + MOST_NUMBERS]]
        for row in listed(connection, {NUMBERS: ",".join(numbers), "limit": str(PAGE)}):
            name = wanted.get((str(row.get("slug")), str(row.get("tracking_number"))))
            if name:
                messages.append(translate.message(name, row))
    return messages


def listed(connection: Connection, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the parcels of one page of the list."""
    data = _call(connection, "GET", query, b"")
    rows = data.get("trackings") if isinstance(data, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


class _FollowedAlready(Rejected):
    """The parcel is followed already."""


def _call(connection: Connection, method: str, query: Mapping[str, str], body: bytes) -> Any:
    calls.require(connection, PLATFORM, "api_key")
    url = connection.base_url.rstrip("/") + PATH + ("?" + urlencode(sorted(query.items())) if query else "")
    headers = {"as-api-key": connection.credentials["api_key"], **({"Content-Type": sign.JSON} if body else {})}
    if secret := connection.credentials.get("api_secret"):
        headers |= _signed(connection.credentials["api_key"], secret, method, url, body)
    response = calls.send(PLATFORM, method, url, content=body or None, headers=headers)
    answer = calls.read(PLATFORM, response.content)
    told = answer.get("meta")
    meta = told if isinstance(told, dict) else {}
    if response.status_code in (200, 201):
        return answer.get("data")
    code = signing.number(meta.get("code"))
    reason = signing.refusal(PLATFORM, code or response.status_code, meta.get("message"), meta.get("type"))
    kind = {DONE_ALREADY: _FollowedAlready, TOO_MANY: Throttled}.get(code, Rejected)
    raise kind(reason, answer=calls.shown(response.content))


def _signed(key: str, secret: str, method: str, url: str, body: bytes) -> dict[str, str]:
    parts, date = urlsplit(url), format_datetime(datetime.now(UTC), usegmt=True)
    target = parts.path + ("?" + parts.query if parts.query else "")
    signature = sign.of_call(method, target, body, date=date, key=key, secret=secret)
    return {"Date": date, "as-signature-hmac-sha256": signature}
