"""“Why this price” on an order's page: what every promotion said when the order was priced."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from orders.models import Order

OUTCOMES = {
    "applied": (_("Applied"), "green"),
    "not_met": (_("Condition not met"), "grey"),
    "out_of_time": (_("Out of its time"), "grey"),
    "beaten": (_("Another gives more"), "blue"),
    "nothing_left": (_("Nothing to give"), "grey"),
    "spent": (_("Used up"), "amber"),
    "no_coupon": (_("No coupon"), "grey"),
    "no_stock": (_("Gift not in stock"), "amber"),
    "not_priced_here": (_("Priced by the channel"), "grey"),
    "exceeded": (_("Above the limit"), "red"),
}


def why(order: Order) -> dict[str, Any] | None:
    """Return the newest pricing of an order for its table; nothing when no promotion was live. One query."""
    newest = order.pricings.order_by("-pk").first()
    if newest is None:
        return None
    return {
        "priced_at": columns.when(newest.priced_at),
        "amount": columns.amount_text(newest.amount, order.currency),
        "is_exact": newest.is_exact,
        "rows": [_row(verdict, order) for verdict in newest.verdicts],
        "coupons": order.coupon_codes,
    }


def _row(verdict: dict[str, Any], order: Order) -> dict[str, Any]:
    words, tone = OUTCOMES.get(verdict["outcome"], (verdict["outcome"], "grey"))
    amount = Decimal(verdict["amount"])
    return {
        "code": verdict["code"],
        "number": verdict["number"],
        "outcome": columns.label(words, tone),
        "why": columns.sentence(verdict["why"]),
        "amount": columns.amount_text(amount, order.currency) if amount else "",
    }
