"""A Weimob order or after-sale into the house language: tables of what becomes what, and of what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import weimob
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

SAMPLES = Path(weimob.__file__).parent / "samples"
NUMBER = "1001234567890123456"
CONNECTION = Connection("WM")
PAID_AT = datetime(2026, 11, 23, 1, 59, 50, tzinfo=UTC)
UPDATED_AT = datetime(2026, 11, 23, 2, 0, 0, 123000, tzinfo=UTC)


def sample(name: str = "order") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return told


def read(told: dict[str, Any], connection: Connection = CONNECTION) -> IncomingOrder:
    result = weimob.ADAPTER.translate(RawMessage("order", NUMBER, 0, json.dumps(told).encode()), connection)
    assert isinstance(result, IncomingOrder)
    return result


def read_refund(told: dict[str, Any]) -> IncomingRefund:
    result = weimob.ADAPTER.translate(RawMessage("refund", NUMBER, 0, json.dumps(told).encode()), CONNECTION)
    assert isinstance(result, IncomingRefund)
    return result


def based(**fields: Any) -> dict[str, Any]:
    told = sample()
    told["orderInfo"]["orderBaseInfo"].update(fields)
    return told


def with_line(**fields: Any) -> dict[str, Any]:
    told = sample()
    told["orderInfo"]["items"][0].update(fields)
    return told


def with_part(name: str, value: Any) -> dict[str, Any]:
    told = sample()
    told["orderInfo"][name] = value
    return told


def rights(**fields: Any) -> dict[str, Any]:
    told = sample("rights")
    told["rightsInfo"]["rightsOrder"].update(fields)
    return told


def refusal(told: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        read_refund(told) if "rightsInfo" in told else read(told)
    return caught.value.code, str(caught.value.reason)


def test_an_order_to_ship_comes_with_every_field() -> None:
    assert read(sample()) == IncomingOrder(
        external_id=NUMBER,
        revision=17_953_992_001_233,
        placed_at=datetime(2026, 11, 23, 1, 58, 20, tzinfo=UTC),
        currency="CNY",
        lines=(IncomingLine("7001", "TEE-RED-M", "T恤", 2, Decimal("109.00"), Decimal("18.00")),),
        address=Address("浙江省", "杭州市", "余杭区", "五常街道***", "CN", "韩*", "138****0000"),
        paid_at=PAID_AT,
        shipping_amount=Decimal("10.00"),
        paid_amount=Decimal("210.00"),
        buyer_key="1",
        buyer_name="微**",
        buyer_note="请尽快发货",
        seller_note="老客户",
    )


@pytest.mark.parametrize(
    ("status", "is_paid", "is_held", "has_left", "is_cancelled"),
    [
        (0, False, False, False, False),
        (1, False, False, False, False),
        (2, True, True, False, False),
        (3, True, False, False, False),
        (4, True, False, True, False),
        (5, True, False, True, False),
        (7, True, False, True, False),
        (8, True, False, True, False),
        (9, True, False, False, True),
    ],
)
def test_each_status_says_what_it_means(
    status: int, is_paid: bool, is_held: bool, has_left: bool, is_cancelled: bool
) -> None:
    order = read(based(orderStatus=status))

    assert (order.paid_at, order.paid_amount) == ((PAID_AT, Decimal("210.00")) if is_paid else (None, None))
    assert (order.must_not_ship is not None) is is_held
    assert order.shipped_at == (UPDATED_AT if has_left else None)
    assert order.cancelled_at == (UPDATED_AT if is_cancelled else None)


def test_of_two_changes_in_one_moment_the_higher_status_is_newer() -> None:
    revisions = [read(based(orderStatus=status)).revision for status in (0, 1, 2, 3, 4, 5, 7, 8, 9)]
    later = read(based(orderStatus=0, updateTime=1795399200124)).revision

    assert [*revisions, later] == sorted({*revisions, later})


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (1, "None"),
        (2, "None"),
        (None, "None"),
        (3, "The buyer takes this order at the store."),
        (4, "The buyer took the goods at the counter."),
        (5, "Nothing of this order is sent by parcel."),
    ],
)
def test_what_is_not_sent_by_parcel_must_not_ship(delivery: int | None, words: str) -> None:
    assert str(read(based(deliveryType=delivery)).must_not_ship) == words


def test_a_cancelled_order_says_why_and_needs_no_receiver_nor_waits() -> None:
    told = based(orderStatus=9, payTime=0, deliveryType=3)
    told["orderInfo"] |= {"cancelInfo": {"cancelType": 1, "reason": "不想要了"}, "orderFulfill": {}}
    order = read(told)

    assert (order.cancel_reason, order.address, order.must_not_ship) == ("不想要了", Address(""), None)
    assert (order.paid_at, order.paid_amount) == (None, None)


def test_a_parcel_left_when_the_order_says() -> None:
    told = based(orderStatus=5)
    told["orderInfo"]["orderFulfill"]["deliveryTime"] = 1795399195000

    assert read(told).shipped_at == datetime(2026, 11, 23, 1, 59, 55, tzinfo=UTC)


def test_what_is_paid_offline_may_ship() -> None:
    order = read(based(payTime=None, payType=2))

    assert (order.paid_at, order.paid_amount) == (order.placed_at, Decimal(0))
    assert [str(remark) for remark in order.remarks] == [
        "Cash on delivery: ready to ship although nothing is paid yet."
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"skuCode": ""}, "OUT-1"),
        ({"skuCode": "", "itemBizExt": None, "skuBarCode": "69"}, "69"),
        ({"skuCode": "", "itemBizExt": {}}, "9001"),
    ],
)
def test_a_line_goes_by_the_best_code_it_has(fields: dict[str, Any], code: str) -> None:
    assert read(with_line(**fields)).lines[0].sku_code == code


def test_numbers_and_quantities_come_as_numbers_or_texts() -> None:
    told = with_line(skuNum="2.00", itemId="7001")
    told["orderInfo"]["orderBaseInfo"] |= {"orderNo": NUMBER, "createTime": "1795399100000", "orderStatus": "3"}

    assert read(told) == read(sample())


def test_a_raised_price_keeps_the_line_exact() -> None:
    line = read(with_line(skuNum="3", payInfo={"shouldPayAmount": "340.00"})).lines[0]

    assert (line.unit_price, line.discount) == (Decimal("113.34"), Decimal("0.02"))
    assert line.unit_price * 3 - line.discount == Decimal("340.00")


def test_a_line_without_its_net_takes_its_discount() -> None:
    order = read(with_line(payInfo={"totalDiscountAmount": "8.00"}))

    assert (order.lines[0].discount, order.shipping_amount) == (Decimal("8.00"), Decimal(0))


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        (based(orderStatus=6), "unknown_status", "orderStatus is 6"),
        (based(orderStatus=None), "unknown_status", "orderStatus is None"),
        (based(deliveryType=6), "unknown_status", "deliveryType is 6"),
        (based(orderNo=7), "bad_value", "but the message is about 1001234567890123456"),
        (based(orderNo=None), "missing_field", "orderNo is missing"),
        (based(payTime=0), "missing_field", "payTime is missing"),
        (based(createTime=10**17), "bad_time", "createTime"),
        (based(createTime="yesterday"), "bad_time", "createTime is yesterday"),
        (with_line(skuNum="0"), "bad_quantity", "items[0].skuNum is 0"),
        (with_line(skuNum="-1"), "bad_quantity", "items[0].skuNum is -1"),
        (with_line(skuNum="1.5"), "bad_quantity", "items[0].skuNum is 1.5"),
        (with_line(skuNum="100001"), "bad_quantity", "items[0].skuNum is 100001"),
        (with_line(salePrice="-1"), "bad_price", "items[0].salePrice is -1"),
        (with_line(salePrice=None), "missing_field", "items[0].salePrice is missing"),
        (with_line(payInfo={"shouldPayAmount": "-1"}), "bad_price", "items[0].shouldPayAmount is -1"),
        (with_line(itemId=None), "missing_field", "items[0].itemId is missing"),
        (with_part("items", []), "no_lines", "The order has no lines."),
        (with_part("items", ["x"]), "bad_value", "items[0]"),
        (with_part("items", "x"), "bad_value", "items"),
        (with_part("orderBaseInfo", None), "missing_field", "orderBaseInfo is missing"),
        (with_part("orderFulfill", None), "missing_field", "receiverInfo.province is missing"),
        ({}, "missing_field", "orderInfo is missing"),
    ],
)
def test_what_cannot_be_right_is_refused(told: dict[str, Any], code: str, words: str) -> None:
    assert refusal(told)[0] == code
    assert words in refusal(told)[1]


def test_another_currency_is_refused() -> None:
    with pytest.raises(Untranslatable) as caught:
        read(sample(), Connection("WM", currency="USD"))
    assert caught.value.code == "wrong_currency"


def test_an_order_that_was_not_handed_out_says_so() -> None:
    code, words = refusal({"code": {"errcode": "4900100100004", "errmsg": "订单不存在"}})

    assert code == "not_fetched"
    assert words.startswith(f"Weimob did not hand out {NUMBER}: ")


def test_control_characters_are_taken_out_with_a_remark() -> None:
    order = read(with_part("buyerInfo", {"wid": 1, "buyerRemark": "请\x00尽快"}))

    assert order.buyer_note == "请尽快"
    assert [str(remark) for remark in order.remarks] == ["Control characters were taken out of buyerRemark."]


def test_an_after_sale_comes_with_every_field() -> None:
    assert read_refund(sample("rights")) == IncomingRefund(
        external_id=NUMBER,
        refund_id="500123",
        revision=17_954_892_005_001_230,
        state=RefundState.ASKED,
        amount=Decimal("100.00"),
        currency="CNY",
        lines=(RefundedLine("7001", 1),),
        reason="尺码不合适",
        goods_come_back=True,
        asked_at=datetime(2026, 11, 24, 2, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (1, RefundState.ASKED),
        (2, RefundState.AGREED),
        (3, RefundState.AGREED),
        (5, RefundState.AGREED),
        (6, RefundState.REFUNDED),
        (7, RefundState.CLOSED),
        (8, RefundState.CLOSED),
        (9, RefundState.AGREED),
        (10, RefundState.AGREED),
    ],
)
def test_each_status_of_an_after_sale_says_how_far_it_is(status: int, state: RefundState) -> None:
    refund = read_refund(rights(rightsStatus=status, rightsType=2))

    assert (refund.state, refund.goods_come_back) == (state, False)
    assert refund.revision % 10 == list(RefundState).index(state)
    assert refund.amount == (Decimal("0.00") if state is RefundState.REFUNDED else Decimal("100.00"))


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (rights(rightsStatus=4), "unknown_status"),
        (rights(rightsType=3), "unknown_status"),
        (rights(rightsType=5, rightsStatus=20), "not_a_refund"),
        (rights(currency="USD"), "wrong_currency"),
        (rights(rightsId=None), "missing_field"),
    ],
)
def test_an_after_sale_that_cannot_be_a_refund_is_refused(told: dict[str, Any], code: str) -> None:
    assert refusal(told)[0] == code
