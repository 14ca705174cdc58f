"""A parcel leaves: the books have its delivery, its carrier is asked to tell of it, and what it tells delivers it."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels.models import Channel
from channels.services import outbox
from channels.simulators import kingdee, kuaidi100, yonyou
from orders.models import Fulfillment, Order, ParcelScan
from orders.services import fulfillment, pipeline
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)

SF = "SF1234567890123"


def connect(code: str, platform: Any, adapter: str, url: str) -> None:
    channel = Channel.objects.create(
        code=code, name=code, platform=adapter, adapter=adapter, base_url=url, options=platform.options
    )
    channel.credentials = dict(platform.credentials)
    channel.save(update_fields=["credentials"])


@pytest.fixture
def outside() -> Iterator[tuple[kuaidi100.Platform, kingdee.Platform, yonyou.Platform]]:
    carrier, ledger, other = kuaidi100.Platform(), kingdee.Platform(), yonyou.Platform()
    with ExitStack() as servers:
        for code, platform, adapter in (
            ("KD", carrier, "kuaidi100"),
            ("K3", ledger, "kingdee"),
            ("BIP", other, "yonyou"),
        ):
            server = servers.enter_context(platform.serve())  # type: ignore[attr-defined]
            connect(code, platform, adapter, server.url + platform.path)  # type: ignore[attr-defined]
        yield carrier, ledger, other


def sent_parcel(at: datetime) -> Fulfillment:
    shop, cup, node = company.channel(), company.sku("CUP"), company.node("SH")
    company.stock(cup, node, 10)
    company.receive(shop, company.order_message("1", {"CUP": 2}))
    pipeline.drain(at=lambda: NOON)
    parcel = Fulfillment.objects.get()
    fulfillment.pack([parcel.pk], actor=TESTER, at=at)
    fulfillment.ship({parcel.pk: fulfillment.Handover("SF", SF)}, actor=TESTER, at=at)
    return parcel


def push(platform: kuaidi100.Platform) -> bytes:
    """Let the carrier call the hub's own door."""
    body = platform.pushed("shunfeng", SF)
    form = "application/x-www-form-urlencoded"
    answer = Client().post("/in/KD/", body, content_type=form)
    assert answer.status_code == 200
    pipeline.drain()
    return answer.content


@pytest.mark.usefixtures("standard_reasons")
def test_from_the_nodes_door_to_the_buyers(
    outside: tuple[kuaidi100.Platform, kingdee.Platform, yonyou.Platform],
) -> None:
    carrier, ledger, other = outside
    left_at = timezone.now()
    parcel = sent_parcel(left_at)

    for lane in ("tracking", "books"):
        outbox.deliver(lane, at=timezone.now())

    assert carrier.followed["shunfeng", SF]["phone"] == "0000"
    assert ledger.state()["bills"] == {f"SAL_OUTSTOCK {parcel.number}": "C"}
    [line] = ledger.bill("SAL_OUTSTOCK", parcel.number)["model"]["FEntity"]
    assert (line["FMaterialId"], line["FRealQty"], line["FTaxPrice"]) == ({"FNumber": "CUP"}, 2, Decimal(10))
    assert other.state()["vouchers"] == {f"voucherdelivery {parcel.number}": "2"}  # its token was asked for on the way

    scanned_at = (left_at + timedelta(minutes=5)).replace(microsecond=0)
    carrier.scan("shunfeng", SF, "1", "已收件", at=scanned_at, place="上海市")
    assert push(carrier) == b'{"result": true, "returnCode": "200", "message": "\xe6\x88\x90\xe5\x8a\x9f"}'
    assert Order.objects.get().status == "shipped"
    carrier.scan("shunfeng", SF, "3", "已签收", at=scanned_at + timedelta(hours=3))
    push(carrier)
    push(carrier)  # the same again

    parcel.refresh_from_db()
    assert (parcel.status, Order.objects.get().status) == ("delivered", "delivered")
    scans = ParcelScan.objects.order_by("scanned_at").values_list("scanned_at", "state", "text", "place")
    assert list(scans) == [
        (scanned_at, "collected", "已收件", "上海市"),
        (scanned_at + timedelta(hours=3), "delivered", "已签收", ""),
    ]
