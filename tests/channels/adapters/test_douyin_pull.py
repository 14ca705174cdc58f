"""Pulling, fetching and being pushed over real HTTP from the simulated platform, while it moves and breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import douyin
from channels.adapters.douyin import pull, sign
from channels.adapters.protocol import (
    Connection,
    NotAuthentic,
    Pushed,
    Received,
    Rejected,
    RetryLater,
    Throttled,
    TokenExpired,
)
from channels.messages import IncomingOrder, IncomingRefund, RawMessage, RefundState, Untranslatable
from channels.simulators.douyin import Platform, make_order, make_refund
from channels.simulators.server import LoopbackServer, Request, Response

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=2)
END = NOW - timedelta(minutes=10)
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.00"))


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("DY", server.url, platform.credentials)


def sale(number: int, at: datetime) -> dict[str, Any]:
    return make_order(number, [TEE], placed_at=at - timedelta(minutes=5), paid_at=at)


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        platform.add_order(sale(10_000 + number, START + number * timedelta(seconds=10)))


def pull_all(connection: Connection, since: datetime = START, until: datetime = END) -> list[RawMessage]:
    return [raw for page in douyin.ADAPTER.pull(connection, since=since, until=until) for raw in page]


def numbers(raws: list[RawMessage]) -> list[str]:
    return [raw.external_id for raw in raws]


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(sale(1, START))

    [raw] = pull_all(connection)
    order = douyin.ADAPTER.translate(raw, connection)

    assert (raw.kind, raw.external_id) == ("order", "1")
    assert isinstance(order, IncomingOrder)
    assert order.revision == raw.revision == int(START.timestamp()) * 1000 + 3
    assert (order.paid_at, order.paid_amount) == (START, Decimal("218.00"))
    assert [(line.sku_code, line.quantity, line.unit_price) for line in order.lines] == [
        ("TEE-RED-M", 2, Decimal("109.00"))
    ]
    assert json.loads(raw.payload) == platform.order(1)


def test_after_sales_come_with_the_orders(platform: Platform, connection: Connection) -> None:
    order = sale(1, START)
    platform.add_order(order)
    platform.add_refund(make_refund(77, order, at=START, status=6))

    raws = pull_all(connection)
    refund = douyin.ADAPTER.translate(raws[1], connection)

    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "1"), ("refund", "1")]
    assert isinstance(refund, IncomingRefund)
    assert (refund.state, refund.amount, refund.revision) == (
        RefundState.ASKED,
        Decimal("218.00"),
        raws[1].revision,
    )


def test_an_empty_window_has_no_pages(connection: Connection) -> None:
    assert pull_all(connection) == []


def test_pages_come_from_the_last_to_the_first(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)

    pages = list(douyin.ADAPTER.pull(connection, since=START, until=END))

    assert [len(page) for page in pages] == [30, 100, 100]
    assert sorted(numbers(sum(pages, []))) == [str(10_000 + number) for number in range(230)]
    assert platform.calls == {"order.searchList": 4, "afterSale.List": 1}


def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    met = set(numbers(pull_all(connection)))
    moved = {number for number, row in platform.orders.items() if row["update_time"] > END.timestamp()}

    assert len(moved) == 4
    assert met >= set(platform.orders) - moved
    assert set(numbers(pull_all(connection, END, datetime.now(UTC) + timedelta(minutes=1)))) == moved


def test_walking_forwards_would_lose_rows_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    met = {row.key for n in (1, 2, 3) for row in pull._orders(connection, START, END, n).rows}

    assert len(set(platform.orders) - met) == 2


def test_a_row_that_comes_to_the_front_while_we_read_makes_us_read_again(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    walk = douyin.ADAPTER.pull(connection, since=START, until=END)

    raws = list(next(walk))
    platform.add_order(sale(900, END))
    raws += [raw for page in walk for raw in page]

    assert sorted(numbers(raws)) == sorted(platform.orders)


def test_a_row_listed_twice_comes_once(platform: Platform, connection: Connection) -> None:
    fill(platform, 3)
    platform.faults.plan("duplicate")

    assert sorted(numbers(pull_all(connection))) == ["10000", "10001", "10002"]


def test_a_window_with_too_many_rows_is_halved(
    platform: Platform, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(platform, 230)
    monkeypatch.setattr(pull, "DEEPEST", 150)

    assert sorted(numbers(pull_all(connection))) == sorted(platform.orders)
    assert platform.calls["order.searchList"] == 7  # whole, half, quarter: too large; two eighths, a quarter, a half


def test_a_token_that_expires_in_mid_walk_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    walk = douyin.ADAPTER.pull(connection, since=START, until=END)
    met = numbers(next(walk))
    platform.expire_token()

    with pytest.raises(TokenExpired):
        next(walk)
    fresh = douyin.ADAPTER.renew(connection)

    assert (fresh["access_token"], fresh["app_key"]) == (
        platform.credentials["access_token"],
        connection.credentials["app_key"],
    )
    assert fresh["access_token"] != "access-0"
    met += numbers(pull_all(Connection("DY", connection.base_url, fresh)))
    assert set(met) == set(platform.orders)


def test_a_refresh_token_that_is_not_known_needs_a_person(connection: Connection) -> None:
    dead = Connection("DY", connection.base_url, {**connection.credentials, "refresh_token": "old"})

    with pytest.raises(Rejected, match="50001"):
        douyin.ADAPTER.renew(dead)


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Douyin answered with HTTP status 500."),
        ("http503", 7, "Douyin answered with HTTP status 503."),
        ("html", 30, "Douyin did not answer in its own format."),
        ("cut", 30, "Douyin cannot be reached: RemoteProtocolError."),
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

    with pytest.raises(RetryLater) as caught:
        pull_all(connection)

    assert caught.value.seconds == 60


@pytest.mark.parametrize(
    ("answer", "kind", "seconds"),
    [
        ('{"code":20000,"msg":"fault"}', RetryLater, 30),
        ('{"code":60000,"msg":"limited"}', Throttled, 60),
        ('{"code":90000,"msg":"unknown"}', RetryLater, 30),
        ('{"code":50003,"sub_code":"isp.service-error"}', RetryLater, 30),
        ('{"code":50001,"msg":"token"}', TokenExpired, 30),
        ('{"code":40003,"sub_code":"isv.access-token-expired"}', TokenExpired, 30),
        ('{"code":"10000"}', RetryLater, 30),
        ('{"code":10000,"data":7}', RetryLater, 30),
        ('{"code":10000,"data":{"total":1,"shop_order_list":[7]}}', RetryLater, 30),
        ("[]", RetryLater, 30),
    ],
)
def test_every_answer_that_means_later(
    answer: str, kind: type[RetryLater], seconds: int, connection: Connection
) -> None:
    with LoopbackServer(lambda request: Response(answer.encode())) as odd, pytest.raises(RetryLater) as caught:
        pull_all(Connection("DY", odd.url, connection.credentials))

    assert (type(caught.value), caught.value.seconds) == (kind, seconds)


@pytest.mark.parametrize(
    "answer",
    [
        '{"code":30001,"msg":"no permission"}',
        '{"code":70000,"msg":"offline"}',
        '{"code":40001,"msg":"missing"}',
        '{"code":40003,"sub_code":"isv.signature-invalid"}',
    ],
)
def test_every_answer_that_means_no(answer: str, connection: Connection) -> None:
    with LoopbackServer(lambda request: Response(answer.encode())) as odd, pytest.raises(Rejected) as caught:
        pull_all(Connection("DY", odd.url, connection.credentials))

    assert caught.value.answer == answer


@pytest.mark.parametrize("name", ["app_key", "app_secret"])
def test_wrong_credentials_are_rejected(connection: Connection, name: str) -> None:
    wrong = Connection("DY", connection.base_url, {**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected, match="40003"):
        pull_all(wrong)


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected) as caught:
        pull_all(Connection("DY"))

    assert str(caught.value.reason) == (
        "Channel DY cannot call Douyin: app_key, app_secret, access_token, base_url is not set."
    )


def test_check_makes_one_call_that_needs_the_token(platform: Platform, connection: Connection) -> None:
    assert douyin.ADAPTER.check(connection) == ""
    assert platform.calls == {"order.logisticsCompanyList": 1}
    platform.expire_token()
    with pytest.raises(TokenExpired):
        douyin.ADAPTER.check(connection)


def test_calls_carry_the_documented_parameters(connection: Connection) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(b'{"code":10000,"data":{"total":0}}')

    with LoopbackServer(answer) as server:
        pull_all(Connection("DY", server.url, connection.credentials))

    [orders, aftersales] = seen
    assert (orders.path, aftersales.path) == ("/order/searchList", "/afterSale/List")
    assert json.loads(orders.body) == {
        "update_time_start": int(START.timestamp()),
        "update_time_end": int(END.timestamp()),
        "order_by": "update_time",
        "order_asc": False,
        "page": 0,
        "size": 100,
    }
    assert sorted(orders.parameters()) == ["access_token", "app_key", "method", "sign", "sign_method", "timestamp", "v"]


# -- fetching what a push named -------------------------------------------------------------------


def test_fetching_gives_orders_and_their_after_sales(platform: Platform, connection: Connection) -> None:
    order = sale(1, START)
    platform.add_order(order)
    platform.add_refund(make_refund(77, order, at=START, status=6))
    platform.add_order(sale(2, START))

    raws = douyin.ADAPTER.fetch(connection, ["1", "2"])

    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "1"), ("refund", "1"), ("order", "2")]
    assert {(raw.kind, raw.external_id): raw.revision for raw in raws} == {
        (raw.kind, raw.external_id): raw.revision for raw in pull_all(connection)
    }


def test_an_order_that_is_refused_does_not_stop_the_others(platform: Platform, connection: Connection) -> None:
    platform.add_order(sale(1, START))

    missing, found = douyin.ADAPTER.fetch(connection, ["404", "1"])

    assert (missing.external_id, missing.revision, found.external_id) == ("404", 0, "1")
    with pytest.raises(Untranslatable, match="did not hand out 404"):
        douyin.ADAPTER.translate(missing, connection)


# -- pushes ---------------------------------------------------------------------------------------


class Door:
    """Takes pushes as the hub's door would, and keeps what came of them."""

    def __init__(self, connection: Connection, status: int = 200) -> None:
        self.connection = connection
        self.status = status
        self.received: list[Received] = []

    def answer(self, request: Request) -> Response:
        pushed = Pushed(request.body, request.headers)
        received = douyin.ADAPTER.receive(pushed, self.connection, at=NOW)
        self.received.append(received)
        return Response(received.answer or b"", self.status)


