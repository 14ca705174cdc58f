"""The simulated Douyin keeps the platform's rules, seen by a client that shares no code with the adapter."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.douyin import Platform, make_order, make_refund
from channels.simulators.server import LoopbackServer

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00:00 in China
KEY, SECRET = "7000000000000000001", "4ccdeed5-1111-2222-3333-444455556666"
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
SEARCH = {"page": 0, "size": 10}
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

        def send(path: str, arguments: Any, **changes: str | None) -> dict[str, Any]:
            body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
            answer = client.post(path, params=signed(path, body, **changes), content=body)
            assert answer.status_code == 200
            return answer.json()

        yield send


def signed(path: str, body: bytes, **changes: str | None) -> dict[str, str]:
    """Sign as the documentation says, after the changes; None leaves a parameter out."""
    usual = {
        "app_key": KEY,
        "method": path.strip("/").replace("/", "."),
        "access_token": "access-0",
        "timestamp": "2026-11-23 10:00:00",
        "v": "2",
        "sign_method": "hmac-sha256",
    }
    given = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    five = [f"{name}{given.get(name, '')}" for name in ("app_key", "method")]
    text = "".join([SECRET, *five, "param_json", body.decode(), f"timestamp{given.get('timestamp', '')}v2", SECRET])
    if given.get("sign_method") == "hmac-sha256":
        sign = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
    else:
        sign = hashlib.md5(text.encode()).hexdigest()
    return {"sign": sign, **given}


def order(number: int, **fields: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=1)
    return make_order(number, [TEE], placed_at=at, paid_at=at) | fields


def listed(answer: dict[str, Any]) -> list[str]:
    return [row["order_id"] for row in answer["data"]["shop_order_list"]]


def refusal(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["code"], answer["sub_code"]


def test_the_envelope_has_old_and_new_names(platform: Platform, call: Call) -> None:
    answer = call("/order/searchList", SEARCH)

    assert answer == {
        "code": 10000,
        "msg": "success",
        "sub_code": "",
        "sub_msg": "",
        "data": {"page": 0, "size": 10, "total": 0, "shop_order_list": []},
        "log_id": "20261123000000000001",
        "err_no": 0,
        "message": "success",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sign_method": None},
        {"timestamp": str(int(NOW.timestamp()))},
        {"timestamp": str(int(NOW.timestamp()) * 1000)},
    ],
    ids=["text time", "md5", "seconds", "milliseconds"],
)
def test_every_way_to_sign_and_to_write_the_time_is_taken(call: Call, changes: dict[str, Any]) -> None:
    assert call("/order/searchList", SEARCH, **changes)["code"] == 10000


@pytest.mark.parametrize(
    "body", ['{"page": 0, "size": 10, "product": "\\u4e0a"}', '{"size":10,"page":0,"product":"上"}']
)
def test_the_signature_covers_the_body_as_received(call: Call, body: str) -> None:
    assert call("/order/searchList", body.encode())["code"] == 10000


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sign": "0" * 64}, (40003, "isv.signature-invalid")),
        ({"sign_method": "sha1"}, (40003, "isv.signature-invalid")),
        ({"app_key": "other"}, (40003, "isv.app-key-invalid")),
        ({"method": "order.orderDetail"}, (40003, "isv.parameter-invalid")),
        ({"timestamp": "2026-11-23 09:49:59"}, (40003, "isv.timestamp-invalid")),
        ({"timestamp": "soon"}, (40003, "isv.timestamp-invalid")),
        ({"timestamp": None}, (40001, "isv.parameter-missing")),
        ({"access_token": "other"}, (50001, "isv.access-token-no-existed")),
    ],
)
def test_who_may_not_come_in_is_told_why(call: Call, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(call("/order/searchList", SEARCH, **changes)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"size": 10}, (40001, "isv.parameter-missing")),
        ({"page": 0, "size": 0}, (40003, "isv.parameter-invalid")),
        ({"page": 0, "size": 101}, (40003, "isv.parameter-invalid")),
        ({"page": -1, "size": 10}, (40003, "isv.parameter-invalid")),
        ({"page": 500, "size": 100}, (40003, "isv.parameter-invalid")),
        ({"page": "0", "size": 10}, (40003, "isv.parameter-invalid")),
        ({**SEARCH, "colour": "red"}, (40003, "isv.parameter-invalid")),
        ({**SEARCH, "update_time_start": 1}, (40003, "isv.parameter-invalid")),
        (b"nonsense", (40003, "isv.parameter-invalid")),
    ],
)
def test_parameters_are_taken_by_the_contract(call: Call, arguments: Any, expected: tuple[int, str]) -> None:
    assert refusal(call("/order/searchList", arguments)) == expected


def test_orders_are_listed_by_their_modification(platform: Platform, call: Call) -> None:
    base = int(NOW.timestamp())
    for number in range(3):
        platform.add_order(order(number, update_time=base - number))
    asked = {"update_time_start": base - 1, "update_time_end": base, "order_by": "update_time"}

    assert listed(call("/order/searchList", {**SEARCH, **asked})) == ["0", "1"]
    assert listed(call("/order/searchList", {**SEARCH, **asked, "order_asc": True})) == ["1", "0"]
    assert listed(call("/order/searchList", {**asked, "page": 1, "size": 1})) == ["1"]


def test_orders_of_long_ago_are_not_listed(platform: Platform, call: Call) -> None:
    platform.add_order(order(1, create_time=int((NOW - timedelta(days=91)).timestamp())))

    assert listed(call("/order/searchList", SEARCH)) == []
    assert call("/order/orderDetail", {"shop_order_id": "1"})["data"]["shop_order_detail"]["order_id"] == "1"


def test_after_sales_are_listed_by_order_or_by_time(platform: Platform, call: Call) -> None:
    for number in (1, 2):
        platform.add_refund(make_refund(number, order(number), at=NOW, status=6))
    window = {"update_start_time": 0, "update_end_time": int(NOW.timestamp()), "order_by": ["update_time asc"]}

    by_order = call("/afterSale/List", {**SEARCH, "order_id": "2"})["data"]
    by_time = call("/afterSale/List", {"page": 0, "size": 1, **window})["data"]

    assert [row["aftersale_info"]["aftersale_id"] for row in by_order["items"]] == ["2"]
    assert (by_time["total"], by_time["has_more"], len(by_time["items"])) == (2, True, 1)
    assert refusal(call("/afterSale/List", {**SEARCH, "update_start_time": 0}))[0] == 40003


def test_a_stock_change_needs_a_key_and_is_made_once(platform: Platform, call: Call) -> None:
    sku = platform.add_item("TEE-RED-M", quantity=5)
    change = {"sku_id": sku, "stock_num": -2, "incremental": True}

    assert refusal(call("/sku/syncStock", change)) == (40001, "isv.parameter-missing")
    assert call("/sku/syncStock", {**change, "idempotent_id": "a"})["code"] == 10000
    assert refusal(call("/sku/syncStock", {**change, "idempotent_id": "a"})) == (40003, "isv.idempotent-id-existed")
    assert refusal(call("/sku/syncStock", {**change, "stock_num": -9, "idempotent_id": "b"}))[0] == 40003
    assert platform.stock == {str(sku): 3}


def test_a_token_lives_as_long_as_is_set(call: Call, platform: Platform) -> None:
    platform.token_seconds = 60
    refresh = {"grant_type": "refresh_token", "refresh_token": "refresh-0"}
    fresh = call("/token/refresh", refresh, access_token=None)["data"]

    assert refusal(call("/order/searchList", SEARCH)) == (50001, "isv.access-token-no-existed")
    assert call("/order/searchList", SEARCH, access_token=fresh["access_token"])["code"] == 10000
    platform.clock = lambda: NOW + timedelta(seconds=60)
    assert refusal(call("/order/searchList", SEARCH, access_token=fresh["access_token"])) == (
        40003,
        "isv.access-token-expired",
    )
    assert (fresh["expires_in"], fresh["shop_id"]) == (60, 1234)


def test_calls_are_counted_by_the_second(platform: Platform, call: Call) -> None:
    platform.calls_per_second = 1

    assert [call("/order/searchList", SEARCH)["code"] for _ in range(2)] == [10000, 60000]
    platform.clock = lambda: NOW + timedelta(seconds=1)
    assert call("/order/searchList", SEARCH)["code"] == 10000


def test_the_control_door_takes_orders_and_shows_the_state(platform: Platform, server: LoopbackServer) -> None:
    added = httpx.post(f"{server.url}/control/orders", json=[order(1)])
    refused = httpx.post(f"{server.url}/control/orders", json=[{"order_id": 2}])
    state = httpx.get(f"{server.url}/control/state").json()

    assert (added.json(), refused.status_code) == ({"added": 1}, 400)
    assert (state["orders"], state["by_status"], state["parcels"]) == (1, {"2": 1}, [])
    assert httpx.get(f"{server.url}/elsewhere").json()["code"] == 40001


def test_pushes_are_signed_over_their_bytes(platform: Platform) -> None:
    platform.add_order(order(1))
    [event] = list(platform.webhooks._waiting)

    headers = platform._sign("", event)

    assert headers["event-sign"] == hashlib.md5(f"{KEY}{event.body.decode()}{SECRET}".encode()).hexdigest()
    assert json.loads(event.body)[0]["tag"] == "101"
    assert json.loads(json.loads(event.body)[0]["data"])["p_id"] == 1
