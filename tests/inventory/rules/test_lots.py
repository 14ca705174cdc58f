"""First expired, first out; and what keeps long enough for whom."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import lots
from inventory.rules.lots import Life, LotUnits

DAY = date(2026, 11, 2)
RULES = {("", None): 5, ("", 7): 30, ("TM", None): 60, ("TM", 7): 90}


def after(days):
    return DAY + timedelta(days=days)


def shelf(*lines):
    return lots.first_expired_first(LotUnits(lot_id, expires, free) for lot_id, expires, free in lines)


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        pytest.param([(1, after(9), 1), (2, after(3), 1)], [2, 1], id="the earlier date first"),
        pytest.param([(1, None, 1), (2, after(900), 1)], [2, 1], id="undated last"),
        pytest.param([(5, after(3), 1), (4, after(3), 1)], [4, 5], id="the older lot of two with one date"),
        pytest.param([(2, None, 1), (1, None, 1)], [1, 2], id="the older of two undated ones"),
    ],
)
def test_lots_go_out_first_expired_first(lines, order):
    assert [lot.lot_id for lot in shelf(*lines)] == order


@pytest.mark.parametrize(
    ("expires", "days", "is_fit"),
    [
        pytest.param(after(0), 0, True, id="its last day"),
        pytest.param(after(-1), 0, False, id="the day after"),
        pytest.param(after(30), 30, True, id="exactly long enough"),
        pytest.param(after(29), 30, False, id="a day too short"),
        pytest.param(None, 0, True, id="undated, nothing asked"),
        pytest.param(None, 1, False, id="undated, a day asked"),
    ],
)
def test_a_lot_is_fit_when_it_keeps_long_enough(expires, days, is_fit):
    assert Life(DAY, days).fits(expires) is is_fit


@pytest.mark.parametrize(
    ("channel", "category", "days"),
    [
        pytest.param("TM", 7, 90, id="channel and category"),
        pytest.param("TM", 8, 60, id="channel"),
        pytest.param("JD", 7, 30, id="category"),
        pytest.param("JD", 8, 5, id="everything"),
        pytest.param("", 7, 30, id="no channel"),
    ],
)
def test_the_narrowest_rule_wins(channel, category, days):
    assert lots.minimum_days(RULES, channel, category) == days


def test_without_a_rule_goods_must_only_not_be_expired():
    assert lots.minimum_days({}, "TM", 7) == 0


@pytest.mark.parametrize(
    ("units", "life", "picks", "left"),
    [
        pytest.param(3, None, [(1, 2), (2, 1)], [0, 3, 5], id="the expired first where anything goes out"),
        pytest.param(3, Life(DAY), [(2, 3)], [2, 1, 5], id="nothing expired for a buyer"),
        pytest.param(6, Life(DAY), [(2, 4), (3, 2)], [2, 0, 3], id="from two lots"),
        pytest.param(2, Life(DAY, 20), [(3, 2)], [2, 4, 3], id="a channel that asks for twenty days"),
        pytest.param(9, Life(DAY, 20), [(3, 5)], [2, 4, 0], id="fewer than asked"),
    ],
)
def test_units_are_taken_from_fit_lots_in_order(units, life, picks, left):
    row = shelf((1, after(-1), 2), (2, after(10), 4), (3, after(40), 5))
    assert lots.take(row, units, life) == picks
    assert [lot.free for lot in row] == left


@pytest.mark.parametrize(
    ("available", "life", "room"),
    [
        pytest.param(11, Life(DAY), 9, id="no safety stock: all but the expired"),
        pytest.param(8, Life(DAY), 6, id="three units of safety stock are good ones"),
        pytest.param(8, Life(DAY, 20), 2, id="and long-lived ones for who asks for that"),
        pytest.param(2, Life(DAY), 0, id="only as many as are not fit"),
        pytest.param(99, Life(DAY), 9, id="never more than the lots have"),
    ],
)
def test_what_is_not_fit_is_no_safety_stock(available, life, room):
    row = shelf((1, after(-1), 2), (2, after(10), 4), (3, after(40), 5))
    assert lots.room(row, available, life) == room


@pytest.mark.parametrize(
    ("code", "expires", "known_as"),
    [(" A1 ", after(3), "A1"), ("", after(3), "2026-11-05"), ("", None, "")],
    ids=["a code", "only a date", "nothing"],
)
def test_goods_without_a_code_are_known_by_their_date(code, expires, known_as):
    assert lots.code_of(code, expires) == known_as


dates = st.one_of(st.none(), st.integers(-20, 20).map(after))
rows = st.lists(st.tuples(dates, st.integers(0, 6)), max_size=6)


@given(rows, st.integers(0, 30), st.one_of(st.none(), st.integers(0, 10).map(lambda days: Life(DAY, days))))
def test_taking_keeps_every_unit_and_the_order(lines, units, life):
    row = shelf(*((number, expires, free) for number, (expires, free) in enumerate(lines)))
    before = {lot.lot_id: lot.free for lot in row}
    dated = {lot.lot_id: lot.expires_date for lot in row}
    picks = lots.take(row, units, life)

    for lot in row:
        assert lot.free == before[lot.lot_id] - dict(picks).get(lot.lot_id, 0) >= 0
    fit = [lot for lot in row if life is None or life.fits(lot.expires_date)]
    assert lots.taken(picks) == min(units, sum(before[lot.lot_id] for lot in fit))
    assert all(life is None or life.fits(dated[lot_id]) for lot_id, _units in picks)
    if picks:  # nothing fit that expires earlier stays behind
        last = max((dated[lot_id] or date.max, lot_id) for lot_id, _units in picks)
        assert all(lot.free == 0 for lot in fit if (lot.expires_date or date.max, lot.lot_id) < last)


@pytest.mark.parametrize(
    ("picks", "over", "then", "left"),
    [
        pytest.param([(1, 2)], {1}, [(2, 2)], [3, 2, 5], id="another lot"),
        pytest.param([(1, 2), (2, 1)], {1}, [(2, 3)], [3, 2, 5], id="more of a lot it has"),
        pytest.param([(2, 1)], {1}, [(2, 1)], [1, 4, 5], id="nothing over"),
        pytest.param([(1, 10)], {1}, None, [1, 4, 5], id="too few that keep"),
    ],
)
def test_lots_that_are_over_are_exchanged_all_or_none(picks, over, then, left):
    row = shelf((1, after(-1), 1), (2, after(10), 4), (3, after(40), 5))
    assert lots.exchange(row, picks, over, Life(DAY)) == then
    assert [lot.free for lot in row] == left
