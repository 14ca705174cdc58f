"""The simulated WeChat Shop keeps the platform's rules, seen by a client that shares no code with the adapter."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.wechat_shop import Platform
from channels.simulators.wechat_shop_shop import ids_of, make_order

HTTP = httpx.Client()
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
LINE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
PRODUCT_ID, SKU_ID = ids_of("TEE-RED-M")
LIST = "/channels/ec/order/list/get"
WINDOW = {"update_time_range": {"start_time": SECONDS - 3600, "end_time": SECONDS}, "page_size": 2}


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOW)


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


def call(server: LoopbackServer, path: str, body: Any, token: str = "token-0") -> dict[str, Any]:
    answer = HTTP.post(server.url + path, params={"access_token": token}, content=json.dumps(body).encode())
    assert answer.status_code == 200
    return answer.json()


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        at = NOW - timedelta(minutes=count - number)
        platform.add_order(make_order(10_000 + number, [LINE], placed_at=at, paid_at=at))


def parcel(**fields: Any) -> dict[str, Any]:
    products = [{"product_id": PRODUCT_ID, "sku_id": SKU_ID, "product_cnt": 2}]
    return {"delivery_id": "SF", "waybill_id": "SF1", "deliver_type": 1, "product_infos": products, **fields}


def test_the_list_goes_by_cursor(platform: Platform, server: LoopbackServer) -> None:
    fill(platform, 3)

    first = call(server, LIST, WINDOW)
    second = call(server, LIST, {**WINDOW, "next_key": first["next_key"]})

    assert (first["order_id_list"], first["has_more"]) == (["10000", "10001"], True)
    assert (second["order_id_list"], second["has_more"]) == (["10002"], False)


def test_the_order_comes_whole(platform: Platform, server: LoopbackServer) -> None:
    fill(platform, 1)

    answer = call(server, "/channels/ec/order/get", {"order_id": "10000"})

    assert (answer["errcode"], answer["errmsg"], answer["order"]) == (0, "ok", platform.order("10000"))
    assert answer["order"]["order_detail"]["product_infos"][0]["real_price"] == 21800


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        pytest.param("/channels/ec/none", {}, 48001, id="unknown call"),
        pytest.param(LIST, {"page_size": 2}, 9401020, id="no window"),
        pytest.param(LIST, {**WINDOW, "page_size": 101}, 9401020, id="page too large"),
        pytest.param(LIST, {**WINDOW, "page_size": "2"}, 9401020, id="type of a number"),
        pytest.param(LIST, {"update_time_range": WINDOW["update_time_range"]}, 9401020, id="required field"),
        pytest.param(LIST, {**WINDOW, "next_key": "x"}, 9401020, id="no cursor of ours"),
        pytest.param(
            LIST,
            {"update_time_range": {"start_time": 1, "end_time": 7 * 86_400 + 2}, "page_size": 1},
            9401020,
            id="8 days",
        ),
        pytest.param("/channels/ec/order/get", {"order_id": 10000}, 9401020, id="an id is a text"),
        pytest.param("/channels/ec/order/get", {"order_id": "1"}, 100002, id="no such order"),
        pytest.param("/channels/ec/order/get", [], 47001, id="a list"),
        pytest.param("/channels/ec/aftersale/getaftersaleorder", {"after_sale_order_id": "1"}, 100002, id="no refund"),
        pytest.param("/channels/ec/aftersale/getaftersalelist", {}, 9401020, id="no window of refunds"),
        pytest.param(
            "/channels/ec/product/stock/update",
            {"product_id": "1", "sku_id": "2", "diff_type": 4, "num": 1},
            9401020,
            id="kind of a figure",
        ),
        pytest.param(
            "/channels/ec/product/stock/update",
            {"product_id": "1", "sku_id": "2", "diff_type": 2, "num": 1},
            9401020,
            id="below zero",
        ),
    ],
)
def test_each_mistake_has_its_code(server: LoopbackServer, path: str, body: Any, code: int) -> None:
    answer = call(server, path, body)

    assert answer["errcode"] == code
    assert " rid: " in answer["errmsg"]


@pytest.mark.parametrize(("token", "code"), [("", 40014), ("stolen", 42001)])
def test_a_call_needs_a_living_token(server: LoopbackServer, token: str, code: int) -> None:
    assert call(server, LIST, WINDOW, token)["errcode"] == code


def test_tokens_die_the_old_one_first() -> None:
    now = NOW
    platform = Platform(clock=lambda: now)
    with platform.serve() as server:
        query = {"grant_type": "client_credential", "appid": "wxappid0001", "secret": "wxsecret"}
        fresh = HTTP.get(f"{server.url}/cgi-bin/token", params=query).json()
        codes = []
        for seconds in (299, 300, 7199, 7200):
            now = NOW + timedelta(seconds=seconds)
            codes.append([call(server, LIST, WINDOW, token)["errcode"] for token in ("token-0", fresh["access_token"])])

    assert (fresh["errcode"], fresh["expires_in"]) == (0, 7200)
    assert codes == [[0, 0], [42001, 0], [42001, 0], [42001, 42001]]


@pytest.mark.parametrize(("name", "code"), [("grant_type", 40002), ("appid", 40013), ("secret", 40001)])
def test_a_token_needs_the_right_words(server: LoopbackServer, name: str, code: int) -> None:
    query = {"grant_type": "client_credential", "appid": "wxappid0001", "secret": "wxsecret", name: "x"}

    assert HTTP.get(f"{server.url}/cgi-bin/token", params=query).json()["errcode"] == code


def test_too_many_calls_in_a_second(platform: Platform, server: LoopbackServer) -> None:
    platform.calls_per_second = 2

    assert [call(server, LIST, WINDOW)["errcode"] for _ in range(3)] == [0, 0, 45011]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"delivery_id": "DHL"}, 109002),
        ({"waybill_id": ""}, 109002),
        ({"product_infos": [{"product_id": PRODUCT_ID, "sku_id": SKU_ID, "product_cnt": 3}]}, 109000),
        ({"product_infos": [{"product_id": PRODUCT_ID, "sku_id": "1", "product_cnt": 1}]}, 109000),
        ({"product_infos": []}, 9401020),
    ],
)
def test_a_parcel_that_is_refused_changes_nothing(
    platform: Platform, server: LoopbackServer, changes: dict[str, Any], code: int
) -> None:
    fill(platform, 1)
    before = platform.order("10000")

    answer = call(
        server,
        "/channels/ec/order/delivery/send",
        {"order_id": "10000", "delivery_list": [parcel(), parcel(**changes)][1:]},
    )

    assert answer["errcode"] == code
    assert platform.order("10000") == before


def test_a_second_parcel_after_the_last_one_has_its_own_code(platform: Platform, server: LoopbackServer) -> None:
    fill(platform, 1)
    body = {"order_id": "10000", "delivery_list": [parcel()]}

    codes = [call(server, "/channels/ec/order/delivery/send", body)["errcode"] for _ in range(2)]

    assert codes == [0, 109001]
    assert platform.state()["by_status"] == {"30": 1}


def test_stock_is_added_taken_and_set(platform: Platform, server: LoopbackServer) -> None:
    ids = {"product_id": "1", "sku_id": "2"}
    for kind, number in ((3, 10), (1, 5), (2, 8)):
        assert (
            call(server, "/channels/ec/product/stock/update", {**ids, "diff_type": kind, "num": number})["errcode"] == 0
        )

    assert call(server, "/channels/ec/product/stock/get", ids)["data"]["normal_stock_num"] == 7
    assert platform.state()["stock"] == [{"product_id": "1", "sku_id": "2", "quantity": 7}]


def test_orders_come_in_by_the_control_door(platform: Platform, server: LoopbackServer) -> None:
    order = make_order(10_000, [LINE], placed_at=NOW, cancelled_at=NOW)

    assert HTTP.post(f"{server.url}/control/orders", json=[order]).json() == {"added": 1}
    assert HTTP.post(f"{server.url}/control/orders", json=[{}]).status_code == 400
    assert HTTP.get(f"{server.url}/control/state").json()["by_status"] == {"250": 1}
    assert HTTP.get(f"{server.url}/control/none").status_code == 404


def test_a_push_is_posted_lost_or_doubled_as_planned() -> None:
    platform = Platform(clock=lambda: NOW, faults=Faults())
    got: list[dict[str, Any]] = []

    def take(request: Request) -> Response:
        got.append({**request.parameters(), "body": json.loads(request.body)})
        return Response(b"success")

    with LoopbackServer(take) as door:
        platform.faults.plan("cut")
        assert platform.push_to(door.url, "channels_ec_order_pay", "10000") is None
        platform.faults.plan("duplicate")
        answer = platform.push_to(door.url, "channels_ec_order_pay", "10000", pay_time=SECONDS)

    assert answer is not None
    assert (answer.text, len(got), got[0] == got[1]) == ("success", 2, True)
    assert (got[0]["encrypt_type"], got[0]["timestamp"]) == ("aes", str(SECONDS))
    assert set(got[0]["body"]) == {"ToUserName", "Encrypt"}
