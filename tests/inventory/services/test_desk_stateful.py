"""Any sequence of what people do with stock, among reservations and shipments: no unit appears or disappears."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from audit.rules.actors import Actor
from inventory.models import QualityHold, Receipt, StockCount, StockLevel, Transfer
from inventory.queries.risk import Risk
from inventory.services import adjustments, counts, quality, receipts, returns, transfers, verification
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Decision, Keep
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from inventory.services.returns import Back
from inventory.statuses import DifferenceCheck
from tests.inventory.services.test_reservations_stateful import Stock, places, small
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
CHECKS = (DifferenceCheck.ON_HAND, DifferenceCheck.RESERVED, DifferenceCheck.QUALITY_HOLD)
OTHER = Actor("person", "other")
LATER = NOON + timedelta(days=1)


@dataclass
class OnItsWay:
    transfer: int
    sku: int
    target: int
    units: int


class Desk(Stock):
    """The verbs of reservations, and those of the desk."""

    @initialize()
    def open_desk(self):
        self.on_hold: dict[int, tuple[tuple[int, int], int]] = {}
        self.on_its_way: list[OnItsWay] = []

    def holding(self, place):
        return sum(units for other, units in self.on_hold.values() if other == place)

    def loose(self, place):
        return self.on_hand[place] - self.reserved(place) - self.holding(place)

    def free(self, place):
        return super().free(place) - self.holding(place)

    def ids(self, place):
        return self.skus[place[0]].pk, self.nodes[place[1]].pk

    def remember_holds(self):
        """Learn the holds that are open now; their units are what the model says, checked by the invariant."""
        known = {(sku.pk, node.pk): (s, n) for s, sku in enumerate(self.skus) for n, node in enumerate(self.nodes)}
        rows = QualityHold.objects.filter(closed_at=None).values_list("pk", "sku", "node", "quantity")
        self.on_hold = {pk: (known[sku, node], units) for pk, sku, node, units in rows}

    @rule(place=places, units=small)
    def adjust_down(self, place, units):
        change = [Adjustment(self.next_key(), *self.ids(place), -units, "lost")]
        if units > self.loose(place):
            with pytest.raises(RowsRefused):
                adjustments.adjust(change, actor=TESTER, at=NOON)
        else:
            adjustments.adjust(change, actor=TESTER, at=NOON)
            self.on_hand[place] -= units

    @rule(place=places, units=small, damaged=st.integers(0, 3))
    def receive_goods(self, place, units, damaged):
        damaged = min(damaged, units)
        sku_id, node_id = self.ids(place)
        receipt = Receipt(number=self.next_key(), node_id=node_id)
        arrival = Arrival(sku_id, units, damaged, "damaged" if damaged else "")
        receipts.receive(receipt, arrivals=[arrival], actor=TESTER, at=NOON)
        self.on_hand[place] += units
        before = self.holding(place)
        self.remember_holds()
        assert self.holding(place) == before + damaged

    @rule(place=places, units=small)
    def take_back(self, place, units):
        back = Back(self.next_key(), *self.ids(place), units, "RMA")
        assert [returns.take_back([back], owner="li", actor=TESTER, at=NOON) for _ in range(2)] == [1, 0]
        self.on_hand[place] += units
        self.remember_holds()

    @rule(place=places, units=small)
    def hold_back(self, place, units):
        keep = [Keep(self.next_key(), *self.ids(place), units, "suspected", "li", LATER)]
        if units > self.loose(place):
            with pytest.raises(RowsRefused):
                quality.place(keep, actor=TESTER, at=NOON)
        else:
            quality.place(keep, actor=TESTER, at=NOON)
            self.remember_holds()

    @precondition(lambda self: self.on_hold)
    @rule(data=st.data(), good=st.integers(0, 4), bad=st.integers(0, 4))
    def decide(self, data, good, bad):
        pk = data.draw(st.sampled_from(sorted(self.on_hold)))
        place, units = self.on_hold[pk]
        decision = [Decision(pk, good, bad)]
        if not 0 < good + bad <= units:
            with pytest.raises(RowsRefused):
                quality.decide(decision, actor=TESTER, at=NOON)
            return
        before = self.holding(place)
        quality.decide(decision, actor=TESTER, at=NOON)
        self.on_hand[place] -= bad
        self.remember_holds()
        assert self.holding(place) == before - good - bad

    @rule(place=places, units=small)
    def send(self, place, units):
        sku, node = place
        row = Transfer(number=self.next_key(), source=self.nodes[node], destination=self.nodes[1 - node])
        transfers.draft(row, units={self.skus[sku].pk: units}, actor=TESTER, at=NOON)
        if units > self.loose(place):
            with pytest.raises(RowsRefused):
                transfers.send([row.pk], actor=TESTER, at=NOON)
        else:
            assert [transfers.send([row.pk], actor=TESTER, at=NOON) for _ in range(2)] == [1, 0]
            self.on_hand[place] -= units
            self.on_its_way.append(OnItsWay(row.pk, sku, 1 - node, units))

    @precondition(lambda self: self.on_its_way)
    @rule(data=st.data(), units=small, is_last=st.booleans())
    def arrive(self, data, units, is_last):
        one = data.draw(st.sampled_from(self.on_its_way))
        sku_id, key = self.skus[one.sku].pk, self.next_key()
        if units > one.units:
            with pytest.raises(RowsRefused):
                transfers.receive(one.transfer, key=key, units={sku_id: units}, actor=TESTER, at=NOON)
            return
        transfers.receive(one.transfer, key=key, units={sku_id: units}, actor=TESTER, at=NOON)
        self.on_hand[one.sku, one.target] += units
        one.units -= units
        if is_last and one.units:
            transfers.give_up(one.transfer, reason_code="short", actor=TESTER, at=NOON)
            one.units = 0
        self.on_its_way = [other for other in self.on_its_way if other.units]

    @rule(place=places, counted=st.integers(0, 12), moved=st.integers(0, 3))
    def count(self, place, counted, moved):
        sku_id, node_id = self.ids(place)
        row = StockCount(number=self.next_key(), node_id=node_id, limit_percent=Decimal(50))
        counts.begin(row, risks=[Risk(sku_id, "", 0, 0, 0, Decimal(0))], actor=TESTER, at=NOON)
        variance = counted - self.on_hand[place]
        if counts.tell(row.pk, units={sku_id: counted}, actor=TESTER, at=NOON):
            counts.tell(row.pk, units={sku_id: counted}, actor=OTHER, at=NOON)
        if moved:
            self.receive(place, moved)
        if variance < -self.loose(place):
            with pytest.raises(RowsRefused):
                counts.apply(row.pk, actor=TESTER, at=NOON)
            counts.cancel(row.pk, actor=TESTER, at=NOON)
        else:
            assert counts.apply(row.pk, actor=TESTER, at=NOON) == (1 if variance else 0)
            self.on_hand[place] += variance

    @invariant()
    def every_balance_is_what_its_rows_say(self):
        if not hasattr(self, "on_hold"):
            return
        assert [found for check in CHECKS for found in verification.balances(check)] == []
        for row in StockLevel.objects.all():
            place = (
                next(n for n, sku in enumerate(self.skus) if sku.pk == row.sku_id),
                next(n for n, node in enumerate(self.nodes) if node.pk == row.node_id),
            )
            assert (row.on_hand, row.quality_hold) == (self.on_hand[place], self.holding(place))
            assert row.on_hand >= row.reserved + row.quality_hold

    @invariant()
    def what_left_and_has_not_come_is_on_its_way(self):
        if not hasattr(self, "on_its_way"):
            return
        stored = {
            row.pk: sum(line.in_transit for line in row.lines.all())
            for row in Transfer.objects.filter(status__in=("in_transit", "part_received")).prefetch_related("lines")
        }
        assert stored == {one.transfer: one.units for one in self.on_its_way}


def run(examples, steps):
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_at_the_desk_keeps_the_books():
    run(40, 40)


@pytest.mark.nightly
def test_long_sequences_at_the_desk_keep_the_books():
    run(2000, 50)
