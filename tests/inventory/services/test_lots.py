"""Lots of a level: what comes and goes by lot, and first expired, first promised."""

import pytest

from inventory.models import Lot, LotLevel, Reservation, ReservationLot, StockLevel, StockMovement
from inventory.services import lots, movements, reservations
from inventory.services.levels import LevelsChanged
from inventory.services.movements import Movement, NotEnoughOnHand
from inventory.services.reservations import Claim, NotReservable, Shortage, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import TODAY, adds_up, after, level, lying
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def milk():
    return dated.milk()


@pytest.fixture
def here():
    return company.node("SH")


@pytest.fixture
def there():
    return company.node("WH", "42")


@pytest.fixture
def shelf(milk, here):
    """Four lots: two units expired yesterday, four keep ten days, five keep forty, one is unlabelled."""
    rows = {
        "OLD": (after(-1), 2),
        "SOON": (after(10), 4),
        "LATE": (after(40), 5),
        "": (None, 1),
    }
    made = {}
    for code, (expires, units) in rows.items():
        made[code] = dated.lot(milk, code, expires)
        dated.put(made[code], here, units)
    return made


def change(what, where, units, key="M", lot=None):
    kind = MovementKind.RECEIPT if units > 0 else MovementKind.ADJUSTMENT
    return Movement(key, what.pk, where.pk, kind, units, lot_id=lot.pk if lot else None)


def record(*changes):
    return movements.record(changes, actor=TESTER, at=NOON)


def claim(what, where, units, key="P1/1", channel=""):
    reference = key.split("/")[0]
    return Claim(reference, (Want(key, reference, what.pk, where.pk, units),), channel=channel)


def reserve(*args, **facts):
    reservations.reserve(claim(*args, **facts), at=NOON)


def picked(key="P1/1"):
    rows = ReservationLot.objects.filter(reservation__key=key).order_by("lot__expires_date", "lot")
    return list(rows.values_list("lot__code", "quantity"))


def state():
    """Everything that a refused verb must leave as it was."""
    return (
        list(StockLevel.objects.order_by("pk").values_list("sku", "node", "on_hand", "reserved", "quality_hold")),
        list(LotLevel.objects.order_by("pk").values_list("lot", "node", "on_hand", "reserved", "quality_hold")),
        list(Reservation.objects.order_by("pk").values_list("key", "node", "quantity", "status")),
        list(ReservationLot.objects.order_by("pk").values_list("reservation", "lot", "quantity")),
        list(StockMovement.objects.order_by("pk").values_list("key", "lot", "quantity")),
    )


# -- what comes and goes ---------------------------------------------------------------------------


def test_what_comes_in_lies_on_its_lot_and_on_the_level(milk, here, shelf):
    assert lying(milk, here) == {"": (1, 0, 0), "LATE": (5, 0, 0), "OLD": (2, 0, 0), "SOON": (4, 0, 0)}
    assert level(milk, here) == (12, 0, 0)
    assert StockMovement.objects.get(lot=shelf["LATE"]).quantity == 5


def test_what_comes_in_without_a_lot_is_unlabelled(milk, there):
    record(change(milk, there, 3), change(milk, there, 2, "M2"))
    assert lying(milk, there) == {"": (5, 0, 0)}
    home = Lot.objects.get()
    assert (home.code, home.expires_date, home.created_at) == ("", None, NOON)


def test_what_goes_out_without_a_lot_takes_the_first_expired_one_row_a_lot(milk, here, shelf):
    assert [record(change(milk, here, -5)), record(change(milk, here, -5))] == [1, 0]
    rows = StockMovement.objects.filter(quantity__lt=0).order_by("pk").values_list("key", "lot__code", "quantity")
    assert list(rows) == [("M", "OLD", -2), (f"M/{shelf['SOON'].pk}", "SOON", -3)]
    assert lying(milk, here)["SOON"] == (1, 0, 0)
    assert adds_up(milk, here)


def test_a_movement_may_name_its_lot(milk, here, shelf):
    record(change(milk, here, -3, lot=shelf["LATE"]))
    assert lying(milk, here)["LATE"] == (2, 0, 0)
    assert adds_up(milk, here)


def test_a_lot_gives_no_more_than_it_has(milk, here, shelf):
    before = state()
    with pytest.raises(NotEnoughOnHand) as refused:
        record(change(milk, here, -6, lot=shelf["LATE"]))
    assert refused.value.levels == [(milk.pk, here.pk)]
    assert state() == before


def test_one_call_can_bring_a_lot_and_take_from_it(milk, there):
    row = dated.lot(milk, "NEW", after(5))
    record(change(milk, there, -2, "out", row), change(milk, there, 6, "in", row))
    assert lying(milk, there) == {"NEW": (4, 0, 0)}


