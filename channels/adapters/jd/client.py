"""Calls of JD's gateway, and what their answers mean: the platform says no with HTTP 200, in two places.

The gateway refuses with an ``error_response``, a call with ``success: false`` inside its own result. Not verified
against the live platform (documented guesses): the code numbers but 19 and 2001, so that only those in ``LATER_CODES``
or with a word of ``LATER_WORDS`` are tried again by themselves; ``REFRESH``, where a token is renewed.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.refusals import Refusals
from channels.adapters.renaming import china_time

PLATFORM: Final = "JD"
CREDENTIALS: Final = ("app_key", "app_secret", "access_token", "refresh_token")
OAUTH: Final = "https://open-oauth.jd.com"
REFRESH: Final = "/oauth2/refresh_token"
TOKEN_CODE: Final = 19
LATER_CODES: Final = dict.fromkeys((43, 65, 66, 67), calls.USUAL_WAIT)  # fault or no answer behind the gateway
LATER_WORDS: Final = ("频率", "限流", "超限", "frequen", "limit")
REFUSALS: Final = Refusals(expired={TOKEN_CODE}, later=LATER_CODES, limited=LATER_WORDS)
SUCCESS: Final = "0"


class Answer(NamedTuple):
    """What a call gave: the bytes as sent, and what is inside the method's envelope."""

    body: bytes
    inner: dict[str, Any]


def call(connection: Connection, method: str, arguments: Mapping[str, Any]) -> Answer:
    """Call a method; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "access_token")
    form = {
        "method": method,
        "app_key": connection.credentials["app_key"],
        "access_token": connection.credentials["access_token"],
        "timestamp": china_time(datetime.now(UTC)),
        "v": "2.0",
        "format": "json",
        "360buy_param_json": json.dumps(arguments, ensure_ascii=False, separators=(",", ":")),
    }
    form["sign"] = signing.md5_of_pairs(form, connection.credentials["app_secret"])
    body = calls.content(PLATFORM, "POST", connection.base_url, data=form)
    envelope = calls.read(PLATFORM, body)
    if "error_response" in envelope:
        _refuse_at_gate(envelope["error_response"], body)
    inner = envelope.get(method.replace(".", "_") + "_responce")
    if not isinstance(inner, dict):
        raise calls.not_understood(PLATFORM, body)
    failed = str(inner.get("code", SUCCESS)) != SUCCESS
    for result in _results(inner):
        if failed or result.get("success") in (False, "false"):
            words = result.get("chineseErrCode") or result.get("zh_desc"), result.get("englishErrCode")
            code = signing.number(result.get("numberCode") or result.get("code"))
            raise signing.NotThis(signing.refusal(PLATFORM, code, *words), answer=calls.shown(body))
    return Answer(body, inner)


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "refresh_token")
    given = {name: connection.credentials[name] for name in ("app_key", "app_secret", "refresh_token")}
    address = str(connection.options.get("oauth_url") or OAUTH)
    host = connection.base_url.rsplit("/", 1)[0] if address == "/" else address.rstrip("/")
    body = calls.content(PLATFORM, "POST", host + REFRESH, data={"grant_type": "refresh_token", **given})
    answer = calls.read(PLATFORM, body)
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        code, words = signing.number(answer.get("code")), answer.get("msg") or "no access_token"
        raise Rejected(signing.refusal(PLATFORM, code, words), answer="the answer holds no access_token")
    refresh = answer.get("refresh_token") or connection.credentials["refresh_token"]
    return {**connection.credentials, "access_token": token, "refresh_token": str(refresh)}


def _results(inner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every place where a call may say that it failed: the results' names differ from call to call."""
    yield inner
    for result in inner.values():
        if isinstance(result, dict):
            yield result
            if isinstance(result.get("apiResult"), dict):
                yield result["apiResult"]


def _refuse_at_gate(error: Any, body: bytes) -> None:
    if not isinstance(error, dict):
        raise calls.not_understood(PLATFORM, body)
    code = signing.number(error.get("code"))
    reason = signing.refusal(PLATFORM, code, error.get("zh_desc"), error.get("en_desc"))
    words = f"{error.get('zh_desc')} {error.get('en_desc')}".lower()
    told = [word for word in LATER_WORDS if word in words]
    REFUSALS.refuse(code, *told, reason=reason, body=body, unknown=Rejected)
