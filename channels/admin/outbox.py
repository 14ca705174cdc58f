"""The outbox: what must go out, how often it was tried, and what the other side said."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.admin import columns, filters, masking
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, ReasonForm, Verb, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.admin import again, choices
from channels.models import OutboundMessage
from channels.services import replay
from channels.statuses import Lane, OutboundStatus

TONES = {"pending": "blue", "sent": "green", "needs_person": "red", "given_up": "grey"}
SHOWN_TRIES = 50
SEE_PERSONAL = "orders.view_order_personal"
MASKS = {"name": masking.name, "phone": masking.phone, "line": masking.address, "token": masking.key}


def send_again(rows: Sequence[OutboundMessage], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Put these messages back into the queue."""
    again = replay.again([row.pk for row in rows], actor=actor, at=at)
    why = say("Only messages that need a person can be sent again.")
    refused = {row.key: why for row in rows if row.status != OutboundStatus.NEEDS_PERSON}
    return Answer(say("%(count)s messages are sent again.", count=again) if again else None, refused)


class ReadableJson(forms.JSONField):
    """JSON that is shown on several lines, as it is read."""

    def prepare_value(self, value: Any) -> str:
        """Show values indented, and what was typed as it was typed."""
        return _pretty(value)


class MendForm(VerbForm):
    """Another body for one message, and why."""

    body = ReadableJson(label=_("body"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "spellcheck": "false"}))
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].initial = shown(self.rows[0], self.rows[0].body)

    def clean(self) -> dict[str, Any]:
        """Check that one message is mended, with a body of its kind."""
        told = super().clean() or {}
        if len(self.rows) != 1:
            raise forms.ValidationError(_("Edit one message at a time."))
        if is_hidden(self.rows[0]):
            raise forms.ValidationError(_("Only people who may see buyers' personal data edit this message."))
        body = told.get("body")
        if not isinstance(body, dict):
            raise forms.ValidationError(_("A message's body is an object: names and values."))
        try:
            replay.checked(self.rows[0].kind, body)
        except replay.NotMended as error:
            raise forms.ValidationError(columns.sentence(error.reason.stored())) from error
        return told


def shown(message: OutboundMessage, body: Any) -> Any:
    """Return a body as the reader may see it: whom it is about is masked where the reader may not know."""
    return _masked(body) if is_hidden(message) else body


def is_hidden(message: OutboundMessage) -> bool:
    """Return whether the message is about a person whom its reader may not know."""
    return not getattr(message, "may_see_personal", False) and _masked(message.body) != message.body


def _masked(body: Any) -> Any:
    """Return a body in which receivers, and those whom a notice goes to, can be recognised and not misused."""
    if not isinstance(body, dict):
        return body
    hidden: dict[str, Any] = {"to": masking.key(body["to"])} if isinstance(body.get("to"), str) else {}
    receiver = body.get("receiver")
    if isinstance(receiver, dict):
        hidden["receiver"] = receiver | {
            part: mask(receiver[part]) for part, mask in MASKS.items() if isinstance(receiver.get(part), str)
        }
    return body | hidden


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def mend(rows: Sequence[OutboundMessage], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Send one message again with another body."""
    try:
        replay.mend(rows[0].pk, told["body"], reason=told["reason"], actor=actor, at=at)
    except replay.NotMended as error:
        return Answer(None, {rows[0].key: error.reason})
    return Answer(say("The edited message is sent again."))


def give_up(rows: Sequence[OutboundMessage], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Settle these messages without sending them."""
    count = replay.give_up([row.pk for row in rows], reason=told["reason"], actor=actor, at=at)
    why = say("Only messages that need a person can be given up.")
    refused = {row.key: why for row in rows if row.status != OutboundStatus.NEEDS_PERSON}
    return Answer(say("%(count)s messages are given up.", count=count) if count else None, refused)


def needs_person(message: OutboundMessage) -> bool:
    """Return whether the message can be sent again."""
    return message.status == OutboundStatus.NEEDS_PERSON


def may_be_mended(message: OutboundMessage) -> bool:
    """Return whether the reader can edit the message: not without seeing it whole."""
    return needs_person(message) and not is_hidden(message)


@admin.register(OutboundMessage)
class OutboundMessageAdmin(MachineAdmin):
    """What we tell others."""

    change_list_template = "admin/channels/outboundmessage/change_list.html"
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
        ("subject", "shop"), ("what", "key"), "state", "why", ("made", "sent", "due"), "attempts", "content",
        "first", "answer", "tried",
    )  # fmt: skip
    readonly_fields = ("shop", "what", "state", "why", "made", "sent", "due", "content", "first", "answer", "tried")
    empty_hint = _("Nothing to tell yet. Messages appear when parcels are released or shipped.")
    standard_views = ((_("Needs a person"), "status=needs_person"), (_("Pending"), "status=pending"))
    verbs = (
        Verb("replay", _("Send again"), send_again, icon="send", is_offered=needs_person),
        Verb(
            "mend", _("Edit and send again…"), mend, form=MendForm, icon="edit", is_offered=may_be_mended,
            intro=_("The body as it goes out, in the house language. The first one is kept."),
        ),
        Verb(
            "give_up", _("Give up…"), give_up, form=ReasonForm, icon="block", is_grave=True, is_offered=needs_person,
            intro=_("Nothing is sent any more. What waits behind an event of the same order goes on."),
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Say on each row whether its reader may know whom it is about."""
        may_see = request.user.has_perm(SEE_PERSONAL)
        return super().get_queryset(request).annotate(may_see_personal=Value(may_see))

    def get_urls(self) -> list[URLPattern]:
        """Add the page that sends a range again."""
        return again.urls(self) + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Offer a range to those who may act."""
        own = {"may_act": self.has_act_permission(request)}
        return super().changelist_view(request, own | (extra_context or {}))

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
        return format_html('<pre class="payload">{}</pre>', _pretty(shown(message, message.body)))

    @admin.display(description=_("last answer"))
    def answer(self, message: OutboundMessage) -> SafeString:
        """Show what the other side said last."""
        return format_html('<pre class="payload">{}</pre>', message.response) if message.response else columns.EMPTY

    @admin.display(description=_("body before it was edited"))
    def first(self, message: OutboundMessage) -> SafeString:
        """Show what was told before a person mended it, and who did."""
        if message.first_body is None:
            return columns.EMPTY
        return format_html(
            '{}<pre class="payload">{}</pre>',
            columns.actor(message.edited_by),
            _pretty(shown(message, message.first_body)),
        )

    @admin.display(description=_("tries to deliver"))
    def tried(self, message: OutboundMessage) -> SafeString:
        """Show the newest tries: when, how long, and what the other side said."""
        tries = message.tries.order_by("-attempted_at", "-pk")[:SHOWN_TRIES]
        lines = format_html_join(
            "",
            "<li>{} · {} · {} ms · {}</li>",
            (
                (columns.when(one.attempted_at), one.get_outcome_display(), one.milliseconds, one.answer)
                for one in tries
            ),
        )
        return format_html("<ul>{}</ul>", lines) if lines else columns.EMPTY
