"""Kingdee: signatures, documents over real HTTP step by step and never twice, and each answer that says no."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import kingdee
from channels.adapters.kingdee import client, sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled
from channels.messages import DocumentLine, SalesDocument, StockFigure
from channels.simulators.kingdee import Platform

LINES = (
    DocumentLine(1, "TEE-RED-M", 2, Decimal("113.00"), Decimal("226.00")),
    DocumentLine(2, "CAP-BLUE", 3, Decimal("3.3333"), Decimal("10.00")),
)
BOOKED = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # the 23rd in China
DELIVERY = SalesDocument("delivery", "JD-1-1", "JD-1", BOOKED, "JD", "SH", "CNY", LINES)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("ERP", server.url + platform.path, platform.credentials, platform.options)


def book(connection: Connection, document: Any = DELIVERY) -> str:
    return kingdee.ADAPTER.deliver(document, connection, key="k")


def test_the_signatures_are_those_of_the_official_client() -> None:
    credentials = {
        "app_id": "224543_abcdefghijklmnopqrstuvwxyzABCDEF",
        "app_secret": "appsecret123",
        "acct_id": "acct123",
        "user": "user",
    }
    path = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.View.common.kdsvc"

    headers = sign.headers(Connection("E", "", credentials), path, timestamp="1795405195", org="100", lcid="2052")

    assert sign.client_secret("abcdefghijklmnopqrstuvwxyzABCDEF") == "WYcoTZ4Ssw5GrEganogagp4B8lNgP1U2"
    assert headers == {
        "X-Api-ClientID": "224543",
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": "1795405195",
        "x-api-nonce": "1795405195",
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": ("OWE1NWRmMzIxNGRmMjE2MjJkODU1NjgxOGEyMzQ4YmIyOGZlNjIwMTZjYjVmMDc1MTE2NWYxZjFhYmI2YWI5YQ=="),
        "X-Kd-Appkey": "224543_abcdefghijklmnopqrstuvwxyzABCDEF",
        "X-Kd-Appdata": "YWNjdDEyMyx1c2VyLDIwNTIsMTAw",
        "X-Kd-Signature": ("Y2RiZjU5MmNiZDJjZGJjZDg2NzllMTVmMjI4MzAyNDczNjIzNjM4YjM4YjhiZWZiZTAxZjYyZDAzY2QyZDBlYg=="),
    }


def test_a_delivery_is_saved_submitted_and_audited(platform: Platform, connection: Connection) -> None:
    told = replace(connection, options={**connection.options, "customers": {"JD": "C-JD"}, "warehouses": {"SH": "CK1"}})

    assert book(told) == "SAL_OUTSTOCK JD-1-1"
    bill = platform.bill("SAL_OUTSTOCK", "JD-1-1")
    assert bill["status"] == "C"
    assert bill["model"] == {
        "FID": 0,
        "FBillTypeID": {"FNUMBER": "XSCKD01_SYS"},
        "FBillNo": "JD-1-1",
        "FDate": "2026-11-23 00:00:00",
        "FSaleOrgId": {"FNumber": "100"},
        "FCustomerID": {"FNumber": "C-JD"},
        "FNote": "JD-1",
        "SubHeadEntity": {"FSettleCurrID": {"FNumber": "PRE001"}, "FIsIncludedTax": True, "FIsPriceExcludeTax": True},
        "FEntity": [
            {
                "FMaterialId": {"FNumber": "TEE-RED-M"},
                "FUnitID": {"FNumber": "Pcs"},
                "FRealQty": 2,
                "FTaxPrice": 113,
                "FPrice": 100,
                "FEntryTaxRate": 13,
                "FIsFree": False,
                "FStockId": {"FNumber": "CK1"},
            },
            {
                "FMaterialId": {"FNumber": "CAP-BLUE"},
                "FUnitID": {"FNumber": "Pcs"},
                "FRealQty": 3,
                "FTaxPrice": Decimal("3.333333"),
                "FPrice": Decimal("2.95"),
                "FEntryTaxRate": 13,
                "FIsFree": False,
                "FStockId": {"FNumber": "CK1"},
            },
        ],
        "FStockOrgId": {"FNumber": "100"},
    }


@pytest.mark.parametrize(
    ("kind", "form", "names", "bill_type"),
    [
        ("sale", "SAL_SaleOrder", ("FCustId", "FSaleOrderEntry"), "XSDD01_SYS"),
        ("return", "SAL_RETURNSTOCK", ("FRetcustId", "FEntity"), "XSTHD01_SYS"),
    ],
)
def test_each_kind_is_a_form_of_its_own(
    platform: Platform, connection: Connection, kind: str, form: str, names: tuple[str, str], bill_type: str
) -> None:
    book(connection, replace(DELIVERY, kind=kind))

    (customer, lines), model = names, platform.bill(form, "JD-1-1")["model"]
    assert (platform.state()["bills"], model[customer]) == ({f"{form} JD-1-1": "C"}, {"FNumber": "JD"})
    assert ([line["FMaterialId"]["FNumber"] for line in model[lines]], model["FBillTypeID"]) == (
        ["TEE-RED-M", "CAP-BLUE"],
        {"FNUMBER": bill_type},
    )


def test_what_is_told_twice_is_booked_once(platform: Platform, connection: Connection) -> None:
    book(connection)
    book(connection)

    assert platform.state() == {
        "bills": {"SAL_OUTSTOCK JD-1-1": "C"},
        "calls": {"Save": 2, "Submit": 1, "Audit": 1, "ExecuteBillQuery": 1},
    }


@pytest.mark.parametrize("step", [0, 1, 2])
def test_an_answer_that_was_lost_on_any_step_is_made_good(
    platform: Platform, connection: Connection, step: int
) -> None:
    platform.faults.plan("lost", after=step)
    with pytest.raises(RetryLater):
        book(connection)
    before = platform.state()["bills"]

    book(connection)

    assert (before, platform.state()["bills"]) == (
        {"SAL_OUTSTOCK JD-1-1": "ABC"[step]},
        {"SAL_OUTSTOCK JD-1-1": "C"},
    )
    assert (platform.calls["Submit"], platform.calls["Audit"]) == (1, 1)


def test_an_answer_in_a_text_is_unwrapped(platform: Platform, connection: Connection) -> None:
    platform.wraps = True
    book(connection)
    book(connection)
    assert platform.state()["bills"] == {"SAL_OUTSTOCK JD-1-1": "C"}


@pytest.mark.parametrize(("code", "seconds"), [(1, 5), (6, 60), (13, 5), (14, 60)])
def test_what_passes_is_tried_again(platform: Platform, connection: Connection, code: int, seconds: int) -> None:
    platform.next_code = [code]
    with pytest.raises(RetryLater) as later:
        book(connection)
    assert (later.value.seconds, isinstance(later.value, Throttled), platform.bills) == (seconds, code == 14, {})
    platform.next_code = [code]
    with pytest.raises(RetryLater):
        kingdee.ADAPTER.check(connection)
    assert kingdee.ADAPTER.check(connection) == ""


@pytest.mark.parametrize("code", [2, 3, 4, 5, 7, 8, 9, 10, 12, 15])
def test_what_stays_needs_a_person(platform: Platform, connection: Connection, code: int) -> None:
    platform.next_code = [code]
    with pytest.raises(client.Refused) as refused:
        book(connection)
    assert (refused.value.code, platform.bills, platform.calls["ExecuteBillQuery"]) == (code, {}, 0)


def test_a_validation_that_is_no_double_is_refused_with_its_words(platform: Platform, connection: Connection) -> None:
    platform.materials = {"TEE-RED-M"}
    with pytest.raises(Rejected) as refused:
        book(connection)
    assert str(refused.value.reason) == "Kingdee refused with code 11: FMaterialId 物料不存在"
    assert platform.bills == {}


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        book(connection)
    assert platform.bills == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credentials": {**Platform.usual, "app_secret": "x"}}, "x-kd-signature is wrong"),
        ({"credentials": {**Platform.usual, "app_id": "224543"}}, "app_id is not an app id"),
        ({"credentials": {**Platform.usual, "app_id": "224543_ä"}}, "app_id is not an app id"),
        ({"credentials": {}}, "app_id, app_secret, acct_id, user is not set"),
        ({"options": {}}, "org is not set"),
        ({"options": {"org": "200"}}, "x-kd-appdata is wrong"),
        ({"options": {"org": "100", "tax_rate": "much"}}, "the tax rate much is none"),
        ({"options": {"org": "100", "tax_rate": 100}}, "the tax rate 100 is none"),
        ({"base_url": "http://127.0.0.1:9/none"}, "cannot be reached"),
    ],
)
def test_what_is_entered_wrong_is_told(
    platform: Platform, connection: Connection, change: dict[str, Any], words: str
) -> None:
    with pytest.raises((Rejected, RetryLater)) as refused:
        book(replace(connection, **change))
    assert words in str(refused.value)
    assert platform.bills == {}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (replace(DELIVERY, currency="HKD"), "the currency HKD"),
        (replace(DELIVERY, lines=()), "has no lines"),
        (replace(DELIVERY, kind="gift"), "no document of kind gift"),
        (StockFigure("1", "2", 3), "nothing else"),
    ],
)
def test_what_is_no_document_is_refused(platform: Platform, connection: Connection, document: Any, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        book(connection, document)
    assert (words in str(refused.value), platform.calls) == (True, {})


def test_another_currency_and_tax_rate_can_be_named(platform: Platform, connection: Connection) -> None:
    abroad = replace(connection, options={"org": "100", "currencies": {"HKD": "PRE002"}, "tax_rate": "0"})
    book(abroad, replace(DELIVERY, currency="HKD", number="O'1"))

    model = platform.bill("SAL_OUTSTOCK", "O'1")["model"]
    assert model["SubHeadEntity"]["FSettleCurrID"] == {"FNumber": "PRE002"}
    assert [(line["FPrice"], line["FTaxPrice"]) for line in model["FEntity"]] == [
        (113, 113),
        (Decimal("3.333333"), Decimal("3.333333")),
    ]
    book(abroad, replace(DELIVERY, currency="HKD", number="O'1"))  # found under its number, quote and all
    assert platform.calls["Save"] == 2
