"""Two buyers of the last fit lot on a real PostgreSQL, and the control that shows the race."""

from functools import partial
from threading import Barrier

import pytest
from django.db import transaction

from inventory.models import LotLevel, ReservationLot
from inventory.services import movements, reservations
from inventory.services.reservations import Claim, NotReservable, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import adds_up, after, lying
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 12


@pytest.fixture
def milk():
    return dated.milk()


@pytest.fixture
def here(milk):
    """Three units keep long enough for Tmall; twenty do not."""
    node = company.node("SH")
    dated.ask_for("TM", 30)
    dated.put(dated.lot(milk, "SHORT", after(5)), node, 20)
    dated.put(dated.lot(milk, "LONG", after(60)), node, 3)
    return node


def claim(number, what, where):
    return Claim(f"O{number}", (Want(f"P{number}/1", f"P{number}", what.pk, where.pk, 1),), channel="TM")


def test_the_last_fit_units_are_promised_once(milk, here):
    results = race([partial(reservations.reserve, claim(n, milk, here), at=NOON) for n in range(BUYERS)])

    assert sorted(type(result).__name__ for result in results) == ["NoneType"] * 3 + ["NotReservable"] * 9
    assert lying(milk, here) == {"LONG": (3, 3, 0), "SHORT": (20, 0, 0)}
    assert list(ReservationLot.objects.values_list("lot__code", "quantity")) == [("LONG", 1)] * 3
    assert adds_up(milk, here)


def test_the_race_exists_when_lots_are_read_before_the_lock(milk, here):
    """The control: everybody reads the lots, then takes: all twelve are promised three units."""
    everybody_has_read = Barrier(BUYERS)

    def reserve_naively(number):
        with transaction.atomic():
            row = LotLevel.objects.get(lot__code="LONG")
            everybody_has_read.wait(PATIENCE)
            if row.on_hand - row.reserved < 1:
                raise NotReservable(())
            LotLevel.objects.filter(pk=row.pk).update(reserved=row.reserved + 1)

    assert race([partial(reserve_naively, n) for n in range(BUYERS)]) == [None] * BUYERS
    assert lying(milk, here)["LONG"] == (3, 1, 0)


def test_promising_shipping_and_receiving_at_once_keeps_the_lots_adding_up(milk, here):
    lot = dated.lot(milk, "LONG")

    def trade(number):
        dated.put(lot, here, 2, key=f"in{number}")
        for turn in range(4):
            name = f"{number}.{turn}"
            try:
                reservations.reserve(claim(name, milk, here), at=NOON)
            except NotReservable:
                continue
            if turn % 2:
                reservations.consume([f"P{name}"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
            out = movements.Movement(f"out{name}", milk.pk, here.pk, MovementKind.ADJUSTMENT, -1)
            movements.record([out], actor=TESTER, at=NOON)

    results = race([partial(trade, number) for number in range(6)])

    assert [result for result in results if isinstance(result, Exception)] == []
    assert adds_up(milk, here)
    assert all(on_hand >= reserved for on_hand, reserved, _held in lying(milk, here).values())
