"""Writing the demo company into the database: the ground by the ORM, the past by COPY, some days per transaction."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from channels.models import Channel
from config.demo import catalogue, ground
from config.demo.company import WAREHOUSE_SYSTEM
from config.demo.history import History, Size
from config.demo.tape import COLUMNS
from inventory.models import Sku
from orders.models import Order

APPS = ("audit", "inventory", "channels", "promotions", "orders", "forecasting")
MARK = "demo"  # the option of the warehouse system's channel that says what was loaded; empty while it is loading
ROWS_A_TRANSACTION = 300_000

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
    days = history.tell(ground.names(skus))
    while _write_some(days, history, report):
        pass
    loaded = Loaded(size.name, seed, history.tape.last_id["orders_order"], until)
    _finish(loaded)
    return loaded


@transaction.atomic
def empty() -> int:
    """Remove every row of the business apps, users and settings stay; returns how many tables that were."""
    tables = [model._meta.db_table for model in _models()]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(quote, tables))} RESTART IDENTITY CASCADE")
    return len(tables)


def _models() -> list[type[Model]]:
    """Return the business apps' models, their history tables included."""
    return [model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]


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


@transaction.atomic
def _write_some(days: Iterator[tuple[date, int]], history: History, report: Report) -> bool:
    """Write days in one transaction until it is large enough; returns whether there may be more.

    A superuser skips the foreign-key triggers: the parents of every row come from the same tape.
    """
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() == (True,):
            cursor.execute("SET LOCAL session_replication_role = replica")
        for _day, orders in days:
            for table, text in history.tape.take():
                rows += text.count("\n")
                with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
                    copy.write(text)
            report(orders, len(history.days))
            if rows >= ROWS_A_TRANSACTION:
                return True
    return False


def _finish(loaded: Loaded) -> None:
    """Set the sequences behind the numbers used, refresh the planner's statistics and remember what was loaded."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
        _remember({**asdict(loaded), "until": loaded.until.isoformat()})
        words = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
        for table in COLUMNS:
            cursor.execute(f"{words} {table}")
