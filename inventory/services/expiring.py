"""What happens when lots come to the end of their date: free units are held back, parcels get others, people are told.

Reservations do not know their channel, orders do: whoever runs this says which channel a parcel is for.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from audit.models import Case
from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from audit.services.transactions import atomic_with_retry
from audit.statuses import CaseStatus
from inventory.models import Node, Reservation, ReservationLot
from inventory.queries import lots as questions
from inventory.rules.lots import LevelKey, LotUnits, Needs, Pick, Shelf, exchange
from inventory.services import lots, quality
from inventory.services.levels import lock_levels
from inventory.services.lots import LotChange
from inventory.services.quality import Keep
from inventory.statuses import ReservationStatus

JOB: Final = Actor("job", "expire_lots")
REASON: Final = "expired"
STUCK_CASE: Final = "expired_lots_reserved"
SOON_CASE: Final = "lots_expire_soon"
SOON: Final = timedelta(days=14)
TIME_TO_DECIDE: Final = timedelta(days=7)
PAGE: Final = 200  # levels in one transaction
SHOWN: Final = 20  # parcels named in a case
_EXPIRED: Final = """
SELECT DISTINCT stock.sku_id, stock.node_id FROM inventory_lotlevel AS stock
  JOIN inventory_lot AS lot ON lot.id = stock.lot_id AND lot.expires_date < %s
  JOIN inventory_sku AS sku ON sku.id = stock.sku_id AND sku.tracks_lots
 WHERE stock.on_hand > stock.quality_hold AND (stock.sku_id, stock.node_id) > (%s, %s)
 ORDER BY stock.sku_id, stock.node_id LIMIT %s
"""
_STUCK: Final = """
SELECT node.code, sum(picked.quantity), count(DISTINCT held.reference),
       (array_agg(DISTINCT held.reference ORDER BY held.reference))[1:%s]
  FROM inventory_reservationlot AS picked
  JOIN inventory_lot AS lot ON lot.id = picked.lot_id AND lot.expires_date < %s
  JOIN inventory_sku AS sku ON sku.id = lot.sku_id AND sku.tracks_lots
  JOIN inventory_reservation AS held ON held.id = picked.reservation_id AND held.status = 'active'
  JOIN inventory_node AS node ON node.id = held.node_id
 GROUP BY node.code ORDER BY node.code
"""
_SOON: Final = """
SELECT node.code, node.id, sum(stock.on_hand - stock.quality_hold), count(*), min(lot.expires_date),
       sum((stock.on_hand - stock.quality_hold) * sku.unit_cost)
  FROM inventory_lotlevel AS stock
  JOIN inventory_lot AS lot ON lot.id = stock.lot_id AND lot.expires_date BETWEEN %s AND %s
  JOIN inventory_sku AS sku ON sku.id = stock.sku_id AND sku.tracks_lots
  JOIN inventory_node AS node ON node.id = stock.node_id
 WHERE stock.on_hand > stock.quality_hold
 GROUP BY node.code, node.id ORDER BY node.code
