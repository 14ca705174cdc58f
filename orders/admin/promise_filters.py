"""Narrowing orders down by what they wait for."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.admin import filters
from inventory.models import SupplyPromise
from orders.statuses import GoodsState, OrderStatus

WAITING = (OrderStatus.BACKORDERED, OrderStatus.ON_HOLD, OrderStatus.AWAITING_PAYMENT)


class PromiseFilter(filters.ChoiceFilter):
    """Orders that wait for stock, by when it is expected."""

    title = _("expected stock")
    parameter_name = "promise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the two troubles."""
        return [("late", _("Comes after the deadline")), ("none", _("Has no date"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep orders whose missing units come too late, or nobody knows when."""
        if self.value() not in ("late", "none"):
            return queryset
        waiting = queryset.filter(status__in=WAITING, goods_state=GoodsState.BACKORDERED)
        if self.value() == "none":
            return waiting.filter(promised_date__isnull=True)
        return waiting.filter(promised_date__gt=TruncDate(F("ship_by")))


class SupplyFilter(filters.ChoiceFilter):
    """Orders that wait for one document, as links ask for it; offers no list of all documents."""

    title = _("waits for")
    parameter_name = "supply"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return only what the address already asks for."""
        value = request.GET.get("supply", "")[:40]
        return [(value, value)] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the orders that are promised units of this expected receipt or transfer."""
        number = str(self.value() or "")[:40]
        if not number:
            return queryset
        brought = Q(expected_line__expected__number=number) | Q(transfer_line__transfer__number=number)
        return queryset.filter(number__in=SupplyPromise.objects.filter(brought).values("reference"))
