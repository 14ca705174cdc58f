"""Sixteen clients race for one SKU at one node: through the reservation verb, and as bare guarded UPDATEs.

Each race has more units than it could ever grant, but for the last, which has a hundred and must not sell one more.
"""

import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import psycopg
from django.utils import timezone

from audit.rules.actors import Actor
from benchmarks import machine
from benchmarks.figures import Figures, at_least, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from inventory.models import Category, Node, Reservation, Sku, StockLevel
from inventory.services import movements, reservations
from inventory.statuses import MovementKind, NodeKind

Level = tuple[int, int]  # SKU id, node id
Act = Callable[[], int]  # does something once and returns how many units it got
CLIENTS = 16
BATCH = 100
PLENTY = 100_000_000
SCARCE = 100
TRIES = 500  # for the scarce units, by all clients together
_UPDATE = (
    "UPDATE inventory_stocklevel SET reserved = reserved + %s"
    " WHERE sku_id = %s AND node_id = %s AND reserved + %s <= on_hand - safety_stock"
)
_INSERT = (
    "INSERT INTO inventory_reservation (key, reference, sku_id, node_id, quantity, status, reserved_at)"
    " SELECT key, key, %s, %s, 1, 'active', %s FROM unnest(%b::text[]) AS fresh (key)"
)


def run(figures: Figures, options: Options, _database: Database) -> None:
    """Measure the races one after the other, each on an empty table of reservations."""
    figures.heading(f"hot SKU: {CLIENTS} clients, one balance, {options.seconds:g} s a race")
    one = _race(options, lambda level: _verb(level, 1))
    bare = _race(options, _bare)
    figures.show("hot_sku_reservations_per_s", one)
    figures.show("bare_updates_per_s", bare)
    figures.show("hot_sku_to_bare_ratio", one / bare)
    batched = _race(options, lambda level: _verb(level, BATCH))
    bare_batched = _race(options, _bare_batched)
    figures.show("hot_sku_batched_reservations_per_s", batched)
    figures.show("bare_batched_reservations_per_s", bare_batched)
    figures.show("hot_sku_batched_to_bare_ratio", batched / bare_batched, at_least(0.3))
    figures.show("hot_sku_batched_to_single_ratio", batched / one, at_least(10))
    _show_scarce(figures)


def _verb(level: Level, size: int) -> Act:
    """Return how a client reserves through the public verb: one unit per claim, so many claims per transaction."""
    claims = _claims(level)
    if size == 1:
        return lambda: _is_granted(next(claims))
    return lambda: len(reservations.reserve_all([next(claims) for _ in range(size)], at=timezone.now()).granted)


def _bare(level: Level) -> Act:
    """Return how a client runs one guarded UPDATE per transaction and writes nothing else."""
    database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    return lambda: database.execute(_UPDATE, (1, *level, 1)).rowcount


def _bare_batched(level: Level) -> Act:
    """Return how a client writes a hundred reservations and one guarded UPDATE, last, per transaction."""
    database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    run_id, serials = uuid4().hex, count()

    def reserve_hundred() -> int:
        with database.transaction():
            keys = [f"{run_id}/{next(serials)}" for _ in range(BATCH)]
            database.execute(_INSERT, (*level, timezone.now(), keys))
            return database.execute(_UPDATE, (BATCH, *level, BATCH)).rowcount * BATCH

    return reserve_hundred


def _is_granted(claim: reservations.Claim) -> bool:
    try:
        reservations.reserve(claim, at=timezone.now())
    except reservations.NotReservable:
        return False
    return True


def _claims(level: Level) -> Iterator[reservations.Claim]:
    run_id = uuid4().hex
    for serial in count():
        key = f"{run_id}/{serial}"
        yield reservations.Claim(key, (reservations.Want(key, key, *level, 1),))


def _race(options: Options, prepare: Callable[[Level], Act]) -> float:
    """Let all clients act at once for so long and return what they did per second."""
    level = _fresh_level(PLENTY)

    def client() -> Act:
        act = prepare(level)
        return lambda: _until(options.seconds, act)

    return sum(done / seconds for done, seconds in machine.race(CLIENTS, client))


def _until(seconds: float, act: Act) -> int:
    """Act again and again for so long, and return the sum of what was told."""
    ends, done = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        done += act()
    return done


def _show_scarce(figures: Figures) -> None:
    """Let 500 buyers race for 100 units and count what was promised, by what they were told and by the tables."""
    level = _fresh_level(SCARCE)

    def client() -> Act:
        act = _verb(level, 1)
        return lambda: sum(act() for _ in range(TRIES // CLIENTS + 1))

    granted = sum(done for done, _seconds in machine.race(CLIENTS, client))
    balance = StockLevel.objects.get()
    promised = max(granted, balance.reserved, Reservation.objects.filter(status="active").count())
    figures.show("scarce_units_granted", granted)
    figures.show("oversold_units", max(0, promised - SCARCE), at_most(0))


def _fresh_level(units: int) -> Level:
    """Empty the tables but for one SKU at one node with so many units; returns their keys."""
    empty_tables()
    category = Category.objects.create(code="hot", name="热销")
    sku = Sku.objects.create(code="HOT", name="爆款", category=category)
    node = Node.objects.create(
        code="DC", name="仓", kind=NodeKind.CENTRAL_DC, region="31", city="上海", latitude=31.2, longitude=121.5
    )
    opening = movements.Movement("opening", sku.pk, node.pk, MovementKind.OPENING, units)
    movements.record([opening], actor=Actor("job", "benchmark"), at=timezone.now())
    settle()
    return sku.pk, node.pk
