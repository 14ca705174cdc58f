"""Who gets which units of goods that have not come: by hand, and for any queue and any supply."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.ahead import Supply, Waiting, behind, latest, share_out
from tests.small_company import NOON

CUP, LID = 1, 2


def day(n):
    return date(2026, 12, n)


def waits(reference, quantity, *, sku=CUP, priority=0, minutes=0, line=1):
    return Waiting(reference, line, sku, quantity, priority, NOON + timedelta(minutes=minutes))


def comes(number, quantity, due_date, *, sku=CUP):
    return Supply(("expected", number), sku, quantity, due_date)


def shared(waiting, supplies):
    return [
        (part.waiting.reference, part.quantity, part.supply.key[1] if part.supply else None, part.due_date)
        for part in share_out(waiting, supplies)
    ]


def test_who_waits_longest_gets_the_earliest_units():
    queue = [waits("B", 3, minutes=2), waits("A", 3, minutes=1)]
    assert shared(queue, [comes(2, 3, day(9)), comes(1, 3, day(1))]) == [("A", 3, 1, day(1)), ("B", 3, 2, day(9))]


def test_a_higher_priority_goes_before_a_longer_wait():
    queue = [waits("A", 3, minutes=1), waits("VIP", 3, minutes=2, priority=5), waits("LOW", 1, priority=-1)]
    assert [row[0] for row in shared(queue, [comes(1, 9, day(1))])] == ["VIP", "A", "LOW"]


def test_a_line_may_be_served_by_several_supplies():
    assert shared([waits("A", 7)], [comes(1, 3, day(1)), comes(2, 2, day(2)), comes(3, 9, day(3))]) == [
        ("A", 3, 1, day(1)), ("A", 2, 2, day(2)), ("A", 2, 3, day(3)),
    ]  # fmt: skip


def test_what_nobody_brings_stays_without_supply_and_date():
    assert shared([waits("A", 5), waits("B", 1, minutes=1)], [comes(1, 4, day(1))]) == [
        ("A", 4, 1, day(1)), ("A", 1, None, None), ("B", 1, None, None),
    ]  # fmt: skip
    assert shared([waits("A", 5)], []) == [("A", 5, None, None)]


def test_supply_without_a_date_is_given_away_last_and_gives_no_date():
    assert shared([waits("A", 5)], [comes(1, 3, None), comes(2, 3, day(28))]) == [
        ("A", 3, 2, day(28)), ("A", 2, 1, None),
    ]  # fmt: skip


def test_supplies_of_one_day_are_given_in_the_order_of_their_lines():
    queue = [waits("A", 2), waits("B", 2, minutes=1)]
    assert shared(queue, [comes(9, 2, day(1)), comes(3, 2, day(1))]) == [("A", 2, 3, day(1)), ("B", 2, 9, day(1))]


def test_skus_do_not_mix():
    queue = [waits("A", 2, sku=LID, line=2), waits("A", 2)]
    assert shared(queue, [comes(1, 1, day(1), sku=LID), comes(2, 5, day(2))]) == [
        ("A", 2, 2, day(2)), ("A", 1, 1, day(1)), ("A", 1, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("front", "left"),
    [
        pytest.param({}, [(1, 3), (2, 4), (3, 5)], id="nobody in front"),
        pytest.param({("expected", 1): 2}, [(1, 1), (2, 4), (3, 5)], id="a rest of the first"),
        pytest.param({("expected", 2): 1}, [(2, 3), (3, 5)], id="free units before somebody in front stay free"),
        pytest.param({("expected", 1): 3, ("expected", 2): 9}, [(3, 5)], id="more than there is"),
        pytest.param({("expected", 1): 1, None: 2}, [], id="somebody in front has nothing"),
        pytest.param({("transfer", 1): 7}, [(1, 3), (2, 4), (3, 5)], id="a supply that is over"),
    ],
)
def test_the_end_of_a_queue_gets_what_its_front_leaves(front, left):
    supplies = [comes(1, 3, day(1)), comes(2, 4, day(2)), comes(3, 5, None)]
    assert [(supply.key[1], supply.quantity) for supply in behind(supplies, front)] == left


@pytest.mark.parametrize(
    ("dates", "last"),
    [
        pytest.param([day(1), day(3), day(2)], day(3), id="the last one"),
        pytest.param([day(1), None], None, id="a part without a date"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_a_line_has_the_date_of_its_last_part(dates, last):
    assert latest(dates) == last


queues = st.lists(
    st.builds(
        waits,
        st.uuids().map(str),
        st.integers(1, 9),
        sku=st.sampled_from([CUP, LID]),
        priority=st.integers(-2, 2),
        minutes=st.integers(0, 3),
    ),
    max_size=12,
)
deliveries = st.lists(
    st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(1, 5).map(day)), st.sampled_from([CUP, LID])),
    max_size=8,
).map(lambda rows: [comes(n, units, due, sku=sku) for n, (units, due, sku) in enumerate(rows)])


@given(queues, deliveries)
def test_units_are_conserved(queue, supplies):
    parts = share_out(queue, supplies)
    given_to = Counter()
    taken = Counter()
    for part in parts:
        assert part.quantity > 0
        given_to[part.waiting] += part.quantity
        if part.supply:
            assert part.supply.sku_id == part.waiting.sku_id
            taken[part.supply.key] += part.quantity
    assert given_to == Counter({one: one.quantity for one in queue})
    assert all(taken[supply.key] <= supply.quantity for supply in supplies)
    for sku in (CUP, LID):
        wanted = sum(one.quantity for one in queue if one.sku_id == sku)
        there = sum(supply.quantity for supply in supplies if supply.sku_id == sku)
        served = sum(part.quantity for part in parts if part.supply and part.waiting.sku_id == sku)
        assert served == min(wanted, there)


@given(queues, deliveries)
def test_nobody_is_served_later_than_one_who_comes_after_them(queue, supplies):
    parts = share_out(queue, supplies)
    places = {supply.key: supply.place for supply in supplies}
    beyond = (date.max, ("~", 0))
    for before in parts:
        for after in parts:
            if before.waiting.sku_id == after.waiting.sku_id and before.waiting.place < after.waiting.place:
                first, second = (places[p.supply.key] if p.supply else beyond for p in (before, after))
                assert first <= second


@given(queues, deliveries, st.integers(0, 12))
def test_the_end_of_a_queue_shared_out_by_itself_gets_the_same(queue, supplies, cut):
    queue = [one for one in sorted(queue, key=lambda one: one.place) if one.sku_id == CUP]
    supplies = [supply for supply in supplies if supply.sku_id == CUP]
    whole = share_out(queue, supplies)
    front = Counter()
    for part in share_out(queue[:cut], supplies):
        front[part.supply.key if part.supply else None] += part.quantity
    end = share_out(queue[cut:], behind(supplies, front))
    keep = set(queue[cut:])
    assert [(p.waiting, p.quantity, p.supply and p.supply.key) for p in end] == [
        (p.waiting, p.quantity, p.supply and p.supply.key) for p in whole if p.waiting in keep
    ]