def test_skus_without_lots_have_no_rows_here(here):
    cup = company.sku("CUP")
    company.stock(cup, here, 4)
    reserve(cup, here, 2)
    reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    assert (Lot.objects.count(), LotLevel.objects.count(), ReservationLot.objects.count()) == (0, 0, 0)
    assert set(StockMovement.objects.values_list("lot", flat=True)) == {None}


def test_a_guarded_write_refuses_what_a_lot_has_not(milk, here, shelf):
    before = state()
    with pytest.raises(LevelsChanged, match="1 of 2 lots refused"):
        lots.apply(
            [lots.LotChange(shelf["OLD"].pk, here.pk, reserved=3), lots.LotChange(shelf["LATE"].pk, here.pk, held=1)]
        )
    LotLevel.objects.filter(lot=shelf["LATE"]).update(quality_hold=0)
    assert state() == before


# -- promises --------------------------------------------------------------------------------------


def test_a_reservation_takes_the_first_expired_that_is_not_expired(milk, here, shelf):
    reserve(milk, here, 6)
    assert picked() == [("SOON", 4), ("LATE", 2)]
    assert lying(milk, here) == {"": (1, 0, 0), "LATE": (5, 2, 0), "OLD": (2, 0, 0), "SOON": (4, 4, 0)}
    assert adds_up(milk, here)


def test_expired_units_are_promised_to_nobody(milk, here, shelf):
    reserve(milk, here, 10)
    before = state()
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 1, key="P2/1")
    assert refused.value.shortages == (Shortage(milk.pk, here.pk, wanted=1, available=0, keeps_until=TODAY),)
    assert state() == before


def test_a_channel_gets_only_what_keeps_long_enough(milk, here, shelf):
    dated.ask_for("TM", 30)
    reserve(milk, here, 5, channel="TM")
    assert picked() == [("LATE", 5)]
    before = state()
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 1, key="P2/1", channel="TM")
    assert refused.value.shortages == (Shortage(milk.pk, here.pk, wanted=1, available=0, keeps_until=after(30)),)
    assert state() == before
    reserve(milk, here, 5, key="P3/1", channel="JD")
    assert picked("P3/1") == [("SOON", 4), ("", 1)]


def test_what_is_not_there_at_all_is_short_without_a_date(milk, here, shelf):
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 13)
    assert refused.value.shortages == (Shortage(milk.pk, here.pk, wanted=13, available=10, keeps_until=TODAY),)
    record(change(milk, here, -2, lot=shelf["OLD"]))
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 13)
    assert refused.value.shortages == (Shortage(milk.pk, here.pk, wanted=13, available=10),)


def test_claims_of_one_batch_compete_for_lots(milk, here, shelf):
    dated.ask_for("TM", 30)
    asked = [claim(milk, here, 3, "A/1", "TM"), claim(milk, here, 3, "B/1", "TM"), claim(milk, here, 5, "C/1")]
    outcome = reservations.reserve_all(asked, at=NOON)
    assert (outcome.granted, set(outcome.refused)) == ({"A", "C"}, {"B"})
    assert (picked("A/1"), picked("C/1")) == ([("LATE", 3)], [("SOON", 4), ("LATE", 1)])
    assert adds_up(milk, here)


def test_the_safety_stock_is_of_fit_units(milk, here, shelf):
    StockLevel.objects.update(safety_stock=4)
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 7)
    assert refused.value.shortages[0].available == 6
    reserve(milk, here, 6)


def test_two_lines_of_one_claim_share_a_shelf(milk, here, shelf):
    wants = [Want(f"P1/{n}", "P1", milk.pk, here.pk, 5) for n in (1, 2)]
    reservations.reserve(Claim("P1", tuple(wants)), at=NOON)
    assert (picked("P1/1"), picked("P1/2")) == ([("SOON", 4), ("LATE", 1)], [("LATE", 4), ("", 1)])
    assert adds_up(milk, here)


@pytest.mark.parametrize("verb", [reservations.release, reservations.forget], ids=["release", "forget"])
def test_lots_come_back_with_the_reservation(milk, here, shelf, verb):
    reserve(milk, here, 6)
    assert [verb(["P1"], at=NOON) for _ in range(2)] == [1, 0]
    assert lying(milk, here)["SOON"] == (4, 0, 0)
    assert adds_up(milk, here)


