"""Every change of what may be promised leaves a signal, in the transaction of the change; refused ones leave none."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from inventory.models import ChannelShare, SharePool, StockDifference, StockLevel, StockSignal
from inventory.services import levels, pools, quality, repair, reservations, safety, shares, signals
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup(db):
    """A SKU with ten units at one node, and no signal of it."""
    sku, node = company.sku("CUP"), company.node("SH")
    company.stock(sku, node, 10)
    StockSignal.objects.all().delete()
    return sku, node


def signalled() -> list[int]:
    return list(StockSignal.objects.order_by("pk").values_list("sku_id", flat=True))


def want(cup, key: str, units: int) -> reservations.Want:
    sku, node = cup
    return reservations.Want(key, key, sku.pk, node.pk, units)


def test_stock_that_comes_is_signalled_with_the_moment():
    sku, node = company.sku("CUP"), company.node("SH")
    before = timezone.now()
    company.stock(sku, node, 10)
    signal = StockSignal.objects.get()
    assert signal.sku_id == sku.pk
    assert before - timedelta(seconds=1) < signal.changed_at < timezone.now() + timedelta(seconds=1)


def test_a_reservation_in_one_statement_is_signalled(cup):
    reservations.reserve(reservations.Claim("k", (want(cup, "k", 2),)), at=NOON)
    assert signalled() == [cup[0].pk]


def test_one_statement_signals_a_sku_once_whatever_number_of_its_nodes_it_changes(cup):
    far = company.node("WH", "42")
    company.stock(cup[0], far, 5)
    StockSignal.objects.all().delete()
    keys = [(cup[0].pk, cup[1].pk), (cup[0].pk, far.pk)]
    with transaction.atomic():
        levels.apply_reserved(levels.lock_levels(keys), dict.fromkeys(keys, 1))
    assert signalled() == [cup[0].pk]


def test_what_is_refused_is_not_signalled(cup):
    with pytest.raises(reservations.NotReservable):
        reservations.reserve(reservations.Claim("k", (want(cup, "k", 11),)), at=NOON)
    assert signalled() == []


def test_a_change_that_meets_another_balance_leaves_nothing(cup):
    sku, node = cup
    key = (sku.pk, node.pk)
    with pytest.raises(levels.LevelsChanged, match="1 of 1 balances refused the change"), transaction.atomic():
        levels.apply_reserved(levels.lock_levels([key]), {key: 11})
    assert (signalled(), StockLevel.objects.get().reserved) == ([], 0)


def test_a_rolled_back_change_is_not_signalled(cup):
    with transaction.atomic():
        reservations.reserve(reservations.Claim("k", (want(cup, "k", 2),)), at=NOON)
        transaction.set_rollback(True)
    assert signalled() == []


def test_a_quality_hold_is_signalled(cup):
    sku, node = cup
    keep = quality.Keep("h", sku.pk, node.pk, 3, "recall", "wang", NOON + timedelta(days=1))
    assert quality.hold([keep], actor=TESTER, at=NOON) == 1
    assert signalled() == [sku.pk]


def test_other_safety_stock_is_signalled_and_the_same_again_is_not(cup):
    sku, node = cup
    assert safety.set_own({(sku.pk, node.pk): 4}, actor=TESTER, at=NOON) == 1
    assert signalled() == [sku.pk]
    assert safety.set_own({(sku.pk, node.pk): 4}, actor=TESTER, at=NOON) == 0
    assert signalled() == [sku.pk]


def test_a_repaired_balance_is_signalled(cup):
    sku, node = cup
    StockLevel.objects.update(on_hand=12)
    wrong = StockDifference.objects.create(
        check_name="on_hand", subject="CUP@SH", sku=sku, node=node, stored=12, derived=10, found_at=NOON
    )
    assert repair.settle_balance(wrong) == 10
    assert signalled() == [sku.pk]


def test_units_sold_ahead_from_a_share_are_signalled(cup):
    share = ChannelShare.objects.create(
        channel="JD", kind="exclusive", sku=cup[0], amount=5, created_at=NOON, created_by="T"
    )
    shares.publish(share, actor=TESTER, at=NOON)
    StockSignal.objects.all().delete()
    pools.add_promised({SharePool.objects.get().pk: 2})
    assert signalled() == [cup[0].pk]


def test_a_share_that_begins_and_ends_is_signalled(cup):
    share = ChannelShare.objects.create(
        channel="JD", kind="exclusive", sku=cup[0], amount=5, created_at=NOON, created_by="T"
    )
    shares.publish(share, actor=TESTER, at=NOON)
    assert signalled() == [cup[0].pk]
    assert shares.refresh(at=NOON) == shares.Refreshed(0, 0, 0)
    assert signalled() == [cup[0].pk]
    shares.retire(share, actor=TESTER, at=NOON)
    assert signalled() == [cup[0].pk] * 2


def test_signals_for_no_sku_write_nothing(cup, django_assert_num_queries):
    with django_assert_num_queries(0):
        signals.raise_for([])
    signals.raise_for([cup[0].pk, cup[0].pk])
    assert signalled() == [cup[0].pk]
