"""Stock levels: each figure leads to the rows that explain it."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from inventory.admin import choices
from inventory.models import StockLevel
from inventory.statuses import ReservationStatus

LOW = 5


class StockFilter(filters.ChoiceFilter):
    """How much may still be promised."""

    title = _("available")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the grades that can be chosen."""
        return [("zero", _("Nothing left")), ("low", _("Five or fewer left")), ("some", _("In stock"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen grade."""
        if not self.value():
            return queryset
        rows = queryset.alias(left=F("on_hand") - F("reserved") - F("quality_hold") - F("safety_stock"))
        if self.value() == "zero":
            return rows.filter(left__lte=0)
        return rows.filter(left__gt=0, left__lte=LOW) if self.value() == "low" else rows.filter(left__gt=0)


@admin.register(StockLevel)
class StockLevelAdmin(MachineAdmin):
    """The balance of each SKU at each node."""

    list_display = ("item", "title", "place", "stock", "promised", "kept_back", "free")
    list_filter = (
        filters.choice(_("node"), "node", choices.nodes),
        filters.choice(_("category"), "category", choices.categories, column="sku__category"),
        StockFilter,
    )
    list_select_related = ("sku", "node")
    search_fields = ("sku__code",)
    search_help_text = _("SKU begins with …")
    ordering = ("sku_id", "node_id")
    sortable_by = ()
    fields = ("item", "title", "place", "stock", "promised", "kept_back", "free")
    readonly_fields = fields
    empty_hint = _("No stock yet. It appears with the first receipt or import.")
    standard_views = ((_("Nothing left"), "stock=zero"), (_("Low"), "stock=low"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find levels by the beginning of the SKU's code."""
        term = search_term.strip()
        return (queryset.filter(sku__code__startswith=term) if term else queryset), False

    @admin.display(description=_("SKU"))
    def item(self, level: StockLevel) -> str:
        """Show the SKU's code."""
        return level.sku.code

    @admin.display(description=_("name"))
    def title(self, level: StockLevel) -> SafeString:
        """Show the SKU's name, with a link to it."""
        url = reverse("admin:inventory_sku_change", args=[level.sku_id])
        return columns.link(url, columns.local_name(level.sku))

    @admin.display(description=_("node"))
    def place(self, level: StockLevel) -> SafeString:
        """Show where."""
        return columns.code_and_name(level.node)

    @admin.display(description=_("on hand"))
    def stock(self, level: StockLevel) -> SafeString:
        """Show what lies there, with a link to the movements that add up to it."""
        return columns.number(level.on_hand, _rows("stockmovement", level))

    @admin.display(description=_("reserved"))
    def promised(self, level: StockLevel) -> SafeString:
        """Show what is promised, with a link to the reservations."""
        return columns.number(level.reserved, _rows("reservation", level) + f"&status={ReservationStatus.ACTIVE}")

    @admin.display(description=_("safety stock"))
    def kept_back(self, level: StockLevel) -> SafeString:
        """Show what is never promised."""
        return columns.number(level.safety_stock)

    @admin.display(description=_("available"))
    def free(self, level: StockLevel) -> SafeString:
        """Show what may still be promised."""
        tone = "red" if level.available == 0 else "amber" if level.available <= LOW else "green"
        return columns.label(level.available, tone)


def _rows(model: str, level: StockLevel) -> str:
    return f"{reverse(f'admin:inventory_{model}_changelist')}?sku={level.sku_id}&node={level.node_id}"
