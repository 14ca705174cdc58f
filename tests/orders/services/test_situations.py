"""The moment that routing decides on, read in a handful of queries."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from inventory.models import Node, NodeDay, Sku, StockPosition
from orders.models import CarrierLane, Disruption, FreightTariff, NodeStanding
from orders.rules.routing.facts import CarrierOption, Goods, Position
from orders.services import situations
from tests import small_company as company
from tests.orders.services.scenes import Shop
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 2)


def tariff(carrier: str, price: str = "5.00", **facts) -> FreightTariff:
    usual = {"step_price": "1.50", "hours_min": 24, "hours_max": 60, "valid_from": date(2026, 1, 1)}
    return FreightTariff.objects.create(carrier_code=carrier, first_price=price, **usual | facts)


def option(
    code: str, price: float = 5.0, hours: tuple[float, float] = (42.0, 60.0), late: float = 0.0
) -> CarrierOption:
    return CarrierOption(code, 1000, price, 1000, 1.5, *hours, late_share=late)


def lane(carrier: str, here: str = "42", there: str = "31") -> CarrierLane:
    return CarrierLane.objects.create(
        carrier_code=carrier, from_region=here, to_region=there, parcels=50, hours_p50=30, hours_p90=80,
        late_share=0.25, learned_at=NOON,
    )  # fmt: skip


def node(read: situations.Situation, code: str):
    return next(one for one in read.nodes if one.code == code)


@pytest.fixture(autouse=True)
def counted_anew():
    situations.forget()


def test_a_node_is_read_with_room_work_and_standing(hub: Shop):
    facts = {"cut_off": "17:30", "parcels_per_hour": 20, "capabilities": ["cold_chain"], "groups": ["hub"],
             "down_until": NOON + timedelta(hours=1), "pick_cost": "4.50"}  # fmt: skip
    Node.objects.filter(pk=hub.far.pk).update(**facts)
    NodeDay.objects.create(node=hub.far, day_date=DAY, capacity=50, used=8)
    NodeDay.objects.create(node=hub.far, day_date=DAY + timedelta(days=1), capacity=50, used=49)
    NodeStanding.objects.create(node=hub.far, score=0.5, changed_at=NOON - timedelta(hours=72))
    hub.take(company.order_message("1", {"CUP": 1}), company.order_message("2", {"CUP": 1}))
    situations.forget()

    read = situations.read({hub.cup.pk}, at=NOON)
    far, near = node(read, "WH"), node(read, "SH")
    assert (far.cut_off_minute, far.parcels_per_hour, far.parcels_left) == (1050, 20, 42)
    assert (far.capabilities, far.groups, far.is_down, far.pick_cost) == ({"cold_chain"}, {"hub"}, True, 4.5)
    assert (far.standing, near.standing) == (0.75, 1.0)
    assert (far.backlog, near.backlog, near.parcels_left) == (0, 2, 998)
    assert not node(situations.read(set(), at=NOON + timedelta(hours=2)), "WH").is_down


def test_goods_and_positions_of_what_is_wanted_only(hub: Shop):
    Sku.objects.filter(pk=hub.cup.pk).update(weight_g=750, needs=["cold_chain"], not_to=["65"])
    for sku in (hub.cup, hub.lid):
        StockPosition.objects.create(sku=sku, node=hub.near, shadow_price="2.50", computed_at=NOON)
    StockPosition.objects.create(sku=hub.cup, node=hub.far, computed_at=NOON)

    read = situations.read({hub.cup.pk}, at=NOON)
    assert read.goods == {hub.cup.pk: Goods(750, frozenset({"cold_chain"}), frozenset({"65"}))}
    assert read.positions == {(hub.cup.pk, hub.near.pk): Position(2.5)}


def test_tariffs_hold_in_their_days_and_the_newest_wins(db):
    tariff("SF", "9.00")
    tariff("YTO", "4.00", valid_until=date(2026, 11, 1))
    tariff("ZTO", "3.00", valid_from=date(2026, 11, 3))
    tariff("STO", "2.00", is_active=False)
    tariff("SF", "8.00", valid_from=date(2026, 11, 1))
    assert situations.carriers(DAY) == {("", ""): (option("SF", 8.0),)}
    assert situations.carriers(date(2026, 11, 3)) == {("", ""): (option("SF", 8.0), option("ZTO", 3.0))}


def test_a_learned_lane_takes_the_place_of_what_the_carrier_says(db):
    tariff("SF", "9.00")
    tariff("YTO")
    tariff("YTO", "6.00", from_region="42")
    lane("YTO")
    lane("GONE")
    assert situations.carriers(DAY) == {
        ("", ""): (option("SF", 9.0), option("YTO")),
        ("42", ""): (option("YTO", 6.0),),
        ("42", "31"): (option("YTO", 6.0, (30.0, 80.0), 0.25),),
    }


@pytest.mark.parametrize("change", ["add", "change", "delete", "learn"])
def test_what_is_kept_of_tariffs_ends_with_any_change(db, change):
    row = tariff("SF", "9.00")
    before = situations.carriers(DAY)
    assert situations.carriers(DAY) is before
    if change == "add":
        tariff("YTO")
    elif change == "change":
        FreightTariff.objects.filter(pk=row.pk).update(first_price="7.00")
    elif change == "delete":
        row.delete()
    else:
        lane("SF")
    assert situations.carriers(DAY) != before


def test_only_disruptions_in_force_are_told(hub: Shop):
    for code, starts, ends in (("past", -10, 0), ("now", 0, 1), ("open", -5, None), ("later", 1, 2)):
        Disruption.objects.create(
            code=code, name=code, effect="blocks", from_regions=["42"], starts_at=NOON + timedelta(hours=starts),
            ends_at=None if ends is None else NOON + timedelta(hours=ends),
        ).nodes.add(hub.far)  # fmt: skip
    told = situations.read(set(), at=NOON).disruptions
    assert [(one.code, one.node_ids, one.from_regions) for one in told] == [
        ("now", {hub.far.pk}, {"42"}), ("open", {hub.far.pk}, {"42"}),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_depend_on_nodes_or_goods(db, count, django_assert_num_queries):
    wanted = {company.sku(f"S{number}").pk for number in range(count)}
    for number in range(count):
        company.node(f"N{number:02}")
        tariff("SF", "9.00", from_region=str(10 + number))
    Disruption.objects.create(code="rain", name="rain", effect="delays", starts_at=NOON)
    situations.carriers(timezone.localdate(NOON))
    with django_assert_num_queries(7):
        situations.read(wanted, at=NOON)
    with django_assert_num_queries(6):  # the work that waits is counted every few seconds
        situations.read(wanted, at=NOON)
