"""Any sequence of stock verbs: after every step the balances are what the ledger and the promises say."""

from dataclasses import dataclass

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from inventory.models import Reservation, StockLevel, StockMovement
from inventory.services import movements, reservations
from inventory.services.movements import Movement, NotEnoughOnHand
from inventory.services.reservations import Claim, NotReservable, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
SAFETY = 2  # of the first SKU at the first node
places = st.tuples(st.integers(0, 1), st.integers(0, 1))  # which SKU, which node
small = st.integers(1, 6)


@dataclass
class Held:
    sku: int
    node: int
    quantity: int


class Stock(RuleBasedStateMachine):
    """The verbs beside a plain dictionary that says what must come out."""

    @initialize()
    def open(self):
        self.savepoint = transaction.savepoint()
        self.skus = [company.sku("CUP"), company.sku("LID")]
        self.nodes = [company.node("SH"), company.node("WH", "42")]
        self.on_hand = {(s, n): 0 for s in (0, 1) for n in (0, 1)}
        self.held: dict[str, Held] = {}
        self.count = 0
        StockLevel.objects.bulk_create(StockLevel(sku=sku, node=node) for sku in self.skus for node in self.nodes)
        StockLevel.objects.filter(sku=self.skus[0], node=self.nodes[0]).update(safety_stock=SAFETY)

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    def reserved(self, place):
        return sum(held.quantity for held in self.held.values() if (held.sku, held.node) == place)

    def free(self, place):
        return self.on_hand[place] - self.reserved(place) - (SAFETY if place == (0, 0) else 0)

    def next_key(self):
        self.count += 1
        return f"K{self.count}"

    def move_units(self, place, kind, units):
        sku, node = place
        change = Movement(self.next_key(), self.skus[sku].pk, self.nodes[node].pk, kind, units)
        movements.record([change], actor=TESTER, at=NOON)

    @rule(place=places, units=small)
    def receive(self, place, units):
        self.move_units(place, MovementKind.RECEIPT, units)
        self.on_hand[place] += units

    @rule(place=places, units=small)
    def adjust_down(self, place, units):
        if self.on_hand[place] - units < self.reserved(place):
            with pytest.raises(NotEnoughOnHand):
                self.move_units(place, MovementKind.ADJUSTMENT, -units)
        else:
            self.move_units(place, MovementKind.ADJUSTMENT, -units)
            self.on_hand[place] -= units

    @rule(lines=st.lists(st.tuples(places, small), min_size=1, max_size=3))
    def reserve(self, lines):
        keys = [self.next_key() for _ in lines]
        wants = tuple(
            Want(key, key, self.skus[sku].pk, self.nodes[node].pk, units)
            for key, ((sku, node), units) in zip(keys, lines, strict=True)
        )
        asked = {place: sum(units for other, units in lines if other == place) for place, _ in lines}
        if all(units <= self.free(place) for place, units in asked.items()):
            reservations.reserve(Claim(keys[0], wants), at=NOON)
            self.held |= {key: Held(*place, units) for key, (place, units) in zip(keys, lines, strict=True)}
        else:
            with pytest.raises(NotReservable):
                reservations.reserve(Claim(keys[0], wants), at=NOON)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def reserve_again(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held[key]
        want = Want(key, key, self.skus[held.sku].pk, self.nodes[held.node].pk, held.quantity)
        reservations.reserve(Claim(key, (want,)), at=NOON)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        assert [reservations.release([key], at=NOON) for _ in range(2)] == [1, 0]
        del self.held[key]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def consume(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held.pop(key)
        assert reservations.consume([key], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON) == 1
        self.on_hand[held.sku, held.node] -= held.quantity

    @precondition(lambda self: self.held)
    @rule(data=st.data(), node=st.integers(0, 1))
    def move(self, data, node):
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held[key]
        if node == held.node or held.quantity <= self.free((held.sku, node)):
            reservations.move({key: self.nodes[node].pk}, at=NOON)
            held.node = node
        else:
            with pytest.raises(NotReservable):
                reservations.move({key: self.nodes[node].pk}, at=NOON)

    @invariant()
    def the_balances_are_what_ledger_and_promises_say(self):
        if not hasattr(self, "skus"):
            return
        stored = {(row.sku_id, row.node_id): row for row in StockLevel.objects.all()}
        moved = {
            (sku, node): units
            for sku, node, units in StockMovement.objects.values_list("sku", "node").annotate(units=Sum("quantity"))
        }
        held = {
            (sku, node): units
            for sku, node, units in Reservation.objects.filter(status="active")
            .values_list("sku", "node")
            .annotate(units=Sum("quantity"))
        }
        for place, on_hand in self.on_hand.items():
            key = (self.skus[place[0]].pk, self.nodes[place[1]].pk)
            row = stored[key]
            assert (row.on_hand, row.reserved) == (on_hand, self.reserved(place))
            assert (row.on_hand, row.reserved) == (moved.get(key, 0), held.get(key, 0))
            assert 0 <= row.reserved <= row.on_hand


def test_any_sequence_of_stock_verbs_keeps_the_books():
    run_state_machine_as_test(
        Stock,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.nightly
def test_long_sequences_of_stock_verbs_keep_the_books():
    run_state_machine_as_test(
        Stock,
        settings=settings(
            max_examples=400, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
