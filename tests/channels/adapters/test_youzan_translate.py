"""A Youzan order or refund into the house language: what each field becomes, and what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import youzan
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

SAMPLES = Path(youzan.__file__).parent / "samples"
TID = "E20261123100000012345"
CONNECTION = Connection("YZ")
PAID_AT = datetime(2026, 11, 23, 2, 0, 35, tzinfo=UTC)
UPDATED_AT = datetime(2026, 11, 23, 2, 0, 40, tzinfo=UTC)
TOKEN = "$YWRkcg==$1$\n$bmFtZQ==$1$\n$dGVs$1$"


def sample() -> dict[str, Any]:
    return json.loads((SAMPLES / "trade.json").read_bytes())["data"]["full_order_info"]


def translate(payload: Any, kind: str = "order", connection: Connection = CONNECTION) -> Any:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return youzan.ADAPTER.translate(RawMessage(kind, TID, 0, body), connection)


def read(whole: dict[str, Any], connection: Connection = CONNECTION) -> IncomingOrder:
    order = translate({"full_order_info": whole}, connection=connection)
    assert isinstance(order, IncomingOrder)
    return order


def changed(part: str = "order_info", **fields: Any) -> dict[str, Any]:
    whole = sample()
    whole[part].update(fields)
    return whole


def with_line(**fields: Any) -> dict[str, Any]:
    whole = sample()
    whole["orders"][0].update(fields)
    return whole


def refund(**fields: Any) -> dict[str, Any]:
    answer = json.loads((SAMPLES / "refund.json").read_bytes())
    answer["data"].update(fields)
    return answer


def refusal(payload: Any, kind: str = "order", connection: Connection = CONNECTION) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        translate(payload, kind, connection)
    return caught.value.code, str(caught.value.reason)


def test_a_paid_order_has_every_field() -> None:
    assert read(sample()) == IncomingOrder(
        external_id=TID,
        revision=1_795_399_240_004,
        placed_at=datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
        currency="CNY",
        lines=(
            IncomingLine(
                external_id="2900000000000001",
                sku_code="TEE-RED-M",
                title="T恤",
                quantity=2,
                unit_price=Decimal("109.00"),
                discount=Decimal("18.00"),
            ),
        ),
        address=Address(province="浙江省", city="杭州市", district="余杭区", token=TOKEN),
        paid_at=PAID_AT,
        shipping_amount=Decimal("6.00"),
        paid_amount=Decimal("206.00"),
        buyer_key="AbCdEf",
        buyer_name="小**",
        buyer_note="请尽快发货",
        seller_note="老客户",
    )


def test_an_answer_to_a_single_call_says_the_same_as_a_row_of_the_list() -> None:
    assert translate((SAMPLES / "trade.json").read_bytes()) == read(sample())


@pytest.mark.parametrize(
    ("status", "is_paid", "hold", "has_shipped", "is_cancelled"),
    [
        ("WAIT_BUYER_PAY", False, "", False, False),
        ("TRADE_PAID", True, "Youzan is still processing this paid order", False, False),
        ("WAIT_CONFIRM", True, "The order waits to be accepted on Youzan.", False, False),
        ("WAIT_SELLER_SEND_GOODS", True, "", False, False),
        ("WAIT_BUYER_CONFIRM_GOODS", True, "", True, False),
        ("TRADE_SUCCESS", True, "", True, False),
        ("TRADE_CLOSED", True, "", False, True),
        ("TRADE_CLOSE", True, "", False, True),
    ],
)
def test_each_status_says_what_it_means(
    status: str, is_paid: bool, hold: str, has_shipped: bool, is_cancelled: bool
) -> None:
    order = read(changed(status=status, close_type=3))

    assert order.paid_at == (PAID_AT if is_paid else None)
    assert order.paid_amount == (Decimal("206.00") if is_paid else None)
    assert (str(order.must_not_ship) if order.must_not_ship else "").startswith(hold)
    assert bool(order.must_not_ship) is bool(hold)
    assert order.shipped_at == (UPDATED_AT if has_shipped else None)
    assert order.cancelled_at == (UPDATED_AT if is_cancelled else None)
    assert order.cancel_reason == ("Closed on Youzan (3)" if is_cancelled else "")


def test_the_time_of_shipping_is_told() -> None:
    order = read(changed(status="TRADE_SUCCESS", consign_time="2026-11-23 10:00:38"))

    assert order.shipped_at == datetime(2026, 11, 23, 2, 0, 38, tzinfo=UTC)


def test_what_was_really_paid_comes_first() -> None:
    assert read(changed("pay_info", real_payment="199.00")).paid_amount == Decimal("199.00")
    assert read(changed("pay_info", real_payment="")).paid_amount == Decimal("206.00")


def test_two_changes_in_one_second_are_two_revisions() -> None:
    words = ["WAIT_BUYER_PAY", "TRADE_PAID", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_CLOSED"]
    revisions = [read(changed(status=word)).revision for word in words]

    assert revisions == [1_795_399_240_000 + rank for rank in (1, 2, 4, 5, 7)]


@pytest.mark.parametrize(
    ("express_type", "is_held"), [(0, False), (1, True), (2, False), (9, True), ("1", True), (None, False)]
)
def test_what_is_not_sent_by_parcel_is_held_and_needs_no_address(express_type: Any, is_held: bool) -> None:
    whole = changed(express_type=express_type)
    assert (read(whole).must_not_ship is not None) is is_held
    whole["address_info"] = {}
    if is_held:
        assert read(whole).address == Address("")
    else:
        assert refusal({"full_order_info": whole})[1] == "address_info.delivery_province is missing."


def test_an_order_that_was_closed_unpaid_needs_no_address() -> None:
    whole = changed(status="TRADE_CLOSED", pay_time="")
    whole["address_info"] = None

    order = read(whole)

    assert (order.paid_at, order.paid_amount, order.cancelled_at) == (None, None, UPDATED_AT)
    assert order.address == Address("")


def test_a_receiver_in_the_open_is_kept_as_it_is() -> None:
    told = {"receiver_name": "韩梅", "receiver_tel": "13800000000", "delivery_address": "文三路 1 号"}

    assert read(changed("address_info", **told)).address == Address(
        "浙江省", "杭州市", "余杭区", "文三路 1 号", "CN", "韩梅", "13800000000", ""
    )


def test_a_token_that_is_too_long_gives_way_to_the_orders_number() -> None:
    assert read(changed("address_info", receiver_tel=f"${'x' * 300}$")).address.token == TID


@pytest.mark.parametrize(
    ("fields", "unit_price", "discount"),
    [
        pytest.param({}, "109.00", "18.00", id="what the buyer pays"),
        pytest.param({"payment": "0.00"}, "109.00", "218.00", id="a gift"),
        pytest.param({"payment": None}, "109.00", "0", id="not told"),
        pytest.param({"payment": "218.01"}, "109.01", "0.01", id="raised by the seller"),
        pytest.param({"num": "3", "payment": "400"}, "133.34", "0.02", id="raised, not divisible"),
        pytest.param({"price": 109.5, "payment": "219"}, "109.5", "0.0", id="price as a number"),
    ],
)
def test_a_line_comes_to_what_the_buyer_pays(fields: dict[str, Any], unit_price: str, discount: str) -> None:
    line = read(with_line(**fields)).lines[0]

    assert (line.unit_price, line.discount) == (Decimal(unit_price), Decimal(discount))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "TEE-RED-M"),
        ({"outer_sku_id": ""}, "TEE-RED-M"),
        ({"outer_sku_id": "", "sku_no": ""}, "TEE"),
        ({"outer_sku_id": None, "sku_no": None, "outer_item_id": None}, "3700000001"),
    ],
)
def test_the_sku_is_named_by_the_first_code_there_is(fields: dict[str, Any], expected: str) -> None:
    assert read(with_line(**fields)).lines[0].sku_code == expected


def test_control_characters_go_with_a_remark() -> None:
    order = read(changed("remark_info", buyer_message="a\u0000b 👍"))

    assert order.buyer_note == "ab 👍"
    assert [str(remark) for remark in order.remarks] == ["Control characters were taken out of buyer_message."]


@pytest.mark.parametrize(
    ("whole", "code", "words"),
    [
        pytest.param(changed(tid=""), "missing_field", "tid is missing.", id="no tid"),
        pytest.param(changed(tid="E1"), "bad_value", "tid is E1, but the message is about", id="another tid"),
        pytest.param(changed(status="NEW"), "unknown_status", "status is NEW", id="unknown status"),
        pytest.param(changed(status=None), "unknown_status", "status is None", id="no status"),
        pytest.param(changed(update_time=""), "missing_field", "update_time is missing.", id="no time of update"),
        pytest.param(changed(created="23.11.2026"), "bad_time", "created is 23.11.2026", id="other format"),
        pytest.param(changed(created="2026-02-30 00:00:00"), "bad_time", "created is", id="no such day"),
        pytest.param(changed(created="1970-01-01 00:00:00"), "bad_time", "created is", id="year 1970"),
        pytest.param(changed(pay_time=""), "missing_field", "pay_time is missing.", id="paid, but when"),
        pytest.param(changed("pay_info", payment="-1"), "bad_price", "payment is -1", id="negative payment"),
        pytest.param(changed("pay_info", post_fee="x"), "bad_price", "post_fee is x", id="postage in words"),
        pytest.param(
            changed("address_info", delivery_province=""),
            "missing_field",
            "delivery_province is missing",
            id="province",
        ),
        pytest.param({**sample(), "orders": []}, "no_lines", "The order has no lines.", id="no lines"),
        pytest.param({**sample(), "orders": "x"}, "bad_value", "orders is x", id="lines as text"),
        pytest.param({**sample(), "orders": [7]}, "bad_value", "orders[0] is 7", id="a line as a number"),
        pytest.param({**sample(), "order_info": None}, "missing_field", "order_info is missing.", id="no head"),
        pytest.param({**sample(), "pay_info": 7}, "bad_value", "pay_info is 7", id="a part as a number"),
        pytest.param(with_line(num=0), "bad_quantity", "orders[0].num is 0", id="quantity 0"),
        pytest.param(with_line(num="-1"), "bad_quantity", "orders[0].num is -1", id="negative quantity"),
        pytest.param(with_line(num=100_001), "bad_quantity", "orders[0].num is 100001", id="absurd quantity"),
        pytest.param(with_line(price="-0.01"), "bad_price", "orders[0].price is -0.01", id="negative price"),
        pytest.param(with_line(price="NaN"), "bad_price", "orders[0].price is NaN", id="price NaN"),
        pytest.param(with_line(oid=None), "missing_field", "orders[0].oid is missing.", id="no oid"),
        pytest.param(with_line(outer_sku_id="A\u0000"), "bad_value", "orders[0].outer_sku_id is A", id="NUL in a code"),
        pytest.param(
            {**sample(), "orders": sample()["orders"] * 2},
            "duplicate_line",
            "which another line has already",
            id="twice",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_field(whole: dict[str, Any], code: str, words: str) -> None:
    told = refusal({"full_order_info": whole})

    assert (told[0], words in told[1]) == (code, True), told


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", "malformed_json"),
        (b"[]", "not_an_object"),
        ({"success": False, "code": 105000016, "message": "订单不存在"}, "not_fetched"),
        ({"error_response": {"code": 1, "msg": "x"}}, "not_fetched"),
        ({"data": {}}, "missing_field"),
        ({"data": 7}, "missing_field"),
    ],
)
def test_a_message_without_an_order_is_refused(payload: Any, code: str) -> None:
    assert refusal(payload)[0] == code


def test_a_channel_in_another_currency_is_refused() -> None:
    assert refusal({"full_order_info": sample()}, connection=Connection("YZ", currency="USD")) == (
        "wrong_currency",
        "Youzan sells in CNY, but this channel in USD.",
    )


def test_a_refund_has_every_field() -> None:
    assert translate(refund(), "refund") == IncomingRefund(
        external_id=TID,
        refund_id="202611231010000001017",
        revision=1_795_399_805_017,
        state=RefundState.ASKED,
        amount=Decimal("100.00"),
        currency="CNY",
        lines=(RefundedLine("2900000000000001", 1),),
        reason="拍错了",
        asked_at=datetime(2026, 11, 23, 2, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("WAIT_SELLER_AGREE", "asked"),
        ("SELLER_REFUSE_BUYER", "closed"),
        ("WAIT_BUYER_RETURN_GOODS", "agreed"),
        ("WAIT_SELLER_CONFIRM_GOODS", "agreed"),
        ("SELLER_RETURN_GOODS", "agreed"),
        ("CUSTOMER_SERVICE_IN", "asked"),
        ("SELLER_REFUSE_BUYER_RETURN_GOODS", "closed"),
        ("SUCCESS", "refunded"),
        ("CLOSED", "closed"),
    ],
)
def test_each_word_of_a_refund_is_a_state(status: str, state: str) -> None:
    told = translate(refund(status=status, return_goods=True), "refund")

    assert (told.state, told.goods_come_back) == (state, True)


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        (refund(status="NEW"), "unknown_status", "status is NEW"),
        (refund(refund_fee="-1"), "bad_price", "refund_fee is -1"),
        (refund(modified=None), "missing_field", "modified is missing."),
        (refund(tid="E1"), "bad_value", "tid is E1"),
        (refund(refund_id=None), "missing_field", "refund_id is missing."),
    ],
)
def test_a_refund_that_cannot_be_understood_is_refused(payload: dict[str, Any], code: str, words: str) -> None:
    told = refusal(payload, "refund")

    assert (told[0], words in told[1]) == (code, True), told


ODD = [
    None,
    "",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    [{}],
    "x",
    "\x00",
    "\ud800",
    "$x$",
    "a" * 600,
    10**30,
    "1e999",
    "NaN",
    2**63,
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inside for found in [(*path, key), *places(each, (*path, key))]]


@pytest.mark.parametrize(("name", "kind"), [("trade", "order"), ("refund", "refund")])
def test_whatever_stands_in_a_field_is_read_or_refused(name: str, kind: str) -> None:
    answer = json.loads((SAMPLES / f"{name}.json").read_bytes())
    refused = 0
    for *path, last in places(answer):
        place: Any = answer
        for key in path:
            place = place[key]
        kept = place[last]
        for odd in ODD:
            place[last] = odd
            try:
                translate(answer, kind)
            except Untranslatable:
                refused += 1
        place[last] = kept

    assert refused > 100
    translate(answer, kind)
