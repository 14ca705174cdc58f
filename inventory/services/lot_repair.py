"""Setting lots to what their rows say: after a difference, and when a SKU begins to have lots.

Movements and holds that name no lot are of the unlabelled one, so nothing in the ledger is written anew.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import trail
from inventory.models import Lot, LotLevel, Reservation, ReservationLot, Sku, StockLevel
from inventory.queries import lots as questions
from inventory.rules.lots import LevelKey, Life, Pick, Shelf, take, taken
from inventory.services import lots, refusals
from inventory.services.levels import lock_levels
from inventory.statuses import ReservationStatus, SkuKind

_ROWS: Final = """
SELECT sku_id, node_id, coalesce(lot_id, %(home)s), sum(on_hand), sum(held) FROM (
    SELECT sku_id, node_id, lot_id, quantity AS on_hand, 0 AS held FROM inventory_stockmovement
     WHERE sku_id = %(sku)s AND node_id = ANY(%(nodes)s)
    UNION ALL
    SELECT sku_id, node_id, lot_id, 0, quantity FROM inventory_qualityhold
     WHERE sku_id = %(sku)s AND node_id = ANY(%(nodes)s) AND closed_at IS NULL
) AS told GROUP BY 1, 2, 3 ORDER BY 3
"""
_Figures = dict[tuple[int, int], list[int]]  # node id, lot id → on hand, reserved, held


@transaction.atomic
def start(sku_id: int, *, reason: str, actor: Actor, at: datetime) -> None:
    """Let a SKU have lots from now on: what lies anywhere is unlabelled, and so is what is reserved of it.

    There is no way back: lots stay in the ledger. Raises ``RowsRefused`` for a bundle, and when its ledger and its
    reservations do not fit each other: verify and repair first.
    """
    row = Sku.objects.select_for_update(no_key=True).get(pk=sku_id)
    if row.kind == SkuKind.BUNDLE:
        raise refusals.refuse(say("A bundle has no stock of its own."))
    if not row.tracks_lots:
        row.tracks_lots = True
        trail.because(row, actor=actor, reason=reason).save(update_fields=["tracks_lots"])
    settle(sku_id, list(StockLevel.objects.filter(sku=sku_id).values_list("node", flat=True)), at=at)


@transaction.atomic
def settle(sku_id: int, node_ids: Collection[int], *, at: datetime) -> None:
    """Set what the lots of a SKU have at these nodes to what movements, holds and reservations say, under its locks.

    A reservation whose lots are not all there gets lots anew, first expired first, expired ones only when there are no
    others. Raises ``RowsRefused``, having changed nothing, when the rows cannot all be true.
    """
    reservations = _active(sku_id, node_ids)
    lock_levels((sku_id, node_id) for node_id in node_ids)
    home = lots.unlabelled([sku_id], at=at)[sku_id]
    figures = _figures(sku_id, node_ids, home)
    dates = dict(Lot.objects.filter(sku=sku_id).values_list("pk", "expires_date"))
    shelves = _shelves(sku_id, figures, dates)
    kept = lots.of_reservations([row.pk for row in reservations])
    chosen = {row.pk: _lots_for(row, kept.get(row.pk, ()), shelves, at) for row in _kept_first(reservations, kept)}
    for row in reservations:
        for lot_id, units in chosen[row.pk]:
            figures[row.node_id, lot_id][1] += units
    _write(sku_id, node_ids, figures)
    changed = [row.pk for row in reservations if sorted(chosen[row.pk]) != sorted(kept.get(row.pk, ()))]
    ReservationLot.objects.filter(reservation__in=changed).delete()
    ReservationLot.objects.bulk_create(
        ReservationLot(reservation_id=pk, lot_id=lot_id, quantity=units)
        for pk in changed
        for lot_id, units in chosen[pk]
    )


def _active(sku_id: int, node_ids: Collection[int]) -> list[Reservation]:
    return list(
        Reservation.objects.select_for_update(no_key=True)
        .filter(sku=sku_id, node__in=node_ids, status=ReservationStatus.ACTIVE)
        .order_by("pk")
    )


def _figures(sku_id: int, node_ids: Collection[int], home: int) -> _Figures:
    """Return what movements and holds say of each lot. Raises ``RowsRefused`` when that is less than nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"sku": sku_id, "nodes": list(node_ids), "home": home})
        rows = cursor.fetchall()
    for _sku, node_id, _lot, on_hand, held in rows:
        if on_hand < held:
            raise _impossible((sku_id, node_id))
    return {(node_id, lot_id): [on_hand, 0, held] for _sku, node_id, lot_id, on_hand, held in rows}


def _shelves(sku_id: int, figures: _Figures, dates: Mapping[int, date | None]) -> dict[LevelKey, Shelf]:
    return questions.stacked(
        (sku_id, node_id, lot_id, dates[lot_id], on_hand - held)
        for (node_id, lot_id), (on_hand, _reserved, held) in figures.items()
    )


def _kept_first(rows: Sequence[Reservation], kept: Mapping[int, Sequence[Pick]]) -> list[Reservation]:
    """Return reservations that have all their lots before those that need some."""
    return sorted(rows, key=lambda row: (taken(kept.get(row.pk, ())) != row.quantity, row.pk))


def _lots_for(row: Reservation, kept: Sequence[Pick], shelves: Mapping[LevelKey, Shelf], at: datetime) -> list[Pick]:
    """Take what a reservation has, if it is all there, or choose anew."""
    shelf = shelves.get((row.sku_id, row.node_id), [])
    free = {lot.lot_id: lot for lot in shelf}
    if taken(kept) == row.quantity and all(lot_id in free and free[lot_id].free >= units for lot_id, units in kept):
        for lot_id, units in kept:
            free[lot_id].free -= units
        return list(kept)
    picks = take(shelf, row.quantity, Life(timezone.localdate(at)))
    picks = _joined([*picks, *take(shelf, row.quantity - taken(picks))])
    if taken(picks) < row.quantity:
        raise _impossible((row.sku_id, row.node_id))
    return picks


def _joined(picks: Iterable[Pick]) -> list[Pick]:
    sums: dict[int, int] = {}
    for lot_id, units in picks:
        sums[lot_id] = sums.get(lot_id, 0) + units
    return list(sums.items())


def _write(sku_id: int, node_ids: Collection[int], figures: _Figures) -> None:
    known = LotLevel.objects.filter(sku=sku_id, node__in=node_ids).values_list("node", "lot")
    rows = {key: [0, 0, 0] for key in known} | figures
    LotLevel.objects.bulk_create(
        (
            LotLevel(
                sku_id=sku_id, node_id=node_id, lot_id=lot_id, on_hand=on_hand, reserved=reserved, quality_hold=held
            )
            for (node_id, lot_id), (on_hand, reserved, held) in sorted(rows.items())
        ),
        update_conflicts=True,
        unique_fields=["lot", "node"],
        update_fields=["on_hand", "reserved", "quality_hold"],
    )


def _impossible(level: LevelKey) -> refusals.RowsRefused:
    sku, node = refusals.names_of([level])[level]
    return refusals.refuse(
        say(
            "The lots of %(sku)s at %(node)s cannot carry what is reserved and held there. "
            "Stop parcels, decide on holds or count first.",
            sku=sku,
            node=node,
        )
    )
