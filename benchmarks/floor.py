"""The floor: the very rows that the pipeline wrote, written again by bare psycopg on the same tables.

One transaction per hundred orders, one ``INSERT … SELECT FROM unnest`` per table with every column, guarded updates of
stock and of the nodes' days, one update of the inbox. No ORM, no decision, and the primary keys are known beforehand:
nothing that keeps these rows in these tables, with their indexes, constraints and foreign keys, can do much less.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection

BATCH = 100
Rows = Sequence[tuple[Any, ...]]

# Table → how a row of it (alias t) finds the order to which it belongs. Parents stand first.
_OF_PARCEL = "JOIN orders_fulfillment parcel ON parcel.number = t.{column}"
_FIRST_ORDER = "JOIN (SELECT customer_id, min(id) AS id FROM orders_order GROUP BY 1) o ON o.customer_id = t.id"
_FIRST_DECISION = (
    "JOIN (SELECT run_id, min(order_id) AS id FROM orders_routingdecision GROUP BY 1) o ON o.run_id = t.id"
)
_FIRST_RUN = (
    "JOIN (SELECT situation_id, min(order_id) AS id FROM orders_routingdecision d"
    " JOIN orders_routingrun r ON r.id = d.run_id GROUP BY 1) o ON o.situation_id = t.id"
)
INSERTED = {
    "orders_customer": (_FIRST_ORDER, "o.id"),
    "orders_order": ("", "t.id"),
    "orders_orderline": ("", "t.order_id"),
    "orders_fulfillment": ("", "t.order_id"),
    "orders_fulfillmentline": ("JOIN orders_fulfillment parcel ON parcel.id = t.fulfillment_id", "parcel.order_id"),
    "orders_routingsituation": (_FIRST_RUN, "o.id"),
    "orders_routingrun": (_FIRST_DECISION, "o.id"),
    "orders_routingdecision": ("", "t.order_id"),
    "orders_hold": ("", "t.order_id"),
    "orders_orderevent": ("", "t.order_id"),
    "inventory_reservation": (_OF_PARCEL.format(column="reference"), "parcel.order_id"),
    "channels_outboundmessage": (_OF_PARCEL.format(column="subject"), "parcel.order_id"),
    "audit_case": ("JOIN orders_order o ON o.number = t.subject", "o.id"),
}  # fmt: skip
_STOCK = """
UPDATE inventory_stocklevel AS level SET reserved = level.reserved + change.units
  FROM unnest(%b::bigint[], %b::bigint[], %b::int[]) AS change (sku_id, node_id, units)
 WHERE level.sku_id = change.sku_id AND level.node_id = change.node_id
   AND level.reserved + change.units <= level.on_hand
"""
_DAYS = """
INSERT INTO inventory_nodeday AS day (node_id, day_date, capacity, used)
SELECT change.node_id, change.day_date, node.parcels_per_day, change.parcels
  FROM unnest(%b::bigint[], %b::date[], %b::int[]) AS change (node_id, day_date, parcels)
  JOIN inventory_node AS node ON node.id = change.node_id
    ON CONFLICT (node_id, day_date) DO UPDATE SET used = day.used + excluded.used
 WHERE day.used + excluded.used <= day.capacity
"""
_INBOX = """
UPDATE channels_inboundmessage AS kept
   SET status = said.status, reason_code = said.code, reason = said.reason::jsonb, finished_at = said.finished_at
  FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::timestamptz[])
       AS said (id, status, code, reason, finished_at)
 WHERE kept.id = said.id
