"""Lots that do not add up are found and set to what their rows say; a SKU can begin to have lots."""

import pytest
from django.db.models import F

from inventory.models import Lot, LotLevel, Reservation, ReservationLot, StockLevel, StockMovement
from inventory.services import lot_repair, lot_verification, quality, reservations
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import adds_up, after, lying
from tests.inventory.services.test_quality import keep
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def milk():
    return dated.milk()


@pytest.fixture
def here(milk):
    """Four units keep ten days, five keep forty; five are reserved, one is held."""
    node = company.node("SH")
    dated.put(dated.lot(milk, "SOON", after(10)), node, 4)
    dated.put(dated.lot(milk, "LATE", after(40)), node, 5)
    reserve(milk, node, 5)
    quality.place([keep(milk, node, 1)], actor=TESTER, at=NOON)
    return node


def reserve(what, where, units, key="P1/1"):
    reservations.reserve(Claim("P1", (Want(key, "P1", what.pk, where.pk, units),)), at=NOON)


def found():
    every = [*lot_verification.lot_sums(), *lot_verification.lot_rows()]
    return {(one.check.value, one.subject): (one.stored, one.derived) for one in every}


def spoil(code, **change):
    LotLevel.objects.filter(lot__code=code).update(**change)


def settle(milk, here):
    lot_repair.settle(milk.pk, [here.pk], at=NOON)


def test_what_the_hub_writes_adds_up(milk, here):
    assert found() == {}


def test_a_spoilt_lot_is_found_twice_and_set_right(milk, here):
    before = lying(milk, here)
    spoil("LATE", on_hand=F("on_hand") + 2)
    spoil("SOON", reserved=3)
    assert found() == {
        ("lot_sums", "on_hand MILK@SH"): (11, 9),
        ("lot_sums", "reserved MILK@SH"): (4, 5),
        ("lot_rows", "on_hand MILK/LATE@SH"): (7, 5),
        ("lot_rows", "reserved MILK/SOON@SH"): (3, 4),
    }
    settle(milk, here)
    assert (lying(milk, here), found()) == (before, {})


def test_lots_that_are_missing_are_made_again(milk, here):
    before = lying(milk, here)
    LotLevel.objects.all().delete()
    assert len(found()) == 3 + 5  # three sums; two lots with two figures, one of them with three
    settle(milk, here)
    assert (lying(milk, here), found()) == (before, {})


def test_a_reservation_that_lost_its_lots_gets_some_anew(milk, here):
    ReservationLot.objects.filter(lot__code="LATE").delete()
    assert found() == {("lot_rows", "reserved MILK/LATE@SH"): (1, 0)}
    settle(milk, here)
    assert sorted(ReservationLot.objects.values_list("lot__code", "quantity")) == [("LATE", 1), ("SOON", 4)]
    assert found() == {}


def test_rows_that_cannot_all_be_true_are_refused(milk, here):
    Reservation.objects.update(quantity=12)
    before = lying(milk, here), list(ReservationLot.objects.values_list("lot", "quantity"))
    with pytest.raises(RowsRefused, match="The lots of MILK at SH cannot carry what is reserved and held there"):
        settle(milk, here)
    assert (lying(milk, here), list(ReservationLot.objects.values_list("lot", "quantity"))) == before


# -- beginning to have lots ------------------------------------------------------------------------


def test_a_sku_with_stock_begins_to_have_lots(here):
    cup, there = company.sku("CUP"), company.node("WH", "42")
    company.stock(cup, here, 8)
    company.stock(cup, there, 2)
    reserve(cup, here, 3, "P2/1")
    quality.place([keep(cup, here, 1, key="Q2")], actor=TESTER, at=NOON)

    lot_repair.start(cup.pk, reason="food", actor=TESTER, at=NOON)

    assert (lying(cup, here), lying(cup, there)) == ({"": (8, 3, 1)}, {"": (2, 0, 0)})
    assert list(ReservationLot.objects.filter(reservation__key="P2/1").values_list("lot__code", "quantity")) == [
        ("", 3)
    ]
    assert StockMovement.objects.filter(sku=cup, lot__isnull=False).count() == 0  # the ledger stays as it was
    assert found() == {}
    reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    assert lying(cup, here) == {"": (5, 0, 1)}
    assert found() == {}


def test_starting_twice_changes_nothing(milk, here):
    before = lying(milk, here), Lot.objects.exclude(code="").count()
    lot_repair.start(milk.pk, reason="food", actor=TESTER, at=NOON)
    assert (lying(milk, here), Lot.objects.exclude(code="").count()) == (before[0], before[1])
    assert adds_up(milk, here)


def test_a_sku_whose_books_are_wrong_does_not_begin(here):
    cup = company.sku("CUP")
    company.stock(cup, here, 3)
    reserve(cup, here, 3, "P2/1")
    StockMovement.objects.filter(sku=cup).update(quantity=1)
    with pytest.raises(RowsRefused):
        lot_repair.start(cup.pk, reason="food", actor=TESTER, at=NOON)
    cup.refresh_from_db()
    assert (cup.tracks_lots, StockLevel.objects.get(sku=cup).reserved) == (False, 3)
    assert not LotLevel.objects.filter(sku=cup).exists()
