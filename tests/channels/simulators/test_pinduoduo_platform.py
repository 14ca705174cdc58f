"""The simulated Pinduoduo keeps the platform's rules, seen by a client that shares no code with the adapter."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.pinduoduo import Platform, make_order
from channels.simulators.server import LoopbackServer

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00:00 in China
SECOND = int(NOW.timestamp())
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
LIST = {
    "type": "pdd.order.number.list.increment.get",
    "start_updated_at": SECOND - 1800,
    "end_updated_at": SECOND,
    "is_lucky_flag": 0,
    "order_status": 5,
    "refund_status": 5,
}
STOCK = {"type": "pdd.goods.quantity.update", "goods_id": 1}
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOW)


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def call(server: LoopbackServer) -> Iterator[Call]:
    with httpx.Client(base_url=server.url) as client:

        def send(arguments: dict[str, Any], **changes: Any) -> dict[str, Any]:
            answer = client.post("/api/router", data=signed(arguments, **changes))
            assert answer.status_code == 200
            return answer.json()

        yield send


def signed(arguments: dict[str, Any], **changes: Any) -> dict[str, str]:
    """Sign as the documentation says, after the changes; None leaves a parameter out."""
    usual = {"client_id": "pddclient", "access_token": "access-0", "timestamp": SECOND}
    given = {name: str(value) for name, value in {**usual, **arguments, **changes}.items() if value is not None}
    joined = "".join(name + given[name] for name in sorted(given) if name != "sign")
    return {"sign": hashlib.md5(f"pddsecret{joined}pddsecret".encode()).hexdigest().upper(), **given}


def order(number: int, *, minutes: int = 0, **fields: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    return make_order(number, [TEE], placed_at=at, paid_at=at) | fields


def listed(answer: dict[str, Any]) -> list[str]:
    return [row["order_sn"] for row in answer["order_sn_increment_get_response"]["order_sn_list"]]


def refusal(answer: dict[str, Any]) -> int:
    code: int = answer["error_response"]["error_code"]
    return code


def test_the_envelope_is_exact(platform: Platform, call: Call) -> None:
    platform.add_order(order(1))

    assert call(LIST) == {
        "order_sn_increment_get_response": {
            "total_count": 1,
            "order_sn_list": [{"order_sn": "1", "updated_at": "2026-11-23 10:00:00"}],
            "request_id": "15440000000000001",
        }
    }
    assert call(LIST, sign="0")["error_response"] == {
        "error_code": 20004,
        "error_msg": "签名sign校验失败",
        "sub_code": None,
        "sub_msg": "",
        "request_id": "15440104776643887",
    }


def test_parameters_may_stand_in_query_form_and_json(platform: Platform, server: LoopbackServer) -> None:
    platform.add_order(order(1))
    given = signed(LIST)
    query = {name: given.pop(name) for name in ("type", "client_id", "sign")}

    split = httpx.post(f"{server.url}/api/router", params=query, data=given).json()
    as_json = httpx.post(f"{server.url}/api/router", params=query, json=LIST | given).json()

    assert (listed(split), listed(as_json)) == (["1"], ["1"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "other"}, 10016),
        ({"type": "pdd.nothing"}, 10017),
        ({"type": None}, 10001),
        ({"data_type": "XML"}, 10001),
        ({"timestamp": SECOND - 601}, 10001),
        ({"timestamp": SECOND * 1000}, 10001),
        ({"timestamp": None}, 10001),
        ({"access_token": "other"}, 20032),
        ({"access_token": None}, 20032),
        ({"sign": "0" * 32}, 20004),
    ],
)
def test_who_may_not_come_in_is_told_why(call: Call, changes: dict[str, Any], code: int) -> None:
    assert refusal(call(LIST, **changes)) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"start_updated_at": None},
        {"start_updated_at": SECOND - 1801},
        {"start_updated_at": SECOND + 1},
        {"end_updated_at": "now"},
        {"is_lucky_flag": None},
        {"page": 0},
        {"page_size": 101},
        {"use_has_next": "maybe"},
    ],
    ids=str,
)
def test_parameters_are_taken_by_the_contract(call: Call, changes: dict[str, Any]) -> None:
    assert refusal(call(LIST, **changes)) == 21001


def test_changes_are_listed_newest_first(platform: Platform, call: Call) -> None:
    for number in range(3):
        platform.add_order(order(number, minutes=number))

    assert listed(call(LIST)) == ["0", "1", "2"]
    assert listed(call(LIST, start_updated_at=SECOND - 60)) == ["0", "1"]
    assert listed(call(LIST, page=2, page_size=2)) == ["2"]
    assert listed(call(LIST, order_status=2)) == []
    assert listed(call(LIST, refund_status=1, is_lucky_flag=1)) == ["0", "1", "2"]
    assert listed(call(LIST, is_lucky_flag=2)) == []


def test_pages_may_say_whether_there_is_another(platform: Platform, call: Call) -> None:
    platform.add_order(order(1))
    platform.add_order(order(2))

    pages = [call(LIST, page=number, page_size=1, use_has_next="true") for number in (1, 2)]

    assert [page["order_sn_increment_get_response"]["has_next"] for page in pages] == [True, False]
    assert "total_count" not in pages[0]["order_sn_increment_get_response"]


def test_the_list_is_ready_late(platform: Platform, call: Call) -> None:
    platform.lag_seconds = 180
    platform.add_order(order(1, minutes=2))
    platform.add_order(order(2, minutes=3))

    assert listed(call(LIST)) == ["2"]


def test_a_parcel_is_taken_once_and_may_be_changed(platform: Platform, call: Call) -> None:
    platform.add_order(order(1))
    ship = {"type": "pdd.logistics.online.send", "order_sn": "1", "logistics_id": 44, "tracking_number": "SF1"}

    assert refusal(call(ship, redelivery_type=2)) == 50001
    assert call(ship)["logistics_online_send_response"]["is_success"] is True
    assert refusal(call(ship)) == 50001
    assert "error_response" not in call(ship, redelivery_type=2, tracking_number="SF2")
    assert refusal(call(ship, logistics_id=9)) == 21001
    assert (platform.order(1)["order_status"], platform.order(1)["tracking_number"]) == (2, "SF2")


def test_stock_is_set_or_changed(platform: Platform, call: Call) -> None:
    sku = platform.add_item("TEE-RED-M", quantity=5)

    call(STOCK, sku_id=sku, quantity=-2, update_type=2)
    changed = dict(platform.stock)
    call(STOCK, outer_id="TEE-RED-M", quantity=9)

    assert (changed, platform.stock) == ({str(sku): 3}, {str(sku): 9})
    assert refusal(call(STOCK, sku_id=sku, quantity=-10, update_type=2)) == 21001
    assert refusal(call(STOCK, sku_id=1, quantity=1)) == 50001
    assert platform.stock == {str(sku): 9}


def test_a_token_lives_as_long_as_is_set(platform: Platform, call: Call) -> None:
    platform.token_seconds = 60
    refresh = {"type": "pdd.pop.auth.token.refresh", "access_token": None}

    assert refusal(call(refresh, refresh_token="other")) == 10019
    fresh = call(refresh, refresh_token="refresh-0")["pop_auth_token_refresh_response"]
    assert refusal(call(LIST)) == 20032
    assert listed(call(LIST, access_token=fresh["access_token"])) == []
    platform.clock = lambda: NOW + timedelta(seconds=60)
    assert refusal(call(LIST, access_token=fresh["access_token"])) == 10019


def test_calls_are_counted_by_the_second(platform: Platform, call: Call) -> None:
    platform.calls_per_second = 1

    assert (listed(call(LIST)), refusal(call(LIST))) == ([], 70031)


def test_the_control_door_takes_orders_and_shows_the_state(platform: Platform, server: LoopbackServer) -> None:
    added = httpx.post(f"{server.url}/control/orders", content=json.dumps([order(1)]))
    refused = httpx.post(f"{server.url}/control/orders", json=[{"order_sn": "2"}])
    platform.close_order(1)
    state = httpx.get(f"{server.url}/control/state").json()

    assert (added.json(), refused.status_code) == ({"added": 1}, 400)
    assert (state["orders"], platform.order(1)["refund_status"]) == (1, 4)
    assert httpx.get(f"{server.url}/elsewhere").status_code == 404


def test_a_group_that_forms_and_one_that_was_cancelled(platform: Platform) -> None:
    forming = make_order(1, [TEE], placed_at=NOW)
    cancelled = make_order(2, [TEE], placed_at=NOW, paid_at=NOW, cancelled_at=NOW)

    assert (forming["confirm_status"], forming["refund_status"]) == (0, 1)
    assert (cancelled["confirm_status"], cancelled["refund_status"]) == (2, 4)
