"""An order's words, computed from its parts."""

import pytest

from orders.rules.progress import Parts, goods_state, order_status
from orders.statuses import FulfillmentStatus, GoodsState, OrderStatus


def parts(*parcels, **facts):
    return Parts(
        **{"is_cancelled": False, "is_priced": True, "is_fully_allocated": True, "is_short": False} | facts,
        parcels=parcels,
    )


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        pytest.param(parts(is_priced=False, is_fully_allocated=False), "received", id="just came in"),
        pytest.param(parts(is_fully_allocated=False), "priced", id="priced"),
        pytest.param(parts(is_fully_allocated=False, is_short=True), "backordered", id="nothing there"),
        pytest.param(parts("planned", is_fully_allocated=False, is_short=True), "backordered", id="part of it there"),
        pytest.param(parts("planned"), "allocated", id="planned"),
        pytest.param(parts("planned", "released"), "allocated", id="one parcel still planned"),
        pytest.param(parts("released", "picking"), "released", id="at the nodes"),
        pytest.param(parts("packed"), "released", id="packed"),
        pytest.param(parts("shipped", "packed"), "part_shipped", id="one left"),
        pytest.param(parts("shipped", is_fully_allocated=False), "part_shipped", id="the rest has no parcel yet"),
        pytest.param(parts("shipped", "cancelled"), "shipped", id="a stopped parcel does not count"),
        pytest.param(parts("shipped", "delivered"), "shipped", id="one arrived"),
        pytest.param(parts("delivered", "delivered"), "delivered", id="all arrived"),
        pytest.param(parts("cancelled", is_fully_allocated=False), "priced", id="taken back"),
        pytest.param(parts("released", is_cancelled=True), "cancelled", id="cancelled"),
    ],
)
def test_goods_state(facts, state):
    assert goods_state(facts) == state


@pytest.mark.parametrize(
    ("goods", "money", "holds", "status"),
    [
        pytest.param("cancelled", "unpaid", 1, "cancelled", id="cancelled wins over all"),
        pytest.param("delivered", "paid", 1, "delivered", id="delivered wins over a hold"),
        pytest.param("shipped", "paid", 1, "shipped", id="shipped wins over a hold"),
        pytest.param("part_shipped", "paid", 1, "on_hold", id="a hold stops the rest"),
        pytest.param("allocated", "unpaid", 1, "on_hold", id="a hold wins over missing payment"),
        pytest.param("allocated", "unpaid", 0, "awaiting_payment", id="unpaid"),
        pytest.param("backordered", "unpaid", 0, "awaiting_payment", id="unpaid and short"),
        pytest.param("priced", "paid", 0, "received", id="priced shows as received"),
        pytest.param("backordered", "paid", 0, "backordered", id="short"),
        pytest.param("released", "refunded", 0, "released", id="refunded is not unpaid"),
    ],
)
def test_order_status(goods, money, holds, status):
    assert order_status(goods, money, holds) == status


def test_every_goods_state_shows_as_a_known_status():
    shown = {order_status(goods, "paid", 0) for goods in GoodsState.values}
    assert shown == set(OrderStatus.values) - {"on_hold", "awaiting_payment"}


def test_no_parcel_moves_backwards_and_every_status_has_its_moves():
    moves = FulfillmentStatus.MOVES
    assert set(moves) == set(FulfillmentStatus.values)
    line = ["planned", "released", "picking", "packed", "shipped", "delivered"]
    for status, targets in moves.items():
        for target in set(targets) - {"cancelled"}:
            assert line.index(target) > line.index(status)
    assert {status for status, targets in moves.items() if "cancelled" in targets} == set(FulfillmentStatus.OPEN)
