"""Partners' events: told to those who asked, once, in order, and nobody is switched off in silence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Case
from audit.rules.actors import Actor
from channels.adapters.webhook import sign
from channels.messages import PartnerEvent
from channels.models import Channel, OutboundMessage
from channels.services import credentials, events, outbox
from channels.services.outbox import Delivered
from channels.simulators.server import LoopbackServer
from channels.simulators.webhook import Receiver

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECRET = sign.secret_of(b"a" * 32)
WANG = Actor("person", "wang")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver(SECRET)


@pytest.fixture
def endpoint(receiver: Receiver, settings: Any) -> Iterator[Channel]:
    settings.WEBHOOKS_MAY_BE_LOCAL = True
    with LoopbackServer(receiver.answer) as server:
        yield make_endpoint("PARTNER", server.url, ["order.created", "order.cancelled"])
        receiver.let_go.set()


def make_endpoint(code: str, url: str, wanted: list[str]) -> Channel:
    return Channel.objects.create(
        code=code, name=code, platform="partner", adapter="webhook", base_url=url,
        credentials={"secret": SECRET}, options={"events": wanted},
    )  # fmt: skip


def event(number: str, word: str = "order.created", *, at: datetime = AT) -> PartnerEvent:
    return PartnerEvent(word, number, at, {"number": number})


def test_an_endpoint_hears_what_it_asked_for_once(endpoint: Channel, receiver: Receiver) -> None:
    told = [event("O1"), event("O1", "order.on_hold"), event("O1", "order.cancelled")]
    wanted = events.endpoints(Channel.objects.all())
    assert [events.publish(told, to=wanted, at=AT) for _ in range(2)] == [2, 2]
    assert outbox.deliver(at=AT) == Delivered(sent=2)
    assert [one.body["type"] for one in receiver.events()] == ["order.created", "order.cancelled"]
    assert (receiver.refused, {one.times for one in receiver.events()}) == (0, {1})
    assert all(one.id.startswith("evt_") and "." not in one.id for one in receiver.events())


def test_a_retry_has_the_same_id_and_the_webhooks_own_waits(endpoint: Channel, receiver: Receiver) -> None:
    receiver.plan(500)
    events.publish([event("O1")], to=[endpoint], at=AT)
    assert outbox.deliver(at=AT) == Delivered(retried=1)
    row = OutboundMessage.objects.get()
    assert timedelta(seconds=4) <= row.not_before - AT <= timedelta(seconds=15)
    assert outbox.deliver(at=AT + timedelta(seconds=20)) == Delivered(sent=1)
    assert [one.id for one in receiver.events()] == [row.key]


def test_an_endpoint_that_is_gone_is_switched_off_loudly(endpoint: Channel, receiver: Receiver) -> None:
    receiver.plan(410)
    events.publish([event("O1"), event("O2"), event("O3")], to=[endpoint], at=AT)
    Channel.objects.update(calls_at_once=1)
    done = outbox.deliver(at=AT)
    assert done.failed == 1
    endpoint.refresh_from_db()
    assert endpoint.is_active is False
    assert endpoint.history.latest().history_change_reason == "job:outbox: the other side says that it is gone"
    assert set(Case.objects.values_list("kind", "status")) == {
        ("endpoint_gone", "open"),
        ("message_not_delivered", "open"),
    }
    assert outbox.deliver(at=AT + timedelta(hours=1)) == Delivered()


def test_a_test_event_goes_out_wanted_or_not(endpoint: Channel, receiver: Receiver) -> None:
    key = events.send_test(endpoint, actor=WANG, at=AT)
    assert outbox.deliver(at=AT) == Delivered(sent=1)
    assert [(one.id, one.body["type"], one.body["data"]) for one in receiver.events()] == [
        (key, "endpoint.test", {"endpoint": "PARTNER", "asked_by": "person:wang"})
    ]


def test_a_new_secret_signs_beside_the_old_one_for_a_day(endpoint: Channel, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    fresh = events.rotate_secret(endpoint, seen=events.secret_seen(endpoint), actor=WANG, at=now)
    endpoint.refresh_from_db()
    assert events.previous_until(endpoint, at=now) == now + timedelta(hours=24)
    assert events.previous_until(endpoint, at=now + timedelta(hours=24)) is None
    kept = credentials.opened(endpoint)
    assert (kept["secret"], kept["previous_secret"]) == (fresh, SECRET)
    assert sign.secrets_in_use(kept, at=now + timedelta(hours=23)) == [fresh, SECRET]
    assert sign.secrets_in_use(kept, at=now + timedelta(hours=25)) == [fresh]
    events.send_test(endpoint, actor=WANG, at=now)
    assert outbox.deliver(at=now) == Delivered(sent=1)  # the partner still knows the old one only
    assert receiver.events()[0].signatures == 2
    assert fresh not in str(endpoint.history.values())
    receiver.secrets = [fresh]
    events.send_test(endpoint, actor=WANG, at=now + timedelta(seconds=1))
    assert outbox.deliver(at=now + timedelta(seconds=2)) == Delivered(sent=1)


def test_a_secret_is_not_changed_twice_from_one_page(endpoint: Channel) -> None:
    seen = events.secret_seen(endpoint)
    fresh = events.rotate_secret(endpoint, seen=seen, actor=WANG, at=AT)
    with pytest.raises(events.SecretChanged):
        events.rotate_secret(endpoint, seen=seen, actor=WANG, at=AT)
    endpoint.refresh_from_db()
    kept = credentials.opened(endpoint)
    assert (kept["secret"], kept["previous_secret"]) == (fresh, SECRET)
    assert seen not in (fresh, SECRET)


def test_nobody_is_told_who_asked_for_nothing(endpoint: Channel) -> None:
    Channel.objects.update(options={"events": "order.created"})
    assert events.endpoints(Channel.objects.all()) == []
    Channel.objects.update(options={"events": ["order.created"]}, is_active=False)
    assert events.endpoints(Channel.objects.all()) == []
