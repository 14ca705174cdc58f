"""A small threaded HTTP server on loopback, with faults on demand, that every simulator is built on."""

import random
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

LOOPBACK = "127.0.0.1"
FAULTS = (
    "slow",  # answers late
    "http500",
    "http503",  # with Retry-After
    "cut",  # hangs up without doing anything
    "lost",  # does what was asked, then hangs up without an answer
    "html",  # a maintenance page instead of JSON
    "duplicate",  # a list gives one row twice
    "move",  # a row of a list changes right after a page was given
)
RETRY_AFTER_SECONDS = 7  # what an http503 fault asks for


@dataclass(frozen=True)
class Request:
    """One HTTP request as it came over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    def parameters(self) -> dict[str, str]:
        """Merge the query string and a form body: some clients split their parameters over both."""
        form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        text = self.body.decode("utf-8", "replace") if form else ""
        return dict(parse_qsl(self.query, keep_blank_values=True) + parse_qsl(text, keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """What goes back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class UnknownFault(ValueError):
    """A fault that no simulator knows."""


class Faults:
    """When a simulator misbehaves: by chance (``slow=0.1``), or exactly on the next calls (``plan("http500", 2)``)."""

    def __init__(self, chances: dict[str, float] | None = None, *, seed: int = 0, slow_seconds: float = 2.0) -> None:
        for name in chances or {}:
            _check_known(name)
        self.chances = dict(chances or {})
        self.slow_seconds = slow_seconds
        self._random = random.Random(seed)
        self._planned: dict[str, deque[bool]] = {name: deque() for name in FAULTS}
        self._lock = threading.Lock()

    @classmethod
    def parse(cls, text: str, *, seed: int = 0) -> "Faults":
        """Read ``slow=0.1,http500=0.05``; raises ``UnknownFault`` on another word or a chance outside 0 to 1."""
        chances = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, chance = part.partition("=")
            try:
                chances[name.strip()] = float(chance)
            except ValueError as error:
                raise UnknownFault(f"{part}: write it as name=0.1") from error
            if not 0 <= chances[name.strip()] <= 1:
                raise UnknownFault(f"{part}: a chance lies between 0 and 1")
        return cls(chances, seed=seed)

    def plan(self, name: str, times: int = 1, *, after: int = 0) -> None:
        """Let the fault strike exactly ``times`` calls, ``after`` so many calls that stay whole."""
        _check_known(name)
        with self._lock:
            self._planned[name].extend([False] * after + [True] * times)

    def strikes(self, name: str) -> bool:
        """Say whether this fault strikes the call at hand."""
        with self._lock:
            if self._planned[name]:
                return self._planned[name].popleft()
            return self._random.random() < self.chances.get(name, 0.0)


def _check_known(name: str) -> None:
    if name not in FAULTS:
        raise UnknownFault(f"{name}: known faults are {', '.join(FAULTS)}")


class LoopbackServer:
    """Serves ``answer`` on a loopback port until stopped; a context manager. ``port=0`` takes any free port."""

    def __init__(self, answer: Callable[[Request], Response], *, port: int = 0, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._http = _Http(port, answer, self.faults)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://{LOOPBACK}:{self._http.server_address[1]}"

    def start(self) -> Self:
        """Begin to serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and free the port."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request], Response], faults: Faults) -> None:
        self.answer = answer
        self.faults = faults
        super().__init__((LOOPBACK, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that hangs up, which is everyday life here; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._write(Response(b""))

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: the one who drives the simulator keeps the record."""

    def _serve(self) -> None:
        request, faults = self._read(), self.server.faults
        if request.path.startswith("/control/"):
            self._write(self.server.answer(request))
            return
        if faults.strikes("slow"):
            time.sleep(faults.slow_seconds)
        response = None if faults.strikes("cut") else _broken(faults) or self.server.answer(request)
        if response is None or faults.strikes("lost"):
            self._hang_up()
        else:
            self._write(response)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _read(self) -> Request:
        parts = urlsplit(self.path)  # an absolute target ("http://host/path") is split like a plain one
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, parts.path, parts.query, headers, self.rfile.read(length))

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def _broken(faults: Faults) -> Response | None:
    if faults.strikes("http500"):
        return Response(b"Internal Server Error", 500, "text/plain")
    if faults.strikes("http503"):
        return Response(b"Service Unavailable", 503, "text/plain", {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if faults.strikes("html"):
        return Response(b"<html><body>We will be back soon</body></html>", 200, "text/html")
    return None
