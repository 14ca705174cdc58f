"""One HTTP call: what is reached comes back, what is not is said in our words."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from channels.adapters import calls
from channels.adapters.fields import Fields, milliseconds
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Untranslatable
from channels.simulators.server import Faults, LoopbackServer, Request, Response

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def echo(request: Request) -> Response:
    return Response(request.query.encode(), int(request.path.strip("/") or 200), headers={"Retry-After": "2.0"})


def test_an_answer_comes_back_also_one_that_says_no() -> None:
    with LoopbackServer(echo) as server:
        answers = [calls.send("X", "GET", f"{server.url}/{status}", params={"a": "1"}) for status in (200, 302, 404)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"a=1"), (302, b"a=1"), (404, b"a=1")]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_a_fault_of_theirs_is_tried_later_when_they_say(status: int) -> None:
    with LoopbackServer(echo) as server, pytest.raises(RetryLater) as caught:
        calls.send("X", "GET", f"{server.url}/{status}")

    assert (caught.value.seconds, str(caught.value)) == (2, f"X answered with HTTP status {status}.")


def test_who_hangs_up_is_tried_later() -> None:
    faults = Faults()
    faults.plan("cut")
    with LoopbackServer(echo, faults=faults) as server, pytest.raises(RetryLater, match="X cannot be reached"):
        calls.send("X", "GET", server.url)


@pytest.mark.parametrize("address", ["ftp://x", "http://x:port", "nothing"])
def test_an_address_that_cannot_be_called_needs_a_person(address: str) -> None:
    with pytest.raises(Rejected) as caught:
        calls.send("X", "GET", address)

    assert str(caught.value) == f"The address {address} cannot be called."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("2.5", 3),
        ("0", 1),
        ("-5", 1),
        ("99999", 3600),
        ("nan", 30),
        ("inf", 30),
        ("", 30),
        ("soon", 30),
        ("Mon, 23 Nov 2026 01:01:00 GMT", 60),
        ("Mon, 23 Nov 2026 00:00:00 GMT", 1),
    ],
)
def test_how_long_to_wait(text: str, seconds: int) -> None:
    assert calls.wait_seconds(text, at=NOW) == seconds


def test_json_keeps_its_decimals_and_halves_of_characters() -> None:
    value = calls.read("X", b'{"a": 1.10, "b": "\\ud800", "c": 12345678901234567890}')

    assert value == {"a": Decimal("1.10"), "b": "\ud800", "c": 12345678901234567890}
    assert calls.written(value) == b'{"a": "1.10", "b": "\\ud800", "c": 12345678901234567890}'


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b"[" * 100_000, b"1e999999999999"])
def test_another_format_is_tried_later(body: bytes) -> None:
    with pytest.raises(RetryLater, match="X did not answer in its own format"):
        calls.read("X", body)


def test_what_is_not_set_is_named() -> None:
    with pytest.raises(Rejected) as caught:
        calls.require(Connection("S", credentials={"a": "1", "b": ""}), "X", "a", "b")

    assert str(caught.value) == "Channel S cannot call X: b, base_url is not set."
    calls.require(Connection("S", "http://x", {"a": "1"}), "X", "a")


def test_a_number_or_its_text_is_the_same_number() -> None:
    reader = Fields({"a": 9007199254740993, "b": "9007199254740993", "c": True, "d": 1.5}, [])

    assert (reader.ident("a"), reader.ident("b")) == ("9007199254740993", "9007199254740993")
    for name in ("c", "d", "e"):
        with pytest.raises(Untranslatable):
            reader.ident(name)


def test_a_word_means_what_its_table_says_and_is_never_guessed() -> None:
    table: dict[str | int | None, str] = {None: "none", "a": "A", 1: "one"}
    reader = Fields({"a": "a", "one": 1, "odd": "b", "list": ["a"], "true": True}, [], "x.")

    assert [reader.meaning(name, table) for name in ("a", "one", "absent")] == ["A", "one", "none"]
    for name in ("odd", "list", "true"):
        with pytest.raises(Untranslatable) as caught:
            reader.meaning(name, table)
        assert caught.value.code == "unknown_status"
        assert str(caught.value.reason).startswith(f"x.{name} is ")


def test_a_list_of_objects_names_each_place() -> None:
    reader = Fields({"rows": [{"n": 1}, {"n": "x"}], "odd": [1], "text": "x"}, [], "order.")

    assert [row.label("n") for row in reader.objects("rows")] == ["order.rows[0].n", "order.rows[1].n"]
    assert reader.objects("absent") == []
    for name in ("odd", "text"):
        with pytest.raises(Untranslatable):
            reader.objects(name)


def test_milliseconds_are_exact() -> None:
    assert milliseconds(datetime(2026, 11, 23, 1, 5, 10, 999_999, tzinfo=UTC)) == 1_795_395_910_999


def test_threads_that_call_first_at_once_share_one_pool_of_connections() -> None:
    calls.close()
    with ThreadPoolExecutor(8) as threads:
        pools = list(threads.map(lambda _: calls._http(), range(64)))
    assert len({id(pool) for pool in pools}) == 1
    calls.close()
    assert pools[0].is_closed
    assert not calls._http().is_closed
