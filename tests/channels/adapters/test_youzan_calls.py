"""Pulling, fetching and telling the simulated Youzan cloud over real HTTP, while it moves and while it breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import youzan
from channels.adapters.protocol import Connection, Rejected, RetryLater, TokenExpired
from channels.adapters.youzan import pull as pulling
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
from channels.simulators.server import LoopbackServer, Response
from channels.simulators.signed import item_number
from channels.simulators.youzan import Platform
from channels.simulators.youzan_orders import make_order, make_refund

ADAPTER = youzan.ADAPTER
NOON = datetime(2025, 11, 23, 4, 0, tzinfo=UTC)
LINES = [("TEE-RED-M", "T恤", 2, Decimal("109.00")), ("CAP-BLUE", "帽子", 1, Decimal("50.00"))]
LIST = "youzan.trades.sold.get/4.0.4"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("YZ", server.url, platform.credentials)


def order(number: int, at: datetime) -> dict[str, Any]:
    return make_order(f"E{number}", LINES, placed_at=at - timedelta(minutes=5), paid_at=at)


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        platform.add_order(order(10_000 + number, NOON + timedelta(seconds=number)))


def pull(connection: Connection, since: datetime, until: datetime) -> list[RawMessage]:
    return [raw for page in ADAPTER.pull(connection, since=since, until=until) for raw in page]


def tids(messages: list[RawMessage], kind: str = "order") -> list[str]:
    return [raw.external_id for raw in messages if raw.kind == kind]


def everything(count: int) -> list[str]:
    return [f"E{10_000 + number}" for number in range(count)]


def deliver(message: Outgoing, connection: Connection) -> str:
    return ADAPTER.deliver(message, connection, key="k")


def notice(*oids: str, tracking: str = "SF1", carrier: str = "SF", is_partial: bool = False) -> ShipmentNotice:
    lines = tuple(ShippedLine(oid, 1) for oid in oids)
    return ShipmentNotice("E10000", "P-1", carrier, tracking, NOON, lines, is_partial)


def oids(platform: Platform) -> list[str]:
    return [line["oid"] for line in platform.order("E10000")["orders"]]


# -- pulling --------------------------------------------------------------------------------------


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(order(1, NOON))

    [raw] = pull(connection, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    told = ADAPTER.translate(raw, connection)

    assert (raw.kind, raw.external_id, raw.revision) == ("order", "E1", 1_763_870_400_004)
    assert isinstance(told, IncomingOrder)
    assert (told.revision, told.placed_at, told.paid_at) == (raw.revision, NOON - timedelta(minutes=5), NOON)
    assert [(line.sku_code, line.quantity, line.unit_price) for line in told.lines] == [
        ("TEE-RED-M", 2, Decimal("109.00")),
        ("CAP-BLUE", 1, Decimal("50.00")),
    ]
    assert (told.address.province, told.address.name, told.address.token.count("$")) == ("浙江省", "", 6)


def test_what_is_fetched_says_the_same_as_what_is_pulled(platform: Platform, connection: Connection) -> None:
    platform.add_order(order(1, NOON))

    [pulled] = pull(connection, NOON, NOON)
    [fetched] = ADAPTER.fetch(connection, ["E1"])

    assert fetched.revision == pulled.revision
    assert ADAPTER.translate(fetched, connection) == ADAPTER.translate(pulled, connection)


def test_refunds_lie_under_their_orders_number(platform: Platform, connection: Connection) -> None:
    platform.add_order(order(1, NOON))
    for number in (7001, 7002):
        platform.add_refund(make_refund(number, platform.order("E1"), asked_at=NOON, quantity=1))

    raws = [raw for raw in pull(connection, NOON, NOON) if raw.kind == "refund"]
    told = [ADAPTER.translate(raw, connection) for raw in raws]

    assert sorted((raw.external_id, raw.revision) for raw in raws) == [
        ("E1", 1_763_870_400_001),
        ("E1", 1_763_870_400_002),
    ]
    assert sorted(each.refund_id for each in told if isinstance(each, IncomingRefund)) == ["7001", "7002"]
    assert [(raw.kind, raw.external_id) for raw in ADAPTER.fetch(connection, ["E1"])] == [
        ("order", "E1"),
        ("refund", "E1"),
        ("refund", "E1"),
    ]


def test_pages_come_from_the_last_to_the_first_and_every_order_once(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("duplicate", 3)

    found = tids(pull(connection, NOON, NOON + timedelta(hours=1)))

    assert sorted(found) == everything(230)
    assert found[0] == "E10029"


def test_orders_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    first = tids(pull(connection, NOON, NOON + timedelta(hours=1)))
    now = datetime.now(UTC)
    second = tids(pull(connection, now - timedelta(minutes=5), now + timedelta(seconds=1)))

    assert len(second) == 4
    assert sorted({*first, *second}) == everything(230)


def test_walking_forwards_would_lose_orders_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 4)

    met: set[str] = set()
    for number in (1, 2, 3):
        asked = pulling.asked(NOON, NOON + timedelta(hours=1), number)
        _, data = youzan.adapter.client.call(connection, LIST, asked)
        met |= {row["full_order_info"]["order_info"]["tid"] for row in data["full_order_info_list"]}

    assert len(set(everything(230)) - met) == 2


def test_a_span_with_more_orders_than_can_be_paged_through_is_halved(
    platform: Platform, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(platform, 230)
    monkeypatch.setattr(pulling, "DEEPEST", 100)

    assert sorted(tids(pull(connection, NOON, NOON + timedelta(seconds=600)))) == everything(230)


def test_the_last_minute_is_a_window_of_its_own(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def answer(_connection: Connection, api: str, arguments: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        if api == LIST:
            asked.append((arguments["start_update"], arguments["end_update"]))
        return b"", {"total_results": 0, "total": 0}

    monkeypatch.setattr(pulling.client, "call", answer)
    pull(connection, NOON, NOON + timedelta(minutes=10))
    pull(connection, NOON, NOON + timedelta(seconds=30))

    assert asked == [
        ("2025-11-23 12:00:00", "2025-11-23 12:09:00"),
        ("2025-11-23 12:09:00", "2025-11-23 12:10:00"),
        ("2025-11-23 12:00:00", "2025-11-23 12:00:30"),
    ]


def test_an_order_that_is_refused_does_not_stop_the_others(platform: Platform, connection: Connection) -> None:
    fill(platform, 2)

    raws = ADAPTER.fetch(connection, ["E10000", "E77", "E10001", "E10000"])

    assert [(raw.external_id, raw.revision > 0) for raw in raws] == [
        ("E10000", True),
        ("E77", False),
        ("E10001", True),
    ]
    assert json.loads(raws[1].payload)["code"] == 105000016


# -- refusals and tokens --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"gw_err_resp": {"err_code": 4001, "err_msg": "no"}}, TokenExpired, "code 4001: no"),
        ({"gw_err_resp": {"err_code": "4003", "err_msg": "no"}}, TokenExpired, "code 4003: no"),
        ({"error_response": {"code": 40010, "msg": "no"}}, TokenExpired, "code 40010: no"),
        ({"success": False, "code": 10000, "message": "no"}, TokenExpired, "code 10000: no"),
        ({"gw_err_resp": {"err_code": 4005, "err_msg": "no"}}, Rejected, "code 4005: no"),
        ({"gw_err_resp": {"err_code": 4007, "err_msg": "no"}}, Rejected, "code 4007: no"),
        ({"gw_err_resp": {"err_code": 4201, "err_msg": "no"}}, RetryLater, "code 4201: no"),
        ({"error_response": {"code": 50, "msg": "no"}}, Rejected, "code 50: no"),
        ({"success": False, "code": 105000016, "message": "no"}, Rejected, "code 105000016: no"),
        ({"success": True, "code": 500, "message": "no"}, Rejected, "code 500: no"),
        ({}, RetryLater, "did not answer in its own format"),
        ([], RetryLater, "did not answer in its own format"),
    ],
)
def test_each_shape_of_a_refusal_says_whether_waiting_helps(
    connection: Connection, body: Any, kind: type[Exception], words: str
) -> None:
    answer = Response(json.dumps(body).encode())

    with LoopbackServer(lambda request: answer) as server, pytest.raises((RetryLater, Rejected)) as caught:
        ADAPTER.check(Connection("YZ", server.url, connection.credentials))

    assert type(caught.value) is kind or (kind is Rejected and isinstance(caught.value, Rejected))
    assert words in str(caught.value)


def test_a_legacy_answer_is_read_too(connection: Connection) -> None:
    with LoopbackServer(lambda request: Response(b'{"response":{"is_success":true}}')) as server:
        answer = deliver(StockFigure("1", "2", 3), Connection("YZ", server.url, connection.credentials))

    assert answer == '{"response":{"is_success":true}}'


@pytest.mark.parametrize("body", [b'{"success":true,"data":{"is_success":false}}', b'{"success":true,"data":null}'])
def test_a_success_without_success_is_a_refusal(connection: Connection, body: bytes) -> None:
    with LoopbackServer(lambda request: Response(body)) as server, pytest.raises(Rejected, match="is_success"):
        deliver(StockFigure("1", "2", 3), Connection("YZ", server.url, connection.credentials))


def test_a_token_that_dies_in_the_middle_of_a_walk_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    walk = ADAPTER.pull(connection, since=NOON, until=NOON + timedelta(hours=1))
    found = tids(next(walk))
    platform.expire_token()

    with pytest.raises(TokenExpired):
        next(walk)
    before = connection.credentials["access_token"]
    fresh = Connection("YZ", connection.base_url, ADAPTER.renew(connection))

    assert (before, fresh.credentials["access_token"]) == ("access-0", "access-1")
    assert sorted({*found, *tids(pull(fresh, NOON, NOON + timedelta(hours=1)))}) == everything(230)


def test_without_a_token_the_first_call_asks_for_one(platform: Platform, connection: Connection) -> None:
    bare = {name: value for name, value in connection.credentials.items() if name != "access_token"}

    with pytest.raises(TokenExpired, match="has given no access token yet"):
        ADAPTER.check(Connection("YZ", connection.base_url, bare))

    assert platform.calls == {}
    assert ADAPTER.check(Connection("YZ", connection.base_url, ADAPTER.renew(connection))) == ""


def test_wrong_credentials_get_no_token_and_waiting_does_not_help(connection: Connection) -> None:
    wrong = Connection("YZ", connection.base_url, {**connection.credentials, "client_secret": "wrong"})

    with pytest.raises(Rejected, match="10000"):
        ADAPTER.renew(wrong)


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Youzan answered with HTTP status 500."),
        ("http503", 7, "Youzan answered with HTTP status 503."),
        ("html", 30, "Youzan did not answer in its own format."),
        ("cut", 30, "Youzan cannot be reached: RemoteProtocolError."),
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

    with pytest.raises(RetryLater, match="too many calls"):
        ADAPTER.check(connection)


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected, match="Channel YZ cannot call Youzan: client_secret, grant_id, base_url is not set."):
        ADAPTER.check(Connection("YZ", "", {"client_id": "1"}))


# -- telling --------------------------------------------------------------------------------------


def test_two_part_parcels_ship_the_order_step_by_step(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    first, second = oids(platform)

    deliver(notice(first, first, is_partial=True), connection)
    assert platform.order("E10000")["order_info"]["status"] == "WAIT_SELLER_SEND_GOODS"
    deliver(notice(second, tracking="ZTO2", carrier="ZTO", is_partial=True), connection)

    assert platform.order("E10000")["order_info"]["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    assert [(parcel["out_sid"], parcel["out_stype"], parcel["oids"]) for parcel in platform.state()["parcels"]] == [
        ("SF1", "7", [first]),
        ("ZTO2", "3", [second]),
    ]


@pytest.mark.parametrize("is_partial", [False, True])
def test_a_parcel_told_again_after_a_lost_answer_is_done(
    platform: Platform, connection: Connection, is_partial: bool
) -> None:
    fill(platform, 1)
    told = notice(oids(platform)[0], is_partial=is_partial)
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(told, connection)

    assert json.loads(deliver(told, connection))["code"] == 105000001
    assert len(platform.state()["parcels"]) == 1


def test_a_parcel_that_is_refused_is_rejected_and_nothing_changes(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.close_order("E10000")

    with pytest.raises(Rejected, match="105000001"):
        deliver(notice(oids(platform)[0]), connection)

    assert platform.state()["parcels"] == []


def test_an_order_that_is_not_there_is_rejected(connection: Connection) -> None:
    with pytest.raises(Rejected, match="105000016"):
        deliver(notice("1"), connection)


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    item, sku = str(item_number("TEE")), str(item_number("TEE-RED-M"))
    for quantity in (7, 7, 0, 5):
        deliver(StockFigure(item, sku, quantity), connection)
    deliver(StockFigure(item, "", 9), connection)

    assert platform.state()["stock"] == {sku: 5, item: 9}


def test_a_branch_of_a_chain_has_figures_of_its_own(platform: Platform, connection: Connection) -> None:
    branch = Connection("YZ", connection.base_url, connection.credentials, {"branch_kdt_id": "66"})
    head = Connection("YZ", connection.base_url, connection.credentials, {"branch_kdt_id": 55})

    deliver(StockFigure("1", "2", 20), branch)
    with pytest.raises(Rejected, match="234000003"):
        deliver(StockFigure("1", "2", 20), head)

    assert platform.state()["stock"] == {"66/2": 20}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice("1", carrier="DHL"), "Carrier DHL has no code on Youzan."),
        (notice("1", tracking=""), "Parcel P-1 has no tracking number."),
        (notice(), "Parcel P-1 has no lines to tell Youzan about."),
        (StockFigure("x", "2", 1), "item_id is x, which is not a number of Youzan."),
        (StockFigure("1", "2", -1), "Youzan cannot be told a stock of -1."),
        (ParcelCancel("P-1", "W1"), "Youzan takes shipment notices and stock figures, nothing else."),
    ],
)
def test_what_cannot_be_told_is_rejected_before_it_is_sent(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert str(caught.value.reason) == words
    assert platform.calls == {}
