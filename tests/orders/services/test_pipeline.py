"""The way of an ordinary order, and what happens to those that are not."""

from datetime import timedelta

import pytest

from audit.models import Case
from channels.models import InboundMessage
from inventory.models import NodeDay, Reservation, StockLevel
from orders.models import Order
from orders.services import backorders, pipeline
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


def drain() -> pipeline.Totals:
    return pipeline.drain(at=lambda: NOON)


@pytest.fixture
def shop():
    channel = company.channel()
    cup, lid = company.sku("CUP"), company.sku("LID")
    near, far = company.node("SH"), company.node("WH", "42")
    company.stock(cup, near, 10)
    company.stock(lid, near, 10)
    company.stock(cup, far, 10)
    return channel, cup, lid, near, far


def test_an_ordinary_order_becomes_a_released_parcel_at_the_nearest_node(shop):
    channel, cup, lid, near, _far = shop
    company.receive(channel, company.order_message("1", {"CUP": 2, "LID": 1}))

    assert drain() == pipeline.Totals(messages=1, parked=0, batches=1)

    order = Order.objects.get()
    assert (order.number, order.status, order.money_state, order.goods_state) == (
        "JD-1",
        "released",
        "paid",
        "released",
    )
    assert str(order.total_amount) == "30.00"
    parcel = order.fulfillments.get()
    assert (parcel.number, parcel.node, parcel.status) == ("JD-1-1", near, "released")
    assert list(parcel.lines.order_by("pk").values_list("sku", "quantity")) == [(cup.pk, 2), (lid.pk, 1)]
    assert list(order.lines.order_by("line_number").values_list("quantity_allocated", flat=True)) == [2, 1]
    assert StockLevel.objects.get(sku=cup, node=near).reserved == 2
    assert Reservation.objects.filter(reference="JD-1-1", status="active").count() == 2
    assert NodeDay.objects.get(node=near).used == 1
    assert list(order.events.order_by("pk").values_list("kind", flat=True)) == ["received", "allocated", "released"]
    message = InboundMessage.objects.get()
    assert (message.status, message.reason_code) == ("done", "")


def test_the_decision_keeps_every_candidate_with_its_verdict(shop):
    channel, cup, lid, *_ = shop
    company.node("GZ", "44", serves=["44"])
    company.node("OFF", "44", is_active=False)
    company.receive(channel, company.order_message("1", {"CUP": 2, "LID": 1}))
    drain()

    decision = Order.objects.get().routing.get()
    assert (decision.outcome, decision.policy, decision.group) == ("single", "balanced/0", "all")
    days = ["2026-11-03", "2026-11-03"]
    assert decision.explanation == {
        "group": "all",
        "passed_over": [],
        "split": 0.0,
        "parcels": [["SH", 0.0, 8.0, 3, "", *days, {"freight": 5.0, "pick": 3.0}, [[1, cup.pk, 2], [2, lid.pk, 1]]]],
        "missing": [],
        "candidates": [
            ["SH", "able", 0, 8.0, 0, {"freight": 5.0, "pick": 3.0}],
            ["WH", "short", 687, 10.75, 1, {"freight": 7.75, "pick": 3.0}],
        ],
        "closed": [["not_serving", {"region": "31"}, ["GZ"]], ["inactive", {}, ["OFF"]]],
        "second": [["SH", "WH"], 22.75, 0],
        "changes": [],
    }


def test_a_second_run_and_the_same_message_again_change_nothing(shop):
    channel, cup, _lid, near, _far = shop
    message = company.order_message("1", {"CUP": 2})
    company.receive(channel, message)
    drain()
    company.receive(channel, message)

    assert drain() == pipeline.Totals()

    assert Order.objects.count() == 1
    assert InboundMessage.objects.get().times_received == 2
    assert StockLevel.objects.get(sku=cup, node=near).reserved == 2


def test_an_order_is_split_only_when_no_node_has_everything(shop):
    channel, *_ = shop
    company.receive(channel, company.order_message("1", {"CUP": 12, "LID": 1}))
    drain()

    parcels = Order.objects.get().fulfillments.order_by("number")
    assert [(p.node.code, [line.quantity for line in p.lines.order_by("pk")]) for p in parcels] == [
        ("SH", [10, 1]),
        ("WH", [2]),
    ]


