"""Safety stock rules: written as drafts, looked at in a preview, published, retired; and what each of them changed."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from audit.admin.verbs import Answer, ReasonForm, Verb, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory import tasks
from inventory.admin import choices, safety_preview
from inventory.admin.document import Table
from inventory.admin.ledger import LedgerAdmin, SkuFilter
from inventory.models import SafetyChange, SafetyRule, StockLevel
from inventory.rules.safety import MOST_UNITS
from inventory.services import safety, safety_rules
from inventory.services.refusals import RowsRefused
from inventory.services.safety_rules import Applied
from inventory.statuses import RuleStatus, SafetyKind

logger = logging.getLogger(__name__)
TONES = {"draft": "grey", "live": "green", "retired": "grey"}


class RuleForm(WhyForm):
    """A draft; what cannot stand is said beside its field."""

    def clean(self) -> dict[str, Any]:
        """Ask the service what is wrong before it would refuse."""
        told = super().clean() or {}
        if self.errors:
            return told
        facts = {name: told.get(name) for name in self.fields if name != "change_reason"}
        for field, why in safety_rules.complain(SafetyRule(**facts)):
            self.add_error(field, columns.sentence(why.stored()))
        return told


class PublishForm(ReasonForm):
    """Why, and which live rule ends with it."""

    replaces = forms.TypedChoiceField(
        label=_("Retires"), required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replaces"].choices = [("", _("no other rule"))]  # type: ignore[attr-defined]
        if len(self.rows) == 1:
            found = safety_rules.replaceable(self.rows[0])
            self.fields["replaces"].choices += [(row.pk, row.name) for row in found]  # type: ignore[attr-defined]
            replaced = safety_rules.replaced_by(self.rows[0])
            self.fields["replaces"].initial = replaced.pk if replaced else None


class OwnForm(VerbForm):
    """The units that a level keeps back where no rule fits."""

    units = forms.IntegerField(
        label=_("Units"), min_value=0, max_value=MOST_UNITS, widget=UnfoldAdminIntegerFieldWidget
    )


def publish(rows: Sequence[SafetyRule], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Make drafts live."""
    deed = partial(safety_rules.publish, reason=told["reason"], actor=actor, at=at)
    if len(rows) == 1 and told["replaces"]:
        deed = partial(deed, replaces=told["replaces"])
    return _each(rows, deed)


