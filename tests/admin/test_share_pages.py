"""Channels' shares at the desk: a draft is written, looked at, published and ended; what cannot be is said."""

from decimal import Decimal

import pytest
from django.urls import reverse

from inventory.models import ChannelShare, SharePool
from inventory.services import shares
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
ADD = "admin:inventory_channelshare_add"


def told(sku, **facts):
    return {
        "channel": "JD", "kind": "exclusive", "category": "", "sku": sku.pk, "amount": "5", "unit": "units",
        "lend_percent": "0", "change_reason": "for the festival",
    } | facts  # fmt: skip


def draft(sku, **facts):
    facts = {"channel": "JD", "kind": "exclusive", "unit": "units", "amount": 5, **facts}
    return ChannelShare.objects.create(sku=sku, created_at=NOON, created_by="T", **facts)


def page(share):
    return reverse("admin:inventory_channelshare_change", args=[share.pk])


def do(browser, name, share, **facts):
    url = reverse("admin:inventory_channelshare_verb", args=[name]) + f"?ids={share.pk}"
    return browser.post(url, facts, follow=True).content.decode()


def test_a_draft_is_written_with_who_and_why(desk, shop):
    answer = desk.post(reverse(ADD), told(shop[1]))
    assert answer.status_code == 302, answer.content.decode()
    row = ChannelShare.objects.get()
    assert (row.channel, row.sku, row.amount, row.status, row.created_by) == (
        "JD", shop[1], Decimal(5), "draft", "person:boss",
    )  # fmt: skip
    assert row.history.get().history_change_reason == "person:boss: for the festival"
    assert SharePool.objects.count() == 0


@pytest.mark.parametrize(
    ("facts", "field", "words"),
    [
        pytest.param({"unit": "percent", "amount": "101"}, "amount", "A share is at most 100 per cent.", id="too much"),
        pytest.param({"kind": "presale"}, "ships_from_date", "Say from when the parcels leave.", id="presale, no day"),
        pytest.param({"amount": "-1"}, None, "", id="negative"),
        pytest.param({"channel": "NOBODY"}, "channel", "", id="unknown channel"),
    ],
)
def test_what_a_share_cannot_be_is_said_beside_its_field(desk, shop, facts, field, words):
    answer = desk.post(reverse(ADD), told(shop[1], **facts))
    errors = answer.context["adminform"].form.errors
    assert (answer.status_code, ChannelShare.objects.count()) == (200, 0)
    if field:
        assert list(errors) == [field]
    if words:
        assert errors[field] == [words]


def test_a_draft_shows_what_it_would_do(desk, shop):
    html = desk.get(page(draft(shop[1], amount=15))).content.decode()
    assert "Units that each channel could sell of 1 SKUs if this were live now." in html
    assert "every channel without a share" in html
    assert 'name="_save"' in html
    assert ">-15<" in html


def test_published_it_is_live_at_once_and_no_longer_edited(desk, shop):
    row = draft(shop[1])
    html = do(desk, "publish", row, reason="618")
    row.refresh_from_db()
    assert "Live." in html
    assert (row.status, row.history.first().history_change_reason) == ("live", "person:boss: 618")
    assert SharePool.objects.get().sku == shop[1]
    assert "How much of it is used" in desk.get(page(row)).content.decode()
    answer = desk.post(page(row), told(shop[1], amount="9"))
    row.refresh_from_db()
    assert (answer.status_code, row.amount) == (403, 5)


def test_more_than_a_hundred_per_cent_is_refused_with_the_sum(desk, shop):
    shares.publish(draft(shop[1], channel="TMALL", unit="percent", amount=60), actor=TESTER, at=NOON)
    row = draft(shop[1], unit="percent", amount=41)
    html = do(desk, "publish", row, reason="618")
    row.refresh_from_db()
    assert "Channels would get 101 per cent of CUP together (JD 41 %, TMALL 60 %); it can be at most 100." in html
    assert row.status == "draft"


def test_ended_it_frees_what_it_set_aside(desk, shop):
    row = draft(shop[1])
    do(desk, "publish", row, reason="618")
    do(desk, "end", row, reason="over")
    row.refresh_from_db()
    assert (row.status, SharePool.objects.filter(closed_at=None).count()) == ("retired", 0)


def test_a_copy_is_a_draft_of_its_own(desk, shop):
    row = draft(shop[1])
    do(desk, "publish", row, reason="618")
    do(desk, "copy", row, sure="yes")
    assert sorted(ChannelShare.objects.values_list("status", flat=True)) == ["draft", "live"]


def test_who_may_only_look_changes_nothing(clerk, shop):
    row = draft(shop[1])
    browser = clerk("inventory.view_channelshare")
    url = reverse("admin:inventory_channelshare_verb", args=["publish"]) + f"?ids={row.pk}"
    assert browser.get(page(row)).status_code == 200
    assert browser.post(url, {"reason": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.status == "draft"
