"""State machines over the verbs of stock: how many sequences they try, and the one question after every step.

Every example is rolled back to a savepoint, so all of a shard work on the same small company. The ordinary profile has
seeds of its own and always tries the same sequences; HUB_STATEFUL=nightly tries ten times as many, new ones each time.
"""

import os

import pytest
from django.db import connection
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

IS_NIGHTLY = os.environ.get("HUB_STATEFUL") == "nightly"
EXAMPLES, STEPS = 50, 50  # of one shard
SHARDS = 40 if IS_NIGHTLY else 4
in_shards = pytest.mark.parametrize("shard", range(SHARDS))
# All that is stored, with the rows behind it: what, whose, figures.
_BOOKS = """
SELECT 'level', level.sku_id || '@' || level.node_id,
       ARRAY[level.on_hand, level.reserved, level.quality_hold,
             (SELECT coalesce(sum(quantity), 0) FROM inventory_stockmovement
               WHERE sku_id = level.sku_id AND node_id = level.node_id),
             (SELECT coalesce(sum(quantity), 0) FROM inventory_reservation
               WHERE sku_id = level.sku_id AND node_id = level.node_id AND status = 'active'),
             (SELECT coalesce(sum(quantity), 0) FROM inventory_qualityhold
               WHERE sku_id = level.sku_id AND node_id = level.node_id AND closed_at IS NULL)]::bigint[]
  FROM inventory_stocklevel AS level
 UNION ALL
SELECT 'claim', key,
       ARRAY[sku_id, node_id, quantity, coalesce(pool_id, 0), coalesce(extract(epoch FROM expires_at), 0)]::bigint[]
  FROM inventory_reservation WHERE status = 'active'
 UNION ALL
SELECT 'pool', pool.id::text,
       ARRAY[pool.reserved, pool.sold, pool.promised,
             (SELECT coalesce(sum(quantity), 0) FROM inventory_reservation
               WHERE pool_id = pool.id AND status = 'active'),
             (SELECT coalesce(sum(quantity), 0) FROM inventory_reservation
               WHERE pool_id = pool.id AND status = 'consumed')]
  FROM inventory_sharepool AS pool
 UNION ALL
SELECT 'supply', 'expected:' || line.id,
       ARRAY[CASE WHEN whole.status IN ('open', 'part_received') THEN line.quantity - line.quantity_received ELSE 0 END,
             line.quantity_received,
             (SELECT coalesce(sum(quantity), 0) FROM inventory_supplypromise WHERE expected_line_id = line.id)]
  FROM inventory_expectedline AS line JOIN inventory_expectedreceipt AS whole ON whole.id = line.expected_id
 UNION ALL
SELECT 'supply', 'transfer:' || line.id,
       ARRAY[line.quantity_sent - line.quantity_received - line.quantity_lost, line.quantity_received,
             (SELECT coalesce(sum(quantity), 0) FROM inventory_supplypromise WHERE transfer_line_id = line.id)]
  FROM inventory_transferline AS line JOIN inventory_transfer AS whole ON whole.id = line.transfer_id
 WHERE line.quantity_sent > 0
 UNION ALL
SELECT 'waiting', reference,
       ARRAY[sku_id, sum(quantity),
             coalesce(sum(quantity) FILTER (WHERE expected_line_id IS NULL AND transfer_line_id IS NULL), 0)]
  FROM inventory_supplypromise GROUP BY reference, sku_id
"""
Books = dict[str, dict[str, tuple[int, ...]]]


def books() -> Books:
    """Return what is stored and what the rows behind it say, in one statement: what → whose → figures."""
    found: Books = {what: {} for what in ("level", "claim", "pool", "supply", "waiting")}
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS)
        for what, whose, figures in cursor.fetchall():
            found[what][whose] = tuple(map(int, figures))
    return found


def try_sequences(machine, shard):
    """Try the sequences of one shard of a machine."""
    placed = machine.in_a_small_company()
    run_state_machine_as_test(
        placed if IS_NIGHTLY else seed(shard)(placed),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
