"""Calls of the Weimob gateway, and what ``errcode`` means: the platform says no with HTTP 200.

Not verified against the live platform (documented guesses): ``EXPIRED``, as seen in use by others, and that every other
code beginning with ``GATEWAY`` is about the way and not about what was asked, so that it is tried later, with a fresh
token when its words name one (``TOKEN_WORD``).
"""

from collections.abc import Mapping
from typing import Any, Final

from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, TokenExpired

PLATFORM: Final = "Weimob"
TOKEN: Final = "/fuwu/b/oauth2/token"
SHOP_TYPE: Final = "business_operation_system_id"
SUCCESS: Final = "0"
EXPIRED: Final = frozenset({"80001001000119"})
GATEWAY: Final = "8000100100"
TOKEN_WORD: Final = "token"
CREDENTIALS: Final = ("client_id", "client_secret", "shop_id")


def call(connection: Connection, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Call and return the answer's data; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *CREDENTIALS)
    params = {"accesstoken": calls.token(connection, PLATFORM)}
    answer, content = _post(connection, f"/apigw/weimob_shop/v2.0/{path}", params, body)
    code = answer.get("code")
    number = str(code.get("errcode")) if isinstance(code, dict) else ""
    if not isinstance(code, dict) or "errcode" not in code:
        raise calls.not_understood(PLATFORM, content)
    if number != SUCCESS:
        _refuse(number, code.get("errmsg"), content)
    data = answer.get("data")
    if not isinstance(data, dict):
        raise calls.not_understood(PLATFORM, content)
    return data


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *CREDENTIALS)
    who = {name: connection.credentials[name] for name in CREDENTIALS}
    answer, content = _post(
        connection, TOKEN, {"grant_type": "client_credentials", **who, "shop_type": SHOP_TYPE}, None
    )
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        words = answer.get("error_description") or answer.get("error") or "no access_token"
        raise Rejected(signing.refusal(PLATFORM, 0, words), answer=calls.shown(content))
    return calls.renewed(connection, PLATFORM, answer, "access_token")


def _post(
    connection: Connection, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
) -> tuple[dict[str, Any], bytes]:
    content = None if body is None else calls.written(body)
    url = connection.base_url.rstrip("/") + path
    response = calls.send(PLATFORM, "POST", url, params=params, content=content, headers=calls.JSON)
    if response.status_code != 200 and not response.content.startswith(b"{"):
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    return calls.read(PLATFORM, response.content), response.content


def _refuse(code: str, words: Any, content: bytes) -> None:
    reason, answer = signing.refusal(PLATFORM, signing.number(code), words), calls.shown(content)
    if code in EXPIRED or (code.startswith(GATEWAY) and TOKEN_WORD in str(words).lower()):
        raise TokenExpired(reason, answer=answer)
    if code.startswith(GATEWAY):
        raise RetryLater(reason, answer=answer)
    raise signing.NotThis(reason, answer=answer)
