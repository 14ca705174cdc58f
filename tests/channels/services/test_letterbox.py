"""The letterbox keeps what comes together by one statement, and no message ever harms another."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DataError, connection, transaction

from channels.adapters.protocol import Received
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage, WantedOrder
from channels.services import credentials, letterbox
from tests import races

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def received(*numbers: str, kind: str = "order") -> Received:
    return Received(tuple(RawMessage(kind, number, 1, number.encode()) for number in numbers))


def door(channel: Channel) -> letterbox.Known:
    found = letterbox.look_again(channel.code)
    assert found is not None
    return found


def kept() -> list[tuple[str, int, bytes]]:
    rows = InboundMessage.objects.order_by("external_id").values_list("external_id", "times_received", "payload")
    return [(number, times, bytes(payload)) for number, times, payload in rows]


def statements() -> list[list[str]]:
    """Return the numbers that each transaction has kept, smallest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(external_id::text ORDER BY external_id) FROM channels_inboundmessage "
            "GROUP BY xmin::text ORDER BY count(*), 1"
        )
        return [numbers for (numbers,) in cursor.fetchall()]


@contextmanager
def another_session() -> Iterator[psycopg.Connection[Any]]:
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], user=settings["USER"],
        password=settings["PASSWORD"],
    ) as session:  # fmt: skip
        yield session


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until, "it never became so"
        time.sleep(0.005)


def put(pool: ThreadPoolExecutor, known: letterbox.Known, what: Received) -> Future[int]:
    def run() -> int:
        try:
            return letterbox.keep(known, what, at=AT)
        finally:
            connection.close()

    return pool.submit(run)


def lie_in_the_box(count: int) -> bool:
    return len(letterbox._LETTERBOX._waiting) == count


def is_somebody_blocked(session: psycopg.Connection[Any]) -> bool:
    """Return whether anybody waits for a lock that this session holds."""
    row = session.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    ).fetchone()
    return row == (True,)


def test_messages_that_come_while_one_is_written_are_kept_by_one_statement(channel: Channel) -> None:
    known = door(channel)
    with ThreadPoolExecutor(6) as pool, another_session() as other:
        other.execute("LOCK TABLE channels_inboundmessage IN EXCLUSIVE MODE")
        first = put(pool, known, received("A"))
        wait_until(lambda: is_somebody_blocked(other))
        later = [put(pool, known, received(number)) for number in "BCDEF"]
        wait_until(lambda: lie_in_the_box(5))
        assert not any(one.done() for one in (first, *later))  # nobody is answered before its row is durable
        other.commit()
        assert [one.result(30) for one in (first, *later)] == [1] * 6
    assert statements() == [["A"], ["B", "C", "D", "E", "F"]]
    assert kept() == [(number, 1, number.encode()) for number in "ABCDEF"]


def test_a_message_that_no_statement_can_keep_is_refused_alone(channel: Channel) -> None:
    known = door(channel)
    with ThreadPoolExecutor(4) as pool, another_session() as other:
        other.execute("LOCK TABLE channels_inboundmessage IN EXCLUSIVE MODE")
        first = put(pool, known, received("A"))
        wait_until(lambda: is_somebody_blocked(other))
        poisoned = put(pool, known, received("B", kind="longer than its column"))
        beside = [put(pool, known, received(number)) for number in "CD"]
        wait_until(lambda: lie_in_the_box(3))
        other.commit()
        assert [one.result(30) for one in (first, *beside)] == [1, 1, 1]
        with pytest.raises(DataError):
            poisoned.result(30)
    assert statements() == [["A"], ["C"], ["D"]]
    assert kept() == [(number, 1, number.encode()) for number in "ACD"]


def test_the_same_message_at_the_same_moment_is_kept_once_and_counted(channel: Channel) -> None:
    known = door(channel)
    told = races.race([lambda: letterbox.keep(known, received("A"), at=AT) for _ in range(8)])
    assert sorted(map(str, told)) == ["0"] * 7 + ["1"]
    assert kept() == [("A", 8, b"A")]


def test_a_message_that_a_worker_holds_makes_no_other_wait(channel: Channel) -> None:
    known = door(channel)
    letterbox.keep(known, received("A"), at=AT)
    with ThreadPoolExecutor(2) as pool, another_session() as worker:
        worker.execute("SELECT FROM channels_inboundmessage FOR NO KEY UPDATE")
        again = put(pool, known, received("A"))
        wait_until(lambda: is_somebody_blocked(worker))
        assert put(pool, known, received("B")).result(30) == 1
        assert not again.done()
        worker.commit()
        assert again.result(30) == 0
    assert kept() == [("A", 2, b"A"), ("B", 1, b"B")]


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(received("A"), id="one message"),
        pytest.param(received("A", "B"), id="several"),
        pytest.param(Received(wanted=("A",)), id="a number only"),
        pytest.param(Received(answer=b"hello"), id="nothing but an answer"),
    ],
)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda channel: credentials.keep(channel, {"secret": "another"}), id="other secret"),
        pytest.param(lambda _channel: Channel.objects.update(is_active=False), id="switched off"),
        pytest.param(lambda channel: channel.delete(), id="deleted"),
    ],
)
def test_what_the_door_read_before_a_change_keeps_nothing(
    channel: Channel, what: Received, change: Callable[[Channel], object]
) -> None:
    known = door(channel)
    change(channel)
    with pytest.raises(letterbox.Outdated):
        letterbox.keep(known, what, at=AT)
    assert (kept(), WantedOrder.objects.count()) == ([], 0)


def test_two_changes_in_one_transaction_are_two_versions(channel: Channel) -> None:
    with transaction.atomic():
        Channel.objects.update(name="one")
        between = door(channel)
        Channel.objects.update(name="two")
        assert door(channel).version != between.version


def test_a_large_message_has_a_statement_of_its_own(channel: Channel) -> None:
    known = door(channel)
    large = Received((RawMessage("order", "A", 1, b"x" * (letterbox.LARGEST_SHARED + 1)),))
    with ThreadPoolExecutor(1) as pool, letterbox._LETTERBOX._turn:  # somebody is writing
        assert put(pool, known, large).result(30) == 1
    assert [(number, times, len(payload)) for number, times, payload in kept()] == [("A", 1, 65537)]


def test_a_connection_that_broke_meanwhile_costs_no_message(channel: Channel) -> None:
    known = door(channel)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with another_session() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert letterbox.keep(known, received("A"), at=AT) == 1
    assert kept() == [("A", 1, b"A")]


def test_the_box_is_open_again_after_a_failure(channel: Channel) -> None:
    known = door(channel)
    with pytest.raises(DataError):
        letterbox.keep(known, received("A", kind="longer than its column"), at=AT)
    assert letterbox.keep(known, received("B"), at=AT) == 1
    assert kept() == [("B", 1, b"B")]
    assert lie_in_the_box(0)
