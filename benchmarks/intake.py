"""Orders through the whole pipeline, from stored messages to released parcels, beside the floor of the same rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, F

from benchmarks import company, floor
from benchmarks.figures import Figures, at_least, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from inventory.models import StockLevel
from orders.models import Order
from orders.services import pipeline

WARM_UP = 400  # messages each worker takes before the clock starts: a worker's first batch compiles and connects
WORKERS = 2


@dataclass(frozen=True)
class Drained:
    """What one draining of the inbox took."""

    orders: int
    seconds: float
    worker_cpu: float
    database_cpu: float
    largest_rss_mb: float

    @property
    def rate(self) -> float:
        """Return orders per second."""
        return self.orders / self.seconds


def run(figures: Figures, options: Options, database: Database) -> None:
    """Measure store, pipeline, floor, CPU and two workers, each on equal tables."""
    figures.heading(f"intake: {options.orders} orders of {company.LINES} lines through the whole pipeline")
    empty_tables()
    shop = company.load()
    _store(figures, shop, options, database)
    one = _drain(options, database, workers=1)
    _check(figures, options)
    recording = floor.record()
    _reset()
    company.store(shop, company.pages(shop, options.orders + WARM_UP))
    settle()
    floor_rate, floor_cpu = _floor(recording, database)
    _reset()
    company.store(shop, company.pages(shop, options.orders + WORKERS * WARM_UP))
    two = _drain(options, database, workers=WORKERS)
    figures.show("intake_orders_per_s", one.rate)
    figures.show("floor_orders_per_s", floor_rate)
    figures.show("intake_to_floor_ratio", one.rate / floor_rate, at_least(0.15))
    _show_cpu(figures, one, floor_cpu)
    figures.show("two_workers_orders_per_s", two.rate)
    figures.show("two_workers_to_one_ratio", two.rate / one.rate, at_least(1.2))
    _show_rows(figures, recording)


def prepare_drain(warm_up: str) -> Callable[[], int]:
    """Warm a worker process up; returns what is measured: draining the inbox."""
    pipeline.drain(batch_size=int(warm_up), at=lambda: company.NOW, max_batches=1)
    return lambda: pipeline.drain(at=lambda: company.NOW).messages


def _store(figures: Figures, shop: company.Company, options: Options, database: Database) -> None:
    count = options.orders + WARM_UP
    pages = list(company.pages(shop, count))
    cpu, database_cpu, began = time.process_time(), database.cpu_seconds(), time.perf_counter()
    company.store(shop, pages)
    seconds = time.perf_counter() - began
    figures.show("store_messages_per_s", count / seconds)
    spent = time.process_time() - cpu + database.cpu_seconds() - database_cpu
    figures.show("store_cpu_ms_per_message", spent * 1000 / count)


def _drain(options: Options, database: Database, *, workers: int) -> Drained:
    settle()
    running = [Worker("intake", "prepare_drain", str(WARM_UP)) for _ in range(workers)]
    try:
        cpu, began = database.cpu_seconds(), time.perf_counter()
        for worker in running:
            worker.go()
        told = [worker.result() for worker in running]
        seconds = time.perf_counter() - began
        database_cpu = database.cpu_seconds() - cpu
    finally:
        for worker in running:
            worker.close()
    return Drained(
        orders=sum(result["result"] for result in told),
        seconds=seconds,
        worker_cpu=sum(result["cpu_seconds"] for result in told),
        database_cpu=database_cpu,
        largest_rss_mb=max(result["rss_mb"] for result in told),
    )


def _floor(recording: floor.Recording, database: Database) -> tuple[float, float]:
    """Return orders per second and CPU milliseconds per order."""
    cpu, own = database.cpu_seconds(), time.process_time()
    seconds = floor.write(recording, database.url)
    spent = database.cpu_seconds() - cpu + time.process_time() - own
    return recording.orders / seconds, spent * 1000 / recording.orders


def _reset() -> None:
    empty_tables(keeping=company.TABLES)
    company.forget_promises()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL inventory_stocklevel")


def _check(figures: Figures, options: Options) -> None:
    """Show how the orders ended: a pipeline that holds or loses orders would be quick too."""
    by_status: dict[str, int] = dict(Order.objects.values_list("status").annotate(Count("pk")).order_by("status"))
    for status, count in by_status.items():
        figures.show(f"orders_{status}", count)
    lost = options.orders + WARM_UP - sum(by_status.values())
    figures.show("orders_lost", lost, at_most(0))
    figures.show("oversold_levels", StockLevel.objects.filter(reserved__gt=F("on_hand")).count(), at_most(0))


def _show_cpu(figures: Figures, one: Drained, floor_cpu: float) -> None:
    ms: Callable[[float], float] = lambda seconds: seconds * 1000 / one.orders  # noqa: E731
    figures.show("cpu_ms_per_order", ms(one.worker_cpu + one.database_cpu), at_most(3))
    figures.show("worker_cpu_ms_per_order", ms(one.worker_cpu))
    figures.show("database_cpu_ms_per_order", ms(one.database_cpu))
    figures.show("floor_cpu_ms_per_order", floor_cpu)
    figures.show("worker_rss_mb", one.largest_rss_mb, at_most(400))


def _show_rows(figures: Figures, recording: floor.Recording) -> None:
    figures.show("rows_per_order", sum(recording.rows.values()) / recording.orders)
    named: dict[str, Any] = {table: count / recording.orders for table, count in recording.rows.items()}
    for table, count in named.items():
        figures.show(f"rows_per_order.{table}", count)
