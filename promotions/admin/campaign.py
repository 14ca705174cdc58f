"""Campaigns with their time and where they hold."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from promotions.models import Campaign


class TimeFilter(filters.ChoiceFilter):
    """Campaigns that run, will run or ran."""

    title = _("time")
    parameter_name = "time"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the times that can be chosen."""
        return [("live", _("Live")), ("coming", _("Coming")), ("over", _("Over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen ones."""
        now = timezone.now()
        chosen = {
            "live": {"starts_at__lte": now, "ends_at__gt": now}, "coming": {"starts_at__gt": now},
            "over": {"ends_at__lte": now},
        }  # fmt: skip
        return queryset.filter(**chosen.get(self.value() or "", {}))


@admin.register(Campaign)
class CampaignAdmin(AuditedAdmin):
    """Campaigns."""

    list_display = ("code", "title", "state", "begins", "ends", "off", "where")
    list_filter = (TimeFilter,)
    search_fields = ("code", "name", "name_en")
    ordering = ("-starts_at", "-pk")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("code", "percent_off"), ("name", "name_en"))}),
        (_("Time"), {"fields": (("starts_at", "ends_at"),)}),
        (_("Where it holds"), {"fields": ("channel_codes", "category_codes")}),
    )
    empty_hint = _("No campaigns yet. Add the first one.")
    standard_views = ((_("Live"), "time=live"), (_("Coming"), "time=coming"))

    @admin.display(description=_("name"))
    def title(self, campaign: Campaign) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(campaign)

    @admin.display(description=_("status"))
    def state(self, campaign: Campaign) -> SafeString:
        """Show whether it runs."""
        now = timezone.now()
        if campaign.ends_at <= now:
            return columns.label(_("Over"))
        return columns.label(_("Live"), "green") if campaign.starts_at <= now else columns.label(_("Coming"), "blue")

    @admin.display(description=_("starts at"))
    def begins(self, campaign: Campaign) -> SafeString:
        """Show when it starts."""
        return columns.when(campaign.starts_at)

    @admin.display(description=_("ends at"))
    def ends(self, campaign: Campaign) -> SafeString:
        """Show when it ends."""
        return columns.when(campaign.ends_at)

    @admin.display(description=_("per cent off"))
    def off(self, campaign: Campaign) -> SafeString:
        """Show how much is taken off."""
        return (
            columns.label(f"−{campaign.percent_off.normalize():f}%", "violet")
            if campaign.percent_off
            else columns.EMPTY
        )

    @admin.display(description=_("channels"))
    def where(self, campaign: Campaign) -> str | SafeString:
        """Show on which channels."""
        return ", ".join(campaign.channel_codes) or columns.label(_("all"))
