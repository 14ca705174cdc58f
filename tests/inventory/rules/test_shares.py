"""What channels' shares leave to each of them: a table that reads like the rule, and what must hold for any shares."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.shares import Part, Pool, Shared, figure


def pool(channel, kind, amount, *, unit="units", **use):
    return Pool(1, channel, kind, unit, Decimal(amount), **use)


def shared(*pools, free=100, sellable=100):
    return Shared(sellable, free, {each.channel: each for each in pools})


@pytest.mark.parametrize(
    ("pools", "rooms"),
    [
        pytest.param([], {"A": 100, "B": 100}, id="nobody has a share"),
        pytest.param([pool("A", "exclusive", 30)], {"A": 100, "B": 70}, id="units set aside for A"),
        pytest.param([pool("A", "exclusive", 30, sold=20)], {"A": 100, "B": 90}, id="what A sold is used"),
        pytest.param(
            [pool("A", "exclusive", 30, reserved=40)], {"A": 100, "B": 100}, id="A has had more than its share"
        ),
        pytest.param([pool("A", "exclusive", 25, unit="percent")], {"A": 100, "B": 75}, id="per cent set aside"),
        pytest.param(
            [pool("A", "exclusive", 25, unit="percent", sold=50)],
            {"A": 100, "B": 75},
            id="sold is no part of a per cent",
        ),
        pytest.param([pool("A", "exclusive", "33.33", unit="percent")], {"B": 67}, id="a per cent is rounded down"),
        pytest.param([pool("A", "borrowable", 30, lend_percent=50)], {"A": 100, "B": 85}, id="half can be borrowed"),
        pytest.param([pool("A", "borrowable", 5, lend_percent=50)], {"B": 97}, id="lent is rounded down: three stay"),
        pytest.param([pool("A", "borrowable", 30, lend_percent=100)], {"B": 100}, id="all can be borrowed"),
        pytest.param([pool("A", "capped", 30)], {"A": 30, "B": 100}, id="A at most thirty"),
        pytest.param([pool("A", "capped", 30, reserved=10, sold=15)], {"A": 5}, id="sold and reserved count"),
        pytest.param([pool("A", "capped", 30, sold=31)], {"A": 0}, id="never below nothing"),
        pytest.param([pool("A", "presale", 30, promised=12)], {"A": 18, "B": 82}, id="a presale binds both sides"),
        pytest.param(
            [pool("A", "exclusive", 60), pool("B", "exclusive", 60)],
            {"A": 40, "B": 40, "C": 0},
            id="more than there is",
        ),
    ],
)
def test_room(pools, rooms):
    stock = shared(*pools)
    assert {channel: stock.room(channel) for channel in rooms} == rooms


def test_taking_counts_against_the_own_share_and_the_free_stock():
    stock = shared(pool("A", "exclusive", 30))
    assert (stock.take("A", 10), stock.take("B", 5)) == (1, None)
    assert (stock.free, stock.pools["A"].reserved, stock.room("B")) == (85, 10, 65)


def test_a_figure_opens_into_its_parts():
    stock = shared(pool("A", "exclusive", 30), pool("B", "capped", 50, sold=10), pool("C", "capped", 1))
    assert stock.parts("B") == (
        Part("free", "", "", 100),
        Part("set_aside", "A", "exclusive", -30),
        Part("share", "B", "capped", 40),
    )
    assert stock.room("B") == 40


@pytest.mark.parametrize(
    ("stock", "available", "told"),
    [
        pytest.param(None, 12, 12, id="no shares"),
        pytest.param(shared(pool("B", "exclusive", 95)), 12, 5, id="what others leave"),
        pytest.param(shared(pool("B", "exclusive", 10)), 12, 12, id="what its nodes have"),
        pytest.param(
            shared(pool("A", "presale", 500), free=0, sellable=0), 0, 500, id="a presale before the goods come"
        ),
    ],
)
def test_what_a_channel_is_told(stock, available, told):
    assert figure(stock, "A", available) == told


CHANNELS = ("A", "B", "C")


@given(
    free=st.integers(0, 60),
    aside=st.lists(st.integers(0, 30), min_size=3, max_size=3),
    wishes=st.lists(st.tuples(st.sampled_from((*CHANNELS, "D")), st.integers(0, 20)), max_size=30),
)
def test_whatever_others_take_an_exclusive_share_that_was_there_stays(free, aside, wishes):
    """Each owner can still take what its share set aside, less what it took itself, if there was stock for all."""
    stock = shared(*(pool(name, "exclusive", units) for name, units in zip(CHANNELS, aside, strict=True)), free=free)
    covered = sum(aside) <= free
    taken = dict.fromkeys((*CHANNELS, "D"), 0)
    for channel, wish in wishes:
        units = min(wish, stock.room(channel))
        stock.take(channel, units)
        taken[channel] += units
        assert stock.free == free - sum(taken.values()) >= 0
        if covered:
            for name, units_aside in zip(CHANNELS, aside, strict=True):
                assert stock.room(name) >= max(0, units_aside - taken[name])
