"""The clock's calls: named as the schedule names them, and tolerant of what older callers send along."""

from datetime import UTC, datetime

import pytest
from django.conf import settings

from channels import tasks
from channels.messages import StockFigure
from channels.models import OutboundMessage, PullCursor
from channels.services import outbox
from channels.statuses import Lane
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def test_the_schedule_names_these_tasks() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.pull_all.name, tasks.deliver_outbox.name} <= scheduled
    assert settings.CELERY_TASK_ROUTES[tasks.deliver_outbox.name] == {"queue": "outbox"}


@pytest.mark.django_db(transaction=True)
def test_a_delivery_run_empties_the_lane_it_is_told() -> None:
    mute = make_channel("MUTE")
    rows = [outbox.Draft(mute.pk, lane, lane.value, lane.value, StockFigure("i", "s", 1)) for lane in Lane]
    outbox.enqueue(rows, at=AT)
    tasks.deliver_outbox(lane="stock", sent_by="an older release")
    assert dict(OutboundMessage.objects.values_list("key", "status")) == dict.fromkeys(Lane.values, "pending") | {
        "stock": "needs_person"
    }


@pytest.mark.django_db
def test_a_pull_run_asks_the_channels_that_can_be_pulled() -> None:
    make_channel("HOUSE")
    make_channel("TB", "http://127.0.0.1:9/router/rest", adapter="taobao")
    tasks.pull_all(sent_by="an older release")
    assert list(PullCursor.objects.values_list("channel__code", flat=True)) == ["TB"]
    assert PullCursor.objects.get().last_error != ""
