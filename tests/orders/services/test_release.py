"""A node with a system of its own is told of its parcels; other nodes are not."""

import pytest

from channels.models import Channel, OutboundMessage
from inventory.models import Node
from orders.models import Fulfillment
from orders.services import pipeline
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    cup, lid = company.sku("CUP"), company.sku("LID")
    told, untold = company.node("SH"), company.node("WH", "42")
    company.stock(cup, told, 10)
    company.stock(lid, untold, 10)
    return company.channel()


def test_a_released_parcel_is_told_to_its_nodes_system_only(shop):
    warehouse = company.channel("WMS", options={"nodes": ["SH"]})
    company.receive(shop, company.order_message("1", {"CUP": 2, "LID": 3}))
    pipeline.drain(at=lambda: NOON)

    assert list(Fulfillment.objects.order_by("number").values_list("number", "node__code", "status")) == [
        ("JD-1-1", "SH", "released"),
        ("JD-1-2", "WH", "released"),
    ]
    message = OutboundMessage.objects.get()
    assert (message.channel, message.lane, message.subject, message.status) == (
        warehouse, "parcels", "JD-1-1", "pending",
    )  # fmt: skip
    assert message.body["lines"] == [{"sku_code": "CUP", "quantity": 2, "unit_price": "10.00"}]
    assert (message.body["order_external_id"], message.body["receiver"]) == ("1", None)
    assert (message.body["placed_at"], message.body["paid_at"]) == ("2026-11-02T03:50:00Z", "2026-11-02T03:51:00Z")


def test_a_switched_off_system_is_told_nothing(shop):
    company.channel("WMS", options={"nodes": ["SH"]}, is_active=False)
    company.receive(shop, company.order_message("1", {"CUP": 2}))
    pipeline.drain(at=lambda: NOON)

    assert Fulfillment.objects.get().status == "released"
    assert not OutboundMessage.objects.exists()


def test_a_system_that_prints_labels_is_told_the_receiver(shop):
    Channel.objects.filter(pk=company.channel("WMS", options={"nodes": ["SH"]}).pk).update(adapter="qimen")
    message = company.order_message("1", {"CUP": 2})
    message["address"] = company.ADDRESS | {"district": "静安区", "token": "OAID-1"}
    company.receive(shop, message)
    pipeline.drain(at=lambda: NOON)

    assert OutboundMessage.objects.get().body["receiver"] == {
        "province": "上海", "city": "上海市", "district": "静安区", "line": "1 Test Road", "country": "CN",
        "name": "王**", "phone": "138****0000", "token": "OAID-1",
    }  # fmt: skip


def test_what_the_buyer_pays_for_one_is_told_to_the_cent_also_inside_a_bundle(shop):
    company.channel("WMS", options={"nodes": ["SH"]})
    plate, fork = company.sku("PLATE"), company.sku("FORK")
    company.sku("SET", parts={plate: 1, fork: 2})
    for part in (plate, fork):
        company.stock(part, Node.objects.get(code="SH"), 10)
    message = company.order_message("1", {"CUP": 3, "SET": 1})
    message["lines"][0]["discount"] = "1.00"
    company.receive(shop, message)
    pipeline.drain(at=lambda: NOON)

    lines = OutboundMessage.objects.get().body["lines"]
    assert sorted((line["sku_code"], line["quantity"], line["unit_price"]) for line in lines) == [
        ("CUP", 3, "9.67"), ("FORK", 2, "3.33"), ("PLATE", 1, "3.33"),
    ]  # fmt: skip
