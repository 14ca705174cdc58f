"""Calls of Kingdee's WebAPI and what its answers mean: HTTP 200 always, ``IsSuccess`` and ``MsgCode`` inside.

Some sites wrap the JSON of an answer once more as a text: it is unwrapped.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from audit.rules.sentences import say
from channels.adapters import calls, fields, ledgers, signing
from channels.adapters.kingdee import sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled

PLATFORM: Final = "Kingdee"
SERVICE: Final = "/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.{}.common.kdsvc"
CHINESE: Final = "2052"
LATER_SECONDS: Final = {1: 5, 6: 60, 13: 5, 14: 60}  # context lost, database, somebody else at work, too many calls
LIMITED: Final = 14
VALIDATION: Final = 11
FAULT: Final = b"response_error:"


class Refused(signing.NotThis):
    """The ERP refuses a document; ``code`` is its ``MsgCode``."""

    def __init__(self, code: int, words: list[str], answer: str) -> None:
        super().__init__(signing.refusal(PLATFORM, code, *words), answer=answer)
        self.code = code


def write(connection: Connection, method: str, form: str, data: Mapping[str, Any]) -> None:
    """Save, submit or audit; raises ``Refused``, ``RetryLater`` or ``Rejected``."""
    answer, body = _call(connection, method, {"formid": form, "data": data})
    _check(answer, body)


def query(connection: Connection, form: str, columns: str, where: str) -> list[list[Any]]:
    """Return at most one row of a form's documents; raises ``Refused``, ``RetryLater`` or ``Rejected``."""
    asked = {"FormId": form, "FieldKeys": columns, "FilterString": where, "OrderString": "", "TopRowCount": 0,
             "StartRow": 0, "Limit": 1}  # fmt: skip
    answer, body = _call(connection, "ExecuteBillQuery", {"data": asked})
    if not isinstance(answer, list):
        _check(answer, body)
        raise calls.not_understood(PLATFORM, body)
    rows = [row for row in answer if isinstance(row, list)]
    for row in rows:
        if row and isinstance(row[0], dict):  # a refusal comes as a row
            _check(row[0], body)
    return rows


def _call(connection: Connection, method: str, asked: Mapping[str, Any]) -> tuple[Any, bytes]:
    calls.require(connection, PLATFORM, "app_id", "app_secret", "acct_id", "user")
    url = connection.base_url.rstrip("/") + SERVICE.format(method)
    org, lcid = ledgers.option(connection, PLATFORM, "org"), ledgers.option(connection, PLATFORM, "lcid", CHINESE)
    timestamp = str(int(datetime.now(UTC).timestamp()))
    try:
        headers = sign.headers(connection, urlsplit(url).path, timestamp=timestamp, org=org, lcid=lcid)
    except ValueError as error:
        raise Rejected(say("Channel %(code)s: app_id is not an app id of Kingdee.", code=connection.code)) from error
    headers["Content-Type"] = "application/json"
    response = calls.send(PLATFORM, "POST", url, content=ledgers.written(asked), headers=headers)
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    return _read(response.content), response.content


def _read(body: bytes) -> Any:
    try:
        value = fields.JSON.decode(body.decode("utf-8-sig").removeprefix(FAULT.decode()))
        return fields.JSON.decode(value) if isinstance(value, str) else value
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise calls.not_understood(PLATFORM, body) from error


def _check(answer: Any, body: bytes) -> None:
    """Pass when an answer says success; raises ``Refused`` or ``RetryLater``."""
    result = answer.get("Result") if isinstance(answer, dict) else None
    status = result.get("ResponseStatus") if isinstance(result, dict) else None
    if not isinstance(status, dict):
        raise calls.not_understood(PLATFORM, body)
    if status.get("IsSuccess") is True:
        return
    code = signing.number(status.get("MsgCode"))
    errors = status.get("Errors")
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    words = [f"{row.get('FieldName') or ''} {row.get('Message') or ''}".strip() for row in rows[:3]]
    if code in LATER_SECONDS:
        reason = signing.refusal(PLATFORM, code, *words)
        later = Throttled if code == LIMITED else RetryLater
        raise later(reason, seconds=LATER_SECONDS[code], answer=calls.shown(body))
    raise Refused(code, words, calls.shown(body))
