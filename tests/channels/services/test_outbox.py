"""The outbox sends each key once, tries again with patience, and gives to a person what cannot be sent."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, transaction

from audit.models import Case
from audit.rules.actors import Actor
from channels.messages import (
    Address,
    DocumentLine,
    Notice,
    ParcelCancel,
    ParcelLine,
    ParcelRequest,
    PartnerEvent,
    PriceFigure,
    SalesDocument,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
    TrackingRequest,
)
from channels.models import Channel, ChannelHealth, OutboundMessage
from channels.rules import wire
from channels.services import credentials, outbox, replay
from channels.services.outbox import Delivered, Draft
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer
from channels.statuses import Lane
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TWO = (ParcelLine("SKU-1", 2), ParcelLine("SKU-2", 1))
TO = Address("浙江省", "杭州市", "西湖区", "文三路 1 号", name="王小明", phone="13800000000")
SALE = SalesDocument(
    "sale", "S1", "O1", AT, "C1", "W1", "CNY", (DocumentLine(1, "A", 2, Decimal("1.50"), Decimal("3.00")),)
)
NOTICE = ShipmentNotice("A1", "A1-1", "SF", "SF100", AT, (ShippedLine("1", 2),), is_partial=True)
WANG = Actor("person", "wang")
pytestmark = pytest.mark.django_db(transaction=True)


def draft(channel: Channel, key: str, lane: Lane = Lane.SHIPMENTS) -> Draft:
    return Draft(channel.pk, lane, f"about {key}", key, replace(NOTICE, parcel_number=key))


def row(key: str) -> OutboundMessage:
    return OutboundMessage.objects.get(key=key)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        pytest.param(NOTICE, "shipment_notice", id="shipment notice"),
        pytest.param(ParcelRequest("P1", "O1", "W1", TWO, AT), "parcel_request", id="parcel"),
        pytest.param(ParcelRequest("P1", "O1", "W1", TWO[:1]), "parcel_request", id="parcel without a term"),
        pytest.param(ParcelRequest("P1", "O1", "W1", TWO, AT, TO), "parcel_request", id="parcel with its receiver"),
        pytest.param(ParcelCancel("P1", "W1", "stopped"), "parcel_cancel", id="parcel stopped"),
        pytest.param(StockFigure("item", "sku", 7), "stock_figure", id="stock figure"),
        pytest.param(StockFigure("item", "sku", 7, -2), "stock_figure", id="stock figure with its change"),
        pytest.param(PriceFigure("item", "sku", Decimal("7.50")), "price_figure", id="price"),
        pytest.param(SALE, "sales_document", id="document"),
        pytest.param(TrackingRequest("P1", "SF", "SF1", "1234"), "tracking_request", id="tracking"),
        pytest.param(Notice("a@b.cn", "S", "T"), "notice", id="notice"),
        pytest.param(PartnerEvent("order.created", "O1", AT, {"a": [1]}), "partner_event", id="event"),
    ],
)
def test_what_is_kept_is_what_is_sent(message: Any, kind: str, channel: Channel) -> None:
    outbox.enqueue([Draft(channel.pk, Lane.PARCELS, "s", "k", message)], at=AT)
    kept = row("k")
    assert (kept.kind, wire.from_json(kept.kind, kept.body)) == (kind, message)


def test_a_key_is_written_once_and_stays_as_it_was(channel: Channel) -> None:
    outbox.enqueue([draft(channel, "k")], at=AT)
    outbox.enqueue([replace(draft(channel, "k"), subject="other"), draft(channel, "l")], at=AT)
    assert list(OutboundMessage.objects.order_by("key").values_list("key", "subject", "status")) == [
        ("k", "about k", "pending"),
        ("l", "about l", "pending"),
    ]


def test_delivered_rows_reach_the_partner_signed_and_once(partner: LoopbackServer, house: House) -> None:
    shop = make_channel("SHOP", partner.url)
    outbox.enqueue([draft(shop, "k1"), draft(shop, "k2")], at=AT)
    assert outbox.deliver("shipments", at=AT) == Delivered(sent=2)
    assert outbox.deliver("shipments", at=AT + timedelta(hours=1)) == Delivered()
    came = sorted(house.deliveries(), key=lambda each: each.key)
    assert [(each.key, each.times, each.body["parcel_number"]) for each in came] == [("k1", 1, "k1"), ("k2", 1, "k2")]
    assert came[0].body == {
        "type": "shipment_notice",
        "order_external_id": "A1",
        "parcel_number": "k1",
        "carrier_code": "SF",
        "tracking_number": "SF100",
        "shipped_at": "2026-11-23T01:00:00Z",
        "lines": [{"external_line_id": "1", "quantity": 2}],
        "is_partial": True,
    }
    sent = row("k1")
    assert (sent.status, sent.attempts, sent.response) == ("sent", 1, '{"accepted": true}')
    assert sent.sent_at is not None
    assert AT <= sent.sent_at < AT + timedelta(seconds=10)


def test_a_row_is_not_sent_before_its_time(partner: LoopbackServer, house: House) -> None:
    outbox.enqueue([draft(make_channel("SHOP", partner.url), "k")], at=AT)
    assert outbox.deliver(at=AT - timedelta(seconds=1)) == Delivered()
    assert house.deliveries() == []


def test_without_a_lane_every_lane_is_served(partner: LoopbackServer, house: House) -> None:
    shop = make_channel("SHOP", partner.url)
    outbox.enqueue([draft(shop, lane.value, lane) for lane in Lane], at=AT)
    assert outbox.deliver("stock", at=AT) == Delivered(sent=1)
    assert outbox.deliver(at=AT) == Delivered(sent=len(Lane) - 1)
    assert {each.key for each in house.deliveries()} == set(Lane.values)


def test_a_server_error_is_tried_again_later(partner: LoopbackServer, house: House) -> None:
    partner.faults.plan("http500")
    outbox.enqueue([draft(make_channel("SHOP", partner.url), "k")], at=AT)
    assert outbox.deliver(at=AT) == Delivered(retried=1)
    failed = row("k")
    assert (failed.status, failed.attempts, failed.response) == ("pending", 1, "Internal Server Error")
    assert failed.reason == {"text": "%(code)s answered %(status)s.", "values": {"code": "SHOP", "status": 500}}
    assert timedelta(seconds=30) <= failed.not_before - AT <= timedelta(seconds=40)
    assert outbox.deliver(at=AT + timedelta(seconds=29)) == Delivered()
    assert outbox.deliver(at=AT + timedelta(seconds=41)) == Delivered(sent=1)
    assert (row("k").status, row("k").reason, len(house.deliveries())) == ("sent", {}, 1)


def test_a_lost_answer_is_sent_again_under_the_same_key(partner: LoopbackServer, house: House) -> None:
    partner.faults.plan("lost")
    outbox.enqueue([draft(make_channel("SHOP", partner.url), "k")], at=AT)
    assert outbox.deliver(at=AT) == Delivered(retried=1)
    assert outbox.deliver(at=AT + timedelta(minutes=2)) == Delivered(sent=1)
    assert [(each.key, each.times) for each in house.deliveries()] == [("k", 2)]


def test_a_channel_that_is_away_is_left_alone_after_five_calls_and_the_others_go_on(
    partner: LoopbackServer, house: House
) -> None:
    dead, live = make_channel("DEAD", "http://127.0.0.1:9"), make_channel("LIVE", partner.url)
    Channel.objects.filter(pk=dead.pk).update(calls_at_once=1)
    outbox.enqueue([draft(dead, f"d{number:02}") for number in range(20)], at=AT)
    outbox.enqueue([draft(live, "l0"), draft(live, "l1")], at=AT)
    done = outbox.deliver(at=AT)
    assert (done.sent, done.failed, done.retried >= 5) == (2, 0, True)
    health = ChannelHealth.objects.get(channel=dead)
    assert (health.breaker, health.failures) == ("open", 5)
    assert health.probe_at - health.opened_at == timedelta(seconds=30)
    assert health.reason["values"] == {"code": "DEAD", "error": "ConnectError"}
    untried = OutboundMessage.objects.filter(channel=dead, attempts=0)
    assert untried.count() == 20 - done.retried
    assert all(row.not_before <= AT + timedelta(seconds=10) for row in untried)  # they wait, and nothing is lost
    assert {row.status for row in untried} == {"pending"}
    assert outbox.deliver(at=AT + timedelta(seconds=5)) == Delivered()  # it is not called at all


def test_the_tenth_failure_needs_a_person(partner: LoopbackServer) -> None:
    partner.faults.plan("http500", 10)
    outbox.enqueue([draft(make_channel("SHOP", partner.url), "k")], at=AT)
    runs = [outbox.deliver(at=AT + timedelta(minutes=61 * hour)) for hour in range(11)]
    assert runs == [Delivered(retried=1)] * 9 + [Delivered(failed=1), Delivered()]
    assert (row("k").status, row("k").attempts) == ("needs_person", 10)
    assert list(Case.objects.order_by("kind").values_list("kind", "subject", "status")) == [
        ("channel_not_reached", "SHOP", "open"),  # it has been away for hours
        ("message_not_delivered", "about k", "open"),
    ]


def test_a_refusal_needs_a_person_at_once_and_a_replay_closes_the_case(partner: LoopbackServer, house: House) -> None:
    shop = make_channel("SHOP", partner.url)
    credentials.keep(shop, {"secret": "wrong"})
    outbox.enqueue([draft(shop, "k")], at=AT)
    assert outbox.deliver(at=AT) == Delivered(failed=1)
    case = Case.objects.get()
    assert (case.kind, case.subject, case.status) == ("message_not_delivered", "about k", "open")
    assert case.why["values"] == {"code": "SHOP", "status": 401}
    assert case.subject_url == f"/admin/channels/outboundmessage/{row('k').pk}/change/"

    credentials.keep(shop, {"secret": "house-secret"})
    assert replay.again([row("k").pk], actor=WANG, at=AT) == 1
    assert (row("k").status, row("k").attempts) == ("pending", 0)
    assert outbox.deliver(at=AT) == Delivered(sent=1)
    case.refresh_from_db()
    assert (case.status, case.resolved_by) == ("resolved", "job:outbox")


def test_a_case_stays_open_while_another_message_about_it_is_stuck(partner: LoopbackServer) -> None:
    shop, mute = make_channel("SHOP", partner.url), make_channel("MUTE")
    outbox.enqueue([replace(draft(mute, "k1"), subject="O1"), replace(draft(shop, "k2"), subject="O1")], at=AT)
    assert outbox.deliver(at=AT) == Delivered(sent=1, failed=1)
    assert Case.objects.get().status == "open"


@pytest.mark.parametrize(
    ("adapter", "why"),
    [
        pytest.param("house", "Channel MUTE has no address or no secret to deliver to.", id="no address"),
        pytest.param("fax", "There is no adapter called fax.", id="unknown adapter"),
        pytest.param("file", "file cannot be told this.", id="not offered"),
    ],
)
def test_what_can_never_be_sent_says_why(adapter: str, why: str) -> None:
    outbox.enqueue([draft(make_channel("MUTE", adapter=adapter), "k")], at=AT)
    assert outbox.deliver(at=AT) == Delivered(failed=1)
    reason = row("k").reason
    assert reason["text"] % reason["values"] == why


def test_a_row_nobody_can_read_needs_a_person_and_stops_nobody(partner: LoopbackServer, caplog: Any) -> None:
    shop = make_channel("SHOP", partner.url)
    outbox.enqueue([draft(shop, "bad"), draft(shop, "good")], at=AT)
    OutboundMessage.objects.filter(key="bad").update(body={"nothing": 1})
    assert outbox.deliver(at=AT) == Delivered(sent=1, failed=1)
    assert row("bad").reason["values"] == {
        "error": "ValidationError('Object missing required field `order_external_id`')"
    }
    assert [record.message for record in caplog.records] == [f"outbox row {row('bad').pk} could not be sent"]


def test_replay_leaves_what_needs_nobody(channel: Channel) -> None:
    outbox.enqueue([draft(channel, "k")], at=AT)
    assert replay.again([row("k").pk], actor=WANG, at=AT) == 0


def test_no_transaction_is_open_during_the_call(partner: LoopbackServer, house: House) -> None:
    """The partner itself writes to the row while it is called: that would wait if the row were locked."""
    seen: list[int] = []

    def answer(request: Any) -> Any:
        with transaction.atomic():
            seen.append(OutboundMessage.objects.select_for_update(nowait=True).get().pk)
        connections.close_all()
        return house.answer(request)

    with LoopbackServer(answer) as server:
        outbox.enqueue([draft(make_channel("SHOP", server.url), "k")], at=AT)
        assert outbox.deliver(at=AT) == Delivered(sent=1)
    assert seen == [row("k").pk]


def test_two_workers_share_the_rows(partner: LoopbackServer, house: House) -> None:
    shop = make_channel("SHOP", partner.url)
    outbox.enqueue([draft(shop, f"k{number:02}") for number in range(40)], at=AT)
    results: list[Delivered] = []

    def work() -> None:
        results.append(outbox.deliver("shipments", limit=40, at=AT))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(results, Delivered()) == Delivered(sent=40)
    assert [each.times for each in house.deliveries()] == [1] * 40


def test_a_dead_workers_rows_come_back(partner: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.enqueue([draft(make_channel("SHOP", partner.url), "k")], at=AT)

    def die(*args: Any, **kwargs: Any) -> Any:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("channels.adapters.house.client.deliver", die)
        with pytest.raises(SystemExit):
            outbox.deliver(at=AT)
    assert outbox.deliver(at=AT + timedelta(seconds=179)) == Delivered()
    assert outbox.deliver(at=AT + timedelta(seconds=190)) == Delivered(sent=1)
