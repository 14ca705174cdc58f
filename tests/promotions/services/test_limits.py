"""Scarce numbers of promotions: exactly as many as there are, given back when they may be; races with a control."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from promotions.models import Allowance, Coupon, Promotion, Redemption
from promotions.rules.rewards import FreeShipping
from promotions.rules.rule import Limits, Rule
from promotions.services import limits
from promotions.services.limits import Taking
from tests.promotions.services import scenes
from tests.races import race
from tests.small_company import NOON

THREADS, TRIES = 10, 50  # 500 redemptions


def promotion(**columns):
    row = Promotion.objects.create(code="P", name="P", created_at=NOON)
    Allowance.objects.create(promotion=row, **columns)
    return row


def taking(row, number, amount="8.00", **more):
    return Taking(f"JD-{number}", "JD", row.pk, 1, Decimal(amount), **more)


def counted():
    row = Allowance.objects.get(buyer="")
    return row.uses, row.amount


@pytest.mark.django_db
def test_what_is_taken_is_counted_and_in_the_ledger():
    row = promotion(most_uses=5, budget=Decimal(100))
    assert limits.take([taking(row, 1), taking(row, 2, "3.50")], at=NOON) == []
    assert counted() == (2, Decimal("11.50"))
    assert sorted(Redemption.objects.values_list("reference", "amount", "status")) == [
        ("JD-1", Decimal("8.00"), "reserved"), ("JD-2", Decimal("3.50"), "reserved"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_last_use_is_given_once_within_one_call():
    row = promotion(most_uses=1)
    wanted = [taking(row, 1), taking(row, 2)]
    assert limits.take(wanted, at=NOON) == wanted[1:]
    assert counted() == (1, Decimal("8.00"))
    assert list(Redemption.objects.values_list("reference", flat=True)) == ["JD-1"]


@pytest.mark.django_db
def test_a_dear_order_that_the_budget_does_not_cover_leaves_room_for_a_cheap_one():
    row = promotion(budget=Decimal(10))
    wanted = [taking(row, 1, "8.00"), taking(row, 2, "8.00"), taking(row, 3, "2.00")]
    assert limits.take(wanted, at=NOON) == [wanted[1]]
    assert counted() == (2, Decimal("10.00"))


@pytest.mark.django_db
def test_a_buyer_has_a_limit_of_their_own():
    row = promotion()
    wanted = [taking(row, number, buyer="JD:b-1", most_of_a_buyer=2) for number in (1, 2, 3)]
    other = taking(row, 4, buyer="JD:b-2", most_of_a_buyer=2)
    assert limits.take([*wanted, other], at=NOON) == [wanted[2]]
    assert dict(Allowance.objects.exclude(buyer="").values_list("buyer", "uses")) == {"JD:b-1": 2, "JD:b-2": 1}


@pytest.mark.django_db
def test_a_coupon_that_was_switched_off_is_refused():
    row = promotion()
    coupon = Coupon.objects.create(code="C", promotion=row, is_active=False)
    wanted = [taking(row, 1, coupon_id=coupon.pk)]
    assert limits.take(wanted, at=NOON) == wanted
    assert not Redemption.objects.exists()


@pytest.mark.django_db
def test_released_takings_come_back_and_may_be_taken_again():
    row = promotion(most_uses=1, budget=Decimal(8))
    coupon = Coupon.objects.create(code="C", promotion=row, most_uses=1)
    wanted = taking(row, 1, buyer="JD:b", most_of_a_buyer=1, coupon_id=coupon.pk)
    limits.take([wanted], at=NOON)
    assert limits.release(["JD-1"], at=NOON) == 1
    assert limits.release(["JD-1"], at=NOON) == 0
    assert (counted(), Coupon.objects.get().taken) == ((0, Decimal(0)), 0)
    assert Allowance.objects.get(buyer="JD:b").uses == 0
    assert limits.take([replace(wanted, reference="JD-2")], at=NOON) == []
    assert dict(Redemption.objects.values_list("reference", "status")) == {"JD-1": "released", "JD-2": "reserved"}


@pytest.mark.django_db
def test_a_rule_that_keeps_its_uses_gives_nothing_back_unless_the_order_is_priced_again():
    rule = Rule(reward=FreeShipping(), limits=Limits(most_uses=5), returns_uses=False)
    version = scenes.live("P", rule)
    limits.take([taking(version.promotion, 1)], at=NOON)
    assert limits.release(["JD-1"], at=NOON) == 0
    assert counted() == (1, Decimal(8))
    assert limits.undo(["JD-1"], at=NOON) == 1
    assert counted() == (0, Decimal(0))


@pytest.mark.django_db
def test_what_was_taken_before_a_limit_existed_is_not_given_back_from_it():
    row = promotion()
    limits.take([taking(row, 1)], at=NOON)
    Allowance.objects.update(most_uses=3)
    limits.release(["JD-1"], at=NOON)
    assert counted() == (0, Decimal(0))


@pytest.mark.django_db
def test_paid_orders_have_used_what_they_reserved():
    row = promotion(most_uses=5)
    limits.take([taking(row, 1), taking(row, 2)], at=NOON)
    assert limits.commit(["JD-1", "JD-9"], at=NOON) == 1
    assert dict(Redemption.objects.values_list("reference", "status")) == {"JD-1": "committed", "JD-2": "reserved"}


@pytest.mark.django_db
def test_the_database_itself_refuses_too_much():
    row = promotion(most_uses=1, budget=Decimal(10))
    Coupon.objects.create(code="C", promotion=row, most_uses=1)
    for rows, change in (
        (Allowance, {"uses": 2}), (Allowance, {"amount": Decimal("10.01")}), (Coupon, {"taken": 2}),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.objects.update(**change)
    assert counted() == (0, Decimal(0))


@pytest.mark.django_db
def test_a_call_costs_the_same_queries_however_many_takings(django_assert_num_queries):
    row = promotion(most_uses=500)
    coupon = Coupon.objects.create(code="C", promotion=row)
    for first, count in ((0, 1), (1, 100)):
        wanted = [taking(row, number, buyer=f"JD:{number}", most_of_a_buyer=1, coupon_id=coupon.pk)
                  for number in range(first, first + count)]  # fmt: skip
        with django_assert_num_queries(10):  # with the savepoint around it and around the buyers' rows
            assert limits.take(wanted, at=NOON) == []


def _try_many(row, coupon_id, thread):
    """Take in batches of five, as the pipeline does."""
    refused = 0
    for start in range(0, TRIES, 5):
        wanted = [taking(row, f"{thread}-{start + place}", coupon_id=coupon_id) for place in range(5)]
        refused += len(limits.take(wanted, at=NOON))
    return refused


@pytest.mark.django_db(transaction=True)
def test_500_parallel_redemptions_of_a_coupon_limited_to_100_are_exactly_100():
    row = promotion()
    coupon = Coupon.objects.create(code="C", promotion=row, most_uses=100)
    refused = race([partial(_try_many, row, coupon.pk, thread) for thread in range(THREADS)])
    assert sum(refused) == 400
    assert (Coupon.objects.get().taken, Redemption.objects.count()) == (100, 100)


@pytest.mark.django_db(transaction=True)
def test_500_parallel_redemptions_of_a_budget_worth_100_orders_are_exactly_100():
    row = promotion(budget=Decimal(800))
    refused = race([partial(_try_many, row, None, thread) for thread in range(THREADS)])
    assert sum(refused) == 400
    assert (counted(), Redemption.objects.count()) == ((100, Decimal("800.00")), 100)


def _read_then_write(coupon_id, row, thread):
    """What everybody writes first: look, then count up. The control of the race."""
    taken = 0
    for number in range(TRIES):
        coupon = Coupon.objects.get(pk=coupon_id)
        if coupon.most_uses is not None and coupon.taken < coupon.most_uses:
            Coupon.objects.filter(pk=coupon_id).update(taken=coupon.taken + 1)
            limits.rows.insert([limits._redemption(taking(row, f"{thread}-{number}"), NOON)])
            taken += 1
    connection.close()
    return taken


@pytest.mark.django_db(transaction=True)
def test_looking_first_and_counting_afterwards_gives_too_many():
    row = promotion()
    coupon = Coupon.objects.create(code="C", promotion=row, most_uses=100)
    given = race([partial(_read_then_write, coupon.pk, row, thread) for thread in range(THREADS)])
    assert sum(given) == Redemption.objects.count()
    assert sum(given) > 100


@pytest.mark.django_db(transaction=True)
def test_taking_and_giving_back_at_the_same_time_ends_where_the_ledger_is():
    row = promotion(most_uses=40, budget=Decimal(400))

    def work(thread):
        for number in range(20):
            limits.take([taking(row, f"{thread}-{number}")], at=NOON)
            if number % 3 == 0:
                limits.release([f"JD-{thread}-{number}"], at=NOON)

    errors = [result for result in race([partial(work, thread) for thread in range(8)]) if result is not None]
    assert errors == []
    held = Counter(Redemption.objects.values_list("status", flat=True))["reserved"]
    assert counted() == (held, Decimal(8) * held)
    assert held == Allowance.objects.filter(uses__lte=F("most_uses")).get(buyer="").uses
