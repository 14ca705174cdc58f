"""The way in: ten channels push orders through the web door, with a burst in the middle, while a worker drains them.

An answer's time counts from the moment the order was due to be sent, so a sender that falls behind hides nothing.
"""

import http.client
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from django.db.models import F, Max
from django.utils import timezone

from audit.rules.actors import Actor
from benchmarks import door
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from channels.adapters.house import sign
from channels.models import Channel, InboundMessage
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
TIMEOUT = 120.0
WARM_UP = 40
SENDERS = 64  # connections that all channels together have open


class Load(NamedTuple):
    """How much is offered: over how many seconds, and how many orders in the one second of the burst."""

    seconds: float
    burst: int


class Answer(NamedTuple):
    """What came of one push: the status (0 for none) and the seconds since it was due."""

    status: int
    seconds: float


def run(figures: Figures, options: Options, database: Database) -> None:
    """Offer the orders, let a worker drain them, and show the figures."""
    seconds = options.seconds * LENGTH
    load = Load(seconds, round(BURST * min(1.0, seconds / 60)))
    due = moments(load)
    figures.heading(f"in: {len(due)} orders of {len(CHANNELS)} channels in {seconds:.0f} s, {load.burst} in one second")
    empty_tables()
    _load_company()
    settle()
    worker = Worker("channels_in", "draining", str(len(due)))
    try:
        with door.opened(["--threads", "4", "--timeout", "60"]) as address:
            for _ in range(WARM_UP):  # on connections of their own: every process has answered before the clock runs
                httpx.get(f"{address}/livez").raise_for_status()
            worker.go()
            answers = _push(address, due)
        began = time.perf_counter()
        drained = worker.result()
    finally:
        worker.close()
    _show(figures, answers, len(due))
    figures.show("in_seconds_to_drain_after_the_last_push", time.perf_counter() - began)
    figures.show("in_orders_drained_per_s", drained["result"] / drained["seconds"])


def moments(load: Load) -> list[float]:
    """Return when each order is due, in seconds from the start: evenly, with the burst in the middle."""
    steady = [place / ORDERS_A_SECOND for place in range(round(load.seconds * ORDERS_A_SECOND))]
    middle = load.seconds / 2
    return sorted(steady + [middle + place / max(load.burst, 1) for place in range(load.burst)])


def draining(orders: str) -> Any:
    """Return how a worker works the inbox off until all these orders are there."""
    wanted = int(orders)

    def drain() -> int:
        taken, ends = 0, time.monotonic() + PATIENCE
        while taken < wanted and time.monotonic() < ends:
            taken += pipeline.drain().messages
            time.sleep(0.02)
        return taken

    return drain


def _show(figures: Figures, answers: list[Answer], offered: int) -> None:
    statuses = Counter(answer.status for answer in answers)
    waits = sorted(answer.seconds for answer in answers)
    figures.show("in_answer_p50_s", waits[len(waits) // 2])
    figures.show("in_answer_p99_s", waits[len(waits) * 99 // 100], at_most(1.0))
    figures.show("in_not_accepted", offered - statuses[202], at_most(0))
    kept = InboundMessage.objects.count()
    figures.show("in_accepted_and_not_kept", max(0, statuses[202] - kept), at_most(0))
    done = InboundMessage.objects.filter(status="done")
    figures.show("in_kept_and_not_done", kept - done.count(), at_most(0))
    figures.show("in_done_without_an_order", max(0, done.count() - Order.objects.count()), at_most(0))
    oldest = done.aggregate(age=Max(F("finished_at") - F("received_at")))["age"]
    figures.show("in_oldest_backlog_s", oldest.total_seconds() if oldest else 0.0)


def _push(address: str, due: list[float]) -> list[Answer]:
    """Send each order when it is due, or as soon after that as a sender is free: its time runs all the same."""
    place = urlsplit(address).netloc
    bodies = [_order(number) for number in range(len(due))]
    turn, began = iter(range(len(due))), time.perf_counter()

    def send() -> list[Answer]:
        line, answers = http.client.HTTPConnection(place, timeout=TIMEOUT), []
        for number in turn:  # shared by all senders
            if (ahead := due[number] - (time.perf_counter() - began)) > 0:
                time.sleep(ahead)
            status = _post(line, CHANNELS[number % len(CHANNELS)], bodies[number])
            answers.append(Answer(status, time.perf_counter() - began - due[number]))
        line.close()
        return answers

    with ThreadPoolExecutor(SENDERS) as pool:
        return [answer for sent in [pool.submit(send) for _ in range(SENDERS)] for answer in sent.result()]


def _post(line: http.client.HTTPConnection, channel: str, body: bytes) -> int:
    """Push once, and once more on a fresh connection when the door had closed an idle one; 0 when nothing came back."""
    headers = {sign.HEADER: sign.signature(body, SECRET), "Content-Type": "application/json"}
    for _attempt in range(2):
        try:
            line.request("POST", f"/in/{channel}/", body, headers)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
        else:
            return answer.status
    return 0


def _order(number: int) -> bytes:
    at = timezone.now().isoformat()
    body = {
        "type": "order", "external_id": f"I{number:06}", "revision": 1, "placed_at": at, "paid_at": at,
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
