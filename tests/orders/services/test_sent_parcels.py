"""What the books and the carriers are told of parcels that leave."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Channel, OutboundMessage
from inventory.models import BundlePart, Sku
from orders.models import Fulfillment
from orders.services import fulfillment
from orders.services.fulfillment import Handover, Moved
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import Shop
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def ship(*parcels: Fulfillment, carrier: str = "SF", number: str = "SF100") -> Moved:
    """From released to shipped, all in one call."""
    fulfillment.pack([one.pk for one in parcels], actor=TESTER, at=LATER)
    handovers = {one.pk: Handover(carrier, number) for one in parcels}
    return fulfillment.ship(handovers, actor=TESTER, at=LATER)


def ledger(code: str = "ERP", **columns: Any) -> Channel:
    return Channel.objects.create(code=code, name=code, platform="erp", adapter="kingdee", **columns)


def carrier(code: str = "KD", carriers: Any = None, **columns: Any) -> Channel:
    options = {"carriers": {"SF": "shunfeng"} if carriers is None else carriers}
    return Channel.objects.create(
        code=code, name=code, platform="carrier", adapter="kuaidi100", options=options, **columns
    )


def told(lane: str) -> list[OutboundMessage]:
    return list(OutboundMessage.objects.filter(lane=lane).order_by("channel__code", "subject"))


def booked(message: OutboundMessage) -> list[tuple[str, int, str, str]]:
    lines = message.body["lines"]
    return [(line["sku_code"], line["quantity"], line["unit_price"], line["amount"]) for line in lines]


# -- the books --------------------------------------------------------------------------------------------


def test_a_parcel_that_leaves_is_a_delivery_in_every_erp(hub: Shop) -> None:
    for code, is_active in (("ERP1", True), ("ERP2", True), ("OLD", False)):
        ledger(code, is_active=is_active)
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}))
    ship(*scenes.parcels())

    first, second = told("books")
    assert [(one.channel.code, one.key, one.subject) for one in (first, second)] == [
        ("ERP1", "sales-document:ERP1:JD-1-1", "JD-1-1"),
        ("ERP2", "sales-document:ERP2:JD-1-1", "JD-1-1"),
    ]
    assert first.body == second.body
    assert {name: first.body[name] for name in first.body if name != "lines"} == {
        "kind": "delivery",
        "number": "JD-1-1",
        "order_number": "JD-1",
        "booked_at": "2026-11-02T05:00:00Z",
        "customer_code": "JD",
        "node_code": "SH",
        "currency": "CNY",
    }
    assert booked(first) == [("CUP", 2, "10.0000", "20.00"), ("LID", 1, "10.0000", "10.00")]


def test_a_line_in_two_parcels_is_booked_to_the_cent_whichever_leaves_first(hub: Shop) -> None:
    ledger()
    message = company.order_message("1", {"CUP": 12})
    message["lines"][0]["discount"] = "19.99"  # 100.01 for twelve
    hub.take(message)
    first, second = scenes.parcels()
    ship(second)
    ship(first)

    one, two = told("books")
    assert (booked(two), booked(one)) == (
        [("CUP", 2, "8.3350", "16.67")],
        [("CUP", 10, "8.3340", "83.34")],
    )


def test_two_parcels_of_one_call_add_up_as_well(hub: Shop) -> None:
    ledger()
    message = company.order_message("1", {"CUP": 12})
    message["lines"][0]["discount"] = "19.99"
    hub.take(message)
    ship(*scenes.parcels())

    assert sum(Decimal(booked(one)[0][3]) for one in told("books")) == Decimal("100.01")


def test_a_bundle_is_booked_by_its_parts(hub: Shop) -> None:
    ledger()
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    Sku.objects.filter(pk=hub.lid.pk).update(list_price=Decimal("5.00"))
    hub.take(company.order_message("1", {"SET": 6}))  # 60.00: cups 48.00, lids 12.00
    ship(*scenes.parcels())

    assert [booked(one) for one in told("books")] == [
        [("CUP", 10, "4.0000", "40.00"), ("LID", 6, "2.0000", "12.00")],
        [("CUP", 2, "4.0000", "8.00")],
    ]


def test_a_bundle_that_changed_since_does_not_keep_its_parcel(hub: Shop) -> None:
    ledger()
    company.sku("SET", parts={hub.cup: 1, hub.lid: 1})
    hub.take(company.order_message("1", {"SET": 2}))
    BundlePart.objects.filter(part=hub.lid).delete()

    assert ship(*scenes.parcels()).done == ["JD-1-1"]
    assert booked(told("books")[0]) == [("CUP", 2, "5.0000", "10.00"), ("LID", 2, "5.0000", "10.00")]


def test_test_orders_are_no_matter_for_real_books_or_carriers(hub: Shop) -> None:
    ledger("REAL")
    ledger("TEST", is_sandbox=True)
    carrier()
    Channel.objects.filter(pk=hub.channel.pk).update(is_sandbox=True)
    hub.take(company.order_message("1", {"CUP": 1}))
    ship(*scenes.parcels())

    assert ([one.channel.code for one in told("books")], told("tracking")) == (["TEST"], [])


# -- carriers ---------------------------------------------------------------------------------------------


def test_a_carriers_channel_is_asked_to_follow_its_parcels(hub: Shop) -> None:
    carrier("KD", {"SF": "shunfeng", "YTO": "yuantong"})
    carrier("KD2")
    hub.take(company.order_message("1", {"CUP": 1}))
    ship(*scenes.parcels())

    [request] = told("tracking")
    assert (request.channel.code, request.key, request.subject) == ("KD", "tracking-request:JD-1-1", "JD-1-1")
    assert request.body == {
        "parcel_number": "JD-1-1",
        "carrier_code": "SF",
        "tracking_number": "SF100",
        "phone_tail": "0000",
    }


@pytest.mark.parametrize(
    ("columns", "handover"),
    [
        pytest.param({}, ("YTO", "YT1"), id="another carrier"),
        pytest.param({}, ("SF", ""), id="no number"),
        pytest.param({"is_active": False}, ("SF", "SF1"), id="switched off"),
        pytest.param({"carriers": {}}, ("SF", "SF1"), id="follows nobody"),
    ],
)
def test_a_parcel_that_nobody_can_follow_leaves_all_the_same(
    hub: Shop, columns: dict[str, Any], handover: tuple[str, str]
) -> None:
    carrier(**columns)
    hub.take(company.order_message("1", {"CUP": 1}))

    assert ship(*scenes.parcels(), carrier=handover[0], number=handover[1]).done == ["JD-1-1"]
    assert told("tracking") == []


def test_a_hidden_phone_is_not_told(hub: Shop) -> None:
    carrier()
    hub.take(company.order_message("1", {"CUP": 1}, address=company.ADDRESS | {"phone": "1380000****"}))
    ship(*scenes.parcels())

    assert told("tracking")[0].body["phone_tail"] == ""


# -- what it costs ----------------------------------------------------------------------------------------


def queries_to_ship(hub: Shop, number: str) -> int:
    hub.take(company.order_message(number, {"CUP": 1}))
    [one] = scenes.parcels(number)
    fulfillment.pack([one.pk], actor=TESTER, at=LATER)
    with CaptureQueriesContext(connection) as queries:
        fulfillment.ship({one.pk: Handover("SF", f"SF{number}")}, actor=TESTER, at=LATER)
    return len(queries)


def test_it_costs_two_queries_and_none_where_nobody_is_connected(hub: Shop) -> None:
    queries_to_ship(hub, "1")
    nobody = queries_to_ship(hub, "2")
    off = ledger(is_active=False)
    assert queries_to_ship(hub, "3") == nobody
    carrier()
    assert queries_to_ship(hub, "4") == nobody
    Channel.objects.filter(pk=off.pk).update(is_active=True)
    assert queries_to_ship(hub, "5") == nobody + 2
