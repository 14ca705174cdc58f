"""Facts about what we have."""

from inventory.models.count import CountLine, StockCount
from inventory.models.difference import StockDifference
from inventory.models.node import Node, NodeDay
from inventory.models.quality import QualityHold
from inventory.models.reason import ReasonCode
from inventory.models.receipt import ExpectedLine, ExpectedReceipt, Receipt, ReceiptLine
from inventory.models.sku import BundlePart, Category, Sku
from inventory.models.stock import Reservation, StockLevel, StockMovement
from inventory.models.stock_import import StockImport
from inventory.models.transfer import Transfer, TransferLine

__all__ = [
    "BundlePart",
    "Category",
    "CountLine",
    "ExpectedLine",
    "ExpectedReceipt",
    "Node",
    "NodeDay",
    "QualityHold",
    "ReasonCode",
    "Receipt",
    "ReceiptLine",
    "Reservation",
    "Sku",
    "StockCount",
    "StockDifference",
    "StockImport",
    "StockLevel",
    "StockMovement",
    "Transfer",
    "TransferLine",
]
