"""How a channel takes our calls, and what was told to it last: for the list of channels and each one's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.paging import CAP, CappedCount
from channels.models import Channel, ChannelHealth, OutboundMessage
from channels.rules import breaker, bucket
from channels.services import health
from channels.statuses import Breaker, OutboundStatus

TONES: Final = {"pending": "blue", "sent": "green", "needs_person": "red", "given_up": "grey"}
NEWEST: Final = 10
CALLS = _("Calls")
FIELDSETS: Final = (
    (CALLS, {"fields": (
        ("health_state", "health_success"), ("health_next", "health_calls"), "health_reason", "to_tell", "newest",
    )}),
)  # fmt: skip
READ_ONLY: Final = (
    "health_state", "health_success", "health_next", "health_calls", "health_reason", "to_tell", "newest",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a channel was told, and what waits to be told; asked once for a page, however often it is shown."""

    counts: Mapping[OutboundStatus, CappedCount]
    newest: Sequence[OutboundMessage]


class HealthColumns:
    """What pages of channels show of the calls to them."""

    class Media:
        css: ClassVar = {"all": ["channels/outbox.css"]}

    @admin.display(description=_("calls"))
    def health_state(self, channel: Channel) -> SafeString:
        """Show whether the channel takes calls, with the reason as a hint."""
        return _label(_row(channel), at=timezone.now())

    @admin.display(description=_("reason"))
    def health_reason(self, channel: Channel) -> str:
        """Show why its last call failed, while it fails."""
        row = _row(channel)
        return (columns.sentence(row.reason) if row else "") or "–"

    @admin.display(description=_("next try"))
    def health_next(self, channel: Channel) -> SafeString:
        """Show when a channel that is left alone is called again."""
        row, at = _row(channel), timezone.now()
        moment = _next_try(row, at=at) if row else None
        if moment is None:
            return columns.EMPTY
        left = columns.span_exact(max(moment - at, timedelta()))
        return format_html("{} ({})", columns.when(moment), gettext("in %(span)s") % {"span": left})

    @admin.display(description=_("calls left"))
    def health_calls(self, channel: Channel) -> str:
        """Show how many calls are left this moment, of how many."""
        row, rate = _row(channel), health.rate_of(channel)
        if rate is None:
            return gettext("no limit known")
        seen = health.bucket_of(row) if row else bucket.Bucket()
        left = int(bucket.calls_now(seen, rate=rate, at=timezone.now()))
        return gettext("%(left)s of %(most)s") % {"left": left, "most": int(bucket.size(rate))}

    @admin.display(description=_("last success"))
    def health_success(self, channel: Channel) -> SafeString:
        """Show when it answered last."""
        row = _row(channel)
        return columns.when(row.last_success_at if row else None)

    @admin.display(description=_("outbox"))
    def to_tell(self, channel: Channel) -> SafeString:
        """Show how much it was not told yet, with links to the messages, and one to all of them."""
        shown = [
            (_outbox_url(channel, status=status), f"{status.label}: {count}")
            for status, count in _told(channel).counts.items()
            if count
        ]
        shown.append((_outbox_url(channel), gettext("All messages")))
        return format_html_join(" · ", '<a class="more" href="{}">{}</a>', shown)

    @admin.display(description=_("newest messages"))
    def newest(self, channel: Channel) -> SafeString:
        """Show the newest messages to it, and what became of each."""
        rows = map(_message, _told(channel).newest)
        lines = format_html_join("", "<li>{}<span>{}</span><span>{}</span>{}</li>", rows)
        return format_html('<ul class="newest-messages">{}</ul>', lines) if lines else columns.EMPTY


def _told(channel: Any) -> Told:
    if not hasattr(channel, "told"):
        mine = OutboundMessage.objects.filter(channel=channel)
        open_ = (OutboundStatus.PENDING, OutboundStatus.NEEDS_PERSON)
        counts = {one: CappedCount(mine.filter(status=one).values("pk")[: CAP + 1].count()) for one in open_}
        channel.told = Told(counts, list(mine.order_by("-created_at", "-pk")[:NEWEST]))
    told: Told = channel.told
    return told


def _row(channel: Channel) -> ChannelHealth | None:
    try:
        return channel.health
    except ChannelHealth.DoesNotExist:
        return None


def _next_try(row: ChannelHealth, *, at: datetime) -> datetime | None:
    """Return when a channel that is not called now is called again."""
    silent_until = row.counted_at if row.counted_at is not None and row.counted_at > at else None
    is_open = row.breaker != breaker.CLOSED
    moments = [moment for moment in (row.probe_at if is_open else None, silent_until) if moment is not None]
    return max(moments, default=None)


def _label(row: ChannelHealth | None, *, at: datetime) -> SafeString:
    if row is None or (row.breaker == breaker.CLOSED and row.last_success_at is None and not row.failures):
        return columns.label(_("Never called"))
    hint = columns.sentence(row.reason)
    if row.breaker != breaker.CLOSED:
        tone = "red" if row.breaker == breaker.OPEN else "amber"
        return columns.label(Breaker(row.breaker).label, tone, hint)
    if row.counted_at is not None and row.counted_at > at:
        return columns.label(_("Asked us to wait"), "amber", hint)
    if row.failures:
        return columns.label(gettext("%(count)s failed in a row") % {"count": row.failures}, "amber", hint)
    return columns.label(_("Answers"), "green", columns.stamp(row.last_success_at) if row.last_success_at else "")


def _outbox_url(channel: Channel, **filters: Any) -> str:
    told = "".join(f"&{name}={value}" for name, value in filters.items())
    return f"{reverse('admin:channels_outboundmessage_changelist')}?channel={channel.pk}{told}"


def _message(row: OutboundMessage) -> tuple[Any, ...]:
    url = reverse("admin:channels_outboundmessage_change", args=[row.pk])
    state = columns.label(row.get_status_display(), TONES.get(row.status, "grey"), columns.sentence(row.reason))
    return columns.link(url, row.subject), row.get_lane_display(), state, columns.when(row.created_at)
