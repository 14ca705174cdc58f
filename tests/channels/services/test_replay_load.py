"""A hundred thousand messages of a range go back to the queue at once."""

import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.rules.actors import Actor
from channels.models import OutboundMessage
from channels.services import replay
from channels.services.replay import Range
from channels.statuses import Lane
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WANG = Actor("person", "wang")
MESSAGES = 100_000
BODY = (
    '{"type": "order.created", "subject": "O", "at": "2026-11-23T01:00:00+00:00", "data": {"number": "O", "lines": []}}'
)
OTHERS = 400_000  # of other channels and other days
SECONDS = 30
MEGABYTES = 5


@pytest.mark.load
@pytest.mark.django_db
def test_a_hundred_thousand_messages_go_back_to_the_queue_in_a_few_statements(capsys):
    partner, other = make_channel("PARTNER"), make_channel("OTHER")
    write(partner.pk, "k", MESSAGES, seconds_apart=0.5)
    write(other.pk, "o", OTHERS // 2, seconds_apart=0.5)
    write(partner.pk, "old", OTHERS // 2, seconds_apart=-0.5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE channels_outboundmessage")
    asked = Range(partner.pk, Lane.EVENTS, AT, AT + timedelta(days=1))

    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        started = time.perf_counter()
        assert replay.counts(asked) == {"sent": MESSAGES}
        counted = time.perf_counter() - started
        asking = len(queries)
        started = time.perf_counter()
        sent = replay.again_in_range(asked, statuses=["sent"], reason="partner lost it", actor=WANG, at=AT)
        seconds = time.perf_counter() - started
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()

    with capsys.disabled():
        print(  # noqa: T201
            f"\nmessages: {MESSAGES} of {MESSAGES + OTHERS}\ncount_seconds: {counted:.2f}\nagain_seconds: {seconds:.2f}"
            f"\nstatements: {asking} + {len(queries) - asking}\npeak_megabytes: {megabytes:.1f}"
        )
    assert sent == MESSAGES
    waiting = OutboundMessage.objects.filter(status="pending")
    assert (waiting.count(), waiting.filter(key__startswith="k").count()) == (MESSAGES, MESSAGES)
    assert (asking, len(queries)) == (1, 10)
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def write(channel_id: int, prefix: str, count: int, *, seconds_apart: float) -> None:
    """Write sent messages of one channel, evenly apart from the moment on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_outboundmessage (channel_id, lane, kind, key, subject, body, status, attempts,"
            " not_before, created_at, sent_at, reason, response, edited_by)"
            " SELECT %s, 'events', 'partner_event', %s || n, 'O' || n, %s::jsonb, 'sent', 1,"
            " moment, moment, moment, '{}', 'ok', ''"
            " FROM (SELECT n, %s::timestamptz + n * %s * interval '1 second' AS moment"
            "         FROM generate_series(1, %s) AS n) AS made",
            [channel_id, prefix, BODY, AT, seconds_apart, count],
        )
