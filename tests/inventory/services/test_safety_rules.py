"""A rule is drafted, looked at, published, replaced and retired; a refused deed changes nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory.models import Category, SafetyChange, SafetyRule, StockLevel
from inventory.queries import safety as looks
from inventory.queries.safety import LevelChange, NodeSum
from inventory.services import reservations, safety, safety_rules
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.services.safety_rules import Applied
from inventory.statuses import SkuKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def shop():
    """Cups 100 + 11 and pots 40 at SH and WH; three of WH's cups are reserved."""
    cup, pot = company.sku("CUP"), company.sku("POT")
    pot.category = Category.objects.create(code="pots", name="锅")
    pot.save()
    here, there = company.node("SH"), company.node("WH", "42")
    for sku, node, units in ((cup, here, 100), (pot, here, 40), (cup, there, 11)):
        company.stock(sku, node, units)
    wants = (Want("P1", "P1", cup.pk, there.pk, 3),)
    reservations.reserve(Claim("O1", wants), at=NOON)
    return cup, pot, here, there


def draft(**columns):
    values = {"name": "Buffer", "kind": "fixed", "amount": Decimal(5)} | columns
    return safety_rules.save_draft(SafetyRule(**values), reason="peak", actor=TESTER, at=NOON)


def publish(rule, **told):
    return safety_rules.publish(rule.pk, **({"reason": "peak", "actor": TESTER, "at": NOON} | told))


def retire(rule, at=NOON):
    return safety_rules.retire(rule.pk, reason="over", actor=TESTER, at=at)


def kept():
    return list(StockLevel.objects.order_by("pk").values_list("safety_stock", flat=True))


def state():
    """Return everything that a refused deed must leave alone."""
    rules = SafetyRule.objects.order_by("pk").values_list("pk", "status", "amount", "published_at", "retired_at")
    return list(rules), kept(), SafetyChange.objects.count(), SafetyRule.history.count()


def refused(deed):
    before = state()
    with pytest.raises(RowsRefused) as caught:
        deed()
    assert state() == before
    return [str(row.reason) for row in caught.value.rows]


# -- drafts ----------------------------------------------------------------------------------------


def test_a_draft_changes_no_level_and_keeps_who_and_why(shop):
    rule = draft()
    assert (rule.status, rule.created_by, rule.created_at, kept()) == ("draft", "person:tester", NOON, [0, 0, 0])
    assert list(rule.history.values_list("history_change_reason", flat=True)) == ["person:tester: peak"]
    rule.amount = Decimal(6)
    safety_rules.save_draft(rule, reason="more", actor=TESTER, at=NOON)
    assert list(rule.history.order_by("pk").values_list("amount", "history_change_reason")) == [
        (5, "person:tester: peak"), (6, "person:tester: more"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"amount": Decimal("-1")}, "The amount cannot be negative."),
        ({"amount": Decimal("0.5")}, "Units are whole numbers."),
        ({"kind": "percent", "amount": Decimal(101)}, "More than 100 per cent cannot be kept back."),
        ({"starts_at": NOON, "ends_at": NOON - HOUR}, "The rule would end before it begins."),
    ],
)
def test_bad_input_is_refused(shop, columns, words):
    assert refused(lambda: draft(**columns)) == [words]


def test_a_rule_for_a_bundle_is_refused(shop):
    box = company.sku("BOX", parts={shop[0]: 2})
    assert box.kind == SkuKind.BUNDLE
    assert refused(lambda: draft(sku=box)) == ["A bundle has no stock of its own: choose its parts."]


def test_a_live_rule_is_not_edited(shop):
    rule = draft()
    publish(rule)
    rule.refresh_from_db()
    rule.amount = Decimal(50)
    said = refused(lambda: safety_rules.save_draft(rule, reason="more", actor=TESTER, at=NOON))
    assert said == ["Only a draft can be changed. Copy the rule instead."]


# -- publishing and retiring -----------------------------------------------------------------------


def test_publishing_says_who_when_and_why(shop):
    rule = draft()
    assert publish(rule, reason="eleven") == Applied(3)
    rule.refresh_from_db()
    assert (rule.status, rule.published_at, rule.published_by) == ("live", NOON, "person:tester")
    assert rule.history.first().history_change_reason == "person:tester: eleven"
    assert retire(rule, NOON + HOUR) == Applied(3)
    rule.refresh_from_db()
    assert (rule.status, rule.retired_at, kept()) == ("retired", NOON + HOUR, [0, 0, 0])


def test_only_drafts_are_published_and_only_live_rules_retired(shop):
    rule = draft()
    assert refused(lambda: retire(rule)) == ["Only a live rule can be retired."]
    publish(rule)
    assert refused(lambda: publish(rule)) == ["Only a draft can be published."]
    retire(rule)
    assert refused(lambda: retire(rule)) == ["Only a live rule can be retired."]


def test_a_rule_whose_time_is_over_is_not_published(shop):
    rule = draft(ends_at=NOON)
    assert refused(lambda: publish(rule)) == ["The time of this rule is over. Choose a later end."]


