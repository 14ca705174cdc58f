"""The demo company's promotions: brought live by two people, priced into orders that come in, coupons used."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import ApprovalRequest
from channels.models import Channel
from config.demo import drafts, load, promotions, summary, traffic
from config.demo.history import SIZES
from orders.models import Order, OrderLine, OrderPricing
from promotions.models import Coupon, CouponBatch, PromotionVersion, Redemption
from promotions.queries import usage
from promotions.services.promotions import rule_of

SEED = 11


@pytest.fixture(scope="module")
def past(django_db_setup: None, django_db_blocker: Any) -> Iterator[load.Loaded]:
    """Load the small company up to a moment ago, once for this file."""
    with django_db_blocker.unblock():
        until = timezone.now() - timedelta(minutes=20)
        loaded = load.load(SIZES["small"], seed=SEED, until=until, report=lambda _orders, _days: None)
    yield loaded
    with django_db_blocker.unblock():
        load.empty()
        User.objects.filter(username__in=promotions.POWERS).delete()  # a reset keeps people


@pytest.fixture
def company(past: load.Loaded, db: None, monkeypatch: pytest.MonkeyPatch) -> load.Loaded:
    """Offer the company without a web door, its platforms unreachable."""
    for name in traffic.WEB_ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    Channel.objects.filter(adapter="taobao").update(base_url="http://127.0.0.1:9/router/rest")
    return past


def sell(orders: int) -> None:
    """Let so many orders come in and walk as far as they can."""
    at = timezone.now()
    mail = drafts.Street(seed=SEED, at=at, coupons=promotions.free_codes(orders)).mail(orders)
    traffic.Postman(report=lambda _messages: None).deliver(mail, at=at)
    traffic.drain(patience=0, report=lambda _messages: None)


def test_every_stage_of_a_version_is_there(company: load.Loaded):
    stages = dict(PromotionVersion.objects.values_list("promotion__code", "status"))
    assert stages == {
        "EAST-300": "live", "618-GIFT": "live", "FESTIVAL": "live", "SNACKS-2ND": "live", "WARM-10": "live",
        "NEWCOMER": "live", "D12-200": "scheduled", "BABY-3": "submitted", "TEA-SEND": "draft",
    }  # fmt: skip
    assert PromotionVersion.objects.get(status="scheduled").publish_at == company.until + timedelta(days=15)


def test_one_person_wrote_and_another_approved_and_neither_may_do_both(company: load.Loaded):
    manager, approver = (User.objects.get(username=name) for name in (promotions.MANAGER, promotions.APPROVER))
    assert set(PromotionVersion.objects.values_list("author__username", flat=True)) == {promotions.MANAGER}
    decided = ApprovalRequest.objects.filter(status="approved")
    assert decided.count() == 7
    assert {voice.approver for request in decided for voice in request.approvals.all()} == {approver}
    assert ApprovalRequest.objects.filter(status="waiting").count() == 1
    assert manager.has_perm("promotions.change_promotion")
    assert not manager.has_perm("promotions.approve_promotionversion")
    assert approver.has_perm("promotions.approve_promotionversion")
    assert not approver.has_perm("promotions.change_promotion")
    assert [person.has_usable_password() for person in (manager, approver)] == [False, False]
    assert [person.is_superuser for person in (manager, approver)] == [False, False]


def test_newcomers_have_single_coupons_and_a_shared_one(company: load.Loaded):
    batch = CouponBatch.objects.get()
    assert (batch.size, batch.promotion.code, batch.created_by) == (200, "NEWCOMER", "person:marketing.manager")
    assert batch.coupons.filter(code__startswith="LIYU", most_uses=1).count() == 200
    assert Coupon.objects.get(batch=None).code == "LIYU20"
    codes = promotions.free_codes(6)
    assert codes[1::2] == ["LIYU20"] * 3
    assert len(set(codes[::2])) == 3


def test_orders_that_come_in_are_priced_with_them_and_the_books_still_add_up(company: load.Loaded):
    sell(240)
    live = Order.objects.filter(pk__gt=company.last_order_id)
    pricings = OrderPricing.objects.filter(order__in=live)
    assert pricings.exists()
    assert {code for code, _number in pricings.first().versions} == {
        "EAST-300", "618-GIFT", "FESTIVAL", "SNACKS-2ND", "WARM-10", "NEWCOMER",
    }  # fmt: skip
    used = set(Redemption.objects.values_list("promotion__code", flat=True))
    assert used >= {"EAST-300", "FESTIVAL", "SNACKS-2ND", "NEWCOMER"}
    own = set(Channel.objects.filter(is_priced_here=True).values_list("code", flat=True))
    assert own == {"WX", "YZ", "WM", "POS"}
    discounted = Redemption.objects.filter(amount__gt=0)
    assert set(discounted.values_list("channel", flat=True)) <= own
    assert OrderLine.objects.filter(order__in=live, promotion_code="EAST-300", unit_price=0).exists()
    assert Redemption.objects.filter(coupon__batch__isnull=False, status="committed").exists()
    assert Redemption.objects.filter(coupon__code="LIYU20").exists()
    paid = live.filter(channel__code__in=own, money_state="paid", cancelled_at=None)
    assert [(order.number, order.paid_amount) for order in paid if order.paid_amount != order.total_amount] == []
    figures = summary.figures()
    assert (figures["oversold_units"], figures["ledger_differences"]) == (0, 0)


def test_budgets_are_what_the_redemptions_say(company: load.Loaded):
    sell(60)
    for version in PromotionVersion.objects.filter(status="live"):
        held = Redemption.objects.filter(promotion=version.promotion, status__in=("reserved", "committed"))
        taken = version.promotion.allowances.get(buyer="")
        assert taken.uses == held.count()
        assert taken.amount == sum((row.amount for row in held), Decimal(0))


def test_every_live_promotion_has_a_limit_and_thus_a_pace(company: load.Loaded):
    sell(60)
    live = {row.promotion_id: rule_of(row) for row in PromotionVersion.objects.filter(status="live")}
    found = usage.of(live, at=timezone.now())
    assert set(found) == set(live)
    assert sum(one.scarce.taken for one in found.values()) > 0
    assert {one.scarce.ends_at for one in found.values()} == {rule.ends_at for rule in live.values()}


def test_a_second_load_after_a_reset_brings_them_again(company: load.Loaded):
    load.empty()
    assert not ApprovalRequest.objects.exists()
    promotions_before = User.objects.filter(username__startswith="marketing.").count()
    load.load(SIZES["small"], seed=SEED, until=company.until, report=lambda _orders, _days: None)
    assert PromotionVersion.objects.filter(status="live").count() == 6
    assert User.objects.filter(username__startswith="marketing.").count() == promotions_before == 2
