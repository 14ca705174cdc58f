"""Disruptions: said in words, looked at before they are saved, ended by people or by themselves."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectMultipleWidget, UnfoldAdminSelectWidget

from audit.admin import columns
from audit.admin.base import AuditedAdmin
from audit.admin.filters import ChoiceFilter
from audit.admin.reasons import WhyForm
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices
from inventory.models import Node
from orders.admin.looks import CARRIERS
from orders.models import Disruption
from orders.services import disruptions
from orders.services.disruptions import Draft, NotGood, Touched
from orders.statuses import DisruptionEffect

SEVERITIES = ((1, _("mild")), (2, _("moderate")), (3, _("severe")), (4, _("extreme")))


class DisruptionForm(WhyForm):
    """A disruption by the names of its regions; it is saved when its effect was seen."""

    from_regions = forms.MultipleChoiceField(
        label=_("From regions"), required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Where parcels start; nothing chosen: everywhere."),
    )  # fmt: skip
    to_regions = forms.MultipleChoiceField(
        label=_("To regions"), required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Where parcels go; nothing chosen: everywhere."),
    )  # fmt: skip
    nodes = forms.ModelMultipleChoiceField(
        label=_("Nodes"), required=False, queryset=Node.objects.order_by("code"),
        widget=UnfoldAdminSelectMultipleWidget, help_text=_("Nothing chosen: every node of the regions."),
    )  # fmt: skip
    carrier_code = forms.ChoiceField(label=_("Carrier"), required=False, widget=UnfoldAdminSelectWidget)
    severity = forms.TypedChoiceField(
        label=_("How bad"), choices=SEVERITIES, coerce=int, initial=1, widget=UnfoldAdminSelectWidget
    )
    seen = forms.CharField(label="", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carriers = [("", _("every carrier")), *((code, code) for code in CARRIERS)]
        offered = {"from_regions": choices.provinces(), "to_regions": choices.provinces(), "carrier_code": carriers}
        for name in offered.keys() & self.fields.keys():  # none of them for those who only look
            self.fields[name].choices = offered[name]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say what is wrong, and before the first saving what open work it touches."""
        told = super().clean() or {}
        if self.errors:
            return told
        draft = draft_of(told)
        for wrong in disruptions.complaints(draft):
            self.add_error(None, columns.sentence(wrong.stored()))
        digest = hashlib.sha256(repr(draft).encode()).hexdigest()[:16]
        if not self.errors and told.get("seen") != digest:
            self.data = self._with_seen(digest)
            self.add_error(None, in_words(disruptions.preview(draft)))
        return told

    def _with_seen(self, digest: str) -> Any:
        """Return what was sent with the mark that its effect was shown."""
        data = cast(QueryDict, self.data).copy()
        data["seen"] = digest
        return data


def draft_of(told: Mapping[str, Any]) -> Draft:
    """Return what the form says as the service takes it."""
    return Draft(
        name=told["name"],
        effect=told["effect"],
        starts_at=told["starts_at"],
        ends_at=told.get("ends_at"),
        from_regions=tuple(told["from_regions"]),
        to_regions=tuple(told["to_regions"]),
        node_ids=tuple(sorted(node.pk for node in told["nodes"])),
        carrier_code=told["carrier_code"],
        delay_hours=told.get("delay_hours") or 0.0,
        severity=told["severity"],
    )


def in_words(touched: Touched) -> str:
    """Return what a disruption touches as a sentence that asks to save once more."""
    values = {"orders": touched.planned_orders, "parcels": touched.parcels_at_nodes}
    words = gettext(
        "It touches %(orders)s orders whose parcels are only planned: they are planned again. Of the parcels that "
        "nodes already have it touches %(parcels)s: they become a case. Save once more if that is meant."
    )
    return words % values


