"""Calls of the Douyin gateway, and what their answers mean: the platform says no with HTTP 200 and a code.

Not verified against the live platform (documented guess): the seconds to wait in ``LATER``, since no rate is published;
that a ``sub_code`` beginning with ``isp.`` is the platform's own fault and one with ``isv.`` ours.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from channels.adapters import calls, signing
from channels.adapters.douyin import sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired

PLATFORM: Final = "Douyin"
CREDENTIALS: Final = ("app_key", "app_secret", "access_token", "refresh_token")
RENEW: Final = "token.refresh"
SUCCESS: Final = 10000
LATER: Final = {20000: 30, 60000: 60, 90000: 30}  # service fault, traffic limited, unknown: seconds to wait
LIMITED: Final = 60000
TOKEN_CODE: Final = 50001
TOKEN_EXPIRED: Final = "isv.access-token-expired"
KNOWN_ALREADY: Final = "isv.idempotent-id-existed"
ACCESS_CODES: Final = frozenset({30001, 70000})  # no permission, API offline: whatever is asked
ACCESS_WORDS: Final = frozenset({"isv.signature-invalid"})


class Answer(NamedTuple):
    """What a call gave: the bytes as sent, and what is inside ``data``."""

    body: bytes
    data: dict[str, Any]


class KnownAlready(signing.NotThis):
    """The platform has had a call under this idempotency key."""


def call(connection: Connection, method: str, arguments: Mapping[str, Any]) -> Answer:
    """Call a method; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "access_token")
    return _ask(connection, method, arguments, {"access_token": connection.credentials["access_token"]})


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "refresh_token")
    arguments = {"grant_type": "refresh_token", "refresh_token": connection.credentials["refresh_token"]}
    try:
        data = _ask(connection, RENEW, arguments, {}).data
    except TokenExpired as dead:  # another try with the same refresh token would not help
        raise Rejected(dead.reason, answer=dead.answer) from dead
    fresh = {name: str(data.get(name) or "") for name in ("access_token", "refresh_token")}
    if not all(fresh.values()):
        raise calls.not_understood(PLATFORM, b"the answer does not hold both tokens")
    return {**connection.credentials, **fresh}


def _ask(connection: Connection, method: str, arguments: Mapping[str, Any], more: Mapping[str, str]) -> Answer:
    text = json.dumps(arguments, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    key, timestamp = connection.credentials["app_key"], str(int(datetime.now(UTC).timestamp()))
    secret = connection.credentials["app_secret"]
    signature = sign.signature(app_key=key, secret=secret, method=method, timestamp=timestamp, body=text)
    common = {"app_key": key, "method": method, "timestamp": timestamp, "v": "2", "sign_method": "hmac-sha256"}
    url = f"{connection.base_url.rstrip('/')}/{method.replace('.', '/')}"
    answer = calls.send(
        PLATFORM,
        "POST",
        url,
        params={**common, **more, "sign": signature},
        content=text.encode(),
        headers={"Content-Type": "application/json"},
    )
    if answer.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, answer), answer=calls.shown(answer.content))
    return Answer(answer.content, _data(answer.content))


def _data(body: bytes) -> dict[str, Any]:
    answer = calls.read(PLATFORM, body)
    code = answer.get("code")
    if type(code) is not int:
        raise calls.not_understood(PLATFORM, body)
    if code != SUCCESS:
        _refuse(code, answer, calls.shown(body))
    data = answer.get("data")
    if data is not None and not isinstance(data, dict | list):
        raise calls.not_understood(PLATFORM, body)
    return data if isinstance(data, dict) else {}


def _refuse(code: int, answer: Mapping[str, Any], shown: str) -> None:
    word = str(answer.get("sub_code") or "")
    reason = signing.refusal(PLATFORM, code, answer.get("sub_msg") or answer.get("msg"), word)
    if code == TOKEN_CODE or word == TOKEN_EXPIRED:
        raise TokenExpired(reason, answer=shown)
    if code in LATER or word.startswith("isp."):
        later = Throttled if code == LIMITED else RetryLater
        raise later(reason, seconds=LATER.get(code, calls.USUAL_WAIT), answer=shown)
    if code in ACCESS_CODES or word in ACCESS_WORDS:
        raise Rejected(reason, answer=shown)
    raise (KnownAlready if word == KNOWN_ALREADY else signing.NotThis)(reason, answer=shown)
