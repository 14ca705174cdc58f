"""Counts: chosen by the value at risk, counted blind, corrected when every line is settled."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices
from inventory.admin.count_forms import ConfirmForm, NewCountForm, UnitsForm, ticked, units_forms
from inventory.admin.document import DocumentAdmin, Page, Table, acting, one_by_one
from inventory.admin.lines import refuse
from inventory.models import CountLine, Node, Sku, StockCount
from inventory.queries import risk
from inventory.services import counts, refusals
from inventory.services.refusals import RowsRefused
from inventory.statuses import CountLineStatus, CountStatus

TONES = {"open": "blue", "applied": "green", "cancelled": "grey"}
LINE_TONES = {"open": "grey", "recount": "amber", "settled": "green"}
MOST_TO_CHOOSE = 100


def is_open(row: StockCount) -> bool:
    """Return whether it is still being counted."""
    return row.status == CountStatus.OPEN


def has_lines_to_count(row: StockCount) -> bool:
    """Return whether a line of it waits for somebody."""
    return is_open(row) and row.lines.exclude(status=CountLineStatus.SETTLED).exists()


def is_settled(row: StockCount) -> bool:
    """Return whether every line is counted and nothing was corrected yet."""
    return is_open(row) and not row.lines.exclude(status=CountLineStatus.SETTLED).exists()


def apply(rows: Sequence[StockCount], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Correct stock by what these counts found."""
    return one_by_one(rows, lambda row: counts.apply(row.pk, actor=actor, at=at), say("Stock is corrected."))


