"""What many channels may be told of many SKUs, in one go."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from django.db import connection

from inventory.models import Node
from inventory.queries import lots, shares
from inventory.queries.promise import bundle_parts
from inventory.rules.shares import Shared, figure

_LEVELS: Final = """
SELECT sku_id, array_agg(node_id), array_agg(greatest(0, on_hand - reserved - quality_hold - safety_stock))
  FROM inventory_stocklevel WHERE sku_id = ANY(%s) GROUP BY sku_id
"""
Units = Mapping[int, Mapping[int, int]]  # SKU id → node id → units that may be promised; nodes without a level absent
Unfit = Mapping[tuple[int, int], int]  # (SKU id, node id) → units that keep too short


def figures(
    sku_ids: Collection[int], served: Mapping[str, Collection[int] | None], *, on_date: date
) -> dict[tuple[str, int], int | None]:
    """Return what each channel may be told of each SKU: (channel code, SKU id) → units, None where nobody knows.

    ``served`` holds the nodes that serve each channel, None for all; inactive ones never count. A bundle has as many
    as the parts of all nodes allow. Nobody knows the stock of a SKU (or of a bundle with a part) that was never in
    stock at any of a channel's nodes, but for a presale, which sells ahead. Five queries, two more for SKUs with lots,
    one more for SKUs with shares.
    """
    bundles = bundle_parts(sku_ids)
    needs = {sku_id: bundles.get(sku_id) or [(sku_id, 1)] for sku_id in sku_ids}
    part_ids = {part_id for need in needs.values() for part_id, _units in need}
    stock = _levels(part_ids)
    shared = shares.read(part_ids)
    unfit = lots.unfit_units(part_ids, list(served), on_date)
    active = frozenset(Node.objects.filter(is_active=True).values_list("pk", flat=True))
    told: dict[tuple[str, int], int | None] = {}
    for code, node_ids in served.items():
        nodes = active if node_ids is None else active & frozenset(node_ids)
        parts = {part_id: _of_part(part_id, code, nodes, stock, unfit[code], shared) for part_id in part_ids}
        told |= {(code, sku_id): _of_need(need, parts) for sku_id, need in needs.items()}
    return told


def _levels(sku_ids: Collection[int]) -> Units:
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, [list(sku_ids)])
        return {sku_id: dict(zip(nodes, units, strict=True)) for sku_id, nodes, units in cursor.fetchall()}


def _of_part(
    part_id: int, code: str, nodes: Collection[int], stock: Units, unfit: Unfit, shared: Mapping[int, Shared]
) -> int | None:
    levels, share = stock.get(part_id, {}), shared.get(part_id)
    there = [(node_id, units) for node_id, units in levels.items() if node_id in nodes]
    own = share.pools.get(code) if share else None
    if not there and not (own and own.kind == "presale"):
        return None
    available = sum(max(0, units - unfit.get((part_id, node_id), 0)) for node_id, units in there)
    return figure(share, code, available)


def _of_need(need: Sequence[tuple[int, int]], parts: Mapping[int, int | None]) -> int | None:
    told = [(parts[part_id], units) for part_id, units in need]
    known = [available // units for available, units in told if available is not None]
    return min(known) if len(known) == len(told) else None
