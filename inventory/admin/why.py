"""Where a figure of stock comes from: one SKU at one node, or at all of them, now or as of a past moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from inventory.models import BundlePart, Node, ReasonCode, Sku, StockDifference, StockLevel
from inventory.queries import derivation, network
from inventory.queries.derivation import NAMES, Figure, Row
from inventory.statuses import DifferenceCheck, DifferenceStatus, MovementKind, ReasonUse

TITLES = {
    "on_hand": _("on hand"), "reserved": _("reserved"), "quality_hold": _("quality hold"),
    "safety_stock": _("safety stock"), "available": _("available"), "in_transit": _("in transit"),
    "expected": _("still to come"),
}  # fmt: skip
KINDS = {
    "reserved": _("reservation"), "transfer": _("transfer"), "in_transit": _("transfer"),
    "expectedreceipt": _("expected receipt"), "expected": _("expected receipt"), "safety_stock": _("safety stock"),
    "own": _("the level's own figure"), "below_zero": _("below zero at a node, counted as nothing"),
}  # fmt: skip
SUM = ("on_hand", "reserved", "quality_hold", "safety_stock", "available")
LISTS = {"on_hand": "stockmovement", "reserved": "reservation", "quality_hold": "qualityhold"}
TRANSFERS = (MovementKind.TRANSFER_IN, MovementKind.TRANSFER_OUT)


@dataclass(frozen=True)
class Bar:
    """One step of the drawn sum: where it begins and how wide it is, in per cent of the drawing."""

    name: str
    title: Any
    value: int
    left: float
    width: float
    url: str
    is_chosen: bool = False
    differs: bool = False


def node_url(sku_id: int, node_id: int, figure: str = "", at: datetime | None = None) -> str:
    """Return the address of the page that says where a node's figure comes from."""
    return reverse("admin:inventory_stocklevel_why", args=[sku_id, node_id]) + _query(figure, at)


def network_url(sku_id: int, at: datetime | None = None) -> str:
    """Return the address of the page with a SKU's figures at all nodes."""
    return reverse("admin:inventory_stocklevel_why_everywhere", args=[sku_id]) + _query("", at)


def figure_link(value: int, url: str, *, differs: bool = False) -> SafeString:
    """Return a right-aligned number that opens; a zero is faint and opens too."""
    tone = " wrong" if differs else "" if value else " faint"
    return format_html('<a class="figure more{}" href="{}">{}</a>', tone, url, f"{value:,}")


def urls(admin: Any) -> list[URLPattern]:
    """Return the addresses of both pages for the admin of stock levels."""
    view = admin.admin_site.admin_view
    return [
        path("<int:sku_id>/<int:node_id>/why/", view(_View(admin).node), name="inventory_stocklevel_why"),
        path("<int:sku_id>/why/", view(_View(admin).everywhere), name="inventory_stocklevel_why_everywhere"),
    ]


