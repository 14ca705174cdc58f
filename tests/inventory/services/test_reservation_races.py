"""Many callers at once on a real PostgreSQL: nothing is promised twice, and the control shows that it could be."""

import random
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from inventory.models import NodeDay, Reservation, StockLevel
from inventory.services import capacity, movements, reservations
from inventory.services.reservations import Claim, NotReservable, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 40
UNITS = 10


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, UNITS)
    return node


def claim_one(number, sku, node):
    return Claim(f"O{number}", (Want(f"P{number}/1", f"P{number}", sku.pk, node.pk, 1),))


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_forty_buyers_of_ten_units_get_exactly_ten(cup, here):
    runners = [partial(reservations.reserve, claim_one(n, cup, here), at=NOON) for n in range(BUYERS)]
    results = race(runners)

    assert sorted(type(result).__name__ for result in results) == ["NoneType"] * 10 + ["NotReservable"] * 30
    level = StockLevel.objects.get(sku=cup, node=here)
    assert (level.on_hand, level.reserved) == (10, 10)
    assert Reservation.objects.filter(status="active").count() == 10


def test_the_race_exists_without_the_lock_and_the_guard(cup, here):
    """The control: read, check, write, as it is often written. All forty are promised ten units."""
    everybody_has_read = Barrier(BUYERS)

    def reserve_naively(number):
        with transaction.atomic():
            level = StockLevel.objects.get(sku=cup, node=here)
            everybody_has_read.wait(PATIENCE)
            if level.available < 1:
                raise NotReservable(())
            want = claim_one(number, cup, here).wants[0]
            Reservation.objects.create(
                key=want.key, reference=want.reference, sku=cup, node=here, quantity=1, reserved_at=NOON
            )
            StockLevel.objects.filter(pk=level.pk).update(reserved=level.reserved + 1)

    results = race([partial(reserve_naively, n) for n in range(BUYERS)])

    assert results == [None] * BUYERS
    assert Reservation.objects.filter(status="active").count() == 40
    assert StockLevel.objects.get(sku=cup, node=here).reserved == 1


def test_the_same_key_from_everywhere_reserves_once(cup, here):
    results = race([partial(reservations.reserve, claim_one(1, cup, here), at=NOON)] * 8)
    assert results == [None] * 8
    assert StockLevel.objects.get(sku=cup, node=here).reserved == 1
    assert Reservation.objects.count() == 1


def test_many_skus_in_any_order_never_deadlock():
    nodes = [company.node("SH"), company.node("WH", "42")]
    skus = [company.sku(f"S{n}") for n in range(12)]
    for sku in skus:
        for node in nodes:
            company.stock(sku, node, 40)
    before = deadlocks()

    def shop(thread):
        dice, granted = random.Random(thread), 0
        for turn in range(25):
            reference = f"P{thread}.{turn}"
            chosen = [(sku, dice.choice(nodes)) for sku in dice.sample(skus, 5)]
            wants = [
                Want(f"{reference}/{n}", reference, sku.pk, node.pk, dice.randint(1, 3))
                for n, (sku, node) in enumerate(chosen)
            ]
            try:
                reservations.reserve(Claim(reference, tuple(wants)), at=NOON)
            except NotReservable:
                continue
            granted += 1
            other = next(node for node in nodes if node.pk != wants[0].node_id)
            _one_of_the_other_verbs(dice.choice(["release", "consume", "move", "keep"]), reference, wants[0], other)
        return granted

    results = race([partial(shop, thread) for thread in range(8)])

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(results) > 100
    assert deadlocks() == before
    assert _balances_that_do_not_add_up() == []


def _one_of_the_other_verbs(verb, reference, want, other):
    if verb == "release":
        reservations.release([reference], at=NOON)
    elif verb == "consume":
        reservations.consume([reference], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    elif verb == "move":
        try:
            reservations.move({want.key: other.pk}, at=NOON)
        except NotReservable:
            reservations.release([reference], at=NOON)


def _balances_that_do_not_add_up():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT level.sku_id, level.node_id, level.on_hand, level.reserved
              FROM inventory_stocklevel AS level
             WHERE level.reserved <> (SELECT coalesce(sum(quantity), 0) FROM inventory_reservation AS held
                    WHERE held.sku_id = level.sku_id AND held.node_id = level.node_id AND held.status = 'active')
                OR level.on_hand <> (SELECT coalesce(sum(quantity), 0) FROM inventory_stockmovement AS moved
                    WHERE moved.sku_id = level.sku_id AND moved.node_id = level.node_id)
            """
        )
        return cursor.fetchall()


def test_shipping_and_cancelling_the_same_parcel_happen_once(cup, here):
    for number in range(5):
        reservations.reserve(claim_one(number, cup, here), at=NOON)
    parcels = [f"P{number}" for number in range(5)]
    ship = partial(reservations.consume, parcels, kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    cancel = partial(reservations.release, parcels, at=NOON)

    counts = race([ship, cancel, ship, cancel])

    assert sum(counts) == 5
    shipped = Reservation.objects.filter(status="consumed").count()
    level = StockLevel.objects.get(sku=cup, node=here)
    assert (level.on_hand, level.reserved) == (10 - shipped, 0)
    assert _balances_that_do_not_add_up() == []


def test_the_same_receipt_from_everywhere_counts_once(cup, here):
    receipt = movements.Movement("receipt:1", cup.pk, here.pk, MovementKind.RECEIPT, 7)
    counts = race([partial(movements.record, [receipt], actor=TESTER, at=NOON)] * 8)
    assert sorted(counts) == [0] * 7 + [1]
    assert StockLevel.objects.get(sku=cup, node=here).on_hand == 17


def test_a_first_receipt_from_everywhere_opens_one_level(cup):
    node = company.node("WH", "42")
    receipts = [movements.Movement(f"receipt:{n}", cup.pk, node.pk, MovementKind.RECEIPT, 1) for n in range(8)]
    assert race([partial(movements.record, [one], actor=TESTER, at=NOON) for one in receipts]) == [1] * 8
    assert StockLevel.objects.get(sku=cup, node=node).on_hand == 8


def test_forty_parcels_for_ten_places_take_exactly_ten(cup):
    node = company.node("WH", "42", parcels_per_day=10)
    results = race([partial(capacity.claim, {node.pk: 1}, day_date=NOON.date())] * BUYERS)
    assert sorted(map(len, results)) == [0] * 10 + [1] * 30
    day = NodeDay.objects.get(node=node)
    assert (day.capacity, day.used) == (10, 10)
