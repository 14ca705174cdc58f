"""Each button calls its verb, the row changes, the answer is said; and nobody without the permission gets that far."""

from urllib.parse import urlsplit

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from audit.models import Case
from channels.models import InboundMessage, OutboundMessage
from inventory.models import Reservation, StockLevel
from orders.models import Fulfillment, Hold, Order
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


def act(browser, page: str, verb: str, rows, told=None):
    """Tick rows in a list, choose the verb, and fill in its form when it asks."""
    url = reverse(f"admin:{page}_changelist")
    answer = browser.post(url, {"action": verb, "_selected_action": [row.pk for row in rows], "index": "0"})
    assert answer.status_code == 302
    if told is not None:
        assert urlsplit(answer.url).path == reverse(f"admin:{page}_verb", args=[verb])
        assert browser.get(answer.url).status_code == 200
        answer = browser.post(answer.url, told)
        assert answer.status_code == 302
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    browser.get(url)  # the next page shows the messages and forgets them
    return said


def test_hold_and_lift_an_order(desk, sell):
    sell({"1": {"CUP": 1}})
    order = Order.objects.get()
    assert act(desk, "orders_order", "hold", [order], {"reason": "Call the buyer"}) == ["1 orders are on hold now."]
    order.refresh_from_db()
    hold = Hold.objects.get()
    assert (order.status, hold.kind, hold.opened_by) == ("on_hold", "manual", "person:boss")
    assert hold.reason["values"] == {"reason": "Call the buyer"}

    assert act(desk, "orders_order", "lift", [order]) == ["The hold of 1 orders is lifted."]
    order.refresh_from_db()
    hold.refresh_from_db()
    assert (order.status, hold.lifted_by) == ("released", "person:boss")


def test_cancel_says_which_orders_it_refused_and_why(desk, sell):
    sell({"1": {"CUP": 1}, "2": {"CUP": 11}, "3": {"GHOST": 1}})
    orders = list(Order.objects.order_by("pk"))
    said = act(desk, "orders_order", "cancel", orders, {"reason": "Wrong size"})
    assert said[0] == "1 orders are cancelled."
    assert "<b>JD-1</b>: A node already has the parcel: stop it there first." in said[1]
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == ["released", "released", "cancelled"]
    assert Order.objects.get(number="JD-3").cancel_reason == "Wrong size"


def test_a_reason_is_asked_for(desk, sell):
    sell({"1": {"CUP": 1}})
    order = Order.objects.get()
    url = reverse("admin:orders_order_verb", args=["hold"]) + f"?ids={order.pk}"
    answer = desk.post(url, {"reason": " "})
    assert answer.status_code == 200
    assert b"This field is required." in answer.content
    assert Hold.objects.count() == 0


def test_try_again_takes_an_order_on_and_tells_which_still_wait(desk, sell, shop):
    sell({"1": {"GHOST": 1}, "2": {"OTHER": 1}})
    ghost = company.sku("GHOST")
    company.stock(ghost, shop[3], 5)
    said = act(desk, "orders_order", "try_again", list(Order.objects.all()))
    assert said[0] == "1 orders went on."
    assert "<b>JD-2</b>: Its cause is still there." in said[1]
    assert list(Order.objects.order_by("number").values_list("status", flat=True)) == ["released", "on_hold"]


def test_held_orders_can_be_tried_again_from_their_list(desk, sell, shop):
    sell({"1": {"GHOST": 1}})
    company.stock(company.sku("GHOST"), shop[3], 5)
    assert act(desk, "orders_hold", "try_again", list(Hold.objects.all())) == ["1 orders went on."]
    assert Order.objects.get().status == "released"


def test_a_parcel_goes_from_picking_to_the_buyer(desk, sell, shop):
    sell({"1": {"CUP": 2}})
    parcel = Fulfillment.objects.get()
    page = "orders_fulfillment"
    assert act(desk, page, "pick", [parcel]) == ["Picking of 1 parcels has begun."]
    assert act(desk, page, "pack", [parcel]) == ["1 parcels are packed."]
    told = {"carrier_code": "SF", f"tracking_{parcel.pk}": "SF1"}
    assert act(desk, page, "ship", [parcel], told) == ["1 parcels are shipped."]
    parcel.refresh_from_db()
    assert (parcel.status, parcel.carrier_code, parcel.tracking_number) == ("shipped", "SF", "SF1")
    assert StockLevel.objects.get(sku=shop[1], node=shop[3]).on_hand == 8
    assert act(desk, page, "deliver", [parcel]) == ["1 parcels are delivered."]
    assert Order.objects.get().status == "delivered"


def test_a_stopped_parcel_frees_its_stock(desk, sell):
    sell({"1": {"CUP": 2}})
    parcel = Fulfillment.objects.get()
    assert act(desk, "orders_fulfillment", "stop", [parcel], {"reason": "Torn"}) == ["1 parcels are stopped."]
    parcel.refresh_from_db()
    assert (parcel.status, Reservation.objects.get().status) == ("cancelled", "released")
    refused = act(desk, "orders_fulfillment", "pick", [parcel])
    assert len(refused) == 1
    assert "<b>JD-1-1</b>" in refused[0]


