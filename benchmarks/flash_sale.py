"""A thousand buyers at once want the last two hundred units: HTTP to the inbound door, then the pipeline's workers.

Each buyer is a connection of its own that posts a signed order when the sale opens. Two workers take the orders off the
inbox while they still come in. Exactly two hundred may be promised.
"""

import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
from django.db import connection
from django.db.models import Sum

from audit.rules.actors import Actor
from benchmarks import door
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from channels.adapters.house import sign
from channels.models import Channel
from inventory.models import Category, Node, Reservation, Sku, StockLevel
from inventory.services import movements
from inventory.statuses import MovementKind, NodeKind
from orders.models import Order
from orders.services import pipeline

BUYERS = 1_000
UNITS = 200
CHANNEL = "FLASH"
SECRET = "flash-sale"  # noqa: S105  # of a shop that lives as long as the measurement
OPENS = datetime(2026, 11, 10, 16, 0, tzinfo=UTC)
PATIENCE = 120.0


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Let all buyers post at once and count what was promised, by orders, by balances and by reservations."""
    figures.heading(f"flash sale: {BUYERS} buyers at once over HTTP, {UNITS} units")
    empty_tables()
    _load_company()
    settle()
    before = _deadlocks()
    workers = [Worker("flash_sale", "draining") for _ in range(2)]
    with door.opened(["--threads", "8", "--backlog", "2048"]) as address:
        url = f"{address}/in/{CHANNEL}/"
        for worker in workers:
            worker.go()
        began = time.perf_counter()
        answers = asyncio.run(_buy(url))
    taken = sum(worker.result()["result"] for worker in workers)
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.close()
    statuses = Counter(status for status, _seconds in answers)
    waits = sorted(wait for _status, wait in answers)
    figures.show("flash_buyers_answered_2xx", statuses[202])
    figures.show("flash_answer_p99_s", waits[len(waits) * 99 // 100])
    figures.show("flash_messages_taken", taken)
    figures.show("flash_seconds_to_last_promise", seconds)
    _show_promises(figures)
    figures.show("flash_deadlocks", _deadlocks() - before, at_most(0))


def draining() -> Any:
    """Return how a worker works the inbox off until every buyer's order is decided."""

    def drain() -> int:
        taken, ends = 0, time.monotonic() + PATIENCE
        while Order.objects.count() < BUYERS and time.monotonic() < ends:
            taken += pipeline.drain().messages
            time.sleep(0.02)
        return taken

    return drain


def _show_promises(figures: Figures) -> None:
    sold = Order.objects.filter(goods_state__in=("allocated", "released")).count()
    reserved = StockLevel.objects.aggregate(units=Sum("reserved"))["units"] or 0
    promised = Reservation.objects.filter(status="active").aggregate(units=Sum("quantity"))["units"] or 0
    figures.show("flash_orders", Order.objects.count())
    figures.show("flash_orders_promised", sold)
    figures.show("flash_units_reserved", reserved)
    figures.show("flash_oversold_units", max(sold, reserved, promised) - UNITS, at_most(0))


async def _buy(url: str) -> list[tuple[int, float]]:
    """Open every connection's client, then let all post at the same moment."""
    limits = httpx.Limits(max_connections=BUYERS, max_keepalive_connections=0)
    opens = asyncio.Event()
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE) as client:

        async def buy(number: int) -> tuple[int, float]:
            body = _order(number)
            headers = {sign.HEADER: sign.signature(body, SECRET), "Content-Type": "application/json"}
            await opens.wait()
            began = time.perf_counter()
            answer = await client.post(url, content=body, headers=headers)
            return answer.status_code, time.perf_counter() - began

        buyers = [asyncio.create_task(buy(number)) for number in range(BUYERS)]
        await asyncio.sleep(0)
        opens.set()
        return list(await asyncio.gather(*buyers))


def _order(number: int) -> bytes:
    body = {
        "type": "order", "external_id": f"B{number:04}", "revision": 1, "placed_at": OPENS.isoformat(),
        "paid_at": OPENS.isoformat(), "currency": "CNY", "buyer_key": f"buyer-{number}",
        "address": {"province": "上海市", "city": "上海市", "line": f"{number} 号"},
        "lines": [{"external_id": "1", "sku_code": "HOT", "title": "爆款", "quantity": 1, "unit_price": "9.90"}],
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode()


def _load_company() -> None:
    category = Category.objects.create(code="hot", name="热销")
    sku = Sku.objects.create(code="HOT", name="爆款", category=category)
    node = Node.objects.create(
        code="DC", name="仓", kind=NodeKind.CENTRAL_DC, region="31", city="上海", latitude=31.2, longitude=121.5,
        parcels_per_day=1_000_000,
    )  # fmt: skip
    Channel.objects.create(code=CHANNEL, name="秒杀", platform="house", adapter="house", credentials={"secret": SECRET})
    opening = movements.Movement("opening", sku.pk, node.pk, MovementKind.OPENING, UNITS)
    movements.record([opening], actor=Actor("job", "benchmark"), at=OPENS)


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
