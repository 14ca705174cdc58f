"""Who waits for stock that has not come, what will bring it, and when. Nothing here locks."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from inventory.rules.ahead import Supply, SupplyKey, Waiting

MOST_WAITING: Final = 200
_KEY: Final = (
    "CASE WHEN promise.expected_line_id IS NOT NULL THEN 'expected'"
    " WHEN promise.transfer_line_id IS NOT NULL THEN 'transfer' END,"
    " coalesce(promise.expected_line_id, promise.transfer_line_id)"
)
_COLUMNS: Final = f"""
SELECT promise.id, promise.reference, promise.line_number, promise.sku_id, promise.quantity, promise.priority,
       promise.waiting_since_at, promise.promised_date, {_KEY}
  FROM inventory_supplypromise AS promise
"""
_QUEUE: Final = f"{_COLUMNS} WHERE promise.sku_id = ANY(%s) AND promise.pool_id IS NULL ORDER BY promise.id"
# A queue is cut where the first of the new ones stands: everybody there and behind belongs to its end.
_CUT: Final = """
  JOIN unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS cut (sku_id, place, since) ON cut.sku_id = promise.sku_id
 WHERE promise.pool_id IS NULL AND (-promise.priority, promise.waiting_since_at)
"""
_END: Final = f"{_COLUMNS} {_CUT} >= (cut.place, cut.since) ORDER BY promise.id"
_FRONT: Final = f"""
SELECT promise.sku_id, {_KEY}, sum(promise.quantity)
  FROM inventory_supplypromise AS promise {_CUT} < (cut.place, cut.since) GROUP BY 1, 2, 3
"""
_OF: Final = f"{_COLUMNS} WHERE promise.reference = ANY(%s) AND promise.pool_id IS NULL ORDER BY promise.id"
_DATES: Final = """
SELECT reference, line_number, CASE WHEN bool_and(promised_date IS NOT NULL) THEN max(promised_date) END
  FROM inventory_supplypromise WHERE reference = ANY(%s) GROUP BY 1, 2
"""
# Lines that bring something, and lines somebody still stands on; what presales have taken is not for the queue.
_DELIVERIES: Final = """
SELECT kind, id, sku_id, number, node_id, due_date, coming - coalesce(presold.units, 0), come
  FROM (SELECT 'expected' AS kind, line.id, line.sku_id, whole.number, whole.node_id, whole.due_date,
               CASE WHEN whole.status IN ('open', 'part_received')
                    THEN line.quantity - line.quantity_received ELSE 0 END AS coming,
               line.quantity_received AS come
          FROM inventory_expectedline AS line JOIN inventory_expectedreceipt AS whole ON whole.id = line.expected_id
         WHERE line.sku_id = ANY(%(skus)s)
           AND (whole.status IN ('open', 'part_received')
                OR EXISTS (SELECT FROM inventory_supplypromise WHERE expected_line_id = line.id))
         UNION ALL
        SELECT 'transfer', line.id, line.sku_id, whole.number, whole.destination_id, whole.arrives_date,
               CASE WHEN whole.status IN ('in_transit', 'part_received')
                    THEN line.quantity_sent - line.quantity_received - line.quantity_lost ELSE 0 END,
               line.quantity_received
          FROM inventory_transferline AS line JOIN inventory_transfer AS whole ON whole.id = line.transfer_id
         WHERE line.sku_id = ANY(%(skus)s)
           AND (whole.status IN ('in_transit', 'part_received')
                OR EXISTS (SELECT FROM inventory_supplypromise WHERE transfer_line_id = line.id))) AS delivery
  LEFT JOIN LATERAL (
       SELECT sum(quantity) AS units FROM inventory_supplypromise AS promise
        WHERE promise.pool_id IS NOT NULL
          AND CASE delivery.kind WHEN 'expected' THEN promise.expected_line_id = delivery.id
                                 ELSE promise.transfer_line_id = delivery.id END) AS presold ON true
 ORDER BY due_date NULLS LAST, kind, id
"""
_FREE: Final = """
SELECT sku_id, node_id, on_hand - reserved - quality_hold - safety_stock
  FROM inventory_stocklevel WHERE sku_id = ANY(%s) AND on_hand - reserved - quality_hold - safety_stock > 0
