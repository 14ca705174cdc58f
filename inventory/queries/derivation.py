"""What a figure of stock is made of, now or at a past moment: every number opens into the rows behind it.

On hand comes from the ledger, reserved from the times of reservations and their moves, held from quality holds,
safety stock from its changes, in transit and expected from documents and their receipts. The same for all nodes at
once: ``inventory.queries.network``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from inventory.models import (
    QualityHold,
    Reservation,
    ReservationMove,
    SafetyChange,
    SafetyRule,
    StockLevel,
    StockMovement,
)
from inventory.queries import incoming, safety
from inventory.queries.incoming import Coming

MOST_ROWS = 50
OWN = "own"  # safety stock that no rule asks for
NAMES = ("on_hand", "reserved", "quality_hold", "safety_stock", "available", "in_transit", "expected")


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
    kept_back = _safety(level, at)
    available = available_of(on_hand.value, reserved.value, held.value, kept_back.value, stored)
    moving = (
        _from_documents("in_transit", incoming.in_transit(sku_id, node_id=node_id, at=at)),
        _from_documents("expected", incoming.expected(sku_id, node_id=node_id, at=at)),
    )
    return Derivation(sku_id, node_id, at, (on_hand, reserved, held, kept_back, available, *moving))


def available_of(on_hand: int, reserved: int, held: int, safety: int, stored: StockLevel | None) -> Figure:
    """Return what may still be promised as the sum that people draw: on hand, less reserved, held and safety stock."""
    parts = (
        ("on_hand", on_hand, 1),
        ("reserved", -reserved, 1),
        ("quality_hold", -held, 1),
        ("safety_stock", -safety, 1),
    )
    units = max(0, on_hand - reserved - held - safety)
    return Figure("available", units, parts, stored=stored.available if stored else None)


def movements_until(sku_id: int, at: datetime | None) -> QuerySet[StockMovement]:
    """Return the movements that make up what was on hand at a moment, at all nodes."""
    rows = StockMovement.objects.filter(sku=sku_id)
    return rows.filter(moved_at__lte=at) if at else rows


def reservations_at(sku_id: int, at: datetime | None) -> QuerySet[Any]:
    """Return the reservations that held at a moment, each with the node ``place`` where it was then.

    One that moved later was still at the node that its first later move left.
    """
    rows: QuerySet[Any] = Reservation.objects.filter(sku=sku_id)
    if at is None:
        return rows.filter(status="active").annotate(place=F("node_id"))
    left = ReservationMove.objects.filter(reservation=OuterRef("pk"), moved_at__gt=at).order_by("moved_at", "pk")
    rows = rows.filter(reserved_at__lte=at).filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at))
    then = Subquery(left.values("from_node_id")[:1], output_field=BigIntegerField())
    return rows.annotate(place=Coalesce(then, F("node_id"), output_field=BigIntegerField()))


def holds_at(sku_id: int, at: datetime | None) -> QuerySet[QualityHold]:
    """Return the quality holds that kept units back at a moment, at all nodes."""
    rows = QualityHold.objects.filter(sku=sku_id)
    if at is None:
        return rows.filter(closed_at__isnull=True)
    return rows.filter(opened_at__lte=at).filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at))


def _on_hand(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    rows = movements_until(sku_id, at).filter(node=node_id)
    return _figure("on_hand", rows, "moved_at", "kind", stored.on_hand if stored else None)


def _reserved(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    if at is None:
        rows = reservations_at(sku_id, at).filter(node=node_id)
        return _figure("reserved", rows, "reserved_at", "", stored.reserved if stored else None)
    # No index knows the past: look once. What held at one moment is at most what was on hand then.
    found = list(reservations_at(sku_id, at).filter(place=node_id).order_by("-reserved_at", "-pk"))
    units = sum(row.quantity for row in found)
    newest = tuple(_row_of(row, row.reserved_at, "reserved") for row in found[:MOST_ROWS])
    parts = (("reserved", units, len(found)),) if found else ()
    return Figure("reserved", units, parts, newest, len(found))


def _held(sku_id: int, node_id: int, at: datetime | None, stored: StockLevel | None) -> Figure:
    rows = holds_at(sku_id, at).filter(node=node_id)
    return _figure("quality_hold", rows, "opened_at", "reason_code", stored.quality_hold if stored else None)


def safety_at(levels: Iterable[StockLevel], sku_id: int, at: datetime | None) -> dict[int, int]:
    """Return safety stock at a moment, node id → units: what the first later change found, else what there is today."""
    units = {level.node_id: level.safety_stock for level in levels}
    if at is None:
        return units
    later = SafetyChange.objects.filter(sku=sku_id, node__in=units, changed_at__gt=at)
    first = later.order_by("node_id", "changed_at", "pk").distinct("node_id")
    return units | dict(first.values_list("node_id", "before"))


def _safety(level: StockLevel, at: datetime | None) -> Figure:
    """Return what was kept back, with the changes until then; its part is the rule that asks for it, or ``own``."""
    changes = SafetyChange.objects.filter(sku=level.sku_id, node=level.node_id)
    past = changes.filter(changed_at__lte=at) if at else changes
    newest = list(past.select_related("rule").order_by("-changed_at", "-pk")[:MOST_ROWS])
    count = len(newest) if len(newest) < MOST_ROWS else past.count()
    units = newest[0].after if newest else safety_at([level], level.sku_id, at)[level.node_id]
    rule = (newest[0].rule if newest else None) if at else safety.rule_of(level.sku_id, level.node_id, at=now())
    rows = tuple(
        Row(row._meta.label_lower, row.pk, row.after - row.before, row.changed_at, _asked_by(row.rule), row.actor)
        for row in newest
    )
    stored = level.safety_stock if at is None else None
    return Figure("safety_stock", units, ((_asked_by(rule), units, count),), rows, count, stored)


def _asked_by(rule: SafetyRule | None) -> str:
    return rule.name if rule else OWN


def _figure(name: str, rows: QuerySet[Any], when: str, kind: str, stored: int | None) -> Figure:
    """Sum the rows by kind and take the newest of them."""
    if kind:
        sums = rows.order_by(kind).values_list(kind).annotate(units=Sum("quantity"), rows=Count("pk"))
        parts = tuple((word, units, count) for word, units, count in sums)
    else:
        whole = rows.aggregate(units=Sum("quantity"), rows=Count("pk"))
        parts = ((name, whole["units"], whole["rows"]),) if whole["rows"] else ()
    newest = tuple(
        _row_of(row, getattr(row, when), getattr(row, kind) if kind else name)
        for row in rows.order_by(f"-{when}", "-pk")[:MOST_ROWS]
    )
    return Figure(
        name, sum(units for _kind, units, _count in parts), parts, newest, sum(count for *_rest, count in parts), stored
    )


def _row_of(row: Any, at: datetime, kind: str) -> Row:
    return Row(row._meta.label_lower, row.pk, row.quantity, at, kind, row.reference)


def _from_documents(name: str, found: Sequence[Coming]) -> Figure:
    rows = tuple(
        Row(
            model=coming.document._meta.label_lower,
            pk=coming.document.pk,
            quantity=coming.quantity,
            at=coming.at,
            kind=coming.document._meta.model_name or "",
            reference=coming.document.number,
        )
        for coming in found
    )
    units = sum(row.quantity for row in rows)
    parts = ((name, units, len(rows)),) if rows else ()
    return Figure(name, units, parts, rows[:MOST_ROWS], len(rows))
