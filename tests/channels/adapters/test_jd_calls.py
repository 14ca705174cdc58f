"""Pulling, fetching and telling the simulated JD over real HTTP, while it moves and breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import jd
from channels.adapters.jd import pull
from channels.adapters.protocol import Connection, NotOffered, Pushed, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.signing import NotThis
from channels.messages import (
    IncomingOrder,
    Outgoing,
    ParcelLine,
    ParcelRequest,
    RawMessage,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
    Untranslatable,
)
from channels.simulators.jd import Platform, make_order
from channels.simulators.server import LoopbackServer, Request, Response

NOON = datetime(2025, 11, 23, 4, 0, tzinfo=UTC)
END = NOON + timedelta(hours=1)
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))
SEARCH, SHIP = "jingdong.pop.order.enSearch", "jingdong.pop.order.shipment"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("JD", server.url + platform.path, platform.credentials, platform.options)


def sale(number: int, at: datetime, **told: Any) -> dict[str, Any]:
    return make_order(number, [TEE], placed_at=at - timedelta(minutes=5), paid_at=at, **told)


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        platform.add_order(sale(10_000 + number, NOON + number * timedelta(seconds=10)))


def pull_all(connection: Connection, since: datetime = NOON, until: datetime = END) -> list[RawMessage]:
    return [raw for page in jd.ADAPTER.pull(connection, since=since, until=until) for raw in page]


def numbers(raws: list[RawMessage]) -> list[str]:
    return [raw.external_id for raw in raws]


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(sale(1, NOON))

    [raw] = pull_all(connection)
    order = jd.ADAPTER.translate(raw, connection)

    assert isinstance(order, IncomingOrder)
    assert (order.external_id, order.revision, raw.revision) == ("1", 1_763_870_400_002, 1_763_870_400_002)
    assert (order.paid_at, order.paid_amount) == (NOON, Decimal("218.00"))
    assert (order.address.line, order.address.name) == ("五常街道***", "韩*")
    assert [(line.sku_code, line.quantity, line.unit_price) for line in order.lines] == [
        ("TEE-RED-M", 2, Decimal("109.00"))
    ]


def test_pages_come_from_the_last_to_the_first(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)

    pages = list(jd.ADAPTER.pull(connection, since=NOON, until=END))

    assert [len(page) for page in pages] == [30, 100, 100]
    assert sorted(numbers(sum(pages, []))) == sorted(platform.orders)
    assert platform.calls == {SEARCH: 4}


def test_a_long_span_is_asked_day_by_day_and_shared_edges_come_once(platform: Platform, connection: Connection) -> None:
    for number in range(3):
        platform.add_order(sale(number, NOON + timedelta(days=number)))

    assert numbers(pull_all(connection, NOON, NOON + timedelta(days=2))) == ["1", "0", "2"]
    assert platform.calls == {SEARCH: 2}


def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    met = set(numbers(pull_all(connection)))
    moved = {number for number, row in platform.orders.items() if not row["modified"].startswith("2025-11-23 12")}

    assert len(moved) == 4
    assert met >= set(platform.orders) - moved
    now = datetime.now(UTC)
    assert set(numbers(pull_all(connection, now - timedelta(minutes=5), now + timedelta(seconds=1)))) == moved


def test_walking_forwards_would_lose_rows_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    met = {row.key for n in (1, 2, 3) for row in pull._page(connection, NOON, END, n).rows}

    assert len(set(platform.orders) - met) == 2


def test_a_row_that_comes_to_the_front_while_we_read_makes_us_read_again(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    walk = jd.ADAPTER.pull(connection, since=NOON, until=END)

    raws = list(next(walk))
    platform.add_order(sale(900, END))
    raws += [raw for page in walk for raw in page]

    assert sorted(numbers(raws)) == sorted(platform.orders)


def test_a_list_that_never_rests_is_tried_later(platform: Platform, connection: Connection) -> None:
    fill(platform, 120)
    numbers = iter(range(1_000, 2_000))

    def restless(request: Request) -> Response:
        platform.add_order(sale(next(numbers), END))
        return platform.answer(request)

    with LoopbackServer(restless) as server, pytest.raises(RetryLater, match="faster than it can be read"):
        pull_all(Connection("JD", server.url + platform.path, platform.credentials))


def test_a_token_that_expires_in_mid_walk_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    walk = jd.ADAPTER.pull(connection, since=NOON, until=END)
    met = numbers(next(walk))
    platform.expire_token()

    with pytest.raises(TokenExpired):
        next(walk)
    fresh = jd.ADAPTER.renew(connection)

    assert fresh["access_token"] == platform.credentials["access_token"] != "access-0"
    assert set(met + numbers(pull_all(Connection("JD", connection.base_url, fresh)))) == set(platform.orders)


def test_a_refresh_token_that_is_not_known_needs_a_person(connection: Connection) -> None:
    wrong = {**connection.credentials, "refresh_token": "old"}

    with pytest.raises(Rejected, match="JD refused with code 1002: refresh_token is not valid"):
        jd.ADAPTER.renew(Connection("JD", connection.base_url, wrong, connection.options))


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "JD answered with HTTP status 500."),
        ("http503", 7, "JD answered with HTTP status 503."),
        ("html", 30, "JD did not answer in its own format."),
        ("cut", 30, "JD cannot be reached: RemoteProtocolError."),
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


def test_too_many_calls_are_made_later(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0

    with pytest.raises(RetryLater, match="JD refused with code 20"):
        pull_all(connection)


ENVELOPE = '{"jingdong_pop_order_enSearch_responce":%s}'


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ('{"error_response":{"code":"19","zh_desc":"无效access_token"}}', TokenExpired),
        ('{"error_response":{"code":"66","zh_desc":"后端服务错误"}}', RetryLater),
        ('{"error_response":{"code":"9","zh_desc":"访问频率过高"}}', Throttled),
        ('{"error_response":7}', RetryLater),
        ("{}", RetryLater),
        (ENVELOPE % "[]", RetryLater),
        (ENVELOPE % '{"code":"0"}', RetryLater),
        (ENVELOPE % '{"code":"0","searchorderinfo_result":{"orderTotal":1,"orderInfoList":[7]}}', RetryLater),
        ('{"error_response":{"code":"2001","zh_desc":"没有权限"}}', Rejected),
        ('{"error_response":{"code":"12345"}}', Rejected),
        (ENVELOPE % '{"code":"3"}', Rejected),
        (ENVELOPE % '{"code":"0","searchorderinfo_result":{"apiResult":{"success":false,"numberCode":"9"}}}', Rejected),
    ],
)
def test_every_answer_means_later_or_no(answer: str, kind: type[Exception], connection: Connection) -> None:
    with LoopbackServer(lambda request: Response(answer.encode())) as odd, pytest.raises(kind) as caught:
        pull_all(Connection("JD", odd.url, connection.credentials))

    assert type(caught.value) in (kind, NotThis)


@pytest.mark.parametrize(("name", "code"), [("app_secret", 12), ("app_key", 13)])
def test_wrong_credentials_are_rejected(connection: Connection, name: str, code: int) -> None:
    wrong = Connection("JD", connection.base_url, {**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected, match=f"JD refused with code {code}"):
        pull_all(wrong)


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected) as caught:
        pull_all(Connection("JD"))

    assert str(caught.value.reason) == (
        "Channel JD cannot call JD: app_key, app_secret, access_token, base_url is not set."
    )


def test_calls_carry_the_documented_parameters(connection: Connection) -> None:
    seen: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        seen.append(request.parameters())
        return Response((ENVELOPE % '{"code":"0","searchorderinfo_result":{"orderTotal":0}}').encode())

    with LoopbackServer(answer) as server:
        pull_all(Connection("JD", server.url, connection.credentials))

    [given] = seen
    asked = json.loads(given["360buy_param_json"])
    assert (asked.pop("optional_fields"), given["v"]) == (pull.FIELDS, "2.0")
    assert asked == {
        "source_id": "JOS",
        "start_date": "2025-11-23 12:00:00",
        "end_date": "2025-11-23 13:00:00",
        "order_state": "ALL",
        "page": "1",
        "page_size": "100",
        "sortType": "0",
        "dateType": "0",
    }


def test_check_makes_one_call_that_needs_the_token(platform: Platform, connection: Connection) -> None:
    assert jd.ADAPTER.check(connection) == ""
    assert platform.calls == {SEARCH: 1}
    platform.expire_token()
    with pytest.raises(TokenExpired):
        jd.ADAPTER.check(connection)


def test_fetching_gives_the_orders_as_they_are_now(platform: Platform, connection: Connection) -> None:
    fill(platform, 2)

    found, missing = jd.ADAPTER.fetch(connection, ["10001", "404"])

    assert [found] == [raw for raw in pull_all(connection) if raw.external_id == "10001"]
    assert (missing.external_id, missing.revision) == ("404", 0)
    with pytest.raises(Untranslatable, match="JD did not hand out 404"):
        jd.ADAPTER.translate(missing, connection)


def test_nothing_is_pushed(connection: Connection) -> None:
    with pytest.raises(NotOffered):
        jd.ADAPTER.receive(Pushed(b""), connection, at=NOON)


# -- telling --------------------------------------------------------------------------------------


def notice(*, number: str = "10000", carrier: str = "SF", tracking: str = "SF1", partial: bool = False) -> Outgoing:
    lines = (ShippedLine("1", 2),)
    return ShipmentNotice(number, "P-1", carrier, tracking, NOON, lines, is_partial=partial)


def deliver(message: Outgoing, connection: Connection) -> str:
    return jd.ADAPTER.deliver(message, connection, key="k")


def test_a_parcel_ships_the_order(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    answer = deliver(notice(), connection)

    order = platform.order(10_000)
    told = json.loads(answer)["jingdong_pop_order_shipment_responce"]
    assert told["sopjosshipment_result"]["success"] is True
    assert (order["orderState"], order["waybill"], order["logisticsId"]) == (
        "WAIT_GOODS_RECEIVE_CONFIRM",
        "SF1",
        "467",
    )


def test_a_parcel_told_again_after_a_lost_answer_is_known_already(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(notice(), connection)

    answer = deliver(notice(), connection)

    assert "订单状态不允许出库" in answer
    assert (len(platform.parcels), platform.calls[SHIP]) == (1, 2)


def test_another_parcel_of_a_shipped_order_is_refused(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    deliver(notice(), connection)

    with pytest.raises(Rejected, match="10400001"):
        deliver(notice(tracking="SF2"), connection)

    assert platform.order(10_000)["waybill"] == "SF1"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(partial=True), "JD takes one parcel for a whole order, and parcel P-1 holds part of one."),
        (notice(carrier="XX"), "Carrier XX has no code on JD."),
        (notice(tracking=""), "Parcel P-1 has no tracking number."),
        (notice(number="x"), "orderId is x, which is not a number of JD."),
        (notice(number="404"), "JD refused with code 10100038: 订单不存在"),
        (StockFigure("", "", 1), "skuId is , which is not a number of JD."),
        (StockFigure("", "1", -1), "JD cannot be told a stock of -1."),
        (StockFigure("", "1", 5), "JD refused with code 10200001: sku不存在"),
        (ParcelRequest("P", "O", "N", (ParcelLine("A", 1),)), "JD takes shipment notices and stock figures"),
    ],
)
def test_what_cannot_be_told_is_rejected_and_changes_nothing(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    fill(platform, 1)
    platform.add_item("TEE-RED-M", quantity=5)
    before = platform.state() | {"calls": {}}

    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert words in str(caught.value.reason)
    assert platform.state() | {"calls": {}} == before


def test_a_locked_order_takes_no_parcel(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.change_order(10_000, orderState="LOCKED")

    with pytest.raises(Rejected, match="10400001"):
        deliver(notice(), connection)

    assert (platform.order(10_000)["orderState"], platform.parcels) == ("LOCKED", [])


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    for _ in range(2):
        deliver(StockFigure("", str(number), 7), connection)

    assert platform.stock == {str(number): 7}
