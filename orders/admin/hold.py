"""Held orders: why each waits, since when, and what can be done."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from orders.admin import deeds, looks, search, unknown
from orders.models import Hold
from orders.statuses import HoldKind


class StateFilter(filters.ChoiceFilter):
    """Open holds unless others are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states that can be chosen."""
        return [("open", _("Open")), ("lifted", _("Lifted")), ("all", _("Open and lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen state; nothing chosen means open."""
        value = self.value() or "open"
        return queryset if value == "all" else queryset.filter(lifted_at__isnull=value == "open")


@admin.register(Hold)
class HoldAdmin(MachineAdmin):
    """Reasons why orders may not go on."""

    list_display = ("order_", "what", "why", "amount", "since", "who", "due")
    list_display_links = None
    list_filter = (StateFilter, filters.choice(_("kind"), "kind", lambda: HoldKind.choices))
    list_select_related = ("order",)
    search_fields = ("order__number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("order_", "what", "why", ("opened", "who"), ("lifted", "lifter"))
    readonly_fields = ("order_", "what", "why", "opened", "who", "lifted", "lifter")
    empty_hint = _("No order is on hold. Nothing waits for you here.")
    standard_views = tuple((title, f"kind={kind}") for kind, title in HoldKind.choices)
    verbs = (deeds.TRY_AGAIN, deeds.LIFT, deeds.CANCEL)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks which SKU a code is."""
        return unknown.urls(self) + super().get_urls()

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those act on holds who may change orders."""
        return request.user.has_perm("orders.change_order")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the order with its hold, also for the answers of the verbs."""
        return super().get_queryset(request).select_related("order")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find holds by what people have at hand of their orders."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(order__in=search.order_keys(search_term)), False

    @admin.display(description=_("order"))
    def order_(self, hold: Hold) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(hold.order)

    @admin.display(description=_("kind"))
    def what(self, hold: Hold) -> SafeString:
        """Show what sort of hold it is."""
        return columns.label(hold.get_kind_display(), "red" if hold.lifted_at is None else "grey")

    @admin.display(description=_("reason"))
    def why(self, hold: Hold) -> str:
        """Show why the order waits; a code that nobody knows leads to where it is said."""
        words = columns.sentence(hold.reason)
        if hold.kind != HoldKind.UNKNOWN_SKU or hold.lifted_at is not None:
            return words
        return columns.link(unknown.address(hold.order.number), words)

    @admin.display(description=_("amount"))
    def amount(self, hold: Hold) -> SafeString:
        """Show how much money waits."""
        return columns.money(hold.order.total_amount, hold.order.currency)

    @admin.display(description=_("age"))
    def since(self, hold: Hold) -> SafeString:
        """Show how long it waits."""
        return columns.age(hold.opened_at)

    @admin.display(description=_("by"))
    def who(self, hold: Hold) -> str:
        """Show who put it on hold."""
        return columns.actor(hold.opened_by)

    @admin.display(description=_("deadline"))
    def due(self, hold: Hold) -> SafeString:
        """Show how much time is left to ship it."""
        return columns.deadline(hold.order.ship_by, is_open=looks.is_open(hold.order))

    @admin.display(description=_("opened at"))
    def opened(self, hold: Hold) -> SafeString:
        """Show since when."""
        return columns.when(hold.opened_at)

    @admin.display(description=_("lifted at"))
    def lifted(self, hold: Hold) -> SafeString:
        """Show when it ended."""
        return columns.when(hold.lifted_at)

    @admin.display(description=_("lifted by"))
    def lifter(self, hold: Hold) -> str:
        """Show who ended it."""
        return columns.actor(hold.lifted_by) if hold.lifted_by else "–"
