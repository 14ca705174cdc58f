"""What is on its way to nodes and what suppliers still owe, now or at a past moment: document by document."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from inventory.models import (
    ExpectedLine,
    ExpectedReceipt,
    ReceiptLine,
    StockMovement,
    Transfer,
    TransferLine,
)
from inventory.statuses import ExpectedStatus, MovementKind, TransferStatus


@dataclass(frozen=True)
class Coming:
    """Units of a SKU that one document will still bring to a node."""

    node_id: int
    document: Transfer | ExpectedReceipt
    quantity: int
    at: datetime  # since when it is on its way, or expected


def in_transit(sku_id: int, *, node_id: int | None = None, at: datetime | None = None) -> list[Coming]:
    """Return what each transfer sent, less what came and what was given up until then, newest first."""
    lines = TransferLine.objects.filter(sku=sku_id).select_related("transfer")
    if node_id is not None:
        lines = lines.filter(transfer__destination=node_id)
    if at is None:
        lines = lines.filter(transfer__status__in=TransferStatus.UNDERWAY)
    else:
        lines = lines.filter(transfer__sent_at__lte=at)
    found = list(lines.order_by("-transfer__sent_at", "-pk"))
    came = _came_by_transfer(sku_id, [line.transfer.number for line in found], at)
    coming = []
    for line in found:
        row = line.transfer
        lost = line.quantity_lost if row.closed_at and (at is None or row.closed_at <= at) else 0
        units = line.quantity_sent - came.get(row.number, 0) - lost
        if units:
            coming.append(Coming(row.destination_id, row, units, row.sent_at or row.created_at))
    return coming


def _came_by_transfer(sku_id: int, numbers: Collection[str], at: datetime | None) -> dict[str, int]:
    rows = StockMovement.objects.filter(sku=sku_id, kind=MovementKind.TRANSFER_IN, reference__in=numbers)
    return dict(_until(rows, "moved_at", at).order_by("reference").values_list("reference").annotate(Sum("quantity")))


def expected(sku_id: int, *, node_id: int | None = None, at: datetime | None = None) -> list[Coming]:
    """Return what each expected receipt names, less what came until then, newest first."""
    lines = ExpectedLine.objects.filter(sku=sku_id).select_related("expected")
    if node_id is not None:
        lines = lines.filter(expected__node=node_id)
    if at is None:
        lines = lines.filter(expected__status__in=ExpectedStatus.AWAITED)
    else:
        lines = lines.filter(expected__created_at__lte=at)
        lines = lines.filter(Q(expected__closed_at__isnull=True) | Q(expected__closed_at__gt=at))
    found = list(lines.order_by("-expected__created_at", "-pk"))
    came = ReceiptLine.objects.filter(sku=sku_id, receipt__expected__in=[line.expected_id for line in found])
    sums = _until(came, "receipt__received_at", at).order_by("receipt__expected").values_list("receipt__expected")
    units = dict(sums.annotate(units=Sum("quantity_received")))
    coming = []
    for line in found:
        left = line.quantity - units.get(line.expected_id, 0)
        if left:
            coming.append(Coming(line.expected.node_id, line.expected, left, line.expected.created_at))
    return coming


def _until(rows: QuerySet[Any], column: str, at: datetime | None) -> QuerySet[Any]:
    return rows.filter(**{f"{column}__lte": at}) if at else rows
