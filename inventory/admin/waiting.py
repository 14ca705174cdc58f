"""Who waits for a delivery: the table on the pages of expected receipts and transfers."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from inventory.admin.document import Table
from inventory.queries.ahead import InQueue

MOST_SHOWN: Final = 50
HEADS: Final = (
    (_("Order"), False), (_("SKU"), False), (_("Units"), True), (_("Promised for"), False), (_("Priority"), True),
    (_("Waiting since"), False),
)  # fmt: skip


def table(waiting: Sequence[InQueue], number: str) -> list[Table]:
    """Return those who wait for the document of this number in the order in which they are served; none: no table."""
    if not waiting:
        return []
    rows = [
        [
            columns.link(_orders(q=one.reference), one.reference),
            one.sku_code,
            columns.number(one.quantity),
            _day(one),
            columns.number(one.priority),
            columns.when(one.waiting_since_at),
        ]
        for one in waiting[:MOST_SHOWN]
    ]
    words = gettext("All orders that wait for it")
    if len(waiting) > MOST_SHOWN:
        words = gettext("The first %(most)s are here. All orders that wait for it") % {"most": MOST_SHOWN}
    return [Table(_("Who waits for this"), HEADS, rows, columns.link(_orders(supply=number), words))]


def _day(one: InQueue) -> SafeString | str:
    if one.promised_date is None:
        return gettext("no date")
    return format_html('<span class="nowrap">{}</span>', one.promised_date.isoformat())


def _orders(**query: str) -> str:
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(query)}"
