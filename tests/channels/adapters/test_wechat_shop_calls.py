"""Pulling, fetching and telling the simulated WeChat Shop over real HTTP, while it moves and while it breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import wechat_shop
from channels.adapters.protocol import Connection, Rejected, RetryLater, TokenExpired
from channels.messages import (
    IncomingOrder,
    IncomingRefund,
    Outgoing,
    ParcelCancel,
    RawMessage,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
)
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.wechat_shop import Platform
from channels.simulators.wechat_shop_shop import ids_of, make_order

ADAPTER = wechat_shop.ADAPTER
NOON = datetime(2025, 11, 23, 4, 0, tzinfo=UTC)
LIST = "/channels/ec/order/list/get"
DETAIL = "/channels/ec/order/get"
LINES = [("TEE-RED-M", "T恤", 2, Decimal("109.00")), ("CAP-BLUE", "帽子", 1, Decimal("50.00"))]
TEE, CAP = (":".join(ids_of(line[0])) for line in LINES)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("WX", server.url, platform.credentials)


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        at = NOON + timedelta(seconds=number)
        platform.add_order(make_order(10_000 + number, LINES, placed_at=at, paid_at=at))


def refund(number: int, order_id: str, *, at: datetime, **fields: Any) -> dict[str, Any]:
    product_id, sku_id = ids_of("TEE-RED-M")
    return {
        "after_sale_order_id": str(number),
        "status": "MERCHANT_PROCESSING",
        "order_id": order_id,
        "type": "REFUND",
        "product_info": {"product_id": product_id, "sku_id": sku_id, "count": 1},
        "refund_info": {"amount": 10900},
        "create_time": int(at.timestamp()),
        "update_time": int(at.timestamp()),
        **fields,
    }


def pull(connection: Connection, since: datetime, until: datetime) -> list[RawMessage]:
    return [raw for page in ADAPTER.pull(connection, since=since, until=until) for raw in page]


def ids(messages: list[RawMessage], kind: str = "order") -> list[str]:
    return [raw.external_id for raw in messages if raw.kind == kind]


def deliver(message: Outgoing, connection: Connection) -> str:
    return ADAPTER.deliver(message, connection, key="k")


def notice(*lines: ShippedLine, order: str = "10000", tracking: str = "SF1", carrier: str = "SF") -> ShipmentNotice:
    return ShipmentNotice(order, "P-1", carrier, tracking, NOON, lines, is_partial=True)


# -- pulling --------------------------------------------------------------------------------------


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(make_order(10_000, LINES, placed_at=NOON - timedelta(minutes=5), paid_at=NOON))

    [raw] = pull(connection, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    order = ADAPTER.translate(raw, connection)

    assert (raw.kind, raw.external_id, raw.revision) == ("order", "10000", 1_763_870_400_020)
    assert isinstance(order, IncomingOrder)
    assert (order.revision, order.placed_at, order.paid_at) == (raw.revision, NOON - timedelta(minutes=5), NOON)
    assert [(line.external_id, line.sku_code, line.quantity, line.unit_price) for line in order.lines] == [
        (TEE, "TEE-RED-M", 2, Decimal("109.00")),
        (CAP, "CAP-BLUE", 1, Decimal("50.00")),
    ]
    assert (order.paid_amount, order.address.province) == (Decimal("268.00"), "浙江省")


def test_an_after_sale_lies_under_its_orders_number_and_two_of_one_second_stay_apart(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 1)
    for number in (4001, 4002):
        platform.add_refund("10000", refund(number, "10000", at=NOON))

    raws = [raw for raw in pull(connection, NOON, NOON) if raw.kind == "refund"]
    told = [ADAPTER.translate(raw, connection) for raw in raws]

    assert [(raw.external_id, raw.revision) for raw in raws] == [
        ("10000", 1_763_870_400_001),
        ("10000", 1_763_870_400_002),
    ]
    assert [(each.refund_id, each.revision) for each in told if isinstance(each, IncomingRefund)] == [
        ("4001", 1_763_870_400_001),
        ("4002", 1_763_870_400_002),
    ]


def test_pages_are_read_by_cursor_and_every_order_comes_once(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("duplicate", 3)

    found = ids(pull(connection, NOON, NOON + timedelta(hours=1)))

    assert found == [str(10_000 + number) for number in range(230)]
    assert (platform.calls[LIST], platform.calls[DETAIL]) == (3, 230)


def test_orders_that_move_while_we_read_are_met_in_the_next_window(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 3)

    first = ids(pull(connection, NOON, NOON + timedelta(hours=1)))
    now = datetime.now(UTC)
    second = ids(pull(connection, now - timedelta(minutes=5), now + timedelta(seconds=1)))

    assert second == ["10000", "10100", "10200"]
    assert sorted({*first, *second}) == [str(10_000 + number) for number in range(230)]


def test_an_order_that_comes_to_the_list_while_we_read_is_not_lost(platform: Platform, connection: Connection) -> None:
    fill(platform, 150)
    walk = ADAPTER.pull(connection, since=NOON, until=NOON + timedelta(hours=1))

    found = ids(next(walk))
    platform.add_order(make_order(10_900, LINES, placed_at=NOON, paid_at=NOON + timedelta(minutes=50)))
    found += ids([raw for page in walk for raw in page])

    assert sorted(found) == sorted([*(str(10_000 + number) for number in range(150)), "10900"])


def test_a_long_span_is_asked_week_by_week_and_shared_ends_come_once(
    platform: Platform, connection: Connection
) -> None:
    for number in range(3):
        at = NOON + timedelta(days=7 * number)
        platform.add_order(make_order(10_000 + number, LINES, placed_at=at, paid_at=at))

    assert ids(pull(connection, NOON, NOON + timedelta(days=14))) == ["10000", "10001", "10002"]
    assert (platform.calls[LIST], platform.calls["/channels/ec/aftersale/getaftersalelist"]) == (2, 14)


def test_a_window_that_ends_before_it_begins_asks_nothing(platform: Platform, connection: Connection) -> None:
    assert pull(connection, NOON, NOON - timedelta(seconds=1)) == []
    assert platform.calls == {}


def test_an_order_that_is_refused_does_not_stop_the_others(platform: Platform, connection: Connection) -> None:
    fill(platform, 2)

    raws = ADAPTER.fetch(connection, ["10000", "77", "10001", "10000"])

    assert [(raw.external_id, raw.revision > 0) for raw in raws] == [("10000", True), ("77", False), ("10001", True)]
    assert json.loads(raws[1].payload)["errcode"] == 100002


def test_a_fetched_order_brings_its_after_sales(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.add_refund("10000", refund(4001, "10000", at=NOON))
    platform.add_refund("10000", refund(4001, "10000", at=NOON, status="MERCHANT_REFUND_SUCCESS"))

    raws = ADAPTER.fetch(connection, ["10000"])

    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "10000"), ("refund", "10000")]
    assert ADAPTER.translate(raws[1], connection).state == "refunded"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        '{"errcode":0,"order_id_list":7}',
        '{"errcode":0,"order_id_list":["x"]}',
        '{"errcode":0,"order_id_list":["1"],"has_more":true,"next_key":"a"}',
        '{"errcode":"x"}',
        "[]",
        "<html>",
    ],
    ids=["no list", "no number", "the same cursor again", "code in words", "a list", "a page"],
)
def test_an_answer_that_makes_no_sense_is_tried_later(connection: Connection, body: str) -> None:
    def answer(request: Request) -> Response:
        detail = b'{"errcode":0,"order":{"order_id":"1","update_time":1}}'
        return Response(detail if request.path == DETAIL else body.encode())

    with LoopbackServer(answer) as server, pytest.raises(RetryLater, match="did not answer in its own format"):
        pull(Connection("WX", server.url, connection.credentials), NOON, NOON)


# -- refusals and tokens --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "seconds"),
    [
        (-1, RetryLater, 5),
        (45009, RetryLater, 3600),
        (45011, RetryLater, 60),
        (40001, TokenExpired, 30),
        (40014, TokenExpired, 30),
        (42001, TokenExpired, 30),
        (40002, Rejected, 0),
        (40013, Rejected, 0),
        (48001, Rejected, 0),
        (61004, Rejected, 0),
        (9401020, Rejected, 0),
    ],
)
def test_each_code_says_whether_waiting_helps(
    connection: Connection, code: int, kind: type[Exception], seconds: int
) -> None:
    body = json.dumps({"errcode": code, "errmsg": "no rid: 1f"}).encode()

    with LoopbackServer(lambda request: Response(body)) as server, pytest.raises((RetryLater, Rejected)) as caught:
        ADAPTER.check(Connection("WX", server.url, connection.credentials))

    assert isinstance(caught.value, kind)
    assert isinstance(caught.value, TokenExpired) is (kind is TokenExpired)
    assert str(caught.value) == f"WeChat Shop refused with code {code}: no rid: 1f"
    assert getattr(caught.value, "seconds", 0) == seconds


def test_a_token_that_dies_in_the_middle_of_a_walk_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 150)
    walk = ADAPTER.pull(connection, since=NOON, until=NOON + timedelta(hours=1))
    found = ids(next(walk))
    platform.expire_tokens()

    with pytest.raises(TokenExpired):
        next(walk)
    fresh = Connection("WX", connection.base_url, ADAPTER.renew(connection))

    assert fresh.credentials["access_token"] != connection.credentials["access_token"]
    assert fresh.credentials["secret"] == connection.credentials["secret"]
    assert {*found, *ids(pull(fresh, NOON, NOON + timedelta(hours=1)))} == {str(10_000 + n) for n in range(150)}


def test_without_a_token_the_first_call_asks_for_one(platform: Platform, connection: Connection) -> None:
    bare = {name: value for name, value in connection.credentials.items() if name != "access_token"}

    with pytest.raises(TokenExpired, match="has given no access token yet"):
        ADAPTER.check(Connection("WX", connection.base_url, bare))

    assert platform.calls == {}
    assert ADAPTER.check(Connection("WX", connection.base_url, ADAPTER.renew(connection))) == ""


@pytest.mark.parametrize(("name", "code"), [("secret", 40001), ("appid", 40013)])
def test_wrong_credentials_get_no_token_and_waiting_does_not_help(connection: Connection, name: str, code: int) -> None:
    wrong = Connection("WX", connection.base_url, {**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected) as caught:
        ADAPTER.renew(wrong)

    assert caught.value.reason.values["code"] == code


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "WeChat Shop answered with HTTP status 500."),
        ("http503", 7, "WeChat Shop answered with HTTP status 503."),
        ("html", 30, "WeChat Shop did not answer in its own format."),
        ("cut", 30, "WeChat Shop cannot be reached: RemoteProtocolError."),
    ],
)
def test_a_fault_on_the_way_is_tried_later(
    platform: Platform, connection: Connection, fault: str, seconds: int, words: str
) -> None:
    platform.faults.plan(fault)

    with pytest.raises(RetryLater) as caught:
        pull(connection, NOON, NOON)

    assert (caught.value.seconds, str(caught.value.reason)) == (seconds, words)
    assert pull(connection, NOON, NOON) == []


def test_too_many_calls_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0

    with pytest.raises(RetryLater) as caught:
        ADAPTER.check(connection)

    assert caught.value.seconds == 60


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected, match="Channel WX cannot call WeChat Shop: secret, base_url is not set."):
        ADAPTER.check(Connection("WX", "", {"appid": "1"}))


# -- telling --------------------------------------------------------------------------------------


def test_two_part_parcels_ship_the_order_step_by_step(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    deliver(notice(ShippedLine(TEE, 1)), connection)
    assert platform.order("10000")["status"] == 21
    deliver(notice(ShippedLine(TEE, 1), ShippedLine(CAP, 1), tracking="ZTO2", carrier="ZTO"), connection)

    assert platform.order("10000")["status"] == 30
    assert [(parcel["waybill_id"], parcel["delivery_id"]) for parcel in platform.state()["parcels"]] == [
        ("SF1", "SF"),
        ("ZTO2", "ZTO"),
    ]
    assert [row["product_cnt"] for row in platform.state()["parcels"][1]["product_infos"]] == [1, 1]


def test_a_gift_and_what_was_bought_are_one_product_of_the_parcel(platform: Platform, connection: Connection) -> None:
    order = make_order(10_000, [LINES[0]], placed_at=NOON, paid_at=NOON)
    lines = order["order_detail"]["product_infos"]
    lines.append({**lines[0], "is_free_gift": True, "sku_cnt": 1})
    platform.add_order(order)

    deliver(notice(ShippedLine(TEE, 2), ShippedLine(f"{TEE}:gift", 1)), connection)

    assert [row["product_cnt"] for row in platform.state()["parcels"][0]["product_infos"]] == [3]


@pytest.mark.parametrize("lines", [[ShippedLine(TEE, 2), ShippedLine(CAP, 1)], [ShippedLine(TEE, 2)]])
def test_a_parcel_told_again_after_a_lost_answer_is_done(
    platform: Platform, connection: Connection, lines: list[ShippedLine]
) -> None:
    fill(platform, 1)
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(notice(*lines), connection)

    answer = deliver(notice(*lines), connection)

    assert json.loads(answer)["errcode"] in (109000, 109001)
    assert len(platform.state()["parcels"]) == 1


def test_a_parcel_that_is_refused_is_rejected_and_nothing_changes(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.close_order("10000")

    with pytest.raises(Rejected, match="109000"):
        deliver(notice(ShippedLine(TEE, 1)), connection)

    assert platform.state()["parcels"] == []


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    product_id, sku_id = ids_of("TEE-RED-M")
    for quantity in (7, 7, 0, 5):
        deliver(StockFigure(product_id, sku_id, quantity), connection)

    assert platform.state()["stock"] == [{"product_id": product_id, "sku_id": sku_id, "quantity": 5}]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(ShippedLine(TEE, 1), carrier="DHL"), "Carrier DHL has no code on WeChat Shop."),
        (notice(ShippedLine(TEE, 1), tracking=""), "Parcel P-1 has no tracking number."),
        (notice(), "Parcel P-1 has no lines"),
        (notice(ShippedLine("x", 1)), "product_id is x, which is not a number of WeChat Shop."),
        (StockFigure("1", "2", -1), "WeChat Shop cannot be told a stock of -1."),
        (StockFigure("1", "", 1), "sku_id is , which is not a number of WeChat Shop."),
        (ParcelCancel("P-1", "W1"), "WeChat Shop takes shipment notices and stock figures, nothing else."),
    ],
)
def test_what_cannot_be_told_is_rejected_before_it_is_sent(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert words in str(caught.value.reason)
    assert platform.calls == {}


def test_a_shop_with_other_courier_ids_names_them(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    named = Connection("WX", connection.base_url, connection.credentials, {"carriers": {"DEPPON": "STO"}})

    deliver(notice(ShippedLine(TEE, 1), carrier="DEPPON"), named)

    assert platform.state()["parcels"][0]["delivery_id"] == "STO"
