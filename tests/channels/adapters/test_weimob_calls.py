"""Weimob over real HTTP: pulling while it moves, pushes, a token that expires, parcels and stock."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import weimob
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Rejected, RetryLater, TokenExpired
from channels.adapters.signing import NotThis
from channels.adapters.weimob import pull, receive, sign
from channels.messages import (
    IncomingOrder,
    IncomingRefund,
    Outgoing,
    ParcelCancel,
    RawMessage,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
    Untranslatable,
)
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.weimob import Platform, item_number, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
END = NOON + timedelta(hours=1)
LINES = [("TEE-RED-M", "T恤", 2, Decimal("109.00")), ("CAP", "帽子", 3, Decimal("20.00"))]
MESSAGE = '{"orderNo":1001234567890,"orderStatus":3,"paymentStatus":2,"updateTime":1795399200000}'
DIGEST = "9118142a1f6c38be954d460145f5d594"
FIRST, SECOND = "100101", "100102"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("WM", server.url, dict(platform.credentials), platform.options)


@pytest.fixture
def _pages_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "PAGE_SIZE", 10)


def fill(platform: Platform, count: int) -> None:
    for number in range(1001, 1001 + count):
        at = NOON + timedelta(seconds=number)
        platform.add_order(make_order(number, LINES, placed_at=at, paid_at=at))


def pull_all(connection: Connection) -> list[RawMessage]:
    return [raw for page in weimob.ADAPTER.pull(connection, since=NOON, until=END) for raw in page]


def numbers(raws: list[RawMessage]) -> set[str]:
    return {raw.external_id for raw in raws}


# -- pulling --------------------------------------------------------------------------------------


def test_orders_and_after_sales_go_round_to_the_house_language(platform: Platform, connection: Connection) -> None:
    platform.clock = lambda: NOON + timedelta(minutes=40)
    fill(platform, 1)
    rights_id = platform.add_refund(1001, {int(FIRST): 1}, "109.00", rightsType=1)

    raws = pull_all(connection)
    order, refund = [weimob.ADAPTER.translate(raw, connection) for raw in raws]

    assert isinstance(order, IncomingOrder)
    assert isinstance(refund, IncomingRefund)
    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "1001"), ("refund", "1001")]
    assert (order.revision, refund.revision) == (raws[0].revision, raws[1].revision)
    assert [(line.external_id, line.sku_code, line.quantity, line.unit_price) for line in order.lines] == [
        (FIRST, "TEE-RED-M", 2, Decimal("109.00")),
        (SECOND, "CAP", 3, Decimal("20.00")),
    ]
    assert (order.paid_amount, order.shipping_amount) == (Decimal("278.00"), Decimal("0.00"))
    assert (refund.refund_id, refund.state, refund.amount) == (str(rights_id), "asked", Decimal("109.00"))


@pytest.mark.usefixtures("_pages_of_ten")
def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 45)
    platform.faults.plan("move", 4)
    platform.faults.plan("duplicate", 2)

    raws = pull_all(connection)

    moved = {
        n for n, row in platform.orders.items() if row["orderInfo"]["orderBaseInfo"]["updateTime"] > 1_795_150_000_000
    }
    assert len(moved) == 4
    assert numbers(raws) >= {str(number) for number in range(1001, 1046)} - moved
    now = datetime.now(UTC) + timedelta(seconds=1)
    later = weimob.ADAPTER.pull(connection, since=now - timedelta(minutes=5), until=now)
    assert numbers([raw for page in later for raw in page]) == moved


@pytest.mark.usefixtures("_pages_of_ten")
def test_walking_forwards_would_lose_rows_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 45)
    platform.faults.plan("move", 4)
    met: set[str] = set()
    for number in range(1, 6):
        asked = pull.asked(connection, NOON, END, number=number, size=10)
        rows = weimob.client.call(connection, pull.LIST, asked)["pageList"] or []
        met |= {str(row["orderInfo"]["orderBaseInfo"]["orderNo"]) for row in rows}

    assert len({str(number) for number in range(1001, 1046)} - met) == 4


def test_a_refusal_that_is_cut_for_its_length_stops_no_other_order(connection: Connection) -> None:
    answer = json.dumps({"code": {"errcode": "1041234", "errmsg": "x" * 5000}}).encode()
    with LoopbackServer(lambda request: Response(answer)) as odd:
        raws = weimob.ADAPTER.fetch(Connection("WM", odd.url, connection.credentials), ["1", "2"])

    assert [(raw.external_id, raw.revision, len(raw.payload)) for raw in raws] == [("1", 0, 2000), ("2", 0, 2000)]


def test_orders_are_fetched_with_their_after_sales_and_a_refusal_is_kept(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 1)
    platform.add_refund(1001, {int(FIRST): 1}, "109.00")
    platform.add_refund(1001, {int(SECOND): 1}, "20.00")

    raws = weimob.ADAPTER.fetch(connection, ["1001", "77", "1001"])

    assert [(raw.kind, raw.external_id, raw.revision > 0) for raw in raws] == [
        ("order", "1001", True),
        ("refund", "1001", True),
        ("refund", "1001", True),
        ("order", "77", False),
    ]
    assert len({(raw.kind, raw.revision) for raw in raws}) == 4
    with pytest.raises(Untranslatable, match="Weimob did not hand out 77"):
        weimob.ADAPTER.translate(raws[3], connection)


def test_an_after_sale_is_told_as_it_goes_on(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    rights_id = platform.add_refund(1001, {int(FIRST): 1}, "109.00")
    platform.change_refund(rights_id, rightsStatus=6)

    refund = weimob.ADAPTER.translate(weimob.ADAPTER.fetch(connection, ["1001"])[1], connection)

    assert isinstance(refund, IncomingRefund)
    assert (refund.state, refund.amount) == ("refunded", Decimal("109.00"))


@pytest.mark.usefixtures("_pages_of_ten")
def test_a_token_that_expires_in_the_middle_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 25)
    pages = weimob.ADAPTER.pull(connection, since=NOON, until=END)
    next(pages)
    platform.token_seconds = 60
    platform.expire_token()

    with pytest.raises(TokenExpired):
        list(pages)
    fresh = weimob.ADAPTER.renew(connection)
    again = pull_all(Connection("WM", connection.base_url, fresh, connection.options))

    assert numbers(again) == {str(number) for number in range(1001, 1026)}
    assert (fresh["client_id"], fresh["access_token"] != "access-0") == ("wmclient", True)


def test_the_first_token_is_got_by_renewing(connection: Connection) -> None:
    bare = {name: value for name, value in connection.credentials.items() if name != "access_token"}

    with pytest.raises(TokenExpired):
        pull_all(Connection("WM", connection.base_url, bare))
    fresh = weimob.ADAPTER.renew(Connection("WM", connection.base_url, bare))
    assert pull_all(Connection("WM", connection.base_url, fresh)) == []


def test_a_wrong_secret_needs_a_person(connection: Connection) -> None:
    wrong = Connection("WM", connection.base_url, {**connection.credentials, "client_secret": "x"})

    with pytest.raises(Rejected, match="Weimob refused with code 0: client authentication failed"):
        weimob.ADAPTER.renew(wrong)


def test_a_channel_without_credentials_calls_nobody(platform: Platform) -> None:
    with pytest.raises(Rejected, match="client_id, client_secret, shop_id, base_url is not set"):
        weimob.ADAPTER.renew(Connection("WM"))
    assert platform.state()["calls"] == {}


def test_the_check_asks_for_one_order(platform: Platform, connection: Connection) -> None:
    assert weimob.ADAPTER.check(connection) == ""
    assert platform.calls == {pull.LIST: 1}


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Weimob answered with HTTP status 500."),
        ("http503", 7, "Weimob answered with HTTP status 503."),
        ("html", 30, "Weimob did not answer in its own format."),
        ("cut", 30, "Weimob cannot be reached: RemoteProtocolError."),
    ],
)
def test_a_fault_on_the_way_is_tried_later(
    platform: Platform, connection: Connection, fault: str, seconds: int, words: str
) -> None:
    platform.faults.plan(fault)

    with pytest.raises(RetryLater) as caught:
        pull_all(connection)

    assert (caught.value.seconds, str(caught.value.reason)) == (seconds, words)
    assert pull_all(connection) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": {"errcode": "80001001000119", "errmsg": "expired"}}, TokenExpired),
        ({"code": {"errcode": 80001001000119, "errmsg": "expired"}}, TokenExpired),
        ({"code": {"errcode": "80001001000200", "errmsg": "too many"}}, RetryLater),
        ({"code": {"errcode": "4900100100004", "errmsg": "no"}}, NotThis),
        ({"code": {"errmsg": "no"}}, RetryLater),
        ({"code": {"errcode": "0"}, "data": None}, RetryLater),
        ({"code": {"errcode": "0"}, "data": {"pageList": []}}, RetryLater),
        ({"code": {"errcode": "0"}, "data": {"pageList": [{}], "totalCount": 1}}, RetryLater),
        ([], RetryLater),
    ],
)
def test_each_answer_with_status_200(connection: Connection, body: Any, kind: type[Exception]) -> None:
    answer = Response(json.dumps(body).encode())
    with LoopbackServer(lambda request: answer) as odd, pytest.raises(kind) as caught:
        pull_all(Connection("WM", odd.url, connection.credentials))

    assert type(caught.value) is kind


def test_another_status_needs_a_person(connection: Connection) -> None:
    with LoopbackServer(lambda request: Response(b"no", 403)) as odd, pytest.raises(Rejected, match="HTTP status 403"):
        pull_all(Connection("WM", odd.url, connection.credentials))


def test_the_kind_of_time_can_be_set(platform: Platform, connection: Connection) -> None:
    platform.add_order(make_order(1, LINES, placed_at=NOON - timedelta(hours=1), paid_at=NOON))
    by_creation = Connection("WM", connection.base_url, connection.credentials, {"query_time_type": 1})

    assert (numbers(pull_all(connection)), numbers(pull_all(by_creation))) == ({"1"}, set())


# -- pushes ---------------------------------------------------------------------------------------


def push(message: str = MESSAGE, **fields: Any) -> Pushed:
    signed = sign.signature("wmclient", str(fields.get("id", 900001)), message, "wmsecret")
    told = {"id": 900001, "topic": "weimob_shop.order", "event": "create", "sign": signed, "msgBody": message}
    return Pushed(json.dumps({**told, **fields}).encode())


def wanted(pushed: Pushed, **credentials: str) -> tuple[str, ...]:
    given = {"client_id": "wmclient", "client_secret": "wmsecret", **credentials}
    received = weimob.ADAPTER.receive(pushed, Connection("WM", "", given), at=NOON)
    assert (received.messages, received.answer) == ((), receive.SUCCESS)
    return received.wanted


def test_the_signing_vector() -> None:
    assert sign.signature("wmclient", "900001", MESSAGE, "wmsecret") == DIGEST
    assert wanted(push(sign=DIGEST)) == ("1001234567890",)


def test_the_message_is_signed_as_the_text_that_it_is() -> None:
    spaced = '{"orderNo" : 7, "title": "\\u4e0a \u4e0a"}'

    assert wanted(push(spaced)) == ("7",)


@pytest.mark.parametrize(
    ("pushed", "numbers"),
    [
        (push('{"rightsId":5,"orderNo":9007199254740993}', topic="weimob_shop.rights"), ("9007199254740993",)),
        (push('{"orderNo":"8"}'), ("8",)),
        (push('{"goodsId":8}', topic="weimob_shop.goods"), ()),
        (push('{"orderNo":"x"}'), ()),
        (push("not json"), ()),
        (push("{}", id="abc"), ()),
    ],
)
def test_a_push_names_its_order(pushed: Pushed, numbers: tuple[str, ...]) -> None:
    assert wanted(pushed) == numbers


@pytest.mark.parametrize(
    "pushed",
    [
        push(sign=DIGEST[:-1] + "0"),
        push(sign=None),
        push(sign="\ud800"),
        push(msgBody=MESSAGE + " "),
        push(msgBody=None),
        Pushed(b"not json"),
    ],
)
def test_what_is_not_authentic_is_refused(pushed: Pushed) -> None:
    with pytest.raises(NotAuthentic):
        wanted(pushed)


def test_a_channel_without_secret_lets_nobody_in() -> None:
    unsigned = sign.signature("wmclient", "900001", MESSAGE, "")
    with pytest.raises(NotAuthentic):
        wanted(push(sign=unsigned), client_secret="")


def test_a_push_of_the_platform_leads_to_its_order(platform: Platform, connection: Connection) -> None:
    seen: list[str] = []

    def take(request: Request) -> Response:
        received = weimob.ADAPTER.receive(Pushed(request.body, request.headers), connection, at=datetime.now(UTC))
        seen.extend(received.wanted)
        return Response(received.answer or b"")

    with LoopbackServer(take) as ours:
        fill(platform, 1)
        platform.add_refund(1001, {int(FIRST): 1}, "109.00")
        statuses = platform.push_to(f"{ours.url}/in/WM/")
    raws = weimob.ADAPTER.fetch(connection, seen)

    assert (statuses, seen) == ([200, 200], ["1001", "1001"])
    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "1001"), ("refund", "1001")]


# -- parcels and stock ----------------------------------------------------------------------------


def deliver(message: Outgoing, connection: Connection) -> str:
    return weimob.ADAPTER.deliver(message, connection, key="k")


def notice(*lines: tuple[str, int], tracking: str = "SF1", order: str = "1001", whole: bool = False) -> ShipmentNotice:
    shipped = tuple(ShippedLine(line, quantity) for line, quantity in lines)
    return ShipmentNotice(order, "P-1", "SF", tracking, NOON, shipped, is_partial=not whole)


def parcels(platform: Platform) -> list[tuple[str, str, dict[int, str]]]:
    return [
        (
            row["deliveryInfo"]["number"],
            row["deliveryInfo"]["companyCode"],
            {item["orderItemId"]: item["deliveryNum"] for item in row["fulfillItemList"]},
        )
        for row in platform.state()["parcels"]
    ]


def test_parcels_ship_an_order_part_by_part(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    deliver(notice((FIRST, 2), (SECOND, 1)), connection)
    halfway = platform.state()["by_status"]
    deliver(notice((SECOND, 2), tracking="SF2"), connection)

    assert parcels(platform) == [
        ("SF1", "shunfeng", {100101: "2", 100102: "1"}),
        ("SF2", "shunfeng", {100102: "2"}),
    ]
    assert (halfway, platform.state()["by_status"]) == ({"4": 1}, {"5": 1})


@pytest.mark.parametrize("lines", [[(SECOND, 1)], [(FIRST, 2), (SECOND, 3)]])
def test_the_same_parcel_again_ships_nothing_twice(
    platform: Platform, connection: Connection, lines: list[tuple[str, int]]
) -> None:
    fill(platform, 1)
    platform.faults.plan("lost", 1, after=1)  # the order is read, then the answer to the parcel is lost

    with pytest.raises(RetryLater):
        deliver(notice(*lines), connection)
    before = parcels(platform)

    assert deliver(notice(*lines), connection) == "known"
    assert (len(before), parcels(platform)) == (1, before)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice((FIRST, 3)), "Weimob refused with code 4900100100004: 商品已发货或不存在"),
        (notice((FIRST, 1), whole=True), "Weimob refused with code 4900100100004: 请选择拆单发货"),
        (notice((FIRST, 1), order="77"), "Weimob refused with code 4900100100004: 订单不存在"),
        (notice((FIRST, 1), order="x"), "orderNo is x, which is not a number of Weimob."),
        (notice(("x", 1)), "orderItemId is x, which is not a number of Weimob."),
        (notice((FIRST, 1), tracking=""), "Parcel P-1 has no tracking number."),
        (notice(), "Parcel P-1 has no lines to tell Weimob about."),
        (StockFigure("1", "2", -1), "Weimob cannot be told a stock of -1."),
        (StockFigure("1", "", 1), "skuId is , which is not a number of Weimob."),
        (ParcelCancel("P-1", "N"), "Weimob takes shipment notices and stock figures, nothing else."),
    ],
)
def test_what_cannot_be_told_changes_nothing(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    fill(platform, 1)

    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert str(caught.value.reason) == words
    assert (platform.state()["parcels"], platform.state()["stock"]) == ([], {})


def test_an_answer_without_success_is_rejected(connection: Connection) -> None:
    def answer(request: Request) -> Response:
        return Response(b'{"code": {"errcode": "0"}, "data": {"success": false}}')

    with LoopbackServer(answer) as odd, pytest.raises(NotThis, match="success is not true"):
        deliver(notice((FIRST, 1)), Connection("WM", odd.url, connection.credentials, connection.options))


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    sku = str(item_number("TEE-RED-M"))
    for quantity in (12, 12, 7):
        deliver(StockFigure("8001", sku, quantity), connection)

    assert platform.state()["stock"] == {sku: 7}


def test_a_figure_that_fails_inside_a_success_is_rejected(platform: Platform, connection: Connection) -> None:
    listed = platform.add_item("TEE-RED-M", quantity=4)

    with pytest.raises(NotThis, match="Weimob refused with code 0: 商品不存在或库存有误"):
        deliver(StockFigure("8001", "99", 12), connection)
    assert platform.state()["stock"] == {str(listed): 4}


def test_stock_and_parcels_need_the_shops_node(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    bare = Connection("WM", connection.base_url, connection.credentials)

    for message in (StockFigure("1", "2", 3), notice((FIRST, 1))):
        with pytest.raises(Rejected, match="Channel WM cannot call Weimob: vid is not set"):
            deliver(message, bare)
    assert (platform.state()["parcels"], platform.state()["stock"]) == ([], {})
