"""What people do with stock at the desk: each deed is one verb, and only for those who may."""

import pytest
from django.urls import reverse

from inventory.models import QualityHold, StockDifference, StockImport, StockLevel, Transfer
from inventory.services import quality, stock_import, transfers
from orders.services import verification
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def do(browser, row, verb, **told):
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_verb"
    return browser.post(f"{reverse(name, args=[verb])}?ids={row.pk}&next=/admin/", {"go": "1"} | told)


@pytest.fixture
def transfer(shop):
    _channel, cup, _lid, near, far = shop
    row = Transfer(number="T1", source=near, destination=far)
    return transfers.draft(row, units={cup.pk: 3}, actor=TESTER, at=NOON)


def on_hand(sku, node):
    return StockLevel.objects.get(sku=sku, node=node).on_hand


def test_a_transfer_is_sent_and_received_from_its_page(desk, shop, transfer):
    _channel, cup, _lid, near, far = shop
    do(desk, transfer, "send")
    assert (on_hand(cup, near), on_hand(cup, far)) == (7, 10)
    do(desk, transfer, "receive")
    transfer.refresh_from_db()
    assert (on_hand(cup, far), transfer.status) == (13, "received")


def test_a_transfer_that_never_comes_is_given_up_with_a_reason(desk, transfer):
    do(desk, transfer, "send")
    assert do(desk, transfer, "give-up").status_code == 200  # asks again: no reason
    do(desk, transfer, "give-up", reason="short", note="truck")
    transfer.refresh_from_db()
    assert (transfer.status, transfer.note) == ("received", "person:boss: short: truck")


def test_nobody_without_permission_moves_stock(clerk, shop, transfer):
    browser = clerk("inventory.view_transfer")
    assert do(browser, transfer, "send").status_code == 403
    assert on_hand(shop[1], shop[3]) == 10


def test_a_hold_is_decided_from_its_page(desk, shop):
    from_now = NOON.replace(year=2999)
    keep = quality.Keep("Q", shop[1].pk, shop[3].pk, 4, "suspected", "li", from_now)
    quality.place([keep], actor=TESTER, at=NOON)
    do(desk, QualityHold.objects.get(), "decide", released=1, scrapped=2)
    level = StockLevel.objects.get(sku=shop[1], node=shop[3])
    assert (level.on_hand, level.quality_hold) == (8, 1)


def test_an_import_is_taken_back_from_its_page(desk, shop):
    rows = iter([("sku", "node", "on_hand"), ("CUP", "SH", "4")])
    stock_import.take_in(rows, file_name="a.csv", actor=TESTER, at=NOON)
    assert on_hand(shop[1], shop[3]) == 4
    do(desk, StockImport.objects.get(), "undo")
    assert (on_hand(shop[1], shop[3]), StockImport.objects.get().status) == (10, "undone")


def test_a_difference_is_repaired_with_a_reason_only(desk, shop):
    StockLevel.objects.filter(sku=shop[1], node=shop[3]).update(on_hand=12)
    verification.verify(at=NOON)
    row = StockDifference.objects.get()
    do(desk, row, "repair")
    assert on_hand(shop[1], shop[3]) == 12
    do(desk, row, "repair", reason="restored from a copy")
    row.refresh_from_db()
    assert (on_hand(shop[1], shop[3]), row.status, row.closed_by, row.reason) == (
        10, "repaired", "person:boss", "restored from a copy",
    )  # fmt: skip
