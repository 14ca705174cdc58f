"""The simulated Weimob keeps its rules, seen by a client that shares no code with the adapter."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.weimob import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
AT = 1_795_147_200_000
LINES = [("TEE-RED-M", "T恤", 2, Decimal("109.00")), ("CAP", "帽子", 1, Decimal("20.00"))]
DAY = {"type": 2, "startTime": AT, "endTime": AT + 86_400_000}
PAGE = {"pageNum": 1, "pageSize": 2, "queryParameter": {"queryTime": DAY}}
PARCEL = {"logistics": {"deliveryNo": "SF1", "deliveryCompanyCode": "shunfeng"}, "basicInfo": {"vid": 1}}
STOCK = {"basicInfo": {"vid": 1}, "quantityEditType": 0}


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOON + timedelta(hours=2))


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def http(server: LoopbackServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


def fill(platform: Platform, count: int) -> None:
    for number in range(1, count + 1):
        at = NOON + timedelta(minutes=number)
        platform.add_order(make_order(number, LINES, placed_at=at, paid_at=at))


def call(http: httpx.Client, path: str, body: Any, token: str = "access-0") -> tuple[str, Any]:
    answer = http.post(f"/apigw/weimob_shop/v2.0/{path}", params={"accesstoken": token}, json=body)
    assert answer.status_code == 200
    told = answer.json()
    return told["code"]["errcode"], told["data"] if told["code"]["errcode"] == "0" else told["code"]["errmsg"]


def listed(data: Any) -> list[int]:
    return [row["orderInfo"]["orderBaseInfo"]["orderNo"] for row in data["pageList"]]


def test_a_list_has_numbered_pages_newest_first(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 3)

    pages = [call(http, "order/list/search", {**PAGE, "pageNum": number})[1] for number in (1, 2, 3)]

    assert [listed(page) for page in pages] == [[3, 2], [1], []]
    assert [page["totalCount"] for page in pages] == [3, 3, 3]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pageSize": 2}, "pageNum is missing"),
        ({**PAGE, "pageSize": 101}, "pageSize or pageNum"),
        ({**PAGE, "pageNum": 0}, "pageSize or pageNum"),
        ({**PAGE, "pageNum": "1"}, "pageNum is not int64"),
        ({**PAGE, "colour": 1}, "colour is not known"),
        ({**PAGE, "queryParameter": {"statuses": ["3"]}}, "queryParameter.statuses is not int64"),
        ({**PAGE, "queryParameter": {"statuses": 3}}, "queryParameter.statuses is not a list"),
        ({**PAGE, "queryParameter": []}, "queryParameter is not an object"),
        ({**PAGE, "queryParameter": {"queryTime": {**DAY, "endTime": AT + 86_400_001}}}, "queryTime"),
        ({**PAGE, "queryParameter": {"queryTime": {**DAY, "endTime": AT - 1}}}, "queryTime"),
        ({**PAGE, "queryParameter": {"queryTime": {**DAY, "type": 9}}}, "queryTime"),
        ([], "the body is not an object"),
    ],
)
def test_each_mistake_is_named(http: httpx.Client, body: Any, words: str) -> None:
    assert call(http, "order/list/search", body) == ("4900100100002", words)


def test_tokens_are_given_and_expire(platform: Platform, http: httpx.Client) -> None:
    asked = {"grant_type": "client_credentials", "client_id": "wmclient", "client_secret": "wmsecret"}
    asked |= {"shop_id": "600001", "shop_type": "business_operation_system_id"}

    wrong = http.post("/fuwu/b/oauth2/token", params={**asked, "client_secret": "x"}).json()
    given = http.post("/fuwu/b/oauth2/token", params=asked).json()

    assert (wrong["error"], given["expires_in"]) == ("invalid_client", 7200)
    assert call(http, "order/list/search", PAGE)[0] == "80001001000120"  # the first token is no longer the one
    assert call(http, "order/list/search", PAGE, given["access_token"])[0] == "0"
    platform.expire_token()
    assert call(http, "order/list/search", PAGE, given["access_token"])[0] == "80001001000119"


def test_there_is_a_limit_and_an_end(http: httpx.Client) -> None:
    platform = Platform(calls_per_second=1, clock=lambda: NOON)
    with platform.serve() as server, httpx.Client(base_url=server.url) as limited:
        codes = [call(limited, "order/list/search", PAGE)[0] for _ in range(2)]

    assert codes == ["0", "80001001000200"]
    assert call(http, "no/such/call", {})[0] == "4900100100001"


def test_parcels_move_an_order_to_its_end(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 1)
    whole = {**PARCEL, "orderNo": 1}

    part = {**whole, "fulfillItems": [{"orderItemId": 101, "skuNum": 1}]}
    assert call(http, "fulfill/logistics/update", part) == ("4900100100004", "请选择拆单发货")
    assert call(http, "fulfill/logistics/update", {**part, "isSplitPackage": True}) == ("0", {"success": True})
    halfway = platform.state()["by_status"]
    assert call(http, "fulfill/logistics/update", whole) == ("0", {"success": True})
    assert call(http, "fulfill/logistics/update", whole) == ("4900100100004", "订单状态不允许发货")

    assert (halfway, platform.state()["by_status"]) == ({"4": 1}, {"5": 1})
    held = [[row["deliveryNum"] for row in parcel["fulfillItemList"]] for parcel in platform.state()["parcels"]]
    assert held == [["1"], ["1", "1"]]


def test_stock_is_overwritten_or_changed_and_failures_are_inside_a_success(
    platform: Platform, http: httpx.Client
) -> None:
    sku = platform.add_item("TEE-RED-M", quantity=4)

    def tell(number: int, units: int, kind: int) -> Any:
        goods = [{"goodsId": 1, "skuList": [{"skuId": number, "stockNum": units}]}]
        return call(http, "stock/update", {**STOCK, "goodsList": goods, "quantityEditType": kind})

    assert tell(sku, 7, 0) == ("0", {"failList": []})
    assert tell(sku, 2, 1) == ("0", {"failList": []})
    code, data = tell(99, 5, 0)

    assert (code, data["failList"][0]["skuIdSet"]) == ("0", [99])
    assert platform.state()["stock"] == {str(sku): 9}


def test_after_sales_are_listed_and_shown(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 1)
    rights_id = platform.add_refund(1, {101: 1}, "109.00")
    platform.change_refund(rights_id, rightsStatus=6)

    shown = call(http, "rights/list/search", PAGE)[1]["pageList"][0]

    assert shown == call(http, "rights/detail/get", {"rightsId": rights_id})[1]["rightsInfo"]
    assert (shown["rightsOrder"]["rightsStatus"], shown["refundDetail"]["refundAmount"]) == (6, "109.00")
    assert call(http, "order/detail/get", {"orderNo": 1})[1]["rightsInfos"][0]["rightsId"] == rights_id
    assert call(http, "rights/detail/get", {"rightsId": 5}) == ("4900100100004", "维权单不存在")


def test_pushes_are_signed_and_come_again_until_they_are_taken(platform: Platform) -> None:
    taken: list[Request] = []

    def take(request: Request) -> Response:
        taken.append(request)
        return Response(b"", 500 if len(taken) == 1 else 200)

    with LoopbackServer(take) as ours:
        fill(platform, 1)
        platform.webhooks.lose()
        platform.change_order(1, orderStatus=2)
        platform.close_order(1)
        platform.add_refund(1, {101: 1}, "109.00")
        statuses = platform.push_to(ours.url), platform.push_to(ours.url)

    assert statuses == ([500, 200, 200], [200])
    told = [json.loads(request.body) for request in taken]
    assert [(each["topic"], each["event"]) for each in told] == [
        ("weimob_shop.order", "create"),
        ("weimob_shop.order", "statusUpdate"),
        ("weimob_shop.rights", "create"),
        ("weimob_shop.order", "create"),
    ]
    assert json.loads(told[1]["msgBody"])["orderStatus"] == 9
    for each in told:
        signed = f"wmclient{each['id']}{each['msgBody']}wmsecret"
        assert each["sign"] == hashlib.md5(signed.encode()).hexdigest()


def test_orders_can_be_put_in_from_outside(server: LoopbackServer) -> None:
    orders = [make_order(1, LINES, placed_at=NOON), make_order(2, LINES, placed_at=NOON, cancelled_at=NOON)]

    assert httpx.post(f"{server.url}/control/orders", json=orders).json() == {"added": 2}
    assert httpx.post(f"{server.url}/control/orders", json=[{"orderInfo": {}}]).status_code == 400
    assert httpx.get(f"{server.url}/control/state").json()["by_status"] == {"0": 1, "9": 1}
