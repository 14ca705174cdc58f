"""Calls of SF's one address, and its answers: the gate's (``apiResultCode``) around the service's (``errorCode``).

Not verified against the live platform (documented guesses): the fields of a registration (``_registration``), that one
that is there already says so in ``DONE_ALREADY``'s words, the codes of ``LATER`` but A1005.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, fields, scans, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled
from channels.adapters.sf import sign, translate
from channels.messages import Outgoing, RawMessage, TrackingRequest

PLATFORM: Final = "SF Express"
REGISTER: Final = "EXP_RECE_REGISTER_ROUTE"
ROUTES: Final = "EXP_RECE_SEARCH_ROUTES"
FINE: Final = ("A1000", "S0000")
LATER: Final = {"A1005": Throttled, "A1007": RetryLater, "A1099": RetryLater}  # too fast, the same again, their fault
DONE_ALREADY: Final = re.compile(r"已注册|重复|already", re.IGNORECASE)
MOST_NUMBERS: Final = 10  # of one question
BY_WAYBILL: Final = "1"


def register(message: Outgoing, connection: Connection) -> str:
    """Ask to be told of a parcel and return the answer; a parcel that is registered already is fine."""
    if not isinstance(message, TrackingRequest):
        raise Rejected(say("%(platform)s follows parcels, nothing else.", platform=PLATFORM))
    scans.theirs(message, connection, PLATFORM)
    try:
        return calls.shown(calls.written(_call(connection, REGISTER, _registration(message))))
    except signing.NotThis as refused:
        if DONE_ALREADY.search(str(refused.reason)):
            return refused.answer
        raise


def routes(connection: Connection, numbers: Sequence[str]) -> dict[str, list[Any]]:
    """Return the routes of each number of which any are known."""
    asked = {"language": "zh-CN", "trackingType": BY_WAYBILL, "trackingNumber": list(numbers), "methodType": "1"}
    if tail := connection.options.get("phone_tail"):
        asked["checkPhoneNo"] = str(tail)
    answer = _call(connection, ROUTES, asked)
    found = answer.get("routeResps") if isinstance(answer, dict) else None
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    told = {str(row.get("mailNo")): row.get("routes") for row in rows}
    return {number: routes for number, routes in told.items() if isinstance(routes, list) and routes}


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Ask for the routes of these parcels, ten a call; one of which nothing is known gives no message."""
    names = {number: external_id for external_id, (_, number) in scans.asked(external_ids, connection).items()}
    numbers, messages = list(names), []
    for start in range(0, len(numbers), MOST_NUMBERS):
        for number, told in routes(connection, numbers[start : start + MOST_NUMBERS]).items():
            if number in names:
                messages.append(translate.message(names[number], told))
    return messages


def _registration(request: TrackingRequest) -> dict[str, Any]:
    told = {"language": "zh-CN", "trackingType": BY_WAYBILL, "trackingNumber": request.tracking_number}
    return {**told, "orderId": request.parcel_number, "checkPhoneNo": request.phone_tail}


def _call(connection: Connection, service: str, asked: Mapping[str, Any]) -> Any:
    """Call a service and return what its answer holds; the service's own no is ``signing.NotThis``."""
    calls.require(connection, PLATFORM, "partner_id", "checkword")
    response = calls.send(PLATFORM, "POST", connection.base_url, data=_form(connection, service, asked))
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    answer = calls.read(PLATFORM, response.content)
    shown = calls.shown(response.content)
    code = str(answer.get("apiResultCode") or "")
    if code != FINE[0]:
        reason = signing.refusal(PLATFORM, signing.number(code[1:]), answer.get("apiErrorMsg"), code)
        raise LATER.get(code, Rejected)(reason, answer=shown)
    try:
        result = fields.JSON.decode(answer["apiResultData"])
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise calls.not_understood(PLATFORM, response.content) from error
    if not isinstance(result, dict):
        raise calls.not_understood(PLATFORM, response.content)
    if result.get("success") is not True or result.get("errorCode") != FINE[1]:
        reason = signing.refusal(PLATFORM, 0, result.get("errorMsg"), result.get("errorCode"))
        raise signing.NotThis(reason, answer=shown)
    return result.get("msgData")


def _form(connection: Connection, service: str, asked: Mapping[str, Any]) -> dict[str, str]:
    data = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
    timestamp = str(fields.milliseconds(datetime.now(UTC)))
    return {
        "partnerID": connection.credentials["partner_id"],
        "requestID": str(uuid.uuid4()),
        "serviceCode": service,
        "timestamp": timestamp,
        "msgData": data,
        "msgDigest": sign.digest(data, timestamp, connection.credentials["checkword"]),
    }
