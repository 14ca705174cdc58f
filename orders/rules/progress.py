"""What an order's state is, computed from its parts on three axes: money, goods, holds.

Precedence of the one word in the list: cancelled, delivered and shipped are facts and win over holds; then an open
hold; then missing payment; else how far the goods are. Words are those of ``orders.statuses``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SENT = ("shipped", "delivered")
_STATUS_OF_GOODS = {"priced": "received"}  # every other goods state has a status of the same word


@dataclass(frozen=True)
class Parts:
    """What an order's goods state is computed from. ``parcels`` are the statuses of its parcels."""

    is_cancelled: bool
    is_priced: bool
    is_fully_allocated: bool
    is_short: bool
    parcels: Sequence[str]


def goods_state(parts: Parts) -> str:
    """Return how far the goods are."""
    if parts.is_cancelled:
        return "cancelled"
    live = [status for status in parts.parcels if status != "cancelled"]
    if any(status in SENT for status in live):
        return _sent_state(live, is_complete=parts.is_fully_allocated)
    if live and parts.is_fully_allocated:
        return "allocated" if "planned" in live else "released"
    return _waiting_state(parts)


def _sent_state(live: Sequence[str], *, is_complete: bool) -> str:
    if not is_complete or not all(status in SENT for status in live):
        return "part_shipped"
    return "delivered" if all(status == "delivered" for status in live) else "shipped"


def _waiting_state(parts: Parts) -> str:
    if parts.is_short:
        return "backordered"
    return "priced" if parts.is_priced else "received"


def order_status(goods: str, money: str, open_holds: int) -> str:
    """Return the one word that the list shows."""
    if goods in ("cancelled", *SENT):
        return goods
    if open_holds:
        return "on_hold"
    if money == "unpaid":
        return "awaiting_payment"
    return _STATUS_OF_GOODS.get(goods, goods)
