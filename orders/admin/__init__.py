"""Pages about orders."""

from orders.admin import (
    backtest,
    customer,
    decision,
    difference,
    fulfillment,
    goods_back,
    hold,
    order,
    oversell,
    policy,
    refund,
    routing_run,
)

__all__ = [
    "backtest",
    "customer",
    "decision",
    "difference",
    "fulfillment",
    "goods_back",
    "hold",
    "order",
    "oversell",
    "policy",
    "refund",
    "routing_run",
]
