"""Questions about stock that several doors and engines ask."""

from collections.abc import Iterable
from datetime import date

from django.db import connection

from inventory.models import BundlePart, Node, NodeDay


def promisable(sku_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Return units that may still be promised: SKU id → node id → units, without empty ones. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku_id, array_agg(node_id), array_agg(on_hand - reserved - safety_stock)
              FROM inventory_stocklevel
             WHERE sku_id = ANY(%s) AND on_hand - reserved - safety_stock > 0
             GROUP BY sku_id
            """,
            [list(set(sku_ids))],
        )
        return {sku_id: dict(zip(nodes, units, strict=True)) for sku_id, nodes, units in cursor.fetchall()}


def nodes_with_room(day_date: date) -> list[tuple[Node, int]]:
    """Return every node with the parcels it can still take on a day."""
    used = dict(NodeDay.objects.filter(day_date=day_date).values_list("node_id", "used"))
    capacity = dict(NodeDay.objects.filter(day_date=day_date).values_list("node_id", "capacity"))
    return [
        (node, capacity.get(node.pk, node.parcels_per_day) - used.get(node.pk, 0))
        for node in Node.objects.order_by("code")
    ]


def bundle_parts(sku_ids: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """Return what bundles are made of: bundle id → (part id, quantity), for those of the SKUs that are bundles."""
    parts: dict[int, list[tuple[int, int]]] = {}
    rows = BundlePart.objects.filter(bundle__in=set(sku_ids)).order_by("bundle_id", "part_id")
    for bundle_id, part_id, quantity in rows.values_list("bundle_id", "part_id", "quantity"):
        parts.setdefault(bundle_id, []).append((part_id, quantity))
    return parts
