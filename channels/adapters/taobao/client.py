"""Calls of the TOP gateway. HTTP only; ``answers`` says what came back, ``translate`` what it means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.renaming import GMT8
from channels.adapters.taobao import answers, sign
from channels.adapters.taobao.answers import PLATFORM

CREDENTIALS: Final = ("app_key", "app_secret", "session")
USUAL_SIGN_METHOD: Final = "hmac-sha256"


def call(connection: Connection, method: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Call a method and return what is inside its envelope; raises ``RetryLater`` or ``Rejected``."""
    return answers.result(method, call_raw(connection, method, arguments))


def call_raw(connection: Connection, method: str, arguments: Mapping[str, str]) -> bytes:
    """Call a method and return the answer's bytes, of any meaning; raises ``RetryLater`` or ``Rejected``."""
    _check(connection)
    form = signed(connection, method, arguments, at=datetime.now(UTC))
    answer = calls.send(PLATFORM, "POST", connection.base_url, data=form)
    if answer.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, answer), answer=calls.shown(answer.content))
    return answer.content


def signed(connection: Connection, method: str, arguments: Mapping[str, str], *, at: datetime) -> dict[str, str]:
    """Return all parameters of a call with its signature; raises ``ValueError`` for an unknown sign method."""
    how = str(connection.options.get("sign_method") or USUAL_SIGN_METHOD)
    form = {
        **arguments,
        "method": method,
        "app_key": connection.credentials["app_key"],
        "session": connection.credentials["session"],
        "timestamp": write_time(at),
        "format": "json",
        "v": "2.0",
        "sign_method": how,
    }
    form["sign"] = sign.signature(form, connection.credentials["app_secret"], method=how)
    return form


def write_time(at: datetime) -> str:
    """Write a time as the platform reads it: GMT+8, whole seconds."""
    return at.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _check(connection: Connection) -> None:
    calls.require(connection, PLATFORM, *CREDENTIALS)
    how = connection.options.get("sign_method") or USUAL_SIGN_METHOD
    if how not in sign.METHODS:
        raise Rejected(say("%(method)s is not a way to sign calls of Taobao.", method=str(how)))
