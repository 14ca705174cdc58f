"""Requests of machines go to the door without the middleware of pages; pages keep theirs."""

import io
import json
import sys
from typing import Any

import pytest
from django.test import Client

from config.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)  # a request ends with its connection


def ask(path: str, *, method: str = "GET", body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    told: list[tuple[int, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], _trouble: Any = None) -> None:
        told.append((int(status[:3]), dict(headers)))

    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }  # fmt: skip
    answer = b"".join(application(environ, start))
    [(status, headers)] = told
    return status, headers, answer


def test_the_door_answers_with_a_length_and_without_cookies_or_languages() -> None:
    status, headers, answer = ask("/in/NOBODY/", method="POST", body=b"{}")
    assert (status, json.loads(answer)["title"]) == (404, "Unknown channel")
    assert headers == {
        "Content-Type": "application/problem+json",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(len(answer)),
    }


def test_the_door_answers_as_it_does_behind_the_middleware() -> None:
    for path in ("/in/NOBODY/", "/in/a/b/", "/in/"):
        direct, behind = ask(path, method="POST"), Client().post(path)
        assert (direct[0], direct[2]) == (behind.status_code, behind.content)


def test_an_address_without_its_last_slash_is_corrected_as_before() -> None:
    status, headers, _answer = ask("/in/NOBODY")
    assert (status, headers["Location"]) == (301, "/in/NOBODY/")


def test_pages_keep_their_middleware() -> None:
    status, headers, _answer = ask("/admin/login/")
    assert (status, headers["X-Frame-Options"]) == (200, "SAMEORIGIN")
    assert "csrftoken" in headers["Set-Cookie"]
