"""Nodes with what they have taken today."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from inventory.admin import choices
from inventory.models import Node, NodeDay
from inventory.statuses import NodeKind

TONES = {"central_dc": "violet", "regional_dc": "blue", "store": "grey"}


@admin.register(Node)
class NodeAdmin(AuditedAdmin):
    """Places that hold stock and may fulfil."""

    list_display = ("code", "title", "sort", "where", "load", "levels", "active")
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
        (_("What it can do"), {"fields": ("parcels_per_day", "serves")}),
    )
    empty_hint = _("No nodes yet. Add the first place that holds stock.")

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
        return columns.label(_("yes"), "green") if node.is_active else columns.label(_("no"), "red")
