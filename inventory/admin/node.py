"""Nodes with what they have taken today."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from inventory.admin import choices
from inventory.models import Node, NodeDay
from inventory.statuses import Capability, NodeKind

TONES = {"central_dc": "violet", "regional_dc": "blue", "store": "grey"}


class NodeForm(WhyForm):
    """A node in plain words: capabilities and provinces are ticked, groups are words with commas between them."""

    capabilities = forms.MultipleChoiceField(
        label=_("Capabilities"), required=False, choices=Capability.choices, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Goods that need one are sent only by nodes that have it."),
    )  # fmt: skip
    serves = forms.MultipleChoiceField(
        label=_("Serves"), required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Nothing chosen: all of mainland China."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "serves" in self.fields:
            self.fields["serves"].choices = choices.provinces()  # type: ignore[attr-defined]


@admin.register(Node)
class NodeAdmin(AuditedAdmin):
    """Places that hold stock and may fulfil."""

    form = NodeForm
    list_display = ("code", "title", "sort", "where", "load", "leaves", "levels", "active")
    list_filter = (
        filters.choice(_("kind"), "kind", lambda: NodeKind.choices),
        filters.choice(_("province"), "region", choices.provinces),
    )
    search_fields = ("code", "name", "name_en", "city")
    ordering = ("code",)
    sortable_by = ("code",)
    fieldsets = (
        (None, {"fields": (("code", "kind"), ("name", "name_en"), "is_active")}),
        (_("Place"), {"fields": (("region", "city"), ("latitude", "longitude"))}),
        (_("What it can do"), {"fields": (("parcels_per_day", "parcels_per_hour"), "capabilities", "serves")}),
        (_("How routing sees it"), {"fields": (("cut_off", "claim_minutes"), ("pick_cost", "groups"), "trust")}),
        (_("Down for a while"), {"fields": (("down_until", "down_reason"),)}),
    )
    readonly_fields = ("trust",)
    empty_hint = _("No nodes yet. Add the first place that holds stock.")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask in plain words, and why."""
        return super().get_form(request, obj, change, **(kwargs | {"form": NodeForm}))

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add today's load of each node."""
        days = NodeDay.objects.filter(node__in=rows, day_date=timezone.localdate())
        load = {day.node_id: day for day in days}
        for node in rows:
            node.today = load.get(node.pk)

    @admin.display(description=_("name"))
    def title(self, node: Node) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(node)

    @admin.display(description=_("kind"))
    def sort(self, node: Node) -> SafeString:
        """Show what sort of place it is."""
        return columns.label(node.get_kind_display(), TONES.get(node.kind, "grey"))

    @admin.display(description=_("place"))
    def where(self, node: Node) -> str:
        """Show the province."""
        return choices.region_name(node.region)

    @admin.display(description=_("parcels today"))
    def load(self, node: Any) -> SafeString:
        """Show how full the node is today."""
        used = node.today.used if node.today else 0
        capacity = node.today.capacity if node.today else node.parcels_per_day
        share = min(100, round(100 * used / capacity)) if capacity else 100
        tone = "red" if share >= 95 else "amber" if share >= 80 else "green"
        bar = '<span class="bar"><i class="bar-{}" style="width:{}%"></i></span> {} / {}'
        return format_html(bar, tone, share, used, capacity)

    @admin.display(description=_("stock"))
    def levels(self, node: Node) -> SafeString:
        """Lead to the node's stock."""
        return columns.link(f"/admin/inventory/stocklevel/?node={node.pk}", _("Show stock"))

    @admin.display(description=_("active"))
    def active(self, node: Node) -> SafeString:
        """Show whether it gets new parcels."""
        if node.is_active and node.down_until and node.down_until > timezone.now():
            return columns.label(_("down"), "red", node.down_reason)
        return columns.label(_("yes"), "green") if node.is_active else columns.label(_("no"), "red")

    @admin.display(description=_("cut-off"))
    def leaves(self, node: Node) -> SafeString:
        """Show until when parcels leave the same day, and how long it has to begin one."""
        if node.cut_off is None and node.claim_minutes is None:
            return columns.EMPTY
        cut_off = f"{node.cut_off:%H:%M}" if node.cut_off else "–"
        if node.claim_minutes is None:
            return format_html("{}", cut_off)
        begins = gettext("begins within %(minutes)s min") % {"minutes": node.claim_minutes}
        return format_html('{} <span class="faint">{}</span>', cut_off, begins)

    @admin.display(description=_("trust"))
    def trust(self, node: Node) -> SafeString:
        """Lead to the node's standing and to what it did not send."""
        if not node.pk:
            return columns.EMPTY
        standing = columns.link(f"/admin/orders/nodestanding/?node={node.pk}", _("Standing"))
        failures = columns.link(f"/admin/orders/routingattempt/?node={node.pk}", _("What it did not send"))
        return format_html("{} · {}", standing, failures)
