"""Facts about what we have."""

from inventory.models.ahead import SupplyPromise
from inventory.models.count import CountLine, StockCount
from inventory.models.difference import StockDifference
from inventory.models.lot import Lot, LotLevel, RemainingLife, ReservationLot
from inventory.models.node import Node, NodeDay, StockPosition
from inventory.models.quality import QualityHold
from inventory.models.reason import ReasonCode
from inventory.models.receipt import ExpectedLine, ExpectedReceipt, Receipt, ReceiptLine
from inventory.models.safety import SafetyChange, SafetyRule
from inventory.models.share import ChannelShare, PoolReplacement, PresaleChange, SharePool
from inventory.models.sku import BundlePart, Category, Sku
from inventory.models.stock import Reservation, ReservationMove, StockLevel, StockMovement, StockSignal
from inventory.models.stock_import import StockImport
from inventory.models.transfer import Transfer, TransferLine
from inventory.models.upload import StockUpload

__all__ = [
    "BundlePart",
    "Category",
    "ChannelShare",
    "CountLine",
    "ExpectedLine",
    "ExpectedReceipt",
    "Lot",
    "LotLevel",
    "Node",
    "NodeDay",
    "PoolReplacement",
    "PresaleChange",
    "QualityHold",
    "ReasonCode",
    "Receipt",
    "ReceiptLine",
    "RemainingLife",
    "Reservation",
    "ReservationLot",
    "ReservationMove",
    "SafetyChange",
    "SafetyRule",
    "SharePool",
    "Sku",
    "StockCount",
    "StockDifference",
    "StockImport",
    "StockLevel",
    "StockMovement",
    "StockPosition",
    "StockSignal",
    "StockUpload",
    "SupplyPromise",
    "Transfer",
    "TransferLine",
]
