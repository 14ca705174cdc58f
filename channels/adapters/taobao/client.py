"""Calls of the TOP gateway. HTTP only; ``answers`` says what came back, ``translate`` what it means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, Final

import httpx

from audit.rules.sentences import say
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.adapters.taobao import answers, sign

GMT8: Final = timezone(timedelta(hours=8))
SECONDS_TO_CONNECT: Final = 5.0
SECONDS_TO_ANSWER: Final = 20.0
CREDENTIALS: Final = ("app_key", "app_secret", "session")
USUAL_SIGN_METHOD: Final = "hmac-sha256"


@cache
def _http() -> httpx.Client:
    """Return this process's connections, made at the first call so that a forked worker has its own."""
    return httpx.Client(timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT), follow_redirects=False)


def call(connection: Connection, method: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Call a method and return what is inside its envelope; raises ``RetryLater`` or ``Rejected``."""
    return answers.result(method, call_raw(connection, method, arguments))


def call_raw(connection: Connection, method: str, arguments: Mapping[str, str]) -> bytes:
    """Call a method and return the answer's bytes, of any meaning; raises ``RetryLater`` or ``Rejected``."""
    _check(connection)
    at = datetime.now(UTC)
    form = signed(connection, method, arguments, at=at)
    try:
        answer = _http().post(connection.base_url, data=form)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise Rejected(
            say("The address %(address)s cannot be called.", address=connection.base_url), answer=str(error)
        ) from error
    except httpx.HTTPError as error:
        raise RetryLater(
            say("Taobao cannot be reached: %(error)s.", error=type(error).__name__), answer=str(error)
        ) from error
    answers.check_status(answer.status_code, answer.headers.get("Retry-After", ""), answer.content, at=at)
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
    missing = [name for name in CREDENTIALS if not connection.credentials.get(name)]
    if not connection.base_url:
        missing.append("base_url")
    if missing:
        raise Rejected(
            say(
                "Channel %(code)s cannot call Taobao: %(missing)s is not set.",
                code=connection.code,
                missing=", ".join(missing),
            )
        )
    how = connection.options.get("sign_method") or USUAL_SIGN_METHOD
    if how not in sign.METHODS:
        raise Rejected(say("%(method)s is not a way to sign calls of Taobao.", method=str(how)))