"""
_NUMBERS: Final = """
SELECT 'expected', line.id, whole.number
  FROM inventory_expectedline AS line JOIN inventory_expectedreceipt AS whole ON whole.id = line.expected_id
 WHERE line.id = ANY(%s)
 UNION ALL
SELECT 'transfer', line.id, whole.number
  FROM inventory_transferline AS line JOIN inventory_transfer AS whole ON whole.id = line.transfer_id
 WHERE line.id = ANY(%s)
"""
_COME_AND_FREE: Final = """
SELECT whole.number FROM inventory_expectedreceipt AS whole
 WHERE whole.number = ANY(%s) AND whole.status = 'received'
   AND NOT EXISTS (SELECT FROM inventory_supplypromise AS promise
                     JOIN inventory_expectedline AS line ON line.id = promise.expected_line_id
                    WHERE line.expected_id = whole.id)
 UNION
SELECT whole.number FROM inventory_transfer AS whole
 WHERE whole.number = ANY(%s) AND whole.status = 'received'
   AND NOT EXISTS (SELECT FROM inventory_supplypromise AS promise
                     JOIN inventory_transferline AS line ON line.id = promise.transfer_line_id
                    WHERE line.transfer_id = whole.id)
"""
_BRINGING: Final = """
SELECT promise.line_number, promise.quantity, promise.promised_date,
       coalesce(receipt.number, transfer.number, ''), receipt.id, transfer.id
  FROM inventory_supplypromise AS promise
  LEFT JOIN inventory_expectedline AS expected ON expected.id = promise.expected_line_id
  LEFT JOIN inventory_expectedreceipt AS receipt ON receipt.id = expected.expected_id
  LEFT JOIN inventory_transferline AS moving ON moving.id = promise.transfer_line_id
  LEFT JOIN inventory_transfer AS transfer ON transfer.id = moving.transfer_id
 WHERE promise.reference = %s
 ORDER BY promise.line_number, promise.promised_date NULLS LAST, promise.id
 LIMIT %s
"""
_BEHIND_DOCUMENT: Final = """
SELECT promise.reference, promise.line_number, sku.code, promise.quantity, promise.promised_date, promise.priority,
       promise.waiting_since_at
  FROM inventory_supplypromise AS promise
  JOIN inventory_{line} AS line ON line.id = promise.{line_column}
  JOIN inventory_sku AS sku ON sku.id = promise.sku_id
 WHERE line.{document_column} = %s
 ORDER BY promise.priority DESC, promise.waiting_since_at, promise.reference, promise.line_number, promise.id
 LIMIT %s
