"""Posting house-language deliveries. HTTP only; what the answer means is decided by its status."""

from functools import cache
from threading import Lock
from typing import Final

import httpx

from audit.rules.sentences import say
from channels.adapters.house import outgoing, sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled
from channels.messages import Outgoing

SECONDS_TO_CONNECT: Final = 5.0
SECONDS_TO_ANSWER: Final = 20.0
LONGEST_KEPT_ANSWER: Final = 2000
_TRY_AGAIN: Final = frozenset({408, 425, 429})


_making = Lock()


def _client() -> httpx.Client:
    """Return this process's connections, made at the first delivery so that a forked worker has its own."""
    with _making:
        return _made_client()


@cache
def _made_client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT), follow_redirects=False)


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Post one message and return the answer; raises ``RetryLater`` when it may work later, else ``Rejected``."""
    if not connection.base_url or not connection.credentials.get("secret"):
        raise Rejected(say("Channel %(code)s has no address or no secret to deliver to.", code=connection.code))
    body = outgoing.encode(message)
    headers = {
        "Content-Type": "application/json",
        sign.HEADER: sign.signature(body, connection.credentials["secret"]),
        "Idempotency-Key": key,
    }
    try:
        answer = _client().post(f"{connection.base_url.rstrip('/')}/deliveries/", content=body, headers=headers)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise Rejected(
            say("The address %(address)s cannot be called.", address=connection.base_url), answer=str(error)
        ) from error
    except httpx.HTTPError as error:
        raise RetryLater(
            say("%(code)s cannot be reached: %(error)s.", code=connection.code, error=type(error).__name__),
            answer=str(error),
        ) from error
    return _accepted(answer, connection)


def _accepted(answer: httpx.Response, connection: Connection) -> str:
    text = answer.text[:LONGEST_KEPT_ANSWER]
    if answer.is_success:
        return text
    said = say("%(code)s answered %(status)s.", code=connection.code, status=answer.status_code)
    if answer.is_server_error or answer.status_code in _TRY_AGAIN:
        later = Throttled if answer.status_code == 429 or "Retry-After" in answer.headers else RetryLater
        raise later(said, seconds=outgoing.asked_wait(answer.headers.get("Retry-After", "")), answer=text)
    raise Rejected(said, answer=text)


def close() -> None:
    """Close this process's connections; the next delivery makes new ones."""
    with _making:
        _made_client().close()
        _made_client.cache_clear()
