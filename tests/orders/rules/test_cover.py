"""Days of cover, shadow prices and slow goods."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import cover
from orders.rules.cover import Holding, Terms
from orders.rules.routing.facts import CarrierOption

WEEK = Terms(replenishment_days=7.0, slow_days=90.0, margin_share=0.5)


def holding(free=10, daily=1.0, elsewhere=100, more=5.0, margin=40.0):
    return Holding(free, daily, elsewhere, more, margin)


@pytest.mark.parametrize(
    ("free", "daily", "days"),
    [pytest.param(10, 2.0, 5.0, id="five days"), pytest.param(0, 2.0, 0.0, id="nothing left"),
     pytest.param(10, 0.0, None, id="nobody wants any")],
)  # fmt: skip
def test_days_of_cover(free, daily, days):
    assert cover.days_of_cover(holding(free, daily)) == days


@pytest.mark.parametrize(
    ("free", "expected", "probability"),
    [
        pytest.param(0, 5.0, 1.0, id="nothing free is missed for sure"),
        pytest.param(1, 2.0, 1 - exp(-2), id="one free, two expected"),
        pytest.param(2, 2.0, 1 - 3 * exp(-2), id="two free, two expected"),
        pytest.param(3, 0.0, 0.0, id="nobody wants any"),
        pytest.param(1000, 10.0, 0.0, id="far more than anybody wants"),
        pytest.param(400, 400.0, 0.51, id="many: the normal curve"),
    ],
)
def test_the_tail_of_poisson(free, expected, probability):
    assert cover.probability_missed(free, expected) == pytest.approx(probability, abs=2e-3)


@given(free=st.integers(0, 600), expected=st.floats(0, 600))
def test_the_probability_is_one_and_falls_with_every_unit(free, expected):
    here = cover.probability_missed(free, expected)
    assert 0.0 <= here <= 1.0
    assert cover.probability_missed(free + 1, expected) <= here + 1e-9


@pytest.mark.parametrize(
    ("what", "price"),
    [
        pytest.param(holding(free=1, daily=2 / 7), round((1 - exp(-2)) * 5, 2), id="the last one, others have some"),
        pytest.param(holding(free=1, daily=2 / 7, elsewhere=0), round((1 - exp(-2)) * 20, 2), id="nobody else has any"),
        pytest.param(holding(free=500, daily=1.0), 0.0, id="plenty"),
        pytest.param(holding(free=0), 0.0, id="nothing to take"),
        pytest.param(holding(daily=0.0), 0.0, id="nobody wants any"),
        pytest.param(holding(free=1, more=0.0), 0.0, id="as cheap from elsewhere"),
        pytest.param(holding(free=1, daily=2 / 7, elsewhere=0, margin=-3.0), 0.0, id="sold at a loss"),
    ],
)
def test_shadow_prices(what, price):
    assert cover.shadow_price(what, WEEK) == price


@pytest.mark.parametrize(
    ("what", "sold", "slow"),
    [
        pytest.param(holding(free=91, daily=1.0), 28, True, id="ninety-one days"),
        pytest.param(holding(free=90, daily=1.0), 28, False, id="ninety days"),
        pytest.param(holding(free=5, daily=0.0), 28, True, id="only others want it"),
        pytest.param(holding(free=5, daily=0.0), 0, False, id="new: nobody has bought any yet"),
        pytest.param(holding(free=0, daily=0.0), 28, False, id="nothing there"),
    ],
)
def test_slow_goods_go_first(what, sold, slow):
    assert cover.is_slow(what, sold, WEEK) is slow


def test_what_freight_costs_more_from_elsewhere():
    prices = {"31": {"31": 6.0}, "42": {"31": 9.5}, "44": {"31": 8.0}}
    assert cover.freight_more(prices, "31") == 2.0
    assert cover.freight_more(prices, "11") == 0.0
    assert cover.freight_more({"31": {"31": 9.0}, "42": {"31": 6.0}}, "31") == 0.0


@pytest.mark.parametrize(
    ("weight_g", "yuan"),
    [pytest.param(200, 8.0, id="the first weight"), pytest.param(1000, 8.0, id="all of it"),
     pytest.param(1001, 10.0, id="a begun step"), pytest.param(2500, 14.0, id="three steps")],
)  # fmt: skip
def test_a_step_price(weight_g, yuan):
    carrier = CarrierOption("SF", 1000, 8.0, 500, 2.0, 20.0, 40.0)
    assert cover.price(carrier, weight_g) == yuan
