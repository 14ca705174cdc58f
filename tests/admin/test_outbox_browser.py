"""The pages of what goes out in a real browser, at a desk and on a phone: nothing scrolls sideways, nothing fails."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.rules.sentences import say
from channels.adapters.webhook import sign
from channels.models import Channel, ChannelHealth, OutboundMessage
from channels.services import credentials, events
from tests.admin.test_browser import CHROMIUM, log_in, page  # noqa: F401 - page is the fixture
from tests.small_company import TESTER

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PICTURES = os.environ.get("PICTURES", "")  # a folder to keep pictures of the pages in


@pytest.fixture
def endpoint() -> Channel:
    """An endpoint that does not answer, with messages that were sent, and one that needs a person."""
    now, secret = timezone.now(), sign.secret_of(b"a" * 32)
    endpoint = Channel.objects.create(
        code="PARTNER", name="合作方", name_en="Partner", platform="partner", adapter="webhook",
        base_url="https://example.com/hooks", credentials={"secret": secret}, calls_per_second=10,
        options={"events": ["order.created", "order.cancelled", "parcel.shipped", "parcel.delivered"]},
    )  # fmt: skip
    for seconds in range(12):
        events.send_test(endpoint, actor=TESTER, at=now - timedelta(seconds=seconds))
    OutboundMessage.objects.update(status="sent", sent_at=now)
    why = say("%(code)s answered %(status)s.", code="PARTNER", status=500).stored()
    first = OutboundMessage.objects.order_by("pk")[0]
    OutboundMessage.objects.filter(pk=first.pk).update(status="needs_person", reason=why)
    ChannelHealth.objects.create(
        channel=endpoint, breaker="open", failures=5, opened_at=now, probe_at=now + timedelta(minutes=5), reason=why,
        last_success_at=now - timedelta(hours=1),
    )  # fmt: skip
    return endpoint


def look(tab, width: int, name: str) -> None:
    """Assert that nothing scrolls sideways; keep a picture where they are wanted."""
    if PICTURES:
        tab.screenshot(path=f"{PICTURES}/{width}-{name}.png", full_page=True)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, name


def press(tab, selector: str) -> None:
    with tab.expect_navigation():
        tab.click(selector)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_partner_gets_a_new_secret_a_test_and_what_it_lost(page, live_server, boss, endpoint, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 1000})
    log_in(page, live_server.url, "en")
    page.goto(f"{live_server.url}/admin/channels/channel/")
    look(page, width, "1-channels")
    page.goto(f"{live_server.url}/admin/channels/channel/{endpoint.pk}/change/")
    look(page, width, "2-endpoint")
    press(page, ".button >> text=Send a test event")
    assert OutboundMessage.objects.filter(status="pending").count() == 1
    press(page, ".button >> text=Rotate the secret…")
    look(page, width, "3-rotate")
    press(page, ".verb-form button[type=submit]")
    look(page, width, "4-secret")
    endpoint.refresh_from_db()
    assert page.inner_text("pre.payload") == credentials.opened(endpoint)["secret"]
    press(page, "text=The partner has it")
    send_a_range(page, live_server.url, endpoint, width)
    assert page.troubles == []


def send_a_range(tab, url: str, endpoint: Channel, width: int) -> None:
    """Count what was told since yesterday, then send it again."""
    tab.goto(f"{url}/admin/channels/outboundmessage/")
    look(tab, width, "5-outbox")
    tab.goto(f"{url}/admin/channels/outboundmessage/again/")
    day = timedelta(days=1)
    since, until = (f"{timezone.localtime(timezone.now() + off):%Y-%m-%dT%H:%M}" for off in (-day, day))
    tab.select_option("[name=channel]", str(endpoint.pk))
    tab.select_option("[name=lane]", "events")
    tab.fill("[name=since]", since)
    tab.fill("[name=until]", until)
    press(tab, "text=Count them")
    tab.fill("[name=reason]", "The partner lost a day")
    look(tab, width, "6-range")
    assert [tab.input_value(f"[name={name}]") for name in ("since", "until")] == [since, until]
    press(tab, "form.counted button[type=submit]")
    look(tab, width, "7-sent")
    assert OutboundMessage.objects.filter(status="pending").count() == 12
    assert OutboundMessage.objects.filter(status="needs_person").count() == 1
