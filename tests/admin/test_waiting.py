"""Who waits for a delivery, on its own page: in the order of the queue, bounded, with a way to all of them."""

from datetime import date

import pytest
from django.urls import reverse

from inventory.models import ExpectedReceipt, Transfer
from inventory.services import receipts, transfers
from tests.admin.test_counts import count
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(shop, sell):
    """Twenty cups are there and six come on 5 November; order 1 lacks five, order 2 three."""
    row = ExpectedReceipt(number="PO-1", node=shop[3], due_date=date(2026, 11, 5))
    receipts.expect(row, units={shop[1].pk: 6}, actor=TESTER, at=NOON)
    sell({"1": {"CUP": 25}})
    sell({"2": {"CUP": 3}})
    return row


def page(row):
    return reverse(f"admin:inventory_{row._meta.model_name}_change", args=[row.pk])


def tables(desk, row):
    return {str(table.title): table for table in desk.get(page(row)).context["tables"]}


def test_an_expected_receipt_lists_who_waits_for_it(desk, waiting):
    table = tables(desk, waiting)["Who waits for this"]
    assert [(row[1], row[3]) for row in table.rows] == [("CUP", '<span class="nowrap">2026-11-05</span>')] * 2
    numbers = ("JD-1", "JD-2")
    assert all(f'?q={number}"' in row[0] for row, number in zip(table.rows, numbers, strict=True))
    assert [str(row[2]).split("<")[-2].split(">")[1] for row in table.rows] == ["5", "1"]
    assert 'href="/admin/orders/order/?supply=PO-1"' in table.hint
    assert "All orders that wait for it" in table.hint


def test_a_transfer_lists_who_waits_for_it(desk, shop, sell):
    _channel, cup, _lid, near, far = shop
    row = Transfer(number="T1", source=far, destination=near, arrives_date=date(2026, 11, 9))
    transfers.draft(row, units={cup.pk: 4}, actor=TESTER, at=NOON)
    assert "Who waits for this" not in tables(desk, row)
    transfers.send([row.pk], actor=TESTER, at=NOON)
    sell({"1": {"CUP": 18}})
    table = tables(desk, row)["Who waits for this"]
    assert [(row[1], row[3]) for row in table.rows] == [("CUP", '<span class="nowrap">2026-11-09</span>')]
    assert 'href="/admin/orders/order/?supply=T1"' in table.hint


def test_the_list_is_bounded_and_says_so(desk, waiting, sell, monkeypatch):
    monkeypatch.setattr("inventory.admin.waiting.MOST_SHOWN", 1)
    table = tables(desk, waiting)["Who waits for this"]
    assert (len(table.rows), "The first 1 are here. All orders that wait for it" in table.hint) == (1, True)


def test_more_who_wait_cost_no_more_queries(desk, waiting, sell):
    desk.get(page(waiting))
    before = count(desk, page(waiting))
    sell({"3": {"CUP": 1}, "4": {"CUP": 1}, "5": {"CUP": 1}})
    assert count(desk, page(waiting)) == before
