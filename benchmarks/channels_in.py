"""The way in: ten channels push orders through the web door, with a burst in the middle, while a worker drains them.

An answer counts from the moment the order was due to be sent, so a sender that falls behind hides nothing. In the
same run the same requests, for a shorter time, go to a bare server that only answers: what the machine can do at all.
"""

import contextlib
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import F, Max
from django.utils import timezone

from audit.rules.actors import Actor
from benchmarks import door, sender
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from benchmarks.sender import Answer, Due
from channels.adapters.house import sign
from channels.models import Channel, InboundMessage
from config.embedded.broker import Valkey
from config.run import NICE
from inventory.models import Category, Node, Sku
from inventory.services import movements
from inventory.statuses import MovementKind, NodeKind
from orders.models import Order
from orders.services import pipeline

CHANNELS = [f"IN{number}" for number in range(10)]
ORDERS_A_SECOND = 400
BURST = 2_000  # within one second, in the middle
LENGTH = 7.5  # times --seconds: a minute as measured for docs/benchmarks.md
SECRET = "way-in"  # noqa: S105  # of shops that live as long as the measurement
PATIENCE = 900.0
CONNECTIONS = 64  # that all channels together have open
WARM_UP = 4 * CONNECTIONS  # requests, so that every thread of the web has answered before the clock runs
FLOOR_SECONDS = 10.0
WORDS = ["--threads", "16", "--timeout", "60"]  # as the hub is run


class Load(NamedTuple):
    """How much is offered: over how many seconds, and how many orders in the one second of the burst."""

    seconds: float
    burst: int


class Offered(NamedTuple):
    """What came of a load: its answers, and the CPU milliseconds of the web server for each."""

    answers: list[Answer]
    cpu_ms: float


def run(figures: Figures, options: Options, database: Database) -> None:
    """Offer the orders, let a worker drain them, and show the figures."""
    seconds = options.seconds * LENGTH
    load = Load(seconds, round(BURST * min(1.0, seconds / 60)))
    due = moments(load)
    figures.heading(f"in: {len(due)} orders of {len(CHANNELS)} channels in {seconds:.0f} s, {load.burst} in one second")
    figures.show("in_load_of_the_machine_before", os.getloadavg()[0])
    empty_tables()
    _load_company()
    settle()
    worker = Worker("channels_in", "draining", str(len(due) + WARM_UP))
    try:
        with _broker() as broker, door.opened(WORDS, broker=broker) as address:
            worker.go()
            hub = _offer(address, due)
        began = time.perf_counter()
        drained = worker.result()
    finally:
        worker.close()
    _show(figures, hub.answers, len(due))
    figures.show("in_seconds_to_drain_after_the_last_push", time.perf_counter() - began)
    figures.show("in_orders_drained_per_s", drained["result"] / drained["seconds"])
    with door.opened(WORDS, app=door.BARE) as address:
        _show_floor(figures, hub, _offer(address, moments(Load(min(seconds, FLOOR_SECONDS), load.burst))))


def moments(load: Load) -> list[float]:
    """Return when each order is due, in seconds from the start: evenly, with the burst in the middle."""
    steady = [place / ORDERS_A_SECOND for place in range(round(load.seconds * ORDERS_A_SECOND))]
    middle = load.seconds / 2
    return sorted(steady + [middle + place / max(load.burst, 1) for place in range(load.burst)])


def draining(orders: str) -> Any:
    """Return how a worker works the inbox off until all these orders are there, behind the web as the hub's workers."""
    wanted = int(orders)
    os.nice(int(NICE))

    def drain() -> int:
        taken, ends = 0, time.monotonic() + PATIENCE
        while taken < wanted and time.monotonic() < ends:
            taken += pipeline.drain().messages
            time.sleep(0.02)
        return taken

    return drain


