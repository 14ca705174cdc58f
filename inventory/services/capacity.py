"""A node's parcels of a day: a scarce number like stock, claimed by a guarded UPDATE."""

from collections.abc import Mapping
from datetime import date

from django.db import connection, transaction


@transaction.atomic
def claim(parcels: Mapping[int, int], *, day_date: date) -> set[int]:
    """Take room for parcels (node id → how many) on a day; returns the nodes that had no room, untouched.

    A negative count gives room back. The day's row is made from the node's ``parcels_per_day`` when first needed.
    """
    wanted = sorted((node_id, count) for node_id, count in parcels.items() if count)
    if not wanted:
        return set()
    node_ids, counts = [row[0] for row in wanted], [row[1] for row in wanted]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_nodeday (node_id, day_date, capacity, used)
            SELECT id, %s, parcels_per_day, 0 FROM inventory_node WHERE id = ANY(%s) ORDER BY id
            ON CONFLICT (node_id, day_date) DO NOTHING
            """,
            [day_date, node_ids],
        )
        cursor.execute(
            "SELECT id FROM inventory_nodeday WHERE day_date = %s AND node_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [day_date, node_ids],
        )
        cursor.execute(
            """
            UPDATE inventory_nodeday AS day
               SET used = greatest(0, day.used + change.parcels)
              FROM unnest(%s::bigint[], %s::int[]) AS change (node_id, parcels)
             WHERE day.node_id = change.node_id AND day.day_date = %s
               AND day.used + change.parcels <= day.capacity
            RETURNING day.node_id
            """,
            [node_ids, counts, day_date],
        )
        return set(node_ids) - {row[0] for row in cursor.fetchall()}
