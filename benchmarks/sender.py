"""Sending at the moments that were agreed: one thread and raw connections, so that the sender leaves the machine alone.

What is sent lies ready as bytes. An answer's time counts from the moment the request was due: when every connection
still waits for an answer, or the sender is late, the clock of the request runs all the same.
"""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

TIMEOUT: Final = 120.0
TRIES: Final = 2  # the door may close an idle connection at the very moment
NOTHING: Final = 0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"


class Due(NamedTuple):
    """One request: when it is to be sent, in seconds from the start, and its bytes."""

    moment: float
    request: bytes


class Answer(NamedTuple):
    """What came of one request: its place in the list, the status (0 for none) and the seconds since it was due."""

    number: int
    status: int
    seconds: float


def posted(address: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a POST as it goes over the wire, on a connection that is kept."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(address).netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _END + body


def send(address: str, dues: Sequence[Due], *, connections: int) -> list[Answer]:
    """Send each request when it is due, or as soon after that as a connection is free; one answer for each.

    A request whose connection breaks before the answer is sent once more on a fresh one.
    """
    lines = [Line(address) for _ in range(connections)]
    try:
        return _Round(lines, dues).run()
    finally:
        for line in lines:
            line.close()


class Line:
    """One connection, and the request that waits on it for an answer."""

    def __init__(self, address: str) -> None:
        """Open it; raises ``OSError`` when nobody is there."""
        parts = urlsplit(address)
        self._place = (parts.hostname, parts.port)
        self.number, self.tries, self.sent_at, self._heard = -1, 0, 0.0, b""
        self.wire = self._opened()

    def send(self, request: bytes) -> None:
        """Send a request; raises ``OSError`` when the line is gone."""
        self._heard, self.sent_at = b"", time.perf_counter()
        self.wire.sendall(request)

    def hear(self) -> int | None:
        """Read what is there; returns the status of a whole answer, ``None`` when more is to come.

        Raises ``OSError`` when the line was closed.
        """
        more = self.wire.recv(65536)
        if not more:
            raise ConnectionResetError("the door closed the line")
        self._heard += more
        return status_of(self._heard)

    def renew(self) -> None:
        """Open it again; raises ``OSError`` when nobody is there."""
        self.wire.close()
        self.wire = self._opened()

    def close(self) -> None:
        """Close it."""
        self.wire.close()

    def is_open(self) -> bool:
        """Tell whether it was not closed, by us or, as far as we heard, by the door."""
        return self.wire.fileno() >= 0

    def _opened(self) -> socket.socket:
        wire = socket.create_connection(self._place, timeout=TIMEOUT)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire


def status_of(heard: bytes) -> int | None:
    """Return the status of an answer that is there in full, ``None`` while something of it is still to come.

    Raises ``ValueError`` for anything that is no HTTP answer with a length.
    """
    end = heard.find(_END)
    if end < 0:
        return None
    status, length = _STATUS.match(heard), _LENGTH.search(heard, 0, end)
    if status is None or length is None:
        raise ValueError(f"not an answer with a length: {heard[:200]!r}")
    return int(status[1]) if len(heard) >= end + len(_END) + int(length[1]) else None


class _Round:
    """One sending of a list of requests over some lines."""

    def __init__(self, lines: Sequence[Line], dues: Sequence[Due]) -> None:
        self._dues = dues
        self._idle, self._busy = deque(lines), dict[int, Line]()
        self._poll = select.epoll()
        self._answers: list[Answer] = []
        self._began = self._swept_at = time.perf_counter()

    def run(self) -> list[Answer]:
        """Send and listen until every request has its answer."""
        following = 0
        while len(self._answers) < len(self._dues):
            now = time.perf_counter() - self._began
            while following < len(self._dues) and self._idle and self._dues[following].moment <= now:
                line = self._idle.popleft()
                line.number, line.tries = following, 0
                self._send(line)
                following += 1
            may_send = following < len(self._dues) and self._idle
            ahead = self._dues[following].moment - now if may_send else 1.0
            for place, _event in self._poll.poll(min(max(ahead, 0.0), 1.0)):
                self._hear(place)
            self._sweep()
        self._poll.close()
        return self._answers

    def _send(self, line: Line) -> None:
        """Send the line's request, on a fresh line when it broke, until it is on its way or was tried often enough."""
        while line.tries < TRIES:
            line.tries += 1
            try:
                if not line.is_open():
                    line.renew()
                line.send(self._dues[line.number].request)
            except OSError:
                line.close()
                continue
            self._poll.register(line.wire.fileno(), select.EPOLLIN)
            self._busy[line.wire.fileno()] = line
            return
        self._end(line, NOTHING)

    def _hear(self, place: int) -> None:
        line = self._busy[place]
        try:
            status = line.hear()
        except OSError:
            self._forget(line)
            line.close()
            self._send(line)
            return
        if status is not None:
            self._forget(line)
            self._end(line, status)

    def _forget(self, line: Line) -> None:
        self._poll.unregister(line.wire.fileno())
        del self._busy[line.wire.fileno()]

    def _end(self, line: Line, status: int) -> None:
        seconds = time.perf_counter() - self._began - self._dues[line.number].moment
        self._answers.append(Answer(line.number, status, seconds))
        self._idle.append(line)

    def _sweep(self) -> None:
        """Give up, once a second, what waits too long."""
        now = time.perf_counter()
        if now - self._swept_at < 1.0:
            return
        self._swept_at = now
        for line in [line for line in self._busy.values() if now - line.sent_at > TIMEOUT]:
            self._forget(line)
            line.close()
            self._end(line, NOTHING)
