"""What an answer of the TOP gateway means: a result, "later", or "no". Pure.

The platform says no with HTTP 200 and an ``error_response``. Not verified against the live platform (documented guess,
long stable): the numbers in ``LATER_CODES`` other than 7 and in ``NEVER_CODES`` other than 25, 27 and 29, the prefixes
``isp.`` (the platform's fault) and ``isv.`` (ours), and the wording of ``BAN`` in the answer to too many calls.
"""

import re
from typing import Any, Final

from channels.adapters import calls, signing
from channels.adapters.protocol import Rejected, RetryLater, Throttled
from channels.adapters.signing import NotThis

PLATFORM: Final = "Taobao"
LATER_CODES: Final = frozenset({7, 10, 15})  # too many calls, not available now, fault behind the gateway
NEVER_CODES: Final = frozenset({11, 12, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 40, 41})
ACCESS_CODES: Final = frozenset({11, 12, 25, 26, 27, 28, 29})  # the channel itself may not call, whatever it asks
CALLS_LIMITED: Final = 7
BAN: Final = re.compile(r"last for (\d{1,6}) more seconds")


def result(method: str, body: bytes) -> dict[str, Any]:
    """Return what is inside the method's envelope; raises ``RetryLater`` or ``Rejected``."""
    envelope = calls.read(PLATFORM, body)
    inner = envelope.get("error_response") or envelope.get(envelope_name(method))
    if not isinstance(inner, dict):
        raise calls.not_understood(PLATFORM, body)
    if "error_response" in envelope:
        _refuse(inner, calls.shown(body))
    return inner


def envelope_name(method: str) -> str:
    """Return the name of a method's envelope: ``taobao.trade.fullinfo.get`` → ``trade_fullinfo_get_response``."""
    return method.removeprefix("taobao.").replace(".", "_") + "_response"


def _refuse(error: dict[str, Any], answer: str) -> None:
    code, sub_code = signing.number(error.get("code")), str(error.get("sub_code") or "")
    words = str(error.get("sub_msg") or error.get("msg") or "")
    reason = signing.refusal(PLATFORM, code, words, sub_code)
    if code == CALLS_LIMITED or sub_code.startswith("isp."):
        ban = BAN.search(words)
        seconds = calls.bounded(int(ban[1])) if ban else calls.USUAL_WAIT
        raise (Throttled if code == CALLS_LIMITED else RetryLater)(reason, seconds=seconds, answer=answer)
    if code in ACCESS_CODES:
        raise Rejected(reason, answer=answer)
    if sub_code.startswith("isv.") or code in NEVER_CODES:
        raise NotThis(reason, answer=answer)
    if code in LATER_CODES:
        raise RetryLater(reason, seconds=calls.USUAL_WAIT, answer=answer)
    raise Rejected(reason, answer=answer)
