"""Calls of YonBIP in its three steps (the tenant's gate, a token, the business call) and what the answers mean.

HTTP is 200 even for faults, codes are texts or numbers, and some calls answer a bad token with plain text. The token
travels in the query: whether the gate takes it as a header is not verified.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, fields, ledgers, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.yonyou import sign

PLATFORM: Final = "Yonyou"
GATE: Final = "/open-auth/dataCenter/getGatewayAddress"
TOKEN: Final = "/open-auth/selfAppAuth/base/v1/getAccessToken"
GIVEN: Final = "00000"
FINE: Final = "200"
REPEATED: Final = frozenset({"10004", "100004"})  # saved before, more than an hour ago; the documents disagree
BAD_TOKEN: Final = frozenset({"310001", "310036"})
BAD_TOKEN_TEXT: Final = "非法token"
LIMITED: Final = frozenset({"310032", "310039", "310042", "310046"})  # too many calls
LATER_SECONDS: Final = {
    "202": 5,  # the same document is being saved
    "310504": 5,  # not in time
    "310043": 60,  # circuit open
    **dict.fromkeys(LIMITED, 60),
}


def renew(connection: Connection) -> dict[str, str]:
    """Ask for the tenant's gate and a token of two hours; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "tenant_id", "app_key", "app_secret")
    given = connection.credentials
    gate = _given(connection.base_url.rstrip("/") + GATE, {"tenantId": given["tenant_id"]})
    asked = {"appKey": given["app_key"], "timestamp": str(fields.milliseconds(datetime.now(UTC)))}
    asked["signature"] = sign.signature(asked, given["app_secret"])
    token = _given(str(gate.get("tokenUrl") or "").rstrip("/") + TOKEN, asked)
    return {
        **given,
        "gateway_url": str(gate.get("gatewayUrl") or ""),
        "access_token": str(token.get("access_token") or ""),
    }


def post(connection: Connection, path: str, body: Mapping[str, Any]) -> Any:
    """Make a business call and return the answer's ``data``.

    Raises ``TokenExpired``, ``RetryLater``, ``Rejected``, and ``signing.NotThis`` where the document is refused.
    """
    return _business(connection, "POST", path, {}, content=ledgers.written(body))


def get(connection: Connection, path: str, query: Mapping[str, str]) -> Any:
    """Ask and return the answer's ``data``; raises as ``post``."""
    return _business(connection, "GET", path, query)


def _business(
    connection: Connection, method: str, path: str, query: Mapping[str, str], *, content: bytes | None = None
) -> Any:
    calls.require(connection, PLATFORM, "tenant_id", "app_key", "app_secret")
    gate, token = connection.credentials.get("gateway_url"), connection.credentials.get("access_token")
    if not gate or not token:
        raise TokenExpired(say("%(platform)s has given no access token yet.", platform=PLATFORM), seconds=1)
    response = calls.send(
        PLATFORM,
        method,
        gate.rstrip("/") + path,
        params={"access_token": token, **query},
        content=content,
        headers={"Content-Type": "application/json"} if content is not None else {},
    )
    if BAD_TOKEN_TEXT.encode() in response.content[:100]:
        raise TokenExpired(signing.refusal(PLATFORM, 310036, BAD_TOKEN_TEXT), seconds=1)
    answer = calls.read(PLATFORM, response.content)
    _check(answer, response.content)
    return answer.get("data")


def _check(answer: Mapping[str, Any], body: bytes) -> None:
    code, shown = str(answer.get("code") or ""), calls.shown(body)
    if code == FINE:
        _check_each(answer.get("data"), shown)
        return
    reason = signing.refusal(PLATFORM, signing.number(code), answer.get("message"))
    if code in REPEATED and _has_id(answer.get("data")):
        return
    if code in BAD_TOKEN:
        raise TokenExpired(reason, seconds=1, answer=shown)
    if code in LATER_SECONDS:
        later = Throttled if code in LIMITED else RetryLater
        raise later(reason, seconds=LATER_SECONDS[code], answer=shown)
    if code == "999":
        raise signing.NotThis(reason, answer=shown)
    raise Rejected(reason, answer=shown) if code else calls.not_understood(PLATFORM, body)


def _check_each(data: Any, shown: str) -> None:
    """Pass when no document of a call about several failed."""
    failed = data.get("failCount") if isinstance(data, dict) else None
    if failed not in (None, 0, "0"):
        words = [str(word) for word in data.get("messages") or ()] if isinstance(data.get("messages"), list) else []
        raise signing.NotThis(signing.refusal(PLATFORM, 999, *words[:3]), answer=shown)


def _has_id(data: Any) -> bool:
    return isinstance(data, dict) and bool(data.get("id"))


def _given(url: str, query: Mapping[str, str]) -> dict[str, Any]:
    response = calls.send(PLATFORM, "GET", url, params=dict(query))
    answer = calls.read(PLATFORM, response.content)
    code, data = str(answer.get("code") or ""), answer.get("data")
    if code in LATER_SECONDS:
        reason = signing.refusal(PLATFORM, signing.number(code), answer.get("message"))
        raise RetryLater(reason, seconds=LATER_SECONDS[code], answer=calls.shown(response.content))
    if code != GIVEN or not isinstance(data, dict):
        reason = signing.refusal(PLATFORM, signing.number(code), answer.get("message"))
        raise Rejected(reason, answer=calls.shown(response.content))
    return data
