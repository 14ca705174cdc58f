"""The figures that tell whether everything works: one statement each, fast at a million orders."""

from django.db import connection

from config.demo import load
from config.demo.company import WAREHOUSE_SYSTEM

# ``%(last)s`` is the last order of the loaded past: what has a higher number came in live.
_QUESTIONS = {
    "channels": "SELECT count(*) FROM channels_channel WHERE is_active AND platform <> %(wms)s",
    "nodes": "SELECT count(*) FROM inventory_node WHERE is_active",
    "skus": "SELECT count(*) FROM inventory_sku WHERE is_active",
    "orders_total": "SELECT count(*) FROM orders_order",
    "orders_received": "SELECT count(*) FROM orders_order WHERE id > %(last)s",
    "orders_priced": "SELECT count(*) FROM orders_order WHERE id > %(last)s AND goods_state <> 'received'",
    "lines_reserved": "SELECT count(*) FROM orders_orderline WHERE order_id > %(last)s AND quantity_allocated > 0",
    "fulfillments_released": (
        "SELECT count(*) FROM orders_fulfillment WHERE order_id > %(last)s AND released_at IS NOT NULL"
    ),
    "orders_on_hold": "SELECT count(*) FROM orders_order WHERE status = 'on_hold'",
    "orders_backordered": "SELECT count(*) FROM orders_order WHERE status = 'backordered'",
    "messages_rejected": "SELECT count(*) FROM channels_inboundmessage WHERE status IN ('rejected', 'parked')",
    "messages_waiting": "SELECT count(*) FROM channels_inboundmessage WHERE status IN ('received', 'waiting')",
    "outbox_sent": "SELECT count(*) FROM channels_outboundmessage WHERE status = 'sent'",
    "outbox_pending": "SELECT count(*) FROM channels_outboundmessage WHERE status = 'pending'",
    "open_cases": "SELECT count(*) FROM audit_case WHERE status = 'open'",
    "oversold_units": """
        SELECT coalesce(sum(greatest(0, coalesce(level.reserved, 0) - coalesce(level.on_hand, 0))
                          + greatest(0, coalesce(promised.units, 0) - coalesce(level.reserved, 0))), 0)
          FROM inventory_stocklevel AS level
          FULL JOIN (SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_reservation
                      WHERE status = 'active' GROUP BY sku_id, node_id) AS promised USING (sku_id, node_id)
    """,
    "ledger_differences": """
        SELECT count(*)
          FROM inventory_stocklevel AS level
          FULL JOIN (SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_stockmovement
                      GROUP BY sku_id, node_id) AS moved USING (sku_id, node_id)
         WHERE coalesce(level.on_hand, 0) <> coalesce(moved.units, 0)
    """,
}


def figures() -> dict[str, int]:
    """Return every figure by its name, in the order in which people read them."""
    loaded = load.find()
    values: dict[str, int | str] = {"last": loaded.last_order_id if loaded else 0, "wms": WAREHOUSE_SYSTEM.platform}
    answers = {}
    with connection.cursor() as cursor:
        for name, question in _QUESTIONS.items():
            cursor.execute(question, values)
            (answer,) = cursor.fetchone()
            answers[name] = int(answer)
    return answers
