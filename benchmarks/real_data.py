"""The real order book of a UK retailer through ``manage.py import_orders``, with five per cent too little stock."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.db.models import F, Q, Sum

from audit.rules.actors import Actor
from benchmarks import machine, retail_file
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from channels.models import Channel
from inventory.models import Category, Node, Reservation, Sku, StockLevel
from inventory.rules.geography import REGIONS
from inventory.services import movements
from inventory.statuses import MovementKind, NodeKind
from orders.models import Order

CHANNEL = "RETAIL"
STOCKED = 95  # per cent of what was really sold
NOW = datetime(2010, 11, 30, tzinfo=UTC)


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Import the data set as a user would, and count what became of every order."""
    source = retail_file.source()
    figures.heading("real data: a UK retailer's invoices of ten months as orders of a file channel, in GBP")
    if not source.exists():
        figures.show("real_orders", f"not measured, there is no {source.name} (set REAL_DATA_DIR)")
        return
    kept = retail_file.read(source)
    empty_tables()
    _load_company(kept)
    settle()
    with _file(kept) as path:
        seconds, peak_mb, _together_mb, code = machine.command("import_orders", "--channel", CHANNEL, str(path))
    lines = sum(len(invoice.lines) for invoice in kept.invoices)
    figures.show("real_orders", len(kept.invoices))
    figures.show("real_lines", lines)
    figures.show("real_lines_left_out", kept.lines_left_out)
    figures.show("real_import_exit_code", code, at_most(0))
    figures.show("real_orders_per_s", len(kept.invoices) / seconds)
    figures.show("real_lines_per_s", lines / seconds)
    figures.show("real_import_peak_rss_mb", peak_mb, at_most(400))
    _show_fates(figures, kept)
    _show_stock(figures)


def fate(order: Order) -> str:
    """Return what became of an order, in one word; ``order`` carries ``wanted`` and ``got``."""
    if order.cancelled_at:
        return "cancelled"
    if order.open_holds:
        return "held"
    got, wanted = order.got, order.wanted  # type: ignore[attr-defined]  # annotated
    if got == wanted:
        return "reserved"
    if order.status != "backordered":
        return "lost"
    return "partly_backordered" if got else "wholly_backordered"


def _show_fates(figures: Figures, kept: retail_file.Book) -> None:
    """Count the orders by their fate: each must have one."""
    live = Q(lines__is_cancelled=False)
    orders = Order.objects.annotate(
        wanted=Sum("lines__quantity", filter=live), got=Sum("lines__quantity_allocated", filter=live)
    )
    fates = Counter(fate(order) for order in orders.iterator())
    for name in ("reserved", "partly_backordered", "wholly_backordered", "held", "cancelled"):
        figures.show(f"real_orders_{name}", fates[name])
    figures.show("real_orders_lost", len(kept.invoices) - fates.total() + fates["lost"], at_most(0))


def _show_stock(figures: Figures) -> None:
    """Count what was promised beyond what there is, by balances and by reservations."""
    beyond = StockLevel.objects.filter(reserved__gt=F("on_hand")).aggregate(units=Sum(F("reserved") - F("on_hand")))
    reserved = StockLevel.objects.aggregate(units=Sum("reserved"))["units"] or 0
    promised = Reservation.objects.filter(status="active").aggregate(units=Sum("quantity"))["units"] or 0
    figures.show("real_units_reserved", reserved)
    figures.show("real_oversold_units", (beyond["units"] or 0) + max(0, promised - reserved), at_most(0))


def _load_company(kept: retail_file.Book) -> None:
    """Write one channel, one node that sends everywhere, the articles, and too little of each."""
    category = Category.objects.create(code="retail", name="Gifts")
    node = Node.objects.create(
        code="UK-DC", name="UK DC", kind=NodeKind.CENTRAL_DC, region="GB", city="London", latitude=51.5,
        longitude=-0.13, serves=sorted(REGIONS), parcels_per_day=1_000_000,
    )  # fmt: skip
    Channel.objects.create(
        code=CHANNEL, name="Online retail", platform="file", adapter="file", currency="GBP",
        options={"time_zone": "Europe/London"},
    )  # fmt: skip
    sold = kept.sold()
    skus = Sku.objects.bulk_create(
        Sku(code=code, name=title[:160], category=category) for code, title in kept.titles.items()
    )
    opening = [
        movements.Movement(f"opening:{sku.code}", sku.pk, node.pk, MovementKind.OPENING, units)
        for sku in skus
        if (units := sold[sku.code] * STOCKED // 100)
    ]
    movements.record(opening, actor=Actor("job", "benchmark"), at=NOW)


@contextlib.contextmanager
def _file(kept: retail_file.Book) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
        path = Path(folder) / "orders.csv"
        retail_file.write(kept, path)
        yield path
