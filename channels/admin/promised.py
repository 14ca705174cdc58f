"""What each channel may sell of a SKU, now or at a past moment, why, and how much of each share is used."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from channels import queries
from channels.models import Channel
from inventory.admin import why
from inventory.models import BundlePart, Sku, StockLevel
from inventory.queries import by_channel, share_use
from inventory.queries.by_channel import ChannelFigure
from inventory.queries.derivation import MOST_ROWS, Row
from inventory.queries.share_use import ShareUse
from inventory.statuses import ShareKind

STEPS = {
    "on_hand": _("on hand"), "reserved": _("reserved"), "quality_hold": _("quality hold"),
    "safety_stock": _("safety stock"), "too_old": _("not fresh enough"),
}  # fmt: skip
USES = {"reserved": _("Reserved"), "sold": _("Sold"), "promised": _("Promised ahead")}


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page for the admin of channels."""

    def view(request: HttpRequest, sku_id: int) -> HttpResponse:
        return _page(admin, request, sku_id)

    return [path("promised/<int:sku_id>/", admin.admin_site.admin_view(view), name="channels_channel_promised")]


def page_url(sku_id: int, at: datetime | None = None, *, share: int | None = None, use: str = "") -> str:
    """Return the address of a SKU's page; with a share and a name of its use the rows behind that figure are open."""
    told: dict[str, Any] = {"share": share, "use": use} if share else {}
    if at:
        told["at"] = timezone.localtime(at).isoformat()
    return reverse("admin:channels_channel_promised", args=[sku_id]) + (f"?{urlencode(told)}" if told else "")


def _page(admin: Any, request: HttpRequest, sku_id: int) -> HttpResponse:
    """Show one SKU's figure for every selling channel; asks for the permission to view channels and stock levels."""
    if not (admin.has_view_permission(request) and request.user.has_perm("inventory.view_stocklevel")):
        raise PermissionDenied
    sku = get_object_or_404(Sku, pk=sku_id)
    at, trouble = why.moment_of(request)
    parts = BundlePart.objects.filter(bundle=sku).select_related("part").order_by("part__code")
    context = admin.admin_site.each_context(request) | why.as_of(request, at, trouble) | {
        "title": gettext("What channels may sell of %(sku)s") % {"sku": sku.code}, "opts": StockLevel._meta,
        "sku": sku, "sku_name": columns.local_name(sku), "network_url": why.network_url(sku_id, at),
        "bundle_parts": [(row, page_url(row.part_id, at)) for row in parts],
    }  # fmt: skip
    if not context["bundle_parts"]:
        context |= _figures(request, sku_id, at) | _shares(request, sku_id, at)
    return TemplateResponse(request, "admin/channels/channel/promised.html", context)


def _figures(request: HttpRequest, sku_id: int, at: datetime | None) -> dict[str, Any]:
    """Return the table of channels."""
    selling = {one.channel.code: one for one in queries.selling(at=at)}
    served = {code: one.node_ids for code, one in selling.items()}
    found = by_channel.derive(sku_id, served, on_date=timezone.localdate(at), at=at)
    return {"heads": list(STEPS.values()), "rows": [_row(selling[one.channel].channel, one) for one in found]}


def _shares(request: HttpRequest, sku_id: int, at: datetime | None) -> dict[str, Any]:
    """Return the table of shares with their use, and the rows behind the chosen figure."""
    uses = share_use.derive(sku_id, at=at)
    asked, name = request.GET.get("share", ""), request.GET.get("use", "")
    chosen = next((use for use in uses if str(use.share_id) == asked and name in USES), None)
    may_look = request.user.has_perm("inventory.view_channelshare")
    told: dict[str, Any] = {
        "use_heads": list(USES.values()),
        "uses": [_use(use, sku_id, at, may_look=may_look) for use in uses],
    }
    if chosen:
        rows = share_use.rows_behind(chosen, name, at=at)
        told["open"] = {
            "title": f"{chosen.pool.channel}: {USES[name]}",
            "is_cut": len(rows) == MOST_ROWS,
            "most": MOST_ROWS,
            "rows": [
                {"at": columns.when(row.at), "units": f"{row.quantity:,}", "reference": _reference(row)} for row in rows
            ],
        }
    return told


def _use(use: ShareUse, sku_id: int, at: datetime | None, *, may_look: bool) -> dict[str, Any]:
    pool = use.pool
    amount = f"{pool.amount.normalize():f}"
    size = f"{amount} %" if pool.unit == "percent" else gettext("%(units)s units") % {"units": amount}
    url = reverse("admin:inventory_channelshare_change", args=[use.share_id])
    return {
        "channel": pool.channel,
        "share": columns.link(url, f"{ShareKind(pool.kind).label}, {size}") if may_look else size,
        "since": columns.when(use.opened_at),
        "cells": [
            why.figure_link(
                getattr(pool, name),
                page_url(sku_id, at, share=use.share_id, use=name) + "#behind",
                differs=use.stored is not None and use.stored[name] != getattr(pool, name),
            )
            for name in USES
        ],
        "used": f"{pool.used:,}",
    }


def _reference(row: Row) -> SafeString | str:
    """Return whom a row is for: a reservation's parcel, or the order that a presale promised units to."""
    if row.model == "inventory.presalechange":
        found = f"{reverse('admin:orders_order_changelist')}?{urlencode({'q': row.reference})}"
        return columns.link(found, row.reference)
    return why.reference(row)


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