def _show(figures: Figures, answers: list[Answer], offered: int) -> None:
    statuses = Counter(answer.status for answer in answers)
    figures.show("in_answer_p50_s", _share(answers, 50))
    figures.show("in_answer_p99_s", _share(answers, 99), at_most(1.0))
    figures.show("in_answer_longest_s", max(answer.seconds for answer in answers))
    figures.show("in_not_accepted", offered - statuses[202], at_most(0))
    kept = InboundMessage.objects.filter(external_id__startswith="I").count()
    figures.show("in_accepted_and_not_kept", max(0, statuses[202] - kept), at_most(0))
    done = InboundMessage.objects.filter(status="done")
    figures.show("in_kept_and_not_done", InboundMessage.objects.count() - done.count(), at_most(0))
    figures.show("in_done_without_an_order", max(0, done.count() - Order.objects.count()), at_most(0))
    oldest = done.aggregate(age=Max(F("finished_at") - F("received_at")))["age"]
    figures.show("in_oldest_backlog_s", oldest.total_seconds() if oldest else 0.0)


def _show_floor(figures: Figures, hub: Offered, bare: Offered) -> None:
    figures.show("in_bare_answer_p50_s", _share(bare.answers, 50))
    figures.show("in_bare_answer_p99_s", _share(bare.answers, 99))
    figures.show("in_web_cpu_ms_per_order", hub.cpu_ms)
    figures.show("in_web_cpu_to_bare_ratio", hub.cpu_ms / bare.cpu_ms)


def _share(answers: list[Answer], percent: int) -> float:
    waits = sorted(answer.seconds for answer in answers)
    return waits[len(waits) * percent // 100]


@contextlib.contextmanager
def _broker() -> Iterator[str]:
    """Start a broker, so that the door pays for waking the workers as well."""
    with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
        server = Valkey(Path(folder) / "valkey", Path(folder) / "valkey.log")
        try:
            yield server.start()
        finally:
            server.stop()


def _offer(address: str, due: list[float]) -> Offered:
    """Send each order when it is due, or as soon after that as a connection is free: its time runs all the same."""
    warm = [Due(0.0, _pushed(address, f"W{number:06}", number)) for number in range(WARM_UP)]
    pushes = [Due(moment, _pushed(address, f"I{number:06}", number)) for number, moment in enumerate(due)]
    sender.send(address, warm, connections=CONNECTIONS)
    spent = door.cpu_seconds()
    answers = sender.send(address, pushes, connections=CONNECTIONS)
    return Offered(answers, (door.cpu_seconds() - spent) * 1000 / len(due))


def _pushed(address: str, external_id: str, number: int) -> bytes:
    """Return one signed order as it goes over the wire, all of it made before the clock runs."""
    body = _order(external_id, number)
    headers = {sign.HEADER: sign.signature(body, SECRET), "Content-Type": "application/json"}
    return sender.posted(address, f"/in/{CHANNELS[number % len(CHANNELS)]}/", body, headers)


def _order(external_id: str, number: int) -> bytes:
    at = timezone.now().isoformat()
    body = {
        "type": "order", "external_id": external_id, "revision": 1, "placed_at": at, "paid_at": at,
        "currency": "CNY", "buyer_key": f"buyer-{number}",
        "address": {"province": "上海市", "city": "上海市", "line": f"{number} 号"},
        "lines": [{"external_id": "1", "sku_code": f"S{number % 100}", "title": "杯", "quantity": 1,
                   "unit_price": "9.90"}],
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode()


def _load_company() -> None:
    category = Category.objects.create(code="cups", name="杯")
    Sku.objects.bulk_create(Sku(code=f"S{number}", name="杯", category=category) for number in range(100))
    Node.objects.create(
        code="DC", name="仓", kind=NodeKind.CENTRAL_DC, region="31", city="上海", latitude=31.2, longitude=121.5,
        parcels_per_day=1_000_000,
    )  # fmt: skip
    node = Node.objects.get()
    opening = [
        movements.Movement(f"opening:{sku.code}", sku.pk, node.pk, MovementKind.OPENING, 100_000)
        for sku in Sku.objects.order_by("pk")
    ]
    movements.record(opening, actor=Actor("job", "benchmark"), at=timezone.now())
    for code in CHANNELS:
        Channel.objects.create(code=code, name=code, platform="own", adapter="house", credentials={"secret": SECRET})
