"""Which rule decides about a level, and what it asks for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.safety import MOST_UNITS, Book, Place, Rule, complaints, fits

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
CUP, CUPS, SH = 7, 3, 2
HERE = Place(sku_id=CUP, category_id=CUPS, node_id=SH, on_hand=101, own=4, gone=56)


def rule(number=1, *, kind="fixed", amount="5", scope=(None, None, None), **times):
    return Rule(number, kind, Decimal(amount), scope, **times)


def winner(*rules, place=HERE, at=NOON):
    won = Book.of(rules, at).winner(place)
    return won.rule_id if won else None


NARROW_TO_WIDE = [
    (CUP, None, SH),
    (CUP, None, None),
    (None, CUPS, SH),
    (None, CUPS, None),
    (None, None, SH),
    (None, None, None),
]


@pytest.mark.parametrize("place", range(5), ids=["sku@node", "sku", "category@node", "category", "node"])
def test_the_narrowest_rule_decides(place):
    rules = [rule(number, scope=scope, published_at=NOON + timedelta(days=number))
             for number, scope in enumerate(NARROW_TO_WIDE)]  # fmt: skip
    assert winner(*rules[place:]) == place
    assert winner(*reversed(rules[place:])) == place


def test_of_two_alike_the_later_published_decides_and_then_the_later_made():
    early, late = (rule(n, published_at=NOON - timedelta(hours=h)) for n, h in ((9, 2), (1, 1)))
    assert winner(early, late) == winner(late, early) == 1
    assert winner(rule(4, published_at=NOON), rule(5, published_at=NOON)) == 5


@pytest.mark.parametrize(
    "scope", [(8, None, None), (None, 4, None), (None, None, 1), (CUP, None, 1), (8, None, SH), (None, CUPS, 1)]
)
def test_a_rule_for_others_does_not_fit(scope):
    assert winner(rule(scope=scope)) is None
    assert not fits(scope, HERE)
    assert Book.of([rule(scope=scope)], NOON).units(HERE) == 4


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [(None, None, True), (0, None, True), (1, None, False), (None, 0, False), (None, 1, True), (-1, 1, True)],
    ids=["always", "begins now", "not yet", "just over", "ends soon", "in the middle"],
)
def test_a_rule_holds_from_its_start_on_and_no_longer_at_its_end(starts, ends, holds):
    times = {
        name: NOON + timedelta(seconds=n) for name, n in (("starts_at", starts), ("ends_at", ends)) if n is not None
    }
    assert (winner(rule(**times)) == 1) is holds


def test_a_wider_rule_decides_when_the_narrow_one_is_outside_its_time():
    assert winner(rule(1, scope=(CUP, None, SH), ends_at=NOON), rule(2)) == 2


@pytest.mark.parametrize(
    ("kind", "amount", "on_hand", "gone", "units"),
    [
        ("fixed", "0", 100, 0, 0),
        ("fixed", "12", 3, 0, 12),
        ("percent", "10", 100, 0, 10),
        ("percent", "10", 101, 0, 11),
        ("percent", "0.5", 1, 0, 1),
        ("percent", "33.33", 3, 0, 1),
        ("percent", "100", 7, 0, 7),
        ("percent", "10", 0, 9, 0),
        ("days", "3", 0, 28, 3),
        ("days", "3", 0, 29, 4),
        ("days", "2.5", 0, 56, 5),
        ("days", "7", 99, 0, 0),
        ("days", "7", 0, -5, 0),
        ("days", "366", 0, 10**12, MOST_UNITS),
    ],
)
def test_what_a_rule_asks_for(kind, amount, on_hand, gone, units):
    assert rule(kind=kind, amount=amount).asks_for(on_hand, gone) == units


def test_a_level_without_a_rule_keeps_its_own_figure():
    assert Book.of([], NOON).units(HERE) == 4
    assert Book.of([rule(amount="0")], NOON).units(HERE) == 0


def test_only_days_of_cover_need_what_left():
    assert Book.of([rule(kind="days")], NOON).needs_gone
    assert not Book.of([rule(kind="percent"), rule(kind="days", ends_at=NOON)], NOON).needs_gone


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (rule(amount="-1"), "amount", "The amount cannot be negative."),
        (rule(amount="1.5"), "amount", "Units are whole numbers."),
        (rule(kind="percent", amount="100.01"), "amount", "More than 100 per cent cannot be kept back."),
        (rule(kind="days", amount="367"), "amount", "More than 366 days of cover cannot be asked for."),
        (rule(scope=(CUP, CUPS, None)), "category", "Choose a SKU or a category, not both."),
        (rule(starts_at=NOON, ends_at=NOON), "ends_at", "The rule would end before it begins."),
    ],
)
def test_a_rule_that_nobody_can_explain_is_complained_about(bad, field, words):
    assert [(name, str(why)) for name, why in complaints(bad)] == [(field, words)]


def test_a_good_rule_has_no_complaints():
    good = [rule(), rule(kind="percent", amount="100"), rule(kind="days", amount="0.5", starts_at=NOON)]
    assert [complaints(one) for one in good] == [[], [], []]


scopes = st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, 1, 2]), st.sampled_from([None, 1, 2])).filter(
    lambda scope: scope[0] is None or scope[1] is None
)
moments = st.none() | st.integers(-2, 2).map(lambda n: NOON + timedelta(hours=n))
rules = st.builds(
    Rule, st.integers(1, 50), st.just("fixed"), st.integers(0, 9).map(Decimal), scopes, moments, moments, moments
)


@given(st.lists(rules, unique_by=lambda one: one.rule_id), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))
def test_the_book_finds_what_looking_at_every_rule_finds(found, sku, category, node):
    """The plain way: sort everything that fits by the law's own words."""
    place = Place(sku, category, node)
    fit = [one for one in found if one.is_in_time(NOON) and fits(one.scope, place)]

    def rank(one):
        sku_id, category_id, node_id = one.scope
        narrow = (sku_id is not None, category_id is not None, node_id is not None)
        return (*narrow, one.published_at or NOON, one.rule_id)

    assert Book.of(found, NOON).winner(place) == max(fit, key=rank, default=None)
