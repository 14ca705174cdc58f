"""What a figure of stock is made of, now or at a past moment: every number opens into the rows behind it.

On hand comes from the ledger, reserved from the times of reservations, held from quality holds, in transit and
expected from documents and their receipts. Of safety stock only today's value is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, Q, QuerySet, Sum

from inventory.models import (
    ExpectedLine,
    QualityHold,
    ReceiptLine,
    Reservation,
    StockLevel,
    StockMovement,
    TransferLine,
)
from inventory.statuses import ExpectedStatus, MovementKind, TransferStatus

MOST_ROWS = 50


@dataclass(frozen=True)
class Row:
    """One row behind a figure: which record, how many units, since when, and whom or what it is for."""

    model: str  # label of the record, e.g. ``inventory.stockmovement``
    pk: int
    quantity: int
    at: datetime
    kind: str
    reference: str


@dataclass(frozen=True)
class Figure:
    """One number, the sums by kind that make it, its newest rows, and what the hub has stored, if it stores it."""

    name: str
    value: int
    parts: tuple[tuple[str, int, int], ...] = ()  # kind, units, rows
    rows: tuple[Row, ...] = ()
    count: int = 0
    stored: int | None = None
    is_current_only: bool = False  # no history: today's value whatever moment was asked for

    @property
    def differs(self) -> bool:
        """Return whether the hub has stored something else."""
        return self.stored is not None and self.stored != self.value


@dataclass(frozen=True)
class Derivation:
    """All figures of one SKU at one node at one moment."""

    sku_id: int
    node_id: int
    at: datetime | None
    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


def derive(sku_id: int, node_id: int, *, at: datetime | None = None) -> Derivation:
    """Return on hand, reserved, held, safety, available, in transit and expected with the rows behind each.

    ``at`` asks for a past moment; stored figures to compare with are given for now only.
    """
    level = StockLevel.objects.filter(sku=sku_id, node=node_id).first() or StockLevel(sku_id=sku_id, node_id=node_id)
    stored = level if at is None else None
    on_hand = _on_hand(sku_id, node_id, at, stored)
    reserved = _reserved(sku_id, node_id, at, stored)
    held = _held(sku_id, node_id, at, stored)
    safety = Figure("safety_stock", level.safety_stock, stored=level.safety_stock, is_current_only=True)
    units = on_hand.value - reserved.value - held.value - safety.value
    parts = (
        ("on_hand", on_hand.value, 1),
        ("reserved", -reserved.value, 1),
        ("quality_hold", -held.value, 1),
        ("safety_stock", -safety.value, 1),
    )
    available = Figure("available", max(0, units), parts, stored=stored.available if stored else None)
    moving = (_in_transit(sku_id, node_id, at), _expected(sku_id, node_id, at))
    return Derivation(sku_id, node_id, at, (on_hand, reserved, held, safety, available, *moving))


def _on_hand(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    rows = StockMovement.objects.filter(sku=sku_id, node=node_id)
    if at:
        rows = rows.filter(moved_at__lte=at)
    return _figure("on_hand", rows, "moved_at", "kind", stored.on_hand if stored else None)


def _reserved(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    rows = Reservation.objects.filter(sku=sku_id, node=node_id)
    if at:
        rows = rows.filter(reserved_at__lte=at).filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at))
    else:
        rows = rows.filter(status="active")
    return _figure("reserved", rows, "reserved_at", "", stored.reserved if stored else None)


def _held(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    rows = QualityHold.objects.filter(sku=sku_id, node=node_id)
    if at:
        rows = rows.filter(opened_at__lte=at).filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at))
    else:
        rows = rows.filter(closed_at__isnull=True)
    return _figure("quality_hold", rows, "opened_at", "reason_code", stored.quality_hold if stored else None)


def _figure(name: str, rows: QuerySet[Any], when: str, kind: str, stored: int | None) -> Figure:
    """Sum the rows by kind and take the newest of them."""
    if kind:
        sums = rows.order_by(kind).values_list(kind).annotate(units=Sum("quantity"), rows=Count("pk"))
        parts = tuple((word, units, count) for word, units, count in sums)
    else:
        whole = rows.aggregate(units=Sum("quantity"), rows=Count("pk"))
        parts = ((name, whole["units"], whole["rows"]),) if whole["rows"] else ()
    newest = tuple(
        Row(
            model=row._meta.label_lower,
            pk=row.pk,
            quantity=row.quantity,
            at=getattr(row, when),
            kind=getattr(row, kind) if kind else name,
            reference=row.reference,
        )
        for row in rows.order_by(f"-{when}", "-pk")[:MOST_ROWS]
    )
    return Figure(
        name, sum(units for _kind, units, _count in parts), parts, newest, sum(count for *_rest, count in parts), stored
    )


def _in_transit(sku_id: int, node_id: int, at: datetime | None) -> Figure:
    """Return what is on its way here: what each transfer sent, less what came and what was given up until then."""
    lines = TransferLine.objects.filter(sku=sku_id, transfer__destination=node_id).select_related("transfer")
    if at is None:
        lines = lines.filter(transfer__status__in=TransferStatus.UNDERWAY)
    else:
        lines = lines.filter(transfer__sent_at__lte=at)
    found = list(lines.order_by("-transfer__sent_at", "-pk"))
    came = _came_by_transfer(sku_id, node_id, [line.transfer.number for line in found], at)
    rows = []
    for line in found:
        closed_at = line.transfer.closed_at
        lost = line.quantity_lost if closed_at and (at is None or closed_at <= at) else 0
        units = line.quantity_sent - came.get(line.transfer.number, 0) - lost
        rows.append(_document_row(line.transfer, units, line.transfer.sent_at or line.transfer.created_at))
    return _from_documents("in_transit", rows)


def _came_by_transfer(sku_id: int, node_id: int, numbers: Sequence[str], at: datetime | None) -> dict[str, int]:
    rows = StockMovement.objects.filter(sku=sku_id, node=node_id, kind=MovementKind.TRANSFER_IN, reference__in=numbers)
    if at:
        rows = rows.filter(moved_at__lte=at)
    return dict(rows.order_by("reference").values_list("reference").annotate(units=Sum("quantity")))


def _expected(sku_id: int, node_id: int, at: datetime | None) -> Figure:
    """Return what suppliers still owe: what each expected receipt names, less what came until then."""
    lines = ExpectedLine.objects.filter(sku=sku_id, expected__node=node_id).select_related("expected")
    if at is None:
        lines = lines.filter(expected__status__in=ExpectedStatus.AWAITED)
    else:
        lines = lines.filter(expected__created_at__lte=at)
        lines = lines.filter(Q(expected__closed_at__isnull=True) | Q(expected__closed_at__gt=at))
    found = list(lines.order_by("-expected__created_at", "-pk"))
    came = ReceiptLine.objects.filter(sku=sku_id, receipt__expected__in=[line.expected_id for line in found])
    if at:
        came = came.filter(receipt__received_at__lte=at)
    sums = came.order_by("receipt__expected").values_list("receipt__expected").annotate(units=Sum("quantity_received"))
    units = dict(sums)
    return _from_documents(
        "expected",
        [
            _document_row(line.expected, line.quantity - units.get(line.expected_id, 0), line.expected.created_at)
            for line in found
        ],
    )


def _document_row(document: Model, units: int, at: datetime) -> Row:
    return Row(document._meta.label_lower, document.pk, units, at, document._meta.model_name or "", str(document))


def _from_documents(name: str, rows: Sequence[Row]) -> Figure:
    open_rows = tuple(row for row in rows if row.quantity)
    units = sum(row.quantity for row in open_rows)
    parts = ((name, units, len(open_rows)),) if open_rows else ()
    return Figure(name, units, parts, open_rows[:MOST_ROWS], len(open_rows))
