"""Partners hear what happens to an order, in order, and nothing about its buyer."""

import json
from datetime import timedelta

import pytest

from audit.rules.actors import Actor
from channels.models import Channel, OutboundMessage
from orders.models import Fulfillment, Order
from orders.services import fulfillment, holds, pipeline
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.small_company import NOON

WANG = Actor("person", "wang")
ALL = ["order.created", "order.cancelled", "order.on_hold", "order.released", "parcel.shipped", "parcel.delivered"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Channel:
    shop = company.channel()
    company.stock(company.sku("CUP"), company.node("SH"), 10)
    return shop


def listen(code: str, wanted: list[str]) -> Channel:
    return Channel.objects.create(
        code=code, name=code, platform="partner", adapter="webhook", options={"events": wanted}
    )


def sell(shop: Channel) -> Order:
    address = {"province": "Shanghai", "line": "1 Test Road", "name": "Wang Secret", "phone": "13812345678"}
    company.receive(shop, company.order_message("1", {"CUP": 2}, address=address, buyer_name="Wang Secret"))
    pipeline.drain(at=lambda: NOON)
    return Order.objects.get()


def told(endpoint: Channel) -> list[str]:
    rows = OutboundMessage.objects.filter(channel=endpoint, lane="events").order_by("pk")
    return [row.body["type"] for row in rows]


def test_an_orders_life_is_told_in_order_to_those_who_asked(shop: Channel) -> None:
    every, few = listen("ALL", ALL), listen("FEW", ["parcel.shipped"])
    order = sell(shop)
    assert told(every) == ["order.created", "order.released"]
    holds.place([order.pk], reason="Call", actor=WANG, at=NOON + timedelta(minutes=1))
    holds.lift([order.pk], actor=WANG, at=NOON + timedelta(minutes=2))
    parcel = Fulfillment.objects.get()
    fulfillment.pack([parcel.pk], actor=WANG, at=NOON + timedelta(minutes=3))
    fulfillment.ship({parcel.pk: Handover("SF", "SF1")}, actor=WANG, at=NOON + timedelta(minutes=4))
    fulfillment.deliver([parcel.pk], actor=WANG, at=NOON + timedelta(minutes=5))
    assert told(every) == ["order.created", "order.released", "order.on_hold", "parcel.shipped", "parcel.delivered"]
    assert told(few) == ["parcel.shipped"]
    assert set(OutboundMessage.objects.filter(lane="events").values_list("subject", flat=True)) == {order.number}


def test_what_is_told_holds_nothing_about_the_buyer(shop: Channel) -> None:
    every = listen("ALL", ALL)
    order = sell(shop)
    first = OutboundMessage.objects.filter(channel=every).order_by("pk")[0]
    assert first.body["data"] == {
        "number": order.number, "channel": "JD", "external_id": "1", "status": "released", "currency": "CNY",
        "total_amount": str(order.total_amount), "holds": [],
        "lines": [{"external_id": order.lines.get().external_id, "sku": "CUP", "quantity": 2}],
    }  # fmt: skip
    said = json.dumps(list(OutboundMessage.objects.values_list("body", flat=True)), ensure_ascii=False)
    assert not any(word in said for word in ("Wang", "Secret", "138123", "Test Road"))


def test_nobody_is_told_where_nobody_listens(shop: Channel) -> None:
    sell(shop)
    assert OutboundMessage.objects.filter(lane="events").count() == 0


def test_events_go_with_the_deed_that_caused_them(shop: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    every = listen("ALL", ALL)
    order = sell(shop)

    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("orders.services.batch.inbox.finish", fail)
    with pytest.raises(RuntimeError):
        holds.place([order.pk], reason="Call", actor=WANG, at=NOON)
    assert told(every) == ["order.created", "order.released"]
    order.refresh_from_db()
    assert order.status == "released"
