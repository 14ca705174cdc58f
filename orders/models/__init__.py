"""Facts about orders."""

from orders.models.fulfillment import Fulfillment, FulfillmentLine, RoutingDecision
from orders.models.life import Hold, OrderEvent, Oversell, ParcelScan, Refund, Return
from orders.models.order import Customer, Order, OrderLine

__all__ = [
    "Customer",
    "Fulfillment",
    "FulfillmentLine",
    "Hold",
    "Order",
    "OrderEvent",
    "OrderLine",
    "Oversell",
    "ParcelScan",
    "Refund",
    "Return",
    "RoutingDecision",
]
