"""What a basket costs without any rule, to the cent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotions.rules.baskets import Basket, BasketLine
from promotions.rules.engine import quote as price

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)


def basket(*lines, shipping="0"):
    return Basket(
        "O1",
        "JD",
        "CNY",
        tuple(
            BasketLine(n, n, quantity, Decimal(unit_price), Decimal(discount))
            for n, (quantity, unit_price, discount) in enumerate(lines, start=1)
        ),
        Decimal(shipping),
    )


@pytest.mark.parametrize(
    ("asked", "goods", "discount", "shipping", "total"),
    [
        pytest.param(basket((2, "10.00", "0")), "20.00", "0.00", "0.00", "20.00", id="plain"),
        pytest.param(basket((2, "10.00", "3.50"), shipping="8"), "20.00", "3.50", "8.00", "24.50", id="all of it"),
        pytest.param(basket((3, "0.3333", "0")), "1.00", "0.00", "0.00", "1.00", id="rounded once for a line"),
        pytest.param(basket((1, "0.005", "0"), (1, "0.005", "0")), "0.02", "0.00", "0.00", "0.02", id="half up"),
        pytest.param(basket((1, "0.0049", "0")), "0.00", "0.00", "0.00", "0.00", id="below half a cent"),
        pytest.param(basket((1, "5.00", "9.99")), "5.00", "5.00", "0.00", "0.00", id="a line is never negative"),
        pytest.param(basket((1, "0.00", "0")), "0.00", "0.00", "0.00", "0.00", id="a gift"),
        pytest.param(basket(shipping="6"), "0.00", "0.00", "6.00", "6.00", id="only shipping"),
        pytest.param(basket((100_000, "10000000", "0")), "1000000000000.00", "0.00", "0.00", "1000000000000.00",
                     id="large numbers stay exact"),
    ],
)  # fmt: skip
def test_a_basket_costs(asked, goods, discount, shipping, total):
    quote = price(asked, at=NOON)
    assert [str(part) for part in (quote.goods, quote.discount, quote.shipping, quote.total)] == [
        goods, discount, shipping, total,
    ]  # fmt: skip


def test_each_line_is_told():
    quote = price(basket((2, "10.00", "3.50"), (1, "0.01", "0.02")), at=NOON)
    assert [(line.line_number, str(line.gross), str(line.discount), str(line.net)) for line in quote.lines] == [
        (1, "20.00", "3.50", "16.50"),
        (2, "0.01", "0.01", "0.00"),
    ]


money = st.decimals("0", "100000", places=4)


@given(
    lines=st.lists(st.tuples(st.integers(1, 1000), money, money), max_size=6),
    shipping=st.decimals("0", "100", places=2),
)
def test_the_parts_always_add_up_to_the_total(lines, shipping):
    quote = price(basket(*lines, shipping=shipping), at=NOON)
    assert quote.total == quote.goods - quote.discount + quote.shipping
    assert quote.total == sum((line.net for line in quote.lines), quote.shipping)
    for line in quote.lines:
        assert line.net == line.gross - line.discount >= 0
        assert line.net.as_tuple().exponent == -2
