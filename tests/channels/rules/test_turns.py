"""Lanes of one channel share its calls in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.rules.turns import share_out

ORDER = ("urgent", "parcels", "stock")


@pytest.mark.parametrize(
    ("due", "room", "given_"),
    [
        pytest.param({"stock": 50_000, "urgent": 1}, 4, {"urgent": 1, "stock": 3}, id="a bulk leaves room"),
        pytest.param({"stock": 9, "parcels": 9}, 4, {"parcels": 2, "stock": 2}, id="equal turns"),
        pytest.param({"stock": 9, "parcels": 9}, 1, {"parcels": 1}, id="one call goes by the order"),
        pytest.param({"stock": 2}, 9, {"stock": 2}, id="no more than there is"),
        pytest.param({"stock": 2}, 0, {}, id="no room"),
        pytest.param({}, 9, {}, id="nothing due"),
    ],
)
def test_share_out(due: dict[str, int], room: int, given_: dict[str, int]) -> None:
    assert share_out(due, room, order=ORDER) == given_


@given(st.dictionaries(st.sampled_from(ORDER), st.integers(0, 100)), st.integers(0, 200))
def test_all_room_is_used_and_no_lane_gets_more_than_it_has(due: dict[str, int], room: int) -> None:
    shares = share_out(due, room, order=ORDER)
    assert sum(shares.values()) == min(room, sum(due.values()))
    assert all(0 < count <= due[lane] for lane, count in shares.items())
