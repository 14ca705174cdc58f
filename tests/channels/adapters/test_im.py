"""Work chats over real HTTP: nothing leaves before the channel is live, each chat's shape, and what robots refuse."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.adapters import im
from channels.adapters.im import client, sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled
from channels.messages import Notice, StockFigure
from channels.simulators.im import Platform

NOTICE = Notice("13800138000, +86-13900139000 nobody", "缺货", "TEE-RED-M 只剩 2 件")
KINDS = ["dingtalk", "feishu", "wecom"]


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("IM", server.url, platform.credentials, platform.options)


def send(connection: Connection, notice: Any = NOTICE, *, kind: str = "dingtalk") -> str:
    chosen = replace(connection, options={"live": True, "kind": kind})
    return im.ADAPTER.deliver(notice, chosen, key="k")


def test_the_signatures_hold_over_time_and_secret() -> None:
    # echo -en '1795399200000\nSECabc' | openssl dgst -sha256 -hmac SECabc -binary | base64
    assert sign.dingtalk("1795399200000", "SECabc") == "FmN28uYy0Rl2UqTYBs6i6Z5U76UdzQN3VRPHncFxpno="
    # openssl dgst -sha256 -mac HMAC -macopt hexkey:<'1795399200\nSECabc'> of an empty input
    assert sign.feishu("1795399200", "SECabc") == "zdnyYC5xtenS5o1+fkqxyGcuFzoUNwLq0Si0dIsIbbY="


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_before_the_channel_is_live(platform: Platform, connection: Connection, kind: str) -> None:
    answer = im.ADAPTER.deliver(NOTICE, replace(connection, options={"kind": kind}), key="k")

    assert answer.splitlines()[0] == "not sent (the channel is not live)"
    assert platform.state() == {"messages": {}, "calls": {}}


def test_each_chat_reads_it_in_its_own_shape(platform: Platform, connection: Connection) -> None:
    for kind in KINDS:
        send(connection, kind=kind)

    told = dict(platform.messages)
    assert told["dingtalk"] == {
        "msgtype": "text",
        "text": {"content": "缺货\nTEE-RED-M 只剩 2 件 @13800138000 @+86-13900139000"},
        "at": {"atMobiles": ["13800138000", "+86-13900139000"], "isAtAll": False},
    }
    assert (told["feishu"]["msg_type"], told["feishu"]["content"]) == ("text", {"text": "缺货\nTEE-RED-M 只剩 2 件"})
    assert told["wecom"] == {
        "msgtype": "text",
        "text": {
            "content": "缺货\nTEE-RED-M 只剩 2 件",
            "mentioned_mobile_list": ["13800138000", "+86-13900139000"],
        },
    }


def test_a_robot_without_a_secret_is_not_signed(connection: Connection) -> None:
    bare = replace(connection, credentials={"token": "t"}, options={"kind": "dingtalk"})
    at = datetime(2026, 11, 23, tzinfo=UTC)

    assert client.written(NOTICE, bare, at=at).query == {"access_token": "t"}
    assert "sign" not in client.written(NOTICE, replace(bare, options={"kind": "feishu"}), at=at).body


def test_a_long_message_is_cut_between_characters(platform: Platform, connection: Connection) -> None:
    send(connection, replace(NOTICE, text="缺" * 3000), kind="wecom")

    [(_, told)] = platform.messages
    text = told["text"]["content"]
    assert (text[:4], text[-2:], len(text.encode())) == ("缺货\n缺", "缺…", 1999)


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_messages_wait(platform: Platform, connection: Connection, kind: str) -> None:
    platform.calls_per_second = 0
    with pytest.raises(Throttled) as later:
        send(connection, kind=kind)
    assert (later.value.seconds, platform.messages) == (60, [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_token_needs_a_person(platform: Platform, connection: Connection, kind: str) -> None:
    with pytest.raises(Rejected):
        send(replace(connection, credentials={"token": "other", "secret": "SECabc"}), kind=kind)
    assert platform.messages == []


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_a_wrong_secret_or_hour_needs_a_person(platform: Platform, connection: Connection, kind: str) -> None:
    with pytest.raises(Rejected):
        send(replace(connection, credentials={"token": "robot-token", "secret": "x"}), kind=kind)
    platform.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    with pytest.raises(Rejected):
        send(connection, kind=kind)
    assert platform.messages == []


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        send(connection)
    assert platform.messages == []


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({}, "irc", "irc is no work chat"),
        ({}, "", "– is no work chat"),
        ({"credentials": {}}, "wecom", "token is not set"),
        ({"credentials": {"token": "https://chat/robot?key=1"}}, "wecom", "the robot's token alone"),
        ({"base_url": "chat.example"}, "wecom", "cannot be called"),
        ({"base_url": "https://chat.example/?key=1"}, "wecom", "cannot be called"),
    ],
)
def test_what_is_entered_wrong_is_told(
    platform: Platform, connection: Connection, change: dict[str, Any], kind: str, words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        send(replace(connection, **change), kind=kind)
    assert (words in str(refused.value), platform.calls) == (True, {})


def test_no_sentence_shows_the_robots_token(connection: Connection) -> None:
    for base_url in ("http://127.0.0.1:9", "http://exa mple"):
        with pytest.raises((Rejected, RetryLater)) as refused:
            send(replace(connection, base_url=base_url), kind="feishu")
        assert "robot-token" not in str(refused.value)


@pytest.mark.parametrize("message", [StockFigure("1", "2", 3), replace(NOTICE, text="")])
def test_what_is_no_message_to_people_is_refused(platform: Platform, connection: Connection, message: Any) -> None:
    with pytest.raises(Rejected):
        send(connection, message)
    assert platform.calls == {}
