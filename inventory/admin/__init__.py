"""Pages about what we have."""

from inventory.admin import (
    count,
    expected,
    ledger,
    level,
    lot,
    node,
    quality,
    reason,
    receipt,
    safety,
    sku,
    stock_import,
    transfer,
)

__all__ = [
    "count",
    "expected",
    "ledger",
    "level",
    "lot",
    "node",
    "quality",
    "reason",
    "receipt",
    "safety",
    "sku",
    "stock_import",
    "transfer",
]