def test_what_is_missing_is_backordered_and_completed_when_stock_comes(shop):
    channel, cup, _lid, near, _far = shop
    company.receive(channel, company.order_message("1", {"CUP": 25}))
    drain()
    order = Order.objects.get()
    assert (order.status, order.lines.get().quantity_allocated) == ("backordered", 20)
    assert set(order.fulfillments.values_list("status", flat=True)) == {"planned"}
    assert backorders.retry(at=NOON) == 0

    company.stock(cup, near, 7)
    assert backorders.retry(at=NOON) == 1
    order.refresh_from_db()
    assert (order.status, order.lines.get().quantity_allocated) == ("released", 25)
    assert sum(Reservation.objects.filter(status="active").values_list("quantity", flat=True)) == 25


def test_a_bundle_reserves_its_parts(shop):
    channel, cup, lid, near, _far = shop
    company.sku("SET", parts={cup: 2, lid: 1})
    company.receive(channel, company.order_message("1", {"SET": 3}))
    drain()

    assert StockLevel.objects.get(sku=cup, node=near).reserved == 6
    assert StockLevel.objects.get(sku=lid, node=near).reserved == 3
    line = Order.objects.get().lines.get()
    assert (line.quantity, line.quantity_allocated) == (3, 3)


def test_an_unpaid_order_holds_stock_but_is_not_released_until_paid(shop):
    channel, cup, _lid, near, _far = shop
    unpaid = company.order_message("1", {"CUP": 2}, paid_at=None)
    company.receive(channel, unpaid)
    drain()
    order = Order.objects.get()
    assert (order.status, order.goods_state) == ("awaiting_payment", "allocated")
    assert order.reserved_until == NOON + timedelta(minutes=20)

    company.receive(channel, {"type": "change", "external_id": "1", "revision": 2, "paid_at": NOON.isoformat()})
    drain()
    order.refresh_from_db()
    assert (order.status, order.reserved_until, order.paid_at) == ("released", None, NOON)
    assert Reservation.objects.get().expires_at is None
    assert StockLevel.objects.get(sku=cup, node=near).reserved == 2


def test_an_unknown_sku_holds_the_order_and_opens_a_case(shop):
    channel, *_ = shop
    company.receive(channel, company.order_message("1", {"GHOST": 1}))
    drain()
    order = Order.objects.get()
    assert (order.status, order.open_holds) == ("on_hold", 1)
    assert Case.objects.get().kind == "unknown_sku"
    message = InboundMessage.objects.get()
    assert (message.status, message.reason_code) == ("done", "held_unknown_sku")


def test_one_poisoned_message_is_parked_and_the_others_go_through(shop, monkeypatch):
    channel, *_ = shop
    company.receive(channel, *(company.order_message(str(n), {"CUP": 1}) for n in range(1, 8)))
    real = pipeline.intake.facts.set_address

    def explode(order, address):
        if order.external_id == "5":
            raise RuntimeError("boom")
        real(order, address)

    monkeypatch.setattr(pipeline.intake.facts, "set_address", explode)
    assert drain() == pipeline.Totals(messages=7, parked=1, batches=1)

    assert Order.objects.filter(status="released").count() == 6
    parked = InboundMessage.objects.get(status="parked")
    assert (parked.external_id, parked.attempts, parked.reason_code) == ("5", 5, "poisoned")


def test_a_change_before_its_order_waits_for_it(shop):
    channel, *_ = shop
    cancel = {"type": "change", "external_id": "1", "revision": 2, "cancelled_at": NOON.isoformat()}
    company.receive(channel, cancel)
    drain()
    assert InboundMessage.objects.get().status == "waiting"
    company.receive(channel, company.order_message("1", {"CUP": 1}))
    drain()
    assert Order.objects.get().status == "cancelled"
    assert set(InboundMessage.objects.values_list("status", flat=True)) == {"done"}
    assert Reservation.objects.count() == 0


def test_goods_that_left_by_other_hands_are_never_sent_twice(shop):
    channel, cup, _lid, near, _far = shop
    company.receive(channel, company.order_message("1", {"CUP": 1}, shipped_at=NOON.isoformat()))
    drain()
    order = Order.objects.get()
    assert (order.status, order.holds.get().kind) == ("on_hold", "sent_elsewhere")
    assert StockLevel.objects.get(sku=cup, node=near).reserved == 0
