"""Promising stock: reserve, extend, move, consume, release. The one way to touch ``StockLevel.reserved``.

Every verb takes many at once, locks the levels it touches in primary-key order (``FOR NO KEY UPDATE``, so that rows
pointing at them do not wait), decides on the locked numbers, and writes with a guarded UPDATE whose row count is
checked.
All are safe to call twice with the same key. See docs/locking.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection, transaction

from audit.models import rows as bulk
from audit.rules.actors import Actor
from inventory.models import Reservation, ReservationMove
from inventory.rules.lots import Pick
from inventory.rules.shares import Shared
from inventory.services import lots, movements, pools
from inventory.services.levels import Level, LevelKey, LevelsChanged, apply_reserved, lock_levels, take_at_once
from inventory.statuses import MovementKind, ReservationStatus


@dataclass(frozen=True)
class Want:
    """Units of one SKU at one node, under the caller's own key; ``reference`` names the parcel they are for."""

    key: str
    reference: str
    sku_id: int
    node_id: int
    quantity: int


@dataclass(frozen=True)
class Claim:
    """Wants of one owner that are granted together or not at all. ``expires_at`` None holds until released.

    ``channel`` is the code of the channel that sold, whose share the units count against.
    """

    owner: str
    wants: tuple[Want, ...]
    expires_at: datetime | None = None
    channel: str = ""


@dataclass(frozen=True)
class Shortage:
    """What was not there; with a ``channel``, what its share of the SKU did not have, wherever it lies.

    With ``keeps_until`` there are units, but not enough that keep at least until that day, as the channel asks.
    """

    sku_id: int
    node_id: int
    wanted: int
    available: int
    channel: str = ""
    keeps_until: date | None = None


@dataclass
class Outcome:
    """Which claims hold now, and what the others lacked."""

    granted: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Shortage, ...]] = field(default_factory=dict)


class _Granted(NamedTuple):
    """A want that is granted, and the share it counts against."""

    claim: Claim
    want: Want
    pool_id: int | None


class NotReservable(Exception):
    """A claim that cannot be granted; carries what was short."""

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(", ".join(f"SKU {s.sku_id}@{s.node_id}: {s.available} of {s.wanted}" for s in shortages))
        self.shortages = shortages