def cancel(rows: Sequence[StockCount], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Give counts up."""
    return one_by_one(rows, lambda row: counts.cancel(row.pk, actor=actor, at=at), say("Cancelled."))


@admin.register(StockCount)
class StockCountAdmin(DocumentAdmin):
    """Blind counts of some SKUs at a node."""

    list_display = ("number", "place", "state", "progress", "opened", "who", "closed")
    list_filter = (
        filters.choice(_("status"), "status", lambda: CountStatus.choices),
        filters.choice(_("node"), "node", choices.nodes),
    )
    list_select_related = ("node",)
    search_fields = ("number",)
    search_help_text = _("Begins with …")
    ordering = ("-opened_at", "-pk")
    sortable_by = ()
    fields = ("number", "place", "state", "limits", "opened", "who", "closed", "closer")
    readonly_fields = fields
    empty_hint = _("Nothing was counted yet. Begin where the most value is at risk.")
    standard_views = ((_("Under way"), "status=open"), (_("Applied"), "status=applied"))
    pages = (Page("count", _("Count…"), "count_page", "pin", is_offered=has_lines_to_count),)
    verbs = (
        Verb("apply", _("Apply…"), apply, ConfirmForm, icon="done_all", is_offered=is_settled,
             intro=_("Stock on hand is corrected by the variances that the page of the count shows.")),
        Verb("cancel", _("Give up…"), cancel, ConfirmForm, icon="close", is_grave=True, is_offered=is_open,
             intro=_("Nothing is corrected, and what was counted is kept for the record only.")),
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find counts by the beginning of their number."""
        term = search_term.strip()
        return (queryset.filter(number__startswith=term) if term else queryset), False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may begin a count: the model's own add permission."""
        return request.user.has_perm("inventory.add_stockcount")

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how many lines of each are counted."""
        known = StockCount.objects.filter(pk__in=[row.pk for row in rows]).order_by()
        settled = Count("lines", filter=Q(lines__status=CountLineStatus.SETTLED))
        told = known.annotate(all=Count("lines"), settled=settled).values_list("pk", "settled", "all")
        lines = {pk: (done, whole) for pk, done, whole in told}
        for row in rows:
            row.counted = lines.get(row.pk, (0, 0))

    # -- beginning ---------------------------------------------------------------------------------
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a node, show its SKUs by value at risk, and begin a count of the ticked ones."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = (request.POST or request.GET).get("node", "")
        nodes = list(Node.objects.order_by("code"))
        node = next((node for node in nodes if str(node.pk) == asked), None)
        head = NewCountForm(request.POST or None)
        risks = risk.ranking(node.pk, most=MOST_TO_CHOOSE) if node else []
        chosen = ticked(request.POST.getlist("sku"))
        if request.method == "POST" and node and head.is_valid():
            try:
                row, words = self.begin(node, head.cleaned_data, chosen, risks, acting(request))
                return self.done(request, row, words)
            except RowsRefused as error:
                refuse(error, head, ())
        names = {sku.pk: columns.local_name(sku) for sku in Sku.objects.filter(pk__in=[one.sku_id for one in risks])}
        ranked = [(one, names.get(one.sku_id, "")) for one in risks]
        context = {"head": head, "node": node, "risks": ranked, "chosen": chosen, "media": head.media}
        places = [(place, columns.local_name(place)) for place in nodes]
        return self.show_page(request, "admin/inventory/count_new.html", _("New count"), nodes=places, **context)

    def begin(
        self, node: Node, told: Mapping[str, Any], chosen: Sequence[int], risks: Sequence[risk.Risk], actor: Actor
    ) -> tuple[StockCount, Sentence]:
        """Begin a count of the chosen SKUs; returns it and what to say. Raises ``RowsRefused``."""
        known = StockCount.objects.filter(number=told["number"]).first()
        if known and known.node_id != node.pk:
            raise refusals.refuse(say("Number %(number)s stands for another count.", number=known.number))
        wanted = [one for one in risks if one.sku_id in chosen]
        if not known and len(wanted) < len(chosen):
            raise refusals.refuse(say("A ticked SKU is not in the list any more: somebody counts it. Look again."))
        asked = StockCount(node=node, **told)
        row = counts.begin(asked, risks=wanted, actor=actor, at=timezone.now())
        return row, say("Count %(number)s has begun.", number=row.number)

    # -- counting ----------------------------------------------------------------------------------
    def count_page(self, request: HttpRequest, row: StockCount) -> HttpResponse:
        """Ask how many units lie there, without a word about how many should."""
        actor = acting(request)
        forms = units_forms(row, request.POST or None, counter=actor.label[:80])
        head = ConfirmForm(request.POST or None, rows=[row])
        if request.method == "POST" and all(form.is_valid() for form in (head, *forms)):
            told = [form for form in forms if form.cleaned_data["units"] is not None]
            try:
                return self.tell(request, row, told, actor)
            except RowsRefused as error:
                refuse(error, head, told, "units")
        mine = {form.line.pk for form in forms}
        others = row.lines.filter(status=CountLineStatus.RECOUNT).exclude(pk__in=mine).select_related("sku")
        context = {"head": head, "lines": forms, "others": [line.sku.code for line in others.order_by("rank", "pk")]}
        return self.show_page(request, "admin/inventory/count.html", _("Count"), row=row, **context)

    def tell(self, request: HttpRequest, row: StockCount, told: Sequence[UnitsForm], actor: Actor) -> HttpResponse:
        """Keep what was counted, and go on with what is left. Raises ``RowsRefused``."""
        if not told:
            raise refusals.refuse(say("Nothing was counted: fill in at least one field."))
        units = {form.line.sku_id: form.cleaned_data["units"] for form in told}
        again = counts.tell(row.pk, units=units, actor=actor, at=timezone.now())
        words = say("%(count)s lines are counted.", count=len(units))
        messages.success(request, columns.sentence(words.stored()))
        if again:
            codes = ", ".join(line.sku.code for line in again)[:200]
            why = say("Another person must count again: %(skus)s.", skus=codes)
            messages.warning(request, columns.sentence(why.stored()))
        is_left = bool(units_forms(row, None, counter=actor.label[:80]))
        return HttpResponseRedirect(self.page_url("count", row) if is_left else self.row_url(row))

    # -- looking -----------------------------------------------------------------------------------
    def tables(self, row: StockCount) -> Sequence[Table]:
        """Show who counted what; the figures themselves only when nobody can be led by them any more."""
        lines = list(row.lines.select_related("sku").order_by("rank", "pk"))
        if is_open(row) and any(line.status != CountLineStatus.SETTLED for line in lines):
            heads = [(_("SKU"), False), (_("Status"), False), (_("Counted by"), False), (_("Counted at"), False)]
            hint = _("What is expected and what was counted is shown when every line is settled.")
            return [Table(_("Lines"), heads, [_blind(line) for line in lines], hint)]
        heads = [(_("SKU"), False), (_("Expected"), True), (_("Counted"), True), (_("Variance"), True),
                 (_("Variance at cost"), True), (_("Counted by"), False), (_("Counted at first"), False)]  # fmt: skip
        return [Table(_("Lines"), heads, [_open(line) for line in lines])]

    @admin.display(description=_("node"))
    def place(self, row: StockCount) -> SafeString:
        """Show where."""
        return columns.code_and_name(row.node)

    @admin.display(description=_("status"))
    def state(self, row: StockCount) -> SafeString:
        """Show whether it is still under way."""
        return columns.label(row.get_status_display(), TONES[row.status])

    @admin.display(description=_("counted"))
    def progress(self, row: Any) -> SafeString:
        """Show how many lines are settled."""
        done, whole = row.counted
        bar = '<span class="nowrap"><span class="bar"><i style="width:{}%"></i></span> {} / {}</span>'
        return format_html(bar, round(100 * done / whole) if whole else 0, done, whole)

    @admin.display(description=_("limits"))
    def limits(self, row: StockCount) -> str:
        """Show above what another person counts again."""
        return f"{row.limit_percent.normalize():f} % · {columns.amount_text(row.limit_value)}"

    @admin.display(description=_("opened at"))
    def opened(self, row: StockCount) -> SafeString:
        """Show since when."""
        return columns.when(row.opened_at)

    @admin.display(description=_("opened by"))
    def who(self, row: StockCount) -> str:
        """Show who began it."""
        return columns.actor(row.opened_by)

    @admin.display(description=_("closed at"))
    def closed(self, row: StockCount) -> SafeString:
        """Show when it was over."""
        return columns.when(row.closed_at)

    @admin.display(description=_("closed by"))
    def closer(self, row: StockCount) -> str | SafeString:
        """Show who applied it or gave it up."""
        return columns.actor(row.closed_by) if row.closed_by else columns.EMPTY


def _blind(line: CountLine) -> list[Any]:
    state = columns.label(line.get_status_display(), LINE_TONES[line.status])
    who = columns.actor(line.counted_by) if line.counted_by else columns.EMPTY
    return [columns.code_and_name(line.sku), state, who, columns.when(line.counted_at)]


def _open(line: CountLine) -> list[Any]:
    code = columns.code_and_name(line.sku)
    if line.counted is None or line.expected is None:
        return [code, *[columns.EMPTY] * 6]
    variance = line.variance or 0
    cost = columns.money(variance * line.sku.unit_cost)
    first = columns.EMPTY
    if line.first_counted is not None:
        first = format_html(
            "{} <span class='faint'>{}</span>", line.first_counted, columns.actor(line.first_counted_by)
        )
    figures = (columns.number(line.expected), columns.number(line.counted), columns.signed(variance), cost)
    return [code, *figures, columns.actor(line.counted_by), first]
