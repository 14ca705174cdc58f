"""Parcels: what nodes pick, pack and send."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from inventory.admin import choices
from orders.admin import deeds, looks, search
from orders.models import Fulfillment, FulfillmentLine
from orders.statuses import FulfillmentStatus

SHOWN_CONTENTS = 3


@admin.register(Fulfillment)
class FulfillmentAdmin(MachineAdmin):
    """What one node sends of one order."""

    list_display = ("number", "order_", "place", "state", "contents", "carrier", "age", "due")
    list_filter = (
        filters.choice(_("node"), "node", choices.nodes),
        filters.choice(_("status"), "status", lambda: FulfillmentStatus.choices),
        ("planned_at", filters.DaysFilter),
    )
    list_select_related = ("order", "node")
    search_fields = ("number",)
    search_help_text = _("Parcel, order or tracking number; or a pasted list")
    ordering = ("-planned_at", "-pk")
    sortable_by = ()
    fields = (
        ("number", "order_"), ("place", "state"), "contents", ("carrier_code", "tracking_number"),
        ("planned", "released"), ("packed", "shipped", "delivered"),
    )  # fmt: skip
    readonly_fields = (
        "order_", "place", "state", "contents", "planned", "released", "packed", "shipped", "delivered",
    )  # fmt: skip
    verbs = deeds.OF_PARCELS
    empty_hint = _("No parcels yet. They appear when orders are allocated to nodes.")
    standard_views = (
        (_("To pick"), "status=released"),
        (_("Picking"), "status=picking"),
        (_("To hand over"), "status=packed"),
        (_("On the way"), "status=shipped"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        """Fetch the contents with the page, in one query."""
        lines = FulfillmentLine.objects.select_related("sku").order_by("pk")
        return super().get_queryset(request).prefetch_related(Prefetch("lines", lines, to_attr="contents_"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find parcels by the beginning of their number, by tracking number, or by a pasted list of either."""
        words = search.words_of(search_term)
        if not words:
            return queryset, False
        parcels = Fulfillment.objects.values("pk")
        if len(words) == 1:
            by_number = parcels.filter(number__startswith=words[0])[: search.MOST_ORDERS]
        else:
            by_number = parcels.filter(Q(number__in=words) | Q(order__number__in=words))
        by_tracking = parcels.filter(tracking_number__in=words).exclude(tracking_number="")
        return queryset.filter(pk__in=[row["pk"] for row in by_number.union(by_tracking)]), False

    @admin.display(description=_("order"))
    def order_(self, parcel: Fulfillment) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(parcel.order)

    @admin.display(description=_("node"))
    def place(self, parcel: Fulfillment) -> SafeString:
        """Show which node sends it."""
        return columns.code_and_name(parcel.node)

    @admin.display(description=_("status"))
    def state(self, parcel: Fulfillment) -> SafeString:
        """Show how far it is."""
        return looks.parcel_status(parcel)

    @admin.display(description=_("contents"))
    def contents(self, parcel: Any) -> str:
        """Show what is in it."""
        units = [f"{line.quantity} × {line.sku.code}" for line in parcel.contents_]
        more = f" +{len(units) - SHOWN_CONTENTS}" if len(units) > SHOWN_CONTENTS else ""
        return ", ".join(units[:SHOWN_CONTENTS]) + more

    @admin.display(description=_("carrier"))
    def carrier(self, parcel: Fulfillment) -> SafeString:
        """Show with whom it left."""
        if not parcel.tracking_number:
            return columns.EMPTY
        return format_html('{} <span class="faint">{}</span>', parcel.carrier_code, parcel.tracking_number)

    @admin.display(description=_("age"))
    def age(self, parcel: Fulfillment) -> SafeString:
        """Show how long ago it was planned."""
        return columns.age(parcel.planned_at)

    @admin.display(description=_("deadline"))
    def due(self, parcel: Fulfillment) -> SafeString:
        """Show how much time is left to ship it."""
        return columns.deadline(parcel.order.ship_by, is_open=parcel.status in FulfillmentStatus.OPEN)

    @admin.display(description=_("planned at"))
    def planned(self, parcel: Fulfillment) -> SafeString:
        """Show when it was planned."""
        return columns.when(parcel.planned_at)

    @admin.display(description=_("released at"))
    def released(self, parcel: Fulfillment) -> SafeString:
        """Show when the node got it."""
        return columns.when(parcel.released_at)

    @admin.display(description=_("packed at"))
    def packed(self, parcel: Fulfillment) -> SafeString:
        """Show when it was packed."""
        return columns.when(parcel.packed_at)

    @admin.display(description=_("shipped at"))
    def shipped(self, parcel: Fulfillment) -> SafeString:
        """Show when it left."""
        return columns.when(parcel.shipped_at)

    @admin.display(description=_("delivered at"))
    def delivered(self, parcel: Fulfillment) -> SafeString:
        """Show when the buyer had it."""
        return columns.when(parcel.delivered_at)
