"""What Youzan pushes: the worked vector, and who is let in."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.adapters import youzan
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received, Rejected
from channels.adapters.youzan import sign
from channels.simulators.youzan import Platform
from channels.simulators.youzan_orders import make_order

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MESSAGE = (
    "%7B%22tid%22%3A%22E20261123100000012345%22%2C%22status%22%3A%22WAIT_SELLER_SEND_GOODS%22%2C%22update_time%22%3A"
    "%222026-11-23%2010%3A00%3A00%22%7D"
)
DIGEST = "fb51a60e041147d2ee5ea3caa52f6b2f"
CREDENTIALS = {"client_id": "yzclient", "client_secret": "yzsecret", "grant_id": "55"}
CONNECTION = Connection("YZ", credentials=CREDENTIALS)
SUCCESS = b'{"code":0,"msg":"success"}'


def body(**fields: Any) -> dict[str, Any]:
    usual = {"client_id": "yzclient", "id": "E20261123100000012345", "kdt_id": 55, "type": "trade_TradePaid"}
    return {**usual, "test": False, "version": 1, "msg": MESSAGE, "sign": DIGEST, **fields}


def receive(told: Any, connection: Connection = CONNECTION) -> Received:
    payload = told if isinstance(told, bytes) else json.dumps(told).encode()
    return youzan.ADAPTER.receive(Pushed(payload), connection, at=AT)


def test_the_worked_vector() -> None:
    assert sign.signature("yzclient", MESSAGE, "yzsecret") == DIGEST


def test_a_push_names_the_order() -> None:
    assert receive(body()) == Received(wanted=("E20261123100000012345",), answer=SUCCESS)
    assert receive(body(type="trade_refund_RefundSuccess")).wanted == ("E20261123100000012345",)


def test_a_message_that_does_not_name_the_order_leaves_it_to_the_envelope() -> None:
    message = "%7B%7D"
    signed = sign.signature("yzclient", message, "yzsecret")

    assert receive(body(msg=message, sign=signed, id="E7")).wanted == ("E7",)
    assert receive(body(msg=message, sign=signed, id="")).wanted == ()
    assert receive(body(msg=message, sign=signed, id="no tid")).wanted == ()


def test_the_simulated_platforms_push_is_taken() -> None:
    platform = Platform()
    platform.add_order(make_order("E1", [], placed_at=AT))

    assert receive(platform.pushed("trade_TradeCreate", "E1")).wanted == ("E1",)


def test_other_news_and_heartbeats_want_nothing() -> None:
    assert receive(body(type="ITEM_INFO")) == Received(answer=SUCCESS)
    assert receive({"test": True}) == Received(answer=SUCCESS)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(body(sign="0" * 32), id="signature"),
        pytest.param(body(sign=None), id="no signature"),
        pytest.param(body(sign="é\ud800"), id="signature in letters"),
        pytest.param(body(msg=MESSAGE.replace("%20", "+")), id="message encoded anew"),
        pytest.param(body(msg='{"tid":"E1"}'), id="message decoded"),
        pytest.param(body(msg=None), id="no message"),
        pytest.param(body(msg="\ud800"), id="half a character"),
        pytest.param(body(client_id="other"), id="another application"),
        pytest.param(body(test="true", sign=""), id="test in words"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_signed_by_the_platform_is_refused(told: Any) -> None:
    with pytest.raises(NotAuthentic):
        receive(told)


def test_a_channel_without_a_secret_accepts_nobody() -> None:
    signed = sign.signature("yzclient", MESSAGE, "")

    with pytest.raises(NotAuthentic):
        receive(body(sign=signed), Connection("YZ", credentials={"client_id": "yzclient"}))


def test_another_shops_push_is_refused_although_it_is_signed() -> None:
    with pytest.raises(Rejected, match="The push is about shop 56, not about this channel's."):
        receive(body(kdt_id=56))
