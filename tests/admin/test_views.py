"""Saved views, searching, filters, masked data, history with reasons, credentials that never come out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from audit.admin.filters import day_start
from audit.models import SavedView
from channels.admin.inbox import pretty
from channels.models import InboundMessage
from channels.services import credentials
from inventory.models import Node
from orders.admin import explanations, search
from orders.models import Fulfillment, Order, ParcelScan, Refund
from orders.services import holds
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
ORDERS = "/admin/orders/order/"


def numbers(browser, query: str) -> list[str]:
    """Return the order numbers that the list shows."""
    answer = browser.get(f"{ORDERS}?{query}")
    assert answer.status_code == 200
    return sorted(order.number for order in answer.context["cl"].result_list)


# -- saved views ----------------------------------------------------------------------------------
def test_a_view_is_saved_shown_and_deleted(desk, boss):
    answer = desk.post(f"{ORDERS}views/save/", {"name": "Mine", "query": "p=3&status=on_hold&e=1"})
    assert answer.url == f"{ORDERS}?status=on_hold"
    view = SavedView.objects.get()
    assert (view.owner, view.list_label, view.query, view.is_shared) == (boss, "orders.order", "status=on_hold", False)
    assert ">Mine" in desk.get(answer.url).content.decode()
    desk.post(f"{ORDERS}views/{view.pk}/delete/")
    assert SavedView.objects.count() == 0


def test_the_same_name_again_replaces_the_filters(desk):
    for query in ("status=on_hold", "status=released"):
        desk.post(f"{ORDERS}views/save/", {"name": "Mine", "query": query, "is_shared": "on"})
    view = SavedView.objects.get()
    assert (view.query, view.is_shared) == ("status=released", True)


def test_a_view_of_somebody_else_is_seen_only_when_shared_and_never_deleted(desk, clerk):
    desk.post(f"{ORDERS}views/save/", {"name": "Secret", "query": "status=on_hold"})
    desk.post(f"{ORDERS}views/save/", {"name": "Everybody", "query": "status=released", "is_shared": "on"})
    other = clerk("orders.view_order")
    page = other.get(ORDERS).content.decode()
    assert (">Secret" in page, ">Everybody" in page) == (False, True)
    shared = SavedView.objects.get(name="Everybody")
    assert other.post(f"{ORDERS}views/{shared.pk}/delete/").status_code == 403
    assert SavedView.objects.count() == 2


def test_sharing_needs_the_permission_and_saving_needs_the_list(clerk):
    reader, stranger = clerk("orders.view_order"), clerk("inventory.view_node")
    reader.post(f"{ORDERS}views/save/", {"name": "Mine", "query": "", "is_shared": "on"})
    assert SavedView.objects.get().is_shared is False
    assert stranger.post(f"{ORDERS}views/save/", {"name": "Mine", "query": ""}).status_code == 403
    assert stranger.get(f"{ORDERS}views/save/").status_code in (403, 405)
    assert SavedView.objects.count() == 1


# -- finding orders -------------------------------------------------------------------------------
@pytest.fixture
def five(desk, sell, shop):
    """Five orders: released, on hold for its SKU, backordered, unpaid, and one from the other node."""
    sell({"1001": {"CUP": 2}, "1002": {"GHOST": 1}, "1003": {"CUP": 50}, "2005": {"LID": 1}})
    sell({"1004": {"LID": 1}}, paid_at=None)
    Fulfillment.objects.filter(order__number="JD-1001").update(tracking_number="SF777", carrier_code="SF")
    Order.objects.filter(number="JD-2005").update(recipient_phone="13900000000", total_amount=Decimal(700))
    return desk


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("JD-1001", ["JD-1001"]),
        ("JD-100", ["JD-1001", "JD-1002", "JD-1003", "JD-1004"]),
        ("2005", ["JD-2005"]),
        ("SF777", ["JD-1001"]),
        ("13900000000", ["JD-2005"]),
        ("JD-1001, 1002;JD-2005\nnobody", ["JD-1001", "JD-1002", "JD-2005"]),
        ("1001\r\n1003", ["JD-1001", "JD-1003"]),
        ("nothing", []),
        ("JD", []),
        ("%", []),
    ],
    ids=["whole", "prefix", "channel's", "tracking", "phone", "pasted", "lines", "none", "too short", "wildcard"],
)
def test_search(five, typed, found):
    answer = five.get(ORDERS, {"q": typed})
    assert sorted(order.number for order in answer.context["cl"].result_list) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=on_hold", ["JD-1002"]),
        ("money=unpaid", ["JD-1004"]),
        ("region=31&status=released", ["JD-1001", "JD-2005"]),
        ("region=44", []),
        ("hold=unknown_sku", ["JD-1002"]),
        ("hold=manual", []),
        ("stock=short", ["JD-1003"]),
        ("total_amount_from=700", ["JD-2005"]),
        ("total_amount_from=15&total_amount_to=25", ["JD-1001"]),
        ("total_amount_from=abc", ["JD-1001", "JD-1002", "JD-1003", "JD-1004", "JD-2005"]),
        ("placed_at_from=2026-11-02&placed_at_to=2026-11-02&status=on_hold", ["JD-1002"]),
        ("placed_at_to=2026-11-01", []),
        ("status=nonsense", ["JD-1001", "JD-1002", "JD-1003", "JD-1004", "JD-2005"]),
    ],
)
def test_filters(five, query, found):
    assert numbers(five, query) == found


def test_the_node_filter_looks_at_live_parcels_only(five):
    near, far = Node.objects.get(code="SH"), Node.objects.get(code="WH")
    assert numbers(five, f"node={far.pk}") == ["JD-1003"]
    Fulfillment.objects.filter(order__number="JD-1001").update(status="cancelled")
    assert numbers(five, f"node={near.pk}") == ["JD-1003", "JD-1004", "JD-2005"]


def test_the_deadline_filter_knows_local_days_and_open_orders(five):
    now, midnight = timezone.now(), day_start(timezone.localdate() + timedelta(days=1))
    Order.objects.update(ship_by=None)
    Order.objects.filter(number="JD-1001").update(ship_by=now - timedelta(minutes=1))
    Order.objects.filter(number="JD-2005").update(ship_by=midnight)
    assert numbers(five, "deadline=late") == ["JD-1001"]
    assert numbers(five, "deadline=tomorrow") == ["JD-2005"]
    Order.objects.filter(number="JD-2005").update(ship_by=midnight - timedelta(seconds=1))
    assert "JD-2005" in numbers(five, "deadline=today")
    Order.objects.filter(number="JD-2005").update(status="delivered")
    assert "JD-2005" not in numbers(five, "deadline=today")


def test_words_are_cut_at_every_usual_separator():
    assert search.words_of(" a,b;c\n d，e、a ") == ["a", "b", "c", "d", "e"]


# -- what people may see --------------------------------------------------------------------------
def test_personal_data_is_masked_without_the_permission(clerk, sell):
    sell({"1": {"CUP": 1}})
    url = f"{ORDERS}{Order.objects.get().pk}/change/"
    page = clerk("orders.view_order").get(url).content.decode()
    assert ("1 Test Road" in page, "13812345678" in page, "****5678" in page, "W**" in page) == (
        False,
        False,
        True,
        True,
    )
    page = clerk("orders.view_order", "orders.view_order_personal").get(url).content.decode()
    assert ("1 Test Road" in page, "13812345678" in page) == (True, True)


def test_every_list_is_closed_to_those_without_permission(clerk):
    nobody = clerk()
    for page in ("orders/order", "inventory/node", "channels/channel", "audit/case", "auth/user"):
        assert nobody.get(f"/admin/{page}/").status_code == 403
    assert nobody.get("/admin/").status_code == 200


def test_a_grant_on_one_node_opens_that_node_only(clerk, shop):
    near, far = shop[3], shop[4]
    keeper = clerk()
    user = User.objects.get(username__startswith="clerk")
    assign_perm("inventory.change_node", user, near)
    listing = keeper.get("/admin/inventory/node/")
    assert [node.code for node in listing.context["cl"].result_list] == ["SH"]
    assert keeper.get(f"/admin/inventory/node/{near.pk}/change/").status_code == 200
    assert keeper.get(f"/admin/inventory/node/{far.pk}/change/").status_code == 302
    assert keeper.get(f"/admin/inventory/node/{near.pk}/permissions/").status_code == 403


def test_only_a_superuser_hands_out_powers(clerk, boss):
    helper = clerk("auth.view_user", "auth.change_user")
    user = User.objects.get(username__startswith="clerk")
    helper.post(f"/admin/auth/user/{user.pk}/change/", {"username": user.username, "is_superuser": "on"})
    user.refresh_from_db()
    assert user.is_superuser is False
    assert helper.post(f"/admin/auth/user/{boss.pk}/password/", {"password1": "x", "password2": "x"}).status_code == 403


# -- editing --------------------------------------------------------------------------------------
def test_an_edit_asks_why_and_keeps_the_answer(desk, shop):
    node = shop[3]
    url = reverse("admin:inventory_node_change", args=[node.pk])
    data = {"code": "SH", "kind": "central_dc", "name": "SH", "name_en": "", "is_active": "on", "region": "31",
            "city": "Shanghai", "latitude": "31.23", "longitude": "121.47", "parcels_per_day": "5",
            "pick_cost": "3.00"}  # fmt: skip
    assert desk.post(url, data).status_code == 200
    node.refresh_from_db()
    assert node.parcels_per_day == 1000
    assert desk.post(url, data | {"change_reason": "Two people are ill"}).status_code == 302
    node.refresh_from_db()
    entry = node.history.latest()
    assert (node.parcels_per_day, entry.history_change_reason) == (5, "person:boss: Two people are ill")
    assert "Two people are ill" in desk.get(reverse("admin:inventory_node_history", args=[node.pk])).content.decode()


def test_credentials_go_in_and_never_come_out(desk, shop):
    channel = shop[0]
    credentials.keep(channel, {"secret": "hush-hush"})
    url = reverse("admin:channels_channel_change", args=[channel.pk])
    assert b"hush-hush" not in desk.get(url).content
    data = {"code": "JD", "platform": "jd", "name": "JD", "name_en": "", "is_active": "on", "adapter": "house",
            "currency": "CNY", "base_url": "", "options": "{}", "unpaid_minutes": "30", "ship_within_hours": "48",
            "fee_percent": "0", "calls_at_once": "2", "priority": "0", "change_reason": "New shop key"}  # fmt: skip
    assert desk.post(url, data | {"new_credentials": ""}).status_code == 302
    channel.refresh_from_db()
    assert credentials.opened(channel) == {"secret": "hush-hush"}
    assert desk.post(url, data | {"new_credentials": '{"secret": "new"}'}).status_code == 302
    channel.refresh_from_db()
    assert credentials.opened(channel) == {"secret": "new"}
    refused = desk.post(url, data | {"new_credentials": '["new-list"]'})
    assert b"Credentials are an object" in refused.content


def test_what_machines_write_cannot_be_edited(desk, sell):
    sell({"1": {"CUP": 1}})
    order = Order.objects.get()
    assert desk.post(f"{ORDERS}{order.pk}/change/", {"status": "delivered"}).status_code == 403
    assert desk.post(f"{ORDERS}{order.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get(f"{ORDERS}add/").status_code == 403
    order.refresh_from_db()
    assert order.status == "released"


# -- pages ----------------------------------------------------------------------------------------
def test_the_order_page_tells_the_whole_story(desk, sell, shop):
    sell({"1": {"CUP": 2, "LID": 1}})
    holds.place([Order.objects.get().pk], reason="Call the buyer", actor=TESTER, at=NOON)
    page = desk.get(f"{ORDERS}{Order.objects.get().pk}/change/").content.decode()
    for words in (
        "SH sends all: 3 units (0 km, ¥8.00), there from 2026-11-03 to 2026-11-03.",
        "The cost of ¥8.00 is freight ¥5.00, picking ¥3.00.",
        ">balanced/0</a></dd>",
        "<dt>Arrives</dt><dd>2026-11-03</dd>",
        'title="freight ¥5.00"',
        "Runner-up SH, WH: ¥22.75, ¥14.75 more.",
        "Call the buyer",
        "JD-1-1",
        "Received from the channel",
        "Message from the channel",
        "Lift hold",
    ):
        assert words in page, words
    assert page.index("Received from the channel") < page.index("Released to the node") < page.index("Put on hold")


def test_the_order_page_shows_refunds_and_where_its_parcels_were_seen(desk, sell):
    sell({"1": {"CUP": 2}})
    order, hour = Order.objects.get(), timedelta(hours=1)
    refund = Refund.objects.create(
        order=order, external_id="R7", status="agreed", amount="12.50", received_at=NOON, reason="Too small",
        lines=[{"line": "1", "quantity": 1}], goods_come_back=True,
    )  # fmt: skip
    ParcelScan.objects.bulk_create(
        ParcelScan(fulfillment=order.fulfillments.get(), scanned_at=NOON + number * hour, state=state, text=text,
                   place="Wuhan", told_at=NOON)
        for number, (state, text) in enumerate([("collected", "First"), ("trouble", "Last")])
    )  # fmt: skip
    page = desk.get(f"{ORDERS}{order.pk}/change/").content.decode()
    for words in (f"/admin/orders/refund/{refund.pk}/change/", "R7", "¥12.50", "Agreed", "Too small", "goods come back",
                  "On its way", "Collected", "Trouble", "Wuhan"):  # fmt: skip
        assert words in page, words
    assert page.index("Last") < page.index("First")
    assert "The newest 50 scans." not in page


def test_the_order_page_shows_fifty_scans_at_most_and_says_so(desk, sell):
    sell({"1": {"CUP": 2}})
    [parcel] = Order.objects.get().fulfillments.all()
    ParcelScan.objects.bulk_create(
        ParcelScan(fulfillment=parcel, scanned_at=NOON, state="underway", text=f"stop {number:02}.", told_at=NOON)
        for number in range(51)
    )
    page = desk.get(f"{ORDERS}{parcel.order_id}/change/").content.decode()
    assert (page.count("stop "), "stop 00." in page, "The newest 50 scans." in page) == (50, False, True)


def test_a_split_and_a_shortage_are_explained():
    told = {"parcels": [["SH", 0, 3.0, 10], ["WH", 687.1, 5.75, 2]], "missing": [[1, 1, 4]], "able": [],
            "short": [["SH", 0, 6], ["GZ", 1200, 16]], "full": ["X"], "not_serving": [], "inactive": []}  # fmt: skip
    assert explanations.sentences(told) == [
        "No single node has everything: SH sends 10 units (0 km, ¥3.00), WH sends 2 units (687 km, ¥5.75).",
        "4 units cannot be sent by any node now.",
        "Runner-up GZ: 1200 km, lacks 16 units.",
    ]
    assert [(one.code, one.is_chosen, one.lacks) for one in explanations.candidates(told)] == [
        ("SH", True, 0), ("WH", True, 0), ("GZ", False, 16), ("X", False, 0),
    ]  # fmt: skip


def test_a_payload_is_readable_whatever_it_is(desk, shop):
    assert pretty(b'{"a": "\xe4\xb8\xad"}') == '{\n  "a": "中"\n}'
    assert pretty(b"a,b") == "a,b"
    assert pretty(b"\xff\x00") == "ff 00"
    row = InboundMessage.objects.create(channel=shop[0], external_id="9", payload=b"<script>alert(1)</script>",
                                        received_at=NOON)  # fmt: skip
    page = desk.get(reverse("admin:channels_inboundmessage_change", args=[row.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_empty_list_says_what_to_do(desk):
    assert "No orders yet." in desk.get(ORDERS).content.decode()
    assert "Nothing matches these filters." in desk.get(f"{ORDERS}?status=on_hold").content.decode()


def test_the_figures_of_stock_lead_to_their_rows(desk, sell, shop):
    sell({"1": {"CUP": 2}})
    cup, near = shop[1], shop[3]
    moved = desk.get(f"/admin/inventory/stockmovement/?sku={cup.pk}&node={near.pk}").context["cl"].result_list
    held = (
        desk.get(f"/admin/inventory/reservation/?sku={cup.pk}&node={near.pk}&status=active").context["cl"].result_list
    )
    assert ([row.quantity for row in moved], [row.quantity for row in held]) == ([10], [2])
    low = desk.get("/admin/inventory/stocklevel/?stock=zero").context["cl"].result_list
    assert low == []
