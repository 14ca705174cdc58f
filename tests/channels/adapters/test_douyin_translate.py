"""Douyin orders and after-sales become the house language, exactly, or are refused in words."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import douyin
from channels.adapters.douyin import sign, translate
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

SAMPLES = Path(translate.__file__).parent / "samples"
ORDER, LINE = "6919000000000000001", "6919000000000000002"
DY = Connection("DY")
SECRET = "4ccdeed5-1111-2222-3333-444455556666"
KEY = "7000000000000000001"


def order_with(**changes: Any) -> IncomingOrder:
    order = json.loads((SAMPLES / "order.json").read_text("utf-8"))
    line = {name.removeprefix("line_"): changes.pop(name) for name in list(changes) if name.startswith("line_")}
    order["sku_order_list"][0].update(line)
    read = douyin.ADAPTER.translate(RawMessage("order", ORDER, 0, json.dumps(order | changes).encode()), DY)
    assert isinstance(read, IncomingOrder)
    return read


def refund_with(**changes: Any) -> IncomingRefund:
    refund = json.loads((SAMPLES / "refund.json").read_text("utf-8"))
    refund["aftersale_info"].update(changes)
    read = douyin.ADAPTER.translate(RawMessage("refund", ORDER, 0, json.dumps(refund).encode()), DY)
    assert isinstance(read, IncomingRefund)
    return read


@pytest.mark.parametrize(
    ("product", "how", "digest"),
    [
        ("上海", "hmac-sha256", "9e6bb63aab292945348be04d94705df059f47f426fd82a560ea227e7c1c85bda"),
        ("上海", "md5", "a747c833f4467b15d9fe68f01dcc10c4"),
        ("\\u4e0a\\u6d77", "hmac-sha256", "44a2abde9a7cfe3e34646895c2cbee84ef357f747091be6121fb2c5fea2a9712"),
    ],
    ids=["hmac-sha256", "md5", "escaped body"],
)
def test_calls_are_signed_as_the_worked_examples(product: str, how: str, digest: str) -> None:
    body = f'{{"create_time_start":1795363200,"order_by":"update_time","page":0,"product":"{product}","size":10}}'
    at = "2026-11-23 10:00:00"

    signed = sign.signature(app_key=KEY, secret=SECRET, method="order.searchList", timestamp=at, body=body, how=how)

    assert signed == digest


def test_pushes_are_signed_as_the_worked_example() -> None:
    data = '{\\"p_id\\":6919000000000000001,\\"shop_id\\":1234,\\"order_status\\":2}'
    body = f'[{{"tag":"101","msg_id":"7000111222333444555","data":"{data}"}}]'.encode()

    assert sign.event_signature(body, app_key=KEY, secret=SECRET) == "81a8d01183bc8897192e44157c6643b0"


def test_an_order_is_read_exactly() -> None:
    assert order_with() == IncomingOrder(
        external_id=ORDER,
        revision=1_795_399_260_003,
        placed_at=datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
        currency="CNY",
        lines=(IncomingLine(LINE, "TEE-RED-M", "T恤", 2, Decimal("109.00"), Decimal("18.00")),),
        address=Address(
            "浙江省",
            "杭州市",
            "余杭区",
            "五常街道***",
            name="韩*",
            phone="138****0000",
            token="##abc##\n$$def$$\n##ghi##",
        ),
        paid_at=datetime(2026, 11, 23, 2, 0, 55, tzinfo=UTC),
        paid_amount=Decimal("200.00"),
        buyer_key="1@#x",
        buyer_note="请用纸箱",
        seller_note="老客户",
        ship_by=datetime(2026, 11, 25, 2, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "is_paid", "is_cancelled", "is_held", "is_shipped"),
    [
        pytest.param(1, False, False, False, False, id="unpaid"),
        pytest.param(105, True, False, True, False, id="processing"),
        pytest.param(2, True, False, False, False, id="to ship"),
        pytest.param(101, True, False, False, True, id="partly shipped"),
        pytest.param(3, True, False, False, True, id="shipped"),
        pytest.param(5, True, False, False, True, id="done"),
        pytest.param(4, True, True, False, False, id="cancelled"),
    ],
)
def test_every_status_means_one_thing(
    status: int, is_paid: bool, is_cancelled: bool, is_held: bool, is_shipped: bool
) -> None:
    order = order_with(order_status=status, line_order_status=status)

    assert (order.paid_at is not None, order.cancelled_at is not None) == (is_paid, is_cancelled)
    assert (order.must_not_ship is not None, order.shipped_at is not None) == (is_held, is_shipped)
    assert (order.paid_amount is not None, order.lines[0].is_cancelled) == (is_paid, is_cancelled)


def test_statuses_of_one_second_are_told_apart() -> None:
    revisions = [order_with(order_status=status).revision for status in (1, 105, 2, 101, 3, 5, 4)]

    assert revisions == [1_795_399_260_000 + rank for rank in range(1, 8)]


def test_a_processing_order_says_why_it_waits() -> None:
    assert str(order_with(order_status=105).must_not_ship) == (
        "Douyin is still processing this paid order (risk check or presale): it may not ship yet."
    )


def test_a_cancelled_order_needs_no_place_and_says_when() -> None:
    order = order_with(order_status=4, post_addr={}, mask_post_addr={}, finish_time=1795399300, cancel_reason="不要了")

    assert (order.address.province, order.cancel_reason) == ("", "不要了")
    assert order.cancelled_at == datetime(2026, 11, 23, 2, 1, 40, tzinfo=UTC)


def test_one_cancelled_line_does_not_cancel_the_order() -> None:
    order = order_with(line_order_status=4)

    assert (order.cancelled_at, order.lines[0].is_cancelled) == (None, True)


@pytest.mark.parametrize(
    ("changes", "unit_price", "discount", "paid"),
    [
        pytest.param({}, "109.00", "18.00", "200.00", id="discount"),
        pytest.param({"line_pay_amount": 21_801}, "109.01", "0.01", "200.00", id="raised price"),
        pytest.param({"line_post_amount": 1_000}, "109.00", "28.00", "200.00", id="with its share of the postage"),
        pytest.param({"promotion_pay_amount": 1}, "109.00", "18.00", "199.99", id="paid by the payment provider"),
        pytest.param({"line_origin_amount": "10900"}, "109.00", "18.00", "200.00", id="amount as text"),
    ],
)
def test_amounts_come_in_fen(changes: dict[str, Any], unit_price: str, discount: str, paid: str) -> None:
    order = order_with(**changes)
    [line] = order.lines

    assert (line.unit_price, line.discount) == (Decimal(unit_price), Decimal(discount))
    assert order.paid_amount == Decimal(paid)


def test_ids_come_as_numbers_or_texts() -> None:
    order = order_with(order_id=int(ORDER), line_order_id=int(LINE))

    assert (order.external_id, order.lines[0].external_id) == (ORDER, LINE)


@pytest.mark.parametrize(
    ("codes", "sku_code"),
    [
        ({"line_code": "", "line_out_sku_id": "OUT-1"}, "OUT-1"),
        ({"line_code": "", "line_out_sku_id": 0}, "1700000000000001"),
    ],
    ids=["outer id", "the platform's own"],
)
def test_the_sellers_code_comes_first(codes: dict[str, Any], sku_code: str) -> None:
    assert order_with(**codes).lines[0].sku_code == sku_code


def test_a_long_buyer_id_is_kept_as_its_hash() -> None:
    key = order_with(doudian_open_id="1@#" + "x" * 100).buyer_key

    assert key == "sha256:8d82ec6c31cb4b16bab52a1864c6bb646f5344c7ff0f66f934efc470c3c3d8e6"
    assert key != order_with(doudian_open_id="1@#" + "y" * 100).buyer_key


def test_what_cannot_be_kept_leaves_a_remark() -> None:
    order = order_with(buyer_words="a\u0000b", encrypt_post_receiver="#" * 600)

    assert (order.buyer_note, order.address.token) == ("ab", "")
    assert [str(remark) for remark in order.remarks] == [
        "Control characters were taken out of buyer_words.",
        "The encrypted receiver is too long to keep; it is in the message as it came.",
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        pytest.param({"order_status": 99}, "unknown_status", "order_status is 99", id="status"),
        pytest.param({"order_status": True}, "unknown_status", "order_status is True", id="a yes is no status"),
        pytest.param({"order_status": None}, "missing_field", "order_status", id="no status"),
        pytest.param({"line_order_status": 77}, "unknown_status", "order_status is 77", id="line's status"),
        pytest.param({"pay_time": 0}, "missing_field", "pay_time", id="paid without a time"),
        pytest.param({"create_time": "soon"}, "bad_time", "create_time", id="time"),
        pytest.param({"create_time": 1795399200000}, "bad_time", "create_time", id="milliseconds"),
        pytest.param({"update_time": None}, "missing_field", "update_time", id="no modification time"),
        pytest.param({"pay_amount": -1}, "bad_price", "pay_amount", id="negative amount"),
        pytest.param({"post_amount": "1.5"}, "bad_price", "post_amount is 1.5 fen", id="half a fen"),
        pytest.param({"line_origin_amount": 10**12}, "bad_price", "origin_amount", id="absurd price"),
        pytest.param({"line_item_num": 0}, "bad_quantity", "sku_order_list[0].item_num", id="nothing sold"),
        pytest.param({"line_item_num": 1.5}, "bad_quantity", "sku_order_list[0].item_num", id="half a thing"),
        pytest.param({"sku_order_list": []}, "no_lines", "no lines", id="no lines"),
        pytest.param({"sku_order_list": [7]}, "bad_value", "sku_order_list[0] is 7", id="no line"),
        pytest.param({"post_addr": {}, "mask_post_addr": {}}, "missing_field", "post_addr.province", id="no place"),
        pytest.param({"order_id": "1"}, "bad_value", "order_id is 1, but the message is about", id="another order"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        order_with(**changes)

    assert caught.value.code == code
    assert field in str(caught.value.reason)


def test_two_lines_never_share_a_number() -> None:
    line = json.loads((SAMPLES / "order.json").read_text("utf-8"))["sku_order_list"][0]

    with pytest.raises(Untranslatable) as caught:
        order_with(sku_order_list=[line, line])

    assert caught.value.code == "duplicate_line"


def test_an_order_that_was_not_handed_out_says_so() -> None:
    payload = b'{"code":50002,"msg":"failed","sub_code":"isv.business-failed:10000","sub_msg":"gone"}'

    with pytest.raises(Untranslatable, match="Douyin did not hand out") as caught:
        douyin.ADAPTER.translate(RawMessage("order", ORDER, 0, payload), DY)

    assert caught.value.code == "not_fetched"


def test_another_currency_is_refused() -> None:
    payload = (SAMPLES / "order.json").read_bytes()

    with pytest.raises(Untranslatable) as caught:
        douyin.ADAPTER.translate(RawMessage("order", ORDER, 0, payload), Connection("DY", currency="USD"))

    assert caught.value.code == "wrong_currency"


def test_a_refund_is_read_exactly() -> None:
    assert refund_with() == IncomingRefund(
        external_id=ORDER,
        refund_id="7000000000000000123",
        revision=1_795_402_860_123,
        state=RefundState.ASKED,
        amount=Decimal("100.00"),
        currency="CNY",
        lines=(RefundedLine(LINE, 1),),
        reason="拍错了",
        goods_come_back=False,
        asked_at=datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("changes", "state", "comes_back"),
    [
        ({"aftersale_status": 0}, RefundState.ASKED, False),
        ({"aftersale_status": 6, "aftersale_type": 0}, RefundState.ASKED, True),
        ({"aftersale_status": 7}, RefundState.AGREED, True),
        ({"aftersale_status": 11}, RefundState.AGREED, True),
        ({"aftersale_status": 12, "refund_status": 1}, RefundState.AGREED, False),
        ({"aftersale_status": 12, "refund_status": 3}, RefundState.REFUNDED, False),
        ({"aftersale_status": 13}, RefundState.CLOSED, False),
        ({"aftersale_status": 14}, RefundState.CLOSED, False),
        ({"aftersale_status": 27}, RefundState.CLOSED, False),
        ({"aftersale_status": 27, "aftersale_type": {}}, RefundState.CLOSED, False),
        ({"aftersale_status": "27"}, RefundState.CLOSED, False),
        ({"aftersale_status": 28}, RefundState.CLOSED, False),
        ({"aftersale_status": 29}, RefundState.CLOSED, True),
        ({"aftersale_status": 51}, RefundState.CLOSED, False),
    ],
)
def test_every_after_sale_status_is_a_state(changes: dict[str, Any], state: RefundState, comes_back: bool) -> None:
    refund = refund_with(**changes)

    assert (refund.state, refund.goods_come_back) == (state, comes_back)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aftersale_status": 99}, "unknown_status"),
        ({"aftersale_status": None}, "unknown_status"),
        ({"aftersale_status": False}, "unknown_status"),
        ({"aftersale_status": []}, "unknown_status"),
        ({"aftersale_id": ""}, "missing_field"),
        ({"refund_amount": "ten"}, "bad_price"),
        ({"update_time": 0}, "missing_field"),
    ],
)
def test_a_refund_that_makes_no_sense_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        refund_with(**changes)

    assert caught.value.code == code


@pytest.mark.parametrize("broken", ["order_info", "aftersale_info"])
@pytest.mark.parametrize("value", [None, 7, "x", []])
def test_half_an_after_sale_is_refused(broken: str, value: object) -> None:
    payload = json.dumps(json.loads((SAMPLES / "refund.json").read_text("utf-8")) | {broken: value}).encode()

    with pytest.raises(Untranslatable):
        douyin.ADAPTER.translate(RawMessage("refund", ORDER, 0, payload), DY)
    assert translate.head("refund", payload)[1] == (1_795_402_860_123 if broken == "order_info" else 0)
