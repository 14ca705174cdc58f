"""Lots past their date leave every promise; parcels get others where there are some; people are told, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.models import Case
from audit.models.sentences import render
from inventory.models import LotLevel, QualityHold, Reservation, ReservationLot, StockLevel
from inventory.services import expiring, quality, reservations
from inventory.services.expiring import Expired
from inventory.services.quality import Decision
from inventory.services.reservations import Claim, Want
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import adds_up, after, lying
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
IN_SIX_DAYS = NOON + timedelta(days=6)  # the day after the soonest lot's date


@pytest.fixture
def milk():
    row = dated.milk()
    row.unit_cost = Decimal("2.50")
    row.save()
    return row


@pytest.fixture
def here(milk):
    """Four units keep five days, five keep forty; ¥2.50 each."""
    node = company.node("SH")
    dated.put(dated.lot(milk, "SOON", after(5)), node, 4)
    dated.put(dated.lot(milk, "LATE", after(40)), node, 5)
    return node


def reserve(what, where, units, key, channel=""):
    reference = key.split("/")[0]
    claim = Claim(reference, (Want(key, reference, what.pk, where.pk, units),), channel=channel)
    reservations.reserve(claim, at=NOON)


def expire(at=IN_SIX_DAYS, **channels):
    return expiring.expire(channels_of=lambda references: channels, at=at)


def picked(key):
    return list(
        ReservationLot.objects.filter(reservation__key=key).order_by("lot").values_list("lot__code", "quantity")
    )


def cases(kind):
    return [
        (case.subject, render(case.why), case.status)
        for case in Case.objects.filter(kind=kind).order_by("opened_at", "pk")
    ]


def state():
    return (
        list(LotLevel.objects.order_by("pk").values_list("lot", "node", "on_hand", "reserved", "quality_hold")),
        list(StockLevel.objects.values_list("on_hand", "reserved", "quality_hold")),
        list(QualityHold.objects.order_by("pk").values_list("key", "quantity")),
        list(Case.objects.order_by("pk").values_list("subject", "status")),
        list(ReservationLot.objects.order_by("pk").values_list("reservation", "lot", "quantity")),
    )


def test_on_its_last_day_a_lot_is_still_good(milk, here):
    assert expire(NOON + timedelta(days=5)) == Expired()
    assert lying(milk, here) == {"LATE": (5, 0, 0), "SOON": (4, 0, 0)}


def test_free_units_past_their_date_are_held_back_until_somebody_decides(milk, here):
    assert expire() == Expired(units_held=4)
    assert lying(milk, here) == {"LATE": (5, 0, 0), "SOON": (4, 0, 4)}
    hold = QualityHold.objects.get()
    assert (hold.reason_code, hold.quantity, hold.lot.code, hold.owner, hold.ends_at, hold.opened_by) == (
        "expired", 4, "SOON", "SH", IN_SIX_DAYS + timedelta(days=7), "job:expire_lots",
    )  # fmt: skip
    quality.decide([Decision(hold.pk, scrapped=4)], actor=TESTER, at=IN_SIX_DAYS)
    assert lying(milk, here) == {"LATE": (5, 0, 0), "SOON": (0, 0, 0)}
    assert adds_up(milk, here)


def test_a_parcel_gets_a_lot_that_keeps(milk, here):
    reserve(milk, here, 3, "P1/1")
    assert picked("P1/1") == [("SOON", 3)]
    assert expire() == Expired(units_held=4, reservations_changed=1)
    assert picked("P1/1") == [("LATE", 3)]
    assert lying(milk, here) == {"LATE": (5, 3, 0), "SOON": (4, 0, 4)}
    assert adds_up(milk, here)
    assert cases("expired_lots_reserved") == []


def test_a_parcel_keeps_the_part_of_its_lots_that_is_good(milk, here):
    reserve(milk, here, 6, "P1/1")
    assert picked("P1/1") == [("SOON", 4), ("LATE", 2)]
    dated.put(dated.lot(milk, "NEW", after(20)), here, 3)
    assert expire() == Expired(units_held=4, reservations_changed=1)
    assert picked("P1/1") == [("LATE", 3), ("NEW", 3)]
    assert adds_up(milk, here)


def test_a_parcels_channel_says_how_long_the_other_lot_must_keep(milk, here):
    reserve(milk, here, 2, "P1/1", channel="TM")
    reserve(milk, here, 2, "P2/1", channel="JD")
    dated.ask_for("TM", 50)
    assert expire(P1="TM", P2="JD") == Expired(units_held=2, reservations_changed=1, reservations_stuck=1)
    assert (picked("P1/1"), picked("P2/1")) == ([("SOON", 2)], [("LATE", 2)])


def test_the_oldest_parcel_comes_first_and_what_is_left_is_one_case_per_node(milk, here):
    for number, units in ((1, 2), (2, 2), (3, 5)):
        reserve(milk, here, units, f"P{number}/1")
    assert picked("P3/1") == [("LATE", 5)]
    dated.put(dated.lot(milk, "NEW", after(20)), here, 3)
    assert expire() == Expired(units_held=2, reservations_changed=1, reservations_stuck=1)
    assert (picked("P1/1"), picked("P2/1")) == ([("NEW", 2)], [("SOON", 2)])
    assert cases("expired_lots_reserved") == [
        ("SH", "2 units of 1 parcels at SH are of lots past their date: P2", "open")
    ]
    reservations.release(["P2"], at=IN_SIX_DAYS)
    assert expire(IN_SIX_DAYS + timedelta(minutes=1)) == Expired(units_held=2)
    assert cases("expired_lots_reserved")[0][2] == "resolved"
    assert adds_up(milk, here)


def test_running_twice_changes_nothing(milk, here):
    for number, units in ((1, 2), (2, 2), (3, 5)):
        reserve(milk, here, units, f"P{number}/1")
    expire()
    before = state()
    assert expire() == Expired(reservations_stuck=2)
    assert state() == before


def test_what_expires_soon_is_told_per_node_and_told_anew_when_it_changes(milk, here):
    assert expire(NOON) == Expired()
    first = "4 units worth ¥10.00 in 1 lots at SH expire within 14 days, the first on 2026-11-07."
    assert cases("lots_expire_soon") == [("SH", first, "open")]
    expire(NOON)
    assert len(cases("lots_expire_soon")) == 1
    dated.put(dated.lot(milk, "NEXT", after(14)), here, 2)
    expire(NOON + timedelta(minutes=1))
    assert cases("lots_expire_soon") == [
        ("SH", first, "resolved"),
        ("SH", "6 units worth ¥15.00 in 2 lots at SH expire within 14 days, the first on 2026-11-07.", "open"),
    ]


@pytest.mark.parametrize("parcels", [1, 5])
def test_the_number_of_queries_does_not_grow_with_parcels(milk, here, django_assert_num_queries, parcels):
    dated.put(dated.lot(milk, "MORE", after(5)), here, 20)
    for number in range(parcels):
        reserve(milk, here, 1, f"P{number}/1")
    with django_assert_num_queries(37):
        expire()
    assert Reservation.objects.filter(lots__lot__code="LATE").count() == parcels
