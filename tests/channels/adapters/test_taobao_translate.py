"""A TOP trade into the house language: tables of what each field becomes, and of what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import taobao
from channels.adapters.protocol import Connection, NotOffered, Pushed
from channels.messages import Address, IncomingLine, IncomingOrder, RawMessage, Untranslatable

SAMPLES = Path(taobao.__file__).parent / "samples"
TID = "3902211234567890123"
CONNECTION = Connection("TM")
PAID_AT = datetime(2026, 11, 23, 1, 5, 9, tzinfo=UTC)
MODIFIED_AT = datetime(2026, 11, 23, 1, 5, 10, tzinfo=UTC)


def sample() -> dict[str, Any]:
    return json.loads((SAMPLES / "fullinfo.json").read_bytes())["trade_fullinfo_get_response"]["trade"]


def read(trade: dict[str, Any] | bytes, connection: Connection = CONNECTION) -> IncomingOrder:
    payload = trade if isinstance(trade, bytes) else json.dumps(trade).encode()
    order = taobao.ADAPTER.translate(RawMessage("order", TID, 0, payload), connection)
    assert isinstance(order, IncomingOrder)
    return order


def changed(**fields: Any) -> dict[str, Any]:
    return sample() | fields


def with_line(**fields: Any) -> dict[str, Any]:
    trade = sample()
    trade["orders"]["order"][0].update(fields)
    return trade


def refusal(trade: dict[str, Any] | bytes, connection: Connection = CONNECTION) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        read(trade, connection)
    return caught.value.code, str(caught.value.reason)


def test_a_paid_trade_becomes_an_order_with_every_field() -> None:
    assert read(sample()) == IncomingOrder(
        external_id=TID,
        revision=1_795_395_910_000,
        placed_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        currency="CNY",
        lines=(
            IncomingLine(
                external_id="3902211234567890124",
                sku_code="TEE-RED-M",
                title="T恤",
                quantity=2,
                unit_price=Decimal("109.00"),
                discount=Decimal("18.00"),
            ),
        ),
        address=Address(
            province="浙江省",
            city="杭州市",
            district="余杭区",
            line="五常街道***",
            name="韩*",
            phone="*******0000",
            token="1aBcDeFgHiJk",
        ),
        paid_at=PAID_AT,
        shipping_amount=Decimal("6.00"),
        paid_amount=Decimal("206.00"),
        buyer_key="AAEaBcDeFgHi",
        buyer_name="t**1",
        buyer_note="请尽快发货",
        seller_note="老客户",
    )


@pytest.mark.parametrize(
    ("status", "is_paid", "is_held", "is_cancelled"),
    [
        ("TRADE_NO_CREATE_PAY", False, False, False),
        ("WAIT_BUYER_PAY", False, False, False),
        ("PAY_PENDING", False, False, False),
        ("WAIT_PRE_AUTH_CONFIRM", False, False, False),
        ("PAID_FORBID_CONSIGN", True, True, False),
        ("WAIT_SELLER_SEND_GOODS", True, False, False),
        ("SELLER_CONSIGNED_PART", True, False, False),
        ("WAIT_BUYER_CONFIRM_GOODS", True, False, False),
        ("TRADE_BUYER_SIGNED", True, False, False),
        ("TRADE_FINISHED", True, False, False),
        ("TRADE_CLOSED", True, False, True),
        ("TRADE_CLOSED_BY_TAOBAO", True, False, True),
    ],
)
def test_each_status_says_what_it_means(status: str, is_paid: bool, is_held: bool, is_cancelled: bool) -> None:
    order = read(changed(status=status))

    assert order.paid_at == (PAID_AT if is_paid else None)
    assert order.paid_amount == (Decimal("206.00") if is_paid else None)
    assert (order.must_not_ship is not None) is is_held
    assert order.cancelled_at == (MODIFIED_AT if is_cancelled else None)


def test_a_closed_trade_says_when_and_why_and_needs_no_address() -> None:
    trade = changed(status="TRADE_CLOSED_BY_TAOBAO", end_time="2026-11-23 09:04:00")
    del trade["receiver_state"], trade["pay_time"]

    order = read(trade)

    assert order.cancelled_at == datetime(2026, 11, 23, 1, 4, tzinfo=UTC)
    assert order.cancel_reason == "Closed on Taobao before payment"
    assert (order.paid_at, order.paid_amount, order.address.province) == (None, None, "")


@pytest.mark.parametrize(
    ("step", "is_held"),
    [("FRONT_NOPAID_FINAL_NOPAID", True), ("FRONT_PAID_FINAL_NOPAID", True), ("FRONT_PAID_FINAL_PAID", False)],
)
def test_a_presale_ships_only_after_its_final_payment(step: str, is_held: bool) -> None:
    assert (read(changed(step_trade_status=step)).must_not_ship is not None) is is_held


def test_a_deposit_is_what_was_paid_so_far() -> None:
    order = read(changed(status="WAIT_BUYER_PAY", step_trade_status="FRONT_PAID_FINAL_NOPAID", step_paid_fee="20.00"))

    assert (order.paid_at, order.paid_amount) == (None, Decimal("20.00"))
    assert str(order.must_not_ship) == "Presale: only the deposit is paid, the final payment is still to come."


@pytest.mark.parametrize("flag", ["forbid_consign", "top_hold", "team_buy_hold", "share_group_hold", "ofp_hold"])
def test_a_flag_of_the_platform_holds_the_trade(flag: str) -> None:
    assert read(changed(**{flag: 1})).must_not_ship is not None
    assert read(changed(**{flag: 0})).must_not_ship is None


def test_a_closed_line_is_cancelled_and_the_others_stay() -> None:
    trade = sample()
    first = trade["orders"]["order"][0]
    trade["orders"]["order"].append({**first, "oid": 5, "oid_str": "5", "status": "TRADE_CLOSED_BY_TAOBAO"})

    assert [(line.external_id, line.is_cancelled) for line in read(trade).lines] == [
        ("3902211234567890124", False),
        ("5", True),
    ]


@pytest.mark.parametrize(
    ("fields", "unit_price", "discount"),
    [
        pytest.param({}, "109.00", "18.00", id="divided fee"),
        pytest.param({"divide_order_fee": ""}, "109.00", "18.00", id="payment when the divided fee is empty"),
        pytest.param({"divide_order_fee": None, "payment": None}, "109.00", "8.00", id="total when both are missing"),
        pytest.param({"divide_order_fee": "0.00"}, "109.00", "218.00", id="a gift"),
        pytest.param({"divide_order_fee": "218.01"}, "109.01", "0.01", id="raised by the seller"),
        pytest.param({"num": "3", "divide_order_fee": "400"}, "133.34", "0.02", id="raised, not divisible"),
        pytest.param({"price": 109}, "109", "18.00", id="price as a number"),
    ],
)
def test_a_line_comes_to_what_the_buyer_pays(fields: dict[str, Any], unit_price: str, discount: str) -> None:
    line = read(with_line(**fields)).lines[0]

    assert (line.unit_price, line.discount) == (Decimal(unit_price), Decimal(discount))


def test_a_raised_price_leaves_a_remark() -> None:
    assert [str(remark) for remark in read(with_line(divide_order_fee="218.01")).remarks] == [
        "The price of orders[0] was raised to what the buyer pays for it."
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, "TEE-RED-M", id="the SKU's code"),
        pytest.param({"outer_sku_id": ""}, "TEE", id="the item's code"),
        pytest.param({"outer_sku_id": None, "outer_iid": None}, "5000000001", id="the platform's SKU id"),
        pytest.param({"outer_sku_id": "", "outer_iid": "", "sku_id": 77}, "77", id="as a number"),
    ],
)
def test_the_sku_is_named_by_the_first_code_there_is(fields: dict[str, Any], expected: str) -> None:
    assert read(with_line(**fields)).lines[0].sku_code == expected


def test_numbers_may_come_as_text() -> None:
    trade = changed(tid=int(TID), tid_str=None)
    trade["orders"]["order"][0].update(oid="3902211234567890124", oid_str=None, num="2", price="109.00")

    assert read(trade) == read(sample())


def test_a_simplified_list_of_orders_is_read_too() -> None:
    assert read(changed(orders=sample()["orders"]["order"])) == read(sample())


def test_a_masked_nick_is_nobodys_key() -> None:
    assert read(changed(buyer_open_uid="")).buyer_key == ""
    assert read(changed(buyer_open_uid="", buyer_nick="tom")).buyer_key == "tom"


def test_cash_on_delivery_is_ready_to_ship_with_a_remark() -> None:
    trade = changed(type="cod")
    del trade["pay_time"]

    order = read(trade)

    assert (order.paid_at, order.paid_amount) == (datetime(2026, 11, 23, 1, 0, tzinfo=UTC), None)
    assert [str(remark) for remark in order.remarks] == [
        "Cash on delivery: ready to ship although nothing is paid yet."
    ]


def test_control_characters_and_half_characters_go_and_emoji_stay() -> None:
    trade = changed(buyer_message="a\u0000b\u0007 👍 שלום", seller_memo="x\ud800y")

    order = read(trade)

    assert (order.buyer_note, order.seller_note) == ("ab 👍 שלום", "xy")
    assert [str(remark) for remark in order.remarks] == [
        "Control characters were taken out of buyer_message.",
        "Control characters were taken out of seller_memo.",
    ]


def test_a_long_title_is_cut_with_a_remark() -> None:
    order = read(with_line(title="长" * 201))

    assert order.lines[0].title == "长" * 200
    assert [str(remark) for remark in order.remarks] == ["orders[0].title was cut to 200 characters."]


@pytest.mark.parametrize(
    ("trade", "code", "words"),
    [
        pytest.param(b"{", "malformed_json", "The message is not JSON", id="not JSON"),
        pytest.param(b"\xff", "malformed_json", "The message is not JSON", id="not UTF-8"),
        pytest.param(b"[]", "not_an_object", "not a JSON object", id="a list"),
        pytest.param(b"null", "not_an_object", "not a JSON object", id="null"),
        pytest.param(changed(tid_str="", tid=None), "missing_field", "tid_str is missing.", id="no tid"),
        pytest.param(changed(tid_str="1"), "bad_value", "tid is 1, but the message is about", id="another tid"),
        pytest.param(changed(tid_str="", tid=1.5), "bad_value", "tid_str is 1.5", id="tid with a fraction"),
        pytest.param(changed(status=""), "missing_field", "status is missing.", id="no status"),
        pytest.param(changed(status="NEW_WORD"), "unknown_status", "status is NEW_WORD", id="unknown status"),
        pytest.param(changed(status=["x"]), "unknown_status", "status is ['x']", id="status as a list"),
        pytest.param(with_line(status="NEW"), "unknown_status", "orders[0].status is NEW", id="line's status"),
        pytest.param(changed(step_trade_status="NEW"), "unknown_status", "step_trade_status is NEW", id="unknown step"),
        pytest.param(changed(modified=""), "missing_field", "modified is missing.", id="no modified"),
        pytest.param(changed(created="23.11.2026"), "bad_time", "created is 23.11.2026", id="other time format"),
        pytest.param(changed(created="2026-02-30 00:00:00"), "bad_time", "created is", id="no such day"),
        pytest.param(changed(created="0001-01-01 00:00:00"), "bad_time", "created is", id="year 1"),
        pytest.param(changed(created=1795395910000), "bad_time", "created is 1795395910000", id="time as a number"),
        pytest.param(changed(pay_time=None), "missing_field", "pay_time is missing.", id="paid, but when"),
        pytest.param(changed(payment="-1"), "bad_price", "payment is -1", id="negative payment"),
        pytest.param(changed(payment=None), "missing_field", "payment is missing.", id="no payment"),
        pytest.param(changed(receiver_state=""), "missing_field", "receiver_state is missing.", id="no province"),
        pytest.param(
            changed(receiver_country="美国"), "unknown_country", "receiver_country is 美国", id="another country"
        ),
        pytest.param(changed(orders=None), "no_lines", "The order has no lines.", id="orders missing"),
        pytest.param(changed(orders={"order": []}), "no_lines", "The order has no lines.", id="no orders"),
        pytest.param(changed(orders="x"), "bad_value", "orders is x", id="orders as text"),
        pytest.param(changed(orders={"order": [7]}), "bad_value", "orders[0] is 7", id="an order that is a number"),
        pytest.param(with_line(num=0), "bad_quantity", "orders[0].num is 0", id="quantity 0"),
        pytest.param(with_line(num=-1), "bad_quantity", "orders[0].num is -1", id="negative quantity"),
        pytest.param(with_line(num="-1"), "bad_quantity", "orders[0].num is -1", id="negative quantity as text"),
        pytest.param(with_line(num=100_001), "bad_quantity", "orders[0].num is 100001", id="absurd quantity"),
        pytest.param(with_line(num=1.5), "bad_quantity", "orders[0].num is 1.5", id="half a piece"),
        pytest.param(with_line(num=True), "bad_quantity", "orders[0].num is True", id="quantity yes"),
        pytest.param(with_line(num=None), "missing_field", "orders[0].num is missing.", id="no quantity"),
        pytest.param(with_line(price="-0.01"), "bad_price", "orders[0].price is -0.01", id="negative price"),
        pytest.param(with_line(price="10000000.01"), "bad_price", "orders[0].price is", id="absurd price"),
        pytest.param(with_line(price="NaN"), "bad_price", "orders[0].price is NaN", id="price NaN"),
        pytest.param(with_line(price=None), "missing_field", "orders[0].price is missing.", id="no price"),
        pytest.param(with_line(oid_str="", oid=None), "missing_field", "orders[0].oid_str is missing.", id="no oid"),
        pytest.param(
            with_line(outer_sku_id="", outer_iid="", sku_id=""),
            "missing_field",
            "orders[0].outer_sku_id is missing.",
            id="no code at all",
        ),
        pytest.param(
            with_line(outer_sku_id="A\u0000B"), "bad_value", "orders[0].outer_sku_id is AB", id="NUL in a code"
        ),
        pytest.param(
            changed(orders={"order": sample()["orders"]["order"] * 2}),
            "duplicate_line",
            "orders[1].oid_str is 3902211234567890124, which another line has already.",
            id="the same line twice",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_field(
    trade: dict[str, Any] | bytes, code: str, words: str
) -> None:
    told = refusal(trade)

    assert (told[0], words in told[1]) == (code, True), told


def test_a_channel_in_another_currency_is_refused() -> None:
    assert refusal(sample(), Connection("TM", currency="USD")) == (
        "wrong_currency",
        "Taobao sells in CNY, but this channel in USD.",
    )


def test_a_trade_that_was_not_handed_out_is_refused_with_the_platforms_answer() -> None:
    code, words = refusal(b'{"error_response":{"code":15,"sub_code":"isv.trade-not-exist"}}')

    assert code == "not_fetched"
    assert words == (
        f"Taobao did not hand out {TID}: {{'error_response': {{'code': 15, 'sub_code': 'isv.trade-not-exist'}}}}"
    )


def test_nothing_is_pushed() -> None:
    with pytest.raises(NotOffered):
        taobao.ADAPTER.receive(Pushed(b"{}"), CONNECTION, at=datetime.now(UTC))
