"""Telling the simulated platform about parcels and stock over real HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from channels.adapters import douyin
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Outgoing, ParcelLine, ParcelRequest, ShipmentNotice, ShippedLine, StockFigure
from channels.simulators.douyin import Platform, make_order
from channels.simulators.server import LoopbackServer, Response

AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LINES = [("TEE-RED-M", "T恤", 2, Decimal("109.00")), ("CAP-BLUE", "帽子", 1, Decimal("50.00"))]


@pytest.fixture
def platform() -> Platform:
    made = Platform()
    made.add_order(make_order(1, LINES, placed_at=AT, paid_at=AT))
    return made


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("DY", server.url, platform.credentials)


def notice(*lines: tuple[str, int], carrier: str = "SF", tracking: str = "SF1") -> ShipmentNotice:
    shipped = tuple(ShippedLine(number, units) for number, units in lines)
    return ShipmentNotice("1", "P-1", carrier, tracking, AT, shipped, is_partial=len(lines) < 2)


def deliver(message: Outgoing, connection: Connection, key: str = "k1") -> str:
    return douyin.ADAPTER.deliver(message, connection, key=key)


def test_a_whole_parcel_ships_the_order(platform: Platform, connection: Connection) -> None:
    answer = deliver(notice(("101", 2), ("102", 1)), connection)

    order = platform.order(1)
    assert json.loads(answer)["data"]["pack_id"].startswith("pack")
    assert (order["order_status"], [row["order_status"] for row in order["sku_order_list"]]) == (3, [3, 3])
    assert [(pack["tracking_no"], pack["company"]) for pack in order["logistics_info"]] == [("SF1", "shunfeng")]


def test_two_parcels_ship_units_of_lines(platform: Platform, connection: Connection) -> None:
    deliver(notice(("101", 1)), connection, "k1")
    partly = platform.order(1)["order_status"]
    deliver(notice(("101", 1), ("102", 1), tracking="SF2"), connection, "k2")

    assert (partly, platform.order(1)["order_status"]) == (101, 3)
    assert [parcel["logistics_code"] for parcel in platform.parcels] == ["SF1", "SF2"]


def test_a_parcel_told_twice_under_one_key_ships_once(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(notice(("101", 2), ("102", 1)), connection)

    deliver(notice(("101", 2), ("102", 1)), connection)

    assert (len(platform.parcels), len(platform.order(1)["logistics_info"])) == (1, 1)


def test_a_key_that_the_platform_says_it_knows_is_done(connection: Connection) -> None:
    answer = '{"code":40003,"sub_code":"isv.idempotent-id-existed"}'

    with LoopbackServer(lambda request: Response(answer.encode())) as odd:
        told = deliver(notice(("101", 2)), Connection("DY", odd.url, connection.credentials))

    assert told == answer


def test_the_options_carriers_come_first(platform: Platform, connection: Connection) -> None:
    own = Connection("DY", connection.base_url, connection.credentials, {"carriers": {"SF": "ems"}})

    deliver(notice(("101", 2), ("102", 1)), own)

    assert platform.parcels[0]["company_code"] == "ems"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(("101", 1), carrier="XX"), "Carrier XX has no code on Douyin."),
        (notice(("101", 1), tracking=""), "Parcel P-1 has no tracking number."),
        (notice(), "Parcel P-1 has no lines to tell Douyin about."),
        (notice(("101", 3)), "Douyin refused with code 40003"),
        (notice(("999", 1)), "Douyin refused with code 50002"),
        (StockFigure("1", "2", -1), "Douyin cannot be told a stock of -1."),
        (StockFigure("1", "x", 1), "sku_id is x, which is not a number of Douyin."),
        (StockFigure("1", "", 1), "sku_id is , which is not a number of Douyin."),
        (ParcelRequest("P", "O", "N", (ParcelLine("A", 1),)), "Douyin takes shipment notices and stock figures"),
    ],
)
def test_what_cannot_be_told_is_rejected_and_changes_nothing(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    before = platform.state() | {"calls": {}}

    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert words in str(caught.value.reason)
    assert platform.state() | {"calls": {}} == before
    assert platform.order(1)["order_status"] == 2


def test_an_order_that_was_cancelled_meanwhile_takes_no_parcel(platform: Platform, connection: Connection) -> None:
    platform.close_order(1)

    with pytest.raises(Rejected, match="50002"):
        deliver(notice(("101", 2), ("102", 1)), connection)

    assert (platform.order(1)["order_status"], platform.parcels) == (4, [])


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    for _ in range(2):
        deliver(StockFigure("3500000001", str(number), 7), connection)

    assert platform.stock == {str(number): 7}


def test_a_figure_may_name_the_sellers_code(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    deliver(StockFigure("", "", 0, external_code="TEE-RED-M"), connection)

    assert platform.stock == {str(number): 0}


def test_an_item_that_is_not_listed_is_refused(platform: Platform, connection: Connection) -> None:
    number = platform.add_item("TEE-RED-M", quantity=5)

    with pytest.raises(Rejected, match="50002"):
        deliver(StockFigure("1", "2", 9), connection)

    assert platform.stock == {str(number): 5}
