"""Posting an event to an address that a partner gave us. HTTP only.

httpcore is used as it is, the layer under httpx: the address that was checked is the address that is called (no second
look-up that could answer otherwise), there are no redirects, no proxies of the environment and no kept connections, and
one clock limits the whole call, also when the other side sends a byte now and then.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from audit.rules.sentences import say
from channels.adapters.protocol import Rejected, RetryLater
from channels.adapters.webhook import addresses

SECONDS_FOR_ALL: Final = 20.0  # Standard Webhooks asks for 15 to 30
SECONDS_TO_CONNECT: Final = 5.0
LARGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What the endpoint said; ``body`` is its beginning."""

    status: int
    body: bytes
    retry_after: str


def post(url: str, body: bytes, headers: Mapping[str, str], *, code: str) -> Answer:
    """Post a body and return the answer, whatever its status.

    Raises ``Rejected`` for an address that may not be called, ``RetryLater`` when nobody answered in time.
    """
    local = _checked(url)
    network = _Network(time.monotonic() + SECONDS_FOR_ALL, allow_loopback=local)
    pool = httpcore.ConnectionPool(ssl_context=_tls(), max_keepalive_connections=0, network_backend=network)
    sent = {"Content-Type": "application/json", "User-Agent": "orderhub-webhooks/1", "Connection": "close", **headers}
    try:
        with pool, pool.stream("POST", url, headers=list(sent.items()), content=body) as answer:
            kept = _beginning(answer.iter_stream())
            words = {name.lower(): value for name, value in answer.headers}
            return Answer(answer.status, kept, words.get(b"retry-after", b"").decode("ascii", "replace"))
    except addresses.Forbidden as error:
        raise Rejected(say("The address %(address)s may not be called: it is not public.", address=url)) from error
    except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, UnicodeError) as error:
        raise Rejected(say("The address %(address)s cannot be called.", address=url), answer=str(error)) from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise RetryLater(
            say("%(code)s cannot be reached: %(error)s.", code=code, error=type(error).__name__),
            seconds=0,
            answer=str(error),
        ) from error


def _checked(url: str) -> bool:
    """Return whether loopback may be called for this address; raises ``Rejected`` for one that is not https."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Rejected(say("The address %(address)s cannot be called.", address=url), answer=str(error)) from error
    is_local = bool(settings.WEBHOOKS_MAY_BE_LOCAL) and host in {"localhost", "127.0.0.1", "::1"}
    if not host or parts.username is not None or parts.scheme not in ({"https", "http"} if is_local else {"https"}):
        raise Rejected(say("The address %(address)s may not be called: it must begin with https://.", address=url))
    return is_local


def _beginning(chunks: Iterable[bytes]) -> bytes:
    kept = b""
    for chunk in chunks:
        kept += chunk
        if len(kept) >= LARGEST_ANSWER:
            break
    return kept[:LARGEST_ANSWER]


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Network(httpcore.NetworkBackend):
    """Connects to the address that was checked, and lets no step go beyond the end of the call."""

    def __init__(self, ends_at: float, *, allow_loopback: bool) -> None:
        self._ends_at, self._allow_loopback = ends_at, allow_loopback
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Look the host up once, check it, and connect to what was checked."""
        try:
            address = addresses.resolve(host, port, allow_loopback=self._allow_loopback)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        wait = min(SECONDS_TO_CONNECT, _left(self._ends_at))
        return _Stream(self._plain.connect_tcp(address, port, wait, local_address, socket_options), self._ends_at)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends when the call must end."""

    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream, self._ends_at = stream, ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read some bytes."""
        return self._stream.read(max_bytes, _left(self._ends_at))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all bytes."""
        self._stream.write(buffer, _left(self._ends_at))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS; the certificate must be the host's, whatever its address."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._ends_at)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        """Pass on what is known of the connection."""
        return self._stream.get_extra_info(info)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the call took too long")
    return left
