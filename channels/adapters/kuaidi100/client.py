"""Calls of Kuaidi100: subscribing to a parcel and asking where it is.

Not verified against the live platform (documented guesses): the codes of ``DONE_ALREADY``, ``NOTHING_YET`` and
``LATER_CODES``. ``RESULT_VERSION`` asks for the plain states 0 to 14; finer ones exist in other versions.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, scans, signing
from channels.adapters.kuaidi100 import sign, translate
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Outgoing, RawMessage, TrackingRequest

PLATFORM: Final = "Kuaidi100"
RESULT_VERSION: Final = "1"
FINE: Final = "200"
DONE_ALREADY: Final = "501"
NOTHING_YET: Final = "500"  # of a query: nothing is known of this number
LATER_CODES: Final = frozenset({"500", "502"})
LONGER_WAIT: Final = 300


def subscribe(message: Outgoing, connection: Connection) -> str:
    """Ask to be told of a parcel and return the answer; a parcel that is subscribed to already is fine."""
    if not isinstance(message, TrackingRequest):
        raise Rejected(say("%(platform)s follows parcels, nothing else.", platform=PLATFORM))
    company = scans.theirs(message, connection, PLATFORM)
    calls.require(connection, PLATFORM, "key", "salt")
    parameters = {
        "callbackurl": str(calls.option(connection, PLATFORM, "callback_url")),
        "salt": connection.credentials["salt"],
        "resultv2": RESULT_VERSION,
    }
    if message.phone_tail:
        parameters["phone"] = message.phone_tail
    param = {
        "company": company,
        "number": message.tracking_number,
        "key": connection.credentials["key"],
        "parameters": parameters,
    }
    body = _call(connection, "/poll", {"schema": "json", "param": _written(param)})
    answer = calls.read(PLATFORM, body)
    code = str(answer.get("returnCode") or "")
    if code not in (FINE, DONE_ALREADY):
        raise _refusal(code, answer, body)
    return calls.shown(body)


def query(connection: Connection, company: str, number: str) -> dict[str, Any] | None:
    """Ask where a parcel is now; None when nothing is known of it."""
    calls.require(connection, PLATFORM, "key", "customer")
    asked = {"com": company, "num": number, "phone": str(connection.options.get("sender_phone") or ""),
             "resultv2": RESULT_VERSION, "show": "0", "order": "desc"}  # fmt: skip
    param, customer = _written(asked), connection.credentials["customer"]
    signature = sign.of_query(param, key=connection.credentials["key"], customer=customer)
    body = _call(connection, "/poll/query.do", {"customer": customer, "param": param, "sign": signature})
    answer = calls.read(PLATFORM, body)
    if answer.get("result") is False:
        code = str(answer.get("returnCode") or "")
        if code == NOTHING_YET:
            return None
        raise _refusal(code, answer, body)
    if not isinstance(answer.get("data"), list):
        raise calls.not_understood(PLATFORM, body)
    return answer


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Ask where each of these parcels is; one of which nothing is known gives no message."""
    messages = []
    for external_id, (company, number) in scans.asked(external_ids, connection).items():
        answer = query(connection, company, number)
        if answer is not None:
            payload = calls.written({"lastResult": answer})
            messages.append(RawMessage("tracking", external_id, translate.revision_of(answer), payload))
    return messages


def _call(connection: Connection, path: str, form: Mapping[str, str]) -> bytes:
    response = calls.send(PLATFORM, "POST", connection.base_url.rstrip("/") + path, data=form)
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    return response.content


def _refusal(code: str, answer: Mapping[str, Any], body: bytes) -> Exception:
    reason = signing.refusal(PLATFORM, signing.number(code), answer.get("message"))
    if code in LATER_CODES:
        return RetryLater(reason, seconds=LONGER_WAIT, answer=calls.shown(body))
    return Rejected(reason, answer=calls.shown(body))


def _written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
