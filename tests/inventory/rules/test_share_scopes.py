"""Which share of a channel counts, and when all of them together are too much."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from inventory.rules.share_scopes import Share, narrowest, overfull

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FOOD, CUP, TEA = 7, 70, 71
CATEGORIES = {CUP: 8, TEA: FOOD}


def day(number):
    return NOW + timedelta(days=number)


def share(share_id, channel, percent, kind="exclusive", unit="percent", **scope):
    return Share(share_id, channel, kind, unit, Decimal(percent), **scope)


@pytest.mark.parametrize(
    ("sku_id", "category_id", "expected"),
    [
        pytest.param(TEA, FOOD, {"A": 3, "B": 4}, id="the SKU's own share before its category's"),
        pytest.param(99, FOOD, {"A": 2, "B": 4}, id="the category's before everything's"),
        pytest.param(CUP, 8, {"A": 1, "B": 4}, id="everything"),
    ],
)
def test_the_narrowest_share_counts(sku_id, category_id, expected):
    shares = [
        share(1, "A", 10),
        share(2, "A", 20, category_id=FOOD),
        share(3, "A", 30, sku_id=TEA),
        share(4, "B", 40),
    ]
    assert {name: each.share_id for name, each in narrowest(shares, sku_id, category_id).items()} == expected


def test_of_two_as_narrow_the_younger_counts():
    assert narrowest([share(1, "A", 10), share(2, "A", 20)], TEA, FOOD)["A"].share_id == 2


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        pytest.param([share(1, "A", 60), share(2, "B", 40)], None, id="a hundred fits"),
        pytest.param([share(1, "A", 60), share(2, "B", 41)], (NOW, None, None, 101), id="one too many everywhere"),
        pytest.param(
            [share(1, "A", 60), share(2, "B", 41, category_id=FOOD)], (NOW, None, FOOD, 101), id="in one category"
        ),
        pytest.param(
            [share(1, "A", 60, category_id=FOOD), share(2, "B", 41, sku_id=TEA)],
            (NOW, TEA, FOOD, 101),
            id="for one SKU",
        ),
        pytest.param(
            [share(1, "A", 60), share(2, "B", 41, sku_id=CUP), share(3, "A", 59, sku_id=CUP)], None, id="narrower"
        ),
        pytest.param([share(1, "A", 60), share(2, "B", 90, kind="capped")], None, id="a cap sets nothing aside"),
        pytest.param([share(1, "A", 60), share(2, "B", 900, unit="units")], None, id="units are no per cent"),
        pytest.param(
            [share(1, "A", 60, ends_at=day(2)), share(2, "B", 41, starts_at=day(2))], None, id="one after the other"
        ),
        pytest.param(
            [share(1, "A", 60), share(2, "B", 41, starts_at=day(2))], (day(2), None, None, 101), id="from a later day"
        ),
        pytest.param([share(1, "A", 60), share(2, "B", 41, ends_at=NOW)], None, id="over already"),
    ],
)
def test_together_they_are_at_most_a_hundred(shares, found):
    result = overfull(shares, CATEGORIES, now=NOW)
    assert (result and (result.at, result.sku_id, result.category_id, result.total)) == found
