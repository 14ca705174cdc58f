"""The simulated warehouse keeps the standard's rules, seen by a client that shares no code with the adapter."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from channels.simulators.qimen import Platform
from channels.simulators.server import LoopbackServer, Request, Response

HTTP = httpx.Client()
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00:00 in China
PERSON = "<name>n</name><mobile>1</mobile><province>p</province><city>c</city><detailAddress>d</detailAddress>"
ORDER = (
    "<request><deliveryOrder><deliveryOrderCode>P-1</deliveryOrderCode><orderType>JYCK</orderType>"
    "<warehouseCode>W1</warehouseCode><createTime>t</createTime><placeOrderTime>t</placeOrderTime>"
    "<operateTime>t</operateTime><shopNick>s</shopNick><logisticsCode>SF</logisticsCode>"
    f"<senderInfo>{PERSON}</senderInfo><receiverInfo>{PERSON}</receiverInfo></deliveryOrder><orderLines><orderLine>"
    "<ownerCode>O</ownerCode><itemCode>A</itemCode><planQty>2</planQty><actualPrice>1.00</actualPrice></orderLine>"
    "</orderLines></request>"
)
CANCEL = "<request><warehouseCode>W1</warehouseCode><orderCode>P-1</orderCode></request>"


@pytest.fixture
def warehouse() -> Platform:
    return Platform(clock=lambda: NOW)


@pytest.fixture
def server(warehouse: Platform) -> Iterator[LoopbackServer]:
    with warehouse.serve() as running:
        yield running


def call(server: LoopbackServer, body: str, **changes: str) -> str:
    """Sign as the documentation says, after the changes, and call."""
    query = {
        "method": "taobao.qimen.deliveryorder.create",
        "timestamp": "2026-11-23 10:00:00",
        "format": "xml",
        "app_key": "qmapp",
        "v": "2.0",
        "sign_method": "md5",
        "customerId": "C001",
        **changes,
    }
    joined = "".join(name + query[name] for name in sorted(query))
    query["sign"] = hashlib.md5(f"qmsecret{joined}{body}qmsecret".encode()).hexdigest().upper()
    answer = HTTP.post(f"{server.url}/router/qimen/service", params=query, content=body.encode())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml;charset=utf-8")
    return answer.text


def told(answer: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", answer)
    return found[1] if found else ""


def test_an_order_is_taken_once(warehouse: Platform, server: LoopbackServer) -> None:
    answers = [call(server, ORDER) for _ in range(2)]

    assert [told(answer, "flag") for answer in answers] == ["success", "success"]
    assert [told(answer, "deliveryOrderId") for answer in answers] == ["WMS000001", "WMS000001"]
    assert (warehouse.order("P-1")["times"], warehouse.order("P-1")["lines"][0]["planQty"]) == (2, 2)
    warehouse.repeats_fail = True
    assert told(call(server, ORDER), "message") == "单据号重复: P-1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": "taobao.qimen.none"}, "22"),
        ({"app_key": "x"}, "41"),
        ({"customerId": "x"}, "41"),
        ({"format": "json"}, "41"),
        ({"v": "1.0"}, "41"),
        ({"sign_method": "hmac"}, "41"),
        ({"timestamp": "now"}, "31"),
        ({"timestamp": "2026-11-23 10:10:01"}, "31"),
        ({"timestamp": "2026-11-23 09:49:59"}, "31"),
    ],
)
def test_the_router_refuses_each_mistake(
    warehouse: Platform, server: LoopbackServer, changes: dict[str, str], code: str
) -> None:
    answer = call(server, ORDER, **changes)

    assert ("<error_response>" in answer, told(answer, "code")) == (True, code)
    assert warehouse.orders == {}


def test_the_signature_covers_the_bodys_bytes(warehouse: Platform, server: LoopbackServer) -> None:
    query, body = warehouse.pushed("order.cancel", {})
    query["app_key"] = "qmapp"

    answer = HTTP.post(f"{server.url}/router/qimen/service", params=query, content=body)

    assert told(answer.text, "sub_code") == "sign-check-failure"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<deliveryOrderCode>P-1</deliveryOrderCode>", "", "deliveryOrder.deliveryOrderCode is missing"),
        ("<shopNick>s</shopNick>", "<shopNick> </shopNick>", "deliveryOrder.shopNick is missing"),
        (f"<receiverInfo>{PERSON}", "<receiverInfo><name>n</name>", "deliveryOrder.receiverInfo.mobile is missing"),
        ("<planQty>2</planQty>", "<planQty>two</planQty>", "orderLines[0].planQty is not a number"),
        ("<itemCode>A</itemCode>", "", "orderLines[0].itemCode is missing"),
        ("<orderLine>", "<line>", "XML: "),
        ("request>", "other>", "request is missing"),
    ],
)
def test_the_warehouse_refuses_what_breaks_the_contract(
    warehouse: Platform, server: LoopbackServer, old: str, new: str, words: str
) -> None:
    answer = call(server, ORDER.replace(old, new))

    assert (told(answer, "flag"), words in told(answer, "message")) == ("failure", True), answer
    assert warehouse.orders == {}


def test_an_order_is_stopped_until_it_has_left(warehouse: Platform, server: LoopbackServer) -> None:
    call(server, ORDER)
    assert told(call(server, CANCEL, method="order.cancel"), "flag") == "success"
    assert warehouse.state()["status"] == {"P-1": "CANCELED"}
    warehouse.orders["P-1"]["status"] = "DELIVERED"

    answer = call(server, CANCEL, method="order.cancel")

    assert (told(answer, "flag"), told(answer, "message")) == ("failure", "单据已发货，无法取消")


def test_stock_is_told_for_items_that_are_there(warehouse: Platform, server: LoopbackServer) -> None:
    warehouse.stock["A"] = 7
    ask = "".join(f"<criteria><itemCode>{code}</itemCode></criteria>" for code in "AB")

    answer = call(server, f"<request><criteriaList>{ask}</criteriaList></request>", method="inventory.query")

    assert re.findall(r"<itemCode>(\w)</itemCode>.*?<quantity>(\d)</quantity>", answer) == [("A", "7")]


def test_too_many_calls_in_a_second(warehouse: Platform, server: LoopbackServer) -> None:
    warehouse.calls_per_second = 1

    assert [told(call(server, ORDER), "code") for _ in range(2)] == ["0", "7"]


def test_the_warehouse_calls_us_signed_lost_or_doubled_as_planned(warehouse: Platform) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    def take(request: Request) -> Response:
        got.append((request.parameters(), request.body))
        return Response(b"<response><flag>success</flag></response>")

    with LoopbackServer(take) as door:
        warehouse.faults.plan("cut")
        assert warehouse.report_to(door.url, "P-1", "PICK") is None
        warehouse.faults.plan("duplicate")
        warehouse.confirm_to(door.url, "P-1", [("SF", "SF1", {"A": 2})])
        warehouse.report_stock_to(door.url, {"A": -1})

    assert [query["method"] for query, _ in got] == ["deliveryorder.confirm"] * 2 + ["inventory.report"]
    assert got[0] == got[1]
    assert b"<itemCode>A</itemCode><quantity>2</quantity>" in got[0][1]
    assert b"<quantity>-1</quantity>" in got[2][1]
    for query, body in got:
        joined = "".join(name + query[name] for name in sorted(query) if name != "sign")
        assert query["sign"] == hashlib.md5(f"qmsecret{joined}".encode() + body + b"qmsecret").hexdigest().upper()


def test_the_control_door_confirms_an_order(warehouse: Platform, server: LoopbackServer) -> None:
    call(server, ORDER)
    with LoopbackServer(lambda request: Response(b"ok")) as door:
        asked = {"url": door.url, "number": "P-1", "carrier": "SF", "tracking_number": "SF1", "items": {"A": 2}}
        answer = HTTP.post(f"{server.url}/control/confirmations", json=asked)

    assert answer.json() == {"status": 200}
    assert HTTP.get(f"{server.url}/control/state").json()["status"] == {"P-1": "DELIVERED"}
    assert HTTP.get(f"{server.url}/control/none").status_code == 404
    assert HTTP.get(f"{server.url}/other").status_code == 404


def test_the_clock_is_the_warehouses_own() -> None:
    later = Platform(clock=lambda: NOW + timedelta(days=1))

    query, _ = later.pushed("orderprocess.report", {})

    assert query["timestamp"] == "2026-11-24 10:00:00"
