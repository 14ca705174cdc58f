"""Calls of Square's API, and what its errors mean.

Not verified against the live platform (documented guess): the codes in ``LATER_CODES``, of which ``VERSION_MISMATCH``
and ``CONFLICT`` mean that somebody else changed the order at the same moment.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.refusals import Refusals
from channels.rules import texts

PLATFORM: Final = "Square"
VERSION: Final = "2026-09-16"
EXPIRED: Final = "ACCESS_TOKEN_EXPIRED"
LATER_CODES: Final = {"VERSION_MISMATCH": 2, "CONFLICT": 2, "RATE_LIMITED": calls.USUAL_WAIT}  # code → seconds
REFUSALS: Final = Refusals(expired={EXPIRED}, later=LATER_CODES)
TO_RENEW: Final = ("refresh_token", "client_id", "client_secret")
LONGEST_WORDS: Final = 200
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def call(connection: Connection, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Call and return the answer; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "access_token")
    return _send(connection, method, path, body, {"Authorization": f"Bearer {connection.credentials['access_token']}"})


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *TO_RENEW)
    who = {name: connection.credentials[name] for name in TO_RENEW}
    answer = _send(connection, "POST", "/oauth2/token", {"grant_type": "refresh_token", **who}, {})
    names = ("access_token", "refresh_token") if answer.get("refresh_token") else ("access_token",)
    return calls.renewed(connection, PLATFORM, answer, *names)


def shop_name(connection: Connection) -> str:
    """Return the first location's name; raises ``RetryLater`` or ``Rejected``."""
    told = call(connection, "GET", f"/v2/locations/{locations(connection)[0]}").get("location")
    return str((told or {}).get("name") or "")


def locations(connection: Connection) -> list[str]:
    """Return the numbers of the channel's locations; raises ``Rejected`` when none is set."""
    named = connection.options.get("locations")
    if not isinstance(named, dict) or not named:
        raise Rejected(say("Channel %(code)s has no locations of Square.", code=connection.code))
    return [checked(str(location)) for location in named]


def checked(number: str) -> str:
    """Return a number that may stand in an address; raises ``Rejected`` for another."""
    if not _ID.fullmatch(number):
        raise Rejected(say("%(value)s is not a number of Square.", value=texts.shown(number)))
    return number


def _send(
    connection: Connection, method: str, path: str, body: Mapping[str, Any] | None, who: Mapping[str, str]
) -> dict[str, Any]:
    headers = {**who, "Square-Version": VERSION, "Content-Type": "application/json"}
    content = None if body is None else calls.written(body)
    url = connection.base_url.rstrip("/") + path
    response = calls.send(PLATFORM, method, url, headers=headers, content=content)
    if response.status_code >= 300 and not response.content.startswith(b"{"):
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    answer = calls.read(PLATFORM, response.content)
    if response.status_code >= 300 or answer.get("errors"):
        _refuse(answer.get("errors"), response.content)
    return answer


def _refuse(errors: object, content: bytes) -> None:
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    codes = [str(row.get("code")) for row in rows]
    words = "; ".join(f"{row.get('code')} {row.get('detail') or ''} {row.get('field') or ''}".strip() for row in rows)
    reason = say("Square refused: %(words)s", words=texts.shown(words or calls.shown(content), limit=LONGEST_WORDS))
    REFUSALS.refuse(*codes, reason=reason, body=content, unknown=Rejected)
