"""Oversells: the table by channel with its definition, and the list of the lines behind its figures."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.base import MachineAdmin
from audit.admin.filters import PlacedFilter, choice
from channels.admin import choices as channel_choices
from channels.models import Channel
from inventory.admin import why
from orders.admin import looks
from orders.models import Oversell
from orders.queries import oversold
from orders.queries.oversold import SPANS
from orders.statuses import OversellCause

CAUSES = {
    "push_lag": (_("Pushed too late"), "amber"), "over_figure": (_("Over its figure"), "violet"),
    "never_told": (_("Never told"), "blue"), "not_found": (_("Not found"), "red"),
}  # fmt: skip
BAR_WIDTH, BAR_HEIGHT = 5, 26  # of the small picture of days, in its own units
DEFAULT_SPAN = 30


class SoldFilter(PlacedFilter):
    """Oversells by the day on which the channel took the order, as the table counts them."""

    moment = "order__placed_at"


@admin.register(Oversell)
class OversellAdmin(MachineAdmin):
    """Accepted order lines whose stock was not there."""

    list_display = ("found", "order_", "shop", "item", "units", "cause_", "told", "fell", "lag")
    list_display_links = None
    list_filter = (
        choice(_("channel"), "channel", channel_choices.channels),
        choice(_("cause"), "cause", lambda: OversellCause.choices),
        SoldFilter,
    )
    list_select_related = ("order", "channel", "sku")
    search_fields = ("order__number",)
    search_help_text = _("Order number begins with …")
    ordering = ("-found_at", "-pk")
    sortable_by = ()
    fields = ("found", "order_", "shop", "item", "units", "cause_", "told", "fell", "lag")
    readonly_fields = fields
    empty_hint = _("Nothing was oversold.")

    def get_urls(self) -> list[URLPattern]:
        """Add the table."""
        view = self.admin_site.admin_view(self.table_view)
        return [path("table/", view, name="orders_oversell_table"), *super().get_urls()]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find oversells by the beginning of the order's number."""
        term = search_term.strip()
        return (queryset.filter(order__number__startswith=term) if term else queryset), False

    def table_view(self, request: HttpRequest) -> HttpResponse:
        """Show how much each channel sold, how fast it left, and what of it was not there."""
        if not (self.has_view_permission(request) and request.user.has_perm("orders.view_order")):
            raise PermissionDenied
        asked = request.GET.get("days", "")
        days = int(asked) if asked in {str(span) for span in SPANS} else DEFAULT_SPAN
        found = oversold.table(days, today=timezone.localdate())
        names = {row.pk: row for row in Channel.objects.filter(pk__in=[one.channel_id for one in found.channels])}
        rows = sorted(found.channels, key=lambda one: names[one.channel_id or 0].code)
        context = self.admin_site.each_context(request) | {
            "title": gettext("Oversells"), "opts": Oversell._meta, "days": days, "spans": SPANS, "table": found,
            "made_at": columns.when(timezone.now()), "causes": OversellCause.choices,
            "rows": [_row(one, columns.code_and_name(names[one.channel_id or 0]), days) for one in rows],
            "total": _row(found.total, _("All channels"), days),
        }  # fmt: skip
        return TemplateResponse(request, "admin/orders/oversell/table.html", context)

    @admin.display(description=_("found at"))
    def found(self, row: Oversell) -> SafeString:
        """Show when the hub found out."""
        return columns.when(row.found_at)

    @admin.display(description=_("order"))
    def order_(self, row: Oversell) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(row.order)

    @admin.display(description=_("channel"))
    def shop(self, row: Oversell) -> str:
        """Show who sold it."""
        return row.channel.code

    @admin.display(description=_("SKU"))
    def item(self, row: Oversell) -> SafeString:
        """Show what was sold, with a link to its figures as of the moment when it was found missing."""
        return columns.link(why.network_url(row.sku_id, row.found_at), row.sku.code)

    @admin.display(description=_("units"))
    def units(self, row: Oversell) -> SafeString:
        """Show how many units were missing."""
        return columns.number(row.quantity)

    @admin.display(description=_("cause"))
    def cause_(self, row: Oversell) -> SafeString:
        """Show why they were missing."""
        words, tone = CAUSES[row.cause]
        return columns.label(words, tone, row.get_cause_display())

    @admin.display(description=_("the channel had been told"))
    def told(self, row: Oversell) -> SafeString:
        """Show the last figure that the channel had accepted, and when."""
        if row.told_quantity is None or row.told_at is None:
            return columns.EMPTY
        shown = '<span class="nowrap">{} <span class="faint">{}</span></span>'
        return format_html(shown, row.told_quantity, columns.stamp(row.told_at))

    @admin.display(description=_("our stock fell at"))
    def fell(self, row: Oversell) -> SafeString:
        """Show when our stock fell below what was sold."""
        return columns.when(row.stock_fell_at)

    @admin.display(description=_("lag"))
    def lag(self, row: Oversell) -> SafeString:
        """Show how long our stock had been lower when the channel sold."""
        if row.stock_fell_at is None or row.stock_fell_at > row.order.placed_at:
            return columns.EMPTY
        return format_html(
            '<span class="nowrap">{}</span>', columns.span_exact(row.order.placed_at - row.stock_fell_at)
        )


def _row(one: oversold.Channel, name: Any, days: int) -> dict[str, Any]:
    """Return one line of the table; every figure comes with the address of its rows."""
    return {
        "name": name,
        "orders": _opens(one.orders, "orders_order", one, days),
        "per_day": f"{one.orders / days:,.1f}",
        "hours": "–" if one.median_hours is None else f"{one.median_hours:.1f}",
        "shipped": one.shipped,
        "sides": [
            {
                "orders": _opens(one.oversold.get(side, 0), "orders_order", one, days, oversold=side),
                "rate": _percent(one.rate(side)),
                "tone": "green" if not one.oversold.get(side) else "red" if side == "ours" else "amber",
            }
            for side in ("ours", "channel")
        ],
        "causes": [
            _opens(one.lines.get(cause, 0), "orders_oversell", one, days, cause=cause) for cause in OversellCause.values
        ],
        "bars": _bars(one),
        "bars_width": BAR_WIDTH * days,
    }


def _opens(count: int, page: str, one: oversold.Channel, days: int, **narrow: str) -> SafeString:
    query = {"when": f"{days}d"} | ({"channel": str(one.channel_id)} if one.channel_id else {}) | narrow
    return why.figure_link(count, f"{reverse(f'admin:{page}_changelist')}?{urlencode(query)}")


def _percent(rate: float) -> str:
    """Return a rate in per cent; one that is not nothing never reads as nothing."""
    return "< 0.01 %" if 0 < rate < 0.0001 else f"{100 * rate:.2f} %"


def _bars(one: oversold.Channel) -> list[dict[str, Any]]:
    """Return the small picture of days: a bar as high as its orders, its oversold part red and seen however small."""
    busiest = max((day.orders for day in one.days), default=0)
    bars = []
    for number, day in enumerate(one.days):
        height = BAR_HEIGHT * day.orders / busiest if busiest else 0
        red = max(2.0, height * day.oversold / day.orders) if day.oversold and day.orders else 0
        bars.append({
            "x": BAR_WIDTH * number, "y": round(BAR_HEIGHT - height, 1), "height": round(height, 1),
            "red": round(red, 1), "red_y": round(BAR_HEIGHT - red, 1),
            "title": gettext("%(day)s: %(orders)s orders, %(oversold)s oversold") % {
                "day": day.day_date.isoformat(), "orders": day.orders, "oversold": day.oversold,
            },
        })  # fmt: skip
    return bars
