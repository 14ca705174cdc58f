"""Pulling Shopify over real HTTP while it moves, and every way it has to say no."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import shopify
from channels.adapters.protocol import Connection, NotOffered, Rejected, RetryLater
from channels.adapters.shopify import pull
from channels.messages import (
    Address,
    IncomingLine,
    IncomingOrder,
    IncomingRefund,
    RawMessage,
    StockFigure,
    Untranslatable,
)
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.shopify import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
END = NOON + timedelta(hours=1)
LINES = [("TEE-RED-M", "Tee", 2, Decimal("109.00")), ("CAP", "Cap", 3, Decimal("20.00"))]
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
    return Connection("SH", server.url, dict(platform.credentials), platform.options)


@pytest.fixture
def _pages_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "PAGE_SIZE", 10)


def fill(platform: Platform, count: int) -> None:
    for number in range(1001, 1001 + count):
        at = NOON + timedelta(seconds=number)
        platform.add_order(make_order(number, LINES, placed_at=at, paid_at=at))


def pull_all(connection: Connection) -> list[RawMessage]:
    return [raw for page in shopify.ADAPTER.pull(connection, since=NOON, until=END) for raw in page]


def translated(raw: RawMessage, connection: Connection) -> Any:
    return shopify.ADAPTER.translate(raw, connection)


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(make_order(1001, LINES, placed_at=NOON, paid_at=NOON + timedelta(minutes=1)))

    [raw] = pull_all(connection)

    assert translated(raw, connection) == IncomingOrder(
        external_id="1001",
        revision=1_795_147_260_302,
        placed_at=NOON,
        currency="CNY",
        lines=(
            IncomingLine(FIRST, "TEE-RED-M", "Tee", 2, Decimal("109.00"), Decimal("0.00")),
            IncomingLine(SECOND, "CAP", "Cap", 3, Decimal("20.00"), Decimal("0.00")),
        ),
        address=Address("Zhejiang", "Hangzhou", "", "1 Demo Rd", "CN", "Lei Han", "+8613800000000"),
        paid_at=NOON + timedelta(minutes=1),
        shipping_amount=Decimal("0.00"),
        paid_amount=Decimal("278.00"),
        buyer_key="7001001",
        buyer_name="Lei Han",
    )
    assert (raw.external_id, raw.revision) == ("1001", 1_795_147_260_302)


def test_a_cancelled_and_a_held_order_come_too(platform: Platform, connection: Connection) -> None:
    platform.clock = lambda: NOON + timedelta(minutes=30)
    fill(platform, 2)
    platform.close_order(1001)
    platform.hold_order(1002)

    orders = {raw.external_id: translated(raw, connection) for raw in pull_all(connection)}

    assert orders["1001"].cancelled_at == NOON + timedelta(minutes=30)
    assert (orders["1002"].cancelled_at, str(orders["1002"].must_not_ship)[:23]) == (None, "The order is on hold at")


def test_refunds_of_goods_are_messages_of_their_own(platform: Platform, connection: Connection) -> None:
    platform.clock = lambda: NOON + timedelta(minutes=30)
    fill(platform, 1)
    platform.add_refund(1001, {int(FIRST): 1}, "109.00", restock="return")
    platform.add_refund(1001, {int(SECOND): 3}, "60.00", status="pending")
    platform.add_refund(1001, {}, "1.00")

    order, *raws = pull_all(connection)
    refunds = [translated(raw, connection) for raw in raws]

    assert [str(remark) for remark in translated(order, connection).remarks] == [
        "Shopify paid 1.00 back without naming goods."
    ]
    assert all(isinstance(refund, IncomingRefund) for refund in refunds)
    assert [(each.refund_id, each.state, each.amount, each.goods_come_back) for each in refunds] == [
        ("1001001", "refunded", Decimal("109.00"), True),
        ("1001002", "agreed", Decimal("60.00"), False),
    ]
    assert len({(raw.kind, raw.external_id, raw.revision) for raw in raws}) == 2


@pytest.mark.usefixtures("_pages_of_ten")
def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 35)
    platform.faults.plan("move", 4)
    platform.faults.plan("duplicate", 2)

    raws = pull_all(connection)

    assert {raw.external_id for raw in raws} == {str(number) for number in range(1001, 1036)}
    assert (platform.calls["orders"], platform.calls["nodes"]) == (4, 4)


def test_an_empty_window_asks_once(platform: Platform, connection: Connection) -> None:
    assert pull_all(connection) == []
    assert platform.calls == {"orders": 1}


@pytest.mark.usefixtures("_pages_of_ten")
def test_orders_are_fetched_by_number_and_one_that_is_not_there_says_so(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 25)
    wanted = [str(number) for number in range(1001, 1026)] + ["77"]

    raws = shopify.ADAPTER.fetch(connection, wanted)

    assert sorted(raw.external_id for raw in raws) == sorted(wanted)
    [missing] = [raw for raw in raws if raw.revision == 0]
    assert missing.external_id == "77"
    with pytest.raises(Untranslatable, match="did not hand out"):
        translated(missing, connection)


@pytest.mark.usefixtures("_pages_of_ten")
def test_a_token_that_dies_in_the_middle_ends_the_pull(platform: Platform, connection: Connection) -> None:
    fill(platform, 25)
    pages = shopify.ADAPTER.pull(connection, since=NOON, until=END)
    first = next(pages)
    platform.credentials["access_token"] = "another"

    assert len(first) == 10
    with pytest.raises(Rejected, match="Invalid API key or access token"):
        next(pages)


def test_the_next_page_is_asked_of_the_shop_itself(connection: Connection) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.query)
        headers = {"Link": '<https://evil.example/orders.json?page_info=abc&limit=250>; rel="next"'}
        return Response(b'{"orders": []}', headers=headers if len(asked) == 1 else {})

    with LoopbackServer(answer) as odd:
        assert list(shopify.ADAPTER.fetch(Connection("SH", odd.url, connection.credentials), ["1"]))[0].revision == 0

    assert asked == ["status=any&ids=1&limit=250", "page_info=abc&limit=250"]


# -- what cannot be done --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Shopify answered with HTTP status 500."),
        ("http503", 7, "Shopify answered with HTTP status 503."),
        ("html", 30, "Shopify did not answer in its own format."),
        ("cut", 30, "Shopify cannot be reached: RemoteProtocolError."),
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


def test_too_many_calls_wait_as_long_as_the_platform_says(connection: Connection) -> None:
    platform = Platform(calls_at_once=1)
    with platform.serve() as server:
        limited = Connection("SH", server.url, connection.credentials)
        first = shopify.ADAPTER.check(limited)
        with pytest.raises(RetryLater) as caught:
            shopify.ADAPTER.check(limited)

    assert first == "Demo shop"
    assert (caught.value.seconds, str(caught.value.reason)) == (2, "Shopify answered with HTTP status 429.")


def test_a_query_that_costs_too_much_waits_for_its_points(connection: Connection) -> None:
    platform = Platform(points_at_once=5, clock=lambda: NOON)
    with platform.serve() as server, pytest.raises(RetryLater) as caught:
        shopify.ADAPTER.deliver(
            StockFigure("1", "5", 1), Connection("SH", server.url, connection.credentials, connection.options), key="k"
        )

    assert (caught.value.seconds, str(caught.value.reason)) == (1, "Shopify refused: Throttled")
    assert platform.state()["stock"] == []


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"errors": "[API] Invalid API key"}, "Shopify refused: [API] Invalid API key"),
        (403, {"errors": "scope"}, "Shopify refused: scope"),
        (404, {"errors": "Not Found"}, "Shopify refused: Not Found"),
        (422, {"errors": {"limit": ["too large"]}}, "Shopify refused: {'limit': ['too large']}"),
        (402, {}, "Shopify answered with HTTP status 402."),
        (302, {}, "Shopify answered with HTTP status 302."),
    ],
)
def test_each_refusal_needs_a_person(connection: Connection, status: int, body: dict[str, Any], words: str) -> None:
    answer = Response(json.dumps(body).encode(), status)
    with LoopbackServer(lambda request: answer) as odd, pytest.raises(Rejected) as caught:
        shopify.ADAPTER.check(Connection("SH", odd.url, connection.credentials))

    assert str(caught.value.reason) == words


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, RetryLater),
        ({"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}]}, Rejected),
        ({"errors": [{"message": "x"}]}, Rejected),
        ({"errors": "odd"}, Rejected),
        ({"data": None}, RetryLater),
        ({"data": {"inventorySetQuantities": {"userErrors": [{"message": "no"}]}}}, Rejected),
        ({"data": {"inventorySetQuantities": None}}, RetryLater),
    ],
)
def test_each_graphql_answer_with_status_200(
    connection: Connection, body: dict[str, Any], kind: type[Exception]
) -> None:
    answer = Response(json.dumps(body).encode())
    odd = Connection("SH", "", connection.credentials, connection.options)
    with LoopbackServer(lambda request: answer) as server, pytest.raises(kind) as caught:
        shopify.ADAPTER.deliver(
            StockFigure("1", "5", 1), Connection("SH", server.url, odd.credentials, odd.options), key="k"
        )

    assert type(caught.value) is kind


def test_a_channel_without_token_calls_nobody() -> None:
    with pytest.raises(Rejected) as caught:
        pull_all(Connection("SH"))

    assert str(caught.value) == "Channel SH cannot call Shopify: access_token, base_url is not set."
    with pytest.raises(NotOffered):
        shopify.ADAPTER.renew(Connection("SH"))


def test_the_check_tells_the_shop(connection: Connection) -> None:
    assert shopify.ADAPTER.check(connection) == "Demo shop"
