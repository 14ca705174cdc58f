"""Wake-up words: sent when the change is kept, never when it is taken back, and never missed for good."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, current_app
from django.conf import settings
from django.db import transaction
from redis import Redis

from audit.services import waking
from audit.services.waking import Happening
from channels.models import Channel


def let_calls_end() -> None:
    for thread in threading.enumerate():
        if thread.name == "wake-up":
            thread.join(timeout=10)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], dict[str, list[str]]]]:
    """Empty the broker's queues; gives a function that tells the tasks in each."""
    broker = Redis.from_url(settings.REDIS_URL)
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    broker.delete(*names)
    monkeypatch.setattr(waking, "_WAKER", waking.Waker())

    def tell() -> dict[str, list[str]]:
        let_calls_end()
        found: dict[str, Any] = {name: broker.lrange(name, 0, -1) for name in names}
        return {
            name: sorted(json.loads(row)["headers"]["task"] for row in rows) for name, rows in found.items() if rows
        }

    yield tell
    let_calls_end()
    broker.delete(*names)
    broker.close()


def test_every_word_wakes_tasks_that_the_schedule_runs_as_well() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    current_app.loader.import_default_modules()
    assert set(settings.WAKE_UPS) == {word.value for word in Happening}
    for tasks in settings.WAKE_UPS.values():
        assert tasks
        assert set(tasks) <= scheduled & set(current_app.tasks)


@pytest.mark.django_db(transaction=True)
def test_a_word_reaches_the_queue_of_its_task_after_the_commit(queued: Callable[[], dict[str, list[str]]]) -> None:
    with transaction.atomic():
        waking.happened(Happening.SUPPLY_CHANGED)
        waking.happened(Happening.STOCK_CAME)
        assert queued() == {}
    assert queued() == {"stock": ["orders.replan_promises"], "intake": ["orders.retry_backorders"]}


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(queued: Callable[[], dict[str, list[str]]]) -> None:
    with transaction.atomic():
        waking.happened(Happening.SUPPLY_CHANGED)
        transaction.set_rollback(True)
    assert queued() == {}


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_a_line_and_then_silence(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(waking, "current_app", away)
    monkeypatch.setattr(waking, "_WAKER", waking.Waker())
    for code in ("A", "B"):
        with transaction.atomic():
            Channel.objects.create(code=code, name=code, platform="own", adapter="house")
            waking.happened(Happening.SUPPLY_CHANGED)
        let_calls_end()
    assert Channel.objects.count() == 2
    assert [record.name for record in caplog.records if record.name == waking.__name__] == [waking.__name__]
    away.close()


class Calls:
    """Stands for the broker: keeps what was sent."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def send_task(self, name: str, **_options: Any) -> None:
        self.tasks.append(name)


def test_a_burst_of_calls_costs_a_few_and_the_last_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, waker = Calls(), waking.Waker()
    monkeypatch.setattr(waking, "current_app", calls)
    began = time.monotonic()
    for _ in range(500):
        waker.wake("one")
    waker.wake("other")
    seconds = time.monotonic() - began
    let_calls_end()
    assert calls.tasks[0] == "one"
    assert calls.tasks.count("other") == 1
    assert 2 <= len(calls.tasks) <= 4 + seconds / waking.SECONDS_BETWEEN_CALLS
    waker.wake("one")
    let_calls_end()
    assert calls.tasks[-1] == "one"
