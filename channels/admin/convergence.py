"""How long a change of stock takes to reach each channel, and how many of its listings are right."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from audit.admin import columns
from channels.admin.stock_states import WHERE
from channels.models import Channel, ListingStock
from channels.services import convergence, stock_push
from channels.services.convergence import DAY, HOUR, TARGET_SECONDS, URGENT_TARGET_SECONDS, HourOfPushes, Span
from channels.services.stock_dues import shops_told

BAR_WIDTH, BAR_HEIGHT = 5, 26  # of the small picture of hours, in its own units
NO_PUSHES = Span()


def urls(admin: Any) -> list[URLPattern]:
    """Return the addresses of the page and of its button."""

    def view(request: HttpRequest) -> HttpResponse:
        return _page(admin, request)

    def push(request: HttpRequest, channel_id: int) -> HttpResponse:
        return _push_all(admin, request, channel_id)

    wrap = admin.admin_site.admin_view
    return [
        path("convergence/", wrap(view), name="channels_listingstock_convergence"),
        path("push/<int:channel_id>/", wrap(require_POST(push)), name="channels_listingstock_push"),
    ]


def _page(admin: Any, request: HttpRequest) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    at = timezone.now()
    channels = sorted(shops_told().channels.values(), key=lambda row: row.code)
    ids = [row.pk for row in channels]
    hour, day = convergence.spans(ids, HOUR, at=at), convergence.spans(ids, DAY, at=at)
    hours, counts = convergence.by_hour(ids, at=at), _counts(ids)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("How fast stock reaches channels"), "opts": ListingStock._meta,
        "may_push": admin.has_act_permission(request), "made_at": columns.when(at),
        "target": TARGET_SECONDS, "urgent_target": URGENT_TARGET_SECONDS,
        "rows": [
            _row(one, (hour.get(one.pk, NO_PUSHES), day.get(one.pk, NO_PUSHES)), hours[one.pk], counts.get(one.pk, {}))
            for one in channels
        ],
    }  # fmt: skip
    return TemplateResponse(request, "admin/channels/listingstock/convergence.html", context)


def speed_of(channel: Channel) -> SafeString:
    """Return within which time a channel accepted 95 of 100 figures, lately and today, with a link to the page."""
    at = timezone.now()
    told = [
        (words, _judged(span.p95, TARGET_SECONDS, span.count), columns.number(span.count), gettext("Pushes"))
        for words, length in ((gettext("Last hour"), HOUR), (gettext("Last 24 hours"), DAY))
        for span in [convergence.spans([channel.pk], length, at=at).get(channel.pk, NO_PUSHES)]
    ]
    figures = format_html_join("", "{}: {} ({} {}) · ", told)
    return figures + columns.link(reverse("admin:channels_listingstock_convergence"), gettext("Stock speed"))


def _push_all(admin: Any, request: HttpRequest, channel_id: int) -> HttpResponse:
    """Put all figures of a channel into the outbox; asks for the permission to change stock of listings."""
    if not admin.has_act_permission(request):
        raise PermissionDenied
    channel = get_object_or_404(Channel, pk=channel_id)
    told = stock_push.push_all(channel, at=timezone.now())
    words = gettext("%(count)s figures of %(channel)s are sent again; %(unknown)s listings of unknown stock are not.")
    messages.success(request, words % {"count": told.figures, "channel": channel.code, "unknown": told.unknown})
    return HttpResponseRedirect(reverse("admin:channels_listingstock_convergence"))


def _counts(channel_ids: Sequence[int]) -> dict[int, Mapping[str, int]]:
    """Return how many listings of each channel are in each state."""
    states = {name: Count("pk", filter=where) for name, where in WHERE.items()}
    rows = ListingStock.objects.filter(listing__channel__in=channel_ids).values("listing__channel").annotate(**states)
    return {
        row["listing__channel"]: {name: row[name] for name in WHERE} for row in rows.values(*WHERE, "listing__channel")
    }


def _row(channel: Channel, spans: tuple[Span, Span], hours: Sequence[HourOfPushes], counts: Any) -> dict[str, Any]:
    url = f"{reverse('admin:channels_listingstock_changelist')}?channel={channel.pk}&state="
    most = max((one.p95 for one in hours), default=0.0)
    scale = BAR_HEIGHT / max(most, 2 * TARGET_SECONDS)
    return {
        "name": columns.code_and_name(channel),
        "spans": [_span(span) for span in spans],
        "counts": [columns.number(counts.get(name, 0), f"{url}{name}") for name in WHERE],
        "bars": [_bar(place, one, scale) for place, one in enumerate(hours)],
        "bars_width": BAR_WIDTH * len(hours),
        "target_y": BAR_HEIGHT - TARGET_SECONDS * scale,
        "push_url": reverse("admin:channels_listingstock_push", args=[channel.pk]),
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "count": columns.number(span.count),
        "p50": _seconds(span.p50, span.count),
        "p95": _judged(span.p95, TARGET_SECONDS, span.count),
        "urgent": _judged(span.urgent_p95, URGENT_TARGET_SECONDS, span.urgent_count),
    }


def _judged(seconds: float, target: float, count: int) -> Any:
    """Return a figure coloured by its target; nothing was measured where there was no push."""
    if not count:
        return columns.EMPTY
    return columns.label(_seconds(seconds, count), "green" if seconds <= target else "red")


def _seconds(seconds: float, count: int) -> Any:
    return gettext("%(n)s s") % {"n": f"{seconds:,.1f}"} if count else columns.EMPTY


def _bar(place: int, one: HourOfPushes, scale: float) -> dict[str, Any]:
    words = gettext("%(hours)s h ago: %(count)s pushes, 95 of 100 within %(seconds)s s")
    height = max(1.0, one.p95 * scale) if one.count else 0.0
    return {
        "x": place * BAR_WIDTH,
        "y": BAR_HEIGHT - height,
        "height": height,
        "is_late": one.p95 > TARGET_SECONDS,
        "title": words % {"hours": one.hours_ago, "count": one.count, "seconds": f"{one.p95:,.1f}"},
    }
