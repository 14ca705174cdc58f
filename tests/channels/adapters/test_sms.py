"""SMS over real HTTP: nothing leaves before the channel is live, each message once, and what a provider refuses."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from channels.adapters import sms
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.adapters.signing import NotThis
from channels.messages import Notice, StockFigure
from channels.simulators.sms import Platform

NOTICE = Notice("+86 138-0013-8000", "Sent", "您的订单 JD-1 已发货")


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("SMS", server.url + platform.path, platform.credentials, platform.options)


def send(connection: Connection, notice: Any = NOTICE, key: str = "k-1") -> str:
    return sms.ADAPTER.deliver(notice, connection, key=key)


def test_nothing_is_sent_before_the_channel_is_live(platform: Platform, connection: Connection) -> None:
    answer = send(replace(connection, options={"live": "yes"}))

    assert answer.splitlines()[0] == "not sent (the channel is not live)"
    assert platform.state() == {"messages": 0, "calls": {}}


def test_a_message_arrives_under_the_providers_names(platform: Platform, connection: Connection) -> None:
    assert send(connection) == '{"code":0,"message":"ok","id":"m1"}'
    assert platform.messages == {
        "k-1": {"sign_name": "示例", "mobile": "+8613800138000", "content": "您的订单 JD-1 已发货", "request_id": "k-1"}
    }


def test_a_lost_answer_does_not_send_twice(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        send(connection)
    send(connection)
    assert platform.state() == {"messages": 1, "calls": {"send": 2}}


def test_a_provider_that_says_nothing_of_success_is_believed(platform: Platform, connection: Connection) -> None:
    platform.refused.add("+8613800138000")
    send(replace(connection, options={key: value for key, value in connection.options.items() if key != "success"}))
    with pytest.raises(NotThis) as refused:
        send(connection)
    assert str(refused.value) == "SMS refused with code 0: code=14 message=号码不可达"
    assert platform.messages == {}


@pytest.mark.parametrize("to", ["", "138****8000", "buyer@example.com", "1234", "1" * 16, "13800138000,13900139000"])
def test_what_is_no_phone_is_refused(platform: Platform, connection: Connection, to: str) -> None:
    with pytest.raises(NotThis) as refused:
        send(connection, replace(NOTICE, to=to))
    assert ("is not a phone number" in str(refused.value), platform.calls) == (True, {})


@pytest.mark.parametrize(
    "message", [StockFigure("1", "2", 3), replace(NOTICE, text=""), replace(NOTICE, text="x" * 501)]
)
def test_what_is_no_short_message_is_refused(platform: Platform, connection: Connection, message: Any) -> None:
    with pytest.raises(Rejected):
        send(connection, message)
    assert platform.calls == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credentials": {"token": "x", "secret": "smssecret"}}, "HTTP status 401"),
        ({"credentials": {"token": "smstoken"}}, "HTTP status 403"),
        ({"credentials": {}}, "token is not set"),
        ({"base_url": ""}, "base_url is not set"),
        ({"base_url": "ftp://127.0.0.1"}, "cannot be called"),
    ],
)
def test_what_is_entered_wrong_is_told(
    platform: Platform, connection: Connection, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        send(replace(connection, **change))
    assert (words in str(refused.value), platform.messages) == (True, {})


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        send(connection)
    assert platform.messages == {}


def test_too_many_messages_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0
    with pytest.raises(RetryLater):
        send(connection)
    assert platform.messages == {}
