"""Orders of which a channel pushed the number only, and why they are not here yet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.admin import choices
from channels.models import WantedOrder
from channels.services import fetching


def fetch_again(rows: Sequence[WantedOrder], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Have these orders fetched at once."""
    count = fetching.again([row.pk for row in rows], at=at)
    return Answer(say("%(count)s orders are fetched again.", count=count), {})


@admin.register(WantedOrder)
class WantedOrderAdmin(MachineAdmin):
    """Orders to fetch."""

    list_display = ("number", "shop", "attempts", "why", "wanted", "due")
    list_filter = (filters.choice(_("channel"), "channel", choices.channels),)
    list_select_related = ("channel",)
    search_fields = ("external_id",)
    search_help_text = _("Channel's number begins with …")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (("external_id", "shop"), "attempts", "why", ("wanted", "due"))
    readonly_fields = ("shop", "why", "wanted", "due")
    empty_hint = _("Nothing to fetch: every order whose number was pushed is here.")
    verbs = (Verb("fetch_again", _("Fetch again"), fetch_again, icon="replay"),)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find orders by the beginning of their number."""
        return choices.by_number(queryset, search_term), False

    @admin.display(description=_("channel's number"))
    def number(self, row: WantedOrder) -> SafeString:
        """Show the number."""
        return columns.cut(row.external_id, 32)

    @admin.display(description=_("channel"))
    def shop(self, row: WantedOrder) -> SafeString:
        """Show the channel."""
        return columns.code_and_name(row.channel)

    @admin.display(description=_("reason"))
    def why(self, row: WantedOrder) -> str:
        """Show why it is not here yet."""
        return columns.sentence(row.reason, limit=160) or "–"

    @admin.display(description=_("wanted since"))
    def wanted(self, row: WantedOrder) -> SafeString:
        """Show since when."""
        return columns.when(row.wanted_at)

    @admin.display(description=_("not before"))
    def due(self, row: WantedOrder) -> SafeString:
        """Show when it is tried next."""
        return columns.when(row.not_before)
