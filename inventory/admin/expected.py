"""Expected receipts: what suppliers have promised, what is late, and writing down what came."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices, waiting
from inventory.admin.document import Page, Table, WrittenAdmin, acting, one_by_one
from inventory.admin.lines import refuse
from inventory.admin.receipt_forms import ExpectedForm, ReceiptForm, ReceivedForm, SlipForm, received_forms
from inventory.models import ExpectedReceipt, Receipt
from inventory.queries import ahead
from inventory.services import receipts
from inventory.services.refusals import RowsRefused
from inventory.statuses import ExpectedStatus

TONES = {"open": "blue", "part_received": "amber", "received": "green", "cancelled": "grey"}


class DueFilter(filters.ChoiceFilter):
    """What is still awaited, by its day."""

    title = _("due on")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the spans that can be chosen."""
        return [("awaited", _("Still awaited")), ("late", _("Late")), ("today", _("Today"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what is awaited in the chosen span."""
        if self.value() not in ("awaited", "late", "today"):
            return queryset
        awaited, today = queryset.filter(status__in=ExpectedStatus.AWAITED), timezone.localdate()
        if self.value() == "awaited":
            return awaited
        return awaited.filter(due_date__lt=today) if self.value() == "late" else awaited.filter(due_date=today)


def is_awaited(row: ExpectedReceipt) -> bool:
    """Return whether something of it may still come."""
    return row.status in ExpectedStatus.AWAITED


def slip(rows: Sequence[ExpectedReceipt], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Expect these on another day."""
    day = told["due_date"]
    return one_by_one(rows, lambda row: receipts.slip(row.pk, due_date=day), say("The date is moved."))


def cancel(rows: Sequence[ExpectedReceipt], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Expect the rest of these no longer."""
    return one_by_one(rows, lambda row: receipts.cancel(row.pk, at=at), say("Cancelled."))


@admin.register(ExpectedReceipt)
class ExpectedReceiptAdmin(WrittenAdmin):
    """Deliveries that suppliers have promised to nodes."""

    list_display = ("number", "supplier", "place", "state", "due", "units_expected", "units_received")
    list_filter = (
        filters.choice(_("status"), "status", lambda: ExpectedStatus.choices),
        DueFilter,
        filters.choice(_("node"), "node", choices.nodes),
    )
    list_select_related = ("node",)
    search_fields = ("number",)
    search_help_text = _("Begins with …")
    ordering = ("-due_date", "-pk")
    sortable_by = ()
    fields = ("number", "supplier", "place", "state", "due", "created", "who", "closed")
    readonly_fields = fields
    empty_hint = _("Nothing is expected. Write down what a supplier has promised.")
    standard_views = ((_("Still awaited"), "due=awaited"), (_("Late"), "due=late"))
    head_form = ExpectedForm
    write_title = _("New expected receipt")
    pages = (Page("receive", _("Receive…"), "receive_page", "inventory", is_offered=is_awaited),)
    verbs = (
        Verb("slip", _("Move the date…"), slip, SlipForm, icon="event", is_offered=is_awaited),
        Verb("cancel", _("Expect no more"), cancel, icon="close", is_grave=True, is_offered=is_awaited),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find receipts by the beginning of their number."""
        term = search_term.strip()
        return (queryset.filter(number__startswith=term) if term else queryset), False

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how many units of each are expected and have come."""
        known = ExpectedReceipt.objects.filter(pk__in=[row.pk for row in rows]).order_by()
        sums = known.annotate(all=Sum("lines__quantity", default=0), came=Sum("lines__quantity_received", default=0))
        units = {pk: (whole, came) for pk, whole, came in sums.values_list("pk", "all", "came")}
        for row in rows:
            row.units = units.get(row.pk, (0, 0))

    def write(self, row: Any, told: Mapping[str, Any], units: Mapping[int, int], actor: Actor) -> tuple[Any, Sentence]:
        """Write down what was promised."""
        asked = ExpectedReceipt(
            number=told["number"], node_id=told["node"], supplier=told["supplier"], due_date=told["due_date"]
        )
        saved = receipts.expect(asked, units=units, actor=actor, at=timezone.now())
        return saved, say("Receipt %(number)s is expected.", number=saved.number)

    def receive_page(self, request: HttpRequest, row: ExpectedReceipt) -> HttpResponse:
        """Ask what came of each line, and put it into stock."""
        head = ReceiptForm(request.POST or None, expected=row)
        rows = received_forms(row, request.POST or None)
        if request.method == "POST" and all(form.is_valid() for form in (head, *rows)):
            is_final = head.cleaned_data["rest"] == "never"
            told = [form for form in rows if form.says_something or (is_final and form.left)]
            try:
                words = self.receive(row, head.cleaned_data["number"], told, is_final, acting(request))
                return self.done(request, row, words)
            except RowsRefused as error:
                refuse(error, head, told)
        heads = [_("SKU"), _("Still to come"), _("Received"), _("Damaged"), _("Reason"), _("Note")]
        if any(form.line.sku.tracks_lots for form in rows):
            heads += [_("Lot"), _("Expires on")]
        intro = _("Damaged units are received too; they are held until somebody decides about them.")
        context = {"head": head, "lines": rows, "heads": heads, "intro": intro, "button": _("Receive")}
        return self.show_page(request, "admin/inventory/rows.html", _("Receive"), row=row, **context)

    def receive(
        self, row: ExpectedReceipt, number: str, told: Sequence[ReceivedForm], is_final: bool, actor: Actor
    ) -> Sentence:
        """Put what came into stock; returns what to say. Raises ``RowsRefused``."""
        receipt = Receipt(number=number, node_id=row.node_id, expected=row)
        arrivals = [form.arrival() for form in told]
        saved = receipts.receive(receipt, arrivals=arrivals, is_final=is_final, actor=actor, at=timezone.now())
        if saved is not receipt:
            return say("This arrival was written down before; it counts once.")
        return say("%(count)s units are received.", count=sum(arrival.received for arrival in arrivals))

    def tables(self, row: ExpectedReceipt) -> Sequence[Table]:
        """Show each line and what has come of it, who waits for it, and the receipts so far."""
        lines = row.lines.select_related("sku").order_by("pk")
        heads = [(_("SKU"), False), (_("Expected"), True), (_("Received"), True), (_("Still to come"), True)]
        figures = [
            [columns.code_and_name(line.sku)]
            + [
                columns.number(n)
                for n in (line.quantity, line.quantity_received, line.quantity - line.quantity_received)
            ]
            for line in lines
        ]
        came = row.receipts.annotate(units=Sum("lines__quantity_received", default=0)).order_by("received_at", "pk")
        so_far = [
            [
                _receipt_link(one),
                columns.when(one.received_at),
                columns.actor(one.received_by),
                columns.number(one.units),
            ]
            for one in came
        ]
        receipts_heads = [(_("Number"), False), (_("Received at"), False), (_("By"), False), (_("Units"), True)]
        found = [Table(_("Receipts"), receipts_heads, so_far)] if so_far else []
        queue = ahead.waiting_for_receipt(row.pk, most=waiting.MOST_SHOWN + 1)
        return [Table(_("Lines"), heads, figures), *waiting.table(queue, row.number), *found]

    @admin.display(description=_("node"))
    def place(self, row: ExpectedReceipt) -> SafeString:
        """Show where it comes to."""
        return columns.code_and_name(row.node)

    @admin.display(description=_("status"))
    def state(self, row: ExpectedReceipt) -> SafeString:
        """Show how much has come."""
        return columns.label(row.get_status_display(), TONES[row.status])

    @admin.display(description=_("due on"))
    def due(self, row: ExpectedReceipt) -> SafeString:
        """Show the day, and by how many days an awaited one is late."""
        day = format_html('<span class="nowrap">{}</span>', row.due_date.isoformat())
        late = (timezone.localdate() - row.due_date).days
        if late <= 0 or not is_awaited(row):
            return day
        words = gettext("%(span)s late") % {"span": gettext("%(n)s d") % {"n": late}}
        return format_html("{} {}", day, columns.label(words, "red"))

    @admin.display(description=_("expected units"))
    def units_expected(self, row: Any) -> SafeString:
        """Show how many units were promised."""
        return columns.number(row.units[0])

    @admin.display(description=_("received units"))
    def units_received(self, row: Any) -> SafeString:
        """Show how many of them came."""
        return columns.number(row.units[1])

    @admin.display(description=_("created at"))
    def created(self, row: ExpectedReceipt) -> SafeString:
        """Show since when."""
        return columns.when(row.created_at)

    @admin.display(description=_("created by"))
    def who(self, row: ExpectedReceipt) -> str:
        """Show who wrote it down."""
        return columns.actor(row.created_by)

    @admin.display(description=_("closed at"))
    def closed(self, row: ExpectedReceipt) -> SafeString:
        """Show when it was over."""
        return columns.when(row.closed_at)


def _receipt_link(row: Receipt) -> SafeString:
    return columns.link(reverse("admin:inventory_receipt_change", args=[row.pk]), row.number)
