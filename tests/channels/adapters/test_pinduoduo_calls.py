"""Pulling, fetching and telling the simulated Pinduoduo over real HTTP, while it moves and breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import pinduoduo
from channels.adapters.pinduoduo import pull
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
from channels.simulators.pinduoduo import Platform, make_order
from channels.simulators.server import LoopbackServer, Request, Response

NOON = datetime(2026, 10, 23, 4, 0, tzinfo=UTC)
END = NOON + timedelta(minutes=30)
TEE = ("TEE-RED-M", "T恤", 2, Decimal("109.10"))
LIST, ORDER = "pdd.order.number.list.increment.get", "pdd.order.information.get"
SHIP = "pdd.logistics.online.send"


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "SIZE", 10)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("PDD", server.url + platform.path, platform.credentials, platform.options)


def sale(number: int, at: datetime, **told: Any) -> dict[str, Any]:
    return make_order(number, [TEE], placed_at=at - timedelta(minutes=5), paid_at=at, **told)


def fill(platform: Platform, count: int) -> None:
    for number in range(count):
        platform.add_order(sale(10_000 + number, NOON + number * timedelta(seconds=50)))


def pull_all(connection: Connection, since: datetime = NOON, until: datetime = END) -> list[RawMessage]:
    return [raw for page in pinduoduo.ADAPTER.pull(connection, since=since, until=until) for raw in page]


def numbers(raws: list[RawMessage]) -> list[str]:
    return [raw.external_id for raw in raws]


def test_an_order_goes_round_from_the_platform_to_the_house_language(
    platform: Platform, connection: Connection
) -> None:
    platform.add_order(sale(1, NOON))

    [raw] = pull_all(connection)
    order = pinduoduo.ADAPTER.translate(raw, connection)

    assert isinstance(order, IncomingOrder)
    assert (order.external_id, order.revision) == ("1", int(NOON.timestamp()) * 1000 + 11)
    assert (raw.revision, order.paid_at, order.paid_amount) == (order.revision, NOON, Decimal("218.2"))
    assert [(line.sku_code, line.quantity, line.unit_price, line.discount) for line in order.lines] == [
        ("TEE-RED-M", 2, Decimal("109.1"), Decimal(0))
    ]


def test_pages_come_from_the_last_to_the_first(platform: Platform, connection: Connection) -> None:
    fill(platform, 23)

    pages = list(pinduoduo.ADAPTER.pull(connection, since=NOON, until=END))

    assert [len(page) for page in pages] == [3, 10, 10]
    assert sorted(numbers(sum(pages, []))) == sorted(platform.orders)
    assert platform.calls == {LIST: 4, ORDER: 23}


def test_a_long_span_is_asked_by_half_hours_and_shared_edges_come_once(
    platform: Platform, connection: Connection
) -> None:
    for number in range(3):
        platform.add_order(sale(number, NOON + number * timedelta(minutes=30)))

    assert numbers(pull_all(connection, NOON, NOON + timedelta(hours=1))) == ["1", "0", "2"]
    assert platform.calls == {LIST: 2, ORDER: 3}


def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 23)
    platform.faults.plan("move", 4)

    met = set(numbers(pull_all(connection)))
    moved = {number for number, row in platform.orders.items() if not row["updated_at"].startswith("2026-10-23 12")}

    assert len(moved) == 4
    assert met >= set(platform.orders) - moved
    now = datetime.now(UTC)
    assert set(numbers(pull_all(connection, now - timedelta(minutes=5), now))) == moved


def test_walking_forwards_would_lose_rows_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 23)
    platform.faults.plan("move", 4)

    met = {row.key for n in (1, 2, 3) for row in pull._page(connection, NOON, END, n).rows}

    assert len(set(platform.orders) - met) == 2


def test_a_window_never_ends_before_the_list_is_ready() -> None:
    platform = Platform(lag_seconds=180)
    now = datetime.now(UTC)
    for number, seconds in ((1, 185), (2, 60)):
        platform.add_order(sale(number, now - timedelta(seconds=seconds)))
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        asked.append(request.parameters())
        return platform.answer(request)

    with LoopbackServer(answer) as server:
        connection = Connection("PDD", server.url + platform.path, platform.credentials)
        raws = pull_all(connection, now - timedelta(minutes=10), now)
        nothing = pull_all(connection, now - timedelta(minutes=1), now)

    assert (numbers(raws), nothing) == (["1"], [])
    assert abs(int(asked[0]["end_updated_at"]) - (now.timestamp() - 180)) < 5
    assert platform.calls == {LIST: 1, ORDER: 1}


def test_an_order_that_is_refused_does_not_stop_the_others(platform: Platform, connection: Connection) -> None:
    fill(platform, 3)
    original = platform.answer

    def forgetful(request: Request) -> Response:
        if request.parameters().get("order_sn") == "10001":
            platform.orders.pop("10001", None)
        return original(request)

    with LoopbackServer(forgetful) as server:
        raws = pull_all(Connection("PDD", server.url + platform.path, platform.credentials))

    assert [(raw.external_id, raw.revision == 0) for raw in raws] == [
        ("10002", False),
        ("10001", True),
        ("10000", False),
    ]
    with pytest.raises(Untranslatable, match="Pinduoduo did not hand out 10001"):
        pinduoduo.ADAPTER.translate(raws[1], connection)


def test_a_token_that_expires_in_mid_walk_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 23)
    walk = pinduoduo.ADAPTER.pull(connection, since=NOON, until=END)
    met = numbers(next(walk))
    platform.expire_token()

    with pytest.raises(TokenExpired):
        next(walk)
    fresh = pinduoduo.ADAPTER.renew(connection)

    assert fresh["access_token"] == platform.credentials["access_token"] != "access-0"
    assert set(met + numbers(pull_all(Connection("PDD", connection.base_url, fresh)))) == set(platform.orders)


def test_a_refresh_token_that_is_not_known_needs_a_person(connection: Connection) -> None:
    wrong = {**connection.credentials, "refresh_token": "old"}

    with pytest.raises(Rejected, match="Pinduoduo refused with code 10019"):
        pinduoduo.ADAPTER.renew(Connection("PDD", connection.base_url, wrong))


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Pinduoduo answered with HTTP status 500."),
        ("http503", 7, "Pinduoduo answered with HTTP status 503."),
        ("html", 30, "Pinduoduo did not answer in its own format."),
        ("cut", 30, "Pinduoduo cannot be reached: RemoteProtocolError."),
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


def refusal(code: int) -> str:
    return f'{{"error_response":{{"error_code":{code},"error_msg":"no","sub_msg":""}}}}'


@pytest.mark.parametrize(
    ("answer", "kind", "seconds"),
    [
        *[(refusal(code), RetryLater, 30) for code in (50000, 50002, 52001, 52002)],
        *[(refusal(code), Throttled, 60) for code in (52101, 52102, 52103, 70031)],
        (refusal(10019), TokenExpired, 30),
        *[(refusal(code), Rejected, 0) for code in (10001, 10016, 20004, 20005, 20031, 20034, 70036)],
        (refusal(21001), NotThis, 0),
        ('{"order_sn_increment_get_response":{"is_success":false,"error_code":52101}}', Throttled, 60),
        ('{"error_response":7}', RetryLater, 30),
        ("{}", RetryLater, 30),
        ('{"order_sn_increment_get_response":{"total_count":1,"order_sn_list":[7]}}', RetryLater, 30),
        ('{"order_sn_increment_get_response":{"order_sn_list":[]}}', RetryLater, 30),
    ],
)
def test_every_answer_means_later_or_no(
    answer: str, kind: type[Exception], seconds: int, connection: Connection
) -> None:
    with LoopbackServer(lambda request: Response(answer.encode())) as odd, pytest.raises(kind) as caught:
        pull_all(Connection("PDD", odd.url, connection.credentials))

    assert (type(caught.value), getattr(caught.value, "seconds", 0)) == (kind, seconds)


def test_too_many_calls_are_made_later(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0

    with pytest.raises(RetryLater) as caught:
        pull_all(connection)

    assert caught.value.seconds == 60


@pytest.mark.parametrize(("name", "code"), [("client_secret", 20004), ("client_id", 10016), ("access_token", 20032)])
def test_wrong_credentials_are_rejected(connection: Connection, name: str, code: int) -> None:
    wrong = Connection("PDD", connection.base_url, {**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected, match=f"Pinduoduo refused with code {code}"):
        pull_all(wrong)


def test_a_channel_that_is_not_set_up_is_rejected_in_words() -> None:
    with pytest.raises(Rejected) as caught:
        pull_all(Connection("PDD"))

    assert str(caught.value.reason) == (
        "Channel PDD cannot call Pinduoduo: client_id, client_secret, access_token, base_url is not set."
    )


def test_calls_carry_the_documented_parameters(connection: Connection) -> None:
    seen: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        seen.append(request.parameters())
        return Response(b'{"order_sn_increment_get_response":{"total_count":0,"order_sn_list":null}}')

    with LoopbackServer(answer) as server:
        pull_all(Connection("PDD", server.url, connection.credentials))

    [given] = seen
    assert abs(int(given.pop("timestamp")) - datetime.now(UTC).timestamp()) < 60
    assert len(given.pop("sign")) == 32
    assert given == {
        "type": LIST,
        "client_id": "pddclient",
        "access_token": "access-0",
        "data_type": "JSON",
        "version": "V1",
        "start_updated_at": str(int(NOON.timestamp())),
        "end_updated_at": str(int(END.timestamp())),
        "is_lucky_flag": "0",
        "order_status": "5",
        "refund_status": "5",
        "page": "1",
        "page_size": "10",
        "use_has_next": "false",
    }


def test_check_makes_one_call_that_needs_the_token(platform: Platform, connection: Connection) -> None:
    assert pinduoduo.ADAPTER.check(connection) == ""
    assert platform.calls == {LIST: 1}
    platform.expire_token()
    with pytest.raises(TokenExpired):
        pinduoduo.ADAPTER.check(connection)


def test_fetching_gives_the_orders_as_they_are_now(platform: Platform, connection: Connection) -> None:
    fill(platform, 2)

    found, missing = pinduoduo.ADAPTER.fetch(connection, ["10001", "404"])

    assert [found] == [raw for raw in pull_all(connection) if raw.external_id == "10001"]
    assert (missing.external_id, missing.revision) == ("404", 0)


def test_nothing_is_pushed(connection: Connection) -> None:
    with pytest.raises(NotOffered):
        pinduoduo.ADAPTER.receive(Pushed(b""), connection, at=NOON)


# -- telling --------------------------------------------------------------------------------------


def notice(*, number: str = "10000", carrier: str = "SF", tracking: str = "SF1", partial: bool = False) -> Outgoing:
    lines = (ShippedLine("1", 2),)
    return ShipmentNotice(number, "P-1", carrier, tracking, NOON, lines, is_partial=partial)


def deliver(message: Outgoing, connection: Connection) -> str:
    return pinduoduo.ADAPTER.deliver(message, connection, key="k")


def test_a_parcel_ships_the_order(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    answer = deliver(notice(), connection)

    order = platform.order(10_000)
    assert json.loads(answer)["logistics_online_send_response"]["is_success"] is True
    assert (order["order_status"], order["tracking_number"], order["logistics_id"]) == (2, "SF1", 44)


def test_a_parcel_told_again_after_a_lost_answer_is_known_already(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(notice(), connection)

    answer = deliver(notice(), connection)

    assert json.loads(answer)["error_response"]["error_code"] == 50001
    assert (len(platform.parcels), platform.calls[SHIP]) == (1, 2)


def test_another_parcel_of_a_shipped_order_is_refused(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    deliver(notice(), connection)

    with pytest.raises(Rejected, match="50001"):
        deliver(notice(tracking="SF2"), connection)

    assert platform.order(10_000)["tracking_number"] == "SF1"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(partial=True), "Pinduoduo takes one parcel for a whole order, and parcel P-1 holds part of one."),
        (notice(carrier="XX"), "Carrier XX has no code on Pinduoduo."),
        (notice(tracking=""), "Parcel P-1 has no tracking number."),
        (notice(number="404"), "Pinduoduo refused with code 50001"),
        (StockFigure("", "1", 1), "goods_id is , which is not a number of Pinduoduo."),
        (StockFigure("1", "x", 1), "sku_id is x, which is not a number of Pinduoduo."),
        (StockFigure("1", "1", -1), "Pinduoduo cannot be told a stock of -1."),
        (StockFigure("1", "1", 5), "Pinduoduo refused with code 50001"),
        (ParcelRequest("P", "O", "N", (ParcelLine("A", 1),)), "Pinduoduo takes shipment notices and stock figures"),
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


@pytest.mark.parametrize("changes", [{"risk_control_status": 1}, {"refund_status": 2}])
def test_a_held_order_takes_no_parcel(platform: Platform, connection: Connection, changes: dict[str, int]) -> None:
    fill(platform, 1)
    platform.change_order(10_000, **changes)

    with pytest.raises(Rejected, match="50001"):
        deliver(notice(), connection)

    assert (platform.order(10_000)["order_status"], platform.parcels) == (1, [])


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    for _ in range(2):
        deliver(StockFigure("1", str(number), 7), connection)

    assert platform.stock == {str(number): 7}


def test_a_figure_may_name_the_sellers_code(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    deliver(StockFigure("1", "", 0, external_code="TEE-RED-M"), connection)

    assert platform.stock == {str(number): 0}
