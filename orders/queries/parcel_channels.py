"""Which channel sold what is in a parcel: asked by engines of stock, which know parcels by number only."""

from collections.abc import Collection

from orders.models import Fulfillment


def channels_of(numbers: Collection[str]) -> dict[str, str]:
    """Return the code of the channel that sold each parcel's order, by the parcel's number; unknown ones are absent."""
    rows = Fulfillment.objects.filter(number__in=numbers)
    return dict(rows.values_list("number", "order__channel__code"))
