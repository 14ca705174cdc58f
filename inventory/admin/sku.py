"""SKUs with their stock everywhere, bundles with their parts, and categories."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices, why
from inventory.models import BundlePart, Category, Sku, StockLevel
from inventory.services import lot_repair
from inventory.services.refusals import RowsRefused
from inventory.statuses import Capability, SkuKind

TONES = {"single": "grey", "bundle": "violet", "gift": "green"}


class PartInline(TabularInline):
    """What a bundle is made of."""

    model = BundlePart
    fk_name = "bundle"
    autocomplete_fields = ("part",)
    extra = 0


def start_lots(rows: Sequence[Sku], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Let each SKU have lots; a refused one keeps no other from it."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        try:
            lot_repair.start(row.pk, reason=told["reason"], actor=actor, at=at)
        except RowsRefused as error:
            refused[row.code] = error.rows[0].reason
    done = len(rows) - len(refused)
    return Answer(say("%(count)s SKUs have lots from now on.", count=done) if done else None, refused)


def may_have_lots(sku: Sku) -> bool:
    """Return whether a SKU has none yet and could."""
    return not sku.tracks_lots and sku.kind != SkuKind.BUNDLE


class SkuForm(WhyForm):
    """A SKU; what its sending needs and where it must not go are chosen by name."""

    needs = forms.MultipleChoiceField(
        label=_("Needs"), required=False, choices=Capability.choices, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Only nodes that are able to this send it."),
    )  # fmt: skip
    not_to = forms.MultipleChoiceField(
        label=_("Not to"), required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Provinces and countries it must not be sent to."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "not_to" in self.fields:
            self.fields["not_to"].choices = choices.provinces()  # type: ignore[attr-defined]


@admin.register(Sku)
class SkuAdmin(AuditedAdmin):
    """What is sold."""

    form = SkuForm
    list_display = ("code", "title", "sort", "group", "price", "on_hand", "reserved", "active")
    list_filter = (
        filters.choice(_("category"), "category", choices.categories),
        filters.choice(_("kind"), "kind", lambda: SkuKind.choices),
    )
    list_select_related = ("category",)
    search_fields = ("code", "name", "name_en", "barcode")
    search_help_text = _("Code, name or barcode")
    ordering = ("code",)
    sortable_by = ("code",)
    inlines = (PartInline,)
    fieldsets = (
        (
            None,
            {"fields": (("code", "kind"), ("name", "name_en"), ("category", "brand"), ("is_active", "tracks_lots"))},
        ),
        (_("Sending it"), {"fields": (("needs", "not_to"),)}),
        (_("Figures"), {"fields": (("list_price", "unit_cost"), ("weight_g", "barcode"), "stock")}),
    )
    readonly_fields = ("stock",)
    empty_hint = _("No SKUs yet. Add the first one, or import them.")
    verbs = (
        Verb(
            "start-lots", _("Begin with lots…"), start_lots, ReasonForm, icon="event_busy", is_offered=may_have_lots,
            intro=_("What lies anywhere becomes an unlabelled lot without a date. There is no way back."),
        ),
    )  # fmt: skip

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask in plain words, and why."""
        return super().get_form(request, obj, change, **(kwargs | {"form": SkuForm}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave it to a deed of its own whether a SKU that is known has lots: its stock becomes a lot."""
        return (*super().get_readonly_fields(request, obj), *(("tracks_lots",) if obj else ()))

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add each SKU's stock over all nodes."""
        levels = StockLevel.objects.filter(sku__in=rows).values("sku")
        sums = levels.annotate(on_hand=Sum("on_hand"), reserved=Sum("reserved")).values_list(
            "sku", "on_hand", "reserved"
        )
        stock = {sku_id: (on_hand, reserved) for sku_id, on_hand, reserved in sums}
        for sku in rows:
            sku.stock_everywhere = stock.get(sku.pk, (0, 0))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show parts where a bundle may have them."""
        return self.inlines if obj is None or obj.kind == SkuKind.BUNDLE else ()

    @admin.display(description=_("name"))
    def title(self, sku: Sku) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(sku)

    @admin.display(description=_("kind"))
    def sort(self, sku: Sku) -> SafeString:
        """Show what sort of thing is sold."""
        return columns.label(sku.get_kind_display(), TONES.get(sku.kind, "grey"))

    @admin.display(description=_("category"))
    def group(self, sku: Sku) -> str:
        """Show the category."""
        return columns.local_name(sku.category)

    @admin.display(description=_("list price"))
    def price(self, sku: Sku) -> SafeString:
        """Show the price."""
        return columns.money(sku.list_price)

    @admin.display(description=_("on hand"))
    def on_hand(self, sku: Any) -> SafeString:
        """Show the units at all nodes, with a link to where they come from."""
        return why.figure_link(sku.stock_everywhere[0], why.network_url(sku.pk))

    @admin.display(description=_("reserved"))
    def reserved(self, sku: Any) -> SafeString:
        """Show the promised units at all nodes, with a link to where they come from."""
        return why.figure_link(sku.stock_everywhere[1], why.network_url(sku.pk))

    @admin.display(description=_("stock"))
    def stock(self, sku: Sku) -> SafeString:
        """Lead to the SKU's figures at all nodes."""
        return columns.link(why.network_url(sku.pk), _("All nodes, and why")) if sku.pk else columns.EMPTY

    @admin.display(description=_("active"))
    def active(self, sku: Sku) -> SafeString:
        """Show whether it is sold."""
        return columns.label(_("yes"), "green") if sku.is_active else columns.label(_("no"), "red")


@admin.register(Category)
class CategoryAdmin(AuditedAdmin):
    """Groups of SKUs."""

    list_display = ("code", "title")
    search_fields = ("code", "name", "name_en")
    ordering = ("code",)
    include_object_permissions_urls = False
    empty_hint = _("No categories yet. Add the first one before the first SKU.")

    @admin.display(description=_("name"))
    def title(self, category: Category) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(category)
