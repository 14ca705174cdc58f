"""Goods with a date: lots, where they lie, and how long they must keep for whom."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from inventory.admin import choices
from inventory.admin.ledger import LedgerAdmin, SkuFilter
from inventory.models import Lot, LotLevel, RemainingLife
from inventory.services.expiring import SOON


class LifeFilter(filters.ChoiceFilter):
    """How long lots still keep."""

    title = _("remaining life")
    parameter_name = "life"
    prefix = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the grades that can be chosen."""
        return [
            ("over", _("Past its date")),
            ("soon", _("Within 14 days")),
            ("later", _("Later")),
            ("none", _("No date")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen grade."""
        today = timezone.localdate()
        column = f"{self.prefix}expires_date"
        wanted: dict[str, dict[str, Any]] = {
            "over": {f"{column}__lt": today},
            "soon": {f"{column}__range": (today, today + SOON)},
            "later": {f"{column}__gt": today + SOON},
            "none": {f"{column}__isnull": True},
        }
        return queryset.filter(**wanted.get(self.value() or "", {}))


class LifeOfLotFilter(LifeFilter):
    """The same, asked of rows that point at a lot."""

    prefix = "lot__"


def days_left(expires_date: date | None) -> SafeString:
    """Return how many days a lot still keeps: red when it is over, amber within two weeks."""
    if expires_date is None:
        return columns.EMPTY
    days = (expires_date - timezone.localdate()) // timedelta(days=1)
    if days < 0:
        return columns.label(gettext("%(n)s days over") % {"n": -days}, "red", expires_date)
    return columns.label(gettext("%(n)s days") % {"n": days}, "amber" if days <= SOON.days else "green", expires_date)


def day(value: date | None) -> SafeString:
    """Return a day as digits."""
    return columns.EMPTY if value is None else format_html('<span class="nowrap">{}</span>', f"{value:%Y-%m-%d}")


@admin.register(Lot)
class LotAdmin(AuditedAdmin):
    """Every lot with its date; the date can be corrected, with a reason."""

    list_display = ("name", "item", "until", "left", "units", "places")
    list_filter = (
        LifeFilter,
        filters.choice(_("category"), "category", choices.categories, column="sku__category"),
        SkuFilter,
    )
    list_select_related = ("sku",)
    search_fields = ("code",)
    search_help_text = _("Lot or SKU begins with …")
    ordering = ("expires_date", "pk")
    sortable_by = ()
    include_object_permissions_urls = False
    fields = ("name", "item", "expires_date", "made_date", "left", "units", "places")
    readonly_fields = ("name", "item", "left", "units", "places")
    empty_hint = _("No lots yet. They appear when goods of a SKU that has lots come in.")
    standard_views = ((_("Past its date"), "life=over"), (_("Within 14 days"), "life=soon"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: lots come with goods."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: the ledger keeps naming it."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find lots by the beginning of their code, or else by the SKU's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_code = queryset.filter(code__startswith=term)
        return (by_code if by_code.exists() else queryset.filter(sku__code__startswith=term)), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return one lot with what the list knows of it."""
        row = super().get_object(request, object_id, from_field)
        if row:
            self.decorate([row])
        return row

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add where each lot lies."""
        found = LotLevel.objects.filter(lot__in=rows, on_hand__gt=0).order_by("node__code")
        lying: dict[int, list[tuple[str, int]]] = {}
        for lot_id, node, units in found.values_list("lot", "node__code", "on_hand"):
            lying.setdefault(lot_id, []).append((node, units))
        for row in rows:
            row.lying = lying.get(row.pk, [])

    @admin.display(description=_("lot"))
    def name(self, lot: Lot) -> str:
        """Show the lot's code."""
        return lot.code or gettext("unlabelled")

    @admin.display(description=_("SKU"))
    def item(self, lot: Lot) -> SafeString:
        """Show the SKU."""
        return columns.code_and_name(lot.sku)

    @admin.display(description=_("expires on"))
    def until(self, lot: Lot) -> SafeString:
        """Show its date."""
        return day(lot.expires_date)

    @admin.display(description=_("remaining life"))
    def left(self, lot: Lot) -> SafeString:
        """Show how long it keeps."""
        return days_left(lot.expires_date)

    @admin.display(description=_("on hand"))
    def units(self, lot: Any) -> SafeString:
        """Show how many there are, with a link to where they lie."""
        units = sum(units for _node, units in lot.lying)
        return columns.number(units, f"{reverse('admin:inventory_lotlevel_changelist')}?lot={lot.pk}")

    @admin.display(description=_("by node"))
    def places(self, lot: Any) -> SafeString:
        """Show where they lie."""
        shown = lot.lying[:6]
        text = format_html_join(", ", "{} {}", shown)
        return format_html("{} …", text) if len(lot.lying) > len(shown) else text


class LotFilter(SkuFilter):
    """One lot by its number, as the links of the list of lots ask for it."""

    title = _("lot")
    parameter_name = "lot"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return only what the address already asks for."""
        value = request.GET.get("lot", "")
        return [(value, _("Lot no. %(number)s") % {"number": value})] if value.isdigit() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep this lot."""
        value = self.value()
        return queryset.filter(lot_id=value) if value and value.isdigit() and len(value) < 19 else queryset


@admin.register(LotLevel)
class LotLevelAdmin(LedgerAdmin):
    """What lies where of each lot."""

    list_display = ("name", "item", "place", "stock", "promised", "held", "free", "until", "left")
    list_filter = (
        LifeOfLotFilter,
        filters.choice(_("node"), "node", choices.nodes),
        LotFilter,
        SkuFilter,
    )
    list_select_related = ("sku", "node", "lot")
    search_help_text = _("Lot or SKU begins with …")
    search_fields = ("lot__code",)
    ordering = ("lot__expires_date", "pk")
    fields = list_display
    readonly_fields = fields
    empty_hint = _("No lots yet. They appear when goods of a SKU that has lots come in.")
    standard_views = ((_("Past its date"), "life=over"), (_("Within 14 days"), "life=soon"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LotLevel]:
        """Leave out places that a lot has left."""
        return super().get_queryset(request).filter(on_hand__gt=0)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find rows by the beginning of the lot's code, or else of the SKU's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_code = queryset.filter(lot__code__startswith=term)
        return (by_code if by_code.exists() else queryset.filter(sku__code__startswith=term)), False

    @admin.display(description=_("lot"))
    def name(self, row: LotLevel) -> SafeString:
        """Show the lot, with a link to it."""
        url = reverse("admin:inventory_lot_change", args=[row.lot_id])
        return columns.link(url, row.lot.code or gettext("unlabelled"))

    @admin.display(description=_("on hand"))
    def stock(self, row: LotLevel) -> SafeString:
        """Show what lies there."""
        return columns.number(row.on_hand)

    @admin.display(description=_("reserved"))
    def promised(self, row: LotLevel) -> SafeString:
        """Show what parcels will take."""
        return columns.number(row.reserved)

    @admin.display(description=_("quality hold"))
    def held(self, row: LotLevel) -> SafeString:
        """Show what waits for a decision."""
        return columns.number(row.quality_hold)

    @admin.display(description=_("free"))
    def free(self, row: LotLevel) -> SafeString:
        """Show what nobody has yet."""
        return columns.number(row.on_hand - row.reserved - row.quality_hold)

    @admin.display(description=_("expires on"))
    def until(self, row: LotLevel) -> SafeString:
        """Show its date."""
        return day(row.lot.expires_date)

    @admin.display(description=_("remaining life"))
    def left(self, row: LotLevel) -> SafeString:
        """Show how long it keeps."""
        return days_left(row.lot.expires_date)


@admin.register(RemainingLife)
class RemainingLifeAdmin(AuditedAdmin):
    """How long goods must keep for a channel and a category; the narrowest rule wins."""

    list_display = ("whom", "what", "days")
    list_select_related = ("category",)
    search_fields = ("channel",)
    ordering = ("channel", "category_id")
    sortable_by = ()
    include_object_permissions_urls = False
    fields = ("channel", "category", "days")
    empty_hint = _("No rules: every channel gets what is not past its date.")

    @admin.display(description=_("channel"))
    def whom(self, rule: RemainingLife) -> str:
        """Show for whom."""
        return rule.channel or gettext("all channels")

    @admin.display(description=_("category"))
    def what(self, rule: RemainingLife) -> str:
        """Show of what."""
        return columns.local_name(rule.category) if rule.category else gettext("all categories")
