"""The desk's page of a message that was not delivered: what was tried, and what a person can do."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from channels.messages import StockFigure
from channels.models import OutboundMessage
from channels.services import outbox
from channels.services.outbox import Draft
from channels.statuses import Lane

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stuck(shop):
    now = timezone.now()
    outbox.enqueue([Draft(shop[0].pk, Lane.STOCK, "CUP", "k", StockFigure("i", "s", 7))], at=now)
    outbox.deliver(at=now)
    return OutboundMessage.objects.get()


def verb(name, row):
    return reverse("admin:channels_outboundmessage_verb", args=[name]) + f"?ids={row.pk}"


def test_the_page_shows_payload_reason_and_tries(desk, stuck):
    page = desk.get(reverse("admin:channels_outboundmessage_change", args=[stuck.pk])).content.decode()
    for words in (
        "&quot;quantity&quot;: 7",
        "has no address or no secret",
        "Refused",
        "Edit and send again…",
        "Give up…",
    ):
        assert words in page, words


def test_a_person_edits_and_sends_again(desk, stuck):
    body = stuck.body | {"quantity": 5}
    assert "&quot;quantity&quot;: 7" in desk.get(verb("mend", stuck)).content.decode()
    assert desk.post(verb("mend", stuck), {"body": json.dumps(body), "reason": "counted"}).status_code == 302
    stuck.refresh_from_db()
    assert (stuck.status, stuck.body["quantity"], stuck.edited_by) == ("pending", 5, "person:boss")


@pytest.mark.parametrize("body", ['{"quantity": "many"}', "[]", "{", "7"])
def test_what_is_no_message_is_refused_on_the_page(desk, stuck, body):
    assert desk.post(verb("mend", stuck), {"body": body, "reason": "x"}).status_code == 200
    stuck.refresh_from_db()
    assert (stuck.status, stuck.first_body) == ("needs_person", None)


def test_a_person_gives_up_and_says_why(desk, stuck):
    assert desk.post(verb("give_up", stuck), {"reason": ""}).status_code == 200
    assert desk.post(verb("give_up", stuck), {"reason": "listing is gone"}).status_code == 302
    stuck.refresh_from_db()
    assert stuck.status == "given_up"


def test_looking_is_not_acting(clerk, stuck):
    reader = clerk("channels.view_outboundmessage")
    assert reader.post(verb("give_up", stuck), {"reason": "x"}).status_code == 403
    stuck.refresh_from_db()
    assert stuck.status == "needs_person"
