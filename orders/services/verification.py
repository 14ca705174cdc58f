"""Comparing every stored figure of stock with what it is made of, and keeping what does not add up.

The on-hand balances are compared with the ledger, reserved units with active reservations, reservations with open
parcels, the room taken at nodes with the parcels planned there, safety stock with its rules, and the use of channels'
shares with what was reserved, sold and promised from them. Each check is one statement, so that it sees one moment even
while orders come in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.conf import settings
from django.db import connection

from inventory.services import differences, lot_verification, share_verification
from inventory.services import verification as stock
from inventory.services.verification import Found
from inventory.statuses import DifferenceCheck
from orders.statuses import FulfillmentStatus

_PARCELS = """
    SELECT coalesce(held.reference, wanted.number), sku.code, node.code,
           coalesce(held.sku_id, wanted.sku_id), coalesce(held.node_id, wanted.node_id),
           coalesce(held.units, 0), coalesce(wanted.units, 0)
      FROM (SELECT reference, sku_id, node_id, sum(quantity) AS units FROM inventory_reservation
             WHERE status = 'active' GROUP BY reference, sku_id, node_id) AS held
      FULL JOIN
           (SELECT parcel.number, line.sku_id, parcel.node_id, sum(line.quantity) AS units
              FROM orders_fulfillment AS parcel JOIN orders_fulfillmentline AS line ON line.fulfillment_id = parcel.id
             WHERE parcel.status = ANY(%s) GROUP BY parcel.number, line.sku_id, parcel.node_id) AS wanted
        ON wanted.number = held.reference AND wanted.sku_id = held.sku_id AND wanted.node_id = held.node_id
      JOIN inventory_sku AS sku ON sku.id = coalesce(held.sku_id, wanted.sku_id)
      JOIN inventory_node AS node ON node.id = coalesce(held.node_id, wanted.node_id)
     WHERE coalesce(held.units, 0) <> coalesce(wanted.units, 0)
     ORDER BY 1, 2, 3
"""
_DAYS = """
    SELECT node.code, node.id, day.day_date, day.used, coalesce(planned.parcels, 0)
      FROM inventory_nodeday AS day
      JOIN inventory_node AS node ON node.id = day.node_id
      LEFT JOIN (SELECT node_id, (planned_at AT TIME ZONE %s)::date AS day_date, count(*) AS parcels
                   FROM orders_fulfillment WHERE status <> 'cancelled' GROUP BY 1, 2) AS planned
        ON planned.node_id = day.node_id AND planned.day_date = day.day_date
     WHERE day.used <> coalesce(planned.parcels, 0)
     ORDER BY node.code, day.day_date
"""


@dataclass(frozen=True)
class Report:
    """What a verification found, per check, and what became of earlier findings."""

    found: Mapping[DifferenceCheck, list[Found]]
    opened: int
    gone: int

    @property
    def differences(self) -> int:
        """Return how many figures do not add up."""
        return sum(map(len, self.found.values()))


def verify(*, at: datetime) -> Report:
    """Run every check, keep each difference once with a case of its own, and close what adds up again."""
    found = {check: look() for check, look in CHECKS.items()}
    found[DifferenceCheck.SAFETY] = stock.safety_stock(at=at)
    opened, gone = differences.keep(chain.from_iterable(found.values()), at=at)
    return Report(found, opened, gone)


def parcels() -> list[Found]:
    """Return the parcels whose reservations are not what they contain, and reservations of no open parcel."""
    with connection.cursor() as cursor:
        cursor.execute(_PARCELS, [list(FulfillmentStatus.OPEN)])
        return [
            Found(
                DifferenceCheck.PARCEL,
                f"{number}/{sku}@{node}"[:110],
                stored=held,
                derived=wanted,
                sku_id=sku_id,
                node_id=node_id,
                reference=number,
            )
            for number, sku, node, sku_id, node_id, held, wanted in cursor.fetchall()
        ]


def node_days() -> list[Found]:
    """Return the days on which a node's room is not what the parcels planned there take."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [settings.TIME_ZONE])
        return [
            Found(DifferenceCheck.NODE_DAY, f"{node} {day:%Y-%m-%d}", used, planned, node_id=node_id, day_date=day)
            for node, node_id, day, used, planned in cursor.fetchall()
        ]


CHECKS: Mapping[DifferenceCheck, Callable[[], list[Found]]] = {
    DifferenceCheck.ON_HAND: lambda: stock.balances(DifferenceCheck.ON_HAND),
    DifferenceCheck.RESERVED: lambda: stock.balances(DifferenceCheck.RESERVED),
    DifferenceCheck.QUALITY_HOLD: lambda: stock.balances(DifferenceCheck.QUALITY_HOLD),
    DifferenceCheck.LOT_SUMS: lot_verification.lot_sums,
    DifferenceCheck.LOT_ROWS: lot_verification.lot_rows,
    DifferenceCheck.SHARE: share_verification.uses,
    DifferenceCheck.PARCEL: parcels,
    DifferenceCheck.NODE_DAY: node_days,
}
