"""Any sequence of what people do with stock, among reservations and shipments: no unit appears or disappears."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from audit.rules.actors import Actor
from inventory.models import QualityHold, Receipt, StockCount, Transfer
from inventory.queries.risk import Risk
from inventory.services import adjustments, counts, quality, receipts, returns, transfers
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Decision, Keep
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from inventory.services.returns import WAITS, Back, Inspection
from tests.inventory.machines import in_shards, try_sequences
from tests.inventory.machines.stock import Stock, places, small
from tests.inventory.machines.supply import Supplied, Supply
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db, pytest.mark.stateful]
OTHER = Actor("person", "other")
LATER = NOON + timedelta(days=1)


class Desk(Supplied):
    """The verbs of reservations and deliveries, and those of the desk."""

    @initialize()
    def open_desk(self):
        self.on_hold: dict[int, tuple[tuple[int, int], int, str]] = {}
        self.places = {self.ids((s, n)): (s, n) for s in (0, 1) for n in (0, 1)}

    def holding(self, place):
        return sum(units for other, units, _reason in self.on_hold.values() if other == place)

    def holds_change(self, place, by):
        """Learn the holds that are open now; what is held at a place must have changed by so many units."""
        before = self.holding(place)
        rows = QualityHold.objects.filter(closed_at=None).values_list("pk", "sku", "node", "quantity", "reason_code")
        self.on_hold = {pk: (self.places[sku, node], units, reason) for pk, sku, node, units, reason in rows}
        assert self.holding(place) == before + by

    def hold_of(self, data):
        pk = data.draw(st.sampled_from(sorted(self.on_hold)))
        return pk, *self.on_hold[pk]

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
        self.holds_change(place, damaged)

    @rule(place=places, units=small)
    def take_back(self, place, units):
        back = Back(self.next_key(), *self.ids(place), units, "RMA")
        assert [returns.take_back([back], owner="li", actor=TESTER, at=NOON) for _ in range(2)] == [1, 0]
        self.on_hand[place] += units
        self.holds_change(place, units)

    @rule(place=places, units=small)
    def hold_back(self, place, units):
        keep = [Keep(self.next_key(), *self.ids(place), units, "suspected", "li", LATER)]
        if units > self.loose(place):
            with pytest.raises(RowsRefused):
                quality.place(keep, actor=TESTER, at=NOON)
        else:
            quality.place(keep, actor=TESTER, at=NOON)
            self.holds_change(place, units)

    @precondition(lambda self: self.on_hold)
    @rule(data=st.data(), good=st.integers(0, 4), bad=st.integers(0, 4))
    def decide(self, data, good, bad):
        pk, place, units, _reason = self.hold_of(data)
        decision = [Decision(pk, good, bad)]
        if not 0 < good + bad <= units:
            with pytest.raises(RowsRefused):
                quality.decide(decision, actor=TESTER, at=NOON)
            return
        quality.decide(decision, actor=TESTER, at=NOON)
        self.on_hand[place] -= bad
        self.holds_change(place, -good - bad)

    @precondition(lambda self: self.on_hold)
    @rule(data=st.data(), good=st.integers(0, 4), bad=st.integers(0, 4), words=st.sampled_from(["as_new", "defective"]))
    def inspect(self, data, good, bad, words):
        pk, place, units, reason = self.hold_of(data)
        found = [Inspection(pk, good, bad, words)]
        if reason != WAITS or not 0 < good + bad <= units or (bad and words == "as_new"):
            with pytest.raises(RowsRefused):
                returns.inspect(found, actor=TESTER, at=NOON)
            return
        returns.inspect(found, actor=TESTER, at=NOON)
        self.on_hand[place] -= bad
        self.holds_change(place, -good - bad)

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
            self.supplies[f"transfer:{row.lines.get().pk}"] = Supply(row.pk, (sku, 1 - node), units)

    @precondition(lambda self: self.awaited("transfer"))
    @rule(data=st.data(), units=small, is_last=st.booleans())
    def arrive(self, data, units, is_last):
        one = self.supplies[data.draw(st.sampled_from(self.awaited("transfer")))]
        facts = {"key": self.next_key(), "units": {self.skus[one.place[0]].pk: units}}
        if units > one.coming:
            with pytest.raises(RowsRefused):
                transfers.receive(one.document, **facts, actor=TESTER, at=NOON)
            return
        for _twice in range(2):
            transfers.receive(one.document, **facts, actor=TESTER, at=NOON)
        self.on_hand[one.place] += units
        one.come, one.coming = one.come + units, one.coming - units
        if is_last and one.coming:
            transfers.give_up(one.document, reason_code="short", actor=TESTER, at=NOON)
            one.coming = 0
        self.plan_again(one.place[0])

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


@in_shards
def test_any_sequence_at_the_desk_keeps_the_books(shard):
    try_sequences(Desk, shard)


def test_the_desks_machine_has_every_verb_of_the_stocks():
    stock, desk = ({rule.function.__name__ for rule in machine.setup_state().rules} for machine in (Stock, Desk))
    assert {"reserve", "reserve_again", "extend", "move", "cancel_parcel", "ship", "begin_share", "end_share"} < stock
    assert stock < desk
    assert desk - stock >= {"receive_goods", "take_back", "inspect", "hold_back", "decide", "send", "arrive", "count"}
