"""The simulated Youzan cloud keeps the platform's rules, seen by a client that shares no code with the adapter."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.youzan import Platform
from channels.simulators.youzan_orders import make_order, make_refund

HTTP = httpx.Client()
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00:00 in China
LINE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
LIST = "youzan.trades.sold.get/4.0.4"
SHIP = "youzan.logistics.online.confirm/3.0.0"
WINDOW = {"start_update": "2026-11-23 00:00:00", "end_update": "2026-11-23 23:59:59"}


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOW)


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


def call(server: LoopbackServer, api: str, body: Any, token: str = "access-0") -> dict[str, Any]:
    answer = HTTP.post(f"{server.url}/api/{api}", params={"access_token": token}, content=json.dumps(body).encode())
    assert answer.status_code == 200
    return answer.json()


def code(answer: dict[str, Any]) -> int:
    return answer["gw_err_resp"]["err_code"] if "gw_err_resp" in answer else answer["code"]


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        at = NOW - timedelta(minutes=count - number)
        platform.add_order(make_order(f"E{number}", [LINE], placed_at=at, paid_at=at))


def test_the_list_is_paged_newest_first(platform: Platform, server: LoopbackServer) -> None:
    fill(platform, 3)

    pages = [call(server, LIST, {**WINDOW, "page_no": number, "page_size": 2})["data"] for number in (1, 2)]

    listed = [[row["full_order_info"]["order_info"]["tid"] for row in page["full_order_info_list"]] for page in pages]
    assert (listed, [page["total_results"] for page in pages]) == ([["E2", "E1"], ["E0"]], [3, 3])


@pytest.mark.parametrize(
    ("api", "body", "expected"),
    [
        pytest.param("youzan.none/1.0.0", {}, 4201, id="unknown call"),
        pytest.param(LIST, {"start_update": "2026-11-23 00:00:00"}, 5001, id="half a window"),
        pytest.param(LIST, {**WINDOW, "end_update": "2027-02-24 00:00:00"}, 5001, id="over three months"),
        pytest.param(LIST, {**WINDOW, "end_update": "2026-11-22 00:00:00"}, 5001, id="window backwards"),
        pytest.param(LIST, {**WINDOW, "end_update": "23.11.2026"}, 5001, id="type of a time"),
        pytest.param(LIST, {"page_size": 101}, 5001, id="page too large"),
        pytest.param(LIST, {"page_no": 101}, 5001, id="page too deep"),
        pytest.param(LIST, {"page_no": "1"}, 5001, id="type of a number"),
        pytest.param(LIST, [], 5001, id="a list"),
        pytest.param("youzan.trade.get/4.0.2", {}, 5001, id="required argument"),
        pytest.param("youzan.trade.get/4.0.2", {"tid": "E77"}, 105000016, id="no such order"),
        pytest.param("youzan.trade.refund.get/3.0.1", {"refund_id": "1"}, 101000002, id="no such refund"),
        pytest.param(
            "youzan.trade.refund.search/3.0.1", {"page_no": 31, "page_size": 100}, 5001, id="refunds too deep"
        ),
        pytest.param(
            SHIP, {"tid": "E0", "is_no_express": 0, "out_stype": "99", "out_sid": "1"}, 105000003, id="courier"
        ),
        pytest.param(SHIP, {"tid": "E0", "is_no_express": 0, "out_stype": "7"}, 105000003, id="no waybill"),
        pytest.param(
            SHIP, {"tid": "E0", "is_no_express": 0, "out_stype": "7", "out_sid": "1", "oids": "9"}, 105000001, id="oid"
        ),
        pytest.param("youzan.item.quantity.update/3.0.0", {"item_id": 1, "quantity": -1}, 5001, id="below zero"),
        pytest.param(
            "youzan.item.quantity.update/4.0.0",
            {"kdt_id": 66, "item_id": 1, "channel": 1, "stock_num_str": "2", "type": 1},
            123000104,
            id="a branch's difference",
        ),
    ],
)
def test_each_mistake_has_its_code(
    platform: Platform, server: LoopbackServer, api: str, body: Any, expected: int
) -> None:
    fill(platform, 1)

    assert code(call(server, api, body)) == expected
    assert platform.state()["parcels"] == []


def test_a_call_needs_a_living_token(platform: Platform, server: LoopbackServer) -> None:
    codes = [code(call(server, LIST, WINDOW, token)) for token in ("", "stolen", "access-0")]
    platform.expire_token()

    assert codes == [4001, 4003, 200]
    assert code(call(server, LIST, WINDOW)) == 4003


def test_a_token_is_handed_out_for_the_right_words_and_the_old_one_dies(server: LoopbackServer) -> None:
    asked = {"client_id": "yzclient", "client_secret": "yzsecret", "grant_id": "55", "authorize_type": "silent"}

    answer = HTTP.post(f"{server.url}/auth/token", json=asked).json()

    assert (answer["success"], answer["data"]["access_token"]) == (True, "access-1")
    assert answer["data"]["expires"] == (int(NOW.timestamp()) + 7 * 86_400) * 1000
    assert [code(call(server, LIST, WINDOW, token)) for token in ("access-0", "access-1")] == [4003, 200]
    for name in ("client_id", "client_secret", "grant_id", "authorize_type"):
        assert HTTP.post(f"{server.url}/auth/token", json={**asked, name: "x"}).json()["code"] == 10000


def test_too_many_calls_in_a_second(platform: Platform, server: LoopbackServer) -> None:
    platform.calls_per_second = 2

    assert [code(call(server, LIST, WINDOW)) for _ in range(3)] == [200, 200, 4018]


def test_stock_is_set_or_changed(platform: Platform, server: LoopbackServer) -> None:
    for kind, quantity in ((0, 10), (1, -3)):
        call(
            server, "youzan.item.quantity.update/3.0.0", {"item_id": 1, "sku_id": 2, "quantity": quantity, "type": kind}
        )

    assert platform.state()["stock"] == {"2": 7}


def test_refunds_are_found_by_the_time_of_their_change(platform: Platform, server: LoopbackServer) -> None:
    fill(platform, 1)
    platform.add_refund(make_refund(7001, platform.order("E0"), asked_at=NOW, quantity=1))
    at = int(NOW.timestamp())

    found = [
        call(server, "youzan.trade.refund.search/3.0.1", {"update_time_start": start, "update_time_end": at + 9})[
            "data"
        ]
        for start in (at, at + 1)
    ]

    assert found == [{"total": 1, "refunds": [{"refund_id": "7001", "tid": "E0"}]}, {"total": 0, "refunds": []}]


def test_orders_come_in_by_the_control_door(platform: Platform, server: LoopbackServer) -> None:
    order = make_order("E1", [LINE], placed_at=NOW, cancelled_at=NOW)

    assert HTTP.post(f"{server.url}/control/orders", json=[order]).json() == {"added": 1}
    assert HTTP.post(f"{server.url}/control/orders", json=[{}]).status_code == 400
    assert HTTP.get(f"{server.url}/control/state").json()["by_status"] == {"TRADE_CLOSED": 1}


def test_a_push_is_signed_as_received_and_lost_or_doubled_as_planned(platform: Platform) -> None:
    fill(platform, 1)
    got: list[dict[str, Any]] = []

    def take(request: Request) -> Response:
        got.append(json.loads(request.body))
        return Response(b'{"code":0,"msg":"success"}')

    with LoopbackServer(take) as door:
        platform.faults.plan("cut")
        assert platform.push_to(door.url, "trade_TradePaid", "E0") is None
        platform.faults.plan("duplicate")
        answer = platform.push_to(door.url, "trade_TradePaid", "E0")

    assert answer is not None
    assert (answer.json()["code"], len(got), got[0] == got[1]) == (0, 2, True)
    assert got[0]["sign"] == hashlib.md5(f"yzclient{got[0]['msg']}yzsecret".encode()).hexdigest()
    assert json.loads(unquote(got[0]["msg"])) == {
        "tid": "E0",
        "status": "WAIT_SELLER_SEND_GOODS",
        "update_time": "2026-11-23 11:59:00",
    }
