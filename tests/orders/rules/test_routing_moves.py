"""Which changes are made: those that pay, whole chains or nothing, and never what the others need."""

import random

import numpy as np
import pytest

from orders.rules.routing import local_search, moves, optimiser
from orders.rules.routing.bounding import free
from orders.rules.routing.columns import Joint, Wish, shape_of
from orders.rules.routing.local_search import Search
from orders.rules.routing.moves import Move, worth_making

ONE = shape_of((1,), 5)


def wish(reference, costs, kept, sku=1):
    """Return an order of one unit that is sent from node ``kept`` now."""
    return Wish(reference, (sku,), ONE, np.array([costs], dtype=float), 0.0, ((kept, 0),))


def orders_of(sets):
    return [[move.order for move in one] for one in sets]


def test_a_change_that_saves_less_than_the_policy_asks_is_left():
    joint = Joint([wish("a", [10, 8.5], 0), wish("b", [10, 7], 0)], {(1, 0): 2, (1, 1): 2}, [9, 9])
    found = worth_making(joint, [((1, 0),), ((1, 0),)], [2.0, 2.0])
    assert found == [(Move(1, ((0, 0),), ((1, 0),), 10.0, 7.0),)]


def test_changes_that_do_not_need_each_other_are_made_alone_the_most_saving_first():
    joint = Joint([wish("a", [10, 7], 0), wish("b", [10, 2], 0)], {(1, 0): 2, (1, 1): 2}, [9, 9])
    assert orders_of(worth_making(joint, [((1, 0),), ((1, 0),)], [2.0, 2.0])) == [[1], [0]]


def test_who_makes_room_for_another_moves_together_with_it():
    """The only unit at node 1 belongs to b, who gives it up for one yuan more; a saves eight."""
    joint = Joint([wish("a", [12, 4], 0), wish("b", [5, 4], 1)], {(1, 0): 1, (1, 1): 1}, [9, 9])
    (found,) = worth_making(joint, [((1, 0),), ((0, 0),)], [2.0, 2.0])
    assert [(move.order, move.saving) for move in found] == [(0, 8.0), (1, -1.0)]


def test_a_set_must_save_what_all_its_orders_ask_together():
    joint = Joint([wish("a", [7, 4], 0), wish("b", [4, 4], 1)], {(1, 0): 1, (1, 1): 1}, [9, 9])
    plans = [((1, 0),), ((0, 0),)]
    assert worth_making(joint, plans, [2.0, 2.0]) == []
    assert orders_of(worth_making(joint, plans, [2.0, 1.0])) == [[0, 1]]


def test_room_that_another_gives_up_joins_them_too():
    joint = Joint(
        [wish("a", [12, 4], 0), wish("b", [5, 4], 1, sku=2)],
        {(sku, node): 5 for sku in (1, 2) for node in (0, 1)},
        [2, 1],
    )
    assert orders_of(worth_making(joint, [((1, 0),), ((0, 0),)], [1.0, 1.0])) == [[0, 1]]


def test_an_order_the_answer_does_not_send_keeps_its_plan():
    joint = Joint([wish("a", [12, 4], 0)], {(1, 0): 1, (1, 1): 1}, [9, 9])
    assert worth_making(joint, [None], [2.0]) == []


@pytest.mark.parametrize("seed", range(15))
def test_any_chosen_sets_fit_together_and_alone(seed):
    """Whatever the answer: each set by itself, and all of them, use no more than there is."""
    chance = random.Random(seed)
    nodes = range(4)
    stock = {(sku, node): chance.randint(1, 4) for sku in range(3) for node in nodes}
    made = [
        Wish(str(n), (sku,), ONE, np.array([[chance.randint(2, 30) for _ in nodes]], dtype=float), 0.0)
        for n in range(14)
        for sku in [chance.randrange(3)]
    ]
    search = Search(Joint(made, stock, [5] * 4), [500.0] * 14)
    local_search.fill(search, free(search.joint).padded)
    kept = [
        Wish(one.reference, one.skus, one.shape, one.costs, one.split, plan)
        for one, plan in zip(made, search.plans, strict=True)
        if plan
    ]
    joint = Joint(kept, stock, [5] * 4)
    answer = optimiser.solve(joint, np.full(len(kept), 500.0))
    found = worth_making(joint, answer.plans, [1.0] * len(kept))
    for chosen in [found, *([one] for one in found)]:
        after = Search(joint, [0.0] * len(kept))
        for order, one in enumerate(kept):
            after.put(order, one.kept)
        for move in (move for one in chosen for move in one):
            after.put(move.order, None)
        for move in (move for one in chosen for move in one):
            after.put(move.order, move.after)
        assert after.over() == []
    for one in found:
        assert sum(move.saving for move in one) >= len(one)


def test_moves_are_found_in_the_same_order_every_time():
    joint = Joint([wish(str(n), [10, 2], 0) for n in range(5)], {(1, 0): 9, (1, 1): 9}, [9, 9])
    plans = [((1, 0),)] * 5
    assert orders_of(worth_making(joint, plans, [1.0] * 5)) == [[0], [1], [2], [3], [4]]
    assert moves.worth_making(joint, plans, [9.0] * 5) == []