def retire(rows: Sequence[SafetyRule], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """End live rules."""
    return _each(rows, partial(safety_rules.retire, reason=told["reason"], actor=actor, at=at))


def copy(rows: Sequence[SafetyRule], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Make a new draft of each rule, to be edited and published in its place."""
    for row in rows:
        safety_rules.copy(row.pk, actor=actor, at=at)
    return Answer(say("%(count)s drafts are made.", count=len(rows)))


def set_own(rows: Sequence[StockLevel], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Set what these levels keep back where no rule fits."""
    units = {(row.sku_id, row.node_id): told["units"] for row in rows}
    changed = safety.set_own(units, actor=actor, at=at)
    return Answer(_done(Applied(changed)))


SET_OWN = Verb(
    "own-safety", _("Own safety stock…"), set_own, OwnForm, icon="shield", intro=_("It holds where no rule fits.")
)


def _each(rows: Sequence[SafetyRule], deed: Any) -> Answer:
    refused: dict[str, Sentence] = {}
    changed, is_under_way = 0, False
    for row in rows:
        try:
            applied = deed(row.pk)
        except RowsRefused as error:
            refused[row.name] = error.rows[0].reason
        else:
            changed, is_under_way = changed + applied.changed, is_under_way or applied.is_under_way
    if is_under_way:
        transaction.on_commit(_refresh_soon)
    return Answer(_done(Applied(changed, is_under_way)) if len(refused) < len(rows) else None, refused)


def _refresh_soon() -> None:
    try:
        tasks.refresh_safety.apply_async(retry=False, expires=600)
    except OperationalError as error:
        logger.warning("the broker cannot be reached, the next refresh is at most ten minutes away: %s", error)


def _done(applied: Applied) -> Sentence:
    if applied.is_under_way:
        return say("Done. There are very many levels: they follow within minutes.")
    return say("Done. %(count)s levels keep back another figure now.", count=applied.changed)


@admin.register(SafetyRule)
class SafetyRuleAdmin(AuditedAdmin):
    """What is never promised, by SKU, category and node."""

    form = RuleForm
    change_form_template = "admin/inventory/rule.html"
    list_display = ("name", "what_for", "where", "size", "time", "state", "published")
    list_filter = (
        filters.choice(_("status"), "status", lambda: RuleStatus.choices),
        filters.choice(_("kind"), "kind", lambda: SafetyKind.choices),
        filters.choice(_("node"), "node", choices.nodes),
    )
    list_select_related = ("sku", "category", "node")
    search_fields = ("name",)
    autocomplete_fields = ("sku",)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", ("kind", "amount"))}),
        (_("For which levels, and when"), {"fields": ("sku", ("category", "node"), "starts_at", "ends_at")}),
    )
    empty_hint = _("No rules yet: each level keeps back its own figure.")
    standard_views = ((_("Live"), "status=live"), (_("Drafts"), "status=draft"))
    verbs = (
        Verb("publish", _("Publish…"), publish, PublishForm, icon="publish",
             intro=_("From then on its levels promise what the preview shows."),
             is_offered=lambda row: row.status == RuleStatus.DRAFT),
        Verb("retire", _("Retire…"), retire, ReasonForm, icon="event_busy", is_grave=True,
             intro=_("Its levels keep back what the other rules ask for, or their own figure."),
             is_offered=lambda row: row.status == RuleStatus.LIVE),
        Verb("copy", _("Copy as a draft"), copy, icon="content_copy"),
    )  # fmt: skip

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Use the form that asks the service."""
        labels = {"amount": _("quantity")}
        return super().get_form(request, obj, change, **(kwargs | {"form": RuleForm, "labels": labels}))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether a draft may be edited; what was live once is proof."""
        return super().has_change_permission(request, obj) and (obj is None or obj.status == RuleStatus.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether a draft may be thrown away."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == RuleStatus.DRAFT)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Let the service keep the draft."""
        actor = Actor("person", request.user.get_username())
        safety_rules.save_draft(obj, reason=form.cleaned_data["change_reason"], actor=actor, at=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the preview, which looks at very many levels."""
        view = self.admin_site.admin_view(self.preview)
        return [path("<int:pk>/preview/", view, name="inventory_safetyrule_preview"), *super().get_urls()]

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the tables of what a rule changes, for a page that is there already."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return TemplateResponse(request, "admin/inventory/tables.html", {"tables": self.tables(row)})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Lead to what a draft would change, or what a live rule changes; show it at once only when asked to."""
        row = context.get("original")
        if row and request.GET.get("preview") == "now":
            context["tables"] = self.tables(row)
        elif row and row.status != RuleStatus.RETIRED:
            context["preview_url"] = reverse("admin:inventory_safetyrule_preview", args=[row.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def tables(self, row: SafetyRule) -> Sequence[Table]:
        """Return the preview; nothing for a rule that was retired."""
        return [] if row.status == RuleStatus.RETIRED else safety_preview.tables(row, at=timezone.now())

    @admin.display(description=_("of what"))
    def what_for(self, row: SafetyRule) -> Any:
        """Show the SKU, the category, or everything."""
        if row.sku:
            return columns.code_and_name(row.sku)
        return columns.local_name(row.category) if row.category else _("everything")

    @admin.display(description=_("where"))
    def where(self, row: SafetyRule) -> Any:
        """Show the node, or all of them."""
        return columns.code_and_name(row.node) if row.node else _("all nodes")

    @admin.display(description=_("quantity"))
    def size(self, row: SafetyRule) -> str:
        """Show how much it asks for."""
        amount = f"{row.amount.normalize():f}"
        if row.kind == SafetyKind.PERCENT:
            return f"{amount} %"
        words = gettext("%(days)s days of cover") if row.kind == SafetyKind.DAYS else gettext("%(units)s units")
        return words % {"days": amount, "units": amount}

    @admin.display(description=_("time"))
    def time(self, row: SafetyRule) -> Any:
        """Show from when until when."""
        if not row.starts_at and not row.ends_at:
            return _("always")
        return " – ".join(columns.stamp(moment) if moment else "…" for moment in (row.starts_at, row.ends_at))

    @admin.display(description=_("status"))
    def state(self, row: SafetyRule) -> SafeString:
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
    def published(self, row: SafetyRule) -> SafeString:
        """Show since when."""
        return columns.when(row.published_at)


@admin.register(SafetyChange)
class SafetyChangeAdmin(LedgerAdmin):
    """Every change of what a level keeps back."""

    list_display = ("changed", "item", "place", "figures", "difference", "asked_by", "who")
    list_filter = (
        filters.choice(_("node"), "node", choices.nodes),
        SkuFilter,
        ("changed_at", filters.DaysFilter),
    )
    search_fields = ("sku__code",)
    search_help_text = _("SKU")
    ordering = ("-changed_at", "-pk")
    fields = list_display
    readonly_fields = fields
    empty_hint = _("No rule has changed a level yet.")

    def get_list_select_related(self, request: HttpRequest) -> Sequence[str]:
        """Bring the rule along with SKU and node."""
        return ("sku", "node", "rule")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Find the changes of one SKU by its whole code."""
        term = search_term.strip()
        return (queryset.filter(sku__code=term) if term else queryset), False

    @admin.display(description=_("changed at"))
    def changed(self, row: SafetyChange) -> SafeString:
        """Show when."""
        return columns.when(row.changed_at)

    @admin.display(description=_("safety stock"))
    def figures(self, row: SafetyChange) -> str:
        """Show what it was and what it became."""
        return f"{row.before:,} → {row.after:,}"

    @admin.display(description=_("change"))
    def difference(self, row: SafetyChange) -> SafeString:
        """Show how many units more are kept back, or fewer."""
        return columns.signed(row.after - row.before)

    @admin.display(description=_("asked for by"))
    def asked_by(self, row: SafetyChange) -> Any:
        """Show the rule, or that it is the level's own figure."""
        return safety_preview.rule_link(row.rule) if row.rule else _("the level's own figure")

    @admin.display(description=_("by"))
    def who(self, row: SafetyChange) -> str:
        """Show who or what changed it."""
        return columns.actor(row.actor)
