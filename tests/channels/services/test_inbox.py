"""The inbox keeps each message once, hands it to one worker, and takes its outcome."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, connections, transaction

from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage
from channels.rules import arrivals
from channels.services import connections as channel_connections
from channels.services import inbox
from channels.statuses import InboundStatus

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WANG = Actor("person", "wang")


def raw(number: str, revision: int = 1, payload: bytes = b"{}", kind: str = "order") -> RawMessage:
    return RawMessage(kind, number, revision, payload)


def rows(*fields: str) -> list[Any]:
    return list(InboundMessage.objects.order_by("id").values_list(*fields))


def test_store_keeps_each_message_once_and_counts_the_copies(channel: Channel) -> None:
    assert inbox.store(channel, [raw("A"), raw("B"), raw("A"), raw("A", 2)], at=AT) == 3
    assert inbox.store(channel, [raw("A"), raw("C")], at=LATER) == 1
    assert rows("external_id", "revision", "times_received", "status", "received_at") == [
        ("A", 1, 3, "received", AT),
        ("B", 1, 1, "received", AT),
        ("A", 2, 1, "received", AT),
        ("C", 1, 1, "received", LATER),
    ]


def test_store_numbers_messages_in_the_order_of_arrival(channel: Channel) -> None:
    inbox.store(channel, [raw("Z"), raw("A"), raw("M")], at=AT)
    assert rows("external_id") == [("Z",), ("A",), ("M",)]


def test_an_order_and_a_change_of_the_same_revision_are_two_messages(channel: Channel) -> None:
    assert inbox.store(channel, [raw("A"), raw("A", kind="change")], at=AT) == 2


def test_the_same_number_on_two_channels_is_two_messages(channel: Channel) -> None:
    other = Channel.objects.create(code="B", name="B", platform="own", adapter="house")
    assert (inbox.store(channel, [raw("A")], at=AT), inbox.store(other, [raw("A")], at=AT)) == (1, 1)


def test_store_of_nothing_asks_nothing(channel: Channel, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert inbox.store(channel, [], at=AT) == 0


def test_store_of_a_page_is_one_query(channel: Channel, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert inbox.store(channel, [raw(str(number)) for number in range(500)], at=AT) == 500


def test_payload_is_kept_byte_for_byte(channel: Channel) -> None:
    payload = bytes(range(256))
    inbox.store(channel, [raw("A", payload=payload)], at=AT)
    assert bytes(InboundMessage.objects.get().payload) == payload


@pytest.mark.parametrize(
    ("size", "status", "kept"),
    [
        pytest.param(arrivals.LARGEST_PAYLOAD, "received", arrivals.LARGEST_PAYLOAD, id="just fits"),
        pytest.param(arrivals.LARGEST_PAYLOAD + 1, "rejected", 65536, id="one byte too many"),
    ],
)
def test_a_payload_above_ten_megabytes_is_rejected_with_its_head(
    channel: Channel, size: int, status: str, kept: int
) -> None:
    inbox.store(channel, [raw("BIG", payload=b"x" * size), raw("SMALL")], at=AT)
    big = InboundMessage.objects.get(external_id="BIG")
    assert (big.status, len(bytes(big.payload))) == (status, kept)
    assert InboundMessage.objects.get(external_id="SMALL").status == "received"
    if status == "rejected":
        assert (big.reason_code, big.finished_at) == ("too_large", AT)
        assert big.reason["values"] == {"size": 10485761, "largest": 10485760, "kept": 65536}


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(raw("x" * 81), id="number too long"),
        pytest.param(raw("A\x00B"), id="number with NUL"),
        pytest.param(raw("A\ud800"), id="half a character"),
        pytest.param(raw(""), id="no number"),
        pytest.param(raw("A", -1), id="negative revision"),
        pytest.param(raw("A", 2**63), id="revision too large"),
    ],
)
def test_a_number_that_cannot_be_kept_is_rejected_and_keeps_nobody_out(channel: Channel, bad: RawMessage) -> None:
    assert inbox.store(channel, [bad, raw("GOOD")], at=AT) == 2
    first, second = rows("external_id", "status", "reason_code")
    assert (first[0][:7], first[1:]) == ("sha256:", ("rejected", "bad_number"))
    assert second == ("GOOD", "received", "")


def test_a_rejected_message_that_comes_mended_is_taken_again(channel: Channel) -> None:
    inbox.store(channel, [raw("A", payload=b"bad"), raw("B", payload=b"good")], at=AT)
    first, second = InboundMessage.objects.order_by("id")
    inbox.finish(
        [
            inbox.Outcome(first.pk, InboundStatus.REJECTED, "bad_price", say("no")),
            inbox.Outcome(second.pk, InboundStatus.DONE),
        ],
        at=AT,
    )
    assert inbox.store(channel, [raw("A", payload=b"bad"), raw("B", payload=b"other")], at=LATER) == 0
    assert rows("status", "times_received") == [("rejected", 2), ("done", 2)]
    assert inbox.store(channel, [raw("A", payload=b"mended")], at=LATER) == 0
    first.refresh_from_db()
    assert (first.status, bytes(first.payload), first.reason, first.finished_at) == ("received", b"mended", {}, None)
    assert bytes(InboundMessage.objects.get(pk=second.pk).payload) == b"good"


def test_refused_large_requests_of_a_day_are_one_row(channel: Channel) -> None:
    for size in (50_000_000, 60_000_000):
        inbox.refuse_large(channel, b"head", size=size, at=AT)
    assert rows("external_id", "status", "reason_code", "times_received") == [
        ("too-large:2026-11-23", "rejected", "too_large", 2)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_message(channel: Channel) -> None:
    inbox.store(channel, [raw(str(number)) for number in range(4)], at=AT)
    taken: list[list[str]] = []

    def other_worker() -> None:
        with transaction.atomic():
            taken.append([message.external_id for message in inbox.claim(10)])
        connections.close_all()

    with transaction.atomic():
        mine = [message.external_id for message in inbox.claim(3)]
        thread = threading.Thread(target=other_worker)
        thread.start()
        thread.join(timeout=10)
    assert (mine, taken) == (["0", "1", "2"], [["3"]])


@pytest.mark.django_db(transaction=True)
def test_pages_that_overlap_in_other_orders_do_not_wait_in_a_circle(channel: Channel) -> None:
    numbers = [str(number) for number in range(300)]
    fresh: list[int] = []

    def page(order: list[str]) -> None:
        fresh.extend(inbox.store(channel, [raw(number) for number in order], at=AT) for _ in range(5))
        connections.close_all()

    threads = [threading.Thread(target=page, args=(order,)) for order in (numbers, numbers[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (len(fresh), sum(fresh)) == (10, 300)
    assert set(rows("times_received")) == {(10,)}


def test_claim_gives_each_message_its_channel_in_two_queries(channel: Channel, django_assert_num_queries: Any) -> None:
    inbox.store(channel, [raw("A"), raw("B")], at=AT)
    with django_assert_num_queries(2):
        messages = inbox.claim(10)
        assert [message.channel.code for message in messages] == ["SHOP", "SHOP"]
    assert messages[0].channel is messages[1].channel


def test_claim_of_chosen_messages_leaves_the_others(channel: Channel) -> None:
    inbox.store(channel, [raw("A"), raw("B")], at=AT)
    chosen = InboundMessage.objects.get(external_id="B")
    assert inbox.claim(10, message_ids=[chosen.pk]) == [chosen]


def test_finish_writes_every_outcome_in_one_query(channel: Channel, django_assert_num_queries: Any) -> None:
    inbox.store(channel, [raw("A"), raw("B"), raw("C")], at=AT)
    done, rejected, waiting = InboundMessage.objects.order_by("id")
    outcomes = [
        inbox.Outcome(done.pk, InboundStatus.DONE),
        inbox.Outcome(rejected.pk, InboundStatus.REJECTED, "bad_price", say("price is %(value)s.", value="-1")),
        inbox.Outcome(waiting.pk, InboundStatus.WAITING, "no_order_yet", say("wait")),
    ]
    with django_assert_num_queries(1):
        inbox.finish(outcomes, at=LATER)
    assert rows("status", "reason_code", "reason", "finished_at") == [
        ("done", "", {}, LATER),
        ("rejected", "bad_price", {"text": "price is %(value)s.", "values": {"value": "-1"}}, LATER),
        ("waiting", "no_order_yet", {"text": "wait", "values": {}}, None),
    ]


def test_a_reason_with_characters_the_database_refuses_is_written_without_them(channel: Channel) -> None:
    inbox.store(channel, [raw("A")], at=AT)
    message = InboundMessage.objects.get()
    inbox.park([message.pk], code="broken", reason=say("got %(value)s", value="a\x00b\ud800c\\u0000"), at=AT)
    message.refresh_from_db()
    assert (message.status, message.reason["values"]) == ("parked", {"value": "abc\\u0000"})


def test_attempts_are_counted(channel: Channel) -> None:
    inbox.store(channel, [raw("A"), raw("B")], at=AT)
    first = InboundMessage.objects.order_by("id")[0]
    inbox.count_attempt([first.pk])
    inbox.count_attempt([first.pk])
    assert rows("attempts") == [(2,), (0,)]


def test_waiting_changes_come_in_the_order_they_were_made(channel: Channel) -> None:
    inbox.store(channel, [raw("A", 3), raw("B", 1), raw("A", 2), raw("C", 1)], at=AT)
    inbox.finish([inbox.Outcome(pk, InboundStatus.WAITING) for (pk,) in rows("id")], at=AT)
    found = inbox.waiting_for(channel.pk, ["A", "B"])
    assert [(message.external_id, message.revision) for message in found] == [("A", 2), ("A", 3), ("B", 1)]


def test_retry_sends_stuck_messages_through_again_and_says_who(channel: Channel) -> None:
    inbox.store(channel, [raw("A"), raw("B"), raw("C"), raw("D"), raw("E")], at=AT)
    ids = [pk for (pk,) in rows("id")]
    stuck = (InboundStatus.PARKED, InboundStatus.REJECTED, InboundStatus.WAITING, InboundStatus.DONE)
    inbox.finish(
        [
            *(inbox.Outcome(pk, status, "x", say("x")) for pk, status in zip(ids, stuck, strict=False)),
            inbox.Outcome(ids[4], InboundStatus.REJECTED, arrivals.TOO_LARGE, say("x")),
        ],
        at=AT,
    )
    inbox.count_attempt(ids)
    assert inbox.retry(ids, actor=WANG, at=LATER) == 3
    assert rows("status", "attempts", "finished_at") == [
        ("received", 0, None),
        ("received", 0, None),
        ("received", 0, None),
        ("done", 1, AT),
        ("rejected", 1, AT),
    ]
    assert InboundMessage.objects.get(pk=ids[0]).reason["values"] == {
        "actor": "person:wang",
        "at": "2026-11-23T02:00:00+00:00",
    }


def test_retry_takes_a_queryset(channel: Channel) -> None:
    inbox.store(channel, [raw("A"), raw("B")], at=AT)
    inbox.park([pk for (pk,) in rows("id")], code="x", reason=say("x"), at=AT)
    assert inbox.retry(InboundMessage.objects.filter(external_id="B"), actor=WANG, at=LATER) == 1
    assert rows("status") == [("parked",), ("received",)]


def test_translate_speaks_the_channels_language(channel: Channel) -> None:
    payload = b'{"type":"change","external_id":"A","revision":7,"paid_at":"2026-11-23T09:00:00+08:00"}'
    inbox.store(channel, [raw("A", 7, payload, "change")], at=AT)
    (message,) = inbox.claim(1)
    change = inbox.translate(message, channel_connections.of(channel))
    assert (change.external_id, change.revision, change.paid_at) == ("A", 7, AT)


def test_the_claim_walks_the_index_of_what_is_to_do(channel: Channel) -> None:
    inbox.store(channel, [raw(str(number)) for number in range(2000)], at=AT)
    InboundMessage.objects.filter(pk__lte=InboundMessage.objects.order_by("id")[1989].pk).update(status="done")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE channels_inboundmessage")
        cursor.execute(
            "EXPLAIN SELECT * FROM channels_inboundmessage WHERE status = 'received' ORDER BY id LIMIT 200 "
            "FOR NO KEY UPDATE SKIP LOCKED"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "inbox_to_do" in plan
