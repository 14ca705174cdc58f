"""Where a listing's stock stands: in words, on a row, and as a filter."""

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from channels.models import ListingStock

STATES = {
    "unknown": (_("Unknown"), "grey", _("Its SKU was never in stock at the channel's nodes: nothing is told.")),
    "underway": (_("Under way"), "blue", _("The channel has not accepted our newest figure yet.")),
    "drift": (_("Drifted"), "red", _("The channel says another figure than it accepted.")),
    "equal": (_("Equal"), "green", _("The channel accepted our figure.")),
}
_DRIFTED = (
    Q(due_since_at=None, quantity_accepted__isnull=False, quantity_seen__isnull=False, seen_at__gt=F("accepted_at"))
    & ~Q(quantity_seen=F("quantity_accepted"))
)  # fmt: skip
WHERE = {
    "unknown": Q(quantity_due=None),
    "underway": Q(quantity_due__isnull=False, due_since_at__isnull=False),
    "drift": Q(quantity_due__isnull=False) & _DRIFTED,
    "equal": Q(quantity_due__isnull=False, due_since_at=None) & ~_DRIFTED,
}


def state_of(row: ListingStock) -> str:
    """Return where a listing's stock stands, as the filter of the same name finds it."""
    if row.quantity_due is None:
        return "unknown"
    if row.due_since_at is not None:
        return "underway"
    if row.quantity_seen is None or row.seen_at is None or row.accepted_at is None:
        return "equal"
    is_newer = row.seen_at > row.accepted_at
    return "drift" if is_newer and row.quantity_seen != row.quantity_accepted else "equal"
