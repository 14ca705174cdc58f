"""Buyers as channels know them, masked."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters, masking
from audit.admin.base import MachineAdmin
from channels.admin import choices
from channels.models import Channel
from orders.models import Customer, Order


@admin.register(Customer)
class CustomerAdmin(MachineAdmin):
    """Who buys."""

    list_display = ("key", "masked", "shop", "count")
    list_filter = (filters.choice(_("channel"), "channel", choices.channels),)
    list_select_related = ("channel",)
    search_fields = ("external_key",)
    search_help_text = _("The channel's whole key of the buyer")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("key", "masked", "shop")
    readonly_fields = fields
    empty_hint = _("No buyers yet. They appear with their first order.")

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how many orders each buyer has."""
        orders = Order.objects.filter(customer__in=rows).values("customer").annotate(count=Count("pk"))
        counts = dict(orders.values_list("customer", "count"))
        for customer in rows:
            customer.order_count = counts.get(customer.pk, 0)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find a buyer by the whole key; the index begins with the channel, so all are named."""
        term = search_term.strip()
        if not term:
            return queryset, False
        every = list(Channel.objects.values_list("pk", flat=True))
        return queryset.filter(channel__in=every, external_key=term), False

    @admin.display(description=_("channel's key"))
    def key(self, customer: Customer) -> str:
        """Show the end of the key."""
        return masking.key(customer.external_key)

    @admin.display(description=_("name"))
    def masked(self, customer: Customer) -> str:
        """Show the beginning of the name."""
        return masking.name(customer.name) or "–"

    @admin.display(description=_("channel"))
    def shop(self, customer: Customer) -> SafeString:
        """Show where the buyer buys."""
        return columns.code_and_name(customer.channel)

    @admin.display(description=_("orders"))
    def count(self, customer: Any) -> SafeString:
        """Show how many orders the buyer has."""
        return columns.number(customer.order_count, f"{reverse('admin:orders_order_changelist')}?buyer={customer.pk}")