def test_a_copy_takes_the_place_of_the_live_rule_in_one_step(shop):
    cup, _pot, here, _there = shop
    old = draft(sku=cup)
    publish(old)
    fresh = safety_rules.copy(old.pk, actor=TESTER, at=NOON + HOUR)
    assert (fresh.pk != old.pk, fresh.status, fresh.published_at, fresh.amount) == (True, "draft", None, 5)
    assert fresh.history.get().history_change_reason == f"person:tester: copy of no. {old.pk}"
    fresh.amount, fresh.node = Decimal(2), here  # narrower: the other cups are set free
    safety_rules.save_draft(fresh, reason="less", actor=TESTER, at=NOON + HOUR)
    assert publish(fresh, replaces=old.pk, at=NOON + HOUR) == Applied(2)
    assert kept() == [2, 0, 0]
    old.refresh_from_db()
    assert (old.status, old.retired_at) == ("retired", NOON + HOUR)
    assert old.history.first().history_change_reason == f"person:tester: replaced by no. {fresh.pk}"


def test_what_is_not_live_is_not_replaced(shop):
    old, fresh = draft(), draft()
    said = refused(lambda: publish(fresh, replaces=old.pk))
    assert said == ["The rule to be replaced is not live any more."]


def test_the_rule_of_the_same_name_for_the_same_levels_is_the_one_to_be_replaced(shop):
    cup, _pot, here, _there = shop
    same, other, wide = draft(sku=cup), draft(sku=cup, name="Other"), draft()
    for rule in (same, other, wide):
        publish(rule)
    fresh = safety_rules.copy(same.pk, actor=TESTER, at=NOON)
    assert safety_rules.replaceable(fresh) == [same, other]
    assert safety_rules.replaced_by(fresh) == same
    fresh.node = here
    assert (safety_rules.replaceable(fresh), safety_rules.replaced_by(fresh)) == ([], None)


def test_a_rule_for_very_many_levels_leaves_them_to_the_refresh(shop, monkeypatch):
    monkeypatch.setattr(safety_rules, "MOST_AT_ONCE", 2)
    wide = draft()
    assert publish(wide) == Applied(0, is_under_way=True)
    assert (kept(), looks.effect(wide, at=NOON).late) == ([0, 0, 0], 3)
    assert safety.refresh(at=NOON) == 3
    assert (kept(), looks.effect(wide, at=NOON).late) == ([5, 5, 5], 0)
    assert publish(draft(sku=shop[0], amount=Decimal(6))) == Applied(2)


# -- preview ---------------------------------------------------------------------------------------


def test_a_preview_says_what_would_change_and_writes_nothing(shop):
    cup, pot, here, there = shop
    publish(draft(name="Pots", category=pot.category, amount=Decimal(12)))
    safety.set_own({(cup.pk, there.pk): 9}, actor=TESTER, at=NOON)
    rule, before = draft(node=None, amount=Decimal(8)), state()
    effect = looks.effect(rule, at=NOON)
    assert (effect.levels, effect.changed, effect.kept_back, effect.set_free) == (3, 2, 8, 1)
    assert (effect.empty, effect.newly_empty, effect.late) == (1, 0, 0)  # WH: 8 free, 9 or 8 kept back
    assert effect.largest == (LevelChange(cup.pk, here.pk, 0, 8, 100), LevelChange(cup.pk, there.pk, 9, 8, 8))
    assert effect.nodes == (NodeSum(here.pk, 12, 20), NodeSum(there.pk, 9, 8))
    assert state() == before
    publish(rule)
    assert kept() == [8, 12, 8]
    assert looks.effect(rule, at=NOON).changed == 2  # of a live rule: what it changes


def test_a_preview_counts_the_levels_that_would_sell_out(shop):
    effect = looks.effect(draft(amount=Decimal(8)), at=NOON)
    assert (effect.changed, effect.empty, effect.newly_empty) == (3, 1, 1)


def test_a_preview_of_a_later_rule_looks_at_its_beginning(shop):
    rule = draft(starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    publish(draft(name="Soon", amount=Decimal(3), starts_at=NOON + HOUR), at=NOON - HOUR)
    effect = looks.effect(rule, at=NOON)
    assert (effect.at, effect.changed, effect.kept_back, effect.late) == (NOON + HOUR, 3, 6, 0)


def test_a_preview_of_a_copy_counts_from_the_rule_it_replaces(shop):
    cup, _pot, here, _there = shop
    old = draft(sku=cup)
    publish(old)
    fresh = draft(sku=cup, node=here, amount=Decimal(7))
    effect = looks.effect(fresh, at=NOON, replaces=old)
    assert (effect.levels, effect.kept_back, effect.set_free) == (2, 2, 5)


def test_a_preview_shows_the_largest_changes_only(shop, monkeypatch):
    monkeypatch.setattr(looks, "SHOWN", 2)
    effect = looks.effect(draft(kind="percent", amount=Decimal(10)), at=NOON)
    assert [(one.before, one.after) for one in effect.largest] == [(0, 10), (0, 4)]
    assert (effect.changed, effect.kept_back) == (3, 16)
