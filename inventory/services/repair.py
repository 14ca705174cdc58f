"""Setting a balance to what its rows say. The ledger and the reservations are the record, the balance is a copy."""

from django.db import connection, transaction

from audit.rules.sentences import say
from inventory.models import StockDifference, StockLevel
from inventory.services import refusals
from inventory.services.levels import lock_levels
from inventory.statuses import DifferenceCheck

_UNITS = {
    DifferenceCheck.ON_HAND: (
        "SELECT coalesce(sum(quantity), 0) FROM inventory_stockmovement WHERE sku_id = %s AND node_id = %s"
    ),
    DifferenceCheck.RESERVED: (
        "SELECT coalesce(sum(quantity), 0) FROM inventory_reservation"
        " WHERE sku_id = %s AND node_id = %s AND status = 'active'"
    ),
}


@transaction.atomic
def settle_balance(difference: StockDifference) -> int:
    """Set a stored balance to the sum of its rows, read under the level's lock; returns that sum.

    Raises ``RowsRefused`` when the sum cannot be a balance: below zero, or less on hand than is promised.
    """
    key = (difference.sku_id or 0, difference.node_id or 0)
    StockLevel.objects.bulk_create([StockLevel(sku_id=key[0], node_id=key[1])], ignore_conflicts=True)
    level = lock_levels([key])[key]
    check = DifferenceCheck(difference.check_name)
    with connection.cursor() as cursor:
        cursor.execute(_UNITS[check], list(key))
        units = int(cursor.fetchone()[0])
    if check == DifferenceCheck.ON_HAND:
        if units < level.reserved:
            raise refusals.refuse(
                say(
                    "The ledger says %(units)s on hand, but %(reserved)s are reserved. Stop parcels or count first.",
                    units=units,
                    reserved=level.reserved,
                )
            )
        StockLevel.objects.filter(pk=level.level_id).update(on_hand=units)
    else:
        if units > level.on_hand:
            raise refusals.refuse(
                say(
                    "Reservations add up to %(units)s, but only %(on_hand)s are on hand. Stop parcels or count first.",
                    units=units,
                    on_hand=level.on_hand,
                )
            )
        StockLevel.objects.filter(pk=level.level_id).update(reserved=units)
    return units
