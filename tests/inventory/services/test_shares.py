"""Publishing shares: what opens, what is replaced, what ends, what is refused, and what a preview says before."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory.models import ChannelShare, SharePool
from inventory.services import reservations, shares
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.services.shares import Effect, Refreshed
from inventory.statuses import SkuKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def lid():
    return company.sku("LID")


@pytest.fixture
def here(cup, lid):
    node = company.node("SH")
    company.stock(cup, node, 10)
    company.stock(lid, node, 100)
    return node


def draft(channel="TMALL", **facts):
    facts = {"kind": "exclusive", "unit": "units", "amount": Decimal(5), **facts}
    return ChannelShare.objects.create(channel=channel, created_at=NOON, created_by="T", **facts)


def published(channel="TMALL", **facts):
    row = draft(channel, **facts)
    shares.publish(row, actor=TESTER, at=NOON)
    return row


def open_pools():
    rows = SharePool.objects.filter(closed_at=None).order_by("channel", "sku__code")
    return [(row.channel, row.sku.code, row.share_id) for row in rows.select_related("sku")]


def refused(share):
    with pytest.raises(RowsRefused) as error:
        shares.publish(share, actor=TESTER, at=NOON)
    share.refresh_from_db()
    assert (share.status, share.published_at, open_pools()) == ("draft", None, [])
    return str(error.value.rows[0].reason)


def test_a_share_of_everything_opens_a_pool_for_each_sku_but_bundles(cup, lid):
    company.sku("SET", kind=SkuKind.BUNDLE)
    row = draft()
    assert shares.publish(row, actor=TESTER, at=NOON) == Refreshed(opened=2, replaced=0, closed=0)
    assert open_pools() == [("TMALL", "CUP", row.pk), ("TMALL", "LID", row.pk)]
    assert (row.__class__.objects.get().status, row.__class__.objects.get().published_by) == ("live", TESTER.label)


def test_a_narrower_share_takes_the_place_and_keeps_what_is_reserved(cup, lid, here):
    wide = published()
    reservations.reserve(Claim("O", (Want("P/1", "P", cup.pk, here.pk, 3),), channel="TMALL"), at=NOON)
    narrow = draft(sku=cup, amount=7)
    assert shares.publish(narrow, actor=TESTER, at=LATER) == Refreshed(opened=0, replaced=1, closed=0)
    assert open_pools() == [("TMALL", "CUP", narrow.pk), ("TMALL", "LID", wide.pk)]
    assert SharePool.objects.get(sku=cup).reserved == 3


def test_when_the_narrower_one_ends_the_wider_one_is_back(cup, lid):
    wide = published()
    narrow = published(sku=cup)
    assert shares.retire(narrow, actor=TESTER, at=LATER) == Refreshed(opened=0, replaced=1, closed=0)
    assert open_pools() == [("TMALL", "CUP", wide.pk), ("TMALL", "LID", wide.pk)]


def test_pools_open_and_close_with_the_time_of_their_share(cup):
    row = draft(sku=cup, starts_at=LATER, ends_at=LATER + timedelta(hours=1))
    assert shares.publish(row, actor=TESTER, at=NOON) == Refreshed(0, 0, 0)
    assert shares.refresh(at=LATER) == Refreshed(opened=1, replaced=0, closed=0)
    assert shares.refresh(at=LATER) == Refreshed(0, 0, 0)
    assert shares.refresh(at=LATER + timedelta(hours=1)) == Refreshed(opened=0, replaced=0, closed=1)
    assert open_pools() == []


def test_a_live_share_is_not_published_again(cup):
    row = published(sku=cup)
    with pytest.raises(RowsRefused) as error:
        shares.publish(row, actor=TESTER, at=NOON)
    assert str(error.value.rows[0].reason) == "Only a draft can be published."


def test_a_share_of_a_bundle_is_refused():
    bundle = company.sku("SET", kind=SkuKind.BUNDLE)
    assert refused(draft(sku=bundle)) == "A bundle has no stock of its own: share its parts."


def test_a_share_that_is_over_is_refused(cup):
    assert refused(draft(sku=cup, ends_at=NOON)) == "The share would be over before it begins."


def test_half_a_unit_is_refused(cup):
    assert refused(draft(sku=cup, amount=Decimal("2.5"))) == "Units are whole numbers; 2.50 is not."


def test_more_than_a_hundred_per_cent_is_refused_with_its_sum(cup):
    wide = published("TMALL", unit="percent", amount=60)
    row = draft("JD", sku=cup, unit="percent", amount=41)
    with pytest.raises(RowsRefused) as error:
        shares.publish(row, actor=TESTER, at=NOON)
    assert str(error.value.rows[0].reason) == (
        "Channels would get 101 per cent of CUP together (JD 41 %, TMALL 60 %); it can be at most 100."
    )
    assert open_pools() == [("TMALL", "CUP", wide.pk)]


def test_a_preview_says_what_each_channel_would_have_and_writes_nothing(cup, lid, here):
    published("JD", sku=cup, amount=2)
    found = shares.preview(draft(sku=cup, amount=6), at=NOON)
    assert (found.skus, found.is_cut, found.overcommitted) == (1, False, 0)
    assert found.channels == (("", 8, 2), ("JD", 10, 4), ("TMALL", 8, 8))
    assert found.largest == (Effect("CUP", "", 8, 2), Effect("CUP", "JD", 10, 4))
    assert [channel for channel, _code, _share in open_pools()] == ["JD"]


def test_a_preview_counts_skus_of_which_less_is_there(cup, lid, here):
    found = shares.preview(draft(amount=11), at=NOON)
    assert (found.skus, found.overcommitted) == (2, 1)
    assert found.channels == (("", 110, 89), ("TMALL", 110, 110))
