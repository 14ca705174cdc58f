"""What each listing's channel should say of its stock, what it accepted, and what it says itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.admin import choices, convergence
from channels.admin.stock_states import STATES, WHERE, state_of
from channels.models import ListingStock
from channels.services import stock_push


def push_again(rows: Sequence[ListingStock], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Send the figures of these listings once more."""
    done = stock_push.push_again([row.listing_id for row in rows], at=at)
    left = len(rows) - done.figures
    why = say("Unknown stock is not sent, nor a figure that is being sent, nor anything to a channel that is off.")
    refused = {str(left): why} if left else {}
    return Answer(say("%(count)s figures are sent again.", count=done.figures) if done.figures else None, refused)


class StateFilter(DropdownFilter):
    """Where a listing's stock stands."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states."""
        return [(name, words[0]) for name, words in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows in the chosen state."""
        where = WHERE.get(self.value() or "")
        return queryset if where is None else queryset.filter(where)


@admin.register(ListingStock)
class ListingStockAdmin(MachineAdmin):
    """Stock of listings."""

    list_display = ("code", "shop", "item", "due", "accepted", "seen", "lag", "state")
    list_filter = (StateFilter, filters.choice(_("channel"), "channel", choices.channels, column="listing__channel"))
    list_select_related = ("listing__channel", "listing__sku")
    search_fields = ("listing__external_code",)
    search_help_text = _("Code on the channel or SKU begins with …")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (("code", "shop", "item"), "state", ("due", "lag"), ("accepted", "accepted_when"), ("seen", "seen_when"))
    readonly_fields = ("code", "shop", "item", "state", "due", "lag", "accepted", "accepted_when", "seen", "seen_when")
    empty_hint = _("No listing's stock was looked at yet. Rows appear when stock of a listed SKU changes.")
    standard_views = (
        (_("Drifted"), "state=drift"), (_("Under way"), "state=underway"), (_("Unknown"), "state=unknown"),
    )  # fmt: skip
    verbs = (Verb("again", _("Push again"), push_again, icon="sync"),)

    def get_urls(self) -> list[URLPattern]:
        """Add the page about how long changes take."""
        return convergence.urls(self) + super().get_urls()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find listings by the beginning of either code."""
        term = search_term.strip()
        if not term:
            return queryset, False
        is_found = Q(listing__external_code__startswith=term) | Q(listing__sku__code__startswith=term)
        return queryset.filter(is_found), False

    @admin.display(description=_("code on the channel"))
    def code(self, row: ListingStock) -> str:
        """Show what the channel calls it."""
        return row.listing.external_code

    @admin.display(description=_("channel"))
    def shop(self, row: ListingStock) -> SafeString:
        """Show the channel."""
        return columns.code_and_name(row.listing.channel)

    @admin.display(description=_("SKU"))
    def item(self, row: ListingStock) -> SafeString:
        """Show the SKU, with a link to what every channel may sell of it."""
        url = reverse("admin:channels_channel_promised", args=[row.listing.sku_id])
        return format_html('<a class="more" href="{}">{}</a>', url, columns.code_and_name(row.listing.sku))

    @admin.display(description=_("should say"))
    def due(self, row: ListingStock) -> SafeString:
        """Show our figure."""
        return _figure(row.quantity_due)

    @admin.display(description=_("accepted"))
    def accepted(self, row: ListingStock) -> SafeString:
        """Show the figure that the channel accepted last."""
        return _figure(row.quantity_accepted)

    @admin.display(description=_("channel's own figure"))
    def seen(self, row: ListingStock) -> SafeString:
        """Show what the channel said when it was asked."""
        return _figure(row.quantity_seen)

    @admin.display(description=_("lag"))
    def lag(self, row: ListingStock) -> SafeString:
        """Show for how long the channel has not had the right figure."""
        if row.due_since_at is None:
            return columns.EMPTY
        late = max(timezone.now() - row.due_since_at, timedelta())
        return format_html('<span class="nowrap" title="{}">{}</span>', columns.stamp(row.due_since_at),
                           columns.span_exact(late))  # fmt: skip

    @admin.display(description=_("state"))
    def state(self, row: ListingStock) -> SafeString:
        """Show where it stands, with what that means as a hint."""
        return columns.label(*STATES[state_of(row)])

    @admin.display(description=_("accepted at"))
    def accepted_when(self, row: ListingStock) -> SafeString:
        """Show when the channel accepted it."""
        return columns.when(row.accepted_at)

    @admin.display(description=_("asked at"))
    def seen_when(self, row: ListingStock) -> SafeString:
        """Show when the channel was asked."""
        return columns.when(row.seen_at)


def _figure(value: int | None) -> SafeString:
    return columns.EMPTY if value is None else columns.number(value)
