"""Orders through the whole pipeline, from stored messages to released parcels, beside the floor of the same rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Count, F

from benchmarks import company, floor
from benchmarks.figures import Figures, at_least, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from channels.messages import RawMessage
from inventory.models import StockLevel
from orders.models import Order
from orders.services import pipeline

WARM_UP = 400  # messages each worker takes before the clock starts: a worker's first batch compiles and connects
WORKERS = 2


@dataclass(frozen=True)
class Inbox:
    """The messages of the run, to be stored again for every measurement."""

    shop: company.Company
    pages: list[tuple[str, list[RawMessage]]]

    @property
    def messages(self) -> int:
        """Return how many messages there are."""
        return sum(len(raws) for _channel, raws in self.pages)

    def store(self) -> None:
        """Let them come in."""
        company.store(self.shop, self.pages)


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

    @property
    def worker_ms(self) -> float:
        """Return the workers' CPU milliseconds per order."""
        return self.worker_cpu * 1000 / self.orders

    @property
    def database_ms(self) -> float:
        """Return the database's CPU milliseconds per order."""
        return self.database_cpu * 1000 / self.orders


@dataclass(frozen=True)
class Round:
    """One worker, the floor and two workers, one after the other on equal tables."""

    one: Drained
    two: Drained
    floor_rate: float
    floor_cpu: float


def run(figures: Figures, options: Options, database: Database) -> None:
    """Measure some rounds and show their medians: other work on the machine then moves a figure less."""
    figures.heading(f"intake: {options.orders} orders of {company.LINES} lines through the whole pipeline")
    empty_tables()
    shop = company.load()
    inbox = Inbox(shop, company.pages(shop, options.orders + WORKERS * WARM_UP))
    _show_store(figures, inbox, database)
    first = _drain(database, workers=1)
    _check(figures, inbox)
    recording = floor.record()
    rounds = [_round(inbox, recording, database, first if place == 0 else None) for place in range(options.rounds)]
    _show(figures, rounds)
    _show_rows(figures, recording)


def prepare_drain(warm_up: str) -> Callable[[], int]:
    """Warm a worker process up; returns what is measured: draining the inbox."""
    pipeline.drain(batch_size=int(warm_up), at=lambda: company.NOW, max_batches=1)
    return lambda: pipeline.drain(at=lambda: company.NOW).messages


def _show_store(figures: Figures, inbox: Inbox, database: Database) -> None:
    cpu, database_cpu, began = time.process_time(), database.cpu_seconds(), time.perf_counter()
    inbox.store()
    seconds = time.perf_counter() - began
    figures.show("store_messages_per_s", inbox.messages / seconds)
    spent = time.process_time() - cpu + database.cpu_seconds() - database_cpu
    figures.show("store_cpu_ms_per_message", spent * 1000 / inbox.messages)


def _round(inbox: Inbox, recording: floor.Recording, database: Database, one: Drained | None) -> Round:
    """Measure one round; ``one`` is one worker's draining where it was measured already."""
    if one is None:
        _begin_again(inbox)
        one = _drain(database, workers=1)
    _begin_again(inbox)
    settle()
    floor_rate, floor_cpu = _floor(recording, database)
    _begin_again(inbox)
    return Round(one, _drain(database, workers=WORKERS), floor_rate, floor_cpu)


def _drain(database: Database, *, workers: int) -> Drained:
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


def _begin_again(inbox: Inbox) -> None:
    """Bring the tables back to the moment at which all messages lay in the inbox and nothing was promised."""
    empty_tables(keeping=company.TABLES)
    company.forget_promises()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL inventory_stocklevel")
    inbox.store()


def _check(figures: Figures, inbox: Inbox) -> None:
    """Show how the orders ended: a pipeline that holds or loses orders would be quick too."""
    by_status: dict[str, int] = dict(Order.objects.values_list("status").annotate(Count("pk")).order_by("status"))
    for status, count in by_status.items():
        figures.show(f"orders_{status}", count)
    figures.show("orders_lost", inbox.messages - sum(by_status.values()), at_most(0))
    figures.show("oversold_levels", StockLevel.objects.filter(reserved__gt=F("on_hand")).count(), at_most(0))


def _show(figures: Figures, rounds: list[Round]) -> None:
    """Show the medians; a ratio is the median of the rounds' ratios."""

    def middle(value: Callable[[Round], float]) -> float:
        return float(median(map(value, rounds)))

    figures.show("rounds", len(rounds))
    figures.show("intake_orders_per_s", middle(lambda r: r.one.rate))
    figures.show("floor_orders_per_s", middle(lambda r: r.floor_rate))
    figures.show("intake_to_floor_ratio", middle(lambda r: r.one.rate / r.floor_rate), at_least(0.15))
    figures.show("cpu_ms_per_order", middle(lambda r: r.one.worker_ms + r.one.database_ms), at_most(3))
    figures.show("worker_cpu_ms_per_order", middle(lambda r: r.one.worker_ms))
    figures.show("database_cpu_ms_per_order", middle(lambda r: r.one.database_ms))
    figures.show("floor_cpu_ms_per_order", middle(lambda r: r.floor_cpu))
    figures.show("worker_rss_mb", max(r.one.largest_rss_mb for r in rounds), at_most(400))
    figures.show("two_workers_orders_per_s", middle(lambda r: r.two.rate))
    figures.show("two_workers_to_one_ratio", middle(lambda r: r.two.rate / r.one.rate), at_least(1.2))


def _show_rows(figures: Figures, recording: floor.Recording) -> None:
    figures.show("rows_per_order", sum(recording.rows.values()) / recording.orders)
    named: dict[str, Any] = {table: count / recording.orders for table, count in recording.rows.items()}
    for table, count in named.items():
        figures.show(f"rows_per_order.{table}", count)
