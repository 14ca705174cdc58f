"""When one person's count is not enough, at the limits."""

from decimal import Decimal

import pytest

from inventory.rules.counting import Limits, needs_recount

LIMITS = Limits(Decimal(5), Decimal(500))


@pytest.mark.parametrize(
    ("expected", "counted", "cost", "again"),
    [
        pytest.param(100, 100, "9999", False, id="no variance"),
        pytest.param(100, 95, "1", False, id="just at five per cent"),
        pytest.param(100, 94, "1", True, id="above five per cent down"),
        pytest.param(100, 106, "1", True, id="above five per cent up"),
        pytest.param(1000, 999, "500", False, id="just at the value"),
        pytest.param(1000, 999, "500.01", True, id="above the value"),
        pytest.param(0, 1, "1", True, id="where nothing was expected"),
        pytest.param(0, 0, "1", False, id="nothing where nothing was expected"),
    ],
)
def test_needs_recount(expected, counted, cost, again):
    assert needs_recount(expected=expected, counted=counted, unit_cost=Decimal(cost), limits=LIMITS) is again


def test_units_where_none_were_expected_are_a_variance_of_the_whole():
    wide = Limits(Decimal(100), Decimal(500))
    assert needs_recount(expected=0, counted=3, unit_cost=Decimal(1), limits=wide) is False
