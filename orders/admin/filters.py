"""How orders are narrowed down. Each filter is written for an index of the orders table."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeNumericFilter

from audit.admin import filters
from inventory.admin import choices
from orders.models import Fulfillment, Hold, Oversell
from orders.rules import oversell
from orders.statuses import FulfillmentStatus, HoldKind, OrderStatus, OversellCause

LIVE_PARCELS = tuple(status for status in FulfillmentStatus.values if status != FulfillmentStatus.CANCELLED)


class NodeFilter(filters.ChoiceFilter):
    """Orders of which this node has a parcel that counts."""

    title = _("node")
    parameter_name = "node"
    choose = staticmethod(choices.nodes)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep orders with a live parcel at the node."""
        if not self.value() or not self._is_known(str(self.value())):
            return queryset
        parcels = Fulfillment.objects.filter(order=OuterRef("pk"), node=self.value(), status__in=LIVE_PARCELS)
        return queryset.filter(Exists(parcels))


class HoldFilter(filters.ChoiceFilter):
    """Orders with an open hold of one kind."""

    title = _("hold")
    parameter_name = "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the kinds of holds."""
        return list(HoldKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep orders that are held for this reason now."""
        if self.value() not in HoldKind.values:
            return queryset
        held = Hold.objects.filter(kind=self.value(), lifted_at__isnull=True)
        return queryset.filter(pk__in=held.values("order"))


class DeadlineFilter(filters.ChoiceFilter):
    """Open orders by the time they must be shipped."""

    title = _("deadline")
    parameter_name = "deadline"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the terms that can be chosen."""
        return [("late", _("Late")), ("today", _("Due today")), ("tomorrow", _("Due tomorrow"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep open orders of this term; the words of the status are those of the partial index."""
        value = self.value()
        if value not in ("late", "today", "tomorrow"):
            return queryset
        rows = queryset.filter(status__in=OrderStatus.OPEN)
        if value == "late":
            return rows.filter(ship_by__lt=timezone.now())
        start, end = filters.today_bounds(0 if value == "today" else 1)
        return rows.filter(ship_by__gte=start, ship_by__lt=end)


class ShortFilter(filters.ChoiceFilter):
    """Orders of which units are missing."""

    title = _("stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the one choice."""
        return [("short", _("Short of stock"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep backordered orders, also those that a hold or a missing payment hides."""
        if self.value() != "short":
            return queryset
        hidden = Q(status__in=(OrderStatus.ON_HOLD, OrderStatus.AWAITING_PAYMENT), goods_state="backordered")
        return queryset.filter(Q(status=OrderStatus.BACKORDERED) | hidden)


class OversoldFilter(filters.ChoiceFilter):
    """Orders that were oversold, by whose side the cause is."""

    title = _("oversold")
    parameter_name = "oversold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return both sides."""
        return [("channel", _("By the channel")), ("ours", _("On our side"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep orders with an oversold line whose cause is on this side."""
        if self.value() not in ("channel", "ours"):
            return queryset
        causes = [cause for cause in OversellCause.values if oversell.side_of(cause) == self.value()]
        return queryset.filter(pk__in=Oversell.objects.filter(cause__in=causes).values("order"))


class BuyerFilter(filters.ChoiceFilter):
    """One buyer by number, as the links of the buyers' page ask for it; offers no list of all buyers."""

    title = _("buyer")
    parameter_name = "buyer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return only what the address already asks for."""
        value = request.GET.get("buyer", "")
        return [(value, _("Buyer no. %(number)s") % {"number": value})] if value.isdigit() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep this buyer's orders."""
        value = str(self.value() or "")
        return queryset.filter(customer_id=value) if value.isdigit() and len(value) < 19 else queryset


class AmountFilter(RangeNumericFilter):
    """Totals from one amount to another."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep totals in the range; words that are no numbers are left out."""
        for end, lookup in (("from", "gte"), ("to", "lte")):
            amount = _amount(self.used_parameters.get(f"{self.parameter_name}_{end}"))
            if amount is not None:
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": amount})
        return queryset


def _amount(text: Any) -> Decimal | None:
    try:
        amount = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < 10**12 else None
