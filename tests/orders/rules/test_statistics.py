"""Intervals and sample sizes against values that were published."""

import pytest

from orders.rules.routing.statistics import (
    Interval,
    Sample,
    Share,
    newcombe,
    orders_needed,
    t_below,
    t_quantile,
    welch,
    wilson,
)


@pytest.mark.parametrize(
    ("probability", "freedom", "published"),
    [(0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 5, 2.571), (0.975, 10, 2.228), (0.975, 30, 2.042),
     (0.975, 120, 1.980), (0.95, 4, 2.132), (0.995, 7, 3.499), (0.5, 3, 0.0), (0.975, 1_000_000, 1.960)],
)  # fmt: skip
def test_quantiles_of_students_t_are_those_of_the_tables(probability, freedom, published):
    assert round(t_quantile(probability, freedom), 3) == published


def test_a_probability_of_t_goes_there_and_back():
    assert t_below(t_quantile(0.9, 7.3), 7.3) == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize(("probability", "freedom"), [(0.4, 5), (1.0, 5), (0.975, 0)])
def test_a_quantile_that_does_not_exist_is_refused(probability, freedom):
    with pytest.raises(ValueError, match="needed"):
        t_quantile(probability, freedom)


# Newcombe 1998 (857-872), table I, method 3
@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_as_published(hits, count, low, high):
    assert [round(end, 4) for end in wilson(Share(hits, count))] == [low, high]


# Newcombe 1998 (873-890), table II, method 10
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_interval_is_as_published(first, second, low, high):
    found = newcombe(Share(*first), Share(*second))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.difference == pytest.approx(first[0] / first[1] - second[0] / second[1])


def test_welchs_interval_is_that_of_two_samples_worked_out_by_hand():
    """Variances 4 / 4 and 16 / 8 an order: error √3, freedom 9 / (1 / 3 + 4 / 7) = 9.947, t 2.2298."""
    found = welch(Sample(4, 12.0, 4.0), Sample(8, 10.0, 16.0))
    assert found.difference == 2.0
    assert found.high - found.difference == pytest.approx(2.2298 * 3**0.5, abs=5e-4)
    assert found.low == pytest.approx(2.0 - 3.8621, abs=5e-4)
    assert not found.is_sure


def test_equal_groups_have_the_interval_of_students_test():
    """With equal sizes and variances the freedom is 2n - 2: 10 here, t 2.228."""
    found = welch(Sample(6, 5.0, 3.0), Sample(6, 1.0, 3.0))
    assert (round(found.low, 3), round(found.high, 3), found.is_sure) == (1.772, 6.228, True)


def test_too_few_orders_give_no_interval():
    assert welch(Sample(1, 3.0, 0.0), Sample(9, 2.0, 1.0)) is None
    assert newcombe(Share(0, 0), Share(1, 2)) is None
    with pytest.raises(ValueError, match="nothing"):
        wilson(Share(0, 0))


def test_figures_that_never_vary_differ_for_sure_or_not_at_all():
    assert welch(Sample(5, 2.0, 0.0), Sample(5, 1.0, 0.0)) == Interval(1.0, 1.0, 1.0)
    assert not welch(Sample(5, 1.0, 0.0), Sample(5, 1.0, 0.0)).is_sure


# Two groups of equal size, 5 per cent two-sided, power 80 per cent: 2 × 15.698 / d² orders for a mean d deviations
# apart, the usual 393, 63 and 25 a group.
@pytest.mark.parametrize(("apart", "each"), [(0.2, 393), (0.5, 63), (0.8, 25)])
def test_the_orders_needed_for_means_are_the_usual_ones(apart, each):
    assert -(-orders_needed(apart, (1.0, 1.0), 0.5) // 2) == each


def test_the_orders_needed_for_shares_are_those_of_the_formula():
    """7.8489 × (0.24 + 0.21) / 0.01 = 353.2 a group."""
    assert orders_needed(0.1, (0.24, 0.21), 0.5) == 707


def test_a_small_share_needs_more_orders_than_an_even_one():
    assert orders_needed(0.5, (1.0, 1.0), 0.1) == 349
    assert orders_needed(-0.5, (1.0, 1.0), 0.1) == 349
    assert orders_needed(0.0, (1.0, 1.0), 0.5) is None
    with pytest.raises(ValueError, match="both groups"):
        orders_needed(0.5, (1.0, 1.0), 1.0)