class NotActive(Exception):
    """Reservations that hold nothing any more; carries their keys."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(f"{len(keys)} reservations are not active: {keys[:5]}")
        self.keys = keys


class KeyUsedOtherwise(Exception):
    """A reservation key came again for another SKU, node or quantity, or after it was closed."""


@transaction.atomic
def reserve_all(claims: Sequence[Claim], *, at: datetime) -> Outcome:
    """Grant each claim that the stock allows, in the given order, and say what the others lack.

    A claim whose keys already hold counts as granted and changes nothing. Raises ``KeyUsedOtherwise``.
    """
    shared = pools.lock({want.sku_id for claim in claims for want in claim.wants})
    levels = lock_levels({(want.sku_id, want.node_id) for claim in claims for want in claim.wants})
    shelves = lots.open_shelves(levels, at=at)
    held = _held([want.key for claim in claims for want in claim.wants])
    outcome = Outcome()
    fresh: list[_Granted] = []
    for claim in claims:
        wants = [want for want in claim.wants if not _is_held(held, want)]
        shortages = _shortages(claim.channel, wants, levels, shelves) or _beyond_share(claim.channel, wants, shared)
        if shortages:
            outcome.refused[claim.owner] = shortages
            continue
        for want in wants:
            levels[want.sku_id, want.node_id].available -= want.quantity
            shelves.reserve((want.sku_id, want.node_id), claim.channel, want.key, want.quantity)
            own = shared.get(want.sku_id)
            fresh.append(_Granted(claim, want, own.take(claim.channel, want.quantity) if own else None))
        outcome.granted.add(claim.owner)
    if fresh:
        _insert(fresh, at)
    pools.add_reserved(pools.per_pool((granted.pool_id, granted.want.quantity) for granted in fresh))
    apply_reserved(levels, _units_per_level(granted.want for granted in fresh))
    shelves.write()
    return outcome


def reserve(claim: Claim, *, at: datetime) -> None:
    """Grant one claim or raise ``NotReservable`` with what is short; nothing is changed then."""
    if len(claim.wants) == 1 and _is_granted_at_once(claim, at):
        return
    outcome = reserve_all([claim], at=at)
    if claim.owner in outcome.refused:
        raise NotReservable(outcome.refused[claim.owner])


@transaction.atomic
def extend(references: Sequence[str], *, expires_at: datetime | None) -> int:
    """Set a new end (None: no end) for the active reservations of these callers; returns how many were changed."""
    return Reservation.objects.filter(reference__in=references, status=ReservationStatus.ACTIVE).update(
        expires_at=expires_at
    )


@transaction.atomic
def release(references: Sequence[str], *, at: datetime) -> int:
    """Give the active reservations of these callers back; returns how many there were."""
    rows = _lock_active(references)
    return _close(rows, lots.of_reservations([row.pk for row in rows]), ReservationStatus.RELEASED, at)


@transaction.atomic
def forget(references: Sequence[str], *, at: datetime) -> int:
    """Take back reservations made in this very transaction, leaving no trace, so that their keys may come again."""
    rows = _lock_active(references)
    closed = _close(rows, lots.of_reservations([row.pk for row in rows]), ReservationStatus.RELEASED, at)
    Reservation.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return closed


@transaction.atomic
def consume(references: Sequence[str], *, kind: MovementKind, actor: Actor, at: datetime) -> int:
    """Turn the active reservations of these callers into movements out of stock; returns how many there were.

    What is reserved on lots leaves as one movement per lot.
    """
    rows = _lock_active(references)
    picked = lots.of_reservations([row.pk for row in rows])
    closed = _close(rows, picked, ReservationStatus.CONSUMED, at)
    leaving = [move for row in rows for move in _leaving(row, picked.get(row.pk, ()), kind)]
    movements.record(leaving, actor=actor, at=at)
    return closed


@transaction.atomic
def move(keys_to_nodes: Mapping[str, int], *, channel: str = "", at: datetime) -> None:
    """Move active reservations (by key) to other nodes, all or none; each move leaves a row, so its past stays known.

    At the new node lots are chosen anew, with the remaining life that the ``channel`` asks for.

    Raises ``NotReservable`` when a new node lacks units, ``NotActive`` when a key holds nothing; nothing moves then.
    """
    rows = list(
        Reservation.objects.select_for_update(no_key=True)
        .filter(key__in=keys_to_nodes, status=ReservationStatus.ACTIVE)
        .order_by("pk")
    )
    if len(rows) != len(keys_to_nodes):
        raise NotActive(sorted(set(keys_to_nodes) - {row.key for row in rows}))
    here = {(row.sku_id, row.node_id) for row in rows}
    there = {(row.sku_id, keys_to_nodes[row.key]) for row in rows}
    levels = lock_levels(here | there)
    wants = [Want(row.key, row.reference, row.sku_id, keys_to_nodes[row.key], row.quantity) for row in rows]
    moving = [want for want, row in zip(wants, rows, strict=True) if want.node_id != row.node_id]
    shelves = lots.open_shelves(there, at=at)
    shortages = _shortages(channel, moving, levels, shelves)
    if shortages:
        raise NotReservable(shortages)
    change = _units_per_level(moving)
    lots.give_back([(row.pk, row.node_id) for row in rows if row.node_id != keys_to_nodes[row.key]])
    for want in moving:
        shelves.reserve((want.sku_id, want.node_id), channel, want.key, want.quantity)
    moves = []
    for row in rows:
        target = keys_to_nodes[row.key]
        if target != row.node_id:
            old = (row.sku_id, row.node_id)
            change[old] = change.get(old, 0) - row.quantity
            moves.append(_move_of(row, target, at))
            row.node_id = target
    apply_reserved(levels, change)
    Reservation.objects.bulk_update(rows, ["node"])
    shelves.write()
    ReservationMove.objects.bulk_create(moves)


def _leaving(row: Reservation, picks: Sequence[Pick], kind: MovementKind) -> Iterator[movements.Movement]:
    """Return the movements that take a reservation's units out: one, or one for each of its lots."""
    for place, (lot_id, units) in enumerate(picks or [(None, row.quantity)]):
        yield movements.Movement(
            key=f"{kind}:{row.key}/{lot_id}" if place else f"{kind}:{row.key}",
            sku_id=row.sku_id,
            node_id=row.node_id,
            kind=kind,
            quantity=-units,
            reference=row.reference,
            lot_id=lot_id,
        )