"""


@dataclass
class Statement:
    """One statement of a batch with its columns of values; ``expected`` rows must be touched."""

    sql: str
    columns: list[list[Any]]
    expected: int


@dataclass
class Recording:
    """What the pipeline wrote, cut into batches of a hundred orders, and how many rows that is per table."""

    orders: int
    batches: list[list[Statement]]
    rows: Counter[str] = field(default_factory=Counter)


def record() -> Recording:
    """Read the rows that are there now, as the statements that would write them again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders_order ORDER BY id")
        places = {order_id: place // BATCH for place, (order_id,) in enumerate(cursor.fetchall())}
        recording = Recording(len(places), [[] for _ in range(len(places) // BATCH + (len(places) % BATCH > 0))])
        for table, (join, order_id) in INSERTED.items():
            _record_inserts(cursor, recording, places, (table, join, order_id))
        _record_days(cursor, recording, places)
        _record_stock(cursor, recording, places)
        _record_inbox(cursor, recording, places)
    return recording


def write(recording: Recording, url: str) -> float:
    """Write the recorded rows with one connection and return the seconds; raises when a row is not written."""
    with psycopg.connect(url, autocommit=True) as database:
        began = time.perf_counter()
        for statements in recording.batches:
            with database.transaction(), database.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement.sql, statement.columns)
                    if cursor.rowcount != statement.expected:
                        raise RuntimeError(f"{cursor.rowcount} of {statement.expected} rows: {statement.sql}")
        return time.perf_counter() - began


def _record_inserts(cursor: Any, recording: Recording, places: dict[int, int], source: tuple[str, str, str]) -> None:
    table, join, order_id = source
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        [table],
    )
    types = dict(cursor.fetchall())
    lists = {name for name, kind in types.items() if kind.endswith("[]")}  # unnest would flatten a list of lists
    as_text = lists | {name for name, kind in types.items() if kind == "jsonb"}
    read = ", ".join(f't."{name}"::text' if name in as_text else f't."{name}"' for name in types)
    cursor.execute(f"SELECT {order_id}, {read} FROM {table} t {join} ORDER BY t.id")
    by_batch: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for belongs_to, *values in cursor.fetchall():
        by_batch[places[belongs_to]].append(tuple(values))
    names = ", ".join(f'"{name}"' for name in types)  # a column may be called group
    given = ", ".join("%b::text[]" if name in lists else f"%b::{kind}[]" for name, kind in types.items())
    made = ", ".join(f'"{name}"::{kind}' if name in lists else f'"{name}"' for name, kind in types.items())
    sql = f"INSERT INTO {table} ({names}) SELECT {made} FROM unnest({given}) AS given ({names})"
    for batch, rows in by_batch.items():
        recording.batches[batch].append(_statement(sql, rows))
        recording.rows[table] += len(rows)


def _record_days(cursor: Any, recording: Recording, places: dict[int, int]) -> None:
    cursor.execute("SELECT order_id, node_id, (planned_at AT TIME ZONE 'Asia/Shanghai')::date FROM orders_fulfillment")
    _record_sums(recording, places, "inventory_nodeday", _DAYS, [(*row, 1) for row in cursor.fetchall()])


def _record_stock(cursor: Any, recording: Recording, places: dict[int, int]) -> None:
    cursor.execute(
        "SELECT parcel.order_id, t.sku_id, t.node_id, t.quantity FROM inventory_reservation t "
        + _OF_PARCEL.format(column="reference")
    )
    _record_sums(recording, places, "inventory_stocklevel", _STOCK, cursor.fetchall())


def _record_sums(recording: Recording, places: dict[int, int], table: str, sql: str, rows: Rows) -> None:
    """Add rows (order id, two keys, units) up per batch, as any set-based writer would."""
    sums: defaultdict[int, Counter[tuple[Any, Any]]] = defaultdict(Counter)
    for order_id, first, second, units in rows:
        sums[places[order_id]][first, second] += units
    for batch, units_of in sums.items():
        added_up = [(*key, units) for key, units in sorted(units_of.items())]
        recording.batches[batch].append(_statement(sql, added_up))
        recording.rows[table] += len(added_up)


def _record_inbox(cursor: Any, recording: Recording, places: dict[int, int]) -> None:
    cursor.execute(
        "SELECT o.id, t.id, t.status, t.reason_code, t.reason::text, t.finished_at FROM channels_inboundmessage t"
        " JOIN orders_order o USING (channel_id, external_id) ORDER BY t.id"
    )
    by_batch: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for order_id, *values in cursor.fetchall():
        by_batch[places[order_id]].append(tuple(values))
    for batch, rows in by_batch.items():
        recording.batches[batch].append(_statement(_INBOX, rows))
        recording.rows["channels_inboundmessage"] += len(rows)


def _statement(sql: str, rows: Rows) -> Statement:
    return Statement(sql, [list(column) for column in zip(*rows, strict=True)], len(rows))
