"""Transfers: what is on its way between nodes, and the deeds of those who send and receive it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices, waiting
from inventory.admin.document import Page, Table, WrittenAdmin, acting, one_by_one
from inventory.admin.lines import refuse
from inventory.admin.receipt_forms import SlipForm
from inventory.admin.transfer_forms import ArrivalForm, KeyForm, LossForm, NewTransferForm, RouteForm, arrival_forms
from inventory.models import Transfer
from inventory.queries import ahead
from inventory.services import refusals, transfers
from inventory.services.refusals import RowsRefused
from inventory.statuses import TransferStatus

TONES = {"draft": "grey", "in_transit": "blue", "part_received": "amber", "received": "green", "cancelled": "grey"}


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


def slip(rows: Sequence[Transfer], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Expect these on another day."""
    day = told["due_date"]
    return one_by_one(rows, lambda row: transfers.reschedule(row.pk, arrives_date=day), say("The date is moved."))


def is_draft(row: Transfer) -> bool:
    """Return whether it has not left."""
    return row.status == TransferStatus.DRAFT


def is_underway(row: Transfer) -> bool:
    """Return whether something of it is on its way."""
    return row.status in TransferStatus.UNDERWAY


@admin.register(Transfer)
class TransferAdmin(WrittenAdmin):
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
    fields = ("number", "origin", "target", "state", "underway", "arrives", "created", "who", "sent", "note")
    readonly_fields = fields
    empty_hint = _("No transfers yet. Move stock from one node to another.")
    standard_views = ((_("On their way"), "status=in_transit"), (_("Drafts"), "status=draft"))
    head_form = NewTransferForm
    write_title = _("New transfer")
    pages = (
        Page("edit", _("Edit the draft…"), "edit_page", "edit", is_offered=is_draft),
        Page("receive", _("Receive…"), "receive_page", "inventory", is_offered=is_underway),
    )
    verbs = (
        Verb("send", _("Send"), send, icon="local_shipping", is_offered=is_draft),
        Verb("receive", _("Receive the rest"), receive_rest, icon="done_all", is_offered=is_underway),
        Verb("slip", _("Move the date…"), slip, SlipForm, icon="event", is_offered=is_underway),
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

    def edit_page(self, request: HttpRequest, row: Transfer) -> HttpResponse:
        """Ask for head and lines of a draft again."""
        route = {"source": row.source_id, "destination": row.destination_id, "note": row.note}
        head = RouteForm(request.POST or None, initial=route | {"arrives_date": row.arrives_date})
        lines = row.lines.select_related("sku").order_by("pk")
        known = [{"sku": line.sku.code, "quantity": line.quantity} for line in lines]
        return self.write_page(
            request, row, _("Edit transfer %(number)s") % {"number": row.number}, {"head": head}, known
        )

    def write(self, row: Any, told: Mapping[str, Any], units: Mapping[int, int], actor: Actor) -> tuple[Any, Sentence]:
        """Write a draft down, or write it anew."""
        asked = Transfer(
            pk=row.pk if row else None,
            number=row.number if row else told["number"],
            source_id=told["source"],
            destination_id=told["destination"],
            arrives_date=told["arrives_date"],
            note=told["note"],
        )
        if row:
            return transfers.redraft(asked, units=units), say("The draft is changed.")
        saved = transfers.draft(asked, units=units, actor=actor, at=timezone.now())
        return saved, say("Transfer %(number)s is written down. Nothing moves until it is sent.", number=saved.number)

    def receive_page(self, request: HttpRequest, row: Transfer) -> HttpResponse:
        """Ask how many units of each line came, and put them into stock."""
        head = KeyForm(request.POST or None)
        rows = arrival_forms(row, request.POST or None)
        if request.method == "POST" and all(form.is_valid() for form in (head, *rows)):
            told = [form for form in rows if form.cleaned_data["units"]]
            try:
                return self.done(request, row, self.receive(row, head.cleaned_data["key"], told, acting(request)))
            except RowsRefused as error:
                refuse(error, head, told, "units")
        context = {"head": head, "lines": rows, "heads": (_("SKU"), _("In transit"), _("Came now"))}
        return self.show_page(
            request, "admin/inventory/rows.html", _("Receive"), row=row, button=_("Receive"), **context
        )

    def receive(self, row: Transfer, key: str, told: Sequence[ArrivalForm], actor: Actor) -> Sentence:
        """Put what came into stock; returns what to say. Raises ``RowsRefused``."""
        if transfers.has_come(row, key=key):
            return say("This arrival was written down before; it counts once.")
        units = {form.line.sku_id: form.cleaned_data["units"] for form in told}
        if not units:
            raise refusals.refuse(say("Nothing came: say how many units of at least one line."))
        transfers.receive(row.pk, key=key, units=units, actor=actor, at=timezone.now())
        return say("%(count)s units are received.", count=sum(units.values()))

    def tables(self, row: Transfer) -> Sequence[Table]:
        """Show each line: what was asked, what left, what came and what never will, then who waits for it."""
        heads = [(_("SKU"), False), (_("Quantity"), True), (_("Sent"), True), (_("Received"), True),
                 (_("Lost on the way"), True), (_("In transit"), True)]  # fmt: skip
        rows = [
            [columns.code_and_name(line.sku)]
            + [columns.number(units) for units in (line.quantity, line.quantity_sent, line.quantity_received,
                                                   line.quantity_lost, line.in_transit)]
            for line in row.lines.select_related("sku").order_by("pk")
        ]  # fmt: skip
        queue = ahead.waiting_for_transfer(row.pk, most=waiting.MOST_SHOWN + 1)
        return [Table(_("Lines"), heads, rows), *waiting.table(queue, row.number)]

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

    @admin.display(description=_("arrives on"))
    def arrives(self, row: Transfer) -> SafeString:
        """Show the day on which it is expected, if somebody said one."""
        return format_html('<span class="nowrap">{}</span>', row.arrives_date or "–")

    @admin.display(description=_("created at"))
    def created(self, row: Transfer) -> SafeString:
        """Show since when."""
        return columns.when(row.created_at)

    @admin.display(description=_("created by"))
    def who(self, row: Transfer) -> str:
        """Show who wrote it down."""
        return columns.actor(row.created_by)

    @admin.display(description=_("sent at"))
    def sent(self, row: Transfer) -> SafeString:
        """Show when it left."""
        return columns.when(row.sent_at)
