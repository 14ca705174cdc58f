"""A node with a system of its own is told of its parcels; other nodes are not."""

import pytest

from channels.models import OutboundMessage
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
    assert message.body["lines"] == [{"sku_code": "CUP", "quantity": 2}]


def test_a_switched_off_system_is_told_nothing(shop):
    company.channel("WMS", options={"nodes": ["SH"]}, is_active=False)
    company.receive(shop, company.order_message("1", {"CUP": 2}))
    pipeline.drain(at=lambda: NOON)

    assert Fulfillment.objects.get().status == "released"
    assert not OutboundMessage.objects.exists()