"""

ChannelsOf = Callable[[Collection[str]], Mapping[str, str]]  # parcels' references → code of their channel


@dataclass(frozen=True)
class Expired:
    """What a run did: units held back now, reservations that got other lots, and those for which there were none."""

    units_held: int = 0
    reservations_changed: int = 0
    reservations_stuck: int = 0

    def __add__(self, other: "Expired") -> "Expired":
        return Expired(
            self.units_held + other.units_held,
            self.reservations_changed + other.reservations_changed,
            self.reservations_stuck + other.reservations_stuck,
        )


def expire(*, channels_of: ChannelsOf, at: datetime) -> Expired:
    """Take every lot past its date out of stock that can be promised, then tell people what they must do.

    What is promised of it is taken from other lots that keep long enough for the parcel's channel, all of a reservation
    or nothing; free units go under a quality hold. One case per node names the parcels that are left, one the units
    that expire within two weeks; both close by themselves. Safe to run again.
    """
    outcome, after = Expired(), (0, 0)
    today = timezone.localdate(at)
    while found := _expired_levels(today, after):
        outcome += _expire_page(found, channels_of, at=at)
        after = found[-1]
    _tell(STUCK_CASE, _stuck(today), at)
    _tell(SOON_CASE, _soon(today), at)
    return outcome


def _expired_levels(today: date, after: LevelKey) -> list[LevelKey]:
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, [today, *after, PAGE])
        return cursor.fetchall()


@atomic_with_retry
def _expire_page(found: Sequence[LevelKey], channels_of: ChannelsOf, *, at: datetime) -> Expired:
    needs = questions.needs({sku_id for sku_id, _node_id in found}, timezone.localdate(at))
    rows = _reservations_on_expired(found, needs.day)
    channels = channels_of([row.reference for row in rows])
    lock_levels(found)
    shelves = lots.lock(found)
    picks = lots.of_reservations([row.pk for row in rows])
    over = _lots_over(shelves, needs.day)
    chosen: dict[int, list[Pick]] = {}
    for row in rows:
        life = needs.life(channels.get(row.reference, ""), row.sku_id)
        anew = exchange(shelves[row.sku_id, row.node_id], picks.get(row.pk, ()), over, life)
        if anew is not None:
            chosen[row.pk] = anew
    _rewrite([row for row in rows if row.pk in chosen], picks, chosen)
    return Expired(_hold(shelves, needs, at), len(chosen), len(rows) - len(chosen))


def _rewrite(rows: Sequence[Reservation], was: Mapping[int, Sequence[Pick]], now: Mapping[int, Sequence[Pick]]) -> None:
    """Write down the lots that reservations take from now on."""
    ReservationLot.objects.filter(reservation__in=rows).delete()
    ReservationLot.objects.bulk_create(
        ReservationLot(reservation=row, lot_id=lot_id, quantity=units) for row in rows for lot_id, units in now[row.pk]
    )
    for picks, sign in ((was, -1), (now, 1)):
        lots.apply(
            LotChange(lot_id, row.node_id, reserved=sign * units) for row in rows for lot_id, units in picks[row.pk]
        )


def _reservations_on_expired(found: Sequence[LevelKey], today: date) -> list[Reservation]:
    """Lock the reservations that would take an expired lot at these levels, oldest first."""
    levels = set(found)
    named = (
        ReservationLot.objects.filter(
            lot__expires_date__lt=today,
            reservation__status=ReservationStatus.ACTIVE,
            reservation__sku__in={sku_id for sku_id, _node_id in levels},
            reservation__node__in={node_id for _sku_id, node_id in levels},
        )
        .values_list("reservation", flat=True)
        .distinct()
    )
    rows = Reservation.objects.select_for_update(no_key=True).filter(
        pk__in=list(named), status=ReservationStatus.ACTIVE
    )
    return [row for row in rows.order_by("pk") if (row.sku_id, row.node_id) in levels]


def _lots_over(shelves: Mapping[LevelKey, Shelf], today: date) -> set[int]:
    """Return the lots past their date; one that is reserved to the last unit still lies on its shelf."""
    return {lot.lot_id for shelf in shelves.values() for lot in shelf if _is_over(lot, today)}


def _is_over(lot: LotUnits, today: date) -> bool:
    return lot.expires_date is not None and lot.expires_date < today


def _hold(shelves: Mapping[LevelKey, Shelf], needs: Needs, at: datetime) -> int:
    """Hold every free unit past its date back; returns how many."""
    nodes = dict(Node.objects.filter(pk__in={node_id for _sku, node_id in shelves}).values_list("pk", "code"))
    keeps = [
        Keep(
            key=f"expired:{lot.lot_id}@{node_id}:{at:%Y%m%dT%H%M%S.%f}",
            sku_id=sku_id,
            node_id=node_id,
            quantity=lot.free,
            reason_code=REASON,
            owner=nodes[node_id],
            ends_at=at + TIME_TO_DECIDE,
            lot_id=lot.lot_id,
        )
        for (sku_id, node_id), shelf in sorted(shelves.items())
        for lot in shelf
        if lot.free > 0 and _is_over(lot, needs.day)
    ]
    quality.hold(keeps, actor=JOB, at=at)
    return sum(keep.quantity for keep in keeps)


def _stuck(today: date) -> list[cases.Trouble]:
    with connection.cursor() as cursor:
        cursor.execute(_STUCK, [SHOWN, today])
        return [
            cases.Trouble(
                kind=STUCK_CASE,
                subject=node,
                why=say(
                    "%(units)s units of %(count)s parcels at %(node)s are of lots past their date: %(parcels)s",
                    units=units,
                    count=count,
                    node=node,
                    parcels=", ".join(parcels) + (" …" if count > len(parcels) else ""),
                ),
                suggestion=say("Stop these parcels: their orders are planned again from lots that keep."),
                subject_url="/admin/inventory/lotlevel/?life=over",
            )
            for node, units, count, parcels in cursor.fetchall()
        ]


def _soon(today: date) -> list[cases.Trouble]:
    with connection.cursor() as cursor:
        cursor.execute(_SOON, [today, today + SOON])
        return [
            cases.Trouble(
                kind=SOON_CASE,
                subject=node,
                why=say(
                    "%(units)s units worth ¥%(value)s in %(lots)s lots at %(node)s expire within %(days)s days, "
                    "the first on %(date)s.",
                    units=units,
                    value=f"{value:,.2f}",
                    lots=count,
                    node=node,
                    days=SOON.days,
                    date=f"{first:%Y-%m-%d}",
                ),
                suggestion=say("Sell them first, send them where they sell, or write them off."),
                subject_url=f"/admin/inventory/lotlevel/?node={node_id}&life=soon",
            )
            for node, node_id, units, count, first, value in cursor.fetchall()
        ]


def _tell(kind: str, troubles: Sequence[cases.Trouble], at: datetime) -> None:
    """Keep one open case per node that says how things are now; close those that are over or say something else."""
    now = {trouble.subject: trouble.why.stored() for trouble in troubles}
    still_open = Case.objects.filter(kind=kind, status=CaseStatus.OPEN).values_list("subject", "why")
    outdated = [subject for subject, why in still_open if now.get(subject) != why]
    cases.resolve(outdated, kinds=[kind], actor=JOB, resolution="", at=at)
    cases.open_cases(troubles, at=at)
