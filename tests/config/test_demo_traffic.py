"""The demo's live orders: they come in as platforms send them, and end as they should."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from channels.adapters import registry
from channels.messages import IncomingChange, IncomingOrder, RawMessage, Untranslatable
from channels.models import Channel, InboundMessage, OutboundMessage, PullCursor
from channels.services import connections, outbox
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.taobao import Platform
from config import tasks
from config.demo import drafts, handling, load, traffic
from config.demo import promotions as demo_people
from config.demo.history import SIZES
from orders.models import Fulfillment, Order
from orders.services import pipeline

SEED = 11


def silent(_messages: int) -> None:
    """Take progress and say nothing."""


@pytest.fixture(scope="module")
def past(django_db_setup: None, django_db_blocker: Any) -> Iterator[load.Loaded]:
    """Load the small company up to a moment ago, once for this file."""
    with django_db_blocker.unblock():
        until = timezone.now() - timedelta(minutes=20)
        loaded = load.load(SIZES["small"], seed=SEED, until=until, report=lambda _orders, _days: None)
    yield loaded
    with django_db_blocker.unblock():
        load.empty()
        User.objects.filter(username__in=demo_people.POWERS).delete()  # a reset keeps people


@pytest.fixture
def company(past: load.Loaded, db: None, monkeypatch: pytest.MonkeyPatch) -> load.Loaded:
    """Offer the company without a web door, its platforms unreachable."""
    for name in traffic.WEB_ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    Channel.objects.filter(adapter="taobao").update(base_url="http://127.0.0.1:9/router/rest")
    return past


def mail_of(orders: int = 240) -> drafts.Mail:
    """Return the same orders each time."""
    return drafts.Street(seed=SEED, at=timezone.now()).mail(orders)


def deliver(mail: drafts.Mail) -> traffic.Sent:
    """Bring mail in."""
    return traffic.Postman(report=silent).deliver(mail, at=timezone.now())


# -- what is drafted -------------------------------------------------------------------------------


def test_mail_has_every_channel_and_every_trouble():
    mail = mail_of()
    first, main, last = mail.rounds
    orders = [message for part in main.values() for message in part]
    later = [message for part in last.values() for message in part]
    numbers = [message["external_id"] for message in orders]

    assert len(orders) + len(mail.trades) == 240
    assert set(main) == set(drafts.house_channels())
    assert len(numbers) == len(set(numbers))
    assert Counter("address" in message for part in first.values() for message in part) == {True: 2, False: 1}
    assert Counter(message["type"] for message in later) == {"order": 7, "change": 3}
    assert all(message in orders for message in later if message["type"] == "order")
    assert sum(message["lines"][0]["quantity"] == 0 for message in orders) == 1
    assert sum(message["address"]["province"] == "火星省" for message in orders) == 2
    assert sum(message["lines"][0]["sku_code"].startswith("NOBODY-") for message in orders) == 2
    assert list(mail.broken) == ["PDD"]


def test_few_orders_are_without_trouble():
    mail = mail_of(3)

    assert mail.size == 3
    assert mail.broken == {}
    assert [len(part) for part in mail.rounds[0].values()] == []


def test_a_later_run_uses_new_numbers():
    now = timezone.now()
    numbers = [
        {
            message["external_id"]
            for part in drafts.Street(seed=SEED, at=at).mail(60).rounds[1].values()
            for message in part
        }
        for at in (now, now + timedelta(seconds=1))
    ]

    assert numbers[0] & numbers[1] == set()


def test_messages_translate_but_for_those_that_should_not(company: load.Loaded):
    mail = mail_of()
    channels = {channel.code: channel for channel in Channel.objects.all()}
    kinds: Counter[str] = Counter()
    for part in mail.rounds:
        for code, messages in part.items():
            spoken = connections.of(channels[code])
            for message in messages:
                raw = RawMessage(
                    message["type"], message["external_id"], message["revision"], drafts.encode([message])[1:-1]
                )
                try:
                    says = registry.BY_NAME["house"].translate(raw, spoken)
                except Untranslatable as trouble:
                    kinds[trouble.code] += 1
                else:
                    kinds[type(says).__name__] += 1

    house_orders = 240 - len(mail.trades)
    assert kinds == {
        IncomingOrder.__name__: house_orders - 1 + 7,
        IncomingChange.__name__: 6,
        "bad_quantity": 1,
    }


# -- what becomes of it ----------------------------------------------------------------------------


def test_traffic_ends_as_it_should(company: load.Loaded):
    mail = mail_of()
    sent = deliver(mail)
    by_workers = traffic.drain(patience=0, report=silent)
    messages = Counter(InboundMessage.objects.values_list("status", "reason_code"))
    live = Order.objects.filter(pk__gt=company.last_order_id)

    assert (sent.by_door, sent.by_pull, by_workers) == (0, len(mail.trades), False)
    assert messages["rejected", "malformed_json"] == 1
    assert messages["rejected", "bad_quantity"] == 1
    assert messages["done", "held_unknown_sku"] == 2
    assert messages["done", "held_address"] == 3
    assert InboundMessage.objects.filter(times_received=2).count() == 7
    assert sum(messages.values()) == 240 + 1 + 6
    assert live.count() == 239
    assert live.filter(status="on_hold").count() == 5
    assert live.filter(cancelled_at__isnull=False).count() == 4
    assert live.filter(buyer_note="请放门口", recipient_address="栗树路1号").count() == 2
    assert set(live.values_list("channel__code", flat=True)) == set(drafts.BY_CODE)


def test_traffic_twice_makes_twice_the_orders(company: load.Loaded):
    for _ in range(2):
        deliver(mail_of(30))
    pipeline.drain()

    assert Order.objects.filter(pk__gt=company.last_order_id).count() == 60


def test_the_command_says_what_went_which_way(company: load.Loaded):
    said = StringIO()
    call_command("demo_traffic", "--orders", "20", "--seed", "5", "--patience", "0", stdout=said)
    lines = dict(line.split(": ") for line in said.getvalue().splitlines())

    assert (lines["orders"], lines["messages"], lines["requests_by_door"]) == ("20", "20", "0")
    assert lines["taken_up_by"] == "this command"
    assert Order.objects.filter(pk__gt=company.last_order_id).count() == 20


@pytest.mark.django_db
def test_the_command_needs_the_company():
    if load.find():
        load.empty()
    with pytest.raises(CommandError, match="demo_load"):
        call_command("demo_traffic", "--orders", "1")


def test_orders_come_through_a_door_that_answers(company: load.Loaded, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def door(request: Request) -> Response:
        seen.append((request.method, request.path, len(request.headers["x-hub-signature"])))
        return Response(b'{"stored": 1, "known": 0}', 202)

    with LoopbackServer(door) as server:
        monkeypatch.setenv("HUB_URL", server.url)
        sent = deliver(mail_of(20))

    assert sent.by_door == len(seen) > 0
    assert sent.by_inbox == 0
    assert all(method == "POST" and path.startswith("/in/") and size == 64 for method, path, size in seen)


# -- the nodes at work -----------------------------------------------------------------------------


def test_nodes_work_and_the_platforms_hear_of_it(company: load.Loaded):
    platform, house = Platform(), House()
    with platform.serve() as taobao, LoopbackServer(house.answer) as sink:
        Channel.objects.filter(adapter="taobao").update(base_url=f"{taobao.url}/router/rest")
        Channel.objects.filter(adapter="house").update(base_url=sink.url)
        deliver(mail_of(30))
        pipeline.drain()
        at = timezone.now()
        steps = [handling.work(at=at + timedelta(minutes=5 * step)) for step in range(1, 5)]
        told = outbox.deliver(limit=500, at=at + timedelta(hours=1))

    shipped = Fulfillment.objects.filter(order__pk__gt=company.last_order_id, status="shipped").count()
    released = Fulfillment.objects.filter(order__pk__gt=company.last_order_id, released_at__isnull=False).count()
    notices = OutboundMessage.objects.filter(kind="shipment_notice")
    assert steps[0].picked >= released
    assert shipped == released > 20
    assert (told.retried, told.failed) == (0, 0)
    assert told.sent == notices.count() + OutboundMessage.objects.filter(kind="parcel_request").count()
    assert len(platform.state()["parcels"]) == notices.filter(channel__code="TM").count() > 0


def test_shipping_changes_nothing_that_a_later_pull_would_bring(company: load.Loaded):
    platform = Platform()
    with platform.serve() as taobao:
        Channel.objects.filter(adapter="taobao").update(base_url=f"{taobao.url}/router/rest")
        channel = Channel.objects.get(adapter="taobao")
        order = Order.objects.filter(channel=channel, status="delivered").latest("pk")
        PullCursor.objects.filter(channel=channel).update(pulled_until=order.placed_at)
        told = handling.introduce(Order.objects.filter(pk=order.pk))
        raw = platform.trade(int(order.external_id))

    before = (order.region, order.city, order.district, order.recipient_name, order.recipient_address)
    says = registry.BY_NAME["taobao"].translate(
        RawMessage("order", order.external_id, order.revision, drafts.encode([raw])[1:-1]), connections.of(channel)
    )
    assert told == 1
    assert isinstance(says, IncomingOrder)
    assert says.revision == order.revision
    assert (says.address.city, says.address.district, says.address.name, says.address.line) == before[1:]
    assert [(line.external_id, line.quantity) for line in says.lines] == list(
        order.lines.order_by("line_number").values_list("external_id", "quantity")
    )


def test_the_clock_is_silent_unless_asked(company: load.Loaded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HUB_DEMO_TRAFFIC", raising=False)
    tasks.demo_traffic()
    assert InboundMessage.objects.count() == 0

    monkeypatch.setenv("HUB_DEMO_TRAFFIC", "1")
    tasks.demo_traffic()
    assert InboundMessage.objects.count() == handling.ORDERS_A_TICK
