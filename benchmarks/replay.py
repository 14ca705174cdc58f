"""Ten months of a real retailer, minute by minute, through stock's own verbs; the ledger is checked at every day's end.

Each minute's invoices reserve their units (all of an invoice's lines together or none), what was reserved a day ago
ships, cancellation invoices release what has not shipped and bring back what has. Goods arrive each Monday: what the
week will sell, less five per cent, so that some invoices find too little. Three nodes; an invoice is served by one of
them. Nothing is compared with expectations made beforehand: at every day's end balances must be the sums of their rows.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final

from audit.rules.actors import Actor
from benchmarks import retail_file
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from benchmarks.retail_file import Invoice
from inventory.models import Category, Node, Sku, StockLevel
from inventory.services import movements, reservations, verification
from inventory.services.movements import Movement
from inventory.services.reservations import Claim, Want
from inventory.statuses import DifferenceCheck, MovementKind, NodeKind

STOCKED: Final = 95  # per cent of what a week will sell
SHIPS_AFTER: Final = timedelta(days=1)
JOB: Final = Actor("job", "benchmark")
NODES: Final = ("UK-1", "UK-2", "UK-3")


@dataclass
class Counts:
    """What became of the invoices and their units."""

    minutes: int = 0
    reserved: int = 0
    refused: int = 0
    shipped: int = 0
    released: int = 0
    returned: int = 0
    days: int = 0
    differences: int = 0
    states: dict[str, str] = field(default_factory=dict)  # invoice → reserved | shipped


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Replay the data set and count."""
    source = retail_file.source()
    figures.heading("replay: a UK retailer's invoices minute by minute, the ledger checked every day")
    if not source.exists():
        figures.show("replay_invoices", f"not measured, there is no {source.name} (set REAL_DATA_DIR)")
        return
    book = retail_file.read(source)
    empty_tables()
    skus, nodes = _load_company(book)
    settle()
    began = time.perf_counter()
    counts = _replay(book.invoices, skus, nodes)
    seconds = time.perf_counter() - began
    figures.show("replay_invoices", len(book.invoices))
    figures.show("replay_minutes", counts.minutes)
    for name in ("reserved", "refused", "shipped", "released", "returned"):
        figures.show(f"replay_invoices_{name}", getattr(counts, name))
    figures.show("replay_minutes_per_s", counts.minutes / seconds)
    figures.show("replay_days_checked", counts.days)
    figures.show("replay_days_with_differences", counts.differences, at_most(0))
    beyond = StockLevel.objects.filter(on_hand__lt=0).count()
    figures.show("replay_levels_below_zero", beyond, at_most(0))


def _replay(invoices: list[Invoice], skus: dict[str, int], nodes: list[int]) -> Counts:
    counts = Counts()
    ordered = sorted(invoices, key=lambda invoice: (invoice.placed_at, invoice.number))
    arrivals = _weekly(ordered)
    cancels = _cancellations(ordered)
    waiting: list[tuple[datetime, str]] = []  # what ships when, in order
    today: date | None = None
    for moment, group in _minutes(ordered, cancels):
        if today is not None and moment.date() != today:
            _end_day(counts)
        if today is None or moment.date() != today:
            today = moment.date()
            _arrive(arrivals.pop(_week(today), None), skus, nodes, moment)
        counts.minutes += 1
        waiting = _ship(counts, waiting, moment)
        waiting += _reserve(counts, group, skus, nodes, moment)
        _cancel(counts, cancels.pop(moment, []), skus, nodes, moment)
    _end_day(counts)
    return counts


def _reserve(
    counts: Counts, group: list[Invoice], skus: dict[str, int], nodes: list[int], at: datetime
) -> list[tuple[datetime, str]]:
    """Reserve a minute's invoices in one call."""
    if not group:
        return []
    outcome = reservations.reserve_all([_claim(invoice, skus, nodes) for invoice in group], at=at)
    counts.reserved += len(outcome.granted)
    counts.refused += len(outcome.refused)
    counts.states.update(dict.fromkeys(outcome.granted, "reserved"))
    return [(at + SHIPS_AFTER, invoice.number) for invoice in group if invoice.number in outcome.granted]


