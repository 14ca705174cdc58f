"""A Shopify order or refund into the house language: tables of what becomes what, and of what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import shopify
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
from inventory.rules.geography import find_region

SAMPLES = Path(shopify.__file__).parent / "samples"
NUMBER = "5501234567890"
CONNECTION = Connection("SH")
PAID_AT = datetime(2026, 11, 23, 2, 1, tzinfo=UTC)
UPDATED_AT = datetime(2026, 11, 23, 2, 5, tzinfo=UTC)


def sample(name: str = "order") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())[name]
    return told


def read(
    order: dict[str, Any], display: str | None = "UNFULFILLED", connection: Connection = CONNECTION
) -> IncomingOrder:
    payload = json.dumps({"order": order, "display_fulfillment_status": display}).encode()
    result = shopify.ADAPTER.translate(RawMessage("order", NUMBER, 0, payload), connection)
    assert isinstance(result, IncomingOrder)
    return result


def read_refund(refund: dict[str, Any]) -> IncomingRefund:
    raw = RawMessage("refund", NUMBER, 0, json.dumps({"refund": refund}).encode())
    result = shopify.ADAPTER.translate(raw, CONNECTION)
    assert isinstance(result, IncomingRefund)
    return result


def changed(**fields: Any) -> dict[str, Any]:
    return sample() | fields


def with_line(**fields: Any) -> dict[str, Any]:
    order = sample()
    order["line_items"][0].update(fields)
    return order


def refusal(order: dict[str, Any], display: str | None = "UNFULFILLED") -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        read(order, display)
    return caught.value.code, str(caught.value.reason)


def test_a_paid_order_comes_with_every_field() -> None:
    assert read(sample()) == IncomingOrder(
        external_id=NUMBER,
        revision=1_795_399_500_302,
        placed_at=datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
        currency="CNY",
        lines=(IncomingLine("9001", "TEE-RED-M", "Tee / Red / M", 2, Decimal("109.00"), Decimal("12.00")),),
        address=Address("Zhejiang", "Hangzhou", "", "1 Demo Rd Room 2", "CN", "Lei Han", "+8613800000000"),
        paid_at=PAID_AT,
        shipping_amount=Decimal("10.00"),
        paid_amount=Decimal("216.00"),
        buyer_key="207119551",
        buyer_name="Lei Han",
        buyer_note="leave at door",
    )
    assert find_region("Zhejiang", "CN") == find_region("浙江省", "CN")


@pytest.mark.parametrize(
    ("status", "is_paid", "is_cancelled", "reason"),
    [
        ("pending", False, False, ""),
        ("authorized", False, False, ""),
        ("partially_paid", False, False, ""),
        ("paid", True, False, ""),
        ("partially_refunded", True, False, ""),
        ("refunded", True, True, "Refunded on Shopify"),
        ("voided", False, True, "The payment was voided on Shopify"),
        ("expired", False, True, "The payment was not captured in time on Shopify"),
    ],
)
def test_each_financial_status_says_what_it_means(status: str, is_paid: bool, is_cancelled: bool, reason: str) -> None:
    order = read(changed(financial_status=status))

    assert order.paid_at == (PAID_AT if is_paid else None)
    assert order.paid_amount == (Decimal("216.00") if is_paid else None)
    assert (order.cancelled_at, order.cancel_reason) == (UPDATED_AT if is_cancelled else None, reason)


def test_a_cancelled_order_says_when_and_why_and_waits_for_nothing() -> None:
    told = {"cancelled_at": "2026-11-23T10:04:00+08:00", "cancel_reason": "fraud", "shipping_address": None}
    order = read(changed(**told), None)

    assert (order.cancelled_at, order.cancel_reason) == (datetime(2026, 11, 23, 2, 4, tzinfo=UTC), "fraud")
    assert (order.must_not_ship, order.address) == (None, Address(""))


@pytest.mark.parametrize(
    ("display", "words"),
    [
        ("ON_HOLD", "The order is on hold at Shopify; it must be released there first."),
        ("SCHEDULED", "Shopify has scheduled this order for later."),
        (None, "Shopify did not say whether this order is on hold."),
        *[
            (word, "None")
            for word in ("UNFULFILLED", "PARTIALLY_FULFILLED", "FULFILLED", "IN_PROGRESS", "REQUEST_DECLINED")
        ],
        *[(word, "None") for word in ("OPEN", "PENDING_FULFILLMENT", "RESTOCKED")],
    ],
)
def test_a_hold_keeps_the_order_from_shipping(display: str | None, words: str) -> None:
    assert str(read(sample(), display).must_not_ship) == words


def test_of_two_changes_in_one_second_the_further_one_is_newer() -> None:
    steps = [
        (changed(financial_status="pending"), "ON_HOLD"),
        (changed(financial_status="pending"), "UNFULFILLED"),
        (changed(financial_status="authorized"), "UNFULFILLED"),
        (changed(), "ON_HOLD"),
        (changed(), "UNFULFILLED"),
        (changed(fulfillment_status="partial"), "PARTIALLY_FULFILLED"),
        (changed(fulfillment_status="fulfilled"), "FULFILLED"),
        (changed(financial_status="refunded", fulfillment_status="fulfilled"), "FULFILLED"),
        (changed(updated_at="2026-11-23T10:05:01+08:00", financial_status="pending"), "ON_HOLD"),
    ]
    revisions = [read(order, display).revision for order, display in steps]

    assert revisions == sorted(set(revisions))


def test_a_test_order_never_ships() -> None:
    assert str(read(changed(test=True)).must_not_ship) == "This is a test order of Shopify."


@pytest.mark.parametrize(
    ("status", "fulfillments", "shipped_at"),
    [
        (None, [], None),
        (
            "partial",
            [{"status": "success", "created_at": "2026-11-23T12:00:00+08:00"}],
            datetime(2026, 11, 23, 4, tzinfo=UTC),
        ),
        ("fulfilled", [{"status": "cancelled", "created_at": "2026-11-23T12:00:00+08:00"}], UPDATED_AT),
        ("fulfilled", [], UPDATED_AT),
    ],
)
def test_what_left_is_told(status: str | None, fulfillments: list[Any], shipped_at: datetime | None) -> None:
    assert read(changed(fulfillment_status=status, fulfillments=fulfillments)).shipped_at == shipped_at


def test_a_refund_after_shipping_does_not_cancel_the_order() -> None:
    order = read(changed(financial_status="refunded", fulfillment_status="fulfilled"))

    assert (order.cancelled_at, order.shipped_at) == (None, UPDATED_AT)


def test_what_was_taken_off_before_shipping_is_not_sent() -> None:
    first = read(with_line(current_quantity=1, discount_allocations=[], total_discount="1.00")).lines[0]
    second = read(with_line(current_quantity=0)).lines[0]

    assert (first.quantity, first.discount, first.is_cancelled) == (1, Decimal("1.00"), False)
    assert (second.quantity, second.is_cancelled) == (2, True)


def test_what_came_back_after_shipping_was_still_sold() -> None:
    order = with_line(current_quantity=0) | {"fulfillment_status": "fulfilled"}

    assert (read(order).lines[0].quantity, read(order).lines[0].is_cancelled) == (2, False)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"sku": ""}, "80101"), ({"sku": None}, "80101"), ({"sku": None, "variant_id": None}, "9001")],
)
def test_a_line_without_a_code_is_kept_under_its_numbers(fields: dict[str, Any], code: str) -> None:
    assert read(with_line(**fields)).lines[0].sku_code == code


def test_ids_come_as_numbers_or_texts_and_are_exact() -> None:
    assert read(changed(id=9_007_199_254_740_993)).external_id == "9007199254740993"
    assert read(changed(id="9007199254740993")).external_id == "9007199254740993"


def test_tax_on_top_and_money_without_goods_are_remarked() -> None:
    transaction = {"kind": "refund", "status": "success", "amount": "5.00"}
    order = changed(total_tax="3.20", taxes_included=False, refunds=[{"id": 1, "transactions": [transaction]}])

    assert [str(remark) for remark in read(order).remarks] == [
        "Tax of 3.20 comes on top of the lines.",
        "Shopify paid 5.00 back without naming goods.",
    ]


def test_a_country_without_provinces_is_told_by_its_city() -> None:
    to = sample()["shipping_address"] | {
        "province": None,
        "province_code": None,
        "country_code": "SG",
        "city": "Singapore",
    }

    address = read(changed(shipping_address=to)).address
    assert (address.province, address.country) == ("Singapore", "SG")


def test_control_characters_are_taken_out_with_a_remark() -> None:
    order = read(changed(note="at\x00 the\x07 door 🚪"))

    assert order.buyer_note == "at the door 🚪"
    assert [str(remark) for remark in order.remarks] == ["Control characters were taken out of note."]


@pytest.mark.parametrize(
    ("order", "code", "words"),
    [
        (changed(financial_status="weird"), "unknown_status", "financial_status is weird"),
        (changed(fulfillment_status="weird"), "unknown_status", "fulfillment_status is weird"),
        (changed(financial_status=None), "unknown_status", "financial_status is None"),
        (changed(updated_at="2026-11-23T10:00:00"), "bad_time", "updated_at is"),
        (changed(currency="USD"), "wrong_currency", "this channel sells in CNY"),
        (changed(line_items=[]), "no_lines", "The order has no lines."),
        (changed(line_items=None), "no_lines", "The order has no lines."),
        (changed(line_items=["x"]), "bad_value", "line_items"),
        (with_line(quantity=0), "bad_quantity", "line_items[0].quantity is 0"),
        (with_line(quantity=-1), "bad_quantity", "line_items[0].quantity is -1"),
        (with_line(quantity=100_001), "bad_quantity", "line_items[0].quantity is 100001"),
        (with_line(price="-1.00"), "bad_price", "line_items[0].price is -1.00"),
        (with_line(price="1e3"), "bad_price", "line_items[0].price is 1e3"),
        (with_line(discount_allocations=[{"amount": "218.01"}]), "bad_price", "line_items[0].discount_allocations"),
        (changed(total_price="99999999999"), "bad_price", "total_price"),
        (changed(id=None), "missing_field", "id is missing"),
        (changed(id=1.5), "bad_value", "id is 1.5"),
        (changed(test="yes"), "bad_value", "test is yes"),
    ],
)
def test_what_cannot_be_right_is_refused(order: dict[str, Any], code: str, words: str) -> None:
    told, reason = refusal(order)

    assert told == code
    assert words in reason


def test_an_unknown_display_status_is_refused() -> None:
    assert refusal(sample(), "PAUSED")[0] == "unknown_status"


def test_an_order_that_was_not_handed_out_says_so() -> None:
    with pytest.raises(Untranslatable) as caught:
        shopify.ADAPTER.translate(RawMessage("order", "1", 0, b'{"errors": "Not Found"}'), CONNECTION)

    assert (caught.value.code, str(caught.value.reason)) == ("not_fetched", "Shopify did not hand out this order.")


def test_a_refund_names_its_goods() -> None:
    assert read_refund(sample("refund")) == IncomingRefund(
        external_id=NUMBER,
        refund_id="509562123",
        revision=17_954_820_021_231,
        state=RefundState.REFUNDED,
        amount=Decimal("103.00"),
        currency="CNY",
        lines=(RefundedLine("9001", 1),),
        reason="too small",
        goods_come_back=True,
        asked_at=datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("statuses", "state", "amount"),
    [
        (["success"], RefundState.REFUNDED, "103.00"),
        (["pending"], RefundState.AGREED, "103.00"),
        (["success", "pending"], RefundState.AGREED, "206.00"),
        (["failure"], RefundState.CLOSED, "0"),
        (["error", "success"], RefundState.REFUNDED, "103.00"),
        ([], RefundState.REFUNDED, "0"),
    ],
)
def test_a_refund_is_as_far_as_its_slowest_transaction(statuses: list[str], state: RefundState, amount: str) -> None:
    refund = sample("refund")
    refund["transactions"] = [{**refund["transactions"][0], "status": status} for status in statuses]

    assert (read_refund(refund).state, read_refund(refund).amount) == (state, Decimal(amount))


def test_a_refund_whose_money_arrives_is_newer() -> None:
    refund = sample("refund")
    settled = read_refund(refund).revision
    refund["transactions"][0]["status"] = "pending"

    assert (read_refund(refund).revision, settled) == (17_954_820_021_230, 17_954_820_021_231)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("status", "odd", "unknown_status"), ("currency", "USD", "wrong_currency"), ("amount", "-1", "bad_price")],
)
def test_a_refund_that_cannot_be_right_is_refused(field: str, value: str, code: str) -> None:
    refund = sample("refund")
    refund["transactions"][0][field] = value

    with pytest.raises(Untranslatable) as caught:
        read_refund(refund)
    assert caught.value.code == code
