"""Pages about orders."""

from orders.admin import customer, decision, difference, fulfillment, goods_back, hold, order, oversell, refund

__all__ = ["customer", "decision", "difference", "fulfillment", "goods_back", "hold", "order", "oversell", "refund"]
