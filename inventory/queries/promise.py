"""What may still be promised: units per SKU and node, room at nodes, what bundles are made of."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection

from inventory.models import Node, NodeDay


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


def availability(sku_ids: Collection[int], node_ids: Collection[int]) -> dict[int, Availability]:
    """Return what these nodes may still promise of each SKU, in two queries.

    A node has as many bundles as its scarcest part allows; all together have as many as the parts of all nodes allow,
    because an order's parcels may bring the parts from several nodes.
    """
    parts = bundle_parts(sku_ids)
    needs = {sku_id: parts.get(sku_id) or [(sku_id, 1)] for sku_id in sku_ids}
    stock = promisable(part_id for need in needs.values() for part_id, _units in need)
    figures = {}
    for sku_id, need in needs.items():
        held = [(stock.get(part_id, {}), units) for part_id, units in need]
        per_node = {node_id: min(level.get(node_id, 0) // units for level, units in held) for node_id in node_ids}
        figures[sku_id] = Availability(
            total=min(sum(level.get(node_id, 0) for node_id in node_ids) // units for level, units in held),
            per_node={node_id: units for node_id, units in per_node.items() if units},
        )
    return figures
