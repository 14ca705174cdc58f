"""What an order's state is, computed from its parts on three axes: money, goods, holds.

Precedence of the one word in the list: cancelled, delivered and shipped are facts and win over holds; then an open hold;
then missing payment; else how far the goods are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orders.statuses import FulfillmentStatus, GoodsState, MoneyState, OrderStatus

_SENT = (FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED)
_FACTS = {
    GoodsState.CANCELLED: OrderStatus.CANCELLED,
    GoodsState.DELIVERED: OrderStatus.DELIVERED,
    GoodsState.SHIPPED: OrderStatus.SHIPPED,
}


@dataclass(frozen=True)
class Parts:
    """What an order's goods state is computed from. ``parcels`` are the statuses of its parcels."""

    is_cancelled: bool
    is_priced: bool
    is_fully_allocated: bool
    is_short: bool
    parcels: Sequence[str]


def goods_state(parts: Parts) -> GoodsState:
    """Return how far the goods are."""
    live = [status for status in parts.parcels if status != FulfillmentStatus.CANCELLED]
    if parts.is_cancelled:
        return GoodsState.CANCELLED
    if any(status in _SENT for status in live):
        return _sent_state(live, is_complete=parts.is_fully_allocated)
    if parts.is_fully_allocated and live:
        all_out = all(status != FulfillmentStatus.PLANNED for status in live)
        return GoodsState.RELEASED if all_out else GoodsState.ALLOCATED
    if parts.is_short:
        return GoodsState.BACKORDERED
    return GoodsState.PRICED if parts.is_priced else GoodsState.RECEIVED


def _sent_state(live: Sequence[str], *, is_complete: bool) -> GoodsState:
    if not is_complete or not all(status in _SENT for status in live):
        return GoodsState.PART_SHIPPED
    if all(status == FulfillmentStatus.DELIVERED for status in live):
        return GoodsState.DELIVERED
    return GoodsState.SHIPPED


def order_status(goods: str, money: str, open_holds: int) -> OrderStatus:
    """Return the one word that the list shows."""
    if goods in _FACTS:
        return _FACTS[GoodsState(goods)]
    if open_holds:
        return OrderStatus.ON_HOLD
    if money == MoneyState.UNPAID:
        return OrderStatus.AWAITING_PAYMENT
    return OrderStatus(_IN_WORK[GoodsState(goods)])


_IN_WORK = {
    GoodsState.RECEIVED: OrderStatus.RECEIVED,
    GoodsState.PRICED: OrderStatus.RECEIVED,
    GoodsState.BACKORDERED: OrderStatus.BACKORDERED,
    GoodsState.ALLOCATED: OrderStatus.ALLOCATED,
    GoodsState.RELEASED: OrderStatus.RELEASED,
    GoodsState.PART_SHIPPED: OrderStatus.PART_SHIPPED,
}