def _move_of(row: Reservation, target: int, at: datetime) -> ReservationMove:
    return ReservationMove(reservation=row, sku_id=row.sku_id, from_node_id=row.node_id, to_node_id=target, moved_at=at)


def _is_granted_at_once(claim: Claim, at: datetime) -> bool:
    """Try to grant a claim of one want without locking first; the long way says why it could not be."""
    try:
        return take_at_once({**vars(claim.wants[0]), "expires_at": claim.expires_at, "at": at})
    except LevelsChanged:
        return False


def _lock_active(references: Sequence[str]) -> list[Reservation]:
    return list(
        Reservation.objects.select_for_update(no_key=True)
        .filter(reference__in=references, status=ReservationStatus.ACTIVE)
        .order_by("pk")
    )


def _close(
    rows: Sequence[Reservation], picked: Mapping[int, Sequence[Pick]], status: ReservationStatus, at: datetime
) -> int:
    """Give the units back to their levels, lots and shares, and mark the reservations."""
    if not rows:
        return 0
    used = pools.per_pool((row.pool_id, row.quantity) for row in rows)
    if status == ReservationStatus.CONSUMED:
        pools.count_sold(used)
    else:
        pools.give_back(used)
    change: dict[LevelKey, int] = {}
    for row in rows:
        level = (row.sku_id, row.node_id)
        change[level] = change.get(level, 0) - row.quantity
    apply_reserved(lock_levels(change), change)
    lots.apply(
        lots.LotChange(lot_id, row.node_id, reserved=-units) for row in rows for lot_id, units in picked.get(row.pk, ())
    )
    return Reservation.objects.filter(pk__in=[row.pk for row in rows]).update(status=status, closed_at=at)


def _held(keys: Sequence[str]) -> dict[str, tuple[int, int, int, str]]:
    """Return what is known under these keys: SKU, node, quantity and status."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, sku_id, node_id, quantity, status FROM inventory_reservation WHERE key = ANY(%s)", [list(keys)]
        )
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in cursor.fetchall()}


def _is_held(held: Mapping[str, tuple[int, int, int, str]], want: Want) -> bool:
    known = held.get(want.key)
    if known is None:
        return False
    if known != (want.sku_id, want.node_id, want.quantity, ReservationStatus.ACTIVE):
        raise KeyUsedOtherwise(f"{want.key} stands for {known}, not for {want}")
    return True


def _units_per_level(wants: Iterable[Want]) -> dict[LevelKey, int]:
    units: dict[LevelKey, int] = {}
    for want in wants:
        level = (want.sku_id, want.node_id)
        units[level] = units.get(level, 0) + want.quantity
    return units


def _shortages(
    channel: str, wants: Sequence[Want], levels: Mapping[LevelKey, Level], shelves: lots.Shelves
) -> tuple[Shortage, ...]:
    """Return what is short when all wants are added up: two lines of one SKU compete with each other too."""
    short = []
    for key, units in _units_per_level(wants).items():
        level = levels.get(key)
        available = max(0, level.available) if level else 0
        fit = shelves.room(key, channel, available)
        if units > fit:
            until = shelves.must_keep_until(key, channel) if fit < available else None
            short.append(Shortage(*key, units, fit, keeps_until=until))
    return tuple(short)


def _beyond_share(channel: str, wants: Sequence[Want], shared: Mapping[int, Shared]) -> tuple[Shortage, ...]:
    """Return what a channel wants beyond what the shares of a SKU leave it, over all nodes together."""
    if not shared:
        return ()
    wanted = Counter[int]()
    for want in wants:
        if want.sku_id in shared:
            wanted[want.sku_id] += want.quantity
    rooms = {sku_id: shared[sku_id].room(channel) for sku_id in wanted}
    nodes = {want.sku_id: want.node_id for want in wants}
    return tuple(
        Shortage(sku_id, nodes[sku_id], units, rooms[sku_id], channel)
        for sku_id, units in wanted.items()
        if units > rooms[sku_id]
    )


def _insert(fresh: Sequence[_Granted], at: datetime) -> None:
    bulk.copy_in(
        Reservation._meta.db_table,
        ("key", "reference", "sku_id", "node_id", "quantity", "expires_at", "status", "reserved_at", "pool_id"),
        [
            (
                want.key, want.reference, want.sku_id, want.node_id, want.quantity, claim.expires_at,
                ReservationStatus.ACTIVE, at, pool_id,
            )
            for claim, want, pool_id in fresh
        ],
    )  # fmt: skip
