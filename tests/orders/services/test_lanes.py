"""What carriers' parcels teach about the hours between two regions."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory.models import Reservation, StockLevel
from orders.models import CarrierLane, FreightTariff, Fulfillment, ParcelScan
from orders.services import lanes
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON

LATER = NOON + timedelta(days=10)


@pytest.fixture
def trips(hub):
    """Make delivered parcels of SF from Shanghai to Shanghai that took these hours."""
    hub.take(company.order_message("1", {"CUP": 1}))
    [first] = scenes.parcels()
    first.order.fulfillments.all().delete()
    hub.near.refresh_from_db()

    def make(hours, carrier="SF", shipped_at=NOON, node=hub.near):
        count = Fulfillment.objects.count()
        Fulfillment.objects.bulk_create(
            Fulfillment(
                number=f"T-{count + n}", order=scenes.order(), node=node, status="delivered", planned_at=NOON,
                shipped_at=shipped_at, delivered_at=shipped_at + timedelta(hours=h), carrier_code=carrier,
            )
            for n, h in enumerate(hours)
        )  # fmt: skip

    Reservation.objects.all().delete()
    StockLevel.objects.update(reserved=0)
    return make


def tariff(**facts):
    columns = {"carrier_code": "SF", "first_price": Decimal(8), "step_price": Decimal(2), "hours_min": 12,
               "hours_max": 30, "valid_from": NOON.date() - timedelta(days=90)}  # fmt: skip
    return FreightTariff.objects.create(**columns | facts)


def known():
    rows = CarrierLane.objects.order_by("carrier_code", "from_region", "to_region")
    return [(row.carrier_code, row.from_region, row.to_region, row.parcels, row.hours_p50, round(row.hours_p90, 3),
             round(row.late_share, 3)) for row in rows]  # fmt: skip


def test_median_nine_of_ten_and_the_share_that_came_late(trips):
    tariff()
    trips(range(11, 32))  # 21 parcels: 11 to 31 hours
    assert lanes.learn(at=LATER) == 1
    assert known() == [("SF", "31", "31", 21, 21.0, 29.0, round(1 / 21, 3))]


def test_too_few_parcels_teach_nothing(trips):
    trips([20] * 19)
    assert (lanes.learn(at=LATER), known()) == (0, [])


def test_lost_and_impossible_parcels_do_not_count(trips):
    trips([20] * 20 + [0, 24 * 61])
    lanes.learn(at=LATER + timedelta(days=49))
    assert known() == [("SF", "31", "31", 20, 20.0, 20.0, 0.0)]


def test_the_carriers_own_scan_is_the_truth(trips):
    trips([40] * 20)
    ParcelScan.objects.bulk_create(
        ParcelScan(fulfillment=parcel, scanned_at=NOON + timedelta(hours=24), state="delivered", told_at=NOON)
        for parcel in Fulfillment.objects.all()
    )
    lanes.learn(at=LATER)
    assert known() == [("SF", "31", "31", 20, 24.0, 24.0, 0.0)]


@pytest.mark.parametrize(
    ("facts", "late"),
    [
        pytest.param([{}], 0.0, id="for everywhere"),
        pytest.param([{}, {"from_region": "31", "to_region": "31", "hours_max": 10, "hours_min": 5}], 1.0,
                     id="the narrowest holds"),
        pytest.param([{"hours_max": 10, "hours_min": 5, "is_active": False, "valid_from": NOON.date()}, {}], 0.0,
                     id="not an inactive one"),
        pytest.param([{"hours_max": 10, "hours_min": 5, "method": "express"}], 0.0, id="not another method"),
    ],
)  # fmt: skip
def test_late_is_later_than_the_carrier_says(trips, facts, late):
    for one in facts:
        tariff(**one)
    trips([20] * 20)
    lanes.learn(at=LATER)
    assert [row[-1] for row in known()] == [late]


def test_a_lane_that_nobody_uses_any_more_is_forgotten(trips):
    trips([20] * 20)
    lanes.learn(at=LATER)
    assert lanes.learn(at=LATER + timedelta(days=60)) == 0
    assert known() == []


def test_one_carrier_and_region_says_nothing_of_another(trips, hub):
    trips([20] * 20)
    trips([30] * 20, carrier="YTO")
    trips([50] * 20, node=hub.far)
    lanes.learn(at=LATER)
    assert [row[:5] for row in known()] == [
        ("SF", "31", "31", 20, 20.0), ("SF", "42", "31", 20, 50.0), ("YTO", "31", "31", 20, 30.0),
    ]  # fmt: skip
