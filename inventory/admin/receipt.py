"""Receipts: what really came, line by line. Append-only."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from inventory.admin import choices
from inventory.admin.document import DocumentAdmin, Table
from inventory.admin.transfer_forms import reasons
from inventory.models import Receipt


@admin.register(Receipt)
class ReceiptAdmin(DocumentAdmin):
    """Arrivals of goods at nodes."""

    list_display = ("number", "order", "place", "moment", "who", "units", "damaged")
    list_filter = (filters.choice(_("node"), "node", choices.nodes), ("received_at", filters.DaysFilter))
    list_select_related = ("node", "expected")
    search_fields = ("number",)
    search_help_text = _("Begins with …")
    ordering = ("-received_at", "-pk")
    sortable_by = ()
    fields = ("number", "order", "place", "moment", "who")
    readonly_fields = fields
    empty_hint = _("Nothing was received yet. Receive what is expected.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find receipts by the beginning of their number."""
        term = search_term.strip()
        return (queryset.filter(number__startswith=term) if term else queryset), False

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how many units came with each, and how many of them damaged."""
        known = Receipt.objects.filter(pk__in=[row.pk for row in rows]).order_by()
        sums = known.annotate(
            all=Sum("lines__quantity_received", default=0), bad=Sum("lines__quantity_damaged", default=0)
        )
        units = {pk: (whole, bad) for pk, whole, bad in sums.values_list("pk", "all", "bad")}
        for row in rows:
            row.sums = units.get(row.pk, (0, 0))

    def tables(self, row: Receipt) -> Sequence[Table]:
        """Show what came of each SKU, and why another number than expected."""
        names = dict(reasons())
        heads = [(_("SKU"), False), (_("Expected"), True), (_("Received"), True), (_("Damaged"), True),
                 (_("Reason"), False), (_("Note"), False), (_("Lot"), False), (_("Expires on"), False)]  # fmt: skip
        rows = [
            [
                columns.code_and_name(line.sku),
                columns.EMPTY if line.quantity_expected is None else columns.number(line.quantity_expected),
                columns.number(line.quantity_received),
                columns.number(line.quantity_damaged),
                names.get(line.reason_code, line.reason_code) or columns.EMPTY,
                line.note or columns.EMPTY,
                line.lot_code or columns.EMPTY,
                line.expires_date.isoformat() if line.expires_date else columns.EMPTY,
            ]
            for line in row.lines.select_related("sku").order_by("pk")
        ]
        return [Table(_("Lines"), heads, rows)]

    @admin.display(description=_("expected receipt"))
    def order(self, row: Receipt) -> SafeString:
        """Show what it was expected as, with a link to it."""
        if row.expected is None:
            return columns.EMPTY
        return columns.link(reverse("admin:inventory_expectedreceipt_change", args=[row.expected_id]), row.expected)

    @admin.display(description=_("node"))
    def place(self, row: Receipt) -> SafeString:
        """Show where it came to."""
        return columns.code_and_name(row.node)

    @admin.display(description=_("received at"))
    def moment(self, row: Receipt) -> SafeString:
        """Show when."""
        return columns.when(row.received_at)

    @admin.display(description=_("received by"))
    def who(self, row: Receipt) -> str:
        """Show who received it."""
        return columns.actor(row.received_by)

    @admin.display(description=_("received units"))
    def units(self, row: Any) -> SafeString:
        """Show how many units came."""
        return columns.number(row.sums[0])

    @admin.display(description=_("damaged"))
    def damaged(self, row: Any) -> SafeString:
        """Show how many of them were damaged."""
        return columns.number(row.sums[1])
