"""What each channel may sell of a SKU, and why."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from channels import queries
from channels.models import Channel
from inventory.admin import why
from inventory.models import BundlePart, Sku, StockLevel
from inventory.queries import by_channel
from inventory.queries.by_channel import ChannelFigure

STEPS = {
    "on_hand": _("on hand"), "reserved": _("reserved"), "quality_hold": _("quality hold"),
    "safety_stock": _("safety stock"), "too_old": _("not fresh enough"),
}  # fmt: skip


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page for the admin of channels."""

    def view(request: HttpRequest, sku_id: int) -> HttpResponse:
        return _page(admin, request, sku_id)

    return [path("promised/<int:sku_id>/", admin.admin_site.admin_view(view), name="channels_channel_promised")]


def _page(admin: Any, request: HttpRequest, sku_id: int) -> HttpResponse:
    """Show one SKU's figure for every active channel; asks for the permission to view channels and stock levels."""
    if not (admin.has_view_permission(request) and request.user.has_perm("inventory.view_stocklevel")):
        raise PermissionDenied
    sku = get_object_or_404(Sku, pk=sku_id)
    channels = {row.code: row for row in Channel.objects.filter(is_active=True).order_by("code")}
    found = by_channel.derive(sku_id, queries.served(channels.values()), on_date=timezone.localdate())
    parts = BundlePart.objects.filter(bundle=sku).select_related("part").order_by("part__code")
    context = admin.admin_site.each_context(request) | {
        "title": gettext("What channels may sell of %(sku)s") % {"sku": sku.code}, "opts": StockLevel._meta,
        "sku": sku, "sku_name": columns.local_name(sku), "network_url": why.network_url(sku_id),
        "bundle_parts": [row.part for row in parts], "heads": list(STEPS.values()),
        "rows": [_row(channels[one.channel], one) for one in found],
    }  # fmt: skip
    return TemplateResponse(request, "admin/channels/channel/promised.html", context)


def _row(channel: Channel, one: ChannelFigure) -> dict[str, Any]:
    units = dict(one.parts)
    return {
        "name": columns.code_and_name(channel),
        "nodes": one.node_count,
        "steps": [f"{units[name]:,}" for name in STEPS],
        "below_zero": units.get("below_zero", 0),
        "at_nodes": f"{one.at_nodes:,}",
        "room": "–" if one.share_room is None else f"{one.share_room:,}",
        "shares": [_words(part) for part in one.share_parts],
        "value": columns.label(f"{one.value:,}", "green" if one.value else "red"),
    }


def _words(part: Any) -> str:
    """Return one step of the sum behind a channel's share."""
    if part.name == "set_aside":
        return gettext("%(units)s set aside for %(channel)s") % {"units": f"{part.units:,}", "channel": part.channel}
    if part.name == "share":
        return gettext("own share has %(units)s left") % {"units": f"{part.units:,}"}
    return gettext("%(units)s free at all nodes") % {"units": f"{part.units:,}"}
