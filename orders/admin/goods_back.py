"""Returns: goods on their way back, and the money for them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from orders.admin import looks, search
from orders.models import Return
from orders.statuses import ReturnStatus

TONES = {"requested": "amber", "received": "blue", "refunded": "green"}


@admin.register(Return)
class ReturnAdmin(MachineAdmin):
    """Goods of one line on their way back."""

    list_display = ("order_", "item", "units", "reason", "money", "state", "asked", "came")
    list_display_links = None
    list_filter = (
        filters.choice(_("status"), "status", lambda: ReturnStatus.choices),
        ("requested_at", filters.DaysFilter),
    )
    list_select_related = ("order", "order_line__sku", "node")
    search_fields = ("order__number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    ordering = ("-requested_at", "-pk")
    sortable_by = ()
    fields = ("order_", "item", "units", "reason", "money", "state", "asked", "came")
    readonly_fields = fields
    empty_hint = _("No returns. They appear when a buyer sends something back.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find returns by what people have at hand of their orders."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(order__in=search.order_keys(search_term)), False

    @admin.display(description=_("order"))
    def order_(self, row: Return) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(row.order)

    @admin.display(description=_("SKU"))
    def item(self, row: Return) -> str:
        """Show what comes back."""
        return row.order_line.sku.code if row.order_line.sku else row.order_line.external_sku

    @admin.display(description=_("quantity"))
    def units(self, row: Return) -> SafeString:
        """Show how many."""
        return columns.number(row.quantity)

    @admin.display(description=_("refund"))
    def money(self, row: Return) -> SafeString:
        """Show how much money goes back."""
        return columns.money(row.refund_amount, row.order.currency)

    @admin.display(description=_("status"))
    def state(self, row: Return) -> SafeString:
        """Show how far it is."""
        return columns.label(row.get_status_display(), TONES.get(row.status, "grey"))

    @admin.display(description=_("requested at"))
    def asked(self, row: Return) -> SafeString:
        """Show when it was asked for."""
        return columns.when(row.requested_at)

    @admin.display(description=_("received at"))
    def came(self, row: Return) -> SafeString:
        """Show when the goods came back."""
        return columns.when(row.received_at)
