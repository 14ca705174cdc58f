"""Each figure that is spoilt behind the hub's back is found, told once, and repaired with a reason."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import F

from audit.models import Case
from inventory.models import LotLevel, NodeDay, Reservation, SafetyChange, SafetyRule, StockDifference, StockLevel
from inventory.services import lot_repair, movements, safety_rules
from inventory.services.movements import Movement
from inventory.services.refusals import RowsRefused
from inventory.statuses import DifferenceCheck, MovementKind
from orders.models import Fulfillment, Order
from orders.services import repair, verification
from tests import small_company as company
from tests.small_company import NOON, TESTER


@pytest.fixture
def shop(hub):
    """Two open orders: four cups and a lid are reserved at SH."""
    hub.take(company.order_message("1", {"CUP": 3}), company.order_message("2", {"CUP": 1, "LID": 1}))
    return hub


def found():
    return {
        (check.value, one.subject): (one.stored, one.derived)
        for check, every in verification.verify(at=NOON).found.items()
        for one in every
    }


def repair_all(reason="counted by hand"):
    ids = list(StockDifference.objects.filter(status="open").values_list("pk", flat=True))
    return repair.repair(ids, reason=reason, actor=TESTER, at=NOON)


def refused(outcome):
    return {subject: str(why) for subject, why in outcome.refused.items()}


def level(sku, node):
    return StockLevel.objects.get(sku=sku, node=node)


def spoil(sku, node, **figures):
    StockLevel.objects.filter(sku=sku, node=node).update(**figures)


def test_what_the_hub_itself_writes_adds_up(shop):
    report = verification.verify(at=NOON)
    assert (report.differences, report.opened, report.gone) == (0, 0, 0)
    assert set(report.found) == set(DifferenceCheck)


def test_a_wrong_balance_is_told_once_and_repaired_from_the_ledger(shop):
    spoil(shop.lid, shop.near, on_hand=13)
    spoil(shop.cup, shop.near, reserved=5)
    expected = {("on_hand", "LID@SH"): (13, 10), ("reserved", "CUP@SH"): (5, 4)}
    assert [found(), found()] == [expected, expected]
    assert sorted(Case.objects.filter(status="open").values_list("kind", "subject")) == [
        ("stock_difference", "on_hand LID@SH"),
        ("stock_difference", "reserved CUP@SH"),
    ]
    outcome = repair_all()
    assert (sorted(outcome.done), outcome.refused) == (["CUP@SH", "LID@SH"], {})
    assert (level(shop.lid, shop.near).on_hand, level(shop.cup, shop.near).reserved) == (10, 4)
    kept = StockDifference.objects.values_list("status", "stored", "derived", "closed_by", "reason", "closed_at")
    assert set(kept) == {
        ("repaired", 13, 10, "person:tester", "counted by hand", NOON),
        ("repaired", 5, 4, "person:tester", "counted by hand", NOON),
    }
    assert set(Case.objects.values_list("status", "resolution")) == {("resolved", "counted by hand")}
    assert found() == {}


def test_a_level_that_is_missing_is_found_and_made_again(shop):
    StockLevel.objects.filter(sku=shop.cup, node=shop.far).delete()
    assert found() == {("on_hand", "CUP@WH"): (0, 10)}
    assert repair_all().done == ["CUP@WH"]
    assert level(shop.cup, shop.far).on_hand == 10


def test_a_difference_that_goes_away_closes_its_case(shop):
    spoil(shop.lid, shop.near, on_hand=13)
    found()
    spoil(shop.lid, shop.near, on_hand=10)
    report = verification.verify(at=NOON)
    assert (report.differences, report.gone) == (0, 1)
    assert StockDifference.objects.get().status == "gone"
    assert Case.objects.get().status == "resolved"


def test_a_parcel_that_lost_its_reservation_gets_it_again(shop):
    parcel = Fulfillment.objects.get(order__external_id="1")
    Reservation.objects.filter(reference=parcel.number).delete()
    spoil(shop.cup, shop.near, reserved=1)
    assert found() == {("parcel", f"{parcel.number}/CUP@SH"): (0, 3)}
    assert repair_all().done == [f"{parcel.number}/CUP@SH"]
    assert list(
        Reservation.objects.filter(reference=parcel.number, status="active").values_list("quantity", "node")
    ) == [(3, shop.near.pk)]
    assert found() == {}


def test_a_reservation_whose_order_and_parcel_are_gone_is_found_and_given_back(shop):
    Order.objects.filter(external_id="1").delete()
    assert Reservation.objects.get(reference="JD-1-1").status == "active"
    found_now = found()
    assert found_now["parcel", "JD-1-1/CUP@SH"] == (3, 0)
    assert "JD-1-1/CUP@SH" in repair_all().done
    assert level(shop.cup, shop.near).reserved == 1
    assert Reservation.objects.get(reference="JD-1-1").status == "released"


def test_a_reservation_of_a_parcel_that_is_over_is_given_back(shop):
    parcel = Fulfillment.objects.get(order__external_id="2")
    Fulfillment.objects.filter(pk=parcel.pk).update(status="delivered")
    subjects = [f"{parcel.number}/CUP@SH", f"{parcel.number}/LID@SH"]
    assert found() == {("parcel", subjects[0]): (1, 0), ("parcel", subjects[1]): (1, 0)}
    assert sorted(repair_all().done) == subjects
    assert (level(shop.cup, shop.near).reserved, level(shop.lid, shop.near).reserved) == (3, 0)


def test_a_parcel_whose_stock_is_gone_is_refused_and_stays_open(shop):
    parcel = Fulfillment.objects.get(order__external_id="1")
    Reservation.objects.filter(reference=parcel.number).delete()
    spoil(shop.cup, shop.near, reserved=1, safety_stock=8, own_safety_stock=8)
    found()
    assert refused(repair_all()) == {
        f"{parcel.number}/CUP@SH": (
            "2 units that the parcel needs are not free at its node. Stop the parcel, or move stock there."
        )
    }
    assert level(shop.cup, shop.near).reserved == 1
    assert StockDifference.objects.get().status == "open"
    spoil(shop.cup, shop.near, safety_stock=0, own_safety_stock=0)
    assert repair_all().refused == {}


def test_a_node_day_is_counted_from_its_parcels_again(shop):
    NodeDay.objects.filter(node=shop.near).update(used=7)
    assert found() == {("node_day", "SH 2026-11-02"): (7, 2)}
    NodeDay.objects.filter(node=shop.near).update(used=0, capacity=1)
    assert refused(repair_all()) == {
        "SH 2026-11-02": "2 parcels are planned, the day takes 1. Raise the capacity or stop parcels."
    }
    NodeDay.objects.filter(node=shop.near).update(capacity=5)
    assert repair_all().done == ["SH 2026-11-02"]
    assert NodeDay.objects.get(node=shop.near).used == 2


def test_a_ledger_below_the_promises_is_not_made_the_balance(shop):
    company.stock(shop.lid, shop.far, 2)
    spoil(shop.lid, shop.far, on_hand=5, reserved=3)
    assert found() == {("on_hand", "LID@WH"): (5, 2), ("reserved", "LID@WH"): (3, 0)}
    assert refused(repair_all()) == {
        "LID@WH": ("2 on hand would not cover 3 reserved and 0 held. Stop parcels, decide on holds or count first.")
    }
    assert repair_all().done == ["LID@WH"]
    assert found() == {}


def test_no_repair_without_a_reason_and_none_twice(shop):
    spoil(shop.lid, shop.near, on_hand=13)
    found()
    with pytest.raises(RowsRefused, match="A reason is missing"):
        repair_all("  ")
    assert level(shop.lid, shop.near).on_hand == 13
    repair_all()
    row = StockDifference.objects.get()
    again = repair.repair([row.pk], reason="again", actor=TESTER, at=NOON)
    assert refused(again) == {"LID@SH": "It is in order already."}


def test_the_command_prints_figures_and_fails_on_any_difference(shop, capsys):
    call_command("verify")
    assert capsys.readouterr().out.splitlines()[:10] == [
        "on_hand_differences: 0",
        "reserved_differences: 0",
        "quality_hold_differences: 0",
        "lot_sums_differences: 0",
        "lot_rows_differences: 0",
        "share_differences: 0",
        "parcel_differences: 0",
        "node_day_differences: 0",
        "safety_stock_differences: 0",
        "movements: 3",
    ]
    spoil(shop.lid, shop.near, on_hand=13)
    with pytest.raises(SystemExit) as ended:
        call_command("verify")
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["on_hand_differences: 1", "  LID@SH: stored 13, derived 10"]
    spoil(shop.lid, shop.near, on_hand=10)


# -- safety stock --------------------------------------------------------------------------------


def publish(at=NOON, **columns):
    rule = SafetyRule(**({"name": "Buffer", "kind": "fixed", "amount": Decimal(2)} | columns))
    safety_rules.save_draft(rule, reason="peak", actor=TESTER, at=at)
    safety_rules.publish(rule.pk, reason="peak", actor=TESTER, at=at)


def later(minutes=21):
    found = verification.verify(at=NOON + timedelta(minutes=minutes)).found[DifferenceCheck.SAFETY]
    return {one.subject: (one.stored, one.derived) for one in found}


def test_safety_stock_that_no_rule_asks_for_is_told_and_repaired(shop):
    publish(sku=shop.cup)
    spoil(shop.cup, shop.near, safety_stock=9)
    spoil(shop.lid, shop.near, safety_stock=1)
    assert [later(0), later()] == [{"CUP@SH": (9, 2), "LID@SH": (1, 0)}] * 2
    assert sorted(repair_all().done) == ["CUP@SH", "LID@SH"]
    assert (level(shop.cup, shop.near).safety_stock, level(shop.lid, shop.near).safety_stock) == (2, 0)
    newest = SafetyChange.objects.order_by("-pk").values_list("before", "after", "actor")[:2]
    assert sorted(newest) == [(1, 0, "job:verify"), (9, 2, "job:verify")]
    assert later() == {}


def test_a_rule_that_begins_is_late_for_two_refreshes_and_wrong_after_that(shop):
    publish(sku=shop.lid, starts_at=NOON + timedelta(minutes=1))
    assert [later(1), later(21), later(22)] == [{}, {}, {"LID@SH": (0, 2)}]


def test_a_level_that_is_new_is_late_for_two_refreshes_and_wrong_after_that(shop):
    publish(sku=shop.lid, at=NOON - timedelta(days=1))
    company.stock(shop.lid, shop.far, 5)
    assert [later(20), later(21)] == [{}, {"LID@WH": (0, 2)}]


def test_a_figure_that_goes_with_stock_is_late_but_never_wrong(shop):
    publish(sku=shop.lid, kind="percent", amount=Decimal(10))
    receipt = Movement("R1", shop.lid.pk, shop.near.pk, MovementKind.RECEIPT, 90)
    movements.record([receipt], actor=TESTER, at=NOON)
    assert (level(shop.lid, shop.near).safety_stock, later(60)) == (1, {})
    spoil(shop.lid, shop.near, safety_stock=3)
    assert later(60) == {"LID@SH": (3, 10)}


# -- lots ------------------------------------------------------------------------------------------


def test_lots_that_do_not_add_up_are_told_and_repaired(shop):
    lot_repair.start(shop.cup.pk, reason="food", actor=TESTER, at=NOON)
    assert found() == {}
    LotLevel.objects.filter(node=shop.near).update(on_hand=F("on_hand") + 2, reserved=1)
    assert found() == {
        ("lot_sums", "on_hand CUP@SH"): (12, 10),
        ("lot_sums", "reserved CUP@SH"): (1, 4),
        ("lot_rows", "on_hand CUP/–@SH"): (12, 10),
        ("lot_rows", "reserved CUP/–@SH"): (1, 4),
    }
    assert sorted(repair_all().done) == ["on_hand CUP/–@SH", "on_hand CUP@SH", "reserved CUP/–@SH", "reserved CUP@SH"]
    assert found() == {}
    assert LotLevel.objects.values_list("on_hand", "reserved").get(node=shop.near) == (10, 4)
