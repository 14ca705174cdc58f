"""What each answer of the TOP gateway means."""

import json
from pathlib import Path
from typing import Any

import pytest

from channels.adapters.protocol import Rejected, RetryLater
from channels.adapters.signing import NotThis
from channels.adapters.taobao import client

SAMPLES = Path(client.__file__).parent / "samples"
METHOD = "taobao.trade.fullinfo.get"


def error(code: int | str, sub_code: str = "", sub_msg: str = "") -> bytes:
    body: dict[str, Any] = {"code": code, "msg": "No", "sub_code": sub_code, "sub_msg": sub_msg}
    return json.dumps({"error_response": body}).encode()


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        pytest.param(7, "", id="too many calls"),
        pytest.param(7, "isv.app-call-limited", id="too many calls whatever the sub code"),
        pytest.param("7", "", id="code as text"),
        pytest.param(15, "isp.top-remote-service-unavailable", id="remote fault of the platform"),
        pytest.param(15, "", id="remote fault without a sub code"),
        pytest.param(41, "isp.unknown", id="isp wins over the code"),
        pytest.param(10, "", id="not available"),
    ],
)
def test_what_the_platform_cannot_do_now_is_tried_later(code: int | str, sub_code: str) -> None:
    with pytest.raises(RetryLater) as caught:
        client.result(METHOD, error(code, sub_code))

    assert caught.value.seconds == 30
    assert caught.value.reason.values["code"] == int(code)


@pytest.mark.parametrize("code", [25, 26, 27, 28, 29, 11])
def test_a_channel_that_may_not_call_is_rejected_as_a_whole(code: int) -> None:
    with pytest.raises(Rejected) as caught:
        client.result(METHOD, error(code, "isv.whatever"))

    assert type(caught.value) is Rejected


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        pytest.param(40, "", id="missing arguments"),
        pytest.param(41, "", id="invalid arguments"),
        pytest.param(15, "isv.trade-not-exist", id="remote refusal of what we asked"),
        pytest.param(530, "isv.something", id="unknown code with isv"),
    ],
)
def test_a_refusal_of_one_thing_is_told_apart(code: int, sub_code: str) -> None:
    with pytest.raises(NotThis):
        client.result(METHOD, error(code, sub_code))


def test_a_code_that_nobody_knows_needs_a_person() -> None:
    with pytest.raises(Rejected):
        client.result(METHOD, error(999))


def test_a_ban_says_how_long_to_wait() -> None:
    with pytest.raises(RetryLater) as caught:
        client.result(METHOD, (SAMPLES / "call_limited.json").read_bytes())

    assert caught.value.seconds == 3


def test_the_sentence_for_the_clerk_names_code_and_words() -> None:
    with pytest.raises(Rejected) as caught:
        client.result(METHOD, (SAMPLES / "invalid_signature.json").read_bytes())

    assert str(caught.value.reason) == (
        "Taobao refused with code 25: the signature does not fit the parameters isv.invalid-signature"
    )
    assert json.loads(caught.value.answer)["error_response"]["request_id"] == "16k000000005"


def test_words_of_the_platform_are_fit_to_be_kept() -> None:
    with pytest.raises(Rejected) as caught:
        client.result(METHOD, b'{"error_response":{"code":15,"sub_code":"isv.x","sub_msg":"a\\u0000b\\ud800"}}')

    assert caught.value.reason.values == {"platform": "Taobao", "code": 15, "words": "ab isv.x"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>We will be back soon</html>", id="html"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b'{"item_get_response": {}}', id="another envelope"),
        pytest.param(b'{"trade_fullinfo_get_response": 5}', id="an envelope of a number"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 100_000, id="too deep"),
    ],
)
def test_what_is_not_the_platforms_format_is_tried_later(body: bytes) -> None:
    with pytest.raises(RetryLater, match="did not answer in its own format"):
        client.result(METHOD, body)


@pytest.mark.parametrize(
    ("sample", "method", "inside"),
    [
        ("increment.json", "taobao.trades.sold.increment.get", ["total_results", "trades", "request_id"]),
        ("fullinfo.json", METHOD, ["trade", "request_id"]),
        ("offline_send.json", "taobao.logistics.offline.send", ["shipping", "request_id"]),
        ("quantity_update.json", "taobao.item.quantity.update", ["item", "request_id"]),
    ],
)
def test_a_result_is_what_is_inside_the_envelope(sample: str, method: str, inside: list[str]) -> None:
    assert list(client.result(method, (SAMPLES / sample).read_bytes())) == inside