def test_a_parked_message_goes_through_again(desk, shop):
    parked = InboundMessage.objects.create(channel=shop[0], external_id="9", payload=b"{}", status="parked",
                                           received_at=NOON, attempts=5)  # fmt: skip
    done = InboundMessage.objects.create(
        channel=shop[0], external_id="8", payload=b"{}", status="done", received_at=NOON
    )
    said = act(desk, "channels_inboundmessage", "retry", [parked, done])
    assert said[0] == "1 messages go through again."
    assert "<b>8</b>: Only parked, rejected and waiting" in said[1]
    parked.refresh_from_db()
    assert (parked.status, parked.attempts) == ("received", 0)


def test_an_undelivered_message_is_sent_again(desk, shop):
    row = OutboundMessage.objects.create(channel=shop[0], lane="stock", kind="stock", key="k", subject="s", body={},
                                         status="needs_person", not_before=NOON, created_at=NOON)  # fmt: skip
    assert act(desk, "channels_outboundmessage", "replay", [row]) == ["1 messages are sent again."]
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_case_is_resolved_with_a_note(desk, sell):
    sell({"1": {"GHOST": 1}})
    case = Case.objects.get()
    said = act(desk, "audit_case", "resolve", [case], {"note": "Told the shop"})
    assert said == ["1 cases are resolved."]
    case.refresh_from_db()
    assert (case.status, case.resolved_by, case.resolution) == ("resolved", "person:boss", "Told the shop")


def test_a_verb_leads_back_to_where_it_was_chosen_but_never_elsewhere(desk, sell):
    sell({"1": {"CUP": 1}})
    order = Order.objects.get()
    url = reverse("admin:orders_order_verb", args=["hold"])
    here = f"/admin/orders/order/{order.pk}/change/"
    assert desk.post(f"{url}?ids={order.pk}&next={here}", {"reason": "x"}).url == here
    away = desk.post(f"{url}?ids={order.pk}&next=https://evil.example/", {"reason": "x"})
    assert away.url == reverse("admin:orders_order_changelist")


@pytest.mark.parametrize("page", ["orders_order", "orders_fulfillment", "orders_hold"])
def test_who_may_only_look_gets_no_verb(clerk, sell, page):
    sell({"1": {"CUP": 1}, "2": {"GHOST": 1}})
    looker = clerk("orders.view_order", "orders.view_fulfillment", "orders.view_hold")
    listing = looker.get(reverse(f"admin:{page}_changelist"))
    assert listing.status_code == 200
    assert b'name="action"' not in listing.content
    verb = {"orders_fulfillment": "pick"}.get(page, "try_again")
    row = {"orders_order": Order, "orders_fulfillment": Fulfillment, "orders_hold": Hold}[page].objects.first()
    before = (Order.objects.get(number="JD-1").status, Fulfillment.objects.get().status)
    assert looker.post(f"{reverse(f'admin:{page}_verb', args=[verb])}?ids={row.pk}").status_code == 403
    assert (Order.objects.get(number="JD-1").status, Fulfillment.objects.get().status) == before


def test_who_may_act_needs_no_other_power(clerk, sell):
    sell({"1": {"CUP": 1}})
    worker = clerk("orders.view_fulfillment", "orders.change_fulfillment")
    parcel = Fulfillment.objects.get()
    assert act(worker, "orders_fulfillment", "pick", [parcel]) == ["Picking of 1 parcels has begun."]
    assert worker.get(reverse("admin:orders_order_changelist")).status_code == 403


def test_acting_on_all_pages_at_once_is_refused(desk, sell):
    sell({"1": {"GHOST": 1}})
    url = reverse("admin:orders_order_changelist")
    data = {"action": "try_again", "_selected_action": [Order.objects.get().pk], "index": "0", "select_across": "1"}
    answer = desk.post(url, data)
    assert [str(m) for m in get_messages(answer.wsgi_request)] == [
        "Tick the rows of one page; acting on all pages at once is not offered."
    ]


def test_a_verb_without_rows_or_without_a_name_is_not_found(desk, sell):
    assert desk.get(reverse("admin:orders_order_verb", args=["hold"])).status_code == 404
    assert desk.get(reverse("admin:orders_order_verb", args=["explode"]) + "?ids=1").status_code == 404


def test_looking_at_a_verb_changes_nothing(desk, sell):
    sell({"1": {"CUP": 1}})
    parcel = Fulfillment.objects.get()
    desk.get(f"{reverse('admin:orders_fulfillment_verb', args=['pick'])}?ids={parcel.pk}")
    parcel.refresh_from_db()
    assert parcel.status == "released"
