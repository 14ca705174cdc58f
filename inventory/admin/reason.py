"""The reasons that people may give when they change stock."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from inventory.models import ReasonCode
from inventory.statuses import ReasonUse


@admin.register(ReasonCode)
class ReasonCodeAdmin(AuditedAdmin):
    """One reason per row; a reason that is no longer wanted is made inactive, never deleted."""

    list_display = ("code", "title", "used_for", "way", "needs_note", "is_active")
    list_filter = (filters.choice(_("used for"), "use", lambda: ReasonUse.choices),)
    search_fields = ("code", "name", "name_en")
    ordering = ("use", "code")
    sortable_by = ()
    fields = (("code", "use"), ("name", "name_en"), ("direction", "needs_note"), "is_active")

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Return no: the ledger keeps naming it."""
        return False

    @admin.display(description=_("name"))
    def title(self, reason: ReasonCode) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(reason)

    @admin.display(description=_("used for"))
    def used_for(self, reason: ReasonCode) -> SafeString:
        """Show where it may be given."""
        return columns.label(reason.get_use_display(), "blue")

    @admin.display(description=_("direction"))
    def way(self, reason: ReasonCode) -> str:
        """Show which way stock may go."""
        return reason.get_direction_display()
