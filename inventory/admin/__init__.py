"""Pages about what we have."""

from inventory.admin import (
    count,
    expected,
    ledger,
    level,
    node,
    quality,
    reason,
    receipt,
    sku,
    stock_import,
    transfer,
)

__all__ = [
    "count",
    "expected",
    "ledger",
    "level",
    "node",
    "quality",
    "reason",
    "receipt",
    "sku",
    "stock_import",
    "transfer",
]
