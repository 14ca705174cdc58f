"""Calls of the Youzan gateway, and what its answers mean: it says no with HTTP 200, in three shapes.

Not verified against the live platform (documented guess): the gateway's shape ``gw_err_resp``; ``TOKEN_CODES`` and
``NEVER_CODES`` as seen in use. A gateway's fault that is in neither is tried later: it is about the way, not about
what was asked.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, TokenExpired
from channels.adapters.youzan import translate

PLATFORM: Final = translate.PLATFORM
TOKEN: Final = "/auth/token"
TOKEN_CODES: Final = frozenset({4001, 4003, 40010, 10000})
NEVER_CODES: Final = frozenset({4005, 4007})  # the channel itself may not call: not granted, address not allowed
SUCCESS: Final = 200


def call(connection: Connection, api: str, arguments: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Call ``name/version`` and return the answer, as sent and its data; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "client_id", "client_secret", "grant_id")
    token = connection.credentials.get("access_token")
    if not token:
        raise TokenExpired(say("%(platform)s has given no access token yet.", platform=PLATFORM))
    body, answer = _post(connection, f"/api/{api}", arguments, params={"access_token": token})
    data = answer.get("data", answer.get("response"))
    return body, data if isinstance(data, dict) else {"is_success": data}


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token of the shop; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "client_id", "client_secret", "grant_id")
    asked = {name: connection.credentials[name] for name in ("client_id", "client_secret", "grant_id")}
    try:
        _, answer = _post(connection, TOKEN, {**asked, "authorize_type": "silent", "refresh": False})
    except TokenExpired as wrong:  # another token would not help
        raise Rejected(wrong.reason, answer=wrong.answer) from wrong
    except RetryLater as later:  # its answer may hold a token, which nobody is to read
        raise RetryLater(later.reason, seconds=later.seconds) from None
    data = answer.get("data")
    token = data.get("access_token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise calls.not_understood(PLATFORM, b"the answer holds no access_token")
    return {**connection.credentials, "access_token": token}


def _post(connection: Connection, path: str, body: Mapping[str, Any], **parts: Any) -> tuple[bytes, dict[str, Any]]:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    url = connection.base_url.rstrip("/") + path
    response = calls.send(PLATFORM, "POST", url, content=content, headers=headers, **parts)
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    answer = calls.read(PLATFORM, response.content)
    _check(answer, response.content)
    return response.content, answer


def _check(answer: Mapping[str, Any], body: bytes) -> None:
    """Pass for an answer that says yes; raises ``RetryLater`` or ``Rejected``."""
    gateway, legacy = answer.get("gw_err_resp"), answer.get("error_response")
    if isinstance(gateway, dict):
        _refuse(gateway.get("err_code"), gateway.get("err_msg"), body, unknown=RetryLater)
    if isinstance(legacy, dict):
        _refuse(legacy.get("code"), legacy.get("msg"), body, unknown=signing.NotThis)
    if "response" in answer:
        return
    if answer.get("success") is not True or signing.number(answer.get("code", SUCCESS)) != SUCCESS:
        if "success" not in answer and "code" not in answer:
            raise calls.not_understood(PLATFORM, body)
        _refuse(answer.get("code"), answer.get("message"), body, unknown=signing.NotThis)


def _refuse(code: Any, words: Any, body: bytes, *, unknown: type[RetryLater] | type[Rejected]) -> None:
    number = signing.number(code)
    kind = TokenExpired if number in TOKEN_CODES else Rejected if number in NEVER_CODES else unknown
    raise kind(signing.refusal(PLATFORM, number, words), answer=calls.shown(body))
