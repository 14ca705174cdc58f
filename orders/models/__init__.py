"""Facts about orders."""

from orders.models.fulfillment import Fulfillment, FulfillmentLine, RoutingDecision
from orders.models.life import Hold, OrderEvent, Oversell, ParcelScan, Refund, Return
from orders.models.order import Customer, Order, OrderLine
from orders.models.pricing import Backtest, OrderPricing

__all__ = [
    "Backtest",
    "Customer",
    "Fulfillment",
    "FulfillmentLine",
    "Hold",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderPricing",
    "Oversell",
    "ParcelScan",
    "Refund",
    "Return",
    "RoutingDecision",
]
