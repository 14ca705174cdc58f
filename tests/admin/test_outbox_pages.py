"""The desk's page of a message that was not delivered: what was tried, and what a person can do."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from channels.messages import Address, Notice, ParcelLine, ParcelRequest, StockFigure
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


RECEIVER = Address(
    "Shanghai", city="Shanghai", line="Huaihai Road 7", name="Wang Xiaoming", phone="13800138000", token="oaid-secret-1"
)
CLEAR = ("Huaihai Road 7", "Wang Xiaoming", "13800138000", "oaid-secret-1")
SEEN = ("W**", "****8000", "*****", "…et-1", "Shanghai")


@pytest.fixture
def parcel(shop):
    """A parcel request with its receiver that nobody could deliver, and that was edited once."""
    request = ParcelRequest("P1", "O1", "SH", (ParcelLine("CUP", 1),), receiver=RECEIVER)
    outbox.enqueue([Draft(shop[0].pk, Lane.PARCELS, "P1", "p", request)], at=timezone.now())
    outbox.deliver(at=timezone.now())
    row = OutboundMessage.objects.get()
    row.first_body = row.body
    row.save(update_fields=["first_body"])
    return row


def page_of(browser, row):
    return browser.get(reverse("admin:channels_outboundmessage_change", args=[row.pk])).content.decode()


def test_whom_a_parcel_goes_to_is_masked_for_those_who_may_not_know(clerk, parcel):
    page = page_of(clerk("channels.view_outboundmessage"), parcel)
    assert [words for words in CLEAR if words in page] == []
    assert [page.count(f": &quot;{words}&quot;") for words in SEEN[:4]] == [2, 2, 2, 2]  # as it is, and as it was
    trusted = page_of(clerk("channels.view_outboundmessage", "orders.view_order_personal"), parcel)
    assert [trusted.count(words) for words in CLEAR] == [2, 2, 2, 2]


def test_who_may_not_know_the_receiver_cannot_edit_the_message(clerk, parcel):
    acting = clerk("channels.view_outboundmessage", "channels.change_outboundmessage")
    asked = acting.get(verb("mend", parcel)).content.decode()
    assert [words for words in CLEAR if words in asked] == []
    assert "Edit and send again…" not in page_of(acting, parcel)
    before = parcel.body
    body = json.dumps(before | {"receiver": before["receiver"] | {"line": "elsewhere"}})
    answer = acting.post(verb("mend", parcel), {"body": body, "reason": "moved"})
    assert answer.status_code == 200
    assert "Only people who may see buyers&#x27; personal data edit this message." in answer.content.decode()
    parcel.refresh_from_db()
    assert (parcel.status, parcel.body) == ("needs_person", before)


def test_who_may_know_the_receiver_edits_it(clerk, parcel):
    trusted = clerk("channels.view_outboundmessage", "channels.change_outboundmessage", "orders.view_order_personal")
    assert "Huaihai Road 7" in trusted.get(verb("mend", parcel)).content.decode()
    body = parcel.body | {"receiver": parcel.body["receiver"] | {"line": "Huaihai Road 8"}}
    assert trusted.post(verb("mend", parcel), {"body": json.dumps(body), "reason": "typo"}).status_code == 302
    parcel.refresh_from_db()
    assert (parcel.status, parcel.body["receiver"]["line"]) == ("pending", "Huaihai Road 8")


def test_whom_a_notice_goes_to_is_masked_too(clerk, shop):
    outbox.enqueue(
        [Draft(shop[0].pk, Lane.NOTICES, "N", "n", Notice("13800138000", "late", "sorry"))], at=timezone.now()
    )
    page = page_of(clerk("channels.view_outboundmessage"), OutboundMessage.objects.get())
    assert ("13800138000" in page, "…8000" in page) == (False, True)


def test_a_message_about_nobody_is_edited_by_everybody_who_may_act(clerk, stuck):
    acting = clerk("channels.view_outboundmessage", "channels.change_outboundmessage")
    body = json.dumps(stuck.body | {"quantity": 5})
    assert acting.post(verb("mend", stuck), {"body": body, "reason": "counted"}).status_code == 302
    stuck.refresh_from_db()
    assert (stuck.status, stuck.body["quantity"]) == ("pending", 5)
