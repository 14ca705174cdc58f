"""Facts about what we have."""

from inventory.models.difference import StockDifference
from inventory.models.node import Node, NodeDay
from inventory.models.reason import ReasonCode
from inventory.models.sku import BundlePart, Category, Sku
from inventory.models.stock import Reservation, StockLevel, StockMovement

__all__ = [
    "BundlePart",
    "Category",
    "Node",
    "NodeDay",
    "ReasonCode",
    "Reservation",
    "Sku",
    "StockDifference",
    "StockLevel",
    "StockMovement",
]
