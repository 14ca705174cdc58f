"""What is still wanted, and what counts as whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.demand import WantedLine, items_wanted, whole_units
from orders.rules.routing.facts import Item

CUP, LID, SET = 1, 2, 9
PARTS = {SET: [(CUP, 2), (LID, 1)]}


@pytest.mark.parametrize(
    ("lines", "allocated", "items"),
    [
        pytest.param([(1, CUP, 3)], {}, [(1, CUP, 3)], id="all of it"),
        pytest.param([(1, CUP, 3)], {(1, CUP): 2}, [(1, CUP, 1)], id="the rest"),
        pytest.param([(1, CUP, 3)], {(1, CUP): 3}, [], id="nothing"),
        pytest.param([(1, CUP, 3)], {(1, CUP): 5}, [], id="more than wanted is not a minus"),
        pytest.param([(1, CUP, 3), (2, CUP, 1)], {(1, CUP): 3}, [(2, CUP, 1)], id="lines of one SKU stay apart"),
        pytest.param([(1, SET, 3)], {}, [(1, CUP, 6), (1, LID, 3)], id="a bundle wants its parts"),
        pytest.param([(1, SET, 3)], {(1, CUP): 5}, [(1, CUP, 1), (1, LID, 3)], id="part of a bundle"),
        pytest.param([(1, SET, 1), (2, CUP, 4)], {}, [(1, CUP, 2), (1, LID, 1), (2, CUP, 4)], id="bundle and part"),
    ],
)
def test_items_wanted(lines, allocated, items):
    wanted = [WantedLine(*line) for line in lines]
    assert items_wanted(wanted, PARTS, allocated) == tuple(Item(*item) for item in items)


@pytest.mark.parametrize(
    ("line", "allocated", "whole"),
    [
        pytest.param((1, CUP, 3), {}, 0, id="nothing"),
        pytest.param((1, CUP, 3), {(1, CUP): 2}, 2, id="single units"),
        pytest.param((1, SET, 3), {(1, CUP): 6, (1, LID): 3}, 3, id="whole bundles"),
        pytest.param((1, SET, 3), {(1, CUP): 6, (1, LID): 1}, 1, id="the scarcest part decides"),
        pytest.param((1, SET, 3), {(1, CUP): 5, (1, LID): 3}, 2, id="half a pair is no bundle"),
        pytest.param((2, CUP, 3), {(1, CUP): 3}, 0, id="another line's units"),
    ],
)
def test_whole_units(line, allocated, whole):
    assert whole_units(WantedLine(*line), PARTS, allocated) == whole


@given(quantity=st.integers(1, 20), cups=st.integers(0, 50), lids=st.integers(0, 50))
def test_a_line_is_whole_exactly_when_nothing_is_wanted(quantity, cups, lids):
    line = WantedLine(1, SET, quantity)
    allocated = {(1, CUP): min(cups, 2 * quantity), (1, LID): min(lids, quantity)}
    assert (whole_units(line, PARTS, allocated) == quantity) == (items_wanted([line], PARTS, allocated) == ())
