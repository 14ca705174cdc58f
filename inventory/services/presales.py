"""Selling before the stock has come: a presale's pool promises units for its day, and takes the promise back.

Whoever promises or reserves a SKU of a presale holds its pool's lock, see ``inventory.services.pools``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction

from inventory.models import SharePool, SupplyPromise
from inventory.rules.ahead import Waiting
from inventory.rules.shares import Shared
from inventory.services import pools
from inventory.statuses import ShareKind

_FORGET: Final = """
WITH gone AS (
    DELETE FROM inventory_supplypromise WHERE reference = ANY(%s) AND pool_id IS NOT NULL RETURNING pool_id, quantity
)
SELECT pool_id, sum(quantity) FROM gone GROUP BY pool_id
"""


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
def forget(references: Iterable[str]) -> None:
    """Take back what presales promised to these, so that it can be reserved or promised anew."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [sorted(set(references))])
        units = dict(cursor.fetchall())
    pools.add_promised({pool_id: -quantity for pool_id, quantity in units.items()})


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
    return [
        Ahead(row.reference, row.line_number, row.quantity, row.promised_date) for row in rows if row.promised_date
    ], rest


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
