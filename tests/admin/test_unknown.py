"""“Which SKU is this?” at the desk: from the case, the hold or the order to all waiting orders going on."""

import pytest
from django.urls import reverse

from audit.models import Case
from channels.models import Listing
from orders.models import Order
from tests import small_company as company

pytestmark = pytest.mark.django_db
URL = "/admin/orders/hold/which/?order=JD-1"


def text(answer) -> str:
    return answer.content.decode()


def test_the_case_the_hold_and_the_order_lead_there(desk, sell):
    sell({"1": {"GHOST": 1}})
    assert Case.objects.get().subject_url == URL
    assert URL in text(desk.get("/admin/orders/hold/"))
    assert URL in text(desk.get(reverse("admin:orders_order_change", args=[Order.objects.get().pk])))


def test_the_page_shows_the_code_and_what_it_may_be(desk, sell):
    company.sku("GHOST WRITER")
    sell({"1": {"GHOST": 1}, "2": {"GHOST": 2}})
    shown = text(desk.get(URL))
    assert "¥10.00" in shown
    assert "<dd>2</dd>" in shown
    assert 'value="GHOST WRITER"' in shown
    assert "Similar name" in shown


def test_saying_it_lets_all_orders_go_on(desk, sell):
    sell({"1": {"GHOST": 1}, "2": {"GHOST": 2}})
    shown = text(desk.post(URL, {"code": "GHOST", "sku": "CUP"}, follow=True))
    assert "GHOST is CUP from now on. 2 orders went on." in shown
    assert "Every code of this order is known." in shown
    assert set(Order.objects.values_list("status", flat=True)) == {"released"}
    again = text(desk.post(URL, {"code": "GHOST", "sku": "CUP"}, follow=True))
    assert "This order does not wait for that code any more." in again


@pytest.mark.parametrize(("sku", "why"), [("NOPE", "There is no such SKU: NOPE"), ("", "There is no such SKU: –")])
def test_a_wrong_sku_is_said_and_nothing_changes(desk, sell, sku, why):
    sell({"1": {"GHOST": 1}})
    assert why in text(desk.post(URL, {"code": "GHOST", "sku": sku}, follow=True))
    assert (Listing.objects.count(), Order.objects.get().status) == (0, "on_hold")


@pytest.mark.parametrize(
    ("permissions", "look", "say"),
    [
        ((), 403, 403),
        (("orders.view_order",), 200, 403),
        (("orders.view_order", "orders.change_order"), 200, 403),
        (("orders.view_order", "channels.add_listing"), 200, 403),
        (("orders.view_order", "orders.change_order", "channels.add_listing"), 200, 302),
    ],
)
def test_who_may_say_it(sell, clerk, permissions, look, say):
    sell({"1": {"GHOST": 1}})
    browser = clerk(*permissions)
    assert browser.get(URL).status_code == look
    assert browser.post(URL, {"code": "GHOST", "sku": "CUP"}).status_code == say
    assert Listing.objects.count() == (say == 302)


def test_an_order_that_is_not_there_is_not_found(desk):
    assert desk.get("/admin/orders/hold/which/?order=JD-404").status_code == 404
    assert desk.get("/admin/orders/hold/which/").status_code == 404
