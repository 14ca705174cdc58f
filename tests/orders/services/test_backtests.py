"""A version tried on past orders: figures to the cent against what is live, nothing written, stopped when asked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from audit.models import ApprovalRequest
from audit.models.sentences import render
from audit.services import versions
from audit.services.versions import Deed, Text
from orders.models import Backtest, Order, OrderLine, OrderPricing
from orders.services import backtests
from orders.services.backtests import NotTried
from promotions.models import PromotionVersion, Redemption
from promotions.rules import rule as rules
from promotions.rules.conditions import Amount
from promotions.rules.goods import Goods
from promotions.rules.rewards import BuyGet, Gift, Item, SpendAndSave, Step
from promotions.rules.rule import Rule
from promotions.services.promotions import GOVERNED
from tests import small_company as company
from tests.orders.services import scenes
from tests.promotions.services.scenes import live, person, submitted
from tests.small_company import NOON, TESTER, order_message

pytestmark = pytest.mark.django_db
SAVE_5 = SpendAndSave((Step(Decimal(20), Decimal(5)),))


@pytest.fixture
def shop(hub):
    """Three orders on a channel that we price: 10, 20 and 30, a cup costs us 4."""
    hub.channel.is_priced_here = True
    hub.channel.save()
    hub.cup.unit_cost = Decimal("4.00")
    hub.cup.save()
    hub.take(
        order_message("1", {"CUP": 1}),
        order_message("2", {"CUP": 2}),
        order_message("3", {"CUP": 3}, address=scenes.address("广东省", "广州市")),
    )
    return hub


def tried(version, **more):
    row = backtests.ask(version, actor=TESTER, at=NOON, **more)
    assert backtests.run_waiting(at=lambda: NOON) == 1
    row.refresh_from_db()
    return row


def everything():
    return scenes.everything() | {
        model.__name__: list(model.objects.order_by("pk").values()) for model in (OrderPricing, Redemption)
    }


def test_a_back_test_counts_to_the_cent_and_changes_nothing(shop):
    version = submitted("SAVE", Rule(reward=SAVE_5))
    before = everything()
    row = tried(version)
    assert everything() == before
    assert (row.status, row.orders_total, row.orders_done, row.finished_at) == ("done", 3, 3, NOON)
    assert row.result["without"] == {
        "orders": 3, "hit": 0, "discount": "0.00", "revenue": "60.00", "margin": "36.00", "gifts": {},
    }  # fmt: skip
    assert row.result["with"] == {
        "orders": 3, "hit": 2, "discount": "10.00", "revenue": "50.00", "margin": "26.00", "gifts": {},
    }  # fmt: skip
    assert {place: pair[1]["hit"] for place, pair in row.result["regions"].items()} == {"31": 1, "44": 1}
    assert [pair[1]["orders"] for pair in row.result["channels"].values()] == [3]
    assert [example["after"] for example in row.result["examples"]] == ["15.00", "25.00"]


def test_the_version_stands_in_the_place_of_what_is_live_of_its_promotion(shop):
    live("SAVE", Rule(reward=SAVE_5))
    better = submitted("SAVE", Rule(reward=SpendAndSave((Step(Decimal(30), Decimal(6)),))))
    result = tried(better).result
    assert [result[side]["discount"] for side in ("without", "with")] == ["10.00", "6.00"]


def test_gifts_that_would_be_needed_are_set_against_stock_and_cost(shop):
    gift = company.sku("GIFT")
    gift.unit_cost = Decimal("1.50")
    gift.save()
    company.stock(gift, shop.near, 5)
    version = submitted("GIVE", Rule(reward=BuyGet(Goods(skus=("CUP",)), (Item("GIFT", 2),))))
    row = tried(version)
    assert (row.result["with"]["gifts"], row.result["gift_stock"]) == ({"GIFT": 12}, {"GIFT": [12, 5]})
    assert (row.result["without"]["margin"], row.result["with"]["margin"]) == ("36.00", "18.00")


def test_orders_are_replayed_as_the_channel_sold_them(shop):
    """What our own rules took off and added is not part of what is replayed."""
    company.stock(company.sku("GIFT"), shop.near, 5)
    live("SAVE", Rule(reward=SAVE_5))
    live("GIVE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(at_least=Decimal(30))))
    shop.take(order_message("4", {"CUP": 4}))
    assert OrderLine.objects.filter(order__external_id="4").count() == 2
    comparison = backtests.try_rule(Rule(reward=SAVE_5), "OTHER", order_numbers=["JD-4"])
    assert (comparison.without.revenue, comparison.within.revenue) == (Decimal("35.00"), Decimal("30.00"))


def test_only_the_days_asked_for_and_no_cancelled_orders_count(shop):
    Order.objects.filter(external_id="1").update(placed_at=NOON - timedelta(days=9))
    Order.objects.filter(external_id="2").update(cancelled_at=NOON)
    assert tried(submitted("SAVE", Rule(reward=SAVE_5)), days=7).result["with"]["orders"] == 1


def told(version):
    effect = backtests.effect(version)
    return [str(words) for words in effect.told], effect.is_tried


def asked_of_approvers():
    return [render(words) for words in ApprovalRequest.objects.get().effect]


FOUND = [
    "Of 3 orders from 2026-10-03 to 2026-11-02 it would have applied to 2.",
    "It would have taken 10.00 more off; the margin would have changed by -10.00.",
]


def test_the_effect_is_told_to_approvers_also_of_a_trial_made_while_they_wait(shop):
    version = submitted("SAVE", Rule(reward=SAVE_5))
    assert told(version) == (["It was not tried on past orders yet."], False)
    assert asked_of_approvers() == ["It was not tried on past orders yet."]
    backtests.ask(version, actor=TESTER, at=NOON)
    assert told(version) == (["It is being tried on past orders now."], False)
    backtests.run_waiting(at=lambda: NOON)
    assert told(version) == (FOUND, True)
    assert asked_of_approvers() == FOUND


def test_a_trial_of_what_it_said_before_does_not_count(shop):
    version = submitted("SAVE", Rule(reward=SAVE_5))
    tried(version)
    deed = Deed(person("author"), NOON, "more")
    versions.withdraw(GOVERNED, version.pk, deed)
    other = Text(rules.to_json(Rule(reward=SpendAndSave((Step(Decimal(30), Decimal(6)),)))))
    changed = versions.edit(GOVERNED, version.pk, other, deed, read_digest=version.digest)
    assert told(changed) == (["It has changed since it was tried on past orders. Try it again."], False)
    again = versions.edit(GOVERNED, version.pk, Text(version.body), deed, read_digest=changed.digest)
    assert told(again) == (FOUND, True)


def test_a_trial_says_nothing_of_another_promotions_version_of_the_same_number(shop):
    tried(submitted("SAVE", Rule(reward=SAVE_5)))
    assert told(submitted("OTHER", Rule(reward=SAVE_5))) == (["It was not tried on past orders yet."], False)


def test_a_back_test_that_breaks_is_marked_as_failed_and_the_next_one_is_done(shop):
    broken = submitted("BAD", Rule(reward=SAVE_5))
    body = broken.body
    bad, good = (backtests.ask(one, actor=TESTER, at=NOON) for one in (broken, submitted("GOOD", Rule(reward=SAVE_5))))
    write_past_the_services(broken, {"reward": {"is": "magic"}})
    assert backtests.run_waiting(at=lambda: NOON) == 2
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.result, bad.finished_at, good.status) == ("failed", {}, NOON, "done")
    assert render(bad.why) == "The rule cannot be read: Invalid value 'magic' - at `$.reward.is`"
    assert told(broken) == ([f"The trial on past orders failed: {render(bad.why)}"], False)
    write_past_the_services(broken, body)
    assert backtests.again(bad.pk, actor=TESTER, at=NOON).status == "waiting"
    assert backtests.run_waiting(at=lambda: NOON) == 1
    bad.refresh_from_db()
    assert (bad.status, bad.why, bad.result["with"]["hit"]) == ("done", {}, 2)


def write_past_the_services(version, body):
    """Change what never changes, as a damaged row would be: the trigger of versions stands aside for that."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        PromotionVersion.objects.filter(pk=version.pk).update(body=body)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_only_one_that_failed_or_was_stopped_is_tried_again(shop):
    row = backtests.ask(submitted("SAVE", Rule(reward=SAVE_5)), actor=TESTER, at=NOON)
    for status in ("waiting", "running", "done"):
        Backtest.objects.update(status=status)
        with pytest.raises(NotTried):
            backtests.again(row.pk, actor=TESTER, at=NOON)
        assert Backtest.objects.get().status == status


