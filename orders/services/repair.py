"""Putting a figure of stock in order that did not add up; a person says why, and the difference keeps it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import NodeDay, StockDifference, StockLevel
from inventory.services import differences, lot_repair, refusals, reservations, safety, share_verification
from inventory.services.repair import settle_balance
from inventory.services.reservations import Claim, NotReservable, Want
from inventory.statuses import DifferenceCheck, DifferenceStatus
from orders.models import Fulfillment, Order
from orders.statuses import FulfillmentStatus


@dataclass
class Repaired:
    """What is in order now, and why the rest is not."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, Sentence] = field(default_factory=dict)


def repair(difference_ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> Repaired:
    """Bring each open difference in order, each in a transaction of its own, and keep who did it and why.

    Balances and lots become the sum of their rows, a parcel's reservations its content, a node's day its parcels.
    """
    outcome = Repaired()
    if not reason.strip():
        raise refusals.refuse(say("A reason is missing."))
    for pk in sorted(set(difference_ids)):
        _repair_one(pk, outcome, reason=reason, actor=actor, at=at)
    return outcome


@transaction.atomic
def _repair_one(pk: int, outcome: Repaired, *, reason: str, actor: Actor, at: datetime) -> None:
    row = StockDifference.objects.get(pk=pk)
    if row.status != DifferenceStatus.OPEN:
        outcome.refused[row.subject] = say("It is in order already.")
        return
    try:
        with transaction.atomic():
            WAYS[DifferenceCheck(row.check_name)](row, at)
    except refusals.RowsRefused as error:
        outcome.refused[row.subject] = error.rows[0].reason
        return
    differences.close([row], DifferenceStatus.REPAIRED, actor=actor, reason=reason, at=at)
    outcome.done.append(row.subject)


def _settle_balance(row: StockDifference, at: datetime) -> None:
    settle_balance(row)


def _settle_safety(row: StockDifference, at: datetime) -> None:
    """Let the rules say again what is kept back."""
    level_ids = StockLevel.objects.filter(sku=row.sku_id, node=row.node_id).values_list("pk", flat=True)
    safety.settle(list(level_ids), actor=differences.JOB, at=at)


def _settle_share(row: StockDifference, at: datetime) -> None:
    share_verification.settle(row)


def _settle_lots(row: StockDifference, at: datetime) -> None:
    if row.sku_id is None or row.node_id is None:
        raise ValueError(f"difference {row.pk} names no level")
    lot_repair.settle(row.sku_id, [row.node_id], at=at)


def _settle_parcel(row: StockDifference, at: datetime) -> None:
    """Give back whatever the parcel holds; if it is still open, reserve its content again."""
    order = Order.objects.select_for_update(no_key=True).filter(fulfillments__number=row.reference).first()
    reservations.release([row.reference], at=at)
    parcel = Fulfillment.objects.filter(number=row.reference, status__in=FulfillmentStatus.OPEN).first()
    if order is None or parcel is None:
        return
    wants = tuple(
        Want(f"{parcel.number}/{pk}/repair-{row.pk}", parcel.number, sku_id, parcel.node_id, quantity)
        for pk, sku_id, quantity in parcel.lines.order_by("pk").values_list("pk", "sku_id", "quantity")
    )
    try:
        reservations.reserve(Claim(parcel.number, wants, order.reserved_until, order.channel.code), at=at)
    except NotReservable as error:
        raise refusals.refuse(
            say(
                "%(units)s units that the parcel needs are not free at its node. Stop the parcel, or move stock there.",
                units=sum(short.wanted - short.available for short in error.shortages),
            )
        ) from error


def _settle_day(row: StockDifference, at: datetime) -> None:
    if row.node_id is None or row.day_date is None:
        raise ValueError(f"difference {row.pk} names no day of a node")
    day = NodeDay.objects.select_for_update(no_key=True).get(node_id=row.node_id, day_date=row.day_date)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM orders_fulfillment WHERE node_id = %s AND status <> 'cancelled'"
            " AND (planned_at AT TIME ZONE %s)::date = %s",
            [row.node_id, settings.TIME_ZONE, row.day_date],
        )
        parcels = int(cursor.fetchone()[0])
    if parcels > day.capacity:
        raise refusals.refuse(
            say("%(parcels)s parcels are planned, the day takes %(capacity)s. Raise the capacity or stop parcels.",
                parcels=parcels, capacity=day.capacity)
        )  # fmt: skip
    day.used = parcels
    day.save(update_fields=["used"])


WAYS: Mapping[DifferenceCheck, Callable[[StockDifference, datetime], None]] = {
    DifferenceCheck.ON_HAND: _settle_balance,
    DifferenceCheck.RESERVED: _settle_balance,
    DifferenceCheck.QUALITY_HOLD: _settle_balance,
    DifferenceCheck.SAFETY: _settle_safety,
    DifferenceCheck.LOT_SUMS: _settle_lots,
    DifferenceCheck.LOT_ROWS: _settle_lots,
    DifferenceCheck.SHARE: _settle_share,
    DifferenceCheck.PARCEL: _settle_parcel,
    DifferenceCheck.NODE_DAY: _settle_day,
}
