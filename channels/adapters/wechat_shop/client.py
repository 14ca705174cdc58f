"""Calls of the WeChat Shop API, and what ``errcode`` means: the platform says no with HTTP 200.

Not verified against the live platform (documented guess): ``TOKEN_CODES`` but 40001 and ``LATER`` but -1, with the
seconds to wait; ``ACCESS_CODES`` but 40002 and 40013.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.wechat_shop import translate

PLATFORM: Final = translate.PLATFORM
TOKEN: Final = "/cgi-bin/token"
TOKEN_CODES: Final = frozenset({40001, 40014, 42001})
LIMITED: Final = {45009: 3600, 45011: 60}  # the day's quota is used up, too frequent: seconds to wait
LATER: Final = {-1: 5, **LIMITED}  # busy
ACCESS_CODES: Final = frozenset({40002, 40013, 48001, 61004})  # the channel itself may not call, whatever it asks
SHIPPED_ALREADY: Final = 109001


class HasShipped(signing.NotThis):
    """The platform says that the order has been shipped completely."""


def call(connection: Connection, path: str, body: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Post ``body`` and return the answer, as sent and as read; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "appid", "secret")
    token = connection.credentials.get("access_token")
    if not token:
        raise TokenExpired(say("%(platform)s has given no access token yet.", platform=PLATFORM))
    return _ask(
        "POST",
        connection.base_url.rstrip("/") + path,
        params={"access_token": token},
        content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        headers={"Content-Type": "application/json"},
    )


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token. The old one dies soon after: one token for all workers."""
    calls.require(connection, PLATFORM, "appid", "secret")
    given = {name: connection.credentials[name] for name in ("appid", "secret")}
    url = connection.base_url.rstrip("/") + TOKEN
    try:
        _, answer = _ask("GET", url, params={"grant_type": "client_credential", **given})
    except TokenExpired as wrong:  # here 40001 says that the secret is wrong: another token would not help
        raise Rejected(wrong.reason, answer=wrong.answer) from wrong
    except RetryLater as later:  # its answer may hold a token, which nobody is to read
        raise RetryLater(later.reason, seconds=later.seconds) from None
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise calls.not_understood(PLATFORM, b"the answer holds no access_token")
    return {**connection.credentials, "access_token": token}


def _ask(method: str, url: str, **parts: Any) -> tuple[bytes, dict[str, Any]]:
    response = calls.send(PLATFORM, method, url, **parts)
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    answer = calls.read(PLATFORM, response.content)
    code = answer.get("errcode", 0)
    if type(code) is not int:
        raise calls.not_understood(PLATFORM, response.content)
    if code:
        _refuse(code, answer, response.content)
    return response.content, answer


def _refuse(code: int, answer: Mapping[str, Any], body: bytes) -> None:
    reason = signing.refusal(PLATFORM, code, answer.get("errmsg"))
    if code in TOKEN_CODES:
        raise TokenExpired(reason, answer=calls.shown(body))
    if code in LATER:
        later = Throttled if code in LIMITED else RetryLater
        raise later(reason, seconds=LATER[code], answer=calls.shown(body))
    kind = Rejected if code in ACCESS_CODES else HasShipped if code == SHIPPED_ALREADY else signing.NotThis
    raise kind(reason, answer=calls.shown(body))
