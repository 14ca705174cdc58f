"""Pages about what we have."""

from inventory.admin import expected, ledger, level, node, quality, reason, receipt, sku, stock_import, transfer

__all__ = ["expected", "ledger", "level", "node", "quality", "reason", "receipt", "sku", "stock_import", "transfer"]
