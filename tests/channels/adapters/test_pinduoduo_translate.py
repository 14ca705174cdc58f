"""Pinduoduo orders become the house language, exactly, or are refused in words."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import pinduoduo, signing
from channels.adapters.pinduoduo import sign, translate
from channels.adapters.protocol import Connection
from channels.messages import Address, IncomingLine, IncomingOrder, RawMessage, Untranslatable

ORDER = "261123-123456789012345"
PDD = Connection("PDD")
SAMPLE = json.loads((Path(translate.__file__).parent / "samples/order.json").read_text("utf-8"))
[TEE] = SAMPLE["item_list"]
CHANGED = 1_795_395_631_000
NO_RECEIVER = {name: "" for name in SAMPLE if name.startswith("receiver_") or name in ("province", "city", "town")}


def read(payload: bytes, connection: Connection = PDD) -> IncomingOrder:
    order = pinduoduo.ADAPTER.translate(RawMessage("order", ORDER, 0, payload), connection)
    assert isinstance(order, IncomingOrder)
    return order


def order_with(**changes: Any) -> IncomingOrder:
    return read(json.dumps(SAMPLE | changes).encode())


def test_calls_are_signed_as_the_worked_example() -> None:
    parameters = {
        "type": "pdd.order.number.list.increment.get",
        "client_id": "pddclient",
        "access_token": "pddtok",
        "timestamp": "1795399200",
        "data_type": "JSON",
        "version": "V1",
        "start_updated_at": "1795397400",
        "end_updated_at": "1795399020",
        "is_lucky_flag": "1",
        "order_status": "5",
        "refund_status": "5",
        "page": "1",
        "page_size": "100",
        "use_has_next": "true",
    }

    assert signing.md5_of_pairs(parameters, "pddsecret") == "F6E7F3531CE676C9A0FF64E9A8593DDD"


def test_the_message_socket_is_signed_as_the_worked_example() -> None:
    path = sign.socket_path("pddclient", "pddsecret", milliseconds=1795399200000)

    assert path == "/message/pddclient/1795399200000/MjgwNzkxMjYwZjkxMjUzYTM2MDNkNjYzYTc0MGNmYjE="


def test_an_order_is_read_exactly() -> None:
    assert order_with() == IncomingOrder(
        external_id=ORDER,
        revision=CHANGED + 11,
        placed_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        currency="CNY",
        lines=(IncomingLine("987654321", "TEE-RED-M", "T恤", 2, Decimal(109), Decimal(18)),),
        address=Address(
            "浙江省",
            "杭州市",
            "余杭区",
            "五常街道***",
            name="韩*",
            phone="138****0000",
            token="~AgAAA~\n$AgAAB$\n~AgAAC~",
        ),
        paid_at=datetime(2026, 11, 23, 1, 0, 10, tzinfo=UTC),
        shipping_amount=Decimal(6),
        paid_amount=Decimal(206),
        buyer_note="周末送",
        seller_note="老客户",
        ship_by=datetime(2026, 11, 25, 1, 0, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("changes", "held", "is_cancelled", "is_shipped", "rank"),
    [
        pytest.param({}, None, False, False, 11, id="to ship"),
        pytest.param({"order_status": 2}, None, False, True, 21, id="shipped"),
        pytest.param({"order_status": 3}, None, False, True, 31, id="done"),
        pytest.param({"confirm_status": 0}, "The group buy is still forming.", False, False, 11, id="not made"),
        pytest.param({"group_status": 0}, "The group buy is still forming.", False, False, 11, id="forming"),
        pytest.param({"group_status": 2}, "The group buy has failed.", False, False, 11, id="failed"),
        pytest.param({"confirm_status": 2}, None, True, False, 41, id="cancelled"),
        pytest.param({"refund_status": 4}, None, True, False, 44, id="refunded"),
        pytest.param({"order_status": 2, "refund_status": 4}, None, False, True, 24, id="refunded after shipping"),
        pytest.param(
            {"risk_control_status": 1},
            "Pinduoduo is reviewing this order's risk: it may not ship yet.",
            False,
            False,
            11,
            id="under review",
        ),
        pytest.param(
            {"refund_status": 2},
            "The buyer has asked for a refund: it must not ship until that is decided.",
            False,
            False,
            12,
            id="refund asked",
        ),
        pytest.param(
            {"refund_status": 3},
            "The buyer has asked for a refund: it must not ship until that is decided.",
            False,
            False,
            13,
            id="refund underway",
        ),
        pytest.param({"gift_order_status": 0}, "Nobody has accepted this gift yet.", False, False, 11, id="gift"),
        pytest.param({"gift_order_status": 2}, None, False, False, 11, id="gift accepted"),
        pytest.param(
            {"order_tag_list": [{"name": "no_trace_delivery", "value": 1}, {"name": "ship_hold", "value": "1"}]},
            "Pinduoduo has tagged this order to be held.",
            False,
            False,
            11,
            id="tagged",
        ),
        pytest.param(
            {"trade_type": 1, "step_order_info": {"step_trade_status": 0}},
            "Presale: the deposit is not paid yet.",
            False,
            False,
            11,
            id="deposit not paid",
        ),
        pytest.param(
            {"trade_type": 1, "step_order_info": {"step_trade_status": 1}},
            "Presale: only the deposit is paid, the final payment is still to come.",
            False,
            False,
            11,
            id="deposit only",
        ),
        pytest.param(
            {"trade_type": 1, "step_order_info": {"step_trade_status": 2}}, None, False, False, 11, id="presale paid"
        ),
        pytest.param({"order_status": "1", "refund_status": "1"}, None, False, False, 11, id="numbers as texts"),
    ],
)
def test_what_the_statuses_mean_together(
    changes: dict[str, Any], held: str | None, is_cancelled: bool, is_shipped: bool, rank: int
) -> None:
    order = order_with(**changes)

    assert (str(order.must_not_ship) if order.must_not_ship else None) == held
    assert (order.cancelled_at is not None, order.lines[0].is_cancelled) == (is_cancelled, is_cancelled)
    assert (order.shipped_at is not None, order.revision) == (is_shipped, CHANGED + rank)


def test_a_cancelled_order_says_why_and_needs_no_place() -> None:
    refunded, cancelled = order_with(refund_status=4, **NO_RECEIVER), order_with(confirm_status=2, pay_time="")

    assert (refunded.cancel_reason, refunded.address) == ("Refunded on Pinduoduo", Address(""))
    assert (cancelled.cancel_reason, cancelled.address.city) == ("Cancelled on Pinduoduo", "杭州市")
    assert refunded.cancelled_at == datetime(2026, 11, 23, 1, 0, 31, tzinfo=UTC)


def test_an_order_under_review_hides_its_receiver() -> None:
    order = order_with(risk_control_status=1, **NO_RECEIVER)

    assert (order.address, order.must_not_ship is None) == (Address(""), False)


def test_a_deposit_may_be_unpaid() -> None:
    order = order_with(pay_time="", confirm_time="", trade_type=1, step_order_info={"step_trade_status": 0})

    assert (order.paid_at, order.paid_amount) == (None, None)


def test_when_it_was_shipped_is_told() -> None:
    order = order_with(order_status=2, shipping_time="2026-11-23 10:00:00")

    assert order.shipped_at == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amounts", "shares"),
    [
        pytest.param({"goods_amount": 218, "discount_amount": 18}, ["12.00", "6.00"], id="shared out by amount"),
        pytest.param({"goods_amount": 216.99, "discount_amount": 0}, ["0.67", "0.34"], id="price was changed"),
        pytest.param({"goods_amount": "218.00", "discount_amount": "218"}, ["145.34", "72.66"], id="everything"),
        pytest.param({"goods_amount": 218, "discount_amount": None}, ["0.00", "0"], id="no discount"),
    ],
)
def test_discounts_add_up_to_the_orders(amounts: dict[str, Any], shares: list[str]) -> None:
    lines = [TEE | {"goods_price": 72.67}, TEE | {"goods_price": 72.66, "goods_count": 1}]

    order = order_with(item_list=lines, **amounts)

    assert [line.external_id for line in order.lines] == ["987654321", "987654321-2"]
    assert [line.discount for line in order.lines] == [Decimal(share) for share in shares]


def test_amounts_are_read_exactly() -> None:
    payload = json.dumps(SAMPLE).replace("109.0,", "109.10,").replace('"goods_amount": 218.0', '"goods_amount": 218.20')

    assert read(payload.encode()).lines[0].unit_price == Decimal("109.10")


@pytest.mark.parametrize(
    ("codes", "sku_code"),
    [({"outer_id": ""}, "TEE"), ({"outer_id": "", "outer_goods_id": ""}, "987654321"), ({}, "TEE-RED-M")],
)
def test_the_sellers_code_comes_first(codes: dict[str, Any], sku_code: str) -> None:
    assert order_with(item_list=[TEE | codes]).lines[0].sku_code == sku_code


def test_what_is_not_read_leaves_a_remark() -> None:
    order = order_with(buyer_memo="a\u0001b", gift_list=[{"goods_id": 1}])

    assert (order.buyer_note, [str(remark) for remark in order.remarks]) == (
        "ab",
        [
            "Control characters were taken out of buyer_memo.",
            "Pinduoduo sends gifts along that are not among the lines.",
        ],
    )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        pytest.param({"order_status": 0}, "unknown_status", "order_status is 0", id="status"),
        pytest.param({"order_status": None}, "unknown_status", "order_status", id="no status"),
        pytest.param({"confirm_status": 7}, "unknown_status", "confirm_status is 7", id="confirm status"),
        pytest.param({"group_status": 7}, "unknown_status", "group_status is 7", id="group status"),
        pytest.param({"refund_status": 9}, "unknown_status", "refund_status is 9", id="refund status"),
        pytest.param({"risk_control_status": 2}, "unknown_status", "risk_control_status is 2", id="risk status"),
        pytest.param(
            {"trade_type": 1, "step_order_info": {"step_trade_status": 3}}, "unknown_status", "step_trade", id="step"
        ),
        pytest.param({"trade_type": 1}, "bad_value", "step_order_info", id="presale without its step"),
        pytest.param({"pay_time": "", "confirm_time": ""}, "missing_field", "pay_time", id="paid without a time"),
        pytest.param({"updated_at": ""}, "missing_field", "updated_at", id="no modification time"),
        pytest.param({"created_time": "yesterday"}, "bad_time", "created_time", id="time"),
        pytest.param({"goods_amount": None}, "missing_field", "goods_amount", id="no amount"),
        pytest.param({"goods_amount": 300}, "bad_price", "item_list[0].discount is -64", id="more than the goods"),
        pytest.param({"pay_amount": -1}, "bad_price", "pay_amount", id="negative amount"),
        pytest.param({"item_list": [TEE | {"goods_count": 0}]}, "bad_quantity", "item_list[0].goods_count", id="none"),
        pytest.param({"item_list": None}, "no_lines", "no lines", id="no lines"),
        pytest.param({"province": ""}, "missing_field", "province", id="no place"),
        pytest.param({"order_sn": "1"}, "bad_value", "order_sn is 1, but the message is about", id="another order"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        order_with(**changes)

    assert caught.value.code == code
    assert field in str(caught.value.reason)


def test_another_currency_is_refused() -> None:
    with pytest.raises(Untranslatable, match="Pinduoduo sells in CNY, but this channel in USD"):
        read(json.dumps(SAMPLE).encode(), Connection("PDD", currency="USD"))
