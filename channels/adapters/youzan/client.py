"""Calls of the Youzan gateway, and what its answers mean: it says no with HTTP 200, in three shapes.

Not verified against the live platform (documented guess): the gateway's shape ``gw_err_resp``; ``TOKEN_CODES`` and
``NEVER_CODES`` as seen in use. A gateway's fault that is in neither is tried later: it is about the way, not about
what was asked.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, RetryLater
from channels.adapters.refusals import Refusals
from channels.adapters.youzan import translate

PLATFORM: Final = translate.PLATFORM
TOKEN: Final = "/auth/token"
TOKEN_CODES: Final = frozenset({4001, 4003, 40010, 10000})
NEVER_CODES: Final = frozenset({4005, 4007})  # the channel itself may not call: not granted, address not allowed
REFUSALS: Final = Refusals(expired=TOKEN_CODES, never=NEVER_CODES)
SUCCESS: Final = 200
CREDENTIALS: Final = ("client_id", "client_secret", "grant_id")


def call(connection: Connection, api: str, arguments: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Call ``name/version`` and return the answer, as sent and its data; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *CREDENTIALS)
    token = calls.token(connection, PLATFORM)
    body, answer = _post(connection, f"/api/{api}", arguments, params={"access_token": token})
    data = answer.get("data", answer.get("response"))
    return body, data if isinstance(data, dict) else {"is_success": data}


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token of the shop; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *CREDENTIALS)
    who = {name: connection.credentials[name] for name in CREDENTIALS}
    asked = {**who, "authorize_type": "silent", "refresh": False}
    _, answer = calls.for_token(lambda: _post(connection, TOKEN, asked))
    return calls.renewed(connection, PLATFORM, answer.get("data"), "access_token")


def _post(connection: Connection, path: str, body: Mapping[str, Any], **parts: Any) -> tuple[bytes, dict[str, Any]]:
    asked = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    url = connection.base_url.rstrip("/") + path
    told = calls.content(PLATFORM, "POST", url, content=asked, headers=calls.JSON, **parts)
    answer = calls.read(PLATFORM, told)
    _check(answer, told)
    return told, answer


def _check(answer: Mapping[str, Any], body: bytes) -> None:
    """Pass for an answer that says yes; raises ``RetryLater`` or ``Rejected``."""
    gateway, legacy = answer.get("gw_err_resp"), answer.get("error_response")
    if isinstance(gateway, dict):
        _refuse(gateway.get("err_code"), gateway.get("err_msg"), body, unknown=RetryLater)
    if isinstance(legacy, dict):
        _refuse(legacy.get("code"), legacy.get("msg"), body)
    if "response" in answer:
        return
    if answer.get("success") is not True or signing.number(answer.get("code", SUCCESS)) != SUCCESS:
        if "success" not in answer and "code" not in answer:
            raise calls.not_understood(PLATFORM, body)
        _refuse(answer.get("code"), answer.get("message"), body)


def _refuse(code: Any, words: Any, body: bytes, *, unknown: type[Exception] = signing.NotThis) -> None:
    number = signing.number(code)
    REFUSALS.refuse(number, reason=signing.refusal(PLATFORM, number, words), body=body, unknown=unknown)
