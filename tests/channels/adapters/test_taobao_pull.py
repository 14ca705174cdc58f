"""Pulling trades over real HTTP from the simulated platform, while it moves and while it breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from channels.adapters import calls, fetching, taobao
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.adapters.taobao import pull
from channels.messages import IncomingOrder, RawMessage, Untranslatable
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.taobao import Platform
from channels.simulators.taobao_gate import GMT8
from channels.simulators.taobao_trades import Sale, SoldLine, make_trade

NOON = datetime(2025, 11, 23, 4, 0, tzinfo=UTC)  # 12:00 in China, well in the past of the platform's real clock
TEE = SoldLine("TEE-RED-M", 68000000001, 5000000001, "T恤", 2, "109.00", "200.00")
INCREMENT = "taobao.trades.sold.increment.get"
FULLINFO = "taobao.trade.fullinfo.get"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("TM", f"{server.url}/router/rest", platform.credentials)


def sale(number: int, modified_at: datetime) -> dict[str, Any]:
    paid_at = modified_at - timedelta(seconds=10)
    return make_trade(Sale(10_000 + number, [TEE], paid_at - timedelta(minutes=5), paid_at, modified_at))


def fill(platform: Platform, count: int, *, spacing: timedelta = timedelta(seconds=10)) -> None:
    for number in range(count):
        platform.add_trade(sale(number, NOON + number * spacing))


def pull_all(connection: Connection, since: datetime, until: datetime) -> list[list[RawMessage]]:
    return list(taobao.ADAPTER.pull(connection, since=since, until=until))


def tids(pages: list[list[RawMessage]]) -> list[str]:
    return [raw.external_id for page in pages for raw in page]


def test_a_trade_goes_round_from_the_platform_to_the_house_language(platform: Platform, connection: Connection) -> None:
    platform.add_trade(sale(1, NOON))

    [[raw]] = pull_all(connection, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    order = taobao.ADAPTER.translate(raw, connection)

    assert (raw.kind, raw.external_id, raw.revision) == ("order", "10001", 1_763_870_400_000)
    assert json.loads(raw.payload)["oaid"] == "1a2711"
    assert isinstance(order, IncomingOrder)
    assert (order.revision, order.placed_at) == (raw.revision, NOON - timedelta(seconds=310))
    assert (order.lines[0].unit_price, order.lines[0].discount) == (Decimal("109.00"), Decimal("18.00"))
    assert (order.address.name, order.address.token) == ("韩*", "1a2711")


@pytest.mark.parametrize("sign_method", ["md5", "hmac", "hmac-sha256"])
def test_every_sign_method_is_accepted(platform: Platform, connection: Connection, sign_method: str) -> None:
    platform.add_trade(sale(1, NOON))
    signed = Connection("TM", connection.base_url, connection.credentials, {"sign_method": sign_method})

    assert tids(pull_all(signed, NOON, NOON)) == ["10001"]


def test_an_empty_window_has_no_pages(connection: Connection) -> None:
    assert pull_all(connection, NOON, NOON + timedelta(hours=1)) == []


def test_a_window_that_ends_before_it_begins_asks_nothing(platform: Platform, connection: Connection) -> None:
    assert pull_all(connection, NOON, NOON - timedelta(hours=1)) == []
    assert platform.calls[INCREMENT] == 0


def test_the_payload_is_the_trade_with_its_decimals_exact(connection: Connection) -> None:
    trade = '{"tid":7, "modified" : "2025-11-23 12:00:00","price":1.10,"title":"\\u4e0a"}'
    listed = {"total_results": 1, "trades": {"trade": [{"tid": 7, "modified": "2025-11-23 12:00:00"}]}}

    def answer(request: Request) -> Response:
        if request.parameters()["method"] == INCREMENT:
            return Response(json.dumps({"trades_sold_increment_get_response": listed}).encode())
        return Response(f'{{"trade_fullinfo_get_response":{{"request_id":"1","trade":{trade}}}}}'.encode())

    with LoopbackServer(answer) as odd:
        [[raw]] = pull_all(Connection("TM", odd.url, connection.credentials), NOON, NOON)

    assert json.loads(raw.payload) == {"tid": 7, "modified": "2025-11-23 12:00:00", "price": "1.10", "title": "上"}


def test_fifty_pages_come_from_the_last_to_the_first(platform: Platform, connection: Connection) -> None:
    fill(platform, 2_500, spacing=timedelta(seconds=1))

    pages = pull_all(connection, NOON, NOON + timedelta(hours=1))

    assert [len(page) for page in pages] == [50] * 50
    assert set(tids(pages)) == {str(10_000 + number) for number in range(2_500)}
    assert (pages[0][-1].external_id, pages[-1][0].external_id) == ("10000", "12499")
    assert platform.calls == {INCREMENT: 51, FULLINFO: 2_500}


def test_a_long_span_is_asked_day_by_day_and_shared_edges_come_once(platform: Platform, connection: Connection) -> None:
    for number in range(4):
        platform.add_trade(sale(number, NOON + timedelta(days=number)))

    pages = pull_all(connection, NOON, NOON + timedelta(days=3))

    assert [sorted(page) for page in [tids([page]) for page in pages]] == [["10000", "10001"], ["10002"], ["10003"]]
    assert platform.calls == {INCREMENT: 3, FULLINFO: 4}


def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 6)  # after each page, its newest row is modified and leaves the window

    pages = pull_all(connection, NOON, NOON + timedelta(hours=1))
    moved = {str(tid) for tid, row in platform.shop.trades.items() if not row["modified"].startswith("2025-11-23 12")}

    assert len(moved) == 6
    assert set(tids(pages)) >= {str(10_000 + number) for number in range(230)} - moved
    now = datetime.now(UTC)
    later = set(tids(pull_all(connection, now - timedelta(minutes=5), now + timedelta(seconds=1))))
    assert later == moved


def test_walking_forwards_would_lose_rows_that_we_keep(platform: Platform, connection: Connection) -> None:
    fill(platform, 230)
    platform.faults.plan("move", 6)

    pages = range(1, 6)
    met = {row.key for n in pages for row in pull._page(connection, NOON, NOON + timedelta(hours=1), n).rows}

    assert len({str(10_000 + number) for number in range(230)} - met) == 4


def test_a_row_that_comes_to_the_front_while_we_read_makes_us_read_again(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 230)
    end = NOON + timedelta(hours=1)
    walk = taobao.ADAPTER.pull(connection, since=NOON, until=end)

    pages = [next(walk)]
    platform.add_trade(sale(900, end))  # inside the window, before everything else: all rows move one place back
    pages += list(walk)

    assert sorted(tids(pages)) == sorted([str(10_000 + number) for number in range(230)] + ["10900"])
    assert platform.calls[FULLINFO] == 231


def test_a_list_that_never_rests_is_tried_later(platform: Platform, connection: Connection) -> None:
    fill(platform, 60)
    end = NOON + timedelta(hours=1)
    original = platform.answer
    number = 1_000

    def restless(request: Request) -> Response:
        nonlocal number
        number += 1
        platform.add_trade(sale(number, end))
        return original(request)

    with LoopbackServer(restless) as server, pytest.raises(RetryLater, match="faster than it can be read"):
        pull_all(Connection("TM", f"{server.url}/router/rest", platform.credentials), NOON, end)


def test_a_row_listed_twice_is_fetched_once(platform: Platform, connection: Connection) -> None:
    fill(platform, 60)
    platform.faults.plan("duplicate", 3)

    assert len(tids(pull_all(connection, NOON, NOON + timedelta(hours=1)))) == 60
    assert platform.calls[FULLINFO] == 60


def test_a_trade_that_is_refused_does_not_stop_the_others(platform: Platform, connection: Connection) -> None:
    fill(platform, 3)
    walk = pull._page(connection, NOON, NOON + timedelta(hours=1), 1)
    del platform.shop.trades[10_001]

    raws = [fetching.one("order", row.key, partial(pull._trade, connection, row)) for row in walk.rows]

    assert [(raw.external_id, raw.revision == 0) for raw in raws] == [
        ("10002", False),
        ("10001", True),
        ("10000", False),
    ]
    with pytest.raises(Untranslatable, match="did not hand out 10001"):
        taobao.ADAPTER.translate(raws[1], connection)


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Taobao answered with HTTP status 500."),
        ("http503", 7, "Taobao answered with HTTP status 503."),
        ("html", 30, "Taobao did not answer in its own format."),
        ("cut", 30, "Taobao cannot be reached: RemoteProtocolError."),
    ],
)
def test_a_fault_on_the_way_is_tried_later(
    platform: Platform, connection: Connection, fault: str, seconds: int, words: str
) -> None:
    platform.faults.plan(fault)

    with pytest.raises(RetryLater) as caught:
        pull_all(connection, NOON, NOON)

    assert (caught.value.seconds, str(caught.value.reason)) == (seconds, words)
    assert pull_all(connection, NOON, NOON) == []


def test_a_slow_platform_is_tried_later(
    platform: Platform, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "SECONDS_TO_ANSWER", 0.2)
    calls.close()
    platform.faults.slow_seconds = 0.6
    platform.faults.plan("slow")
    try:
        with pytest.raises(RetryLater, match="Taobao cannot be reached: ReadTimeout"):
            pull_all(connection, NOON, NOON)
    finally:
        calls.close()


def test_an_address_that_is_no_gateway_is_rejected(connection: Connection) -> None:
    with (
        LoopbackServer(lambda request: Response(b"Not Found", 404)) as server,
        pytest.raises(Rejected, match="Taobao answered with HTTP status 404"),
    ):
        pull_all(Connection("TM", server.url, connection.credentials), NOON, NOON)


def test_nobody_listening_is_tried_later(connection: Connection) -> None:
    with LoopbackServer(lambda request: Response(b"")) as gone:
        url = gone.url

    with pytest.raises(RetryLater, match="Taobao cannot be reached: ConnectError"):
        pull_all(Connection("TM", url, connection.credentials), NOON, NOON)


def test_too_many_calls_say_how_long_to_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0

    with pytest.raises(RetryLater) as caught:
        pull_all(connection, NOON, NOON)

    assert caught.value.seconds == 1


@pytest.mark.parametrize(
    ("name", "code"), [("app_secret", 25), ("session", 27), ("app_key", 29)], ids=["secret", "session", "app key"]
)
def test_wrong_credentials_are_rejected(connection: Connection, name: str, code: int) -> None:
    wrong = Connection("TM", connection.base_url, {**connection.credentials, name: "wrong"})

    with pytest.raises(Rejected) as caught:
        pull_all(wrong, NOON, NOON)

    assert caught.value.reason.values["code"] == code


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(Connection("TM", "http://127.0.0.1:1"), "app_key, app_secret, session is not set", id="nothing"),
        pytest.param(
            Connection("TM", "", {"app_key": "1", "app_secret": "2", "session": "3"}),
            "base_url is not set",
            id="no url",
        ),
        pytest.param(
            Connection("TM", "ftp://x", {"app_key": "1", "app_secret": "2", "session": "3"}),
            "The address ftp://x cannot be called.",
            id="not http",
        ),
        pytest.param(
            Connection("TM", "http://x", {"app_key": "1", "app_secret": "2", "session": "3"}, {"sign_method": "sha1"}),
            "sha1 is not a way to sign calls of Taobao.",
            id="sign method",
        ),
    ],
)
def test_a_channel_that_is_not_set_up_is_rejected_in_words(given: Connection, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        pull_all(given, NOON, NOON)

    assert words in str(caught.value.reason)


@pytest.mark.parametrize(
    "rows",
    ['[{"tid":"1\\u0000","modified":""}]', '[{"tid":1}]', "[7]", "7"],
    ids=["NUL", "no time", "number", "no list"],
)
def test_a_list_that_makes_no_sense_is_tried_later(connection: Connection, rows: str) -> None:
    body = f'{{"trades_sold_increment_get_response":{{"total_results":1,"trades":{{"trade":{rows}}}}}}}'

    with LoopbackServer(lambda request: Response(body.encode())) as server, pytest.raises(RetryLater, match="format"):
        pull_all(Connection("TM", server.url, connection.credentials), NOON, NOON)


def test_the_window_is_written_in_gmt8(connection: Connection) -> None:
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        asked.append(request.parameters())
        return Response(b'{"trades_sold_increment_get_response":{"total_results":0}}')

    with LoopbackServer(answer) as server:
        pull_all(Connection("TM", server.url, connection.credentials), NOON, NOON + timedelta(minutes=1))

    assert [(each["start_modified"], each["end_modified"], each["page_size"]) for each in asked] == [
        ("2025-11-23 12:00:00", "2025-11-23 12:01:00", "50")
    ]
    assert datetime.now(GMT8) - datetime.fromisoformat(asked[0]["timestamp"] + "+08:00") < timedelta(minutes=1)
