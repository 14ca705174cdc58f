"""The outbox: what must go out, how often it was tried, and what the other side said."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
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
from channels.models import OutboundMessage
from channels.services import replay
from channels.statuses import Lane, OutboundStatus

TONES = {"pending": "blue", "sent": "green", "needs_person": "red"}


def send_again(rows: Sequence[OutboundMessage], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Put these messages back into the queue."""
    again = replay.again([row.pk for row in rows], actor=actor, at=at)
    why = say("Only messages that need a person can be sent again.")
    refused = {row.key: why for row in rows if row.status != OutboundStatus.NEEDS_PERSON}
    return Answer(say("%(count)s messages are sent again.", count=again) if again else None, refused)


def needs_person(message: OutboundMessage) -> bool:
    """Return whether the message can be sent again."""
    return message.status == OutboundStatus.NEEDS_PERSON


@admin.register(OutboundMessage)
class OutboundMessageAdmin(MachineAdmin):
    """What we tell others."""

    list_display = ("subject", "what", "shop", "state", "why", "attempts", "made")
    list_filter = (
        filters.choice(_("status"), "status", lambda: OutboundStatus.choices),
        filters.choice(_("lane"), "lane", lambda: Lane.choices),
        filters.choice(_("channel"), "channel", choices.channels),
    )
    list_select_related = ("channel",)
    search_fields = ("subject",)
    search_help_text = _("Parcel or order begins with …")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        ("subject", "shop"), ("what", "key"), "state", "why", ("made", "sent", "due"), "attempts", "content", "answer",
    )  # fmt: skip
    readonly_fields = ("shop", "what", "state", "why", "made", "sent", "due", "content", "answer")
    empty_hint = _("Nothing to tell yet. Messages appear when parcels are released or shipped.")
    standard_views = ((_("Needs a person"), "status=needs_person"), (_("Pending"), "status=pending"))
    verbs = (Verb("replay", _("Send again"), send_again, icon="send", is_offered=needs_person),)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find messages by the beginning of what they are about."""
        term = search_term.strip()
        return (queryset.filter(subject__startswith=term) if term else queryset), False

    @admin.display(description=_("channel"))
    def shop(self, message: OutboundMessage) -> SafeString:
        """Show to whom it goes."""
        return columns.code_and_name(message.channel)

    @admin.display(description=_("lane"))
    def what(self, message: OutboundMessage) -> str:
        """Show what sort of message it is."""
        return message.get_lane_display()

    @admin.display(description=_("status"))
    def state(self, message: OutboundMessage) -> SafeString:
        """Show where it stands."""
        return columns.label(message.get_status_display(), TONES.get(message.status, "grey"))

    @admin.display(description=_("reason"))
    def why(self, message: OutboundMessage) -> str:
        """Show why it stands there."""
        return columns.sentence(message.reason, limit=160) or "–"

    @admin.display(description=_("age"))
    def made(self, message: OutboundMessage) -> SafeString:
        """Show how old it is."""
        return columns.age(message.created_at)

    @admin.display(description=_("sent at"))
    def sent(self, message: OutboundMessage) -> SafeString:
        """Show when it was accepted."""
        return columns.when(message.sent_at)

    @admin.display(description=_("not before"))
    def due(self, message: OutboundMessage) -> SafeString:
        """Show when it is tried next."""
        return columns.when(message.not_before)

    @admin.display(description=_("body"))
    def content(self, message: OutboundMessage) -> SafeString:
        """Show what is told."""
        text = json.dumps(message.body, ensure_ascii=False, indent=2)
        return format_html('<pre class="payload">{}</pre>', text)

    @admin.display(description=_("last answer"))
    def answer(self, message: OutboundMessage) -> SafeString:
        """Show what the other side said last."""
        return format_html('<pre class="payload">{}</pre>', message.response) if message.response else columns.EMPTY
