"""Writing the demo company into the database: the ground by the ORM, the past by COPY, some days per transaction."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from audit.models import Approval, ApprovalRequest, Case
from channels.models import Channel
from config.demo import catalogue, cushions, figures, ground, lots, promotions, shares
from config.demo.catalogue import DemoSku
from config.demo.company import WAREHOUSE_SYSTEM
from config.demo.history import History, Size
from config.demo.tape import COLUMNS
from inventory.models import ReasonCode, Sku
from orders.models import Order

APPS = ("inventory", "channels", "promotions", "orders", "forecasting")
MARK = "demo"  # the option of the warehouse system's channel that says what was loaded; empty while it is loading
ROWS_A_TRANSACTION = 60_000

Report = Callable[[int, int], None]  # one more day told, with so many orders; and how many days there are


class NotEmpty(Exception):
    """There is business data that this company must not be mixed with."""


@dataclass(frozen=True)
class Loaded:
    """Which company was loaded, as the warehouse system's channel remembers it."""

    size: str
    seed: int
    last_order_id: int
    until: datetime


@dataclass(frozen=True)
class Batch:
    """Some days of the past: how many orders each had, and the rows of each table as COPY reads them."""

    orders_by_day: tuple[int, ...]
    texts: list[tuple[str, str]]


def find() -> Loaded | None:
    """Return the loaded company, or ``None``; one whose loading was interrupted does not count."""
    mark = _mark()
    if not mark:
        return None
    return Loaded(mark["size"], mark["seed"], mark["last_order_id"], datetime.fromisoformat(mark["until"]))


def load(size: Size, *, seed: int, until: datetime, report: Report) -> Loaded:
    """Write the company and its past up to ``until``. The same arguments give the same rows.

    What an interrupted load of ours left is cleared first. Raises ``NotEmpty`` when other data is there.
    """
    until = until.replace(microsecond=0)
    _make_room()
    skus = catalogue.make()
    history = History(size, seed=seed, until=until, skus=skus)
    with transaction.atomic():
        ground.lay(skus, history.campaigns, opened_at=until - timedelta(days=size.days), until=until)
        _remember({})
    for batch in _one_ahead(_batches(history, skus)):
        _write(batch)
        for orders in batch.orders_by_day:
            report(orders, len(history.days))
    _reset_sequences()
    lots.lay(skus, until=until)
    cushions.lay(until=until)
    shares.lay(until=until)
    promotions.lay(until=until)
    figures.lay(until=until)
    loaded = Loaded(size.name, seed, history.tape.last_id["orders_order"], until)
    _finish(loaded)
    return loaded


@transaction.atomic
def empty() -> int:
    """Remove every row of the business apps; users and what is theirs stay. Returns how many tables that were."""
    tables = [model._meta.db_table for model in _models()]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(quote, tables))} RESTART IDENTITY CASCADE")
    return len(tables)


def _models() -> list[type[Model]]:
    """Return the business apps' models, their history tables included; of audit the cases and approvals about them.

    Reason codes come with the installation and belong to its people: they stay.
    """
    business = [model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    gone = [model for model in business if model not in (ReasonCode, ReasonCode.history.model)]
    return [Case, Approval, ApprovalRequest, *gone]


def _mark() -> dict[str, Any] | None:
    """Return what was loaded, nothing yet (``{}``), or ``None`` when no demo company was ever begun."""
    options = Channel.objects.filter(code=WAREHOUSE_SYSTEM.code, options__has_key=MARK).values_list(
        "options", flat=True
    )
    return next((found[MARK] for found in options), None)


def _remember(mark: dict[str, Any]) -> None:
    system = Channel.objects.get(code=WAREHOUSE_SYSTEM.code)
    Channel.objects.filter(pk=system.pk).update(options={**system.options, MARK: mark})


def _make_room() -> None:
    if _mark() == {}:
        empty()
    if Order.objects.exists() or Sku.objects.exists() or Channel.objects.exists():
        raise NotEmpty("The database already holds orders, SKUs or channels.")


def _batches(history: History, skus: Sequence[DemoSku]) -> Iterator[Batch]:
    """Collect days until they are worth a transaction."""
    counts: list[int] = []
    for day, orders in history.tell(ground.names(skus)):
        counts.append(orders)
        if history.tape.waiting >= ROWS_A_TRANSACTION or day == history.days[-1]:
            yield Batch(tuple(counts), list(history.tape.take()))
            counts = []


def _one_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Hand batches out while a thread already makes the next: the database writes on another core."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, batches, None)
        while batch := coming.result():
            coming = pool.submit(next, batches, None)
            yield batch


@transaction.atomic
def _write(batch: Batch) -> None:
    """Write the rows of some days in one transaction."""
    with connection.cursor() as cursor, _without_triggers(cursor):
        for table, text in batch.texts:
            with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
                copy.write(text)


@contextmanager
def _without_triggers(cursor: CursorWrapper) -> Iterator[None]:
    """Let a superuser skip the foreign-key triggers: the parents of every row come from the same tape."""
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone() != (True,):
        yield
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")


def _finish(loaded: Loaded) -> None:
    """Set the sequences again, refresh the planner's statistics and remember what was loaded."""
    _reset_sequences()
    with connection.cursor() as cursor:
        _remember({**asdict(loaded), "until": loaded.until.isoformat()})
        words = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
        for table in COLUMNS:
            cursor.execute(f"{words} {table}")


def _reset_sequences() -> None:
    """Set the sequences behind the numbers used: what verbs write then has the same numbers each time."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
