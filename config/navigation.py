"""The desk's sidebar: what people look for, in the order of their day."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar's groups; Unfold leaves out what the user may not see."""
    return [
        {"title": "", "items": [_home()]},
        *_daily_work(),
        *_ground(),
    ]


def _daily_work() -> list[dict[str, Any]]:
    return [
        _group(_("Work"), [
            _item(_("Cases"), "task_alt", "audit.case"),
            _item(_("Approvals"), "approval", "audit.approvalrequest"),
            _item(_("Held orders"), "front_hand", "orders.hold"),
        ]),
        _group(_("Orders"), [
            _item(_("Orders"), "receipt_long", "orders.order"),
            _item(_("Parcels"), "package_2", "orders.fulfillment"),
            _item(_("Returns"), "assignment_return", "orders.return"),
            _item(_("Refunds"), "currency_exchange", "orders.refund"),
            _item(_("Buyers"), "group", "orders.customer"),
            _item(_("Oversells"), "production_quantity_limits", "orders.oversell", page="table"),
        ]),
        _group(_("Routing"), [
            _item(_("Routing decisions"), "alt_route", "orders.routingdecision"),
            _item(_("Routing policies"), "tune", "orders.routingpolicy"),
            _item(_("What-if runs"), "science", "orders.whatif"),
            _item(_("Pilots"), "experiment", "orders.routingpilot"),
            _item(_("Routing runs"), "batch_prediction", "orders.routingrun"),
            _item(_("Failed parcels"), "assignment_late", "orders.routingattempt"),
            _item(_("Standing of nodes"), "verified_user", "orders.nodestanding"),
            _item(_("Disruptions"), "thunderstorm", "orders.disruption"),
            _item(_("Freight tariffs"), "payments", "orders.freighttariff"),
            _item(_("Lanes"), "route", "orders.carrierlane"),
        ]),
    ]  # fmt: skip


def _ground() -> list[dict[str, Any]]:
    return [
        _group(_("Stock"), [
            _item(_("Stock levels"), "inventory_2", "inventory.stocklevel"),
            _item(_("Stock of lots"), "hourglass_bottom", "inventory.lotlevel"),
            _item(_("Lots"), "event_busy", "inventory.lot"),
            _item(_("Remaining life"), "event_available", "inventory.remaininglife"),
            _item(_("Reservations"), "bookmark", "inventory.reservation"),
            _item(_("Movements"), "swap_vert", "inventory.stockmovement"),
            _item(_("Expected receipts"), "event_upcoming", "inventory.expectedreceipt"),
            _item(_("Receipts"), "inventory", "inventory.receipt"),
            _item(_("Transfers"), "local_shipping", "inventory.transfer"),
            _item(_("Stock counts"), "pin", "inventory.stockcount"),
            _item(_("Quality holds"), "verified", "inventory.qualityhold"),
            _item(_("Safety stock"), "shield", "inventory.safetyrule"),
            _item(_("Stock imports"), "upload_file", "inventory.stockimport"),
            _item(_("Stock differences"), "difference", "inventory.stockdifference"),
            _item(_("Reason codes"), "rule", "inventory.reasoncode"),
            _item(_("Nodes"), "warehouse", "inventory.node"),
            _item(_("SKUs"), "sell", "inventory.sku"),
            _item(_("Categories"), "category", "inventory.category"),
        ]),
        _group(_("Channels"), [
            _item(_("Channels"), "storefront", "channels.channel"),
            _item(_("Connect a channel"), "add_link", "channels.channelsetup"),
            _item(_("Listings"), "link", "channels.listing"),
            _item(_("Stock of listings"), "sync", "channels.listingstock"),
            _item(_("Stock speed"), "speed", "channels.listingstock", page="convergence"),
            _item(_("Channel shares"), "pie_chart", "inventory.channelshare"),
            _item(_("Inbox"), "move_to_inbox", "channels.inboundmessage"),
            _item(_("Orders to fetch"), "downloading", "channels.wantedorder"),
            _item(_("Outbox"), "outbox", "channels.outboundmessage"),
        ]),
        _group(_("Prices"), [
            _item(_("Promotions"), "loyalty", "promotions.promotion"),
            _item(_("Coupons"), "confirmation_number", "promotions.coupon"),
            _item(_("Batches of coupons"), "stacks", "promotions.couponbatch"),
            _item(_("Redemptions"), "redeem", "promotions.redemption"),
            _item(_("Back-tests"), "science", "orders.backtest"),
            _item(_("Campaigns"), "campaign", "promotions.campaign"),
            _item(_("Fields people answer for"), "badge", "promotions.scope"),
        ]),
        _group(_("Set-up"), [
            _item(_("Users"), "person", "auth.user"),
            _item(_("Groups"), "groups", "auth.group"),
            _item(_("Schedule"), "schedule", "django_celery_beat.periodictask"),
        ]),
    ]  # fmt: skip


def environment(request: HttpRequest) -> list[Any] | None:
    """Return the label in the page's corner: which installation this is, if it has a name."""
    name = settings.ENVIRONMENT_NAME
    return [name, "danger" if name == "production" else "info"] if name else None


def look(request: HttpRequest) -> str:
    """Return the address of the desk's own style sheet."""
    return static("audit/desk.css")


def icon(request: HttpRequest) -> str:
    """Return the address of the picture in the browser's tab."""
    return static("audit/icon.svg")


def _home() -> dict[str, Any]:
    return {"title": _("Home"), "icon": "home", "link": reverse("admin:index")}


def _group(title: Words, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "separator": False, "collapsible": False, "items": items}


def _item(title: Words, icon: str, label: str, page: str = "changelist") -> dict[str, Any]:
    app, model = label.split(".")
    link = reverse(f"admin:{app}_{model}_{page}")
    return {"title": title, "icon": icon, "link": link, "permission": _may_see(f"{app}.view_{model}")}


def _may_see(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)
