"""What waits for a second pair of eyes, of every kind; the owner's page decides."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.models import ApprovalRequest
from audit.statuses import ApprovalStatus

TONES = {
    ApprovalStatus.WAITING: "amber", ApprovalStatus.APPROVED: "green", ApprovalStatus.REJECTED: "red",
    ApprovalStatus.WITHDRAWN: "grey",
}  # fmt: skip


class RequestStatusFilter(filters.ChoiceFilter):
    """Requests by where they stand."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the statuses that can be chosen."""
        return list(ApprovalStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen ones."""
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(MachineAdmin):
    """Requests for approval, the oldest first."""

    list_display = ("about", "says", "who", "since", "voices", "state")
    list_display_links = None
    list_filter = (RequestStatusFilter,)
    list_select_related = ("author",)
    search_fields = ("subject__istartswith",)
    ordering = ("submitted_at", "pk")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("link", "full_title", "all_changes", "all_effect")}),
        (
            _("Approval"),
            {"fields": ("state", "author", "reason", "submitted_at", "voices", "all_voices", "decided_at")},
        ),
    )  # fmt: skip
    readonly_fields = ("link", "full_title", "all_changes", "all_effect", "state", "voices", "all_voices")
    empty_hint = _("Nothing waits for approval.")
    standard_views = ((_("Waiting for approval"), "status=waiting"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRequest]:
        """Count the voices for it."""
        said_yes = Count("approvals", filter=Q(approvals__is_yes=True))
        return super().get_queryset(request).annotate(said_yes=said_yes)

    @admin.display(description=_("about"))
    def about(self, row: ApprovalRequest) -> SafeString:
        """Lead to the request's page."""
        return columns.link(f"{row.pk}/change/", row.subject)

    @admin.display(description=_("link"))
    def link(self, row: ApprovalRequest) -> SafeString | str:
        """Lead to the owner's page, where it is decided."""
        return columns.link(row.subject_url, row.subject) if row.subject_url else row.subject

    @admin.display(description=_("what it says"))
    def says(self, row: ApprovalRequest) -> str:
        """Show what it says, cut where the list has no room."""
        return columns.sentence(row.title, 120)

    @admin.display(description=_("what it says"))
    def full_title(self, row: ApprovalRequest) -> str:
        """Show all that it says."""
        return columns.sentence(row.title)

    @admin.display(description=_("author"))
    def who(self, row: ApprovalRequest) -> str:
        """Show who asks."""
        return row.author.get_username()

    @admin.display(description=_("waits since"))
    def since(self, row: ApprovalRequest) -> SafeString:
        """Show how long it has waited; for a decided one when it was decided."""
        return columns.age(row.submitted_at) if row.decided_at is None else columns.when(row.decided_at)

    @admin.display(description=_("approvals"))
    def voices(self, row: Any) -> str:
        """Show how many said yes of how many are needed."""
        return f"{row.said_yes} / {row.approvals_needed}"

    @admin.display(description=_("status"))
    def state(self, row: ApprovalRequest) -> SafeString:
        """Show where it stands."""
        return columns.label(row.get_status_display(), TONES[ApprovalStatus(row.status)])

    @admin.display(description=_("what it changes"))
    def all_changes(self, row: ApprovalRequest) -> SafeString:
        """Show every change."""
        return _listed(row.changes)

    @admin.display(description=_("what it is expected to do"))
    def all_effect(self, row: ApprovalRequest) -> SafeString:
        """Show what it is expected to do."""
        return _listed(row.effect)

    @admin.display(description=_("decided by"))
    def all_voices(self, row: ApprovalRequest) -> SafeString:
        """Show who said what."""
        said = row.approvals.select_related("approver").order_by("pk")
        lines = ((one.approver.get_username(), _yes_no(one.is_yes), one.reason) for one in said)
        return format_html_join("", "{} {} {}<br>", lines) or columns.EMPTY


def _yes_no(is_yes: bool) -> SafeString:
    return columns.label(_("approved"), "green") if is_yes else columns.label(_("sent back"), "red")


def _listed(stored: list[Any]) -> SafeString:
    lines = format_html_join("", "<li>{}</li>", ((columns.sentence(one),) for one in stored))
    return format_html("<ul>{}</ul>", lines) if stored else columns.EMPTY
