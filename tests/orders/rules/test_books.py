"""Whose money is whose: parts of a bundle by their prices, units of a line to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.books import Part, amounts, portion

CENTS = st.integers(0, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))


@pytest.mark.parametrize(
    ("net", "parts", "shared"),
    [
        pytest.param("10.00", [(1, 2, "5")], ["10.00"], id="one SKU has it all"),
        pytest.param("90.00", [(1, 2, "40"), (2, 1, "20")], ["72.00", "18.00"], id="by list price"),
        pytest.param("10.00", [(1, 1, "1"), (2, 1, "1"), (3, 1, "1")], ["3.33", "3.34", "3.33"], id="cents add up"),
        pytest.param("9.00", [(1, 2, "0"), (2, 1, "0")], ["6.00", "3.00"], id="by units where nothing has a price"),
        pytest.param("9.00", [(1, 2, "0"), (2, 1, "7")], ["0.00", "9.00"], id="a free part"),
        pytest.param("0.00", [(1, 2, "3"), (2, 1, "7")], ["0.00", "0.00"], id="a gift"),
    ],
)
def test_amounts(net: str, parts: list[tuple[int, int, str]], shared: list[str]) -> None:
    told = amounts(Decimal(net), [Part(sku_id, quantity, Decimal(price)) for sku_id, quantity, price in parts])

    assert list(told.values()) == [Decimal(amount) for amount in shared]


@given(CENTS, st.lists(st.tuples(st.integers(1, 999), CENTS), min_size=1, max_size=8))
def test_parts_add_up_to_the_line(net: Decimal, parts: list[tuple[int, Decimal]]) -> None:
    told = amounts(net, [Part(place, quantity, price) for place, (quantity, price) in enumerate(parts)])

    assert sum(told.values()) == net
    assert all(amount >= 0 for amount in told.values())


@given(CENTS, st.lists(st.integers(1, 50), min_size=1, max_size=10))
def test_parcels_add_up_to_the_line(amount: Decimal, parcels: list[int]) -> None:
    before, booked = 0, []
    for units in parcels:
        booked.append(portion(amount, of=sum(parcels), before=before, now=units))
        before += units

    assert sum(booked) == amount
    assert all(part == part.quantize(Decimal("0.01")) for part in booked)
