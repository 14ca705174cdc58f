"""Telling the simulated platform about parcels and stock over real HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from channels.adapters import taobao
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Outgoing, ParcelLine, ParcelRequest, ShipmentNotice, ShippedLine, StockFigure
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.taobao import Platform
from channels.simulators.taobao_trades import BETWEEN_LINES, Sale, SoldLine, make_trade

AT = datetime(2025, 11, 23, 4, 0, tzinfo=UTC)
TID = 10_001
FIRST, SECOND = str(TID), str(TID + BETWEEN_LINES)
LINES = [
    SoldLine("TEE-RED-M", 68000000001, 5000000001, "T恤", 2, "109.00", "200.00"),
    SoldLine("CAP-BLUE", 68000000002, 5000000002, "帽子", 1, "50.00", "50.00"),
]


@pytest.fixture
def platform() -> Platform:
    made = Platform()
    made.add_trade(make_trade(Sale(TID, LINES, AT, AT)))
    return made


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("TM", f"{server.url}/router/rest", platform.credentials)


def notice(*oids: str, tracking: str = "SF1", is_partial: bool = False, carrier: str = "SF") -> ShipmentNotice:
    lines = tuple(ShippedLine(oid, 1) for oid in oids)
    return ShipmentNotice(str(TID), "P-1", carrier, tracking, AT, lines, is_partial)


def deliver(message: Outgoing, connection: Connection) -> str:
    return taobao.ADAPTER.deliver(message, connection, key="k")


def test_a_whole_parcel_ships_the_trade(platform: Platform, connection: Connection) -> None:
    before = platform.trade(TID)["modified"]

    answer = deliver(notice(FIRST, SECOND), connection)

    trade = platform.trade(TID)
    assert json.loads(answer)["logistics_offline_send_response"]["shipping"] == {"is_success": True}
    assert (trade["status"], trade["modified"] > before) == ("WAIT_BUYER_CONFIRM_GOODS", True)
    assert [(o["status"], o["invoice_no"], o["logistics_company"]) for o in trade["orders"]["order"]] == [
        ("WAIT_BUYER_CONFIRM_GOODS", "SF1", "SF")
    ] * 2


def test_two_part_parcels_ship_the_trade_step_by_step(platform: Platform, connection: Connection) -> None:
    deliver(notice(FIRST, tracking="SF1", is_partial=True), connection)
    assert platform.trade(TID)["status"] == "SELLER_CONSIGNED_PART"

    deliver(notice(SECOND, tracking="ZTO2", is_partial=True, carrier="ZTO"), connection)

    assert platform.trade(TID)["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    assert [(p["out_sid"], p["company_code"], p["oids"]) for p in platform.state()["parcels"]] == [
        ("SF1", "SF", [TID]),
        ("ZTO2", "ZTO", [TID + BETWEEN_LINES]),
    ]


@pytest.mark.parametrize("is_partial", [False, True])
def test_a_parcel_told_again_after_a_lost_answer_is_done(
    platform: Platform, connection: Connection, is_partial: bool
) -> None:
    told = notice(FIRST, SECOND, is_partial=is_partial)
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        deliver(told, connection)

    answer = deliver(told, connection)

    assert json.loads(answer)["error_response"]["sub_code"] == "isv.logistics-offline-service-error:B04"
    assert len(platform.state()["parcels"]) == 1


def test_another_parcel_for_a_shipped_trade_is_rejected(platform: Platform, connection: Connection) -> None:
    deliver(notice(FIRST, SECOND), connection)

    with pytest.raises(Rejected, match="Taobao refused with code 15"):
        deliver(notice(FIRST, SECOND, tracking="SF2"), connection)

    assert [parcel["out_sid"] for parcel in platform.state()["parcels"]] == ["SF1"]


@pytest.mark.parametrize("status", ["PAID_FORBID_CONSIGN", "WAIT_BUYER_PAY", "TRADE_CLOSED"])
def test_a_trade_that_must_not_ship_is_rejected(platform: Platform, connection: Connection, status: str) -> None:
    platform.change_trade(TID, status=status)

    with pytest.raises(Rejected):
        deliver(notice(FIRST, SECOND), connection)

    assert (platform.trade(TID)["status"], platform.state()["parcels"]) == (status, [])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(FIRST, carrier="DHL"), "Carrier DHL has no code on Taobao."),
        (notice(FIRST, tracking=""), "Parcel P-1 has no tracking number."),
        (notice(is_partial=True), "Parcel P-1 has no lines to tell Taobao about."),
        (notice("L-1", is_partial=True), "oid is L-1, which is not a number of Taobao."),
        (StockFigure("abc", "1", 1), "num_iid is abc, which is not a number of Taobao."),
        (StockFigure("1", "1", -1), "Taobao cannot be told a stock of -1."),
        (ParcelRequest("P-1", "O-1", "N-1", (ParcelLine("A", 1),)), "Taobao takes shipment notices and stock figures"),
    ],
)
def test_what_the_platform_cannot_be_told_is_rejected_before_the_call(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert words in str(caught.value.reason)
    assert platform.state()["calls"] == {}


@pytest.mark.parametrize("carrier", ["SF", "ZTO", "YTO", "YUNDA", "STO", "EMS", "JD"])
def test_every_carrier_of_the_house_is_known(platform: Platform, connection: Connection, carrier: str) -> None:
    deliver(notice(FIRST, SECOND, carrier=carrier), connection)

    assert platform.state()["parcels"][0]["company_code"] == carrier


def test_a_shop_may_name_its_own_carrier_codes(platform: Platform, connection: Connection) -> None:
    own = Connection("TM", connection.base_url, connection.credentials, {"carriers": {"SF": "ZTO"}})
    deliver(notice(FIRST, SECOND, carrier="SF"), own)

    assert platform.state()["parcels"][0]["company_code"] == "ZTO"


def test_a_stock_figure_is_absolute(platform: Platform, connection: Connection) -> None:
    for quantity in (12, 12, 7):
        deliver(StockFigure("68000000001", "5000000001", quantity), connection)
    deliver(StockFigure("68000000009", "", 0), connection)

    assert platform.state()["stock"] == [
        {"num_iid": 68000000001, "sku_id": 5000000001, "quantity": 7},
        {"num_iid": 68000000009, "sku_id": 0, "quantity": 0},
    ]


def test_a_figure_for_an_item_that_is_not_listed_is_rejected(platform: Platform, connection: Connection) -> None:
    platform.add_item(1, 2)

    with pytest.raises(Rejected, match=r"isv\.item-not-exist"):
        deliver(StockFigure("68000000001", "5000000001", 12), connection)

    assert platform.state()["stock"] == [{"num_iid": 1, "sku_id": 2, "quantity": 0}]


def test_an_answer_without_success_is_rejected(connection: Connection) -> None:
    refused = b'{"logistics_offline_send_response":{"shipping":{"is_success":false}}}'
    unknown = b'{"trade_fullinfo_get_response":{"trade":{"orders":{"order":[{"oid":1,"invoice_no":""}]}}}}'

    def answer(request: Request) -> Response:
        return Response(refused if request.parameters()["method"].endswith("send") else unknown)

    with LoopbackServer(answer) as server, pytest.raises(Rejected, match="did not accept"):
        deliver(notice(FIRST), Connection("TM", server.url, connection.credentials))
