"""How long carriers' parcels really take, beside what the carriers say."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from inventory.admin import choices
from orders.admin.looks import CARRIERS
from orders.models import CarrierLane
from orders.services import tariffs


@admin.register(CarrierLane)
class CarrierLaneAdmin(MachineAdmin):
    """Lanes learned from parcels that were delivered."""

    list_display = ("carrier_code", "way", "parcels", "half", "most", "promised", "late", "age")
    list_display_links = None
    list_filter = (
        filters.choice(_("carrier"), "carrier_code", lambda: [(code, code) for code in CARRIERS]),
        filters.choice(_("from region"), "from_region", choices.provinces),
        filters.choice(_("to region"), "to_region", choices.provinces),
    )
    search_fields = ("carrier_code",)
    ordering = ("-late_share", "-parcels", "pk")
    sortable_by = ()
    fields = ("carrier_code", "way", "parcels", ("half", "most"), "late", "age")
    readonly_fields = ("way", "half", "most", "late", "age")
    empty_hint = _("Nothing is learned yet. A lane is learned at night, once enough parcels were delivered on it.")

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add what the carriers say of each lane."""
        said = tariffs.hours_said({(row.carrier_code, row.from_region, row.to_region) for row in rows},
                                  day=timezone.localdate())  # fmt: skip
        for row in rows:
            row.said = said.get((row.carrier_code, row.from_region, row.to_region))

    @admin.display(description=_("lane"))
    def way(self, row: CarrierLane) -> str:
        """Show from where to where."""
        return f"{choices.region_name(row.from_region)} → {choices.region_name(row.to_region)}"

    @admin.display(description=_("half within (hours)"))
    def half(self, row: CarrierLane) -> SafeString:
        """Show the median."""
        return format_html('<span class="figure">{}</span>', f"{row.hours_p50:.0f}")

    @admin.display(description=_("nine of ten within (hours)"))
    def most(self, row: Any) -> SafeString:
        """Show the ninth tenth, red where it is later than the carrier says."""
        said = getattr(row, "said", None)
        tone = "red" if said is not None and row.hours_p90 > said else "green"
        return columns.label(f"{row.hours_p90:.0f}", tone)

    @admin.display(description=_("the carrier says (hours)"))
    def promised(self, row: Any) -> SafeString:
        """Show what the carrier says at most."""
        return format_html('<span class="figure">{}</span>', row.said) if row.said is not None else columns.EMPTY

    @admin.display(description=_("came late"))
    def late(self, row: CarrierLane) -> SafeString:
        """Draw which share came later than the carrier says."""
        share = round(100 * row.late_share)
        tone = "red" if share >= 20 else "amber" if share >= 5 else "green"
        return format_html('<span class="bar"><i class="bar-{}" style="width:{}%"></i></span> {}%', tone, share, share)

    @admin.display(description=_("learned"))
    def age(self, row: CarrierLane) -> SafeString:
        """Show how long ago it was learned."""
        return columns.age(row.learned_at)
