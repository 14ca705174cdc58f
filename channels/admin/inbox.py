"""The inbox: what came in, what became of it, and the payload as it came."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.admin import choices
from channels.models import InboundMessage
from channels.rules import arrivals
from channels.services import inbox
from channels.statuses import InboundSource, InboundStatus

TONES = {
    "received": "blue", "waiting": "amber", "done": "green", "superseded": "grey", "rejected": "red", "parked": "red",
}  # fmt: skip
STUCK = (InboundStatus.PARKED, InboundStatus.REJECTED, InboundStatus.WAITING)
GROUPS = {"todo": (InboundStatus.RECEIVED, InboundStatus.WAITING, InboundStatus.PARKED), "stuck": STUCK}


def retry(rows: Sequence[InboundMessage], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Send these messages through again."""
    again = inbox.retry([row.pk for row in rows], actor=actor, at=at)
    why = say("Only parked, rejected and waiting messages that were kept whole can go through again.")
    refused = {row.external_id: why for row in rows if not is_stuck(row)}
    return Answer(say("%(count)s messages go through again.", count=again) if again else None, refused)


def is_stuck(message: InboundMessage) -> bool:
    """Return whether the message can be sent through again."""
    return message.status in STUCK and message.reason_code != arrivals.TOO_LARGE


def pretty(payload: bytes) -> str:
    """Return a payload for reading: JSON indented, other text as it is, anything else as hexadecimal digits."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


class StateFilter(filters.ChoiceFilter):
    """One status, or one of the groups that people look for."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return groups first, then each status."""
        return [("todo", _("Not worked off")), ("stuck", _("Stuck")), *InboundStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen ones."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(status__in=GROUPS.get(value, (value,)))


@admin.register(InboundMessage)
class InboundMessageAdmin(MachineAdmin):
    """What channels told us."""

    list_display = ("number", "shop", "kind", "state", "why", "times_received", "came")
    list_filter = (
        StateFilter,
        filters.choice(_("channel"), "channel", choices.channels),
        filters.choice(_("source"), "source", lambda: InboundSource.choices),
        ("received_at", filters.DaysFilter),
    )
    list_select_related = ("channel",)
    search_fields = ("external_id",)
    search_help_text = _("Channel's number begins with …")
    ordering = ("-received_at", "-pk")
    sortable_by = ()
    fields = (
        ("external_id", "shop"), ("kind", "revision"), "source", "state", "why", "reason_code",
        ("received", "finished"), ("times_received", "attempts"), "content",
    )  # fmt: skip
    readonly_fields = ("shop", "state", "why", "received", "finished", "content")
    empty_hint = _("Nothing came in yet. Messages appear as soon as a channel sends or is pulled.")
    standard_views = ((_("Stuck"), "state=stuck"), (_("Not worked off"), "state=todo"))
    verbs = (Verb("retry", _("Try again"), retry, icon="replay", is_offered=is_stuck),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the payloads out where nobody reads them."""
        rows = super().get_queryset(request)
        page = request.resolver_match.url_name if request.resolver_match else ""
        is_list = (page or "").endswith("_changelist")
        return rows.defer("payload") if is_list else rows

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find messages by the beginning of their number."""
        return choices.by_number(queryset, search_term), False

    @admin.display(description=_("channel's number"))
    def number(self, message: InboundMessage) -> SafeString:
        """Show the number; one that stands for an unreadable body is long and is cut."""
        return columns.cut(message.external_id, 32)

    @admin.display(description=_("channel"))
    def shop(self, message: InboundMessage) -> SafeString:
        """Show the channel."""
        return columns.code_and_name(message.channel)

    @admin.display(description=_("status"))
    def state(self, message: InboundMessage) -> SafeString:
        """Show where it stands."""
        return columns.label(message.get_status_display(), TONES.get(message.status, "grey"))

    @admin.display(description=_("reason"))
    def why(self, message: InboundMessage) -> str:
        """Show why it stands there."""
        return columns.sentence(message.reason, limit=160) or "–"

    @admin.display(description=_("received"))
    def came(self, message: InboundMessage) -> SafeString:
        """Show how long ago it came."""
        return columns.age(message.received_at)

    @admin.display(description=_("received at"))
    def received(self, message: InboundMessage) -> SafeString:
        """Show when it came."""
        return columns.when(message.received_at)

    @admin.display(description=_("finished at"))
    def finished(self, message: InboundMessage) -> SafeString:
        """Show when it was worked off."""
        return columns.when(message.finished_at)

    @admin.display(description=_("payload"))
    def content(self, message: InboundMessage) -> SafeString:
        """Show what came, readable."""
        return format_html('<pre class="payload">{}</pre>', pretty(bytes(message.payload)))
