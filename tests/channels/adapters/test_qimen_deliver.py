"""Asking the simulated warehouse for parcels over real HTTP, while it refuses and while it breaks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from channels.adapters import qimen
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.adapters.signing import NotThis
from channels.messages import Address, Outgoing, ParcelCancel, ParcelLine, ParcelRequest, StockFigure
from channels.simulators.qimen import Platform
from channels.simulators.server import LoopbackServer, Response

RECEIVER = Address("浙江省", "杭州市", "余杭区", "五常街道<1>&2", "CN", "韩*", "138****0000", "1aBc")
LINES = (ParcelLine("TEE-RED-M", 2, Decimal("59.5")), ParcelLine("CAP-BLUE", 1))
PLACED, PAID = datetime(2026, 11, 22, 16, 30, tzinfo=UTC), datetime(2026, 11, 22, 16, 31, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REQUEST = ParcelRequest("P-1", "SO-1", "W1", LINES, DUE, RECEIVER, "39022", PLACED, PAID)
CANCEL = ParcelCancel("P-1", "W1", "the buyer cancelled")


@pytest.fixture
def warehouse() -> Platform:
    return Platform()


@pytest.fixture
def connection(warehouse: Platform) -> Iterator[Connection]:
    with warehouse.serve() as server:
        yield Connection("WMS", server.url + warehouse.path, warehouse.credentials, warehouse.options)


def deliver(message: Outgoing, connection: Connection) -> str:
    return qimen.ADAPTER.deliver(message, connection, key="k")


def test_a_parcel_is_asked_for_with_every_field(warehouse: Platform, connection: Connection) -> None:
    answer = deliver(REQUEST, connection)

    order = warehouse.order("P-1")
    head = order["head"]
    assert "<deliveryOrderId>WMS000001</deliveryOrderId>" in answer
    assert head.pop("createTime") == head.pop("operateTime")
    assert head == {
        "deliveryOrderCode": "P-1",
        "orderType": "JYCK",
        "warehouseCode": "W1",
        "sourcePlatformCode": "OTHER",
        "placeOrderTime": "2026-11-23 00:30:00",
        "payTime": "2026-11-23 00:31:00",
        "shopNick": "demo旗舰店",
        "logisticsCode": "SF",
        "senderInfo": {
            "name": "仓库",
            "mobile": "13900000000",
            "province": "浙江省",
            "city": "杭州市",
            "detailAddress": "仓前路 2 号",
        },
        "receiverInfo": {
            "name": "韩*",
            "mobile": "138****0000",
            "countryCode": "CN",
            "province": "浙江省",
            "city": "杭州市",
            "area": "余杭区",
            "detailAddress": "五常街道<1>&2",
            "oaid": "1aBc",
        },
        "ownerCode": "OWN1",
        "latestCollectionTime": "2026-11-23 18:00:00",
    }
    names = ("itemCode", "planQty", "ownerCode", "sourceOrderCode", "actualPrice")
    assert [tuple(line[name] for name in names) for line in order["lines"]] == [
        ("TEE-RED-M", 2, "OWN1", "39022", "59.50"),
        ("CAP-BLUE", 1, "OWN1", "39022", "0.00"),
    ]


def test_a_parcel_without_the_channels_facts_is_asked_for_under_ours(
    warehouse: Platform, connection: Connection
) -> None:
    deliver(ParcelRequest("P-1", "SO-1", "W1", LINES, receiver=RECEIVER), connection)

    order = warehouse.order("P-1")
    assert order["lines"][0]["sourceOrderCode"] == "SO-1"
    assert order["head"]["placeOrderTime"] == order["head"]["createTime"]
    assert "payTime" not in order["head"]


def test_a_node_may_have_another_name_at_the_warehouse(warehouse: Platform, connection: Connection) -> None:
    named = replace(connection, options={**connection.options, "warehouses": {"W1": "HZ-01"}, "source_platform": "TB"})

    deliver(replace(REQUEST, ship_by=None), named)

    head = warehouse.order("P-1")["head"]
    assert (head["warehouseCode"], head["sourcePlatformCode"], "latestCollectionTime" in head) == ("HZ-01", "TB", False)


@pytest.mark.parametrize("repeats_fail", [False, True])
def test_a_parcel_asked_for_again_after_a_lost_answer_is_asked_for_once(
    warehouse: Platform, connection: Connection, repeats_fail: bool
) -> None:
    warehouse.repeats_fail = repeats_fail
    warehouse.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(REQUEST, connection)

    answer = deliver(REQUEST, connection)

    assert ("单据号重复" in answer, "WMS000001" in answer) == (repeats_fail, not repeats_fail)
    assert warehouse.state()["status"] == {"P-1": "ACCEPT"}


@pytest.mark.parametrize("repeats_fail", [False, True])
def test_a_parcel_is_stopped_once(warehouse: Platform, connection: Connection, repeats_fail: bool) -> None:
    warehouse.repeats_fail = repeats_fail
    deliver(REQUEST, connection)
    deliver(CANCEL, connection)
    deliver(CANCEL, connection)

    assert (warehouse.order("P-1")["status"], warehouse.order("P-1")["reason"]) == ("CANCELED", "the buyer cancelled")


def test_a_parcel_that_has_left_cannot_be_stopped(warehouse: Platform, connection: Connection) -> None:
    deliver(REQUEST, connection)
    warehouse.orders["P-1"]["status"] = "DELIVERED"

    with pytest.raises(NotThis, match="The warehouse refused: 单据已发货，无法取消 E04"):
        deliver(CANCEL, connection)

    assert warehouse.order("P-1")["status"] == "DELIVERED"


def test_a_parcel_that_nobody_asked_for_cannot_be_stopped(connection: Connection) -> None:
    with pytest.raises(NotThis, match="单据不存在"):
        deliver(CANCEL, connection)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (replace(REQUEST, receiver=None), "Parcel P-1 has no receiver, and the warehouse prints the label."),
        (replace(REQUEST, lines=()), "Parcel P-1 has no lines."),
        (
            replace(REQUEST, receiver=replace(RECEIVER, name="", city="")),
            "The receiver of parcel P-1 lacks name, city, which the warehouse needs.",
        ),
        (StockFigure("1", "2", 3), "Qimen takes parcels and their cancellations, nothing else."),
    ],
)
def test_what_cannot_be_told_is_rejected_before_it_is_sent(
    warehouse: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert str(caught.value.reason) == words
    assert warehouse.calls == {}


@pytest.mark.parametrize("name", ["owner_code", "shop_nick", "logistics_code", "sender"])
def test_an_option_that_is_not_set_is_named(warehouse: Platform, connection: Connection, name: str) -> None:
    without = {key: value for key, value in connection.options.items() if key != name}

    with pytest.raises(Rejected, match=f"Channel WMS cannot call Qimen: {name} is not set."):
        deliver(REQUEST, replace(connection, options=without))

    assert warehouse.orders == {}


def test_half_a_sender_is_none(connection: Connection) -> None:
    half = {**connection.options, "sender": {"name": "仓库"}}

    with pytest.raises(Rejected, match="sender is not set"):
        deliver(REQUEST, replace(connection, options=half))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("secret", "code 25: Invalid signature sign-check-failure"),
        ("customer_id", "code 41: Invalid arguments:customerId"),
        ("app_key", "code 41: Invalid arguments:app_key"),
    ],
)
def test_wrong_credentials_are_rejected_by_the_router(connection: Connection, name: str, words: str) -> None:
    wrong = replace(connection, credentials={**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected) as caught:
        qimen.ADAPTER.check(wrong)

    assert words in str(caught.value.reason)


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected, match="Channel WMS cannot call Qimen: secret, customer_id, base_url is not set."):
        qimen.ADAPTER.check(Connection("WMS", "", {"app_key": "1"}, {"owner_code": "OWN1"}))


def test_the_check_asks_for_stock_and_changes_nothing(warehouse: Platform, connection: Connection) -> None:
    assert qimen.ADAPTER.check(connection) == ""
    assert warehouse.state() == {"orders": 0, "status": {}, "stock": {}, "calls": {"inventory.query": 1}}


def test_too_many_calls_wait(warehouse: Platform, connection: Connection) -> None:
    warehouse.calls_per_second = 0

    with pytest.raises(RetryLater, match="App Call Limited"):
        deliver(REQUEST, connection)

    assert warehouse.orders == {}


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("<error_response><code>15</code><msg>x</msg></error_response>", RetryLater, "code 15: x"),
        (
            "<error_response><code>50</code><sub_code>isp.timeout</sub_code></error_response>",
            RetryLater,
            "code 50: isp.timeout",
        ),
        (
            "<error_response><code>50</code><sub_code>isv.x</sub_code></error_response>",
            Rejected,
            "Qimen refused with code 50: isv.x",
        ),
        ("<response><flag>failure</flag></response>", Rejected, "The warehouse refused: "),
        ("<response><flag>maybe</flag></response>", RetryLater, "did not answer in its own format"),
        ("<other/>", RetryLater, "did not answer in its own format"),
        ("{}", RetryLater, "did not answer in its own format"),
        ("<!DOCTYPE r><response/>", RetryLater, "did not answer in its own format"),
    ],
)
def test_each_answer_says_whether_waiting_helps(
    connection: Connection, body: str, kind: type[Exception], words: str
) -> None:
    with LoopbackServer(lambda request: Response(body.encode())) as server, pytest.raises(kind) as caught:
        deliver(REQUEST, replace(connection, base_url=server.url))

    assert words in str(caught.value)


@pytest.mark.parametrize(("fault", "seconds"), [("http500", 30), ("http503", 7), ("html", 30), ("cut", 30)])
def test_a_fault_on_the_way_is_tried_later_and_nothing_was_asked_for(
    warehouse: Platform, connection: Connection, fault: str, seconds: int
) -> None:
    warehouse.faults.plan(fault)

    with pytest.raises(RetryLater) as caught:
        deliver(REQUEST, connection)

    assert (caught.value.seconds, warehouse.orders) == (seconds, {})
