"""People publish while others publish and buyers buy: the last one to hold a level's lock has seen every rule."""

import random
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from inventory.models import SafetyChange, SafetyRule, StockLevel
from inventory.queries import safety as looks
from inventory.services import movements, safety, safety_rules
from inventory.services.movements import Movement
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


@pytest.fixture
def level():
    cup, here = company.sku("CUP"), company.node("SH")
    company.stock(cup, here, 100)
    return cup, here


def draft(amount, **columns):
    rule = SafetyRule(name=f"{amount} units", amount=Decimal(amount), **columns)
    return safety_rules.save_draft(rule, reason="peak", actor=TESTER, at=NOON)


def publish(rule):
    return safety_rules.publish(rule.pk, reason="peak", actor=TESTER, at=NOON)


def test_control_rules_read_before_the_lock_leave_what_no_rule_asks_for(level):
    """Whoever comes last writes what it knew; in one of the two orders that is not what both rules say."""
    told = set()
    for last in ("narrow", "wide"):
        SafetyRule.objects.all().delete()
        rules = {"wide": draft(5), "narrow": draft(2, sku=level[0])}
        first = next(name for name in rules if name != last)
        both_have_read, first_is_done = Barrier(2), Barrier(2)

        def run(name, rules=rules, first=first, both=both_have_read, done=first_is_done):
            with transaction.atomic():
                SafetyRule.objects.filter(pk=rules[name].pk).update(status="live", published_at=NOON)
                book = looks.rules_at(NOON)
                both.wait(PATIENCE)
                if name != first:
                    done.wait(PATIENCE)
                [found] = looks.levels("TRUE", (), books=(book,), at=NOON)
                StockLevel.objects.filter(pk=found.level_id).update(safety_stock=book.units(found.place))
            if name == first:
                done.wait(PATIENCE)

        assert race([partial(run, name) for name in rules]) == [None, None]
        told.add((StockLevel.objects.get().safety_stock, looks.rules_at(NOON).units(_place())))
    assert told == {(2, 2), (5, 2)}


def _place():
    [found] = looks.levels("TRUE", (), books=(), at=NOON)
    return found.place


def test_rules_published_at_the_same_moment_are_both_seen(level):
    for _round in range(ROUNDS):
        SafetyChange.objects.all().delete()
        SafetyRule.objects.all().delete()
        StockLevel.objects.update(safety_stock=0)
        rules = [draft(5), draft(2, sku=level[0]), draft(3, node=level[1])]
        random.shuffle(rules)
        outcomes = race([partial(publish, rule) for rule in rules])
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert StockLevel.objects.get().safety_stock == 2
        newest = SafetyChange.objects.order_by("-pk").first()
        assert newest.after == 2
        _assert_changes_follow_each_other()


def test_refreshing_publishing_and_selling_at_once_leaves_every_figure_explained(level):
    cup, here = level
    far = company.node("WH", "42")
    lids = [company.sku(f"LID{n}") for n in range(6)]
    for sku in (cup, *lids):
        for node in (here, far):
            company.stock(sku, node, 200)
    rules = [draft(10, kind="percent"), draft(7, node=far), draft(1, sku=lids[0])]

    def sell(number):
        for turn in range(10):
            places = [(sku, node) for sku in (cup, *lids) for node in (here, far)]
            random.shuffle(places)
            moves = [Movement(f"{number}/{turn}/{sku.pk}/{node.pk}", sku.pk, node.pk, MovementKind.SHIPMENT, -1)
                     for sku, node in places[:5]]  # fmt: skip
            movements.record(moves, actor=TESTER, at=NOON)

    def refresh():
        for _turn in range(5):
            safety.refresh(at=NOON)

    runners = [partial(publish, rule) for rule in rules] + [partial(sell, n) for n in range(3)] + [refresh, refresh]
    outcomes = race(runners)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    safety.refresh(at=NOON)
    book = looks.rules_at(NOON)
    figures = [(found.kept, book.units(found.place)) for found in looks.levels("TRUE", (), books=(book,), at=NOON)]
    assert len(figures) == 14
    assert [kept for kept, _asked in figures] == [asked for _kept, asked in figures]
    _assert_changes_follow_each_other()


def _assert_changes_follow_each_other():
    """Each change begins where the one before it ended, and the last one is what the level says."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FILTER (WHERE change.before <> coalesce(change.was, 0)),
                   count(*) FILTER (WHERE change.is_last AND change.after <> level.safety_stock)
              FROM (SELECT sku_id, node_id, before, after, lag(after) OVER told AS was,
                           lead(id) OVER told IS NULL AS is_last
                      FROM inventory_safetychange WINDOW told AS (PARTITION BY sku_id, node_id ORDER BY id)) AS change
              JOIN inventory_stocklevel AS level USING (sku_id, node_id)
        """)
        assert cursor.fetchone() == (0, 0)
