"""Transfers: what is on its way between nodes, and the deeds of those who send and receive it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Sum
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices
from inventory.models import ReasonCode, Transfer
from inventory.services import transfers
from inventory.services.refusals import RowsRefused
from inventory.statuses import ReasonUse, TransferStatus

TONES = {"draft": "grey", "in_transit": "blue", "part_received": "amber", "received": "green", "cancelled": "grey"}


def reasons() -> list[tuple[str, str]]:
    """Return the reasons of a discrepancy as choices in the reader's language."""
    rows = ReasonCode.objects.filter(use=ReasonUse.DISCREPANCY, is_active=True).order_by("code")
    return [(row.code, columns.local_name(row)) for row in rows]


class LossForm(VerbForm):
    """Why the rest will never come."""

    reason = forms.ChoiceField(label=_("Reason"), choices=reasons, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(label=_("Note"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget)


def one_by_one(rows: Sequence[Transfer], deed: Any, done: Sentence) -> Answer:
    """Carry a deed out on each transfer; a refused one keeps no other from going through."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        try:
            deed(row)
        except RowsRefused as error:
            refused[row.number] = error.rows[0].reason
    return Answer(done if len(refused) < len(rows) else None, refused)


def send(rows: Sequence[Transfer], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Let drafts leave."""
    return one_by_one(rows, lambda row: transfers.send([row.pk], actor=actor, at=at), say("Sent."))


def receive_rest(rows: Sequence[Transfer], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Receive everything that is still on its way."""

    def arrive(row: Transfer) -> None:
        units = {line.sku_id: line.in_transit for line in row.lines.all() if line.in_transit}
        transfers.receive(row.pk, key="rest", units=units, actor=actor, at=at)

    return one_by_one(rows, arrive, say("Received."))


def give_up(rows: Sequence[Transfer], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Write off what will never come."""
    reason, note = told["reason"], told["note"]
    return one_by_one(
        rows,
        lambda row: transfers.give_up(row.pk, reason_code=reason, note=note, actor=actor, at=at),
        say("The missing units are written down as lost."),
    )


def cancel(rows: Sequence[Transfer], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Forget drafts."""
    return one_by_one(rows, lambda row: transfers.cancel([row.pk], actor=actor, at=at), say("Cancelled."))


def is_draft(row: Transfer) -> bool:
    """Return whether it has not left."""
    return row.status == TransferStatus.DRAFT


def is_underway(row: Transfer) -> bool:
    """Return whether something of it is on its way."""
    return row.status in TransferStatus.UNDERWAY


@admin.register(Transfer)
class TransferAdmin(MachineAdmin):
    """Consignments between nodes."""

    list_display = ("number", "origin", "target", "state", "underway", "created", "sent")
    list_filter = (
        filters.choice(_("status"), "status", lambda: TransferStatus.choices),
        filters.choice(_("from"), "source", choices.nodes),
        filters.choice(_("to"), "destination", choices.nodes),
    )
    list_select_related = ("source", "destination")
    search_fields = ("number",)
    search_help_text = _("Begins with …")
    ordering = ("-created_at", "-pk")
    sortable_by = ()
    fields = ("number", "origin", "target", "state", "underway", "created", "sent", "note")
    readonly_fields = fields
    verbs = (
        Verb("send", _("Send"), send, icon="local_shipping", is_offered=is_draft),
        Verb("receive", _("Receive the rest"), receive_rest, icon="inventory", is_offered=is_underway),
        Verb("give-up", _("The rest is lost…"), give_up, LossForm, icon="help", is_grave=True, is_offered=is_underway),
        Verb("cancel", _("Cancel the draft"), cancel, icon="close", is_grave=True, is_offered=is_draft),
    )

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how many units of each transfer are on their way."""
        sums = {
            row["pk"]: row["sent"] - row["came"] - row["lost"]
            for row in Transfer.objects.filter(pk__in=[row.pk for row in rows])
            .order_by()
            .values("pk")
            .annotate(
                sent=Sum("lines__quantity_sent", default=0),
                came=Sum("lines__quantity_received", default=0),
                lost=Sum("lines__quantity_lost", default=0),
            )
        }
        for row in rows:
            row.units_underway = sums.get(row.pk, 0)

    @admin.display(description=_("from"))
    def origin(self, row: Transfer) -> SafeString:
        """Show where it comes from."""
        return columns.code_and_name(row.source)

    @admin.display(description=_("to"))
    def target(self, row: Transfer) -> SafeString:
        """Show where it goes."""
        return columns.code_and_name(row.destination)

    @admin.display(description=_("status"))
    def state(self, row: Transfer) -> SafeString:
        """Show how far it is."""
        return columns.label(row.get_status_display(), TONES[row.status])

    @admin.display(description=_("in transit"))
    def underway(self, row: Transfer) -> SafeString:
        """Show how many units are on their way."""
        known = getattr(row, "units_underway", None)
        return columns.number(sum(line.in_transit for line in row.lines.all()) if known is None else known)

    @admin.display(description=_("created at"))
    def created(self, row: Transfer) -> SafeString:
        """Show since when."""
        return columns.when(row.created_at)

    @admin.display(description=_("sent at"))
    def sent(self, row: Transfer) -> SafeString:
        """Show when it left."""
        return columns.when(row.sent_at)
