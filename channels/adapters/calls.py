"""One HTTP call to a platform, shared by adapters: what was reached is returned, what was not is said in our words.

Only the transport is read here: what an answer means is the platform's own matter.
"""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from threading import Lock
from typing import Any, Final, TypeVar

import httpx

from audit.rules.sentences import Sentence, say
from channels.adapters import fields
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired

SECONDS_TO_CONNECT: Final = 5.0
SECONDS_TO_ANSWER: Final = 20.0
USUAL_WAIT: Final = 30
LONGEST_WAIT: Final = 3600
LONGEST_ANSWER: Final = 2000
LATER: Final = frozenset({408, 425, 429})
JSON: Final = {"Content-Type": "application/json"}
Told = TypeVar("Told")
_making = Lock()


def _http() -> httpx.Client:
    """Return this process's connections, made once, at the first call, so that a forked worker has its own."""
    with _making:
        return _made_http()


@cache
def _made_http() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT), follow_redirects=False)


def close() -> None:
    """Close this process's connections; the next call makes new ones."""
    with _making:
        _made_http().close()
        _made_http.cache_clear()


def send(platform: str, method: str, url: str, **parts: Any) -> httpx.Response:
    """Call ``url`` and return the answer, also one that says no; ``parts`` are httpx's headers, params and content.

    Raises ``RetryLater`` when the platform cannot be reached, is overloaded or broken (408, 425, 429, 5xx), as
    ``Throttled`` when it says for how long, and ``Rejected`` for an address that cannot be called.
    """
    try:
        answer = _http().request(method, url, **parts)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
        raise Rejected(say("The address %(address)s cannot be called.", address=url), answer=str(error)) from error
    except httpx.HTTPError as error:
        raise RetryLater(
            say("%(platform)s cannot be reached: %(error)s.", platform=platform, error=type(error).__name__),
            answer=str(error),
        ) from error
    if answer.status_code >= 500 or answer.status_code in LATER:
        seconds = wait_seconds(answer.headers.get("Retry-After", ""), at=datetime.now(UTC))
        later = Throttled if answer.status_code == 429 or "Retry-After" in answer.headers else RetryLater
        raise later(status_reason(platform, answer), seconds=seconds, answer=shown(answer.content))
    return answer


def content(platform: str, method: str, url: str, **parts: Any) -> bytes:
    """Call as ``send`` does and return the body of an answer with status 200; raises ``Rejected`` for another one."""
    answer = send(platform, method, url, **parts)
    if answer.status_code != 200:
        raise Rejected(status_reason(platform, answer), answer=shown(answer.content))
    return answer.content


def read(platform: str, body: bytes) -> dict[str, Any]:
    """Return the JSON object in an answer, decimals exact; raises ``RetryLater`` for anything else."""
    try:
        value = fields.JSON.decode(body.decode("utf-8-sig"))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise not_understood(platform, body) from error
    if not isinstance(value, dict):
        raise not_understood(platform, body)
    return value


def written(value: Any) -> bytes:
    """Write what ``read`` returned, whole or in part, as JSON again: exact decimals become texts."""
    return json.dumps(value, default=str).encode()


def not_understood(platform: str, body: bytes) -> RetryLater:
    """Make the exception for an answer in another shape than the platform's own."""
    return RetryLater(say("%(platform)s did not answer in its own format.", platform=platform), answer=shown(body))


def status_reason(platform: str, answer: httpx.Response) -> Sentence:
    """Return the sentence for an answer whose HTTP status says it all."""
    return say("%(platform)s answered with HTTP status %(status)s.", platform=platform, status=answer.status_code)


def require(connection: Connection, platform: str, *names: str) -> None:
    """Check that the channel has its address and these credentials; raises ``Rejected`` naming what is not set."""
    missing = [name for name in names if not connection.credentials.get(name)]
    if not connection.base_url:
        missing.append("base_url")
    if missing:
        raise not_set(connection, platform, *missing)


def option(connection: Connection, platform: str, name: str) -> Any:
    """Return an option without which the channel cannot call; raises ``Rejected`` naming it."""
    value = connection.options.get(name)
    if not value:
        raise not_set(connection, platform, name)
    return value


def not_set(connection: Connection, platform: str, *names: str) -> Rejected:
    """Make the refusal of a call for which credentials or options are missing."""
    what = {"code": connection.code, "platform": platform, "missing": ", ".join(names)}
    return Rejected(say("Channel %(code)s cannot call %(platform)s: %(missing)s is not set.", **what))


def token(connection: Connection, platform: str) -> str:
    """Return the access token; raises ``TokenExpired`` while there is none, so that ``renew`` gets the first one."""
    found = connection.credentials.get("access_token")
    if not found:
        raise TokenExpired(say("%(platform)s has given no access token yet.", platform=platform))
    return found


def for_token(ask: Callable[[], Told]) -> Told:
    """Ask for a token and return the answer; raises ``RetryLater`` or ``Rejected`` without it, for it may hold a token.

    Here a token that is no longer good is a refusal for good: another one would not help.
    """
    try:
        return ask()
    except TokenExpired as wrong:
        raise Rejected(wrong.reason, answer=wrong.answer) from wrong
    except RetryLater as later:
        raise type(later)(later.reason, seconds=later.seconds) from None


def renewed(connection: Connection, platform: str, told: object, *names: str) -> dict[str, str]:
    """Return the credentials with the fresh ones of an answer; raises ``RetryLater`` when one of them is not there.

    What such an answer held is kept nowhere: it may be a token.
    """
    given = told if isinstance(told, dict) else {}
    fresh = {name: given.get(name) for name in names}
    if not all(isinstance(value, str) and value for value in fresh.values()):
        raise not_understood(platform, b"the answer does not hold " + " and ".join(names).encode())
    return {**connection.credentials, **fresh}  # type: ignore[dict-item]


def wait_seconds(retry_after: str, *, at: datetime) -> int:
    """Read Retry-After, seconds (some write decimals) or a date, as 1 second to one hour; else the usual wait."""
    text = retry_after.strip()
    try:
        return bounded(float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return USUAL_WAIT
    aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
    return bounded((aware - at).total_seconds())


def bounded(seconds: float) -> int:
    """Return a wait in whole seconds, rounded up, from 1 to one hour; the usual wait for what is no number."""
    return math.ceil(min(max(seconds, 1.0), LONGEST_WAIT)) if math.isfinite(seconds) else USUAL_WAIT


def shown(body: bytes) -> str:
    """Return the beginning of an answer as text for the record, without NUL."""
    return body[:LONGEST_ANSWER].decode("utf-8", "replace").replace("\0", "")
