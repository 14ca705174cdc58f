"""Rows as PostgreSQL's COPY reads them, collected table by table: text, one line a row, tabs between columns."""

from collections.abc import Iterator
from datetime import UTC, datetime

NULL = "\\N"
SECONDS_A_DAY = 86_400

# In the order of the foreign keys.
COLUMNS: dict[str, tuple[str, ...]] = {
    "orders_customer": ("id", "channel_id", "external_key", "name"),
    "orders_order": (
        "id", "number", "channel_id", "external_id", "revision", "address_revision", "note_revision", "customer_id",
        "status", "money_state", "goods_state", "open_holds", "currency",
        "goods_amount", "discount_amount", "shipping_amount", "total_amount", "paid_amount",
        "country", "region", "city", "district", "recipient_name", "recipient_phone", "recipient_address",
        "recipient_token", "buyer_note", "seller_note", "placed_at", "received_at", "paid_at", "ship_by",
        "reserved_until", "shipped_at", "delivered_at", "cancelled_at", "cancel_reason",
    ),
    "orders_orderline": (
        "id", "order_id", "line_number", "external_id", "external_sku", "sku_id", "title", "quantity",
        "quantity_allocated", "quantity_shipped", "unit_price", "discount_amount", "net_amount", "is_gift",
        "is_cancelled",
    ),
    "orders_fulfillment": (
        "id", "number", "order_id", "node_id", "status", "planned_at", "released_at", "packed_at", "shipped_at",
        "delivered_at", "carrier_code", "tracking_number",
    ),
    "orders_fulfillmentline": ("id", "fulfillment_id", "order_line_id", "sku_id", "quantity"),
    "orders_routingdecision": ("id", "order_id", "decided_at", "policy", "outcome", "cost", "explanation"),
    "orders_orderevent": ("id", "order_id", "kind", "happened_at", "actor", "detail"),
    "orders_return": (
        "id", "order_id", "order_line_id", "node_id", "status", "quantity", "reason", "refund_amount", "requested_at",
        "received_at", "refunded_at",
    ),
    "inventory_reservation": (
        "id", "key", "reference", "sku_id", "node_id", "quantity", "status", "reserved_at", "expires_at", "closed_at",
    ),
    "inventory_stockmovement": (
        "id", "key", "sku_id", "node_id", "kind", "quantity", "reference", "reason", "actor", "moved_at",
    ),
    "inventory_stocklevel": ("id", "sku_id", "node_id", "on_hand", "reserved", "safety_stock", "own_safety_stock"),
    "inventory_nodeday": ("id", "node_id", "day_date", "capacity", "used"),
}  # fmt: skip

_CLOCK = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}+00" for second in range(SECONDS_A_DAY)]
_DAYS: dict[int, str] = {}


def stamp(seconds: int) -> str:
    """Return seconds since the epoch as PostgreSQL reads a time; 0 stands for never."""
    if not seconds:
        return NULL
    day, second = divmod(seconds, SECONDS_A_DAY)
    word = _DAYS.get(day)
    if word is None:
        word = _DAYS[day] = f"{datetime.fromtimestamp(day * SECONDS_A_DAY, UTC):%Y-%m-%d} "
    return word + _CLOCK[second]


def money(hundredths: int) -> str:
    """Return an amount of hundredths as a decimal number."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"


class Tape:
    """Rows that wait to be written, and the last number given out in each table."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {table: [] for table in COLUMNS}
        self.last_id = dict.fromkeys(COLUMNS, 0)

    def add(self, table: str, values: str) -> int:
        """Append a row (its values without the id, tabs between) and return its id."""
        number = self.last_id[table] + 1
        self.last_id[table] = number
        self.rows[table].append(f"{number}\t{values}\n")
        return number

    @property
    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return sum(map(len, self.rows.values()))

    def take(self) -> Iterator[tuple[str, str]]:
        """Hand out what has been collected, parents first, and start anew."""
        for table, rows in self.rows.items():
            if rows:
                yield table, "".join(rows)
                self.rows[table] = []
