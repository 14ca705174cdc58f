"""Calls of the TOP gateway, and what its answers mean: the platform says no with HTTP 200 and an ``error_response``.

Not verified against the live platform (documented guess, long stable): the numbers in ``LATER_CODES`` other than 7 and
in ``NEVER_CODES`` other than 25, 27 and 29, the prefixes ``isp.`` (the platform's fault) and ``isv.`` (ours), and the
wording of ``BAN`` in the answer to too many calls.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.refusals import Refusals
from channels.adapters.renaming import china_time
from channels.adapters.taobao import sign

PLATFORM: Final = "Taobao"
CREDENTIALS: Final = ("app_key", "app_secret", "session")
USUAL_SIGN_METHOD: Final = "hmac-sha256"
CALLS_LIMITED: Final = 7
LATER_CODES: Final = dict.fromkeys((CALLS_LIMITED, 10, 15), calls.USUAL_WAIT)  # too many, not now, fault behind it
ACCESS_CODES: Final = frozenset({11, 12, 25, 26, 27, 28, 29})  # the channel itself may not call, whatever it asks
NEVER_CODES: Final = frozenset({21, 22, 23, 24, 30, 31, 32, 33, 40, 41})
BAN: Final = re.compile(r"last for (\d{1,6}) more seconds")
REFUSALS: Final = Refusals(later=LATER_CODES, limited={CALLS_LIMITED}, never=ACCESS_CODES, own_faults="isp.")


class Answer(NamedTuple):
    """What a call gave: the bytes as sent, and what is inside the method's envelope."""

    body: bytes
    inner: dict[str, Any]


def call(connection: Connection, method: str, arguments: Mapping[str, str]) -> Answer:
    """Call a method; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, *CREDENTIALS)
    how = connection.options.get("sign_method") or USUAL_SIGN_METHOD
    if how not in sign.METHODS:
        raise Rejected(say("%(method)s is not a way to sign calls of Taobao.", method=str(how)))
    form = signed(connection, method, arguments, at=datetime.now(UTC))
    body = calls.content(PLATFORM, "POST", connection.base_url, data=form)
    return Answer(body, result(method, body))


def signed(connection: Connection, method: str, arguments: Mapping[str, str], *, at: datetime) -> dict[str, str]:
    """Return all parameters of a call with its signature; raises ``ValueError`` for an unknown sign method."""
    how = str(connection.options.get("sign_method") or USUAL_SIGN_METHOD)
    form = {
        **arguments,
        "method": method,
        "app_key": connection.credentials["app_key"],
        "session": connection.credentials["session"],
        "timestamp": china_time(at),
        "format": "json",
        "v": "2.0",
        "sign_method": how,
    }
    return {**form, "sign": sign.signature(form, connection.credentials["app_secret"], method=how)}


def result(method: str, body: bytes) -> dict[str, Any]:
    """Return what is inside the method's envelope; raises ``RetryLater`` or ``Rejected``."""
    envelope = calls.read(PLATFORM, body)
    name = method.removeprefix("taobao.").replace(".", "_") + "_response"
    inner = envelope.get("error_response") or envelope.get(name)
    if not isinstance(inner, dict):
        raise calls.not_understood(PLATFORM, body)
    if "error_response" in envelope:
        _refuse(inner, body)
    return inner


def _refuse(error: dict[str, Any], body: bytes) -> None:
    code, sub_code = signing.number(error.get("code")), str(error.get("sub_code") or "")
    words = str(error.get("sub_msg") or error.get("msg") or "")
    reason, ban = signing.refusal(PLATFORM, code, words, sub_code), BAN.search(words)
    is_ours = sub_code.startswith("isv.") or code in NEVER_CODES
    told = [sub_code] if is_ours and code in LATER_CODES and code != CALLS_LIMITED else [code, sub_code]
    unknown = signing.NotThis if is_ours else Rejected
    REFUSALS.refuse(*told, reason=reason, body=body, seconds=float(ban[1]) if ban else 0, unknown=unknown)