def test_the_reserved_lots_leave_and_no_others(milk, here, shelf):
    reserve(milk, here, 6)
    dated.put(dated.lot(milk, "FRESHER", after(2)), here, 9)
    reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    rows = StockMovement.objects.filter(kind="shipment").order_by("pk").values_list("key", "lot__code", "quantity")
    assert list(rows) == [("shipment:P1/1", "SOON", -4), (f"shipment:P1/1/{shelf['LATE'].pk}", "LATE", -2)]
    assert lying(milk, here) == {
        "": (1, 0, 0), "FRESHER": (9, 0, 0), "LATE": (3, 0, 0), "OLD": (2, 0, 0), "SOON": (0, 0, 0),
    }  # fmt: skip
    assert picked() == [("SOON", 4), ("LATE", 2)]  # what it shipped stays known
    assert adds_up(milk, here)


def test_a_move_chooses_lots_anew(milk, here, there, shelf):
    dated.ask_for("TM", 30)
    dated.put(dated.lot(milk, "NEAR", after(20)), there, 6)
    dated.put(shelf["LATE"], there, 6)
    reserve(milk, here, 4, channel="TM")
    reservations.move({"P1/1": there.pk}, channel="TM", at=NOON)
    assert picked() == [("LATE", 4)]
    assert (lying(milk, here)["LATE"], lying(milk, there)["LATE"]) == ((5, 0, 0), (6, 4, 0))
    assert adds_up(milk, here)
    assert adds_up(milk, there)


def test_a_move_to_lots_that_keep_too_short_is_refused(milk, here, there, shelf):
    dated.ask_for("TM", 30)
    dated.put(shelf["SOON"], there, 6)
    reserve(milk, here, 4, channel="TM")
    before = state()
    with pytest.raises(NotReservable) as refused:
        reservations.move({"P1/1": there.pk}, channel="TM", at=NOON)
    assert refused.value.shortages == (Shortage(milk.pk, there.pk, wanted=4, available=0, keeps_until=after(30)),)
    assert state() == before


def test_the_same_claim_again_changes_nothing(milk, here, shelf):
    reserve(milk, here, 6)
    before = state()
    reserve(milk, here, 6)
    assert state() == before


# -- what must not count ---------------------------------------------------------------------------


def test_unfit_units_are_told_per_channel(milk, here, shelf):
    dated.ask_for("TM", 30)
    reserve(milk, here, 1)
    key = (milk.pk, here.pk)
    assert dated.unfit(milk, ("", "TM")) == {"": {key: 2}, "TM": {key: 6}}
    assert dated.unfit(milk, ("", "TM"), after(20)) == {"": {key: 5}, "TM": {key: 11}}


def test_no_lots_cost_one_question(django_assert_num_queries, here):
    cup = company.sku("CUP")
    company.stock(cup, here, 4)
    with django_assert_num_queries(1):
        assert dated.unfit(cup, ("", "TM")) == {"": {}, "TM": {}}


def test_a_claim_of_skus_without_lots_costs_one_question_more(django_assert_num_queries, here):
    cup = company.sku("CUP")
    company.stock(cup, here, 4)
    # savepoint, shares, levels, lots, known keys, COPY, balances, release
    with django_assert_num_queries(8):
        reservations.reserve_all([claim(cup, here, 1)], at=NOON)


def test_lots_and_skus_that_do_not_belong_together_are_strangers(milk, here, shelf):
    other, cup = dated.milk("YOGURT"), company.sku("CUP")
    pk = shelf["LATE"].pk
    asked = [(milk.pk, pk), (other.pk, pk), (cup.pk, pk), (cup.pk, None)]
    assert lots.strangers(asked) == {(other.pk, pk), (cup.pk, pk)}


def test_a_sku_that_has_lots_no_longer_is_promised_and_sent_as_if_it_never_had(milk, here, shelf):
    reserve(milk, here, 3, "P1/1")
    milk.tracks_lots = False
    milk.save()

    reserve(milk, here, 8, "P2/1")
    with pytest.raises(NotReservable) as refused:
        reserve(milk, here, 2, "P3/1")
    assert refused.value.shortages == (Shortage(milk.pk, here.pk, 2, 1),)
    assert list(ReservationLot.objects.values_list("reservation__reference", "lot__code", "quantity")) == [
        ("P1", "SOON", 3)
    ]
    assert reservations.consume(["P1", "P2"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON) == 2
    sent = StockMovement.objects.filter(kind=MovementKind.SHIPMENT).order_by("pk")
    assert list(sent.values_list("reference", "lot", "quantity")) == [("P1", None, -3), ("P2", None, -8)]
    assert level(milk, here) == (1, 0, 0)
    assert lying(milk, here) == {"": (1, 0, 0), "LATE": (5, 0, 0), "OLD": (2, 0, 0), "SOON": (4, 0, 0)}
