"""Colours and short forms of an order's words."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.admin import columns
from orders.models import Fulfillment, Order, ParcelScan, Refund
from orders.statuses import OrderStatus

STATUS = {
    "received": "blue", "on_hold": "red", "awaiting_payment": "amber", "backordered": "amber", "allocated": "blue",
    "released": "violet", "part_shipped": "violet", "shipped": "green", "delivered": "green", "cancelled": "grey",
}  # fmt: skip
MONEY = {"unpaid": "amber", "paid": "green", "refunded": "grey"}
GOODS = STATUS | {"priced": "blue"}
PARCEL = {
    "planned": "grey", "released": "blue", "picking": "violet", "packed": "violet", "shipped": "green",
    "delivered": "green", "cancelled": "grey",
}  # fmt: skip
REFUND = {"asked": "amber", "agreed": "amber", "refunded": "green", "closed": "grey"}
SCAN = {"delivered": "green", "trouble": "red", "going_back": "red", "came_back": "red"}
CARRIERS = ("SF", "ZTO", "YTO", "STO", "YUNDA", "JD", "EMS", "CAINIAO", "DHL", "FEDEX", "UPS", "OWN")


def status(order: Order) -> SafeString:
    """Return an order's status as a coloured label."""
    return columns.label(order.get_status_display(), STATUS.get(order.status, "grey"))


def parcel_status(parcel: Fulfillment) -> SafeString:
    """Return a parcel's status as a coloured label."""
    return columns.label(parcel.get_status_display(), PARCEL.get(parcel.status, "grey"))


def refund_status(refund: Refund) -> SafeString:
    """Return how far a refund is as a coloured label."""
    return columns.label(refund.get_status_display(), REFUND.get(refund.status, "grey"))


def refund_lines(refund: Refund) -> str:
    """Return which of the channel's lines a refund is about."""
    return ", ".join(str(told["line"]) for told in refund.lines) or _("the whole order")


def scan_state(scan: ParcelScan) -> SafeString:
    """Return where a parcel was seen on its way as a coloured label."""
    return columns.label(scan.get_state_display(), SCAN.get(scan.state, "blue"))


def order_link(order: Order) -> SafeString:
    """Return an order's number as a link to its page."""
    return format_html('<a class="key" href="/admin/orders/order/{}/change/">{}</a>', order.pk, order.number)


def is_open(order: Any) -> bool:
    """Return whether the order's deadline still matters."""
    return order.status in OrderStatus.OPEN
