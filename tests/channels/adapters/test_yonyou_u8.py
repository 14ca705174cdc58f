"""U8: tokens, documents that are done later, none of them twice, and each answer that says no."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import yonyou_u8
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.signing import NotThis
from channels.adapters.yonyou_u8 import client
from channels.messages import DocumentLine, SalesDocument, StockFigure
from channels.simulators.yonyou_u8 import Platform

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
def entered(platform: Platform) -> Iterator[Connection]:
    """What a person entered: no token yet."""
    with platform.serve() as server:
        yield Connection("U8", server.url, dict(platform.credentials), platform.options)


@pytest.fixture
def connection(entered: Connection) -> Connection:
    return replace(entered, credentials=yonyou_u8.ADAPTER.renew(entered))


def book(connection: Connection, document: Any = DELIVERY) -> str:
    return yonyou_u8.ADAPTER.deliver(document, connection, key="k")


def test_a_token_is_asked_for_and_renewed(platform: Platform, entered: Connection) -> None:
    with pytest.raises(TokenExpired):
        book(entered)
    renewed = replace(entered, credentials=yonyou_u8.ADAPTER.renew(entered))
    assert renewed.credentials == {**Platform.usual, "access_token": "access-1"}
    assert yonyou_u8.ADAPTER.check(renewed) == ""

    platform.expire_token()
    with pytest.raises(TokenExpired):
        book(renewed)
    assert platform.documents == {}
    book(replace(entered, credentials=yonyou_u8.ADAPTER.renew(renewed)))
    assert platform.state()["documents"] == {"consignment JD-1-1": "Approved"}


def test_a_delivery_is_added_and_verified(platform: Platform, connection: Connection) -> None:
    options = {**connection.options, "customers": {"JD": "C-JD"}, "warehouses": {"SH": "CK1"}}
    assert book(replace(connection, options=options)) == "consignment JD-1-1"

    assert platform.documents == {
        ("consignment", "JD-1-1"): {
            "state": "Approved",
            "data": {
                "code": "JD-1-1",
                "date": "2026-11-23",
                "custcode": "C-JD",
                "deptcode": "01",
                "operation_type": "普通销售",
                "saletype": "1",
                "remark": "JD-1",
                "entry": [
                    {
                        "rowno": 1,
                        "inventory_code": "TEE-RED-M",
                        "quantity": 2,
                        "price": 100,
                        "taxprice": 113,
                        "taxrate": 13,
                        "money": 200,
                        "tax": 26,
                        "sum": 226,
                        "warehouse_code": "CK1",
                    },
                    {
                        "rowno": 2,
                        "inventory_code": "CAP-BLUE",
                        "quantity": 3,
                        "price": Decimal("2.95"),
                        "taxprice": Decimal("3.333333"),
                        "taxrate": 13,
                        "money": Decimal("8.85"),
                        "tax": Decimal("1.15"),
                        "sum": 10,
                        "warehouse_code": "CK1",
                    },
                ],
            },
        }
    }


def test_a_sale_is_an_order(platform: Platform, connection: Connection) -> None:
    book(connection, replace(DELIVERY, kind="sale", lines=(replace(LINES[0], amount=Decimal(0)),)))

    data = platform.documents["saleorder", "JD-1-1"]["data"]
    assert (data["typecode"], data["dpredatebt"], data["memo"], data["taxrate"]) == ("1", "2026-11-23", "JD-1", 13)
    assert [(row["inventorycode"], row["bgift"], row["sum"]) for row in data["entry"]] == [("TEE-RED-M", 1, 0)]


def test_a_return_is_negative(platform: Platform, connection: Connection) -> None:
    book(connection, replace(DELIVERY, kind="return"))

    rows = platform.documents["returnorder", "JD-1-1"]["data"]["entry"]
    assert [(row["quantity"], row["money"], row["tax"], row["sum"], row["taxprice"]) for row in rows] == [
        (-2, -200, -26, -226, 113),
        (-3, Decimal("-8.85"), Decimal("-1.15"), -10, Decimal("3.333333")),
    ]


def test_what_is_told_twice_is_booked_once(platform: Platform, connection: Connection) -> None:
    book(connection)
    book(connection)

    calls = platform.calls
    assert platform.state()["documents"] == {"consignment JD-1-1": "Approved"}
    assert (calls["/api/consignment/add"], calls["/api/consignment/verify"]) == (1, 1)


@pytest.mark.parametrize("step", [2, 3, 4])
def test_an_answer_that_was_lost_is_made_good(platform: Platform, connection: Connection, step: int) -> None:
    platform.faults.plan("lost", after=step)  # of adding, of the outcome, of verifying
    with pytest.raises(RetryLater):
        book(connection)
    platform.finish()

    book(connection)

    assert platform.state()["documents"] == {"consignment JD-1-1": "Approved"}
    assert platform.calls["/api/consignment/add"] == 1


def test_adding_while_the_first_is_still_under_way_books_it_once(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost", after=2)  # of adding
    with pytest.raises(RetryLater):
        book(connection)
    platform.polls = 2
    platform.finish_before_next_outcome = True

    book(connection)

    assert platform.state()["documents"] == {"consignment JD-1-1": "Approved"}
    assert platform.calls["/api/consignment/add"] == 2


def test_an_outcome_that_takes_long_is_looked_for_again(platform: Platform, connection: Connection) -> None:
    platform.polls = 3
    book(connection)
    assert platform.state()["documents"] == {"consignment JD-1-1": "Approved"}

    platform.polls = 4
    with pytest.raises(RetryLater) as later:
        book(connection, replace(DELIVERY, number="JD-2-1"))
    assert (str(later.value.reason), later.value.seconds) == ("Yonyou U8 has not finished yet.", 10)
    platform.finish()
    book(connection, replace(DELIVERY, number="JD-2-1"))
    assert platform.state()["documents"]["consignment JD-2-1"] == "Approved"
    assert platform.calls["/api/consignment/add"] == 2


def test_an_outcome_at_another_address_is_not_asked_for(platform: Platform, connection: Connection) -> None:
    platform.url = "http://127.0.0.1:9"
    with pytest.raises(RetryLater) as later:
        book(connection)
    assert "in its own format" in str(later.value.reason)


def test_what_is_refused_later_says_why(platform: Platform, connection: Connection) -> None:
    platform.items = {"TEE-RED-M"}
    with pytest.raises(NotThis) as refused:
        book(connection)
    assert str(refused.value.reason) == "Yonyou U8 refused with code 30001: 存货CAP-BLUE不存在"
    assert platform.documents == {}


@pytest.mark.parametrize(
    ("words", "kind"),
    [("调用过于频繁", Throttled), ("系统超时", RetryLater), ("token无效", TokenExpired), ("没有权限", NotThis)],
)
def test_a_refusal_is_known_by_its_words(
    platform: Platform, connection: Connection, words: str, kind: type[Exception]
) -> None:
    platform.next_words = [words]
    with pytest.raises(kind) as refused:
        book(connection)
    assert (type(refused.value), platform.documents) == (kind, {})


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        book(connection)
    assert platform.documents == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"app_key": "other"}, "app_key不正确"),
        ({"app_secret": "other"}, "app_secret不正确"),
        ({"from_account": ""}, "from_account is not set"),
    ],
)
def test_what_is_entered_wrong_is_told(entered: Connection, change: dict[str, str], words: str) -> None:
    with pytest.raises(Rejected) as refused:
        yonyou_u8.ADAPTER.renew(replace(entered, credentials={**entered.credentials, **change}))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        (replace(DELIVERY, currency="HKD"), {"department": "01"}, "books in CNY, not in HKD"),
        (replace(DELIVERY, lines=()), {"department": "01"}, "has no lines"),
        (replace(DELIVERY, kind="gift"), {"department": "01"}, "no document of kind gift"),
        (DELIVERY, {}, "department is not set"),
        (StockFigure("1", "2", 3), {"department": "01"}, "nothing else"),
    ],
)
def test_what_cannot_be_booked_is_refused(
    platform: Platform, connection: Connection, document: Any, options: dict[str, str], words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        book(replace(connection, options=options), document)
    assert (words in str(refused.value), platform.documents) == (True, {})


def test_the_wait_is_never_long() -> None:
    assert client.MOST_POLLS * client.LONGEST_POLL <= 15