"""


@dataclass(frozen=True)
class Promised:
    """One stored promise: who waits, and which delivery brings the units when; both empty when nobody does."""

    pk: int
    waiting: Waiting
    promised_date: date | None
    key: SupplyKey | None


@dataclass(frozen=True)
class Delivery:
    """One line of a document that brings units of a SKU to a node: how many still come, how many have come."""

    key: SupplyKey
    sku_id: int
    number: str
    node_id: int
    due_date: date | None
    coming: int
    come: int

    def supply(self) -> Supply:
        """Return what of it can be promised, before anybody is promised anything."""
        return Supply(self.key, self.sku_id, max(0, self.coming), self.due_date)


@dataclass(frozen=True)
class InQueue:
    """One who waits for a document, as its page shows it."""

    reference: str
    line_number: int
    sku_code: str
    quantity: int
    promised_date: date | None
    priority: int
    waiting_since_at: datetime


@dataclass(frozen=True)
class Bringing:
    """Units of a line and what brings them when: an expected receipt or a transfer, or nobody knows what."""

    line_number: int
    quantity: int
    promised_date: date | None
    document: str
    expected_id: int | None
    transfer_id: int | None


Cuts = Mapping[int, tuple[int, datetime]]  # SKU id → where its queue is cut: minus priority, waiting since


def queue(sku_ids: Collection[int]) -> list[Promised]:
    """Return everybody who waits for these SKUs, without presales."""
    return _promised(_QUEUE, [list(sku_ids)])


def end_of_queue(cuts: Cuts) -> list[Promised]:
    """Return those who stand at or behind these places."""
    return _promised(_END, _arrays(cuts))


def front_of_queue(cuts: Cuts) -> dict[int, Counter[SupplyKey | None]]:
    """Return what those before these places are promised: SKU id → delivery (None: nothing brings it) → units."""
    sums: dict[int, Counter[SupplyKey | None]] = {sku_id: Counter() for sku_id in cuts}
    with connection.cursor() as cursor:
        cursor.execute(_FRONT, _arrays(cuts))
        for sku_id, kind, line_id, units in cursor.fetchall():
            sums[sku_id][(kind, line_id) if kind else None] += units
    return sums


def of(references: Iterable[str]) -> list[Promised]:
    """Return what these wait for, without presales."""
    return _promised(_OF, [sorted(set(references))])


def dates(references: Iterable[str]) -> dict[tuple[str, int], date | None]:
    """Return when each line (reference, line number) gets its last unit; None when a part has no date."""
    with connection.cursor() as cursor:
        cursor.execute(_DATES, [sorted(set(references))])
        return {(reference, line_number): last for reference, line_number, last in cursor.fetchall()}


def deliveries(sku_ids: Collection[int]) -> dict[SupplyKey, Delivery]:
    """Return what brings these SKUs, the earliest first, with lines that are over but that somebody stands on."""
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERIES, {"skus": list(sku_ids)})
        rows = [Delivery((kind, line_id), *columns) for kind, line_id, *columns in cursor.fetchall()]
    return {row.key: row for row in rows}


def numbers(keys: Collection[SupplyKey]) -> dict[SupplyKey, str]:
    """Return the numbers of the documents that these lines belong to."""
    if not keys:
        return {}
    expected = [line_id for kind, line_id in keys if kind == "expected"]
    moving = [line_id for kind, line_id in keys if kind == "transfer"]
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [expected, moving])
        return {(kind, line_id): number for kind, line_id, number in cursor.fetchall()}


def come_and_free(document_numbers: Collection[str]) -> list[str]:
    """Return those of these documents that are received to the end and that nobody waits for."""
    with connection.cursor() as cursor:
        cursor.execute(_COME_AND_FREE, [list(document_numbers)] * 2)
        return [number for (number,) in cursor.fetchall()]


def free_stock(sku_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Return units that lie unpromised: (SKU id, node id) → units."""
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [list(sku_ids)])
        return {(sku_id, node_id): units for sku_id, node_id, units in cursor.fetchall()}


def skus_waited_for(*, after: int = 0, most: int) -> list[int]:
    """Return the next SKUs that somebody waits for, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT sku_id FROM inventory_supplypromise WHERE pool_id IS NULL AND sku_id > %s"
            " ORDER BY sku_id LIMIT %s",
            [after, most],
        )
        return [sku_id for (sku_id,) in cursor.fetchall()]


def bringing(reference: str, *, most: int = MOST_WAITING) -> list[Bringing]:
    """Return what brings the units that one waits for, line by line, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(_BRINGING, [reference, most])
        return [Bringing(*row) for row in cursor.fetchall()]


def waiting_for_receipt(expected_id: int, *, most: int = MOST_WAITING) -> list[InQueue]:
    """Return who waits for an expected receipt, in the order in which they are served."""
    return _behind("expectedline", "expected_line_id", "expected_id", expected_id, most)


def waiting_for_transfer(transfer_id: int, *, most: int = MOST_WAITING) -> list[InQueue]:
    """Return who waits for a transfer, in the order in which they are served."""
    return _behind("transferline", "transfer_line_id", "transfer_id", transfer_id, most)


def _behind(line: str, line_column: str, document_column: str, pk: int, most: int) -> list[InQueue]:
    words = {"line": line, "line_column": line_column, "document_column": document_column}
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND_DOCUMENT.format(**words), [pk, most])
        return [InQueue(*row) for row in cursor.fetchall()]


def _arrays(cuts: Cuts) -> list[list[Any]]:
    return [list(cuts), [place for place, _since in cuts.values()], [since for _place, since in cuts.values()]]


def _promised(sql: str, values: list[Any]) -> list[Promised]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [
            Promised(
                pk, Waiting(reference, line, sku_id, units, priority, since), last, (kind, line_id) if kind else None
            )
            for pk, reference, line, sku_id, units, priority, since, last, kind, line_id in cursor.fetchall()
        ]
