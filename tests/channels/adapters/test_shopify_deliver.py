"""Telling Shopify about parcels and stock over real HTTP, and asking it what it lists."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from channels.adapters import shopify
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.adapters.shopify import client
from channels.messages import (
    ListedItem,
    Outgoing,
    ParcelCancel,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
)
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.shopify import Platform, make_order
from channels.simulators.shopify_shop import LOCATION

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
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


def fill(platform: Platform, count: int) -> None:
    for number in range(1001, 1001 + count):
        at = NOON + timedelta(seconds=number)
        platform.add_order(make_order(number, LINES, placed_at=at, paid_at=at))


def deliver(message: Outgoing, connection: Connection, key: str = "k1") -> str:
    return shopify.ADAPTER.deliver(message, connection, key=key)


def notice(*lines: tuple[str, int], tracking: str = "SF1", carrier: str = "SF", number: str = "1001") -> ShipmentNotice:
    shipped = tuple(ShippedLine(line, quantity) for line, quantity in lines)
    return ShipmentNotice(number, "P-1", carrier, tracking, NOON, shipped, is_partial=True)


def parcels(platform: Platform) -> list[tuple[str, str, list[tuple[int, int]]]]:
    return [
        (
            row["tracking_number"],
            row["tracking_company"],
            [(line["id"], line["quantity"]) for line in row["line_items"]],
        )
        for row in platform.state()["parcels"]
    ]


def test_parcels_ship_an_order_part_by_part(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    deliver(notice((FIRST, 2), (SECOND, 1)), connection)
    halfway = platform.order(1001)["fulfillment_status"]
    deliver(notice((SECOND, 2), tracking="Z2", carrier="DPD"), connection)

    assert parcels(platform) == [("SF1", "SF Express", [(100101, 2), (100102, 1)]), ("Z2", "DPD", [(100102, 2)])]
    assert (halfway, platform.order(1001)["fulfillment_status"]) == ("partial", "fulfilled")


def test_the_same_parcel_again_ships_nothing_twice(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.faults.plan("lost", 1, after=2)  # the order and its fulfillment orders are read, then the answer is lost

    with pytest.raises(RetryLater):
        deliver(notice((SECOND, 1)), connection)
    assert deliver(notice((SECOND, 1)), connection) == "known"

    assert parcels(platform) == [("SF1", "SF Express", [(100102, 1)])]


def test_a_parcel_from_two_locations_is_told_once_for_each(platform: Platform, connection: Connection) -> None:
    order = make_order(1001, LINES, placed_at=NOON, paid_at=NOON)
    platform.add_order(order, locations={100101: 1, 100102: 2})
    platform.faults.plan("http500", 1, after=3)  # the second location's call fails

    with pytest.raises(RetryLater):
        deliver(notice((FIRST, 2), (SECOND, 3)), connection)
    halfway = parcels(platform)
    deliver(notice((FIRST, 2), (SECOND, 3)), connection)

    assert halfway == [("SF1", "SF Express", [(100101, 2)])]
    assert parcels(platform) == [*halfway, ("SF1", "SF Express", [(100102, 3)])]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice((FIRST, 3)), "Shopify has fewer units to ship than parcel P-1."),
        (notice(("5", 1)), "Shopify has fewer units to ship than parcel P-1."),
        (notice((FIRST, 1), number="999"), "Shopify refused: Not Found"),
        (notice((FIRST, 1), number="1/../2"), "id is 1/../2, which is not a number of Shopify."),
        (notice((FIRST, 1), tracking=""), "Parcel P-1 has no tracking number."),
        (notice(), "Parcel P-1 has no lines to tell Shopify about."),
        (ParcelCancel("P-1", "N"), "Shopify takes shipment notices and stock figures, nothing else."),
        (StockFigure("1", "x", 1), "inventory_item_id is x, which is not a number of Shopify."),
        (StockFigure("1", "5", -1), "Shopify cannot be told a stock of -1."),
    ],
)
def test_what_cannot_be_told_changes_nothing(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    fill(platform, 1)

    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert str(caught.value.reason) == words
    assert (platform.state()["parcels"], platform.state()["stock"]) == ([], [])


def test_an_order_on_hold_cannot_be_shipped(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    platform.hold_order(1001)

    with pytest.raises(Rejected, match="fewer units to ship"):
        deliver(notice((FIRST, 1)), connection)
    assert platform.state()["parcels"] == []


# -- stock and listings ---------------------------------------------------------------------------


def stocked(platform: Platform) -> None:
    variants = [
        {"id": 11, "title": "Red", "sku": "TEE", "barcode": "69", "price": "109.00", "inventory_item_id": 5},
        {"id": 12, "title": "Blue", "sku": "", "barcode": None, "price": None, "inventory_item_id": 6},
    ]
    variants[0]["inventory_quantity"] = 4
    platform.add_product(1, "Tee", variants)


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    stocked(platform)

    for key, quantity in (("a", 12), ("a", 12), ("b", 7)):
        deliver(StockFigure("1", "5", quantity), connection, key)

    stock = [(row["inventory_item_id"], row["location_id"], row["available"]) for row in platform.state()["stock"]]
    assert stock == [(5, LOCATION, 7), (6, LOCATION, 0)]


def test_a_figure_for_an_item_that_is_not_stocked_there_is_rejected(platform: Platform, connection: Connection) -> None:
    stocked(platform)

    with pytest.raises(Rejected, match="not stocked at the location"):
        deliver(StockFigure("1", "99", 12), connection)
    assert [row["available"] for row in platform.state()["stock"]] == [4, 0]


def test_stock_needs_a_location(connection: Connection) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(StockFigure("1", "5", 1), Connection("SH", connection.base_url, connection.credentials))

    assert str(caught.value.reason) == "Channel SH has no location_id to set stock at."


def test_every_variant_is_listed_with_its_inventory_item(platform: Platform, connection: Connection) -> None:
    stocked(platform)

    assert list(shopify.ADAPTER.listings(connection)) == [
        [
            ListedItem("1", "5", "TEE", "Tee Red", "69", 4, Decimal("109.00")),
            ListedItem("1", "6", "12", "Tee Blue", "", None, None),
        ]
    ]


def test_the_version_of_the_api_can_be_set(connection: Connection) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return Response(b'{"shop": {"name": "x"}}')

    with LoopbackServer(answer) as server:
        for options in ({}, {"api_version": "2027-01"}):
            shopify.ADAPTER.check(Connection("SH", server.url + "/", connection.credentials, options))

    assert asked == [f"/admin/api/{client.VERSION}/shop.json", "/admin/api/2027-01/shop.json"]
