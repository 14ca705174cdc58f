"""Reservations and movements: what explains the figures of stock."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from inventory.admin import choices
from inventory.models import Reservation, StockMovement
from inventory.statuses import MovementKind, ReservationStatus

STATES = {
    ReservationStatus.ACTIVE: (pgettext_lazy("reservation", "Active"), "blue"),
    ReservationStatus.CONSUMED: (pgettext_lazy("reservation", "Consumed"), "green"),
    ReservationStatus.RELEASED: (pgettext_lazy("reservation", "Released"), "grey"),
}  # a parcel is “Released” too, and Chinese has another word for that


def state_label(status: str) -> SafeString:
    """Return a reservation's status as a coloured label."""
    words, tone = STATES[ReservationStatus(status)]
    return columns.label(words, tone)


def states() -> list[tuple[str, Any]]:
    """Return every status of a reservation as a choice."""
    return [(str(status), words) for status, (words, _tone) in STATES.items()]


class SkuFilter(filters.ChoiceFilter):
    """One SKU by its number, as the links of the stock page ask for it; offers no list of all SKUs."""

    title = _("SKU")
    parameter_name = "sku"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return only what the address already asks for."""
        value = request.GET.get("sku", "")
        return [(value, _("SKU no. %(number)s") % {"number": value})] if value.isdigit() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep this SKU."""
        value = self.value()
        return queryset.filter(sku_id=value) if value and value.isdigit() and len(value) < 19 else queryset


class LedgerAdmin(MachineAdmin):
    """Rows of one SKU at one node."""

    list_select_related: tuple[str, ...] = ("sku", "node")
    search_fields = ("reference",)
    search_help_text = _("Reference (parcel) or SKU begins with …")
    sortable_by = ()
    ordering: tuple[str, ...] = ("-pk",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find rows by the beginning of their reference, or else by the SKU's whole code."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_reference = queryset.filter(reference__startswith=term).exclude(reference="")
        return (by_reference if by_reference.exists() else queryset.filter(sku__code=term)), False

    @admin.display(description=_("SKU"))
    def item(self, row: Any) -> SafeString:
        """Show the SKU."""
        return columns.code_and_name(row.sku)

    @admin.display(description=_("node"))
    def place(self, row: Any) -> SafeString:
        """Show where."""
        return columns.code_and_name(row.node)


@admin.register(Reservation)
class ReservationAdmin(LedgerAdmin):
    """What is promised to whom."""

    list_display = ("reference", "item", "place", "units", "state", "since", "until")
    list_filter = (
        filters.choice(_("status"), "status", states),
        filters.choice(_("node"), "node", choices.nodes),
        SkuFilter,
    )
    fields = ("reference", "key", "item", "place", "units", "lots", "state", "since", "until")
    readonly_fields = fields
    empty_hint = _("No reservations: they appear when orders are allocated.")

    @admin.display(description=_("quantity"))
    def units(self, row: Reservation) -> SafeString:
        """Show how many."""
        return columns.number(row.quantity)

    @admin.display(description=_("lots"))
    def lots(self, row: Reservation) -> SafeString:
        """Show which lots it takes, first expired first; on its own page only."""
        picked = row.lots.order_by("lot__expires_date", "lot").values_list("quantity", "lot__code", "lot__expires_date")
        return format_html_join(
            ", ", "{} × {} {}", ((units, code or "–", f"({until})" if until else "") for units, code, until in picked)
        )

    @admin.display(description=_("status"))
    def state(self, row: Reservation) -> SafeString:
        """Show whether it still holds stock."""
        return state_label(row.status)

    @admin.display(description=_("reserved at"))
    def since(self, row: Reservation) -> SafeString:
        """Show since when."""
        return columns.when(row.reserved_at)

    @admin.display(description=_("expires at"))
    def until(self, row: Reservation) -> SafeString:
        """Show when it ends by itself, if ever."""
        return columns.when(row.expires_at)


@admin.register(StockMovement)
class StockMovementAdmin(LedgerAdmin):
    """Every change of stock on hand."""

    list_display = ("moved", "item", "place", "kind_name", "change", "from_lot", "reference", "who", "reason")
    list_select_related = ("sku", "node", "lot")
    list_filter = (
        filters.choice(_("kind"), "kind", lambda: MovementKind.choices),
        filters.choice(_("node"), "node", choices.nodes),
        SkuFilter,
        ("moved_at", filters.DaysFilter),
    )
    ordering = ("-moved_at", "-pk")
    fields = ("moved", "key", "item", "place", "kind_name", "change", "from_lot", "reference", "who", "reason")
    readonly_fields = fields
    empty_hint = _("No movements yet: receipts, shipments and counts appear here.")

    @admin.display(description=_("moved at"))
    def moved(self, row: StockMovement) -> SafeString:
        """Show when."""
        return columns.when(row.moved_at)

    @admin.display(description=_("kind"))
    def kind_name(self, row: StockMovement) -> SafeString:
        """Show why stock changed."""
        return columns.label(row.get_kind_display(), "green" if row.quantity > 0 else "blue")

    @admin.display(description=_("change"))
    def change(self, row: StockMovement) -> SafeString:
        """Show the change with its sign."""
        return columns.signed(row.quantity)

    @admin.display(description=_("lot"))
    def from_lot(self, row: StockMovement) -> SafeString:
        """Show the lot, with its date as a hint."""
        return columns.EMPTY if row.lot is None else columns.label(row.lot, "grey", row.lot.expires_date or "")

    @admin.display(description=_("by"))
    def who(self, row: StockMovement) -> str:
        """Show who moved it."""
        return columns.actor(row.actor)