def _ship(counts: Counts, waiting: list[tuple[datetime, str]], at: datetime) -> list[tuple[datetime, str]]:
    """Ship in one call what was reserved a day ago and is not cancelled."""
    due = [number for ships_at, number in waiting if ships_at <= at and counts.states.get(number) == "reserved"]
    if due:
        reservations.consume(due, kind=MovementKind.SHIPMENT, actor=JOB, at=at)
        counts.states.update(dict.fromkeys(due, "shipped"))
        counts.shipped += len(due)
    return [entry for entry in waiting if entry[0] > at]


def _cancel(counts: Counts, cancelled: list[Invoice], skus: dict[str, int], nodes: list[int], at: datetime) -> None:
    """Release what has not shipped, bring back what has; an invoice nothing was reserved for is left."""
    held = [invoice.number for invoice in cancelled if counts.states.get(invoice.number) == "reserved"]
    if held:
        reservations.release(held, at=at)
        counts.released += len(held)
    back = [invoice for invoice in cancelled if counts.states.get(invoice.number) == "shipped"]
    if back:
        rows = [
            Movement(
                f"return:{want.key}", want.sku_id, want.node_id, MovementKind.RETURN, want.quantity, want.reference
            )
            for invoice in back
            for want in _claim(invoice, skus, nodes).wants
        ]
        movements.record(rows, actor=JOB, at=at)
        counts.returned += len(back)
    counts.states.update({invoice.number: "cancelled" for invoice in cancelled if invoice.number in counts.states})


def _end_day(counts: Counts) -> None:
    """Compare every balance with the sums of its rows."""
    counts.days += 1
    checks = (DifferenceCheck.ON_HAND, DifferenceCheck.RESERVED)
    counts.differences += any(verification.balances(check) for check in checks)


def _claim(invoice: Invoice, skus: dict[str, int], nodes: list[int]) -> Claim:
    node_id = nodes[int(invoice.number[-1], 36) % len(nodes)]
    wants = tuple(
        Want(f"{invoice.number}/{place}", invoice.number, skus[line.sku], node_id, line.quantity)
        for place, line in enumerate(invoice.lines)
    )
    return Claim(invoice.number, wants)


def _minutes(
    invoices: list[Invoice], cancels: dict[datetime, list[Invoice]]
) -> Iterator[tuple[datetime, list[Invoice]]]:
    """Return every minute in which something happened, with the invoices placed in it."""
    placed = {moment: list(group) for moment, group in groupby(invoices, key=lambda i: _utc(i.placed_at))}
    for moment in sorted(placed.keys() | cancels.keys()):
        yield moment, placed.get(moment, [])


def _cancellations(invoices: list[Invoice]) -> dict[datetime, list[Invoice]]:
    found: defaultdict[datetime, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        if invoice.cancelled_at:
            found[_utc(invoice.cancelled_at)].append(invoice)
    return dict(found)


def _weekly(invoices: list[Invoice]) -> dict[date, Counter[tuple[str, int]]]:
    """Return what each week will sell: (SKU, place of the node) → units."""
    weeks: defaultdict[date, Counter[tuple[str, int]]] = defaultdict(Counter)
    for invoice in invoices:
        place = int(invoice.number[-1], 36) % len(NODES)
        for line in invoice.lines:
            weeks[_week(invoice.placed_at.date())][line.sku, place] += line.quantity
    return dict(weeks)


def _arrive(sold: Counter[tuple[str, int]] | None, skus: dict[str, int], nodes: list[int], at: datetime) -> None:
    rows = [
        Movement(f"receipt:{at.date()}:{sku}:{place}", skus[sku], nodes[place], MovementKind.RECEIPT, units)
        for (sku, place), wanted in (sold or {}).items()
        if (units := wanted * STOCKED // 100)
    ]
    if rows:
        movements.record(rows, actor=JOB, at=at)


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _utc(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0, tzinfo=UTC)


def _load_company(book: retail_file.Book) -> tuple[dict[str, int], list[int]]:
    category = Category.objects.create(code="retail", name="Gifts")
    nodes = Node.objects.bulk_create(
        Node(code=code, name=code, kind=NodeKind.REGIONAL_DC, region="GB", city="London", latitude=51.5, longitude=0)
        for code in NODES
    )
    skus = Sku.objects.bulk_create(
        Sku(code=code, name=title[:160], category=category) for code, title in book.titles.items()
    )
    return {sku.code: sku.pk for sku in skus}, [node.pk for node in nodes]
