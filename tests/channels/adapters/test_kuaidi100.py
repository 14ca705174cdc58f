"""Kuaidi100: digests, subscribing over real HTTP, pushes and queries into scans, and every answer that says no."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from channels.adapters import kuaidi100
from channels.adapters.kuaidi100 import receive, sign
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Rejected, RetryLater
from channels.adapters.signing import NotThis
from channels.messages import (
    IncomingTracking,
    RawMessage,
    StockFigure,
    TrackEvent,
    TrackingRequest,
    TrackState,
    Untranslatable,
)
from channels.simulators.kuaidi100 import Platform
from channels.simulators.server import LoopbackServer, Request, Response

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in China
REQUEST = TrackingRequest("P-1", "SF", "SF1234567890123", "8000")
PARCEL = "SF/SF1234567890123"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("KD", server.url, platform.credentials, platform.options)


def follow(connection: Connection, request: Any = REQUEST) -> str:
    return kuaidi100.ADAPTER.deliver(request, connection, key="k")


def told(connection: Connection, raw: RawMessage) -> IncomingTracking:
    said = kuaidi100.ADAPTER.translate(raw, connection)
    assert isinstance(said, IncomingTracking)
    return said


def message(state: Any = "0", rows: list[dict[str, Any]] | None = None, **parts: Any) -> RawMessage:
    result = {"state": state, "com": "shunfeng", "nu": "SF1234567890123", "data": rows or []}
    return RawMessage("tracking", PARCEL, 7, json.dumps({"status": "polling", "lastResult": result, **parts}).encode())


def row(time: str = "2026-11-23 10:00:00", text: str = "收件", **parts: Any) -> dict[str, Any]:
    return {"ftime": time, "time": time, "context": text, **parts}


def test_the_digests_are_those_of_the_contract() -> None:
    asked = '{"com": "shunfeng", "num": "SF1234567890123", "phone": "13800138000"}'
    pushed = (
        '{"status":"polling","message":"","lastResult":{"message":"ok","state":"3","ischeck":"1",'
        '"com":"shunfeng","nu":"SF1234567890123","data":[]}}'
    )

    assert sign.of_query(asked, key="kdkey", customer="kdcust") == "E4962995BE2453D946A91BCAC9776DF1"
    assert sign.of_push(pushed, "mysalt") == "F9985C7CF7BFD0CA093F61E613400DF1"


def test_a_parcel_is_subscribed_to_once(platform: Platform, connection: Connection) -> None:
    answers = [json.loads(follow(connection))["returnCode"] for _ in range(2)]

    assert answers == ["200", "501"]
    assert platform.followed == {
        ("shunfeng", "SF1234567890123"): {
            "callbackurl": "http://127.0.0.1/in/KD/",
            "salt": "mysalt",
            "resultv2": "1",
            "phone": "8000",
        }
    }


def test_a_push_becomes_scans_and_is_answered_in_their_words(platform: Platform, connection: Connection) -> None:
    got: list[Request] = []

    def take(request: Request) -> Response:
        got.append(request)
        received = kuaidi100.ADAPTER.receive(Pushed(request.body, request.headers), connection, at=TEN)
        raws.extend(received.messages)
        return Response(received.answer or b"", content_type=received.content_type)

    raws: list[RawMessage] = []
    follow(connection)
    platform.scan("shunfeng", "SF1234567890123", "1", "已收件", at=TEN, place="杭州市")
    platform.scan("shunfeng", "SF1234567890123", "3", "已签收", at=TEN + timedelta(hours=5), place="上海市")
    with LoopbackServer(take) as door:
        assert platform.push_to(door.url) == [200]
        assert platform.push_to(door.url) == []  # the answer was understood

    assert json.loads(receive.TAKEN) == {"result": True, "returnCode": "200", "message": "成功"}
    assert [(raw.kind, raw.external_id) for raw in raws] == [("tracking", PARCEL)]
    assert told(connection, raws[0]) == IncomingTracking(
        external_id=PARCEL,
        revision=int((TEN + timedelta(hours=5)).timestamp()) * 1000 + 2 * 20 + 5,
        carrier_code="SF",
        tracking_number="SF1234567890123",
        events=(
            TrackEvent(TEN, TrackState.COLLECTED, "已收件", "杭州市"),
            TrackEvent(TEN + timedelta(hours=5), TrackState.DELIVERED, "已签收", "上海市"),
        ),
    )


def test_a_push_that_was_lost_comes_again_and_is_the_same_message(platform: Platform, connection: Connection) -> None:
    follow(connection)
    platform.scan("shunfeng", "SF1234567890123", "0", "运输中", at=TEN)
    bodies: list[bytes] = []

    def take(request: Request) -> Response:
        bodies.append(request.body)
        return Response(receive.TAKEN if len(bodies) > 1 else b"oops")

    with LoopbackServer(take) as door:
        assert [platform.push_to(door.url) for _ in range(3)] == [[200], [200], []]
    both = [kuaidi100.ADAPTER.receive(Pushed(body), connection, at=TEN).messages for body in bodies]
    assert both[0] == both[1]


def test_what_is_asked_for_is_what_would_be_pushed(platform: Platform, connection: Connection) -> None:
    follow(connection)
    platform.scan("shunfeng", "SF1234567890123", "5", "派件中", at=TEN)

    asked = kuaidi100.ADAPTER.fetch(connection, [PARCEL, "SF/NOBODYS", "YTO/YT9"])

    body = platform.pushed("shunfeng", "SF1234567890123")
    [pushed] = kuaidi100.ADAPTER.receive(Pushed(body), connection, at=TEN).messages
    assert [(raw.external_id, raw.revision) for raw in asked] == [(PARCEL, pushed.revision)]
    assert told(connection, asked[0]) == told(connection, pushed)
    assert kuaidi100.ADAPTER.check(connection) == ""


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("0", "underway"),
        ("1", "collected"),
        ("2", "trouble"),
        ("3", "delivered"),
        ("4", "came_back"),
        ("5", "out_for_delivery"),
        ("6", "going_back"),
        ("7", "underway"),
        ("10", "underway"),
        ("11", "underway"),
        ("12", "underway"),
        ("13", "trouble"),
        ("14", "trouble"),
        (3, "delivered"),
    ],
)
def test_every_state_has_its_meaning(connection: Connection, word: Any, state: str) -> None:
    assert [event.state for event in told(connection, message(word, [row()])).events] == [state]


def test_scans_say_their_state_in_words_too(connection: Connection) -> None:
    rows = [
        row("2026-11-23 12:00:00", "三", status="签收"),
        row("2026-11-23 11:00:00", status="派件"),
        row(status="揽收"),
    ]

    events = told(connection, message("0", rows)).events

    assert [event.state for event in events] == ["collected", "out_for_delivery", "delivered"]


def test_the_parcels_state_is_the_newest_scans_where_none_says_it(connection: Connection) -> None:
    rows = [row("2026-11-23 12:00:00", "签收"), row("2026-11-23 11:00:00", "派件", statusCode="5"), row(text="收件")]

    events = told(connection, message("3", rows)).events

    assert [(event.text, event.state) for event in events] == [
        ("收件", "underway"),
        ("派件", "out_for_delivery"),
        ("签收", "delivered"),
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (message("99", [row()]), "unknown_status"),
        (message(None, [row()]), "unknown_status"),
        (message("0", [row(), row(statusCode="1001")]), "unknown_status"),
        (message("0", [row(), row(status="飞走")]), "unknown_status"),
        (message("0", [row("yesterday")]), "bad_time"),
        (message("0", [row("")]), "missing_field"),
        (message("0", [row(text=5)]), "bad_value"),
        (message("0", ["x"]), "bad_value"),  # type: ignore[list-item]
        (RawMessage("tracking", PARCEL, 1, b'{"status": "polling"}'), "missing_field"),
        (RawMessage("tracking", PARCEL, 1, b"<html>"), "malformed_json"),
        (replace(message(), external_id="SF1234567890123"), "bad_value"),
    ],
)
def test_what_cannot_be_understood_says_why(connection: Connection, raw: RawMessage, code: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        kuaidi100.ADAPTER.translate(raw, connection)
    assert refused.value.code == code


def test_a_parcel_that_is_given_up_says_so(connection: Connection) -> None:
    said = told(connection, message("0", [], status="abort", message="3天查询无记录"))

    assert (said.events, [str(remark) for remark in said.remarks]) == (
        (),
        ["The carrier is no longer asked about this parcel: 3天查询无记录"],
    )


def test_control_characters_are_taken_out_with_a_remark(connection: Connection) -> None:
    said = told(connection, message("0", [row(text="a\x00b")]))

    assert (said.events[0].text, len(said.remarks)) == ("ab", 1)


@pytest.mark.parametrize("body", [b"", b"param=%7B%7D", b"param=%7B%7D&sign=AA", b"sign=\xff"])
def test_a_push_that_is_not_signed_is_not_taken(connection: Connection, body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        kuaidi100.ADAPTER.receive(Pushed(body), connection, at=TEN)


def test_without_a_salt_no_push_is_authentic(connection: Connection) -> None:
    bare = replace(connection, credentials={})
    with pytest.raises(NotAuthentic):
        kuaidi100.ADAPTER.receive(
            Pushed(urlencode({"param": "{}", "sign": sign.of_push("{}", "")}).encode()), bare, at=TEN
        )


@pytest.mark.parametrize("param", ["{}", "no json", '{"lastResult": {"com": "shunfeng"}}', '{"lastResult": 1}'])
def test_a_signed_push_that_names_no_parcel_is_refused(connection: Connection, param: str) -> None:
    body = urlencode({"param": param, "sign": sign.of_push(param, "mysalt")}).encode()
    with pytest.raises(Rejected):
        kuaidi100.ADAPTER.receive(Pushed(body), connection, at=TEN)


@pytest.mark.parametrize(
    ("fault", "expected"), [("http500", RetryLater), ("http503", RetryLater), ("cut", RetryLater), ("html", RetryLater)]
)
def test_trouble_on_the_way_is_tried_again(
    platform: Platform, connection: Connection, fault: str, expected: type[Exception]
) -> None:
    platform.faults.plan(fault)
    with pytest.raises(expected):
        follow(connection)
    assert platform.followed == {}


def test_a_lost_answer_does_no_harm(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        follow(connection)
    assert json.loads(follow(connection))["returnCode"] == "501"
    assert len(platform.followed) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credentials": {"key": "wrong", "salt": "s", "customer": "c"}}, "600"),
        ({"credentials": {"key": "kdkey"}}, "salt is not set"),
        ({"options": {"carriers": {"SF": "shunfeng"}}}, "callback_url is not set"),
        ({"options": {"carriers": {"SF": "unheard"}, "callback_url": "http://x"}}, "700"),
    ],
)
def test_what_is_entered_wrong_needs_a_person(
    platform: Platform, connection: Connection, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        follow(replace(connection, **change))
    assert words in str(refused.value.reason)
    assert platform.followed == {}


def test_a_wrong_key_is_told_when_asking(connection: Connection) -> None:
    with pytest.raises(Rejected) as refused:
        kuaidi100.ADAPTER.check(replace(connection, credentials={"key": "x", "customer": "kdcust"}))
    assert "503" in str(refused.value.reason)


def test_only_this_parcel_is_at_fault_when_nobody_can_follow_it(platform: Platform, connection: Connection) -> None:
    for request in (replace(REQUEST, carrier_code="DHL"), replace(REQUEST, tracking_number="")):
        with pytest.raises(NotThis):
            follow(connection, request)
    with pytest.raises(Rejected):
        follow(connection, StockFigure("1", "2", 3))
    assert platform.followed == {}
