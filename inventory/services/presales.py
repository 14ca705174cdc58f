"""Selling before the stock has come: a presale's pool promises units for its day, and takes the promise back.

Whoever promises or reserves a SKU of a presale holds its pool's lock, see ``inventory.services.pools``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction

from inventory.models import SharePool, SupplyPromise
from inventory.rules.ahead import Waiting
from inventory.rules.shares import Shared
from inventory.services import pools
from inventory.statuses import ShareKind

_FORGET: Final = """
WITH gone AS (
    DELETE FROM inventory_supplypromise WHERE reference = ANY(%s) AND pool_id IS NOT NULL
    RETURNING pool_id, reference, quantity
)
SELECT pool_id, reference, sum(quantity) FROM gone GROUP BY pool_id, reference ORDER BY pool_id, reference
"""
# A batch takes promises back before it makes them anew: what comes to nothing at one moment leaves no row.
_NOTE: Final = """
INSERT INTO inventory_presalechange AS known (pool_id, reference, quantity, changed_at)
SELECT pool_id, reference, sum(units), %(at)s
  FROM unnest(%(pools)s::bigint[], %(references)s::text[], %(units)s::int[]) AS change (pool_id, reference, units)
 GROUP BY pool_id, reference ORDER BY pool_id, reference
    ON CONFLICT (pool_id, reference, changed_at) DO UPDATE SET quantity = known.quantity + excluded.quantity
"""
_TIDY: Final = (
    "DELETE FROM inventory_presalechange WHERE pool_id = ANY(%(pools)s) AND changed_at = %(at)s AND quantity = 0"
)


@dataclass(frozen=True)
class Ahead:
    """Units of one line that a presale promises for its day."""

    reference: str
    line_number: int
    quantity: int
    ships_from_date: date


def lock(shared: Mapping[int, Shared]) -> None:
    """Lock the pools of the SKUs that have a presale, before any of their stock is locked."""
    sku_ids = [sku_id for sku_id, each in shared.items() if _has_presale(each)]
    if sku_ids:
        pools.lock(sku_ids)


@transaction.atomic
def forget(references: Iterable[str], *, at: datetime) -> None:
    """Take back what presales promised to these, so that it can be reserved or promised anew."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [sorted(set(references))])
        taken_back = [(pool_id, reference, -units) for pool_id, reference, units in cursor.fetchall()]
    pools.add_promised(pools.per_pool((pool_id, units) for pool_id, _reference, units in taken_back))
    _note(taken_back, at)


@transaction.atomic
def promise(wants: Sequence[tuple[str, Waiting]], *, at: datetime) -> tuple[list[Ahead], list[Waiting]]:
    """Promise wants, each with its channel's code, from the channel's presales, in the given order.

    Returns what is promised and what no presale has: the rest of a want goes on waiting for deliveries.
    """
    shared = pools.lock({want.sku_id for _channel, want in wants}) if wants else {}
    days = _days(shared)
    rows: list[SupplyPromise] = []
    rest: list[Waiting] = []
    for channel, want in wants:
        own = shared[want.sku_id].pools.get(channel) if want.sku_id in shared else None
        units = min(want.quantity, own.left(0)) if own and own.pool_id in days else 0
        if own and units:
            shared[want.sku_id].pools[channel] = replace(own, promised=own.promised + units)
            rows.append(_row(want, own.pool_id, units, days[own.pool_id], at))
        if units < want.quantity:
            rest.append(replace(want, quantity=want.quantity - units))
    SupplyPromise.objects.bulk_create(rows)
    pools.add_promised(pools.per_pool((row.pool_id, row.quantity) for row in rows))
    _note([(row.pool_id, row.reference, row.quantity) for row in rows if row.pool_id], at)
    return [
        Ahead(row.reference, row.line_number, row.quantity, row.promised_date) for row in rows if row.promised_date
    ], rest


def _note(changes: Sequence[tuple[int, str, int]], at: datetime) -> None:
    """Keep what was promised or taken back (pool id, reference, units), under the lock of the pools."""
    if not changes:
        return
    pool_ids, references, units = (list(column) for column in zip(*changes, strict=True))
    told: dict[str, Any] = {"pools": pool_ids, "references": references, "units": units, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, told)
        cursor.execute(_TIDY, told)


def _row(want: Waiting, pool_id: int, units: int, day: date, at: datetime) -> SupplyPromise:
    return SupplyPromise(
        reference=want.reference,
        line_number=want.line_number,
        sku_id=want.sku_id,
        quantity=units,
        pool_id=pool_id,
        promised_date=day,
        priority=want.priority,
        waiting_since_at=want.waiting_since_at,
        promised_at=at,
    )


def _has_presale(shared: Shared) -> bool:
    return any(pool.kind == ShareKind.PRESALE for pool in shared.pools.values())


def _days(shared: Mapping[int, Shared]) -> dict[int, date]:
    """Return when each presale's parcels leave, by pool."""
    ids = [pool.pool_id for each in shared.values() for pool in each.pools.values() if pool.kind == ShareKind.PRESALE]
    if not ids:
        return {}
    found = SharePool.objects.filter(pk__in=ids).values_list("pk", "share__ships_from_date")
    return {pool_id: day for pool_id, day in found if day}
