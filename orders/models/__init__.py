"""Facts about orders."""

from orders.models.freight import CarrierLane, FreightTariff
from orders.models.fulfillment import Fulfillment, FulfillmentLine
from orders.models.life import Hold, OrderEvent, Oversell, ParcelScan, Refund, Return
from orders.models.order import Customer, Order, OrderLine
from orders.models.pricing import Backtest, OrderPricing
from orders.models.routing import (
    Disruption,
    NodeStanding,
    RoutingAttempt,
    RoutingDecision,
    RoutingPilot,
    RoutingPolicy,
    RoutingPolicyVersion,
    RoutingRun,
    RoutingSituation,
)
from orders.models.whatif import WhatIf, WhatIfDifference, WhatIfVariant

__all__ = [
    "Backtest",
    "CarrierLane",
    "Customer",
    "Disruption",
    "FreightTariff",
    "Fulfillment",
    "FulfillmentLine",
    "Hold",
    "NodeStanding",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderPricing",
    "Oversell",
    "ParcelScan",
    "Refund",
    "Return",
    "RoutingAttempt",
    "RoutingDecision",
    "RoutingPilot",
    "RoutingPolicy",
    "RoutingPolicyVersion",
    "RoutingRun",
    "RoutingSituation",
    "WhatIf",
    "WhatIfDifference",
    "WhatIfVariant",
]
