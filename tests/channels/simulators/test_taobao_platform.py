"""The simulated platform keeps TOP's rules, seen by a client that shares no code with the adapter."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from channels.simulators.server import LoopbackServer
from channels.simulators.taobao import Platform
from channels.simulators.taobao_gate import CONTRACT
from channels.simulators.taobao_trades import Sale, SoldLine, make_trade

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00:00 in China
LINE = SoldLine("TEE-RED-M", 68000000001, 5000000001, "T恤", 2, "109.00", "200.00")
WINDOW = {"start_modified": "2026-11-23 00:00:00", "end_modified": "2026-11-24 00:00:00"}
INCREMENT = {"method": "taobao.trades.sold.increment.get", "fields": "tid", **WINDOW}
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

        def send(parameters: dict[str, str], *, in_query: tuple[str, ...] = ()) -> dict[str, Any]:
            query = {name: value for name, value in parameters.items() if name in in_query}
            body = {name: value for name, value in parameters.items() if name not in in_query}
            answer = client.post("/router/rest", params=query, data=body)
            assert answer.status_code == 200
            return answer.json()

        yield send


def signed(parameters: dict[str, str], **changes: str | None) -> dict[str, str]:
    """Sign with md5 as the documentation says, after the changes; None leaves a parameter out."""
    common = {
        "app_key": "12345678",
        "session": "test",
        "timestamp": "2026-11-23 12:00:00",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
    }
    given = {name: value for name, value in {**common, **parameters, **changes}.items() if value is not None}
    joined = "".join(f"{name}{given[name]}" for name in sorted(given) if given[name])
    return given | {"sign": hashlib.md5(f"helloworld{joined}helloworld".encode()).hexdigest().upper()}


def trade(number: int, *, minutes: int = 0, **fields: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=1) + timedelta(minutes=minutes)
    return make_trade(Sale(10_000 + number, [LINE], at, at)) | fields


def listed(answer: dict[str, Any]) -> list[int]:
    return [row["tid"] for row in answer["trades_sold_increment_get_response"]["trades"]["trade"]]


def test_the_envelope_is_exact(platform: Platform, call: Call) -> None:
    platform.add_trade(trade(1))

    assert call(signed(INCREMENT)) == {
        "trades_sold_increment_get_response": {
            "total_results": 1,
            "trades": {"trade": [{"tid": 10_001}]},
            "request_id": "16k000000001",
        }
    }


def test_has_next_replaces_the_total(platform: Platform, call: Call) -> None:
    for number in range(3):
        platform.add_trade(trade(number, minutes=number))

    pages = [call(signed(INCREMENT, use_has_next="true", page_size="2", page_no=page)) for page in ("1", "2")]

    results = [page["trades_sold_increment_get_response"] for page in pages]
    assert [(result["has_next"], "total_results" in result) for result in results] == [(True, False), (False, False)]
    assert [listed(page) for page in pages] == [[10_002, 10_001], [10_000]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"method": None}, 21, id="no method"),
        pytest.param({"method": "taobao.no.such"}, 22, id="unknown method"),
        pytest.param({"format": "xml"}, 23, id="format"),
        pytest.param({"session": None}, 26, id="no session"),
        pytest.param({"session": "stolen"}, 27, id="wrong session"),
        pytest.param({"app_key": None}, 28, id="no app key"),
        pytest.param({"app_key": "1"}, 29, id="wrong app key"),
        pytest.param({"timestamp": None}, 30, id="no timestamp"),
        pytest.param({"timestamp": "yesterday"}, 31, id="timestamp in words"),
        pytest.param({"timestamp": "2026-11-23 12:10:01"}, 31, id="clock too fast"),
        pytest.param({"timestamp": "2026-11-23 11:49:59"}, 31, id="clock too slow"),
        pytest.param({"v": "1.0"}, 33, id="version"),
        pytest.param({"fields": None}, 40, id="required parameter"),
        pytest.param({"page_no": "one"}, 41, id="type of a number"),
        pytest.param({"use_has_next": "yes"}, 41, id="type of a boolean"),
        pytest.param({"start_modified": "23.11.2026"}, 41, id="type of a date"),
        pytest.param({"page_no": "0"}, 41, id="page 0"),
        pytest.param({"page_size": "101"}, 41, id="page too large"),
        pytest.param({"end_modified": "2026-11-24 00:00:01"}, 41, id="window over a day"),
        pytest.param({"end_modified": "2026-11-22 00:00:00"}, 41, id="window backwards"),
    ],
)
def test_each_mistake_has_its_code(call: Call, changes: dict[str, str | None], code: int) -> None:
    answer = call(signed(INCREMENT, **changes))

    assert list(answer) == ["error_response"]
    assert answer["error_response"]["code"] == code
    assert answer["error_response"]["request_id"] == "16k000000001"


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-23 12:10:00", "2026-11-23 11:50:00", "1795406400000", "1795406999999"],
    ids=["10 min fast", "10 min slow", "milliseconds", "milliseconds fast"],
)
def test_the_clock_may_be_ten_minutes_off_in_both_spellings(call: Call, timestamp: str) -> None:
    assert "error_response" not in call(signed(INCREMENT, timestamp=timestamp))


@pytest.mark.parametrize("name", ["sign", "fields", "session"])
def test_a_changed_value_breaks_the_signature(call: Call, name: str) -> None:
    given = signed(INCREMENT)

    answer = call({**given, name: given[name] + "X"})

    assert (answer["error_response"]["code"], answer["error_response"]["msg"]) == (25, "Invalid signature")


def test_no_signature_at_all(call: Call) -> None:
    assert call({**signed(INCREMENT), "sign": ""})["error_response"]["code"] == 24


def test_query_and_body_are_one(platform: Platform, call: Call) -> None:
    platform.add_trade(trade(1))
    system = ("method", "app_key", "session", "timestamp", "format", "v", "sign_method", "sign")

    assert listed(call(signed(INCREMENT), in_query=system)) == [10_001]


def test_the_list_is_newest_first_and_filters(platform: Platform, call: Call) -> None:
    platform.add_trade(trade(1, minutes=1))
    platform.add_trade(trade(2, minutes=3, status="WAIT_BUYER_PAY"))
    platform.add_trade(trade(3, minutes=2, type="eticket"))
    platform.add_trade(trade(4, minutes=4, modified="2026-11-24 00:00:01"))

    assert listed(call(signed(INCREMENT))) == [10_002, 10_001]
    assert listed(call(signed(INCREMENT, status="WAIT_BUYER_PAY"))) == [10_002]
    assert listed(call(signed(INCREMENT, type="eticket"))) == [10_003]


def test_only_the_fields_asked_for_come_back(platform: Platform, call: Call) -> None:
    platform.add_trade(trade(1))
    asked = {"method": "taobao.trade.fullinfo.get", "tid": "10001"}

    shown = call(signed(asked, fields="tid,status,oaid,orders.oid,orders.num"))["trade_fullinfo_get_response"]["trade"]
    with_oaid = call(signed(asked, fields="oaid", include_oaid="true"))["trade_fullinfo_get_response"]["trade"]

    assert shown == {
        "tid": 10_001,
        "status": "WAIT_SELLER_SEND_GOODS",
        "orders": {"order": [{"oid": 10_001, "num": 2}]},
    }
    assert with_oaid == {"oaid": "1a2711"}


def test_a_trade_that_is_not_there(call: Call) -> None:
    answer = call(signed({"method": "taobao.trade.fullinfo.get", "tid": "1", "fields": "tid"}))

    assert answer["error_response"]["code"] == 15
    assert answer["error_response"]["sub_code"] == "isv.trade-not-exist"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"company_code": "DHL"}, 15),
        ({"is_split": "1"}, 40),
        ({"is_split": "1", "sub_tid": "99"}, 15),
        ({"is_split": "1", "sub_tid": "a,b"}, 41),
        ({"out_sid": None}, 40),
    ],
)
def test_a_bad_shipment_changes_nothing(
    platform: Platform, call: Call, changes: dict[str, str | None], code: int
) -> None:
    platform.add_trade(trade(1))
    before = platform.trade(10_001)
    ship = {"method": "taobao.logistics.offline.send", "tid": "10001", "out_sid": "SF1", "company_code": "SF"}

    assert call(signed(ship, **changes))["error_response"]["code"] == code
    assert (platform.trade(10_001), platform.state()["parcels"]) == (before, [])


def test_a_closed_line_does_not_keep_a_trade_half_shipped(platform: Platform, call: Call) -> None:
    seed = make_trade(Sale(10_001, [LINE, LINE], NOW, NOW))
    seed["orders"]["order"][1]["status"] = "TRADE_CLOSED"
    platform.add_trade(seed)

    call(signed({"method": "taobao.logistics.offline.send", "tid": "10001", "out_sid": "1", "company_code": "SF"}))

    shipped = platform.trade(10_001)
    assert shipped["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    assert [order["status"] for order in shipped["orders"]["order"]] == ["WAIT_BUYER_CONFIRM_GOODS", "TRADE_CLOSED"]


def test_stock_is_set_and_changed_and_never_below_zero(platform: Platform, call: Call) -> None:
    item = {"method": "taobao.item.quantity.update", "num_iid": "1", "sku_id": "11"}
    skus = {"method": "taobao.skus.quantity.update", "num_iid": "1"}

    full = call(signed(item, quantity="10"))
    call(signed(item, quantity="-3", type="2"))
    call(signed(skus, skuid_quantities="12:5;13:-4", type="2"))
    refused = call(signed(item, quantity="-1"))

    assert full["item_quantity_update_response"]["item"] == {
        "iid": "1",
        "num_iid": 1,
        "num": 10,
        "modified": "2026-11-23 12:00:00",
        "skus": {"sku": [{"sku_id": 11, "quantity": 10, "modified": "2026-11-23 12:00:00"}]},
    }
    assert refused["error_response"]["code"] == 41
    assert {row["sku_id"]: row["quantity"] for row in platform.state()["stock"]} == {11: 7, 12: 5, 13: 0}


def test_stock_by_the_sellers_code(platform: Platform, call: Call) -> None:
    platform.add_item(1, 11, outer_id="TEE-RED-M", quantity=4)
    skus = {"method": "taobao.skus.quantity.update", "num_iid": "1"}

    call(signed(skus, outerid_quantities="TEE-RED-M:9"))
    unknown = call(signed(skus, outerid_quantities="CAP:9"))

    assert unknown["error_response"]["sub_code"] == "isv.item-not-exist"
    assert platform.state()["stock"] == [{"num_iid": 1, "sku_id": 11, "quantity": 9}]


def test_more_than_twenty_skus_at_once_are_refused(platform: Platform, call: Call) -> None:
    figures = ";".join(f"{number}:1" for number in range(1, 22))

    answer = call(signed({"method": "taobao.skus.quantity.update", "num_iid": "1", "skuid_quantities": figures}))

    assert (answer["error_response"]["code"], platform.state()["stock"]) == (41, [])


def test_callers_above_the_limit_get_code_seven(platform: Platform, call: Call) -> None:
    platform.calls_per_second = 2

    codes = [call(signed(INCREMENT)).get("error_response", {}).get("code") for _ in range(3)]

    assert codes == [None, None, 7]


def test_closing_tells_paid_from_unpaid(platform: Platform) -> None:
    platform.add_trade(trade(1))
    platform.add_trade(trade(2, pay_time=""))

    platform.close_trade(10_001)
    platform.close_trade(10_002)

    closed = [platform.trade(tid) for tid in (10_001, 10_002)]
    assert [row["status"] for row in closed] == ["TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"]
    assert {row["modified"] for row in closed} == {"2026-11-23 12:00:00"}
    assert closed[0]["orders"]["order"][0]["status"] == "TRADE_CLOSED"


def test_the_control_door_takes_trades_and_shows_the_state(platform: Platform, server: LoopbackServer) -> None:
    platform.faults.plan("http500", 9)  # faults never strike the control door
    added = httpx.post(f"{server.url}/control/trades", json=[trade(1), trade(2, status="WAIT_BUYER_PAY")])
    refused = httpx.post(f"{server.url}/control/trades", json=[{"tid": 1}])
    state = httpx.get(f"{server.url}/control/state").json()

    assert (added.json(), refused.status_code, refused.json()) == (
        {"added": 2},
        400,
        {"error": "a trade needs status"},
    )
    assert state == {
        "trades": 2,
        "by_status": {"WAIT_SELLER_SEND_GOODS": 1, "WAIT_BUYER_PAY": 1},
        "parcels": [],
        "stock": [],
        "calls": {},
    }


def test_head_is_answered(server: LoopbackServer) -> None:
    assert httpx.head(f"{server.url}/router/rest").status_code == 200


def test_a_made_trade_has_only_fields_and_types_of_the_contract() -> None:
    fields = CONTRACT["taobao.trade.fullinfo.get"]["response"]["trade"]["fields"]
    made = make_trade(Sale(10_001, [LINE, LINE], NOW, NOW, post_fee="6"))
    python = {"Number": int, "String": str, "Date": str}

    def check(row: dict[str, Any], declared: dict[str, Any]) -> None:
        for name, value in row.items():
            assert isinstance(value, python[declared[name]]), name

    check({name: value for name, value in made.items() if name != "orders"}, fields)
    for order in made["orders"]["order"]:
        check(order, fields["orders"]["fields"])
    assert (made["total_fee"], made["discount_fee"], made["payment"]) == ("436.00", "36.00", "406.00")
    assert json.loads(json.dumps(made)) == made
