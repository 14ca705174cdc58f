"""What an answer of the TOP gateway means: a result, "later", or "no". Pure.

The platform says no with HTTP 200 and an ``error_response``. Not verified against the live platform (documented guess,
long stable): the numbers in ``LATER_CODES`` other than 7 and in ``NEVER_CODES`` other than 25, 27 and 29, the prefixes
``isp.`` (the platform's fault) and ``isv.`` (ours), and the wording of ``BAN`` in the answer to too many calls.
"""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters.protocol import Rejected, RetryLater
from channels.rules import texts

LATER_CODES: Final = frozenset({7, 10, 15})  # too many calls, not available now, fault behind the gateway
NEVER_CODES: Final = frozenset({11, 12, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 40, 41})
ACCESS_CODES: Final = frozenset({11, 12, 25, 26, 27, 28, 29})  # the channel itself may not call, whatever it asks
CALLS_LIMITED: Final = 7
BAN: Final = re.compile(r"last for (\d{1,6}) more seconds")
USUAL_WAIT: Final = 30
LONGEST_WAIT: Final = 3600
LONGEST_ANSWER: Final = 2000
LONGEST_WORDS: Final = 300
HTTP_LATER: Final = frozenset({408, 425, 429})


class NotThis(Rejected):
    """The platform refuses this one trade, parcel or item; other calls of the channel may well succeed."""


def result(method: str, body: bytes) -> dict[str, Any]:
    """Return what is inside the method's envelope; raises ``RetryLater`` or ``Rejected``."""
    answer = shown(body)
    try:
        envelope = json.loads(body)
        inner = envelope.get("error_response") or envelope[envelope_name(method)]
    except (ValueError, KeyError, AttributeError, RecursionError) as error:
        raise RetryLater(say("Taobao did not answer in its own format."), seconds=USUAL_WAIT, answer=answer) from error
    if not isinstance(inner, dict):
        raise RetryLater(say("Taobao did not answer in its own format."), seconds=USUAL_WAIT, answer=answer)
    if "error_response" in envelope:
        _refuse(inner, answer)
    return inner


def envelope_name(method: str) -> str:
    """Return the name of a method's envelope: ``taobao.trade.fullinfo.get`` → ``trade_fullinfo_get_response``."""
    return method.removeprefix("taobao.").replace(".", "_") + "_response"


def check_status(status: int, retry_after: str, body: bytes, *, at: datetime) -> None:
    """Pass for HTTP 200; raises ``RetryLater`` for a fault of theirs, ``Rejected`` for any other status."""
    if status == 200:
        return
    reason = say("Taobao answered with HTTP status %(status)s.", status=status)
    if status >= 500 or status in HTTP_LATER:
        raise RetryLater(reason, seconds=wait_seconds(retry_after, at=at), answer=shown(body))
    raise Rejected(reason, answer=shown(body))


def wait_seconds(retry_after: str, *, at: datetime) -> int:
    """Read Retry-After, seconds or a date, as seconds between 1 and one hour; the usual wait when it is neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return _bounded(int(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return USUAL_WAIT
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=UTC)
    return _bounded(int((moment - at).total_seconds()))


def shown(body: bytes) -> str:
    """Return the beginning of an answer as text for the record, without NUL."""
    return body[:LONGEST_ANSWER].decode("utf-8", "replace").replace("\0", "")


def _bounded(seconds: int) -> int:
    return min(max(seconds, 1), LONGEST_WAIT)


def _refuse(error: dict[str, Any], answer: str) -> None:
    code = _code(error.get("code"))
    sub_code, words = str(error.get("sub_code") or ""), str(error.get("sub_msg") or error.get("msg") or "")
    told = texts.shown(f"{words[:200]} {sub_code[:80]}", limit=LONGEST_WORDS)
    reason = say("Taobao refused with code %(code)s: %(words)s", code=code, words=told)
    if code == CALLS_LIMITED or sub_code.startswith("isp."):
        ban = BAN.search(words)
        raise RetryLater(reason, seconds=_bounded(int(ban[1])) if ban else USUAL_WAIT, answer=answer)
    if code in ACCESS_CODES:
        raise Rejected(reason, answer=answer)
    if sub_code.startswith("isv.") or code in NEVER_CODES:
        raise NotThis(reason, answer=answer)
    if code in LATER_CODES:
        raise RetryLater(reason, seconds=USUAL_WAIT, answer=answer)
    raise Rejected(reason, answer=answer)


def _code(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