def test_pushes_name_the_orders_and_are_answered_as_the_platform_wants(
    platform: Platform, connection: Connection
) -> None:
    order = sale(1, START)
    platform.add_order(order)
    platform.add_refund(make_refund(77, order, at=START, status=6))
    platform.close_order(1)
    door = Door(connection)

    with LoopbackServer(door.answer) as hub:
        assert platform.push_to(hub.url) == [200, 200, 200]
        assert platform.push_to(hub.url) == []

    assert door.received == [Received((), ("1",), b'{"code":0,"msg":"success"}')] * 3


def test_a_push_that_was_not_answered_well_comes_again(platform: Platform, connection: Connection) -> None:
    platform.add_order(sale(1, START))
    door = Door(connection, status=500)

    with LoopbackServer(door.answer) as hub:
        assert platform.push_to(hub.url) == [500]
        door.status = 200
        assert platform.push_to(hub.url) == [200]

    assert [received.wanted for received in door.received] == [("1",), ("1",)]


def test_a_push_that_is_lost_is_found_by_pulling(platform: Platform, connection: Connection) -> None:
    platform.webhooks.lose()
    platform.add_order(sale(1, START))

    assert platform.push_to("http://127.0.0.1:1") == []
    assert numbers(pull_all(connection)) == ["1"]


