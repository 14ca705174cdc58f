"""Stock levels: each figure leads to the rows that explain it."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from inventory.admin import choices, level_deeds, why
from inventory.admin.safety import SET_OWN
from inventory.models import StockLevel

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

    list_display = ("item", "title", "place", "stock", "promised", "held", "kept_back", "free")
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
    fields = ("item", "title", "place", "stock", "promised", "held", "kept_back", "own_safety", "free")
    readonly_fields = fields
    verbs = (*level_deeds.VERBS, SET_OWN)
    empty_hint = _("No stock yet. It appears with the first receipt or import.")
    standard_views = ((_("Nothing left"), "stock=zero"), (_("Low"), "stock=low"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that say where figures come from."""
        return why.urls(self) + super().get_urls()

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
        return _opens(level, "on_hand", level.on_hand)

    @admin.display(description=_("reserved"))
    def promised(self, level: StockLevel) -> SafeString:
        """Show what is promised, with a link to the reservations."""
        return _opens(level, "reserved", level.reserved)

    @admin.display(description=_("quality hold"))
    def held(self, level: StockLevel) -> SafeString:
        """Show what waits for a decision, with a link to the holds."""
        return _opens(level, "quality_hold", level.quality_hold)

    @admin.display(description=_("safety stock"))
    def kept_back(self, level: StockLevel) -> SafeString:
        """Show what is never promised, with a link to the rule that says so."""
        return _opens(level, "safety_stock", level.safety_stock)

    @admin.display(description=_("own safety stock"))
    def own_safety(self, level: StockLevel) -> SafeString:
        """Show what it keeps back where no rule fits, with a link to every change of what it kept back."""
        url = f"{reverse('admin:inventory_safetychange_changelist')}?sku={level.sku_id}&node={level.node_id}"
        changes = columns.link(url, _("changes"))
        return format_html("{} · {}", level.own_safety_stock, changes)

    @admin.display(description=_("available"))
    def free(self, level: StockLevel) -> SafeString:
        """Show what may still be promised, with a link to the sum."""
        tone = "red" if level.available == 0 else "amber" if level.available <= LOW else "green"
        url = why.node_url(level.sku_id, level.node_id, "available")
        return format_html('<a href="{}">{}</a>', url, columns.label(level.available, tone))


def _opens(level: StockLevel, figure: str, value: int) -> SafeString:
    return why.figure_link(value, why.node_url(level.sku_id, level.node_id, figure))
