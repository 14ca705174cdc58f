"""Pages about orders."""

from orders.admin import customer, decision, fulfillment, goods_back, hold, order

__all__ = ["customer", "decision", "fulfillment", "goods_back", "hold", "order"]