class _View:
    """Both pages; each asks for the permission to view stock levels itself."""

    def __init__(self, admin: Any) -> None:
        self.admin = admin

    def node(self, request: HttpRequest, sku_id: int, node_id: int) -> HttpResponse:
        """Show one SKU's figures at one node with the rows behind the chosen one."""
        self._check(request)
        sku, node = get_object_or_404(Sku, pk=sku_id), get_object_or_404(Node, pk=node_id)
        at, trouble = moment_of(request)
        asked = request.GET.get("figure", "")
        chosen = asked if asked in NAMES else "available"
        derived = derivation.derive(sku_id, node_id, at=at)
        bars = _bars(derived.figures, lambda name: node_url(sku_id, node_id, name, at), chosen)
        figure = derived[chosen]
        return self._page(request, "why.html", at, trouble, {
            "title": gettext("Where %(sku)s at %(node)s comes from") % {"sku": sku.code, "node": node.code},
            "sku": sku, "sku_name": columns.local_name(sku), "node": node, "node_name": columns.local_name(node),
            "bars": bars, "coming": _coming(derived.figures, sku_id, node_id, at, chosen), "chosen": chosen,
            "figure": figure, "figure_title": TITLES[chosen], "parts": _parts(figure, sku_id, node_id, at),
            "rows": [_row(row) for row in figure.rows],
            "all_url": _all_url(figure, sku_id, node_id, at),
            "differences": _differences(derived.figures, sku_id, node_id),
            "network_url": network_url(sku_id, at),
        })  # fmt: skip

    def everywhere(self, request: HttpRequest, sku_id: int) -> HttpResponse:
        """Show one SKU's figures at all nodes, each cell a link to where it comes from."""
        self._check(request)
        sku = get_object_or_404(Sku, pk=sku_id)
        at, trouble = moment_of(request)
        derived = network.derive(sku_id, at=at)
        parts = BundlePart.objects.filter(bundle=sku).select_related("part").order_by("part__code")
        matrix = [
            {
                "node": entry.node, "name": columns.local_name(entry.node),
                "cells": [
                    figure_link(figure.value, node_url(sku_id, entry.node.pk, figure.name, at), differs=figure.differs)
                    for figure in entry.figures
                ],
            }
            for entry in derived.nodes
        ]  # fmt: skip
        return self._page(request, "why_everywhere.html", at, trouble, {
            "title": gettext("%(sku)s at all nodes") % {"sku": sku.code},
            "sku": sku, "sku_name": columns.local_name(sku), "matrix": matrix, "totals": derived.totals,
            "heads": [TITLES[name] for name in NAMES],
            "bars": _bars(derived.totals, lambda name: "", "", below_zero=_below_zero(derived)),
            "bundle_parts": [(row, network_url(row.part_id, at)) for row in parts],
        })  # fmt: skip

    def _check(self, request: HttpRequest) -> None:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, template: str, at: datetime | None, trouble: str, told: dict[str, Any]
    ) -> HttpResponse:
        context = self.admin.admin_site.each_context(request) | {"opts": StockLevel._meta} | told
        context |= as_of(request, at, trouble)
        return TemplateResponse(request, f"admin/inventory/stocklevel/{template}", context)


def as_of(request: HttpRequest, at: datetime | None, trouble: str) -> dict[str, Any]:
    """Return what the head of such a page shows: which moment it is of, and the field to ask for another one."""
    return {
        "at": at, "trouble": trouble, "asked": request.GET.get("at", ""), "at_query": _query("", at),
        "as_of": f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" if at else "",
        "as_of_words": columns.stamp(at) if at else "", "latest": f"{timezone.localtime():%Y-%m-%dT%H:%M}",
    }  # fmt: skip


def moment_of(request: HttpRequest) -> tuple[datetime | None, str]:
    """Return the past moment that a page is asked for (none: now), and what is wrong with the one asked for."""
    text = request.GET.get("at", "").strip()
    if not text:
        return None, ""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        return None, gettext("“%(text)s” is no date and time; this is what holds now.") % {"text": text[:40]}
    at = at if timezone.is_aware(at) else timezone.make_aware(at)
    if at > timezone.now():
        return None, gettext("%(moment)s has not come yet; this is what holds now.") % {"moment": columns.stamp(at)}
    return at, ""


def _query(figure: str, at: datetime | None) -> str:
    told = {"figure": figure} if figure else {}
    if at:
        told["at"] = timezone.localtime(at).isoformat()
    return f"?{urlencode(told)}" if told else ""


def _bars(figures: Iterable[Figure], url: Any, chosen: str, *, below_zero: int = 0) -> list[Bar]:
    """Draw the sum from what is on hand down to what is available, step by step."""
    by_name = {figure.name: figure for figure in figures}
    steps, level = [], 0
    for name in SUM[:-1]:
        value = by_name[name].value
        start, level = level, level + (value if name == "on_hand" else -value)
        steps.append((name, value if name == "on_hand" else -value, min(start, level), max(start, level)))
    if below_zero:
        steps.append(("below_zero", below_zero, level, level + below_zero))
    available = by_name["available"].value
    steps.append(("available", available, 0, available))
    low, high = min(0, *(step[2] for step in steps)), max(1, *(step[3] for step in steps))
    scale = 100 / (high - low)
    return [
        Bar(
            name=name, title=TITLES.get(name) or KINDS[name], value=value, left=round((start - low) * scale, 2),
            width=round((end - start) * scale, 2), url=url(name) if name in TITLES else "", is_chosen=name == chosen,
            differs=name in by_name and by_name[name].differs,
        )
        for name, value, start, end in steps
    ]  # fmt: skip


