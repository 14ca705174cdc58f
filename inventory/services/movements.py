"""Changing stock on hand: one ledger row for each change, the balance in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.rules.actors import Actor
from audit.services import waking
from audit.services.waking import Happening
from inventory.models import StockLevel, StockMovement
from inventory.services import lots
from inventory.services.levels import Level, LevelKey, apply_on_hand, lock_levels
from inventory.statuses import MovementKind


@dataclass(frozen=True)
class Movement:
    """One change of stock on hand, under the caller's own key. ``lot_id`` None means the lots whose turn it is."""

    key: str
    sku_id: int
    node_id: int
    kind: MovementKind
    quantity: int  # positive comes in, negative goes out
    reference: str = ""
    reason: str = ""
    lot_id: int | None = None


class NotEnoughOnHand(Exception):
    """A movement would take out what is not there or is promised; carries the (SKU, node) pairs."""

    def __init__(self, levels: Sequence[LevelKey]) -> None:
        super().__init__(f"not enough free stock on hand at {len(levels)} levels: {list(levels)[:5]}")
        self.levels = levels


@transaction.atomic
def record(movements: Sequence[Movement], *, actor: Actor, at: datetime) -> int:
    """Write movements and change the balances by them; keys already written change nothing. Returns the new ones.

    Of a SKU with lots a movement that names none is written as one row per lot, the first under the caller's key.
    Raises ``NotEnoughOnHand`` (and changes nothing) when a balance would fall below what is reserved or held.
    """
    pairs = {(movement.sku_id, movement.node_id) for movement in movements}
    _open_levels({(m.sku_id, m.node_id) for m in movements if m.quantity > 0})
    levels = lock_levels(pairs)
    known = set(StockMovement.objects.filter(key__in=[m.key for m in movements]).values_list("key", flat=True))
    fresh = list({m.key: m for m in movements if m.key not in known}.values())
    change: dict[LevelKey, int] = {}
    for movement in fresh:
        level = (movement.sku_id, movement.node_id)
        change[level] = change.get(level, 0) + movement.quantity
    _check_on_hand(levels, change)
    apply_on_hand(levels, change)
    try:
        booked = lots.book([lots.Part(m.sku_id, m.node_id, m.lot_id, m.quantity) for m in fresh], at=at)
    except lots.LotsShort as error:
        raise NotEnoughOnHand(error.levels) from error
    StockMovement.objects.bulk_create(
        _row(movement, place, *picked, actor, at)
        for movement, picks in zip(fresh, booked, strict=True)
        for place, picked in enumerate(picks)
    )
    if any(movement.quantity > 0 for movement in fresh):
        waking.happened(Happening.STOCK_CAME)
    return len(fresh)


def _row(m: Movement, place: int, lot_id: int | None, units: int, actor: Actor, at: datetime) -> StockMovement:
    return StockMovement(
        key=f"{m.key}/{lot_id}" if place else m.key,
        sku_id=m.sku_id,
        node_id=m.node_id,
        kind=m.kind,
        lot_id=lot_id,
        quantity=units,
        reference=m.reference,
        reason=m.reason,
        actor=actor.label,
        moved_at=at,
    )


def _check_on_hand(levels: dict[LevelKey, Level], change: dict[LevelKey, int]) -> None:
    short = [
        key
        for key, units in change.items()
        if key not in levels or levels[key].on_hand + units < levels[key].reserved + levels[key].quality_hold
    ]
    if short:
        raise NotEnoughOnHand(short)


def _open_levels(keys: set[LevelKey]) -> None:
    """Make an empty balance for each (SKU, node) pair that gets its first stock."""
    StockLevel.objects.bulk_create(
        (StockLevel(sku_id=sku_id, node_id=node_id) for sku_id, node_id in sorted(keys)), ignore_conflicts=True
    )
