"""Does each stored balance say what its rows say? One statement per check, so that each sees one moment.

``orders.services.verification`` adds the checks that need orders, and keeps what was found.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from inventory.statuses import DifferenceCheck

_BALANCES = """
    SELECT coalesce(level.sku_id, behind.sku_id) AS sku_id, coalesce(level.node_id, behind.node_id) AS node_id,
           coalesce(level.{column}, 0) AS stored, coalesce(behind.units, 0) AS derived
      FROM inventory_stocklevel AS level
      FULL JOIN ({rows}) AS behind ON behind.sku_id = level.sku_id AND behind.node_id = level.node_id
     WHERE coalesce(level.{column}, 0) <> coalesce(behind.units, 0)
"""
_ROWS_BEHIND = {
    DifferenceCheck.ON_HAND: (
        "on_hand",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_stockmovement GROUP BY sku_id, node_id",
    ),
    DifferenceCheck.RESERVED: (
        "reserved",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_reservation"
        " WHERE status = 'active' GROUP BY sku_id, node_id",
    ),
    DifferenceCheck.QUALITY_HOLD: (
        "quality_hold",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_qualityhold"
        " WHERE closed_at IS NULL GROUP BY sku_id, node_id",
    ),
}


@dataclass(frozen=True)
class Found:
    """One figure that does not add up."""

    check: DifferenceCheck
    subject: str  # as people call it
    stored: int
    derived: int
    sku_id: int | None = None
    node_id: int | None = None
    day_date: date | None = None
    reference: str = ""


def balances(check: DifferenceCheck) -> list[Found]:
    """Return the stock levels whose figure is not the sum of the rows behind it."""
    column, rows = _ROWS_BEHIND[check]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT sku.code, node.code, bad.* FROM ({_BALANCES.format(column=column, rows=rows)}) AS bad"
            " JOIN inventory_sku AS sku ON sku.id = bad.sku_id JOIN inventory_node AS node ON node.id = bad.node_id"
            " ORDER BY sku.code, node.code"
        )
        return [
            Found(check, f"{sku}@{node}", stored, derived, sku_id=sku_id, node_id=node_id)
            for sku, node, sku_id, node_id, stored, derived in cursor.fetchall()
        ]
