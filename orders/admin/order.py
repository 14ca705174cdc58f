"""The orders list, and the door of the single order page."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, masking
from audit.admin.base import MachineAdmin
from audit.admin.filters import DaysFilter, PlacedFilter, choice
from channels.admin import choices as channel_choices
from inventory.admin import choices as stock_choices
from orders.admin import deeds, filters, looks, override, page, promise_filters, refund_quote, search
from orders.models import Fulfillment, Order
from orders.statuses import FulfillmentStatus, MoneyState, OrderStatus


@admin.register(Order)
class OrderAdmin(MachineAdmin):
    """Every order of every channel as one kind of row."""

    change_form_template = "admin/orders/order/change_form.html"
    list_display = ("number_", "shop", "buyer", "amount", "state", "nodes", "age", "due")
    list_display_links = None
    list_filter = (
        choice(_("status"), "status", lambda: OrderStatus.choices),
        choice(_("channel"), "channel", channel_choices.channels),
        choice(_("money"), "money", lambda: MoneyState.choices, column="money_state"),
        choice(_("province"), "region", stock_choices.provinces),
        filters.NodeFilter,
        filters.HoldFilter,
        filters.DeadlineFilter,
        filters.ShortFilter,
        promise_filters.PromiseFilter,
        promise_filters.SupplyFilter,
        filters.BuyerFilter,
        filters.OversoldFilter,
        PlacedFilter,
        ("placed_at", DaysFilter),
        ("total_amount", filters.AmountFilter),
    )
    list_select_related = ("channel", "customer")
    search_fields = ("number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    sortable_by = ("age",)
    verbs = deeds.OF_ORDERS
    empty_hint = _("No orders yet. They appear as soon as a channel sends one.")
    standard_views = (
        (_("Needs a person"), "status=on_hold"),
        (_("Late"), "deadline=late"),
        (_("Backordered"), "status=backordered"),
        (_("Awaiting payment"), "status=awaiting_payment"),
        (_("Today"), "when=today"),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that works out a refund, and the one that chooses nodes."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/refund-quote/", wrap(partial(refund_quote.view, self)), name="orders_order_refund_quote"),
            path("<int:pk>/nodes/", wrap(partial(override.view, self)), name="orders_order_nodes"),
            *super().get_urls(),
        ]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the newest first; whoever asks for a deadline sees the soonest first."""
        return ("ship_by", "pk") if request.GET.get("deadline") else ("-placed_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Fetch the live parcels' nodes with the page, in one query."""
        live = Fulfillment.objects.exclude(status=FulfillmentStatus.CANCELLED).select_related("node").order_by("pk")
        return super().get_queryset(request).prefetch_related(Prefetch("fulfillments", live, to_attr="live_parcels"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """Fetch one order with what its page's head shows."""
        if not object_id.isdigit() or len(object_id) > 18:
            return None
        return Order.objects.select_related("channel", "customer").filter(pk=object_id).first()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find orders by what people have at hand."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=search.order_keys(search_term)), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show nothing of Django's form: the page has its own shape."""
        return [(None, {"fields": []})]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add what the single order page shows."""
        context |= page.context(self, request, context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("number"))
    def number_(self, order: Order) -> SafeString:
        """Show our number, with a link to the page."""
        return looks.order_link(order)

    @admin.display(description=_("channel"))
    def shop(self, order: Order) -> SafeString:
        """Show where it was sold."""
        return columns.code_and_name(order.channel)

    @admin.display(description=_("buyer"))
    def buyer(self, order: Order) -> str | SafeString:
        """Show the buyer's name, masked."""
        name = order.customer.name if order.customer else order.recipient_name
        return masking.name(name) or columns.EMPTY

    @admin.display(description=_("amount"))
    def amount(self, order: Order) -> SafeString:
        """Show the total with its currency."""
        return columns.money(order.total_amount, order.currency)

    @admin.display(description=_("status"))
    def state(self, order: Order) -> SafeString:
        """Show where it stands."""
        return looks.status(order)

    @admin.display(description=_("node"))
    def nodes(self, order: Any) -> SafeString:
        """Show the nodes that send it."""
        codes = dict.fromkeys(parcel.node.code for parcel in order.live_parcels)
        return format_html("{}", ", ".join(codes)) if codes else columns.EMPTY

    @admin.display(description=_("age"), ordering="-placed_at")
    def age(self, order: Order) -> SafeString:
        """Show how long ago it was placed."""
        return columns.age(order.placed_at)

    @admin.display(description=_("deadline"))
    def due(self, order: Order) -> SafeString:
        """Show how much time is left to ship it."""
        return columns.deadline(order.ship_by, is_open=looks.is_open(order))
