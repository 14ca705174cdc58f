"""A WeChat Shop order or after-sale into the house language: what each field becomes, and what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import wechat_shop
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

SAMPLES = Path(wechat_shop.__file__).parent / "samples"
ORDER_ID = "3705115058471208928"
CONNECTION = Connection("WX")
PLACED_AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PAID_AT = datetime(2026, 11, 23, 1, 5, 10, tzinfo=UTC)
UPDATED_AT = datetime(2026, 11, 23, 1, 5, 15, tzinfo=UTC)


def sample(name: str = "order") -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def translate(answer: dict[str, Any] | bytes, kind: str = "order", connection: Connection = CONNECTION) -> Any:
    payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return wechat_shop.ADAPTER.translate(RawMessage(kind, ORDER_ID, 0, payload), connection)


def changed(**fields: Any) -> dict[str, Any]:
    answer = sample()
    answer["order"].update(fields)
    return answer


def inside(*path: str, **fields: Any) -> dict[str, Any]:
    """Return the sample with fields changed in an object of its detail."""
    answer = sample()
    place = answer["order"]["order_detail"]
    for name in path:
        place = place[name]
    place.update(fields)
    return answer


def with_line(**fields: Any) -> dict[str, Any]:
    answer = sample()
    answer["order"]["order_detail"]["product_infos"][0].update(fields)
    return answer


def refund(**fields: Any) -> dict[str, Any]:
    answer = sample("aftersale")
    answer["after_sale_order"].update(fields)
    return answer


def refusal(
    answer: dict[str, Any] | bytes, kind: str = "order", connection: Connection = CONNECTION
) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        translate(answer, kind, connection)
    return caught.value.code, str(caught.value.reason)


def test_a_paid_order_has_every_field() -> None:
    assert translate(sample()) == IncomingOrder(
        external_id=ORDER_ID,
        revision=1_795_395_915_020,
        placed_at=PLACED_AT,
        currency="CNY",
        lines=(
            IncomingLine(
                external_id="10000001:20000001",
                sku_code="TEE-RED-M",
                title="T恤",
                quantity=2,
                unit_price=Decimal("109.00"),
                discount=Decimal("18.00"),
            ),
        ),
        address=Address(
            province="浙江省", city="杭州市", district="余杭区", line="***", name="韩*", phone="138****0000", token="h1"
        ),
        paid_at=PAID_AT,
        shipping_amount=Decimal("6.00"),
        paid_amount=Decimal("206.00"),
        buyer_key="oAbc",
        buyer_note="请尽快发货",
        seller_note="老客户",
        ship_by=datetime(2026, 11, 25, 1, 5, 15, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "is_paid", "hold", "has_shipped", "reason"),
    [
        (10, False, "", False, ""),
        (12, True, "A gift that nobody has accepted yet.", False, ""),
        (13, True, "A group buy that is still forming.", False, ""),
        (20, True, "", False, ""),
        (21, True, "", True, ""),
        (30, True, "", True, ""),
        (100, True, "", True, ""),
        (190, True, "", False, "Cancelled by the shop: sold out"),
        (200, True, "", False, "Cancelled after all items were refunded"),
        (250, True, "", False, "Cancelled"),
    ],
)
def test_each_status_says_what_it_means(status: int, is_paid: bool, hold: str, has_shipped: bool, reason: str) -> None:
    order = translate(changed(status=status))

    assert order.paid_at == (PAID_AT if is_paid else None)
    assert order.paid_amount == (Decimal("206.00") if is_paid else None)
    assert (str(order.must_not_ship) if order.must_not_ship else "") == hold
    assert order.shipped_at == (UPDATED_AT if has_shipped else None)
    assert (order.cancelled_at, order.cancel_reason) == (UPDATED_AT if reason else None, reason)


def test_an_order_that_is_paid_later_is_ready_to_ship_and_has_paid_nothing() -> None:
    order = translate(inside("pay_info", payment_method=2))

    assert (order.paid_at, order.paid_amount) == (PAID_AT, None)
    assert [str(remark) for remark in order.remarks] == [
        "The buyer pays later: ready to ship although nothing is paid yet."
    ]
    assert translate(inside("pay_info", payment_method=1)) == translate(sample())


def test_a_group_that_is_still_forming_need_not_have_paid() -> None:
    answer = inside("pay_info", pay_time=None)
    answer["order"]["status"] = 13

    assert (translate(answer).paid_at, translate(answer).paid_amount) == (None, None)


def test_goods_left_when_the_first_parcel_left_or_the_last_one_was_done() -> None:
    parcels = [{"delivery_time": 1795396000}, {"delivery_time": 1795397000}]
    part = inside("delivery_info", delivery_product_info=parcels)
    part["order"]["status"] = 21
    done = inside("delivery_info", delivery_product_info=parcels, ship_done_time=1795397001)
    done["order"]["status"] = 30

    assert translate(part).shipped_at == datetime(2026, 11, 23, 1, 6, 40, tzinfo=UTC)
    assert translate(done).shipped_at == datetime(2026, 11, 23, 1, 23, 21, tzinfo=UTC)


def test_an_order_that_was_never_paid_needs_no_address() -> None:
    answer = inside("delivery_info", address_info=None)
    answer["order"].update(status=250)
    answer["order"]["order_detail"]["pay_info"] = {}

    order = translate(answer)

    assert (order.paid_at, order.paid_amount) == (None, None)
    assert (order.cancelled_at, order.address) == (UPDATED_AT, Address(""))


@pytest.mark.parametrize(
    ("fields", "unit_price", "discount"),
    [
        pytest.param({}, "109.00", "18.00", id="what the buyer pays"),
        pytest.param({"real_price": 0}, "109.00", "218.00", id="free"),
        pytest.param({"real_price": None}, "109.00", "0", id="not told"),
        pytest.param({"real_price": 21801}, "109.01", "0.01", id="raised by the shop"),
        pytest.param({"sale_price": 1, "real_price": 1, "sku_cnt": 1}, "0.01", "0.00", id="one fen"),
        pytest.param({"sale_price": 3333, "real_price": 9999, "sku_cnt": 3}, "33.33", "0.00", id="not divisible"),
    ],
)
def test_fen_become_yuan_exactly(fields: dict[str, Any], unit_price: str, discount: str) -> None:
    line = translate(with_line(**fields)).lines[0]

    assert (line.unit_price, line.discount) == (Decimal(unit_price), Decimal(discount))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "TEE-RED-M"),
        ({"sku_code": ""}, "20000001"),
        ({"sku_code": None, "out_sku_id": "OUT-1"}, "OUT-1"),
        ({"sku_code": "", "sku_id": 77}, "77"),
    ],
)
def test_the_sku_is_named_by_the_first_code_there_is(fields: dict[str, Any], expected: str) -> None:
    assert translate(with_line(**fields)).lines[0].sku_code == expected


def test_numbers_and_texts_name_the_same_order() -> None:
    assert translate(changed(order_id=int(ORDER_ID))) == translate(sample())
    assert translate(with_line(product_id=10000001, sku_id=20000001)) == translate(sample())


def test_a_gift_of_the_same_sku_is_a_line_of_its_own() -> None:
    answer = sample()
    lines = answer["order"]["order_detail"]["product_infos"]
    lines.append({**lines[0], "is_free_gift": True, "real_price": 0, "sku_cnt": 1})

    assert [(line.external_id, line.quantity) for line in translate(answer).lines] == [
        ("10000001:20000001", 2),
        ("10000001:20000001:gift", 1),
    ]


@pytest.mark.parametrize(("back", "status", "is_cancelled"), [(1, 20, False), (2, 20, True), (2, 30, False)])
def test_a_line_is_cancelled_when_all_of_it_came_back_before_it_was_shipped(
    back: int, status: int, is_cancelled: bool
) -> None:
    answer = with_line(finish_aftersale_sku_cnt=back)
    answer["order"]["status"] = status

    assert translate(answer).lines[0].is_cancelled is is_cancelled


def test_a_receiver_in_full_needs_no_token() -> None:
    info = {"user_name": "韩梅", "province_name": "浙江省", "detail_info": "文三路 1 号", "house_number": "2 幢"}
    answer = inside("delivery_info", address_info={**info, "virtual_order_tel_number": "13800000000", "hash_code": "h"})

    assert translate(answer).address == Address("浙江省", "", "", "文三路 1 号2 幢", "CN", "韩梅", "13800000000", "")


def test_control_characters_go_with_a_remark() -> None:
    order = translate(inside("ext_info", customer_notes="a\u0000b 👍"))

    assert order.buyer_note == "ab 👍"
    assert [str(remark) for remark in order.remarks] == ["Control characters were taken out of customer_notes."]


def test_a_raised_price_leaves_a_remark() -> None:
    assert [str(remark) for remark in translate(with_line(real_price=21801)).remarks] == [
        "The price of product_infos[0] was raised to what the buyer pays for it."
    ]


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param(b"{", "malformed_json", "The message is not JSON", id="not JSON"),
        pytest.param({"errcode": 100002, "errmsg": "no"}, "not_fetched", "did not hand out 3705", id="refused"),
        pytest.param({"errcode": 0}, "missing_field", "order is missing.", id="no order"),
        pytest.param(changed(order_id=""), "missing_field", "order_id is missing.", id="no id"),
        pytest.param(changed(order_id=5), "bad_value", "order_id is 5, but the message is about", id="another order"),
        pytest.param(changed(order_id=1.5), "bad_value", "order_id is 1.5", id="id with a fraction"),
        pytest.param(changed(status=14), "unknown_status", "status is 14", id="unknown status"),
        pytest.param(changed(status=20.0), "unknown_status", "status is 20.0", id="status with a fraction"),
        pytest.param(changed(status=None), "unknown_status", "status is None", id="no status"),
        pytest.param(changed(update_time=None), "missing_field", "update_time is missing.", id="no time of update"),
        pytest.param(changed(create_time=0), "missing_field", "create_time is missing.", id="time 0"),
        pytest.param(changed(create_time=-5), "bad_time", "create_time is 1969-12-31T23:59:55", id="negative time"),
        pytest.param(changed(create_time=17953956000), "bad_time", "create_time is 2538-12-09", id="time too long"),
        pytest.param(inside("pay_info", pay_time=0), "missing_field", "pay_time is missing.", id="paid, but when"),
        pytest.param(inside("price_info", order_price=-1), "bad_price", "order_price is -0.01", id="negative"),
        pytest.param(inside("price_info", freight=1.5), "bad_price", "freight is 1.5 fen", id="half a fen"),
        pytest.param(inside("price_info", freight="6.0"), "bad_price", "freight is 6.0 fen", id="money as text"),
        pytest.param(
            inside("delivery_info", address_info={}), "missing_field", "province_name is missing.", id="no province"
        ),
        pytest.param(inside(product_infos=[]), "no_lines", "The order has no lines.", id="no lines"),
        pytest.param(inside(product_infos=7), "bad_value", "product_infos is 7", id="lines as a number"),
        pytest.param(inside(product_infos=[7]), "bad_value", "product_infos[0] is 7", id="a line as a number"),
        pytest.param(with_line(sku_cnt=0), "bad_quantity", "product_infos[0].sku_cnt is 0", id="quantity 0"),
        pytest.param(with_line(sku_cnt=-1), "bad_quantity", "product_infos[0].sku_cnt is -1", id="negative quantity"),
        pytest.param(with_line(sku_cnt=100_001), "bad_quantity", "sku_cnt is 100001", id="absurd quantity"),
        pytest.param(with_line(sale_price=-1), "bad_price", "product_infos[0].sale_price is -0.01", id="price"),
        pytest.param(with_line(sale_price=10**10), "bad_price", "sale_price is", id="absurd price"),
        pytest.param(with_line(sku_id=""), "missing_field", "product_infos[0].sku_id is missing.", id="no SKU id"),
        pytest.param(with_line(sku_code="A\u0000"), "bad_value", "sku_code is A", id="NUL in a code"),
        pytest.param(
            inside(product_infos=sample()["order"]["order_detail"]["product_infos"] * 2),
            "duplicate_line",
            "10000001:20000001, which another line has already",
            id="the same line twice",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_field(
    answer: dict[str, Any] | bytes, code: str, words: str
) -> None:
    told = refusal(answer)

    assert (told[0], words in told[1]) == (code, True), told


def test_a_channel_in_another_currency_is_refused() -> None:
    assert refusal(sample(), connection=Connection("WX", currency="USD"))[0] == "wrong_currency"
    assert refusal(refund(), "refund", Connection("WX", currency="USD"))[0] == "wrong_currency"


def test_an_after_sale_has_every_field() -> None:
    assert translate(refund(), "refund") == IncomingRefund(
        external_id=ORDER_ID,
        refund_id="4000000000001017",
        revision=1_795_396_060_017,
        state=RefundState.ASKED,
        amount=Decimal("100.00"),
        currency="CNY",
        lines=(RefundedLine("10000001:20000001", 1),),
        reason="拍错了",
        goods_come_back=False,
        asked_at=datetime(2026, 11, 23, 1, 6, 40, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("MERCHANT_PROCESSING", "asked"),
        ("USER_WAIT_CONFIRM", "asked"),
        ("USER_WAIT_CONFIRM_UPDATE", "asked"),
        ("USER_WAIT_HANDLE_MERCHANT_AFTER_SALE", "asked"),
        ("USER_WAIT_RETURN", "agreed"),
        ("MERCHANT_WAIT_RECEIPT", "agreed"),
        ("MERCHANT_OVERDUE_REFUND", "agreed"),
        ("PLATFORM_REFUNDING", "agreed"),
        ("PLATFORM_REFUND_FAIL", "agreed"),
        ("MERCHANT_REFUND_RETRY_FAIL", "agreed"),
        ("MERCHANT_REFUND_SUCCESS", "refunded"),
        ("MERCHANT_RETURN_SUCCESS", "refunded"),
        ("USER_CANCELD", "closed"),
        ("MERCHANT_REJECT_REFUND", "closed"),
        ("MERCHANT_REJECT_RETURN", "closed"),
        ("RETURN_CLOSED", "closed"),
        ("MERCHANT_FAIL", "closed"),
    ],
)
def test_each_word_of_an_after_sale_is_a_state(status: str, state: str) -> None:
    assert translate(refund(status=status, type="RETURN"), "refund").state == state


def test_a_return_brings_goods_back() -> None:
    assert translate(refund(type="RETURN"), "refund").goods_come_back is True


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param(refund(status="NEW"), "unknown_status", "status is NEW", id="unknown status"),
        pytest.param(refund(product_info=None), "missing_field", "product_info is missing.", id="no product"),
        pytest.param(refund(refund_info={"amount": -1}), "bad_price", "amount is -0.01", id="negative"),
        pytest.param(refund(update_time=None), "missing_field", "update_time is missing.", id="no time"),
        pytest.param(refund(order_id=None), "missing_field", "order_id is missing.", id="no order"),
        pytest.param({"errcode": 100002}, "not_fetched", "did not hand out 3705", id="refused"),
    ],
)
def test_an_after_sale_that_cannot_be_understood_is_refused(answer: dict[str, Any], code: str, words: str) -> None:
    told = refusal(answer, "refund")

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


@pytest.mark.parametrize(("name", "kind"), [("order", "order"), ("aftersale", "refund")])
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
