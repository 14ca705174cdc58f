"""JD orders become the house language, exactly, or are refused in words."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import jd, signing
from channels.adapters.jd import translate
from channels.adapters.protocol import Connection
from channels.messages import Address, IncomingLine, IncomingOrder, RawMessage, Untranslatable

ORDER = "300123456789"
JD = Connection("JD")
SAMPLE = json.loads((Path(translate.__file__).parent / "samples/order.json").read_text("utf-8"))
TEE, CAP = SAMPLE["itemInfoList"]


def order_with(**changes: Any) -> IncomingOrder:
    order = jd.ADAPTER.translate(RawMessage("order", ORDER, 0, json.dumps(SAMPLE | changes).encode()), JD)
    assert isinstance(order, IncomingOrder)
    return order


def test_calls_are_signed_as_the_worked_example() -> None:
    asked = (
        '{"end_date":"2026-11-23 10:00:00","optional_fields":"orderId,orderState,itemInfoList,consigneeInfo",'
        '"order_state":"WAIT_SELLER_STOCK_OUT","page":"1","page_size":"50","start_date":"2026-11-23 09:00:00",'
        '"sortType":"0","dateType":"0"}'
    )
    parameters = {
        "method": "jingdong.pop.order.enSearch",
        "app_key": "JDAPPKEY",
        "access_token": "tok-jd",
        "timestamp": "2026-11-23 10:00:00",
        "v": "2.0",
        "format": "json",
        "360buy_param_json": asked,
        "sign": "not signed itself",
        "empty": "",
    }

    assert signing.md5_of_pairs(parameters, "jdsecret") == "2A367D9A763345CD597D720B19785C29"


def test_an_order_is_read_exactly() -> None:
    assert order_with() == IncomingOrder(
        external_id=ORDER,
        revision=1_795_395_662_002,
        placed_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        currency="CNY",
        lines=(
            IncomingLine("100012345678", "TEE-RED-M", "T恤 红 M", 2, Decimal("109.00"), Decimal("10.00")),
            IncomingLine("100012345679", "CAP-BLUE", "帽子", 1, Decimal("50.00"), Decimal(0)),
        ),
        address=Address("浙江", "杭州市", "余杭区", "五常街道***", name="韩*", phone="138****0000"),
        paid_at=datetime(2026, 11, 23, 1, 1, tzinfo=UTC),
        shipping_amount=Decimal("6.00"),
        paid_amount=Decimal("264.00"),
        buyer_note="周末送",
        seller_note="老客户",
    )


@pytest.mark.parametrize(
    ("word", "is_paid", "is_cancelled", "held", "is_shipped"),
    [
        ("NOT_PAY", False, False, None, False),
        ("WAIT_SELLER_STOCK_OUT", True, False, None, False),
        ("DengDaiChuKu", True, False, None, False),
        ("WAIT_SELLER_DELIVERY", True, False, None, False),
        ("DengDaiFaHuo", True, False, None, False),
        ("WAIT_GOODS_RECEIVE_CONFIRM", True, False, None, True),
        ("DengDaiQueRenShouHuo", True, False, None, True),
        ("FINISHED_L", True, False, None, True),
        ("WanCheng", True, False, None, True),
        ("TRADE_CANCELED", True, True, None, False),
        (
            "LOCKED",
            True,
            False,
            "The buyer has asked JD to cancel this order: it must not ship until that is decided.",
            False,
        ),
        ("POP_ORDER_PAUSE", True, False, "JD has paused this order.", False),
        ("PAUSE", True, False, "JD has paused this order.", False),
        ("ZanTing", True, False, "JD has paused this order.", False),
        ("DELIVERY_RETURN", True, False, "JD says that this order came back undelivered.", True),
        ("PeiSongTuiHuo", True, False, "JD says that this order came back undelivered.", True),
    ],
)
def test_every_state_means_one_thing(
    word: str, is_paid: bool, is_cancelled: bool, held: str | None, is_shipped: bool
) -> None:
    order = order_with(orderState=word)

    assert (order.paid_at is not None, order.paid_amount is not None) == (is_paid, is_paid)
    assert (order.cancelled_at is not None, order.lines[0].is_cancelled) == (is_cancelled, is_cancelled)
    assert order.cancel_reason == ("Closed on JD" if is_cancelled else "")
    assert (str(order.must_not_ship) if order.must_not_ship else None) == held
    assert order.shipped_at == (datetime(2026, 11, 23, 1, 1, 2, tzinfo=UTC) if is_shipped else None)


def test_states_of_one_second_are_told_apart() -> None:
    words = ["NOT_PAY", "WAIT_SELLER_STOCK_OUT", "PAUSE", "LOCKED", "WAIT_GOODS_RECEIVE_CONFIRM", "DELIVERY_RETURN"]

    revisions = [order_with(orderState=word).revision for word in [*words, "FINISHED_L", "TRADE_CANCELED"]]

    assert revisions == [1_795_395_662_000 + rank for rank in range(1, 9)]


def test_a_cancelled_order_was_never_paid_perhaps_and_needs_no_place() -> None:
    order = order_with(
        orderState="TRADE_CANCELED", paymentConfirmTime="", orderEndTime="2026-11-23 09:05:00", consigneeInfo=None
    )

    assert (order.paid_at, order.paid_amount, order.address.province) == (None, None, "")
    assert order.cancelled_at == datetime(2026, 11, 23, 1, 5, tzinfo=UTC)


def test_cash_on_delivery_may_ship_unpaid() -> None:
    order = order_with(payType="1-货到付款", paymentConfirmTime="")

    assert (order.paid_at, order.paid_amount) == (order.placed_at, None)
    assert [str(remark) for remark in order.remarks] == [
        "Cash on delivery: ready to ship although nothing is paid yet."
    ]


@pytest.mark.parametrize(
    ("discount", "coupons", "shares"),
    [
        pytest.param("10.00", [("100012345678", "10.00")], ["10.00", "0"], id="as the coupons say"),
        pytest.param("10.00", [("100012345678", "4.00"), ("100012345679", "6.00")], ["4.00", "6.00"], id="two lines"),
        pytest.param("26.80", [], ["21.80", "5.00"], id="shared out by amount"),
        pytest.param("10.00", [("", "10.00")], ["8.13", "1.87"], id="of the whole order"),
        pytest.param("60.00", [("100012345679", "60.00")], ["48.81", "11.19"], id="more than its line"),
        pytest.param("0.00", [("100012345678", "10.00")], ["0.00", "0.00"], id="not the seller's"),
        pytest.param("268.00", [], ["218.00", "50.00"], id="everything"),
    ],
)
def test_discounts_add_up_to_the_sellers(discount: str, coupons: list[tuple[str, str]], shares: list[str]) -> None:
    rows = [{"skuId": sku, "couponPrice": price} for sku, price in coupons]

    order = order_with(sellerDiscount=discount, couponDetailList=rows)

    assert [line.discount for line in order.lines] == [Decimal(share) for share in shares]


def test_lines_of_one_sku_get_numbers_of_their_own() -> None:
    order = order_with(itemInfoList=[TEE, {**TEE, "jdPrice": "0.00"}], sellerDiscount="0", couponDetailList=None)

    assert [line.external_id for line in order.lines] == ["100012345678", "100012345678-2"]


def test_ids_come_as_numbers_too_and_the_platforms_own_code_stands_in() -> None:
    order = order_with(orderId=int(ORDER), itemInfoList=[{**TEE, "skuId": 100012345678, "outerSkuId": ""}])

    assert (order.external_id, order.lines[0].external_id) == (ORDER, "100012345678")
    assert order.lines[0].sku_code == "100012345678"


def test_an_encrypted_receiver_stays_a_token() -> None:
    secret = {"fullname": "AESx1==", "mobile": "AESx2==", "fullAddress": "AESx3=="}

    address = order_with(consigneeInfo=SAMPLE["consigneeInfo"] | secret).address

    assert address == Address("浙江", "杭州市", "余杭区", token="AESx1==\nAESx2==\nAESx3==")


def test_control_characters_leave_a_remark() -> None:
    order = order_with(orderRemark="a\u0007b")

    assert (order.buyer_note, [str(remark) for remark in order.remarks]) == (
        "ab",
        ["Control characters were taken out of orderRemark."],
    )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        pytest.param({"orderState": "FLYING"}, "unknown_status", "orderState is FLYING", id="state"),
        pytest.param({"orderState": None}, "unknown_status", "orderState", id="no state"),
        pytest.param({"orderState": []}, "unknown_status", "orderState", id="no word"),
        pytest.param({"paymentConfirmTime": ""}, "missing_field", "paymentConfirmTime", id="paid without a time"),
        pytest.param({"modified": ""}, "missing_field", "modified", id="no modification time"),
        pytest.param({"orderStartTime": "2026-11-23T09:00:00Z"}, "bad_time", "orderStartTime", id="other time"),
        pytest.param({"orderStartTime": "2026-11-31 09:00:00"}, "bad_time", "orderStartTime", id="no such day"),
        pytest.param({"orderPayment": "-1.00"}, "bad_price", "orderPayment", id="negative amount"),
        pytest.param({"sellerDiscount": "300.00"}, "bad_price", "discount", id="discount above the goods"),
        pytest.param({"itemInfoList": [{**TEE, "jdPrice": "cheap"}]}, "bad_price", "jdPrice", id="price"),
        pytest.param(
            {"itemInfoList": [{**TEE, "itemTotal": "0"}]}, "bad_quantity", "itemInfoList[0].itemTotal", id="0"
        ),
        pytest.param({"itemInfoList": [{**TEE, "itemTotal": "1.5"}]}, "bad_quantity", "itemTotal", id="half"),
        pytest.param({"itemInfoList": []}, "no_lines", "no lines", id="no lines"),
        pytest.param({"itemInfoList": {}}, "bad_value", "itemInfoList", id="no list"),
        pytest.param({"consigneeInfo": None}, "missing_field", "consigneeInfo.province", id="no receiver"),
        pytest.param({"consigneeInfo": [1]}, "bad_value", "consigneeInfo", id="odd receiver"),
        pytest.param({"orderId": "1"}, "bad_value", "orderId is 1, but the message is about", id="another order"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        order_with(**changes)

    assert caught.value.code == code
    assert field in str(caught.value.reason)


def test_another_currency_is_refused() -> None:
    with pytest.raises(Untranslatable, match="JD sells in CNY, but this channel in USD") as caught:
        jd.ADAPTER.translate(
            RawMessage("order", ORDER, 0, json.dumps(SAMPLE).encode()), Connection("JD", currency="USD")
        )

    assert caught.value.code == "wrong_currency"
