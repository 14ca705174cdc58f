"""The simulated JD keeps the platform's rules, seen by a client that shares no code with the adapter."""

import hashlib
import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from channels.simulators.jd import Platform, make_order
from channels.simulators.server import LoopbackServer

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00:00 in China
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
SEARCH = {
    "source_id": "JOS",
    "start_date": "2026-11-23 00:00:00",
    "end_date": "2026-11-23 23:59:59",
    "order_state": "ALL",
    "optional_fields": "orderId",
    "page": "1",
    "page_size": "10",
}
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

        def send(method: str, arguments: Any, /, **changes: str | None) -> dict[str, Any]:
            answer = client.post("/routerjson", data=signed(method, arguments, **changes))
            assert answer.status_code == 200
            return answer.json()

        yield send


def signed(method: str, arguments: Any, /, **changes: str | None) -> dict[str, str]:
    """Sign as the documentation says, after the changes; None leaves a parameter out."""
    usual = {
        "method": method,
        "app_key": "JDAPPKEY",
        "access_token": "access-0",
        "timestamp": "2026-11-23 10:00:00",
        "v": "2.0",
        "360buy_param_json": arguments if isinstance(arguments, str) else json.dumps(arguments),
    }
    given = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    joined = "".join(name + given[name] for name in sorted(given) if name != "sign")
    return {"sign": hashlib.md5(f"jdsecret{joined}jdsecret".encode()).hexdigest().upper(), **given}


def search(call: Call, **changes: Any) -> dict[str, Any]:
    answer = call("jingdong.pop.order.enSearch", SEARCH | changes)
    return answer.get("jingdong_pop_order_enSearch_responce", answer)


def order(number: int, *, minutes: int = 0, **fields: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=1) + timedelta(minutes=minutes)
    return make_order(number, [TEE], placed_at=at, paid_at=at) | fields


def listed(answer: dict[str, Any]) -> list[str]:
    return [row["orderId"] for row in answer["searchorderinfo_result"]["orderInfoList"]]


def test_the_envelope_is_misspelled_as_the_platform_does(platform: Platform, call: Call) -> None:
    platform.add_order(order(1))

    assert call("jingdong.pop.order.enSearch", SEARCH) == {
        "jingdong_pop_order_enSearch_responce": {
            "code": "0",
            "searchorderinfo_result": {
                "apiResult": {
                    "success": True,
                    "numberCode": "0",
                    "chineseErrCode": "",
                    "englishErrCode": "success",
                },
                "orderTotal": 1,
                "orderInfoList": [{"orderId": "1"}],
            },
        }
    }


def test_everything_may_stand_in_the_query_of_an_absolute_target(platform: Platform, server: LoopbackServer) -> None:
    platform.add_order(order(1))
    given = signed("jingdong.pop.order.enSearch", SEARCH, timestamp="2026-11-23 10:00:00.000+0800")
    wire = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))

    wire.request("POST", f"http://127.0.0.1/routerjson?{urlencode(given)}")
    answer = json.loads(wire.getresponse().read())
    wire.close()

    assert listed(answer["jingdong_pop_order_enSearch_responce"]) == ["1"]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "with spaces"])
def test_the_signature_covers_the_values_as_received(call: Call, separators: tuple[str, str]) -> None:
    text = json.dumps(SEARCH | {"optional_fields": "orderId,订单"}, ensure_ascii=False, separators=separators)

    assert "jingdong_pop_order_enSearch_responce" in call("jingdong.pop.order.enSearch", text)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign": "0" * 32}, "12"),
        ({"app_key": "other"}, "13"),
        ({"access_token": "other"}, "19"),
        ({"access_token": None}, "19"),
        ({"timestamp": "2026-11-23 09:49:59"}, "14"),
        ({"timestamp": "1795399200"}, "14"),
        ({"timestamp": None}, "10"),
        ({"method": "jingdong.nothing"}, "11"),
    ],
)
def test_who_may_not_come_in_is_told_why(call: Call, changes: dict[str, Any], code: str) -> None:
    assert call("jingdong.pop.order.enSearch", SEARCH, **changes)["error_response"]["code"] == code


@pytest.mark.parametrize(
    "changes",
    [
        {"source_id": ""},
        {"optional_fields": ""},
        {"order_state": ""},
        {"order_state": "ALL,NOT_PAY"},
        {"order_state": "FLYING"},
        {"page": "0"},
        {"page": "x"},
        {"page_size": "101"},
        {"end_date": "2026-11-22 23:59:59"},
        {"end_date": "2026-12-23 00:00:01"},
        {"end_date": "tomorrow"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_parameters_are_taken_by_the_contract(call: Call, changes: dict[str, Any]) -> None:
    assert search(call, **changes)["error_response"]["code"] == "10"


def test_a_calendar_month_is_the_longest_window(call: Call) -> None:
    assert search(call, end_date="2026-12-23 00:00:00")["code"] == "0"


def test_orders_are_listed_by_modification_or_creation(platform: Platform, call: Call) -> None:
    platform.add_order(order(1))
    platform.add_order(order(2, minutes=1, modified="2026-11-23 09:30:00"))
    late = {"start_date": "2026-11-23 09:30:00"}

    assert listed(search(call)) == ["2", "1"]
    assert listed(search(call, **late)) == ["2"]
    assert listed(search(call, **late, dateType=1)) == []
    assert listed(search(call, page="2", page_size="1")) == ["1"]
    assert listed(search(call, order_state="NOT_PAY,LOCKED")) == []


def test_a_token_lives_as_long_as_is_set(platform: Platform, server: LoopbackServer, call: Call) -> None:
    platform.token_seconds = 60
    given = {"grant_type": "refresh_token", "app_key": "JDAPPKEY", "app_secret": "jdsecret"}
    url = f"{server.url}/oauth2/refresh_token"

    refused = httpx.post(url, data={**given, "refresh_token": "other"}).json()
    fresh = httpx.post(url, data={**given, "refresh_token": "refresh-0"}).json()

    assert (refused["code"], fresh["expires_in"]) == (1002, 60)
    token = fresh["access_token"]
    assert call("jingdong.pop.order.enSearch", SEARCH)["error_response"]["code"] == "19"
    assert "error_response" not in call("jingdong.pop.order.enSearch", SEARCH, access_token=token)
    platform.clock = lambda: NOW + timedelta(seconds=60)
    assert call("jingdong.pop.order.enSearch", SEARCH, access_token=token)["error_response"]["code"] == "19"


def test_calls_are_counted_by_the_second(platform: Platform, call: Call) -> None:
    platform.calls_per_second = 1

    assert [search(call).get("code"), search(call)["error_response"]["code"]] == ["0", "20"]


def test_the_control_door_takes_orders_and_shows_the_state(platform: Platform, server: LoopbackServer) -> None:
    added = httpx.post(f"{server.url}/control/orders", json=[order(1)])
    refused = httpx.post(f"{server.url}/control/orders", json=[{"orderId": "2"}])
    platform.close_order(1)
    state = httpx.get(f"{server.url}/control/state").json()

    assert (added.json(), refused.status_code) == ({"added": 1}, 400)
    assert (state["orders"], state["by_status"]) == (1, {"TRADE_CANCELED": 1})
    assert httpx.get(f"{server.url}/elsewhere").status_code == 404
    assert platform.order(1)["orderEndTime"] == "2026-11-23 10:00:00"
