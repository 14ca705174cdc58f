"""Pages about what we have."""

from inventory.admin import ledger, level, node, sku

__all__ = ["ledger", "level", "node", "sku"]
