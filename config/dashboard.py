"""The home page: how many orders stand where, and what waits for a person. Each figure is a link to its rows."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.admin.filters import today_bounds
from audit.models import Case
from audit.statuses import CaseStatus
from channels.models import InboundMessage, OutboundMessage
from channels.statuses import InboundStatus, OutboundStatus
from orders.models import Order, Oversell
from orders.statuses import OrderStatus, OversellCause

WARNED = (OrderStatus.ON_HOLD, OrderStatus.BACKORDERED)


def tiles(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures that the user may see to the home page's context."""
    user = request.user
    groups: list[dict[str, Any]] = []
    if user.has_perm("audit.view_case") and user.has_perm("orders.view_order"):
        groups.append({"title": _("What waits for you"), "tiles": _waiting()})
    if user.has_perm("orders.view_order"):
        groups.append({"title": _("Open orders"), "tiles": _funnel()})
        groups.append({"title": _("Placed today"), "tiles": _today()})
    if user.has_perm("orders.view_oversell"):
        groups.append({"title": _("Oversold in the last 7 days"), "tiles": _oversold()})
    return context | {"tile_groups": groups, "title": _("Home")}


def _waiting() -> list[dict[str, Any]]:
    inbox = InboundMessage.objects.filter(status__in=(InboundStatus.PARKED, InboundStatus.REJECTED)).count()
    outbox = OutboundMessage.objects.filter(status=OutboundStatus.NEEDS_PERSON).count()
    late = Order.objects.filter(status__in=OrderStatus.OPEN, ship_by__lt=today_bounds()[0]).count()
    return [
        _tile(_("Open cases"), Case.objects.filter(status=CaseStatus.OPEN).count(), "audit_case", "", warns=True),
        _tile(_("Late since yesterday"), late, "orders_order", "deadline=late", warns=True),
        _tile(_("Messages not taken in"), inbox, "channels_inboundmessage", "state=stuck", warns=True),
        _tile(_("Messages not delivered"), outbox, "channels_outboundmessage", "status=needs_person", warns=True),
    ]


def _funnel() -> list[dict[str, Any]]:
    rows = Order.objects.filter(status__in=OrderStatus.OPEN).order_by().values("status").annotate(count=Count("pk"))
    counts = dict(rows.values_list("status", "count"))
    return [
        _tile(OrderStatus(status).label, counts.get(status, 0), "orders_order", f"status={status}",
              warns=status in WARNED)
        for status in OrderStatus.OPEN
    ]  # fmt: skip


def _today() -> list[dict[str, Any]]:
    start, end = today_bounds()
    sent = Q(status__in=(OrderStatus.SHIPPED, OrderStatus.DELIVERED))
    counts = Order.objects.filter(placed_at__gte=start, placed_at__lt=end).aggregate(
        placed=Count("pk"),
        sent=Count("pk", filter=sent),
        cancelled=Count("pk", filter=Q(status=OrderStatus.CANCELLED)),
    )
    return [
        _tile(_("Placed"), counts["placed"], "orders_order", "when=today"),
        _tile(_("Shipped"), counts["sent"], "orders_order", "status=shipped&when=today"),
        _tile(_("Cancelled"), counts["cancelled"], "orders_order", "status=cancelled&when=today"),
    ]


def _oversold() -> list[dict[str, Any]]:
    """Return the order lines that channels took in the last seven days and whose stock was not there."""
    start, end = today_bounds(-6)[0], today_bounds()[1]
    rows = Oversell.objects.filter(found_at__gte=start, order__placed_at__gte=start, order__placed_at__lt=end)
    counts = rows.aggregate(
        ours=Count("pk", filter=Q(cause=OversellCause.NOT_FOUND)),
        lag=Count("pk", filter=Q(cause=OversellCause.PUSH_LAG)),
        all=Count("pk"),
    )
    return [
        _tile(_("On our side (target 0)"), counts["ours"], "orders_oversell", "when=7d&cause=not_found", warns=True),
        _tile(_("Figure pushed too late"), counts["lag"], "orders_oversell", "when=7d&cause=push_lag"),
        _tile(_("All causes"), counts["all"], "orders_oversell", "when=7d"),
    ]


def _tile(title: Any, count: int, page: str, query: str, *, warns: bool = False) -> dict[str, Any]:
    url = reverse(f"admin:{page}_changelist")
    return {"title": title, "count": count, "url": f"{url}?{query}" if query else url, "warns": warns and count > 0}
