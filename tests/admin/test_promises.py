"""What orders wait for, at the desk: on the order's page, in the list's filters, and in both languages."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from inventory.models import ExpectedReceipt
from inventory.services import receipts
from orders.models import Order
from tests.admin.test_counts import count
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def expect(number, shop, due_date, units):
    row = ExpectedReceipt(number=number, node=shop[3], due_date=due_date)
    return receipts.expect(row, units={shop[1].pk: units}, actor=TESTER, at=NOON)


def read(desk, url):
    response = desk.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def page(number):
    return reverse("admin:orders_order_change", args=[Order.objects.get(external_id=number).pk])


def listed(desk, query):
    response = desk.get(f"/admin/orders/order/?{query}")
    return sorted(order.external_id for order in response.context["cl"].result_list)


@pytest.fixture
def waiting(shop, sell):
    """Order 1 waits for PO-1, order 2 for PO-1 and goods that nobody has announced, order 3 for nothing."""
    order = expect("PO-1", shop, date(2026, 11, 5), 6)
    sell({"1": {"CUP": 25}}, ship_by=(NOON + timedelta(days=1)).isoformat())
    sell({"2": {"CUP": 3}}, ship_by=(NOON + timedelta(days=9)).isoformat())
    sell({"3": {"LID": 1}})
    return order


def test_the_order_page_names_day_and_document_of_each_line(desk, waiting):
    text = read(desk, page("1"))
    assert "5 expected on 2026-11-05" in text
    assert f'<a class="more" href="/admin/inventory/expectedreceipt/{waiting.pk}/change/">PO-1</a>' in text
    assert "<dt>Stock expected</dt><dd>2026-11-05</dd>" in text
    assert "5 units are expected on 2026-11-05 with PO-1." in text


def test_units_without_a_date_are_shown_as_such(desk, waiting):
    text = read(desk, page("2"))
    assert "1 expected on 2026-11-05" in text
    assert "2 missing, no date" in text
    assert "Stock expected" not in text


def test_the_page_of_a_short_order_asks_once_more_than_others(desk, waiting):
    for number in "13":
        desk.get(page(number))
    assert [count(desk, page(number)) for number in "13"] == [18, 17]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("promise=late", ["1"], id="after the deadline"),
        pytest.param("promise=none", ["2"], id="without a date"),
        pytest.param("promise=nonsense", ["1", "2", "3"], id="unknown word"),
        pytest.param("supply=PO-1", ["1", "2"], id="of one document"),
        pytest.param("supply=PO-9", [], id="of an unknown document"),
    ],
)
def test_orders_are_narrowed_down_by_what_they_wait_for(desk, waiting, query, found):
    assert listed(desk, query) == found


def test_the_day_of_the_deadline_itself_is_in_time(desk, shop, sell):
    expect("PO-1", shop, date(2026, 11, 5), 6)
    late_evening = "2026-11-05T23:30:00+08:00"
    sell({"1": {"CUP": 25}}, ship_by=late_evening)
    assert listed(desk, "promise=late") == []
