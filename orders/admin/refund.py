"""Refunds as their channels tell them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from orders.admin import looks, refund_quote, search
from orders.models import Refund
from orders.statuses import RefundStatus


@admin.register(Refund)
class RefundAdmin(MachineAdmin):
    """Money that goes back, or is asked for."""

    list_display = ("order_", "external_id", "money", "about", "reason", "state", "asked", "told")
    list_display_links = None
    list_filter = (
        filters.choice(_("status"), "status", lambda: RefundStatus.choices),
        ("received_at", filters.DaysFilter),
    )
    list_select_related = ("order",)
    search_fields = ("order__number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    ordering = ("-received_at", "-pk")
    sortable_by = ()
    fields = (
        "order_", "external_id", "money", "about", "reason", "state", "asked", "told", "goods_come_back", "worked_out",
    )  # fmt: skip
    readonly_fields = fields
    empty_hint = _("No refunds. They appear when a channel tells of one.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find refunds by what people have at hand of their orders."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(order__in=search.order_keys(search_term)), False

    @admin.display(description=_("order"))
    def order_(self, row: Refund) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(row.order)

    @admin.display(description=_("amount"))
    def money(self, row: Refund) -> SafeString:
        """Show how much money it is about."""
        return columns.money(row.amount, row.currency)

    @admin.display(description=_("lines"))
    def about(self, row: Refund) -> str:
        """Show which lines it is about."""
        return looks.refund_lines(row)

    @admin.display(description=_("status"))
    def state(self, row: Refund) -> SafeString:
        """Show how far it is."""
        return looks.refund_status(row)

    @admin.display(description=_("asked at"))
    def asked(self, row: Refund) -> SafeString:
        """Show when the buyer asked for it."""
        return columns.when(row.asked_at)

    @admin.display(description=_("told at"))
    def told(self, row: Refund) -> SafeString:
        """Show when the channel told us first."""
        return columns.when(row.received_at)

    @admin.display(description=_("we work out"))
    def worked_out(self, row: Refund) -> SafeString:
        """Show what the order would have cost without these units, beside what the channel says."""
        told = refund_quote.beside(row)
        return SafeString(render_to_string("admin/orders/order/worked_out.html", {"told": told}))