def test_one_is_not_tried_again_beside_another_of_the_same_version(shop):
    version = submitted("SAVE", Rule(reward=SAVE_5))
    row = backtests.ask(version, actor=TESTER, at=NOON)
    backtests.stop(row.pk, at=NOON)
    backtests.ask(version, actor=TESTER, at=NOON)
    with pytest.raises(NotTried):
        backtests.again(row.pk, actor=TESTER, at=NOON)
    assert sorted(Backtest.objects.values_list("status", flat=True)) == ["stopped", "waiting"]


def test_a_stopped_back_test_is_not_worked_on(shop):
    row = backtests.ask(submitted("SAVE", Rule(reward=SAVE_5)), actor=TESTER, at=NOON)
    assert backtests.stop(row.pk, at=NOON)
    assert backtests.run_waiting(at=lambda: NOON) == 0
    row.refresh_from_db()
    assert (row.status, row.result) == ("stopped", {})
    assert not backtests.stop(row.pk, at=NOON)


def test_a_back_test_whose_worker_died_is_begun_again(shop):
    row = backtests.ask(submitted("SAVE", Rule(reward=SAVE_5)), actor=TESTER, at=NOON)
    Backtest.objects.update(status="running", orders_done=1)
    assert backtests.run_waiting(at=lambda: NOON) == 1
    row.refresh_from_db()
    assert (row.status, row.orders_done) == ("done", 3)


@pytest.mark.parametrize("days", [0, 401])
def test_a_time_that_is_not_possible_is_refused(shop, days):
    with pytest.raises(NotTried):
        backtests.ask(submitted("SAVE", Rule(reward=SAVE_5)), days=days, actor=TESTER, at=NOON)
    assert not Backtest.objects.exists()


def test_a_version_is_tried_once_at_a_time(shop):
    version = submitted("SAVE", Rule(reward=SAVE_5))
    backtests.ask(version, actor=TESTER, at=NOON)
    with pytest.raises(NotTried):
        backtests.ask(version, actor=TESTER, at=NOON)
    assert Backtest.objects.count() == 1


def test_ten_newest_orders_are_tried_at_once_with_the_reason_for_each(shop):
    comparison = backtests.try_on(submitted("SAVE", Rule(reward=SAVE_5)))
    assert [(one["order"], one["outcome"], one["after"]) for one in comparison.examples] == [
        ("JD-1", "nothing_left", "10.00"), ("JD-2", "applied", "15.00"), ("JD-3", "applied", "25.00"),
    ]  # fmt: skip
