"""Any sequence at the desk when one SKU has lots: they add up to their levels, and what is over is not promised."""

from collections import Counter
from datetime import date, timedelta

import pytest
from django.db.models import F, Sum
from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import Lot, LotLevel, ReservationLot
from inventory.services import expiring, lot_verification, lots, movements
from inventory.services.movements import Movement
from inventory.statuses import MovementKind
from tests.inventory.dated import TODAY
from tests.inventory.machines import SHARDS, try_sequences
from tests.inventory.machines.stock import OPENING, channels, small
from tests.inventory.services.test_desk_stateful import Desk
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db, pytest.mark.stateful]
DATED = 0  # the SKU that has lots
EACH = OPENING // 3  # units of each lot that lie at each node when an example begins
DAYS = {"OLD": -1, "SOON": 5, "LATE": 40}
codes = st.sampled_from(["", *DAYS])
nodes = st.integers(0, 1)


def first_of(shelf, units):
    """Yield how many of so many units each lot of a shelf gives, the first lot first."""
    for _date, lot, free in shelf:
        if given := min(units, free):
            units -= given
            yield lot, given


class DatedDesk(Desk):
    """The verbs of the desk, with lots that come, change their date and expire."""

    @classmethod
    def in_a_small_company(cls):
        """Let the first SKU have lots; of what lies there already a third each keeps shorter and longer."""
        machine = super().in_a_small_company()
        dated = machine.skus[DATED]
        dated.tracks_lots = True
        dated.save()
        labels = [
            lots.Label(dated.pk, code, TODAY + timedelta(days=DAYS[code]) if code else None) for code in ("", *DAYS)
        ]
        machine.lots = {code: pk for (_sku, code), pk in lots.named(labels, at=NOON).items()}
        for node in machine.nodes:
            LotLevel.objects.create(lot_id=machine.lots[""], on_hand=OPENING, sku=dated, node=node)
            machine.label(node, {"": -2 * EACH, "SOON": EACH, "LATE": EACH})
        return machine

    @classmethod
    def label(cls, node, units):
        """Say of unlabelled goods of which lots they are."""
        changes = [
            Movement(f"label:{code}@{node.code}", cls.skus[DATED].pk, node.pk, MovementKind.ADJUSTMENT, change,
                     lot_id=cls.lots[code])
            for code, change in units.items()
        ]  # fmt: skip
        movements.record(changes, actor=TESTER, at=NOON)

    def over(self):
        """Return the units past their date that nobody has, by node id."""
        rows = LotLevel.objects.filter(lot__expires_date__lt=TODAY)
        free = Sum(F("on_hand") - F("reserved") - F("quality_hold"))
        return Counter(dict(rows.values_list("node").annotate(free=free)))

    def free(self, place):
        return super().free(place) - (self.over()[self.nodes[place[1]].pk] if place[0] == DATED else 0)

    def fit(self):
        """Return what may be promised of each lot, by node id, the first to go first: date, lot id, free units."""
        rows = LotLevel.objects.exclude(lot__expires_date__lt=TODAY).select_related("lot")
        found = {node.pk: [] for node in self.nodes}
        for row in rows:
            units = row.on_hand - row.reserved - row.quality_hold
            found[row.node_id].append((row.lot.expires_date or date.max, row.lot_id, units))
        return {node: sorted(shelf) for node, shelf in found.items()}

    def claim(self, channel, lines):
        """Reserve as ever, and see that the lots that expire first were taken."""
        wanted, shelves = Counter(), self.fit()
        for (sku, node), units in lines:
            wanted[self.nodes[node].pk] += units if sku == DATED else 0
        parcels = super().claim(channel, lines)
        if parcels:
            picked = ReservationLot.objects.filter(reservation__reference__in=parcels)
            sums = picked.values_list("reservation__node", "lot").annotate(units=Sum("quantity"))
            taken = {(node, lot): units for node, lot, units in sums}
            assert taken == {
                (node, lot): units for node, shelf in shelves.items() for lot, units in first_of(shelf, wanted[node])
            }
        return parcels

    @rule(channel=channels, node=nodes, units=small)
    def reserve_dated(self, channel, node, units):
        self.claim(channel, [((DATED, node), units)])

    @rule(node=nodes, code=codes, units=small)
    def receive_lot(self, node, code, units):
        level = self.ids((DATED, node))
        change = Movement(self.next_key(), *level, MovementKind.RECEIPT, units, lot_id=self.lots[code])
        movements.record([change], actor=TESTER, at=NOON)
        self.on_hand[DATED, node] += units

    @rule(node=nodes, code=codes, units=small)
    def lose_of_a_lot(self, node, code, units):
        level, lot_id = self.ids((DATED, node)), self.lots[code]
        change = Movement(self.next_key(), *level, MovementKind.ADJUSTMENT, -units, lot_id=lot_id)
        rows = LotLevel.objects.filter(lot=lot_id, node=level[1])
        if units > sum(row.on_hand - row.reserved - row.quality_hold for row in rows):
            with pytest.raises(movements.NotEnoughOnHand):
                movements.record([change], actor=TESTER, at=NOON)
        else:
            movements.record([change], actor=TESTER, at=NOON)
            self.on_hand[DATED, node] -= units

    @rule(code=st.sampled_from(sorted(DAYS)), days=st.sampled_from([-2, 0, 3, 60]))
    def correct_date(self, code, days):
        Lot.objects.filter(pk=self.lots[code]).update(expires_date=TODAY + timedelta(days=days))

    @rule()
    def expire(self):
        held = sum(units for _place, units, _reason in self.on_hold.values())
        self.next_key()  # no two runs are at the same moment, and a hold is named by its run's
        outcome = expiring.expire(channels_of=lambda references: {}, at=NOON + timedelta(microseconds=self.number))
        self.holds_change((DATED, 0), self.newly_held(0))
        assert sum(units for _place, units, _reason in self.on_hold.values()) == held + outcome.units_held
        assert sum(self.over().values()) == 0
        self.nothing_over_is_promised_needlessly()

    def newly_held(self, node):
        """Return the units of open expiry holds at a node that the model does not know yet."""
        rows = LotLevel.objects.filter(node=self.nodes[node], sku=self.skus[DATED])
        return (rows.aggregate(units=Sum("quality_hold"))["units"] or 0) - self.holding((DATED, node))

    def nothing_over_is_promised_needlessly(self):
        """A reservation that still takes units past their date wants more of them than there are others."""
        fit = Counter[int]()
        for row in LotLevel.objects.exclude(lot__expires_date__lt=TODAY):
            fit[row.node_id] += row.on_hand - row.reserved - row.quality_hold
        left = ReservationLot.objects.filter(lot__expires_date__lt=TODAY, reservation__status="active")
        for _pk, node, units in left.values_list("reservation", "reservation__node").annotate(Sum("quantity")):
            assert units > fit[node]

    def agree(self, stored):
        super().agree(stored)
        sums = {
            node: tuple(figures)
            for node, *figures in LotLevel.objects.values_list("node").annotate(
                Sum("on_hand"), Sum("reserved"), Sum("quality_hold")
            )
        }
        places = ((DATED, 0), (DATED, 1))
        assert sums == {
            self.ids(place)[1]: (self.on_hand[place], self.reserved(place), self.holding(place)) for place in places
        }
        assert lot_verification.lot_rows() == []


@pytest.mark.parametrize("shard", range(SHARDS // 4))  # the desk's own machine tries the rest
def test_any_sequence_with_lots_keeps_the_books(shard):
    try_sequences(DatedDesk, shard)
