"""Pages about orders."""

from orders.admin import (
    attempts,
    backtest,
    customer,
    decision,
    difference,
    disruption,
    freight,
    fulfillment,
    goods_back,
    hold,
    lanes,
    order,
    oversell,
    policy,
    refund,
    routing_run,
)

__all__ = [
    "attempts",
    "backtest",
    "customer",
    "decision",
    "difference",
    "disruption",
    "freight",
    "fulfillment",
    "goods_back",
    "hold",
    "lanes",
    "order",
    "oversell",
    "policy",
    "refund",
    "routing_run",
]
