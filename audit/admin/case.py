"""The work queue of people."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb, VerbForm
from audit.models import Case
from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from audit.statuses import CaseStatus


class NoteForm(VerbForm):
    """What was done about it."""

    note = forms.CharField(label=_("What was done"), max_length=300, widget=UnfoldAdminTextInputWidget)


def resolve(rows: Sequence[Case], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Close these cases with one note."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for case in rows:
        by_kind[case.kind].append(case.subject)
    closed = sum(
        cases.resolve(subjects, kinds=[kind], actor=actor, resolution=told["note"], at=at)
        for kind, subjects in by_kind.items()
    )
    return Answer(say("%(count)s cases are resolved.", count=closed))


def is_open(case: Case) -> bool:
    """Return whether somebody still has to act."""
    return case.status == CaseStatus.OPEN


def kind_name(kind: str) -> str:
    """Return what sort of trouble it is, in the reader's language."""
    return gettext(kind.replace("_", " ").capitalize().replace("sku", "SKU"))


class StateFilter(filters.ChoiceFilter):
    """Open cases unless others are asked for."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states that can be chosen beside “open”."""
        return [("open", _("Open")), ("resolved", _("Resolved")), ("all", _("Open and resolved"))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        """Keep the chosen state; nothing chosen means open."""
        value = self.value() or CaseStatus.OPEN
        return queryset if value == "all" else queryset.filter(status=value)


@admin.register(Case)
class CaseAdmin(MachineAdmin):
    """What needs a person: why, what to do, and where."""

    list_display = ("about", "what", "reason", "to_do", "open_for", "state")
    list_display_links = None
    list_filter = (StateFilter,)
    search_fields = ("subject",)
    search_help_text = _("Begins with …")
    ordering = ("-opened_at", "-pk")
    fields = ("about", "what", "reason", "to_do", "opened", "state", "resolved", "resolved_by", "resolution")
    readonly_fields = ("about", "what", "reason", "to_do", "opened", "state", "resolved")
    empty_hint = _("Nothing needs a person. Enjoy the quiet.")
    verbs = (Verb("resolve", _("Resolve…"), resolve, NoteForm, icon="task_alt", is_offered=is_open),)

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find cases by the beginning of what they are about."""
        return (queryset.filter(subject__startswith=search_term.strip()) if search_term.strip() else queryset), False

    @admin.display(description=_("about"))
    def about(self, case: Case) -> SafeString | str:
        """Show what it is about, with a link to it."""
        return columns.link(case.subject_url, case.subject) if case.subject_url.startswith("/") else case.subject

    @admin.display(description=_("kind"))
    def what(self, case: Case) -> SafeString:
        """Show what sort of trouble it is, with a link to the case itself."""
        return columns.link(f"/admin/audit/case/{case.pk}/change/", kind_name(case.kind))

    @admin.display(description=_("why"))
    def reason(self, case: Case) -> str:
        """Show why a machine could not decide."""
        return columns.sentence(case.why)

    @admin.display(description=_("suggested action"))
    def to_do(self, case: Case) -> str:
        """Show what to do about it."""
        return columns.sentence(case.suggestion)

    @admin.display(description=_("age"))
    def open_for(self, case: Case) -> SafeString:
        """Show how old the case is."""
        return columns.age(case.opened_at)

    @admin.display(description=_("opened at"))
    def opened(self, case: Case) -> SafeString:
        """Show when it was opened."""
        return columns.when(case.opened_at)

    @admin.display(description=_("resolved at"))
    def resolved(self, case: Case) -> SafeString:
        """Show when it was resolved."""
        return columns.when(case.resolved_at)

    @admin.display(description=_("status"))
    def state(self, case: Case) -> SafeString:
        """Show whether somebody still has to act."""
        return columns.label(case.get_status_display(), "amber" if case.status == CaseStatus.OPEN else "green")
