"""Channels' shares of stock: written as drafts, looked at in a preview, published, ended. No live share is edited."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from channels.models import Channel
from inventory.admin.document import Table
from inventory.models import ChannelShare, SharePool
from inventory.services import shares
from inventory.services.refusals import RowsRefused
from inventory.statuses import RuleStatus, ShareKind, ShareUnit

TONES = {"draft": "grey", "live": "green", "retired": "grey"}
MOST_POOLS_SHOWN = 50


def codes() -> list[tuple[str, Any]]:
    """Return every channel's code as a choice."""
    return [(row.code, f"{row.code} {columns.local_name(row)}") for row in Channel.objects.order_by("code")]


class ShareForm(WhyForm):
    """A draft; what cannot go together is said beside its field."""

    channel = forms.ChoiceField(label=_("Channel"), choices=codes, widget=UnfoldAdminSelectWidget)

    def clean(self) -> dict[str, Any]:
        """Say what a kind of share needs before the database would refuse it."""
        told = super().clean() or {}
        if told.get("category") and told.get("sku"):
            self.add_error("sku", _("Choose a category or a SKU, not both."))
        if told.get("unit") == ShareUnit.PERCENT and (told.get("amount") or 0) > 100:
            self.add_error("amount", _("A share is at most 100 per cent."))
        if told.get("starts_at") and told.get("ends_at") and told["ends_at"] <= told["starts_at"]:
            self.add_error("ends_at", _("It would end before it begins."))
        if told.get("kind") == ShareKind.PRESALE:
            self._need(told, "sku", _("A presale is of one SKU."))
            self._need(told, "ships_from_date", _("Say from when the parcels leave."))
            if told.get("unit") != ShareUnit.UNITS:
                self.add_error("unit", _("A presale is counted in units."))
        return told

    def _need(self, told: Mapping[str, Any], field: str, words: Any) -> None:
        if not told.get(field) and field not in self.errors:
            self.add_error(field, words)


