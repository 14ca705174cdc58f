"""A range of a channel's messages once more: counted first, then sent by those who may, with a reason."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from channels.messages import PartnerEvent
from channels.models import Channel, OutboundMessage
from channels.services import outbox
from channels.services.outbox import Draft
from channels.statuses import Lane
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
AGAIN = "/admin/channels/outboundmessage/again/"
LIST = "/admin/channels/outboundmessage/"


@pytest.fixture
def partner() -> Channel:
    """A partner that was told five events, one an hour; the third was refused, the fifth is not due yet."""
    partner = company.channel("PARTNER")
    for hour in range(5):
        at = NOON + timedelta(hours=hour)
        outbox.enqueue(
            [Draft(partner.pk, Lane.EVENTS, f"O{hour}", f"k{hour}", PartnerEvent("order.created", "O", at, {}))], at=at
        )
    OutboundMessage.objects.exclude(key="k4").update(status="sent", attempts=2)
    OutboundMessage.objects.filter(key="k2").update(status="needs_person")
    return partner


def asked(partner: Channel, *, hours: tuple[int, int] = (1, 5), **told) -> str:
    since, until = (typed(NOON + timedelta(hours=hour)) for hour in hours)
    told = {"channel": partner.pk, "lane": "events", "since": since, "until": until} | told
    return f"{AGAIN}?{urlencode(told)}"


def typed(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"


def statuses() -> dict[str, str]:
    return dict(OutboundMessage.objects.values_list("key", "status"))


def test_a_range_is_counted_before_anything_is_sent(desk, partner):
    before = statuses()
    assert AGAIN in desk.get(LIST).content.decode()
    assert "Which of them" not in desk.get(AGAIN).content.decode()
    shown = desk.get(asked(partner)).content.decode()
    assert "Sent: 2" in shown
    assert "Needs a person: 1" in shown
    assert statuses() == before


def test_what_is_ticked_goes_out_again_with_a_reason(desk, partner):
    answer = desk.post(asked(partner), {"statuses": ["sent"], "reason": "the partner lost a day"}, follow=True)
    assert answer.redirect_chain == [(f"{LIST}?channel={partner.pk}&lane=events", 302)]
    assert "2 messages are sent again." in answer.content.decode()
    assert statuses() == {"k0": "sent", "k1": "pending", "k2": "needs_person", "k3": "pending", "k4": "pending"}
    assert OutboundMessage.objects.get(key="k1").attempts == 0
    [reason] = partner.history.values_list("history_change_reason", flat=True)[:1]
    assert reason == "person:boss: 2 of events again: the partner lost a day"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param({"statuses": ["sent"], "reason": ""}, "This field is required.", id="no reason"),
        pytest.param({"reason": "x"}, "Tick at least one.", id="nothing ticked"),
        pytest.param({"statuses": ["pending"], "reason": "x"}, "Tick at least one.", id="not offered"),
    ],
)
def test_without_a_choice_and_a_reason_nothing_is_sent(desk, partner, told, words):
    before = statuses()
    assert words in desk.post(asked(partner), told).content.decode()
    assert statuses() == before


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param({"hours": (1, 1)}, "no longer than 31 days", id="ends where it begins"),
        pytest.param({"hours": (0, 32 * 24)}, "no longer than 31 days", id="too long"),
        pytest.param({"hours": (20, 21)}, "nothing in this range", id="empty"),
        pytest.param({"lane": "stock"}, "Select a valid choice.", id="old figures of stock"),
        pytest.param({"channel": 0}, "Select a valid choice.", id="no such channel"),
        pytest.param({"since": "yesterday"}, "Enter a valid date/time.", id="no moment"),
    ],
)
def test_a_range_that_cannot_be_is_said(desk, partner, told, words):
    before, url = statuses(), asked(partner, **told)
    for answer in (desk.get(url), desk.post(url, {"statuses": ["sent"], "reason": "x"})):
        assert answer.status_code == 200
        assert words in answer.content.decode()
    assert statuses() == before


def test_looking_is_not_acting(clerk, partner):
    reader, before = clerk("channels.view_outboundmessage"), statuses()
    assert AGAIN not in reader.get(LIST).content.decode()
    assert reader.get(AGAIN).status_code == 403
    assert reader.post(asked(partner), {"statuses": ["sent"], "reason": "x"}).status_code == 403
    assert statuses() == before


def test_the_address_has_a_name():
    assert reverse("admin:channels_outboundmessage_again") == AGAIN
