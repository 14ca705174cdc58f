"""Coupons: made in batches nobody can guess, shared ones, and how codes are read."""

import pytest

from audit.rules.actors import Actor
from promotions.models import Coupon, CouponBatch, Promotion
from promotions.services import coupons
from promotions.services.coupons import NotACoupon, Wanted
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
MAKER = Actor("person", "mia")


@pytest.fixture
def promotion():
    return Promotion.objects.create(code="P", name="P", created_at=NOON)


def test_a_batch_has_as_many_single_codes_as_asked(promotion):
    batch = coupons.make_batch(promotion, Wanted("autumn", 300, "fall-"), actor=MAKER, at=NOON)
    codes = list(batch.coupons.values_list("code", "most_uses"))
    assert len({code for code, _most in codes}) == 300
    assert {(code[:4], len(code), most) for code, most in codes} == {("FALL", 16, 1)}
    assert set("".join(code[4:] for code, _most in codes)) <= set(coupons.ALPHABET)
    assert (batch.size, batch.created_by) == (300, MAKER.label)


@pytest.mark.parametrize(("size", "prefix"), [(0, ""), (100_001, ""), (1, "X" * 29)])
def test_a_batch_that_is_not_possible_is_refused_whole(promotion, size, prefix):
    with pytest.raises(NotACoupon):
        coupons.make_batch(promotion, Wanted("x", size, prefix), actor=MAKER, at=NOON)
    assert (CouponBatch.objects.count(), Coupon.objects.count()) == (0, 0)


def test_a_shared_code_is_kept_in_upper_case_and_exists_once(promotion):
    coupon = coupons.make_shared(promotion, code=" six-18 ", most_uses=5)
    assert (coupon.code, coupon.most_uses) == ("SIX18", 5)
    with pytest.raises(NotACoupon):
        coupons.make_shared(promotion, code="SIX 18")
    assert Coupon.objects.get().most_uses == 5


@pytest.mark.parametrize(("code", "most"), [(" - ", None), ("A", 0)])
def test_a_shared_code_that_is_not_possible_is_refused(promotion, code, most):
    with pytest.raises(NotACoupon):
        coupons.make_shared(promotion, code=code, most_uses=most)
    assert not Coupon.objects.exists()


def test_codes_are_read_whatever_their_case_and_spaces():
    assert coupons.known_codes([" six-18", "SIX 18", "", "b"]) == ["SIX18", "B"]
