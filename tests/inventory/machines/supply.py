"""Goods that are expected, and those who wait for them: each unit that will come is promised once."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from inventory.models import ExpectedReceipt, Receipt
from inventory.rules.ahead import Waiting
from inventory.services import ahead, receipts
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from tests.inventory.machines import books
from tests.inventory.machines.stock import Stock, places, small
from tests.small_company import NOON, TESTER


@dataclass
class Supply:
    """A line that brings units to a place: how many still come, how many have come."""

    document: int
    place: tuple[int, int]
    coming: int
    come: int = 0


class Supplied(Stock):
    """The verbs of stock, of expected receipts and of promises on what will come."""

    @initialize()
    def expect_nothing(self):
        self.supplies: dict[str, Supply] = {}
        self.waiting: dict[str, tuple[int, int]] = {}  # reference → SKU, units

    def awaited(self, kind):
        return sorted(name for name, one in self.supplies.items() if one.coming and name.startswith(kind))

    @rule(place=places, units=small, days=st.integers(1, 3))
    def order_goods(self, place, units, days):
        due_date = NOON.date() + timedelta(days=days)
        row = ExpectedReceipt(number=self.next_key(), node=self.nodes[place[1]], due_date=due_date)
        sku_id = self.skus[place[0]].pk
        assert receipts.expect(row, units={sku_id: units}, actor=TESTER, at=NOON) == row
        self.supplies[f"expected:{row.lines.get().pk}"] = Supply(row.pk, place, units)

    @precondition(lambda self: self.awaited("expected"))
    @rule(data=st.data(), units=st.integers(0, 6), is_final=st.booleans())
    def receive_ordered(self, data, units, is_final):
        one = self.supplies[data.draw(st.sampled_from(self.awaited("expected")))]
        sku_id, node_id = self.ids(one.place)
        receipt = Receipt(number=self.next_key(), node_id=node_id, expected_id=one.document)
        facts = {"arrivals": [Arrival(sku_id, units, reason_code="short")], "is_final": is_final}
        if units > one.coming:
            with pytest.raises(RowsRefused):
                receipts.receive(receipt, **facts, actor=TESTER, at=NOON)
            return
        receipts.receive(receipt, **facts, actor=TESTER, at=NOON)
        receipts.receive(Receipt(number=receipt.number, node_id=node_id), **facts, actor=TESTER, at=NOON)
        self.on_hand[one.place] += units
        one.come, one.coming = one.come + units, 0 if is_final else one.coming - units
        self.plan_again(one.place[0])

    @precondition(lambda self: self.awaited("expected"))
    @rule(data=st.data())
    def cancel_order(self, data):
        one = self.supplies[data.draw(st.sampled_from(self.awaited("expected")))]
        receipts.cancel(one.document, at=NOON)
        with pytest.raises(RowsRefused):
            receipts.cancel(one.document, at=NOON)
        one.coming = 0
        self.plan_again(one.place[0])

    @rule(sku=st.integers(0, 1), units=small, priority=st.integers(0, 1))
    def wait(self, sku, units, priority):
        reference = self.next_key()
        since_at = NOON + timedelta(minutes=self.number)
        want = Waiting(reference, 1, self.skus[sku].pk, units, priority, since_at)
        told = [ahead.promise([want], at=NOON) for _ in range(2)]
        assert told[0] == told[1]
        assert sum(row.waiting.quantity for row in told[0]) == units
        self.waiting[reference] = (sku, units)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def wait_no_longer(self, data):
        reference = data.draw(st.sampled_from(sorted(self.waiting)))
        sku, _units = self.waiting.pop(reference)
        assert ahead.forget([reference]) == {self.skus[sku].pk}
        assert ahead.forget([reference]) == set()

    @rule(sku=st.integers(0, 1))
    def plan_again(self, sku):
        """Whoever changes a delivery does this: nothing is promised twice, and nothing lies idle while one waits."""
        ahead.replan([self.skus[sku].pk], at=NOON)
        stored, beyond = books(), Counter()
        some_wait = any(
            lacking for sku_id, _units, lacking in stored["waiting"].values() if sku_id == self.skus[sku].pk
        )
        for name, one in self.supplies.items():
            if one.place[0] == sku:
                promised = stored["supply"][name][2]
                beyond[one.place] += max(0, promised - one.coming)
                assert promised >= one.coming or not some_wait
        assert all(units <= max(0, self.free(place)) for place, units in beyond.items())

    def agree(self, stored):
        super().agree(stored)
        assert {name: row[:2] for name, row in stored["supply"].items()} == {
            name: (one.coming, one.come) for name, one in self.supplies.items()
        }
        assert all(promised <= coming + come for coming, come, promised in stored["supply"].values())
        assert {name: row[:2] for name, row in stored["waiting"].items()} == {
            reference: (self.skus[sku].pk, units) for reference, (sku, units) in self.waiting.items()
        }
