"""A Square order or return into the house language: tables of what becomes what, and of what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import square
from channels.adapters.protocol import Connection
from channels.messages import (
    Address,
    IncomingLine,
    IncomingOrder,
    IncomingRefund,
    RawMessage,
    RefundedLine,
    RefundState,
    Untranslatable,
)
from channels.simulators.square import make_order

SAMPLES = Path(square.__file__).parent / "samples"
SOLD = "CAISENgvlJ6jLWAzERDzjyHVybY"
CONNECTION = Connection("SQ", options={"locations": {"L1": {"province": "浙江省", "city": "杭州市"}}})
CLOSED_AT = datetime(2026, 11, 23, 2, 1, tzinfo=UTC)
PLACED_AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def sample(name: str = "sale") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return told


def read(order: dict[str, Any], connection: Connection = CONNECTION) -> IncomingOrder:
    result = square.ADAPTER.translate(RawMessage("order", SOLD, 0, json.dumps(order).encode()), connection)
    assert isinstance(result, IncomingOrder)
    return result


def read_refund(order: dict[str, Any]) -> IncomingRefund:
    result = square.ADAPTER.translate(RawMessage("refund", SOLD, 0, json.dumps(order).encode()), CONNECTION)
    assert isinstance(result, IncomingRefund)
    return result


def money(amount: Any, currency: str = "CNY") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def with_line(**fields: Any) -> dict[str, Any]:
    order = sample()
    order["line_items"][0].update(fields)
    return order


def shipment(**fields: Any) -> dict[str, Any]:
    lines = [("VAR-1", "Tee", 2, Decimal("109.00"))]
    order = make_order(7, lines, placed_at=PLACED_AT, paid_at=PLACED_AT) | {"id": SOLD}
    order["fulfillments"][0].update(fields)
    return order


def test_a_sale_at_the_till_comes_with_every_field() -> None:
    assert read(sample()) == IncomingOrder(
        external_id=SOLD,
        revision=1_795_399_260_250,
        placed_at=PLACED_AT,
        currency="CNY",
        lines=(IncomingLine("u1", "VAR-TEE-RED-M", "Tee Red M", 2, Decimal("109.00"), Decimal("18.00")),),
        address=Address("浙江省", "杭州市"),
        paid_at=datetime(2026, 11, 23, 2, 0, 30, tzinfo=UTC),
        paid_amount=Decimal("200.00"),
        shipped_at=CLOSED_AT,
    )


def test_an_order_to_be_sent_has_its_receiver() -> None:
    order = read(shipment())

    assert order.address == Address("浙江省", "杭州市", "", "文三路 1 号", "CN", "韩磊", "13800000000")
    assert (order.paid_at, order.shipped_at, order.must_not_ship) == (PLACED_AT, None, None)
    assert order.buyer_key == "CUSTOMER7"


@pytest.mark.parametrize(
    ("state", "due", "is_paid", "is_cancelled"),
    [
        ("OPEN", 21800, False, False),
        ("OPEN", 100, False, False),
        ("OPEN", 0, True, False),
        ("COMPLETED", 0, True, False),
        ("COMPLETED", 100, True, False),
        ("CANCELED", 21800, False, True),
    ],
)
def test_each_state_says_what_it_means(state: str, due: int, is_paid: bool, is_cancelled: bool) -> None:
    told = {"state": state, "net_amount_due_money": money(due), "closed_at": "2026-11-23T02:01:00Z"}
    order = read(shipment() | told)

    assert (order.paid_at is not None) is is_paid
    assert order.paid_amount == (Decimal(21800 - due) / 100 if is_paid else None)
    assert order.cancelled_at == (CLOSED_AT if is_cancelled else None)


@pytest.mark.parametrize(
    ("fields", "is_paid"),
    [
        ({"tenders": []}, False),
        ({"tenders": [], "total_money": money(0)}, True),
        ({"net_amount_due_money": None}, False),
        ({"net_amount_due_money": None, "state": "COMPLETED"}, True),
    ],
)
def test_nothing_due_alone_is_no_payment(fields: dict[str, Any], is_paid: bool) -> None:
    order = read(shipment() | fields)

    assert (order.paid_at is not None) is is_paid
    assert order.paid_amount == (Decimal(fields.get("total_money", money(21800))["amount"]) / 100 if is_paid else None)


@pytest.mark.parametrize("state", ["DRAFT", "WEIRD", None])
def test_a_state_that_is_no_order_is_refused(state: str | None) -> None:
    with pytest.raises(Untranslatable) as caught:
        read(sample() | {"state": state})
    assert caught.value.code == "unknown_status"


@pytest.mark.parametrize(
    ("fields", "hold", "has_left"),
    [
        ({"state": "PROPOSED"}, "None", False),
        ({"state": "RESERVED"}, "None", False),
        ({"state": "PREPARED"}, "None", False),
        ({"state": "COMPLETED"}, "None", True),
        ({"state": "CANCELED"}, "Sending this order was cancelled or failed at Square.", False),
        ({"state": "FAILED"}, "Sending this order was cancelled or failed at Square.", False),
        ({"type": "PICKUP"}, "The buyer takes this order at the store.", False),
        ({"type": "IN_STORE"}, "The buyer takes this order at the store.", False),
    ],
)
def test_each_fulfillment_says_whether_to_ship(fields: dict[str, Any], hold: str, has_left: bool) -> None:
    order = read(shipment(**fields))

    assert (str(order.must_not_ship), order.shipped_at is not None) == (hold, has_left)


def test_a_parcel_left_when_its_fulfillment_says() -> None:
    order = shipment(state="COMPLETED")
    order["fulfillments"][0]["shipment_details"]["shipped_at"] = "2026-11-23T05:00:00Z"

    assert read(order).shipped_at == datetime(2026, 11, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(("field", "value"), [("type", "DRONE"), ("state", "LOST")])
def test_an_unknown_fulfillment_is_refused(field: str, value: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        read(shipment(**{field: value}))
    assert (caught.value.code, str(caught.value.reason)) == (
        "unknown_status",
        f"fulfillments[0].{field} is {value}, a word that is not known.",
    )


def test_modifiers_that_do_not_divide_raise_the_price_and_the_line_stays_exact() -> None:
    line = read(with_line(quantity="3", gross_sales_money=money(1000), total_discount_money=money(100))).lines[0]

    assert (line.quantity, line.unit_price, line.discount) == (3, Decimal("3.34"), Decimal("1.02"))
    assert line.quantity * line.unit_price - line.discount == Decimal("9.00")


def test_yen_has_no_decimals() -> None:
    text = json.dumps(sample()).replace('"CNY"', '"JPY"')
    line = read(json.loads(text), Connection("SQ", currency="JPY")).lines[0]

    assert (line.unit_price, line.discount) == (Decimal(10900), Decimal(1800))


def test_charges_are_shipping_and_tax_on_top_is_remarked() -> None:
    charged = sample() | {"total_money": money(21550), "total_service_charge_money": money(1000)}
    order = read(charged | {"total_tip_money": money(50)})

    assert (order.shipping_amount, order.paid_amount) == (Decimal("10.00"), Decimal("215.50"))
    assert [str(remark) for remark in order.remarks] == ["Tax of 5.00 comes on top of the lines."]


def test_a_custom_amount_goes_by_its_own_number() -> None:
    assert read(with_line(catalog_object_id=None)).lines[0].sku_code == "u1"


def test_a_location_without_a_place_has_no_address() -> None:
    assert read(sample(), Connection("SQ")).address == Address("")


@pytest.mark.parametrize(
    ("order", "code", "words"),
    [
        (with_line(quantity="1.70000"), "bad_quantity", "line_items[0].quantity is 1.70000"),
        (with_line(quantity="0"), "bad_quantity", "line_items[0].quantity is 0"),
        (with_line(quantity="-1"), "bad_quantity", "line_items[0].quantity is -1"),
        (with_line(quantity="100001"), "bad_quantity", "line_items[0].quantity is 100001"),
        (with_line(quantity=2), "bad_quantity", "line_items[0].quantity is 2"),
        (with_line(gross_sales_money=money(-1)), "bad_price", "line_items[0].gross_sales_money.amount is -1"),
        (with_line(gross_sales_money=money(1.5)), "bad_price", "line_items[0].gross_sales_money.amount is 1.5"),
        (with_line(gross_sales_money=money("1")), "bad_price", "line_items[0].gross_sales_money.amount is 1"),
        (with_line(gross_sales_money=money(10**13)), "bad_price", "line_items[0].gross_sales_money.amount"),
        (
            with_line(gross_sales_money=money(1, "USD")),
            "wrong_currency",
            "line_items[0].gross_sales_money.currency is USD",
        ),
        (with_line(total_discount_money=money(21801)), "bad_price", "line_items[0].total_discount_money"),
        (with_line(uid=None), "missing_field", "line_items[0].uid is missing"),
        (sample() | {"total_money": money(1, "USD")}, "wrong_currency", "total_money.currency is USD"),
        (sample() | {"line_items": []}, "no_lines", "The order has no lines."),
        (sample() | {"created_at": "today"}, "bad_time", "created_at is today"),
        (sample() | {"updated_at": None}, "missing_field", "updated_at is missing"),
    ],
)
def test_what_cannot_be_right_is_refused(order: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        read(order)

    assert caught.value.code == code
    assert words in str(caught.value.reason)


def test_whole_quantities_with_decimals_are_whole() -> None:
    assert read(with_line(quantity="2.00000")).lines[0].quantity == 2


def test_an_order_that_was_not_handed_out_says_so() -> None:
    with pytest.raises(Untranslatable, match="Square did not hand out this order") as caught:
        read({"errors": [{"code": "NOT_FOUND"}]})
    assert caught.value.code == "not_fetched"


def test_a_return_is_a_refund_of_the_order_that_sold_the_goods() -> None:
    assert read_refund(sample("return")) == IncomingRefund(
        external_id=SOLD,
        refund_id="RETURN1",
        revision=1_795_489_201_500,
        state=RefundState.REFUNDED,
        amount=Decimal("100.00"),
        currency="CNY",
        lines=(RefundedLine("u1", 1),),
        reason="too small",
        goods_come_back=True,
        asked_at=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("statuses", "state", "becomes"),
    [
        (["PENDING"], "COMPLETED", RefundState.AGREED),
        (["APPROVED", "PENDING"], "COMPLETED", RefundState.AGREED),
        (["APPROVED", "FAILED"], "COMPLETED", RefundState.REFUNDED),
        (["REJECTED"], "COMPLETED", RefundState.CLOSED),
        (["FAILED"], "COMPLETED", RefundState.CLOSED),
        ([], "OPEN", RefundState.AGREED),
        ([], "COMPLETED", RefundState.REFUNDED),
        ([], "CANCELED", RefundState.CLOSED),
    ],
)
def test_a_return_is_as_far_as_its_slowest_refund(statuses: list[str], state: str, becomes: RefundState) -> None:
    refunds = [{"id": "R", "status": status} for status in statuses]

    assert read_refund(sample("return") | {"state": state, "refunds": refunds}).state is becomes


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"refunds": [{"status": "ODD"}]}, "unknown_status"),
        ({"returns": [{"return_line_items": []}]}, "missing_field"),
        ({"returns": [{"source_order_id": "OTHER"}]}, "bad_value"),
        ({"returns": [{"source_order_id": SOLD}]}, "no_goods"),
        ({"return_amounts": {"total_money": money(-1)}}, "bad_price"),
        ({"return_amounts": {"total_money": money(1, "USD")}}, "wrong_currency"),
    ],
)
def test_a_return_that_cannot_be_right_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        read_refund(sample("return") | fields)
    assert caught.value.code == code
