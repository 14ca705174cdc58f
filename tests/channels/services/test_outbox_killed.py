"""A worker that is killed anywhere loses nothing, and what it sent twice has the same key."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone

from channels.messages import PartnerEvent, StockFigure
from channels.models import Channel, DeliveryAttempt, OutboundMessage
from channels.services import claims, outbox, runs
from channels.services.outbox import Delivered, Draft
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer, Request, Response
from channels.statuses import Lane
from tests.channels.services.conftest import SECRET, make_channel

ROOT = Path(__file__).resolve().parents[3]
LATER = int(claims.LEASE.total_seconds()) + 20  # what a killed worker had claimed is due again
AT_ONCE = 4
CALLS = 200  # workers are killed somewhere in their first so many calls
SUBJECTS = 10  # of the events
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Partner:
    """Accepts deliveries a little slowly, and keeps the keys of all calls in the order in which they came."""

    house: House = field(default_factory=lambda: House(secret=SECRET))
    order: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.order.append(request.headers["idempotency-key"])
        time.sleep(0.005)
        return self.house.answer(request)

    def wait_for_calls(self, count: int) -> None:
        """Wait until so many calls came in all."""
        until = time.monotonic() + 20
        while len(self.order) < count:
            assert time.monotonic() < until, f"{len(self.order)} calls of {count} came"
            time.sleep(0.001)


@contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Start what starts workers on the test's database, and wait until it is ready."""
    url = urlsplit(os.environ["DATABASE_URL"])
    own = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.channels.services.delivering"],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": own, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.communicate(timeout=10)


def start_worker(process: subprocess.Popen[str], *, ahead: int) -> int:
    """Return the process id of a new worker that delivers as if it were so many seconds later."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{ahead}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def moments(kills: int) -> list[int]:
    """Return after how many calls each worker is killed: one moment in each part of ``CALLS``, in any order."""
    part = CALLS // kills
    return random.sample([random.randrange(n * part, (n + 1) * part) for n in range(kills)], k=kills)


def drafts(shops: Sequence[Channel], *, figures: int, events: int, at: datetime) -> list[Draft]:
    """Return figures for each shop, and events of a few subjects for the first one."""
    return [
        Draft(shop.pk, Lane.STOCK, f"i{number}", f"{shop.code}:{number:05}", StockFigure("i", "s", number))
        for shop in shops
        for number in range(figures)
    ] + [
        Draft(shops[0].pk, Lane.EVENTS, f"O{number % SUBJECTS}", f"e:{number:05}",
              PartnerEvent("order.created", "O", at, {}))
        for number in range(events)
    ]  # fmt: skip


def deliver_all(*, at: datetime) -> Delivered:
    """Deliver until nothing waits any more; a killed worker's calls at once are freed when the database notices."""
    done, until = Delivered(), time.monotonic() + 60
    while OutboundMessage.objects.filter(status="pending").exists():
        assert time.monotonic() < until, "messages wait for ever"
        done += outbox.deliver(limit=10_000, at=at)
    return done


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_kill_9_anywhere_loses_and_doubles_nothing(kills: int) -> None:
    partner, now = Partner(), timezone.now()
    with LoopbackServer(partner.answer) as server, nursery() as process:
        shops = [make_channel(f"S{number}", server.url) for number in range(2)]
        Channel.objects.update(calls_at_once=AT_ONCE)
        wanted = drafts(shops, figures=kills * CALLS * 3 // 4, events=kills * SUBJECTS, at=now)
        outbox.enqueue(wanted, at=now)
        written, first_of = list[set[str]](), list[int]()
        for kill, calls in enumerate(moments(kills)):
            before = len(partner.order)
            worker = start_worker(process, ahead=kill * LATER)
            partner.wait_for_calls(before + calls)
            time.sleep(random.uniform(0, 0.1))
            os.kill(worker, signal.SIGKILL)
            written.append(set(OutboundMessage.objects.filter(status="sent").values_list("key", flat=True)))
            first_of.append(len(partner.order))
        done = deliver_all(at=now + timedelta(seconds=kills * LATER))
    assert 0 < len(written[-1]) < len(wanted), "the workers were killed too early or too late to show anything"
    assert done == Delivered(sent=len(wanted) - len(written[-1]))
    assert set(OutboundMessage.objects.values_list("status", flat=True)) == {"sent"}
    assert sorted(each.key for each in partner.house.deliveries()) == sorted(draft.key for draft in wanted)
    assert DeliveryAttempt.objects.filter(outcome="accepted").count() == len(wanted)
    for sent, first in zip(written, first_of, strict=True):
        assert not sent & set(partner.order[first:]), "what was written as sent went out again"
    assert_few_went_out_twice(partner.order, kills=kills)
    assert_events_came_in_order(partner.order)


def assert_few_went_out_twice(order: Sequence[str], *, kills: int) -> None:
    """A kill repeats at most what the worker had claimed: few rows ahead of the calls that each channel has at once."""
    again = len(order) - len(set(order))
    print(f"{len(set(order))} messages, {kills} kills, {again} calls made twice")  # noqa: T201
    assert 0 < again <= kills * 2 * AT_ONCE * (runs.AHEAD + 1)


def assert_events_came_in_order(order: Sequence[str]) -> None:
    """The first calls for the events of one subject are in the order of their rows."""
    events = [key for key in dict.fromkeys(order) if key.startswith("e:")]
    for subject in range(SUBJECTS):
        own = [key for key in events if int(key[2:]) % SUBJECTS == subject]
        assert own == sorted(own)