def _below_zero(derived: network.Network) -> int:
    """Return the units by which nodes lie below their safety stock: they take nothing from other nodes."""
    raw = sum((-1 if name != "on_hand" else 1) * derived[name].value for name in SUM[:-1])
    return derived["available"].value - raw


def _coming(figures: Iterable[Figure], sku_id: int, node_id: int, at: datetime | None, chosen: str) -> list[Any]:
    return [
        {"title": TITLES[figure.name], "is_chosen": figure.name == chosen,
         "link": figure_link(figure.value, node_url(sku_id, node_id, figure.name, at))}
        for figure in figures if figure.name not in SUM
    ]  # fmt: skip


def _parts(figure: Figure, sku_id: int, node_id: int, at: datetime | None) -> list[dict[str, Any]]:
    """Return the sums that make a figure; those of ``available`` are figures that open themselves."""
    names = _names_of_reasons() if figure.name == "quality_hold" else {}
    return [
        {
            "title": names.get(kind) or kind_name(kind),
            "units": f"{units:+,}" if figure.name in ("on_hand", "available") else f"{units:,}",
            "count": None if figure.name == "available" else count,
            "url": node_url(sku_id, node_id, kind, at) if figure.name == "available" else "",
        }
        for kind, units, count in figure.parts
    ]


def _names_of_reasons() -> dict[str, str]:
    return {row.code: columns.local_name(row) for row in ReasonCode.objects.filter(use=ReasonUse.QUALITY)}


def kind_name(kind: str) -> Any:
    """Return what sort of rows stand behind a figure, in the reader's language; a rule or reason is its own name."""
    if kind in MovementKind.values:
        return MovementKind(kind).label
    return TITLES.get(kind) or KINDS.get(kind) or kind


def _row(row: Row) -> dict[str, Any]:
    return {
        "at": columns.link(url, columns.stamp(row.at)) if (url := _own_page(row)) else columns.when(row.at),
        "kind": kind_name(row.kind),
        "units": columns.signed(row.quantity) if row.model == "inventory.stockmovement" else f"{row.quantity:,}",
        "reference": reference(row),
        "url": url,
    }


def _own_page(row: Row) -> str:
    try:
        return reverse(f"admin:{row.model.replace('.', '_')}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


def reference(row: Row) -> SafeString | str:
    """Return whom a row is for, with a link to it: a parcel, a transfer; the document itself has its own link."""
    if not row.reference or row.model in ("inventory.transfer", "inventory.expectedreceipt"):
        return row.reference
    if row.model == "inventory.safetychange":
        return columns.actor(row.reference)
    page = "inventory_transfer" if row.kind in TRANSFERS else "inventory_receipt" if row.kind == "receipt" else ""
    if not page and (row.kind in (MovementKind.SHIPMENT, MovementKind.RETURN) or row.model == "inventory.reservation"):
        page = "orders_fulfillment"
    if not page:
        return row.reference
    found_by = row.reference.partition("/")[0]  # a return's reference is the parcel's with a number behind
    return columns.link(f"{reverse(f'admin:{page}_changelist')}?{urlencode({'q': found_by})}", row.reference)


def _all_url(figure: Figure, sku_id: int, node_id: int, at: datetime | None) -> str:
    """Return the list of all rows behind a figure of now, where a list shows just these."""
    if at is not None or figure.name not in LISTS or not figure.count:
        return ""
    query = {"sku": sku_id, "node": node_id}
    if figure.name == "reserved":
        query |= {"status": "active"}  # type: ignore[dict-item]
    return f"{reverse(f'admin:inventory_{LISTS[figure.name]}_changelist')}?{urlencode(query)}"


def _differences(figures: Sequence[Figure], sku_id: int, node_id: int) -> list[dict[str, Any]]:
    """Return the figures of which the hub has stored something else, each with its open case, if it was found."""
    wrong = [figure for figure in figures if figure.differs and figure.name in DifferenceCheck.values]
    if not wrong:
        return []
    rows = StockDifference.objects.filter(sku=sku_id, node=node_id, status=DifferenceStatus.OPEN)
    known = dict(rows.values_list("check_name", "pk"))
    return [
        {
            "title": TITLES[figure.name], "stored": figure.stored, "derived": figure.value,
            "url": reverse("admin:inventory_stockdifference_change", args=[known[figure.name]])
            if figure.name in known else "",
        }
        for figure in wrong
    ]  # fmt: skip
