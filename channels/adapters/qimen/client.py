"""Calls of the Qimen router, and what its answers mean: the warehouse's ``flag``, or the router's own refusal.

Not verified against the live platform (documented guess): ``LATER_CODES`` and the prefix ``isp.`` of the router's own
faults; any number that a warehouse gives as ``code`` is free, so only ``flag`` is read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, markup, renaming, signing
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.qimen import sign
from channels.adapters.refusals import Refusals
from channels.rules import texts

PLATFORM: Final = "Qimen"
PREFIX: Final = "taobao.qimen."
CALLS_LIMITED: Final = 7
CONTENT_TYPE: Final = "text/xml;charset=utf-8"
LATER_CODES: Final = dict.fromkeys((CALLS_LIMITED, 10, 15), calls.USUAL_WAIT)  # too many, not now, fault behind it

REFUSALS: Final = Refusals(later=LATER_CODES, limited={CALLS_LIMITED}, own_faults="isp.")


def call(connection: Connection, method: str, request: Mapping[str, Any]) -> bytes:
    """Call a method and return the answer that says success; raises ``RetryLater`` or ``Rejected``.

    The warehouse's own no is ``signing.NotThis``.
    """
    calls.require(connection, PLATFORM, "app_key", "secret", "customer_id")
    body = markup.write("request", request)
    query = signed(connection, method, body, at=datetime.now(UTC))
    headers = {"Content-Type": CONTENT_TYPE}
    answer = calls.content(PLATFORM, "POST", connection.base_url, params=query, content=body, headers=headers)
    _check(answer)
    return answer


def signed(connection: Connection, method: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """Return all parameters of a call with its signature."""
    query = {
        "method": PREFIX + method,
        "timestamp": renaming.china_time(at),
        "format": "xml",
        "app_key": connection.credentials["app_key"],
        "v": "2.0",
        "sign_method": "md5",
        "customerId": connection.credentials["customer_id"],
    }
    return {**query, "sign": sign.signature(query, body, connection.credentials["secret"])}


def _check(body: bytes) -> None:
    try:
        name, answer = markup.read(body)
    except markup.NotReadable as error:
        raise calls.not_understood(PLATFORM, body) from error
    if name == "error_response":
        code, sub_code = signing.number(answer.get("code")), str(answer.get("sub_code") or "")
        reason = signing.refusal(PLATFORM, code, answer.get("sub_msg") or answer.get("msg"), sub_code)
        REFUSALS.refuse(code, sub_code, reason=reason, body=body, unknown=Rejected)
    if name != "response" or answer.get("flag") not in ("success", "failure"):
        raise calls.not_understood(PLATFORM, body)
    if answer["flag"] == "failure":
        words = texts.shown(f"{answer.get('message') or ''} {answer.get('code') or ''}", limit=300)
        raise signing.NotThis(say("The warehouse refused: %(words)s", words=words), answer=calls.shown(body))
