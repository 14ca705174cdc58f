"""The sender of the measurements sends when it is due, counts from then, and loses no answer."""

import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import sender
from benchmarks.sender import Due


class Door(socketserver.ThreadingTCPServer):
    """Answers each request with 202 after a pause, and closes the line where it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Knock)
        self.pause, self.broken, self.heard = 0.0, set[bytes](), list[bytes]()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Knock(socketserver.StreamRequestHandler):
    server: Door

    def handle(self) -> None:
        while self.rfile.readline():
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"Content-Length" else length
            body = self.rfile.read(length)
            self.server.heard.append(body)
            if body in self.server.broken:
                self.server.broken.discard(body)
                return
            time.sleep(self.server.pause)
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n")
            self.wfile.write(b"{}")


@pytest.fixture
def place() -> Iterator[Door]:
    server = Door()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def requests(place: Door, moments: list[float]) -> list[Due]:
    return [Due(moment, sender.posted(place.address, "/", b"%d" % at, {})) for at, moment in enumerate(moments)]


def test_every_request_is_answered_once_and_not_before_it_is_due(place: Door) -> None:
    began = time.perf_counter()
    answers = sender.send(place.address, requests(place, [0.0, 0.1, 0.2, 0.2]), connections=3)
    assert time.perf_counter() - began >= 0.2
    assert sorted((answer.number, answer.status) for answer in answers) == [(0, 202), (1, 202), (2, 202), (3, 202)]
    assert sorted(place.heard) == [b"0", b"1", b"2", b"3"]
    assert all(answer.seconds > 0 for answer in answers)


def test_a_request_that_finds_no_free_line_counts_from_when_it_was_due(place: Door) -> None:
    place.pause = 0.1
    answers = sender.send(place.address, requests(place, [0.0] * 4), connections=1)
    assert [answer.number for answer in answers] == [0, 1, 2, 3]
    assert [answer.seconds >= 0.1 * turns for turns, answer in enumerate(answers, start=1)] == [True] * 4


def test_a_line_that_breaks_is_opened_anew_and_its_request_sent_again(place: Door) -> None:
    place.broken = {b"1"}
    answers = sender.send(place.address, requests(place, [0.0] * 3), connections=1)
    assert [(answer.number, answer.status) for answer in answers] == [(0, 202), (1, 202), (2, 202)]
    assert place.heard == [b"0", b"1", b"1", b"2"]


@pytest.mark.parametrize(
    ("heard", "status"),
    [
        pytest.param(b"HTTP/1.1 202 Acc", None, id="head not whole"),
        pytest.param(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{", None, id="body not whole"),
        pytest.param(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}", 202, id="whole"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 401, id="no body"),
    ],
)
def test_an_answer_counts_when_it_is_there_in_full(heard: bytes, status: Any) -> None:
    assert sender.status_of(heard) == status


def test_an_answer_without_a_length_is_no_answer() -> None:
    with pytest.raises(ValueError, match="not an answer with a length"):
        sender.status_of(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n")
