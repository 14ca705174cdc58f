"""Pages about what we have."""

from inventory.admin import ledger, level, node, quality, reason, sku, stock_import, transfer

__all__ = ["ledger", "level", "node", "quality", "reason", "sku", "stock_import", "transfer"]