def pushed(body: bytes, connection: Connection, **changes: str) -> Pushed:
    signed = sign.event_signature(
        body, app_key=connection.credentials["app_key"], secret=connection.credentials["app_secret"]
    )
    headers = {"App-Id": connection.credentials["app_key"], "Event-Sign": signed, **changes}
    return Pushed(body, headers)


BODY = b'[{"tag":"101","msg_id":"7","data":"{\\"p_id\\":6919000000000000001}"}]'


@pytest.mark.parametrize("changes", [{"Event-Sign": "0" * 32}, {"Event-Sign": ""}, {"App-Id": "other"}, {"App-Id": ""}])
def test_a_push_of_somebody_else_is_not_believed(connection: Connection, changes: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        douyin.ADAPTER.receive(pushed(BODY, connection, **changes), connection, at=NOW)


def test_a_changed_body_is_not_believed(connection: Connection) -> None:
    right = pushed(BODY, connection)

    with pytest.raises(NotAuthentic):
        douyin.ADAPTER.receive(Pushed(BODY + b" ", right.headers), connection, at=NOW)


def test_a_channel_without_a_secret_believes_nobody() -> None:
    bare = Connection("DY")

    with pytest.raises(NotAuthentic):
        douyin.ADAPTER.receive(
            Pushed(BODY, {"app-id": "", "event-sign": "4397b4cb31d1e9e2ea3e1ef5cf6f7ee1"}), bare, at=NOW
        )


def test_events_are_taken_one_by_one(connection: Connection) -> None:
    events = [
        {"tag": "101", "msg_id": "1", "data": '{"p_id":5}'},
        {"tag": 206, "msg_id": "2", "data": {"p_id": "6"}},
        {"tag": "106", "msg_id": "3", "data": '{"p_id":5}'},
        {"tag": "400", "msg_id": "4", "data": '{"product_id":9}'},
        {"tag": "101", "msg_id": "5", "data": "{}"},
        "odd",
    ]

    received = douyin.ADAPTER.receive(pushed(json.dumps(events).encode(), connection), connection, at=NOW)

    assert received.wanted == ("5", "6")
    assert [(raw.kind, raw.external_id) for raw in received.messages] == [("order", "event:5")]
    with pytest.raises(Untranslatable):
        douyin.ADAPTER.translate(received.messages[0], connection)


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b"7"])
def test_an_authentic_push_that_is_no_list_is_rejected(connection: Connection, body: bytes) -> None:
    with pytest.raises(Rejected, match="not a list of events"):
        douyin.ADAPTER.receive(pushed(body, connection), connection, at=NOW)
