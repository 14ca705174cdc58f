"""Stock on its way to a shop while a bulk push of all its listings runs beside it.

One shop behind HTTP on loopback answers after 30 ms and takes 40 calls a second. Processes of their own do what the
workers do: one takes signals every second, two serve the outbox when they are woken or every five seconds.
"""

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from multiprocessing.synchronize import Event
from random import Random
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from audit.rules.actors import Actor
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from channels.models import Channel, ListingStock, OutboundMessage, StockPush
from channels.services import outbox, stock_push
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer, Request, Response
from inventory.models import Category, Node
from inventory.services import movements
from inventory.statuses import MovementKind, NodeKind

LISTINGS: Final = 50_000
ANSWER_SECONDS: Final = 0.03
CALLS_PER_SECOND: Final = 40
CALLS_AT_ONCE: Final = 4
CHANGES_PER_SECOND: Final = 5
UNITS: Final = 1000
LEFT: Final = 3  # of a SKU that runs out
PATIENCE: Final = 60.0
SECRET: Final = "house-secret"
SEED: Final = 7
_FORK: Final = multiprocessing.get_context("fork")
_SKUS: Final = """
INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost, weight_g,
                           tracks_lots, is_active)
SELECT 'S' || n, 'S' || n, '', 'single', %s, '', '', 1, 1, 1, false, true FROM generate_series(1, %s) AS n
"""
_LEVELS: Final = """
INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock, own_safety_stock, quality_hold)
SELECT id, %s, %s, 0, 0, 0, 0 FROM inventory_sku ORDER BY id
"""
_LISTINGS: Final = """
INSERT INTO channels_listing (channel_id, external_code, external_item_id, external_sku_id, sku_id)
SELECT %s, code, 'i' || id, 's' || id, id FROM inventory_sku ORDER BY id
"""
_ACCEPTED: Final = """
INSERT INTO channels_listingstock (listing_id, quantity_due, quantity_accepted, accepted_at)
SELECT id, %s, %s, %s FROM channels_listing ORDER BY id
"""
_PERCENTILES: Final = """
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - changed_at)),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - changed_at))
  FROM channels_stockpush WHERE changed_at >= %s AND is_urgent = %s
"""


def run(figures: Figures, options: Options, _database: Database) -> None:
    """Fill the outbox with every listing, change stock beside it, and show how fast the changes arrived."""
    listings, seconds = min(LISTINGS, options.rows // 20), 5 * options.seconds
    figures.heading(f"stock push: {listings} listings in bulk, {CHANGES_PER_SECOND} changes/s for {seconds:g} s")
    with _shop() as url:
        channel, node = _load(url, listings)
        began = time.perf_counter()
        told = stock_push.push_all(channel, at=timezone.now())
        figures.show("stock_bulk_figures", told.figures)
        figures.show("stock_bulk_figures_per_s", told.figures / (time.perf_counter() - began))
        with _workers():
            since = timezone.now()
            changed = _change(listings, node, seconds)
            late = _wait_until_right()
        _show(figures, since, changed, late)


def _show(figures: Figures, since: datetime, changed: int, late: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PERCENTILES, [since, False])
        usual = cursor.fetchone()
        cursor.execute(_PERCENTILES, [since, True])
        urgent = cursor.fetchone()
    taken = (timezone.now() - since).total_seconds()
    repeated = OutboundMessage.objects.filter(status="sent").count() - StockPush.objects.count()
    figures.show("stock_changes", changed)
    figures.show("stock_pushes", usual[0])
    figures.show("stock_convergence_p50_s", float(usual[1] or 0))
    figures.show("stock_convergence_p95_s", float(usual[2] or 0), at_most(5))
    figures.show("urgent_pushes", urgent[0])
    figures.show("urgent_convergence_p50_s", float(urgent[1] or 0))
    figures.show("urgent_convergence_p95_s", float(urgent[2] or 0), at_most(2))
    figures.show("bulk_figures_accepted_beside", repeated)
    figures.show("stock_figures_accepted_per_s", OutboundMessage.objects.filter(status="sent").count() / taken)
    figures.show("stock_figures_late", late, at_most(0))


def _load(url: str, listings: int) -> tuple[Channel, Node]:
    """Write one shop whose listings all have the right figure already."""
    empty_tables()
    category = Category.objects.create(code="bench", name="bench")
    node = Node.objects.create(
        code="DC", name="仓", kind=NodeKind.CENTRAL_DC, region="31", city="上海", latitude=31.2, longitude=121.5
    )
    channel = Channel.objects.create(
        code="SHOP", name="SHOP", platform="own", adapter="house", base_url=url, credentials={"secret": SECRET},
        calls_per_second=CALLS_PER_SECOND, calls_at_once=CALLS_AT_ONCE,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SKUS, [category.pk, listings])
        cursor.execute(_LEVELS, [node.pk, UNITS])
        cursor.execute(_LISTINGS, [channel.pk])
        cursor.execute(_ACCEPTED, [UNITS, UNITS, timezone.now()])
    settle()
    return channel, node


def _change(listings: int, node: Node, seconds: float) -> int:
    """Let units of SKUs go, each SKU once, every other one down to its last units; returns how many."""
    dice, began = Random(SEED), time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM inventory_sku")
        (first,) = cursor.fetchone()
    places = dice.sample(range(listings), min(listings, int(CHANGES_PER_SECOND * seconds)))
    for number, place in enumerate(places):
        units = LEFT - UNITS if number % 2 else -10
        movement = movements.Movement(f"bench:{place}", first + place, node.pk, MovementKind.ADJUSTMENT, units)
        movements.record([movement], actor=Actor("job", "benchmark"), at=timezone.now())
        time.sleep(max(0.0, began + (number + 1) / CHANGES_PER_SECOND - time.monotonic()))
    return len(places)


def _wait_until_right() -> int:
    """Wait until the shop has every changed figure; returns how many it has not when patience ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM inventory_stocksignal)")
            (is_signalled,) = cursor.fetchone()
        if not is_signalled and not ListingStock.objects.filter(due_since_at__isnull=False).exists():
            return 0
    return ListingStock.objects.filter(due_since_at__isnull=False).count()


@contextlib.contextmanager
def _workers() -> Iterator[None]:
    woken, ended = _FORK.Event(), _FORK.Event()
    connection.close()  # no child may inherit it
    processes = [
        _FORK.Process(target=_collect, args=(woken, ended)),
        *(_FORK.Process(target=_deliver, args=(woken, ended)) for _ in range(2)),
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        ended.set()
        woken.set()
        for process in processes:
            process.join(20)
            process.kill()


def _collect(woken: Event, ended: Event) -> None:
    while not ended.wait(1.0):
        if stock_push.collect(timezone.now()).figures:
            woken.set()


def _deliver(woken: Event, ended: Event) -> None:
    while not ended.is_set():
        outbox.deliver(limit=500, at=timezone.now())
        woken.wait(5.0)
        woken.clear()


@contextlib.contextmanager
def _shop() -> Iterator[str]:
    """Play the shop in a process of its own, so that its work does not count as ours."""
    told: Any = _FORK.Queue()
    connection.close()
    process = _FORK.Process(target=_play, args=(told.put,))
    process.start()
    try:
        yield told.get(timeout=30)
    finally:
        process.kill()
        process.join()


def _play(tell: Callable[[str], None]) -> None:
    house = House(secret=SECRET)

    def answer(request: Request) -> Response:
        time.sleep(ANSWER_SECONDS)
        return house.answer(request)

    with LoopbackServer(answer) as server:
        tell(server.url)
        while True:
            time.sleep(3600)
