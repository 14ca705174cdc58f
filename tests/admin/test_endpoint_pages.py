"""The desk's page of a channel: how its calls go, what was told to it; of an endpoint also a test and a new secret."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.rules.sentences import say
from channels.adapters.webhook import sign
from channels.models import Channel, ChannelHealth, OutboundMessage
from channels.services import credentials, events, outbox
from channels.services.outbox import Delivered
from channels.simulators.server import LoopbackServer
from channels.simulators.webhook import Receiver
from tests import small_company as company

BUTTON = {"csrfmiddlewaretoken": ""}  # all that a button sends
SECRET = sign.secret_of(b"a" * 32)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver(SECRET)


@pytest.fixture
def endpoint(receiver: Receiver, settings) -> Iterator[Channel]:
    settings.WEBHOOKS_MAY_BE_LOCAL = True
    with LoopbackServer(receiver.answer) as server:
        yield Channel.objects.create(
            code="PARTNER", name="PARTNER", platform="partner", adapter="webhook", base_url=server.url,
            credentials={"secret": SECRET}, options={"events": ["order.created", "parcel.shipped"]},
        )  # fmt: skip
        receiver.let_go.set()


def page(browser, channel: Channel) -> str:
    return browser.get(reverse("admin:channels_channel_change", args=[channel.pk])).content.decode()


def tried(channel: Channel) -> str:
    return reverse("admin:channels_channel_verb", args=["send_test"]) + f"?ids={channel.pk}"


def secret_page(channel: Channel) -> str:
    return reverse("admin:channels_channel_secret", args=[channel.pk])


def test_a_test_event_is_sent_and_stands_among_the_newest_messages(desk, endpoint, receiver):
    assert "Send a test event" in page(desk, endpoint)
    assert desk.post(tried(endpoint), BUTTON).status_code == 302
    assert outbox.deliver(at=timezone.now()) == Delivered(sent=1)
    assert [event.body["data"] for event in receiver.events()] == [{"endpoint": "PARTNER", "asked_by": "person:boss"}]
    shown, row = page(desk, endpoint), OutboundMessage.objects.get()
    for words in (
        row.subject,
        "Sent",
        "Answers",
        "order.created",
        "parcel.shipped",
        "no limit known",
        f"?channel={endpoint.pk}",
        reverse("admin:channels_outboundmessage_change", args=[row.pk]),
    ):
        assert words in shown, words


def test_only_an_endpoint_that_is_on_is_sent_a_test_event(desk, endpoint, receiver):
    shop = company.channel("SHOP")
    Channel.objects.filter(pk=endpoint.pk).update(is_active=False)
    for channel in (shop, endpoint):
        assert "Send a test event" not in page(desk, channel)
        answer = desk.post(tried(channel), BUTTON, follow=True).content.decode()
        assert "Only a partner&#x27;s endpoint that is switched on can be sent a test event." in answer
    assert OutboundMessage.objects.count() == 0
    assert secret_page(shop) not in page(desk, shop)
    assert desk.get(secret_page(shop)).status_code == 404


def test_a_new_secret_is_shown_once_and_the_old_one_stays_for_a_day(desk, endpoint, receiver):
    asked = desk.get(secret_page(endpoint)).content.decode()
    seen = re.search(r'name="seen" value="([0-9a-f]{16})"', asked)[1]
    assert "whsec_" not in asked
    answer = desk.post(secret_page(endpoint), {"seen": seen})
    assert "no-store" in answer["Cache-Control"]
    shown = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
    endpoint.refresh_from_db()
    kept = credentials.opened(endpoint)
    assert shown == [kept["secret"]]
    assert kept["previous_secret"] == SECRET != kept["secret"]
    until = events.previous_until(endpoint, at=timezone.now())
    assert abs(until - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)
    assert "whsec_" not in page(desk, endpoint) + desk.get(secret_page(endpoint)).content.decode()
    assert f"{timezone.localtime(until):%Y-%m-%d %H:%M}" in page(desk, endpoint)
    assert "changed less than a day ago" in desk.get(secret_page(endpoint)).content.decode()


def test_sending_the_page_twice_makes_no_second_secret(desk, endpoint):
    seen = events.secret_seen(endpoint)
    desk.post(secret_page(endpoint), {"seen": seen})
    endpoint.refresh_from_db()
    before = endpoint.credentials
    for told in ({"seen": seen}, {"seen": ""}, {}):
        answer = desk.post(secret_page(endpoint), told, follow=True).content.decode()
        assert "The secret was changed after you opened the page." in answer
        assert "whsec_" not in answer
    endpoint.refresh_from_db()
    assert endpoint.credentials == before


def test_looking_is_not_acting(clerk, endpoint):
    reader = clerk("channels.view_channel")
    shown, before = page(reader, endpoint), events.secret_seen(endpoint)
    assert "Send a test event" not in shown
    assert secret_page(endpoint) not in shown
    assert "Never called" in shown
    assert reader.get(secret_page(endpoint)).status_code == 403
    assert reader.post(secret_page(endpoint), {"seen": before}).status_code == 403
    assert reader.post(tried(endpoint), BUTTON).status_code == 403
    endpoint.refresh_from_db()
    assert events.secret_seen(endpoint) == before
    assert OutboundMessage.objects.count() == 0


def test_an_unreadable_secret_is_said_and_not_replaced(desk, endpoint, settings):
    settings.HUB_SECRET_KEYS = "other:" + "A" * 43 + "="
    assert "cannot be read" in page(desk, endpoint)
    answer = desk.post(secret_page(endpoint), {"seen": events.secret_seen(endpoint)}, follow=True).content.decode()
    assert "cannot be opened with this installation&#x27;s keys" in answer
    assert "whsec_" not in answer


def test_a_channel_that_is_not_called_says_why_and_when_it_is_tried_next(desk, endpoint):
    now = timezone.now()
    why = say("%(code)s answered %(status)s.", code="PARTNER", status=500)
    row = ChannelHealth.objects.create(
        channel=endpoint, breaker="open", failures=5, opened_at=now, probe_at=now + timedelta(minutes=7, seconds=30),
        last_success_at=now - timedelta(days=1), reason=why.stored(),
    )  # fmt: skip
    Channel.objects.update(calls_per_second=10)
    shown = page(desk, endpoint)
    for words in (
        "Not called",
        "PARTNER answered 500.",
        "in 7 min",
        "10 of 10",
        f"{timezone.localtime(row.probe_at):%Y-%m-%d %H:%M}",
        f"{timezone.localtime(row.last_success_at):%Y-%m-%d %H:%M}",
    ):
        assert words in shown, words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param({}, "Never called", id="new"),
        pytest.param({"last_success_at": 0}, "Answers", id="well"),
        pytest.param({"failures": 3}, "3 failed in a row", id="failing"),
        pytest.param({"breaker": "open", "failures": 5, "probe_at": 30}, "Not called", id="open"),
        pytest.param({"breaker": "half_open", "failures": 5, "probe_at": 30}, "One try", id="half open"),
        pytest.param({"last_success_at": 0, "counted_at": 60}, "Asked us to wait", id="silent"),
    ],
)
def test_the_list_has_a_label_for_each_state(desk, told, words):
    now = timezone.now()
    columns = {name: now + timedelta(seconds=value) if name.endswith("_at") else value for name, value in told.items()}
    ChannelHealth.objects.create(channel=company.channel("SHOP"), **columns)
    shown = desk.get(reverse("admin:channels_channel_changelist")).content.decode()
    label = re.search(r'field-health_state[^>]*>.*?<span class="tag tag-[a-z]+"[^>]*>([^<]+)</span>', shown, re.DOTALL)
    assert label[1] == words


def test_the_page_asks_as_often_whatever_was_told(desk, endpoint):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(desk, endpoint)
        return len(asked)

    events.send_test(endpoint, actor=company.TESTER, at=timezone.now())
    page(desk, endpoint)
    with_one = queries()
    for second in range(1, 4):
        events.send_test(endpoint, actor=company.TESTER, at=timezone.now() + timedelta(seconds=second))
    assert queries() == with_one == 12