def end(rows: Sequence[Disruption], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """End disruptions now."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        try:
            disruptions.end(row.pk, reason=told["reason"], actor=actor, at=at)
        except NotGood as error:
            refused[row.code] = error.wrong[0]
    done = len(rows) - len(refused)
    return Answer(say("%(count)s disruptions are over.", count=done) if done else None, refused)


def is_open(row: Disruption) -> bool:
    """Return whether a disruption is not over."""
    return row.ends_at is None or row.ends_at > timezone.now()


class StateFilter(ChoiceFilter):
    """Those that are not over unless others are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states that can be chosen."""
        return [("open", _("Not over")), ("over", _("Over")), ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the chosen state; nothing chosen means not over."""
        value = self.value() or "open"
        over = {"ends_at__lte": timezone.now()}
        return queryset if value == "all" else queryset.filter(**over) if value == "over" else queryset.exclude(**over)


@admin.register(Disruption)
class DisruptionAdmin(AuditedAdmin):
    """Storms, closed roads, stopped carriers."""

    form = DisruptionForm
    list_display = ("name", "state", "what", "where", "begins", "until", "level")
    list_filter = (StateFilter,)
    search_fields = ("name", "code")
    ordering = ("-starts_at", "-pk")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", ("effect", "delay_hours"), "severity")}),
        (_("Time"), {"fields": ("starts_at", "ends_at")}),
        (_("What it touches"), {"fields": (("from_regions", "to_regions"), "nodes", "carrier_code", "seen")}),
    )
    empty_hint = _("Nothing is disrupted. Enter a storm, a closed road or a stopped carrier here.")
    verbs = (Verb("end", _("End now…"), end, ReasonForm, icon="check_circle", is_offered=is_open),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask in plain words, and why."""
        return super().get_form(request, obj, change, **(kwargs | {"form": DisruptionForm}))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Fetch the nodes with the page."""
        return super().get_queryset(request).prefetch_related("nodes")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave one that is over as it was."""
        return super().has_change_permission(request, obj) and (obj is None or is_open(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: decisions were made on it."""
        return False

    def save_model(self, request: HttpRequest, obj: Disruption, form: Any, change: bool) -> None:
        """Leave it to the service."""
        actor = Actor("person", request.user.get_username())
        draft, reason = draft_of(form.cleaned_data), form.cleaned_data["change_reason"]
        if change:
            kept = disruptions.change(obj.pk, draft, reason=reason, actor=actor, at=timezone.now())
        else:
            kept = disruptions.start(draft, reason=reason, actor=actor)
        obj.pk, obj.code = kept.pk, kept.code

    @admin.display(description=_("state"))
    def state(self, row: Disruption) -> SafeString:
        """Show whether it is in force."""
        if not is_open(row):
            return columns.label(_("over"), "grey")
        return columns.label(_("in force"), "red") if row.starts_at <= timezone.now() else columns.label(_("to come"))

    @admin.display(description=_("effect"))
    def what(self, row: Disruption) -> str:
        """Show what it means for parcels."""
        if row.effect == DisruptionEffect.DELAYS:
            return gettext("%(hours)s hours later") % {"hours": f"{row.delay_hours:g}"}
        return row.get_effect_display()

    @admin.display(description=_("what it touches"))
    def where(self, row: Disruption) -> str:
        """Show in words what it touches."""
        parts = []
        if row.from_regions:
            parts.append(gettext("from %(regions)s") % {"regions": _names(row.from_regions)})
        if row.to_regions:
            parts.append(gettext("to %(regions)s") % {"regions": _names(row.to_regions)})
        codes = sorted(node.code for node in row.nodes.all())
        return " · ".join([*parts, *([", ".join(codes)] if codes else []), *filter(None, [row.carrier_code])])

    @admin.display(description=_("begins"))
    def begins(self, row: Disruption) -> SafeString:
        """Show when it begins."""
        return columns.when(row.starts_at)

    @admin.display(description=_("ends"))
    def until(self, row: Disruption) -> SafeString:
        """Show when it ends, if anybody knows."""
        return columns.when(row.ends_at)

    @admin.display(description=_("how bad"))
    def level(self, row: Disruption) -> SafeString:
        """Show how bad it is."""
        return columns.label(dict(SEVERITIES).get(row.severity, row.severity), "red" if row.severity > 2 else "amber")


def _names(codes: Sequence[str]) -> str:
    return gettext(", ").join(choices.region_name(code) for code in codes)
