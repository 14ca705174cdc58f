"""Setting a balance to what its rows say. The ledger and the reservations are the record, the balance is a copy."""

from django.db import connection, transaction

from audit.rules.sentences import say
from inventory.models import StockDifference, StockLevel
from inventory.services import refusals, signals
from inventory.services.levels import lock_levels
from inventory.statuses import DifferenceCheck

_UNITS = {
    DifferenceCheck.ON_HAND: "inventory_stockmovement WHERE sku_id = %s AND node_id = %s",
    DifferenceCheck.RESERVED: "inventory_reservation WHERE sku_id = %s AND node_id = %s AND status = 'active'",
    DifferenceCheck.QUALITY_HOLD: "inventory_qualityhold WHERE sku_id = %s AND node_id = %s AND closed_at IS NULL",
}


@transaction.atomic
def settle_balance(difference: StockDifference) -> int:
    """Set a stored balance to the sum of its rows, read under the level's lock; returns that sum.

    Raises ``RowsRefused`` when the level could not carry it: less on hand than is reserved and held.
    """
    key = (difference.sku_id or 0, difference.node_id or 0)
    StockLevel.objects.bulk_create([StockLevel(sku_id=key[0], node_id=key[1])], ignore_conflicts=True)
    level = lock_levels([key])[key]
    check = DifferenceCheck(difference.check_name)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(quantity), 0) FROM {_UNITS[check]}", list(key))
        units = int(cursor.fetchone()[0])
    figures = {"on_hand": level.on_hand, "reserved": level.reserved, "quality_hold": level.quality_hold}
    figures[check.value] = units
    if figures["on_hand"] < figures["reserved"] + figures["quality_hold"]:
        raise refusals.refuse(
            say(
                "%(on_hand)s on hand would not cover %(reserved)s reserved and %(held)s held. "
                "Stop parcels, decide on holds or count first.",
                on_hand=figures["on_hand"],
                reserved=figures["reserved"],
                held=figures["quality_hold"],
            )
        )
    StockLevel.objects.filter(pk=level.level_id).update(**{check.value: units})
    signals.raise_for([key[0]])
    return units
