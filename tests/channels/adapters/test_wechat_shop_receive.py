"""What WeChat pushes: the worked vectors, and who is let in."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapters import wechat_shop
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.adapters.wechat_shop import sign
from channels.simulators import wechat_shop_gate as gate
from channels.simulators.wechat_shop import Platform

ADAPTER = wechat_shop.ADAPTER
AT = datetime.fromtimestamp(1795399200, UTC)
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wxappid0001"
MESSAGE = (
    '{"ToUserName":"gh_1","CreateTime":1795399200,"MsgType":"event","Event":"channels_ec_order_pay",'
    '"order_info":{"order_id":3705115058471208928,"pay_time":1795399190}}'
)
SEALED = (
    "Q3stYC6hdFzMh9T8HCvyDIdbOGId4nP63Pzhqh99q7NwlYHjqofsVk6g383kYd9CjO+3VOn5CXtg5KTwhMqEbP3cNQ1FmwoVOUcK5ulhUjax4Axp"
    "EoLHjQIO8Oa8oOxcHEWXW1fd+tX8SgE0ubwfBAAEJ1bu8rQ+qqXr6MVAUkm1WRdVRtI2LkSQ3xVEBlS1fmkI+/n8x0PsILUHSKqgyFLVxPbYB+1z"
    "EKNT4CG01xbFv5ho4x/kxAhA4RihvSx1Uqc1RIvxHMHwVdTW0O+EZCYohXzFQvXUrOnQC7jojk4="
)
QUERY = {
    "timestamp": "1795399200",
    "nonce": "nonce1",
    "encrypt_type": "aes",
    "msg_signature": "31c9276954f86ac1ec85e2f0f6615069f56091b6",
}
PLAIN_SIGNATURE = "cc579fc4cd8f9db3bf1f8f3bdda1fcb23531fedc"
PLAIN_QUERY = {"timestamp": "1795399200", "nonce": "nonce1", "signature": PLAIN_SIGNATURE}
CONNECTION = Connection("WX", credentials={"token": "tok123", "encoding_aes_key": AES_KEY, "appid": APPID})
OPEN = Connection("WX", credentials={"token": "tok123"})


def pushed(body: Any = None, **query: str) -> Pushed:
    sealed = body if isinstance(body, bytes) else json.dumps({"ToUserName": "gh_1", "Encrypt": body or SEALED}).encode()
    return Pushed(sealed, query={**QUERY, **query})


def receive(request: Pushed, connection: Connection = CONNECTION, at: datetime = AT) -> Received:
    return ADAPTER.receive(request, connection, at=at)


def test_the_worked_vectors() -> None:
    assert sign.signature("tok123", "1795399200", "nonce1") == PLAIN_SIGNATURE
    assert sign.signature("tok123", "1795399200", "nonce1", SEALED) == QUERY["msg_signature"]
    assert sign.opened(SEALED, aes_key=AES_KEY, appid=APPID).decode() == MESSAGE
    assert gate.seal(MESSAGE.encode(), aes_key=AES_KEY, appid=APPID, noise=b"0123456789abcdef") == SEALED


def test_a_sealed_push_names_the_order_and_keeps_all_its_digits() -> None:
    assert receive(pushed()) == Received(wanted=("3705115058471208928",), answer=b"success", content_type="text/plain")


def test_a_sealed_push_may_come_as_xml() -> None:
    body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{SEALED}]]></Encrypt></xml>".encode()

    assert receive(pushed(body)).wanted == ("3705115058471208928",)


def test_a_message_in_xml_names_the_order_too() -> None:
    inner = (
        b"<xml><Event><![CDATA[channels_ec_order_new]]></Event><order_info>"
        b"<order_id>3705115058471208928</order_id></order_info></xml>"
    )
    sealed = gate.seal(inner, aes_key=AES_KEY, appid=APPID)
    signed = gate.signature("tok123", "1795399200", "nonce1", sealed)

    assert receive(pushed(sealed, msg_signature=signed)).wanted == ("3705115058471208928",)


def test_the_simulated_platforms_push_is_taken() -> None:
    platform = Platform(clock=lambda: AT)
    body, query = platform.pushed("channels_ec_aftersale_update", "9007199254740993")

    assert receive(Pushed(body, query=query)).wanted == ("9007199254740993",)


def test_an_event_about_something_else_wants_nothing() -> None:
    sealed = gate.seal(b'{"Event":"product_spu_update","ProductSpu":{"product_id":1}}', aes_key=AES_KEY, appid=APPID)
    signed = gate.signature("tok123", "1795399200", "nonce1", sealed)

    assert receive(pushed(sealed, msg_signature=signed)) == Received(answer=b"success", content_type="text/plain")


def test_the_address_is_tried_with_a_get() -> None:
    query = {**PLAIN_QUERY, "echostr": "5123"}

    assert receive(Pushed(b"", query=query, method="GET")) == Received(answer=b"5123", content_type="text/plain")
    with pytest.raises(NotAuthentic):
        receive(Pushed(b"", query={**query, "signature": "0" * 40}, method="GET"))


def test_a_channel_without_a_key_takes_open_pushes() -> None:
    assert receive(Pushed(MESSAGE.encode(), query=PLAIN_QUERY), OPEN).wanted == ("3705115058471208928",)


def test_a_channel_with_a_key_takes_no_open_push() -> None:
    with pytest.raises(NotAuthentic):
        receive(Pushed(MESSAGE.encode(), query=PLAIN_QUERY))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(pushed(msg_signature="0" * 40), id="signature"),
        pytest.param(pushed(msg_signature=""), id="no signature"),
        pytest.param(pushed(msg_signature="é"), id="signature in letters"),
        pytest.param(pushed(nonce="nonce2"), id="nonce"),
        pytest.param(pushed(SEALED[:-4]), id="cut"),
        pytest.param(pushed(b"{}"), id="empty"),
        pytest.param(pushed(b"[]"), id="a list"),
        pytest.param(pushed(b"\xff"), id="no text"),
        pytest.param(pushed(b'{"Encrypt":"\\ud800"}'), id="half a character"),
        pytest.param(pushed(timestamp=""), id="no time"),
        pytest.param(pushed(timestamp="now"), id="time in words"),
    ],
)
def test_what_is_not_signed_by_the_platform_is_refused(request_: Pushed) -> None:
    with pytest.raises(NotAuthentic):
        receive(request_)


@pytest.mark.parametrize(("minutes", "is_taken"), [(-10, True), (10, True), (-11, False), (11, False)])
def test_a_push_that_is_too_old_or_too_new_is_refused(minutes: int, is_taken: bool) -> None:
    at = AT + timedelta(minutes=minutes)
    if is_taken:
        assert receive(pushed(), at=at).wanted
        return
    with pytest.raises(NotAuthentic):
        receive(pushed(), at=at)


@pytest.mark.parametrize(
    "credentials",
    [
        {"token": "", "encoding_aes_key": AES_KEY, "appid": APPID},
        {"token": "other", "encoding_aes_key": AES_KEY, "appid": APPID},
        {"token": "tok123", "encoding_aes_key": "A" * 43, "appid": APPID},
        {"token": "tok123", "encoding_aes_key": "short", "appid": APPID},
        {"token": "tok123", "encoding_aes_key": AES_KEY, "appid": "another"},
    ],
    ids=["no token", "another token", "another key", "no key at all", "another app"],
)
def test_another_channels_push_is_refused(credentials: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        receive(pushed(), Connection("WX", credentials=credentials))


@given(plain=st.binary(max_size=96))
def test_nothing_that_was_sealed_by_nobody_is_opened(plain: bytes) -> None:
    with pytest.raises(NotAuthentic):
        sign.opened(base64.b64encode(plain).decode(), aes_key=AES_KEY, appid=APPID)
