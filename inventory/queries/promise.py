"""What may still be promised: units per SKU and node, room at nodes, what bundles are made of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from inventory.models import Node, NodeDay
from inventory.queries import lots, shares
from inventory.rules.shares import Shared, figure


@dataclass(frozen=True)
class Availability:
    """Units of one SKU, or whole bundles, that may still be promised."""

    total: int
    per_node: dict[int, int]  # node id → units, without empty ones


def promisable(sku_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Return units that may still be promised: SKU id → node id → units, without empty ones. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku_id, array_agg(node_id), array_agg(on_hand - reserved - quality_hold - safety_stock)
              FROM inventory_stocklevel
             WHERE sku_id = ANY(%s) AND on_hand - reserved - quality_hold - safety_stock > 0
             GROUP BY sku_id
            """,
            [list(set(sku_ids))],
        )
        return {sku_id: dict(zip(nodes, units, strict=True)) for sku_id, nodes, units in cursor.fetchall()}


def nodes_with_room(day_date: date) -> list[tuple[Node, int]]:
    """Return every node with the parcels it can still take on a day."""
    days = NodeDay.objects.filter(day_date=day_date).values_list("node_id", "capacity", "used")
    left = {node_id: capacity - used for node_id, capacity, used in days}
    return [(node, left.get(node.pk, node.parcels_per_day)) for node in Node.objects.order_by("code")]


def bundle_parts(sku_ids: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """Return what bundles are made of: bundle id → (part id, quantity), for those of the SKUs that are bundles."""
    parts: dict[int, list[tuple[int, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT bundle_id, part_id, quantity FROM inventory_bundlepart
             WHERE bundle_id = ANY(%s) ORDER BY bundle_id, part_id
            """,
            [list(set(sku_ids))],
        )
        for bundle_id, part_id, quantity in cursor.fetchall():
            parts.setdefault(bundle_id, []).append((part_id, quantity))
    return parts


def availability(
    sku_ids: Collection[int], node_ids: Collection[int], *, on_date: date, channel: str | None = None
) -> dict[int, Availability]:
    """Return what these nodes may still promise of each SKU; with a channel, what it may sell of that.

    A node has as many bundles as its scarcest part allows; all together have as many as the parts of all nodes allow,
    because an order's parcels may bring the parts from several nodes. What channels' shares leave is about all nodes
    together: it bounds the total, and no node has more than the total. Of goods with lots only what keeps long enough
    on that date counts. Three queries, five with a channel; two more when a SKU has lots.
    """
    parts = bundle_parts(sku_ids)
    needs = {sku_id: parts.get(sku_id) or [(sku_id, 1)] for sku_id in sku_ids}
    part_ids = {part_id for need in needs.values() for part_id, _units in need}
    stock = promisable(part_ids)
    unfit = lots.unfit_units(part_ids, [channel or ""], on_date)[channel or ""]
    for (sku_id, node_id), units in unfit.items():
        level = stock.get(sku_id, {})
        level[node_id] = max(0, level.get(node_id, 0) - units)
    shared = {} if channel is None else shares.read(part_ids)
    return {sku_id: _available(need, stock, node_ids, channel or "", shared) for sku_id, need in needs.items()}


def _available(
    need: Sequence[tuple[int, int]],
    stock: Mapping[int, Mapping[int, int]],
    node_ids: Collection[int],
    channel: str,
    shared: Mapping[int, Shared],
) -> Availability:
    held = [(stock.get(part_id, {}), units) for part_id, units in need]
    sums = [sum(level.get(node_id, 0) for node_id in node_ids) for level, _units in held]
    told = [figure(shared.get(part_id), channel, units) for (part_id, _), units in zip(need, sums, strict=True)]
    total = min(available // units for available, (_part_id, units) in zip(told, need, strict=True))
    per_node = {node_id: min(total, *(level.get(node_id, 0) // units for level, units in held)) for node_id in node_ids}
    return Availability(total, {node_id: units for node_id, units in per_node.items() if units})
