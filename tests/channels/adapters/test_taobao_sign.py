"""TOP signatures: the worked vectors of the platform's documentation and one of our own."""

from datetime import UTC, datetime

import pytest

from channels.adapters.protocol import Connection
from channels.adapters.taobao import client, sign
from channels.simulators import taobao_gate

ITEM_CALL = {
    "app_key": "12345678",
    "fields": "num_iid,title,nick,price,num",
    "format": "json",
    "method": "taobao.item.seller.get",
    "num_iid": "11223344",
    "session": "test",
    "timestamp": "2016-01-01 12:00:00",
    "v": "2.0",
}
INCREMENT_CALL = {
    "app_key": "12345678",
    "end_modified": "2026-11-23 09:30:00",
    "fields": "tid,status,orders",
    "format": "json",
    "method": "taobao.trades.sold.increment.get",
    "page_no": "1",
    "page_size": "40",
    "session": "sess-1",
    "start_modified": "2026-11-23 09:00:00",
    "timestamp": "2026-11-23 10:00:00",
    "use_has_next": "true",
    "v": "2.0",
}
VECTORS = [
    pytest.param(ITEM_CALL, "md5", "66987CB115214E59E6EC978214934FB8", id="documented md5"),
    pytest.param(ITEM_CALL, "hmac", "D56D7858309C31B6251083A874D48273", id="documented hmac"),
    pytest.param(
        ITEM_CALL,
        "hmac-sha256",
        "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8",
        id="documented hmac-sha256",
    ),
    pytest.param(INCREMENT_CALL, "md5", "8FC1209EA3847B924811D6E6B63F6F82", id="increment md5"),
]


@pytest.mark.parametrize(("call", "method", "expected"), VECTORS)
def test_signature_equals_the_worked_vector(call: dict[str, str], method: str, expected: str) -> None:
    assert sign.signature({**call, "sign_method": method}, "helloworld", method=method) == expected


@pytest.mark.parametrize(("call", "method", "expected"), VECTORS)
def test_the_simulator_computes_the_same_vector_on_its_own(call: dict[str, str], method: str, expected: str) -> None:
    assert taobao_gate.signature({**call, "sign_method": method}, "helloworld") == expected


def test_empty_values_and_the_signature_itself_are_not_signed() -> None:
    padded = {**ITEM_CALL, "sign_method": "md5", "sign": "WHATEVER", "partner_id": ""}

    assert sign.signature(padded, "helloworld", method="md5") == "66987CB115214E59E6EC978214934FB8"


def test_chinese_values_are_signed_as_utf_8() -> None:
    assert sign.signature({"title": "上海"}, "s", method="md5") == "11B0DDE8EA73B2C40F859B2654422EC8"


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="sha1 is not one of md5, hmac, hmac-sha256"):
        sign.signature(ITEM_CALL, "helloworld", method="sha1")


def test_a_call_carries_every_common_parameter_and_the_time_in_gmt8() -> None:
    credentials = {"app_key": "12345678", "app_secret": "helloworld", "session": "test"}
    connection = Connection("TM", "http://x", credentials, {"sign_method": "md5"})

    form = client.signed(
        connection, "taobao.trade.fullinfo.get", {"tid": "1"}, at=datetime(2026, 11, 23, 2, 0, 0, 999, tzinfo=UTC)
    )

    assert {name: value for name, value in form.items() if name != "sign"} == {
        "tid": "1",
        "method": "taobao.trade.fullinfo.get",
        "app_key": "12345678",
        "session": "test",
        "timestamp": "2026-11-23 10:00:00",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
    }
    assert form["sign"] == taobao_gate.signature(form, "helloworld")