def publish(rows: Sequence[ChannelShare], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Make drafts live."""
    return _each(rows, say("Live."), lambda row: shares.publish(row, actor=actor, at=at, reason=told["reason"]))


def end(rows: Sequence[ChannelShare], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """End shares."""
    done = say("Ended. What is reserved stays reserved.")
    return _each(rows, done, lambda row: shares.retire(row, actor=actor, at=at, reason=told["reason"]))


def copy(rows: Sequence[ChannelShare], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Make a new draft of each share, to be edited and published in its place."""
    for row in rows:
        row.pk, row.status, row.published_at, row.published_by, row.retired_at = None, RuleStatus.DRAFT, None, "", None
        row.created_at, row.created_by, row._state.adding = at, actor.label[:80], True
        trail.because(row, actor=actor, reason="copied")
        row.save()
    return Answer(say("%(count)s drafts are made.", count=len(rows)))


def _each(rows: Sequence[ChannelShare], done: Sentence, deed: Callable[[ChannelShare], Any]) -> Answer:
    refused: dict[str, Sentence] = {}
    for row in rows:
        try:
            deed(row)
        except RowsRefused as error:
            refused[str(row)] = error.rows[0].reason
    return Answer(done if len(refused) < len(rows) else None, refused)


@admin.register(ChannelShare)
class ChannelShareAdmin(AuditedAdmin):
    """Which channel may sell how much of what."""

    form = ShareForm
    change_form_template = "admin/inventory/rule.html"
    list_display = ("what_for", "channel", "sort", "size", "time", "state", "published")
    list_filter = (
        filters.choice(_("status"), "status", lambda: RuleStatus.choices),
        filters.choice(_("channel"), "channel", codes),
        filters.choice(_("kind"), "kind", lambda: ShareKind.choices),
    )
    list_select_related = ("sku", "category")
    search_fields = ("sku__code", "channel")
    search_help_text = _("SKU or channel begins with …")
    autocomplete_fields = ("sku",)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("channel", "kind"), ("category", "sku"), ("amount", "unit"))}),
        (_("Rules"), {"fields": (("lend_percent", "ships_from_date"), "starts_at", "ends_at")}),
    )
    empty_hint = _("No shares yet: every channel may sell all the stock of the nodes that serve it.")
    standard_views = ((_("Live"), "status=live"), (_("Drafts"), "status=draft"))
    verbs = (
        Verb("publish", _("Publish…"), publish, ReasonForm, icon="publish",
             intro=_("From then on every order and every channel's figure obeys it."),
             is_offered=lambda row: row.status == RuleStatus.DRAFT),
        Verb("end", _("End…"), end, ReasonForm, icon="event_busy", is_grave=True,
             is_offered=lambda row: row.status == RuleStatus.LIVE),
        Verb("copy", _("Copy as a draft"), copy, icon="content_copy"),
    )  # fmt: skip

    class Media:
        css: ClassVar = {"all": ["inventory/documents.css"]}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Use the form that knows what each kind of share needs."""
        return super().get_form(request, obj, change, **(kwargs | {"form": ShareForm}))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find shares by the beginning of their SKU's or channel's code."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(sku__code__startswith=term) | queryset.filter(channel__startswith=term), False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether a draft may be edited; what was live once is proof."""
        return super().has_change_permission(request, obj) and (obj is None or obj.status == RuleStatus.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether a draft may be thrown away."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == RuleStatus.DRAFT)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep who wrote a draft and when."""
        if not change:
            obj.created_at, obj.created_by = timezone.now(), Actor("person", request.user.get_username()).label[:80]
        super().save_model(request, obj, form, change)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show what a draft would do, and what of a live share is used."""
        row = context.get("original")
        context["tables"] = self.tables(row) if row else []
        return super().render_change_form(request, context, *args, **kwargs)

    def tables(self, row: ChannelShare) -> Sequence[Table]:
        """Return the preview of a draft, or the use of a share that was published."""
        return _preview(row) if row.status == RuleStatus.DRAFT else _use(row)

    @admin.display(description=_("of what"))
    def what_for(self, row: ChannelShare) -> Any:
        """Show the SKU, the category, or everything."""
        if row.sku:
            return columns.code_and_name(row.sku)
        return columns.local_name(row.category) if row.category else _("everything")

    @admin.display(description=_("kind"))
    def sort(self, row: ChannelShare) -> str:
        """Show what it does."""
        return row.get_kind_display()

    @admin.display(description=_("amount"))
    def size(self, row: ChannelShare) -> str:
        """Show how much it is."""
        amount = f"{row.amount.normalize():f}"
        return f"{amount} %" if row.unit == ShareUnit.PERCENT else gettext("%(units)s units") % {"units": amount}

    @admin.display(description=_("time"))
    def time(self, row: ChannelShare) -> Any:
        """Show from when until when."""
        if not row.starts_at and not row.ends_at:
            return _("always")
        ends = [columns.stamp(moment) if moment else "…" for moment in (row.starts_at, row.ends_at)]
        return " – ".join(ends)

    @admin.display(description=_("status"))
    def state(self, row: ChannelShare) -> SafeString:
        """Show whether it is live, and whether its time is now."""
        if row.status != RuleStatus.LIVE:
            return columns.label(row.get_status_display(), TONES[row.status])
        now = timezone.now()
        if row.ends_at and row.ends_at <= now:
            return columns.label(_("Over"), "grey")
        if row.starts_at and row.starts_at > now:
            return columns.label(_("Begins later"), "blue")
        return columns.label(row.get_status_display(), "green")

    @admin.display(description=_("published at"))
    def published(self, row: ChannelShare) -> SafeString:
        """Show since when it was live."""
        return columns.when(row.published_at)


def _preview(row: ChannelShare) -> list[Table]:
    found = shares.preview(row, at=timezone.now())
    heads = [(_("Channel"), False), (_("Now"), True), (_("Then"), True), (_("Change"), True)]
    sums = [
        [channel or gettext("every channel without a share"), columns.number(now), columns.number(then),
         columns.signed(then - now)]
        for channel, now, then in found.channels
    ]  # fmt: skip
    hint = gettext("Units that each channel could sell of %(skus)s SKUs if this were live now. ") % {"skus": found.skus}
    if found.is_cut:
        hint += gettext("Only the first SKUs are looked at. ")
    if found.overcommitted:
        hint += gettext("Of %(skus)s SKUs less is free than it sets aside.") % {"skus": found.overcommitted}
    largest = [
        [one.sku_code, one.channel or gettext("every channel without a share"), columns.number(one.before),
         columns.number(one.after), columns.signed(one.after - one.before)]
        for one in found.largest
    ]  # fmt: skip
    tables = [Table(_("What it would do"), heads, sums, hint)]
    if largest:
        tables.append(Table(_("Largest changes"), [(_("SKU"), False), *heads], largest))
    return tables


def _use(row: ChannelShare) -> list[Table]:
    pools = SharePool.objects.filter(share=row).select_related("sku").order_by("-reserved", "pk")[:MOST_POOLS_SHOWN]
    heads = [(_("SKU"), False), (_("Reserved"), True), (_("Sold"), True), (_("Promised ahead"), True),
             (_("Since"), False), (_("Until"), False)]  # fmt: skip
    rows = [
        [columns.code_and_name(pool.sku), columns.number(pool.reserved), columns.number(pool.sold),
         columns.number(pool.promised), columns.when(pool.opened_at), columns.when(pool.closed_at)]
        for pool in pools
    ]  # fmt: skip
    hint = gettext("The %(most)s SKUs with the most reserved units.") % {"most": MOST_POOLS_SHOWN}
    return [Table(_("How much of it is used"), heads, rows, hint)]
