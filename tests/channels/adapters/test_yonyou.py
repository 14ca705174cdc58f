"""YonBIP: the signature, tokens, documents over real HTTP, none of them twice, and each answer that says no."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import yonyou
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.signing import NotThis
from channels.adapters.yonyou import sign
from channels.messages import DocumentLine, SalesDocument, StockFigure
from channels.simulators.yonyou import Platform

LINES = (
    DocumentLine(1, "TEE-RED-M", 2, Decimal("113.00"), Decimal("226.00")),
    DocumentLine(2, "CAP-BLUE", 3, Decimal("3.3333"), Decimal("10.00")),
    DocumentLine(3, "STICKER", 1, Decimal("0.00"), Decimal("0.00")),
)
BOOKED = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # the 23rd in China
DELIVERY = SalesDocument("delivery", "JD-1-1", "JD-1", BOOKED, "JD", "SH", "CNY", LINES)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def entered(platform: Platform) -> Iterator[Connection]:
    """What a person entered: no token yet."""
    with platform.serve() as server:
        yield Connection("BIP", server.url, dict(platform.credentials), platform.options)


@pytest.fixture
def connection(entered: Connection) -> Connection:
    return replace(entered, credentials=yonyou.ADAPTER.renew(entered))


def book(connection: Connection, document: Any = DELIVERY) -> str:
    return yonyou.ADAPTER.deliver(document, connection, key="k")


def voucher(platform: Platform) -> dict[str, Any]:
    [row] = platform.vouchers.values()
    data: dict[str, Any] = row["data"]
    return data


def test_the_signature_is_that_of_the_contract() -> None:
    one = {"appKey": "yyAppKey", "timestamp": "1795399200000"}
    suite = {"timestamp": "1795399200000", "suiteKey": "yySuite", "tenantId": "ten1", "signature": "x"}

    assert sign.signature(one, "yySecret") == "zI2F8BJ6yaAvbiPCh5rL8TFpOMSE6XZDiJc09V+V6/g="
    assert sign.signature(suite, "yySecret") == "OZx4Kbh9TSjxt2PO5rnsNUXkPMuY9dG/pUMJ67bXN+8="


def test_a_token_is_asked_for_at_the_tenants_own_gate(platform: Platform, entered: Connection) -> None:
    with pytest.raises(TokenExpired):
        book(entered)

    renewed = yonyou.ADAPTER.renew(entered)

    assert renewed == {
        **Platform.usual,
        "gateway_url": f"{platform.url}/iuap-api-gateway",
        "access_token": renewed["access_token"],
    }
    assert yonyou.ADAPTER.check(replace(entered, credentials=renewed)) == ""


@pytest.mark.parametrize("plain_text", [False, True])
def test_a_token_that_is_over_says_so(platform: Platform, connection: Connection, plain_text: bool) -> None:
    platform.plain_text = plain_text
    platform.expire_token()
    with pytest.raises(TokenExpired):
        book(connection)
    assert platform.vouchers == {}
    book(replace(connection, credentials=yonyou.ADAPTER.renew(connection)))
    assert platform.state()["vouchers"] == {"voucherdelivery JD-1-1": "2"}


def test_a_delivery_is_saved_submitted_and_audited(platform: Platform, connection: Connection) -> None:
    options = {"org": "991", "customers": {"JD": "C-JD"}, "warehouses": {"SH": "CK1"}}
    assert book(replace(connection, options=options)) == "delivery JD-1-1 1900000000000001"

    data = voucher(platform)
    lines = data.pop("deliveryDetails")
    assert platform.state()["vouchers"] == {"voucherdelivery JD-1-1": "2"}
    assert data == {
        "resubmitCheckKey": "JD-1-1",
        "_status": "Insert",
        "code": "JD-1-1",
        "salesOrgId": "991",
        "stockOrgId": "991",
        "transactionTypeId": "FH01",
        "vouchdate": "2026-11-23 00:00:00",
        "agentId": "C-JD",
        "settlementOrgId": "991",
        "invoiceAgentId": "C-JD",
        "payMoney": 236,
        "deliveryPrices!currency": "CNY",
        "deliveryPrices!natCurrency": "CNY",
        "deliveryPrices!exchRate": 1,
        "deliveryPrices!exchangeRateType": "01",
        "deliveryPrices!taxInclusive": True,
        "memo": "JD-1",
    }
    assert lines[1] == {
        "_status": "Insert",
        "productId": "CAP-BLUE",
        "stockOrgId": "991",
        "settlementOrgId": "991",
        "masterUnitId": "PCS",
        "iProductAuxUnitId": "PCS",
        "iProductUnitId": "PCS",
        "qty": 3,
        "subQty": 3,
        "priceQty": 3,
        "invExchRate": 1,
        "invPriceExchRate": 1,
        "unitExchangeType": 0,
        "unitExchangeTypePrice": 0,
        "taxId": "VAT13",
        "orderProductType": "SALE",
        "oriTaxUnitPrice": Decimal("3.333333"),
        "oriSum": 10,
        "deliveryDetailPrices!oriUnitPrice": Decimal("2.95"),
        "deliveryDetailPrices!oriMoney": Decimal("8.85"),
        "deliveryDetailPrices!oriTax": Decimal("1.15"),
        "deliveryDetailPrices!natUnitPrice": Decimal("2.95"),
        "deliveryDetailPrices!natMoney": Decimal("8.85"),
        "deliveryDetailPrices!natTax": Decimal("1.15"),
        "deliveryDetailPrices!natTaxUnitPrice": Decimal("3.333333"),
        "deliveryDetailPrices!natSum": 10,
        "stockId": "CK1",
    }
    assert [(line["productId"], line["orderProductType"]) for line in lines] == [
        ("TEE-RED-M", "SALE"),
        ("CAP-BLUE", "SALE"),
        ("STICKER", "GIFT"),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "lines"),
    [("sale", "voucherorder", "orderDetails"), ("return", "vouchersalereturn", "saleReturnDetails")],
)
def test_each_kind_is_a_voucher_of_its_own(
    platform: Platform, connection: Connection, kind: str, name: str, lines: str
) -> None:
    book(connection, replace(DELIVERY, kind=kind))

    assert platform.state()["vouchers"] == {f"{name} JD-1-1": "2"}
    assert [line["productId"] for line in voucher(platform)[lines]] == ["TEE-RED-M", "CAP-BLUE", "STICKER"]


@pytest.mark.parametrize("code", ["10004", "100004", 10004])
def test_what_is_told_again_after_hours_is_booked_once(
    platform: Platform, connection: Connection, code: str | int
) -> None:
    platform.repeated_code = code
    book(connection)
    book(connection)
    platform.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    book(connection)

    assert platform.state() == {
        "vouchers": {"voucherdelivery JD-1-1": "2"},
        "calls": {"singleSave": 3, "detail": 3, "batchsubmit": 1, "batchaudit": 1},
    }


@pytest.mark.parametrize(("step", "state"), [(0, "0"), (2, "1"), (3, "2")])
def test_an_answer_that_was_lost_on_any_step_is_made_good(
    platform: Platform, connection: Connection, step: int, state: str
) -> None:
    platform.faults.plan("lost", after=step)
    with pytest.raises(RetryLater):
        book(connection)
    before = platform.state()["vouchers"]

    book(connection)

    assert (before, platform.state()["vouchers"]) == (
        {"voucherdelivery JD-1-1": state},
        {"voucherdelivery JD-1-1": "2"},
    )
    assert (platform.calls["batchsubmit"], platform.calls["batchaudit"]) == (1, 1)


def test_a_workflow_audits_for_itself(platform: Platform, connection: Connection) -> None:
    platform.is_controlled = True
    book(connection)
    book(connection)
    assert (platform.state()["vouchers"], platform.calls["batchaudit"]) == ({"voucherdelivery JD-1-1": "1"}, 0)


def test_a_long_number_has_a_short_key(platform: Platform, connection: Connection) -> None:
    number = "TMALL_FLAGSHIP-6919000000000000001-12"
    book(connection, replace(DELIVERY, number=number))

    data = voucher(platform)
    assert (data["code"], data["resubmitCheckKey"]) == (number, hashlib.sha256(number.encode()).hexdigest()[:32])


@pytest.mark.parametrize(
    ("code", "seconds"), [("202", 5), ("310504", 5), ("310032", 60), ("310039", 60), ("310042", 60), ("310043", 60)]
)
def test_what_passes_is_tried_again(platform: Platform, connection: Connection, code: str, seconds: int) -> None:
    platform.next_code = [code]
    with pytest.raises(RetryLater) as later:
        book(connection)
    assert (later.value.seconds, platform.vouchers) == (seconds, {})


def test_too_many_calls_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0
    with pytest.raises(Throttled) as later:
        book(connection)
    assert (later.value.seconds, platform.vouchers) == (60, {})


@pytest.mark.parametrize(
    ("code", "kind"), [("999", NotThis), ("310037", Rejected), ("310008", Rejected), ("7", Rejected)]
)
def test_what_stays_needs_a_person(
    platform: Platform, connection: Connection, code: str, kind: type[Exception]
) -> None:
    platform.next_code = [code]
    with pytest.raises(kind) as refused:
        book(connection)
    assert (type(refused.value), platform.vouchers) == (kind, {})


def test_a_refused_document_says_why(platform: Platform, connection: Connection) -> None:
    platform.products = {"TEE-RED-M"}
    with pytest.raises(NotThis) as refused:
        book(connection)
    assert str(refused.value.reason) == "Yonyou refused with code 999: 物料 CAP-BLUE 不存在"
    assert platform.vouchers == {}


def test_a_step_that_fails_in_a_fine_answer_is_seen(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost", after=1)  # the voucher's state
    with pytest.raises(RetryLater):
        book(connection)
    [row] = platform.vouchers.values()
    row["state"] = "3"  # ended by the workflow: nothing is left to do
    book(connection)
    assert (row["state"], platform.calls["batchsubmit"]) == ("3", 0)


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        book(connection)
    assert platform.vouchers == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tenant_id": "other"}, "租户不存在"),
        ({"app_key": "other"}, "10018"),
        ({"app_secret": "other"}, "签名错误"),
        ({"app_secret": ""}, "app_secret is not set"),
    ],
)
def test_what_is_entered_wrong_is_told(entered: Connection, change: dict[str, str], words: str) -> None:
    with pytest.raises(Rejected) as refused:
        yonyou.ADAPTER.renew(replace(entered, credentials={**entered.credentials, **change}))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        (replace(DELIVERY, currency="HKD"), {"org": "991"}, "the currency HKD"),
        (replace(DELIVERY, lines=()), {"org": "991"}, "has no lines"),
        (replace(DELIVERY, kind="gift"), {"org": "991"}, "no document of kind gift"),
        (DELIVERY, {}, "org is not set"),
        (StockFigure("1", "2", 3), {"org": "991"}, "nothing else"),
    ],
)
def test_what_cannot_be_booked_is_refused(
    platform: Platform, connection: Connection, document: Any, options: dict[str, str], words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        book(replace(connection, options=options), document)
    assert (words in str(refused.value), platform.vouchers) == (True, {})
