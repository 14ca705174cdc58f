"""What orders took of promotions: reserved with their price, used when paid, given back when cancelled."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters, masking
from audit.admin.base import MachineAdmin
from promotions.admin import links
from promotions.models import Redemption
from promotions.services import coupons
from promotions.statuses import RedemptionStatus

TONES = {"reserved": "amber", "committed": "green", "released": "grey"}


@admin.register(Redemption)
class RedemptionAdmin(MachineAdmin):
    """The ledger of coupons, uses and budgets."""

    list_display = ("order_", "promotion_", "code", "buyer_", "money", "state", "moment", "settled")
    list_display_links = None
    list_filter = (
        filters.choice(_("status"), "status", lambda: RedemptionStatus.choices),
        ("taken_at", filters.DaysFilter),
        links.only(_("promotion"), "promotion", "promotion"),
        links.only(_("coupon"), "coupon", "coupon"),
        links.only(_("batch"), "batch", "coupon__batch"),
    )
    list_select_related = ("promotion", "coupon")
    search_fields = ("reference",)
    search_help_text = _("Whole order numbers or coupon codes")
    ordering = ("-taken_at", "-pk")
    sortable_by = ()
    fields = ("order_", "promotion_", "code", "buyer_", "money", "state", "moment", "settled")
    readonly_fields = fields
    empty_hint = _("No order has used a promotion yet. Its price decides that when it comes in.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find what orders took by their numbers, and who used a coupon by its code."""
        words = search_term.replace(",", " ").split()[:300]
        if not words:
            return queryset, False
        return queryset.filter(Q(reference__in=words) | Q(coupon__code__in=coupons.known_codes(words))), False

    @admin.display(description=_("order"))
    def order_(self, row: Redemption) -> SafeString:
        """Show the order, with a link that finds it."""
        return links.order(row.reference)

    @admin.display(description=_("promotion"))
    def promotion_(self, row: Redemption) -> SafeString:
        """Show the promotion and the version the order was priced with."""
        return format_html("{} v{}", links.promotion(row.promotion), row.version_number)

    @admin.display(description=_("coupon"))
    def code(self, row: Redemption) -> SafeString:
        """Show the coupon, with a link to it."""
        if row.coupon is None:
            return columns.EMPTY
        return columns.link(links.address("coupon", q=row.coupon.code), row.coupon.code)

    @admin.display(description=_("buyer"))
    def buyer_(self, row: Redemption) -> str | SafeString:
        """Show the channel and the end of the buyer's key."""
        channel, _colon, key = row.buyer.partition(":")
        return f"{channel}:{masking.key(key)}" if row.buyer else columns.EMPTY

    @admin.display(description=_("amount"))
    def money(self, row: Redemption) -> SafeString:
        """Show what the promotion gave."""
        return columns.money(row.amount)

    @admin.display(description=_("status"))
    def state(self, row: Redemption) -> SafeString:
        """Show whether the order still holds it."""
        return columns.label(row.get_status_display(), TONES[row.status])

    @admin.display(description=_("taken at"))
    def moment(self, row: Redemption) -> SafeString:
        """Show when the order took it."""
        return columns.when(row.taken_at)

    @admin.display(description=_("settled at"))
    def settled(self, row: Redemption) -> SafeString:
        """Show when it was used for good or given back."""
        return columns.when(row.settled_at)
