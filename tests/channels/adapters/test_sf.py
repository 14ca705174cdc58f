"""SF Express: the digest, registering over real HTTP, pushes and questions into scans, and each answer that says no."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.adapters import sf
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Rejected, RetryLater, Throttled
from channels.adapters.sf import receive, sign, translate
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
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.sf import Platform

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in China
REQUEST = TrackingRequest("P-1", "SF", "SF1234567890123", "8000")
PARCEL = "SF/SF1234567890123"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("SFX", server.url + platform.path, platform.credentials, platform.options)


def follow(connection: Connection, request: Any = REQUEST) -> str:
    return sf.ADAPTER.deliver(request, connection, key="k")


def told(connection: Connection, raw: RawMessage) -> IncomingTracking:
    said = sf.ADAPTER.translate(raw, connection)
    assert isinstance(said, IncomingTracking)
    return said


def route(code: Any = "50", time: str = "2026-11-23 10:00:00", **parts: Any) -> dict[str, Any]:
    return {"acceptTime": time, "opCode": code, "remark": "已收取快件", "acceptAddress": "杭州市", **parts}


def test_the_digest_is_that_of_the_contract() -> None:
    data = '{"language":"zh-CN","trackingType":"1","trackingNumber":["SF1234567890123"],"methodType":"1"}'

    assert sign.digest(data, "1795399200000", "sfcheckword") == "942Q5NzMC5layiw3Z3sXkA=="


def test_star_and_tilde_are_encoded_as_java_does(platform: Platform, connection: Connection) -> None:
    follow(connection, replace(REQUEST, parcel_number="P*1~ 杭"))

    assert platform.followed["SF1234567890123"]["orderId"] == "P*1~ 杭"


def test_a_parcel_is_registered_once(platform: Platform, connection: Connection) -> None:
    first, again = follow(connection), follow(connection)

    assert (json.loads(first), "8016" in again) == ({"trackingNumber": "SF1234567890123"}, True)
    assert platform.followed == {
        "SF1234567890123": {
            "language": "zh-CN",
            "trackingType": "1",
            "trackingNumber": "SF1234567890123",
            "orderId": "P-1",
            "checkPhoneNo": "8000",
        }
    }


def test_a_push_becomes_one_message_a_parcel_and_is_answered_in_their_words(
    platform: Platform, connection: Connection
) -> None:
    raws: list[RawMessage] = []

    def take(request: Request) -> Response:
        pushed = Pushed(request.body, request.headers, request.parameters())
        received = sf.ADAPTER.receive(pushed, connection, at=TEN)
        raws.extend(received.messages)
        return Response(received.answer or b"")

    follow(connection)
    follow(connection, TrackingRequest("P-2", "SF", "SF2", ""))
    platform.scan("SF1234567890123", "50", "已收取快件", at=TEN, place="杭州市")
    platform.scan("SF2", "80", "已签收", at=TEN)
    platform.scan("SF1234567890123", "204", "派件中", at=TEN + timedelta(hours=5), place="上海市")
    with LoopbackServer(take) as door:
        assert platform.push_to(door.url) == [200]
        assert platform.push_to(door.url) == []

    assert json.loads(receive.TAKEN) == {"return_code": "0000", "return_msg": "成功"}
    said = [told(connection, raw) for raw in raws]
    assert [(one.external_id, one.carrier_code, one.tracking_number) for one in said] == [
        (PARCEL, "SF", "SF1234567890123"),
        ("SF/SF2", "SF", "SF2"),
    ]
    assert said[0].events == (
        TrackEvent(TEN, TrackState.COLLECTED, "已收取快件", "杭州市"),
        TrackEvent(TEN + timedelta(hours=5), TrackState.OUT_FOR_DELIVERY, "派件中", "上海市"),
    )
    assert said[0].revision // 1000 == int((TEN + timedelta(hours=5)).timestamp())


def test_a_push_that_was_not_answered_comes_again(platform: Platform) -> None:
    platform.followed["SF1"] = {"orderId": "P-1"}
    platform.scan("SF1", "50", "收", at=TEN)
    answers = [b"{}", receive.TAKEN]

    with LoopbackServer(lambda request: Response(answers.pop(0))) as door:
        assert [platform.push_to(door.url) for _ in range(3)] == [[200], [200], []]


def test_two_pushes_of_one_second_are_two_messages_and_the_same_again_is_one() -> None:
    first, second = translate.message(PARCEL, [route("50")]), translate.message(PARCEL, [route("30")])

    assert first.revision != second.revision
    assert translate.message(PARCEL, [route("50", id="other delivery")]).revision == first.revision


def test_parcels_are_asked_for_ten_a_call(platform: Platform, connection: Connection) -> None:
    numbers = [f"SF{number}" for number in range(12)]
    for number in numbers[1:]:
        platform.scan(number, "50", "收", at=TEN)

    raws = sf.ADAPTER.fetch(connection, [f"SF/{number}" for number in numbers])

    assert [raw.external_id for raw in raws] == [f"SF/{number}" for number in numbers[1:]]
    assert [event.state for event in told(connection, raws[0]).events] == ["collected"]
    assert platform.calls == {"EXP_RECE_SEARCH_ROUTES": 2}
    assert sf.ADAPTER.check(connection) == ""


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (("43", "50", "54", "700", "950"), "collected"),
        (("30", "31", "36", "3036", "302", "304", "10", "11", "105", "106", "126", "607", "14", "623"), "underway"),
        (("204", "44", "880", "630", "933"), "out_for_delivery"),
        (("125", "130"), "ready_for_pickup"),
        (("80", "8000", "128", "935", "97", "679", 80), "delivered"),
        (("33", "70", "34", "934", "870", "72", "66", "77", "833"), "trouble"),
        (("99", "648", "631"), "going_back"),
    ],
)
def test_every_code_has_its_meaning(connection: Connection, codes: tuple[Any, ...], state: str) -> None:
    for code in codes:
        said = told(connection, translate.message(PARCEL, [route(code)]))
        assert [event.state for event in said.events] == [state], code


def test_a_code_can_be_taught(connection: Connection) -> None:
    raw = translate.message(PARCEL, [route("8")])
    with pytest.raises(Untranslatable) as refused:
        sf.ADAPTER.translate(raw, connection)
    assert refused.value.code == "unknown_status"

    taught = replace(connection, options={"op_codes": {"8": "underway", "9": "nonsense"}})
    assert [event.state for event in told(taught, raw).events] == ["underway"]
    with pytest.raises(Untranslatable):
        sf.ADAPTER.translate(translate.message(PARCEL, [route("9")]), taught)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (translate.message(PARCEL, [route(time="now")]), "bad_time"),
        (translate.message(PARCEL, [route(time="")]), "missing_field"),
        (translate.message(PARCEL, [route(None)]), "unknown_status"),
        (translate.message(PARCEL, [route(remark=1)]), "bad_value"),
        (translate.message("SF", [route()]), "bad_value"),
        (RawMessage("tracking", PARCEL, 1, b'{"routes": 1}'), "bad_value"),
        (RawMessage("tracking", PARCEL, 1, b"<Response/>"), "malformed_json"),
    ],
)
def test_what_cannot_be_understood_says_why(connection: Connection, raw: RawMessage, code: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        sf.ADAPTER.translate(raw, connection)
    assert refused.value.code == code


@pytest.mark.parametrize("query", [{}, {"secret": ""}, {"secret": "theirs"}, {"secret": "öurs"}])
def test_a_push_without_our_secret_is_not_taken(connection: Connection, query: dict[str, str]) -> None:
    body = b'{"Body": {"WaybillRoute": [{"mailno": "SF1"}]}}'
    for door in (connection, replace(connection, credentials={})):
        with pytest.raises(NotAuthentic):
            sf.ADAPTER.receive(Pushed(body, query=query), door, at=TEN)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"Body": {"WaybillRoute": [{"mailno": "SF1"}, {}]}}', b'{"Body": {"WaybillRoute": 1}}']
)
def test_a_push_that_names_no_parcel_is_refused(connection: Connection, body: bytes) -> None:
    with pytest.raises(Rejected):
        sf.ADAPTER.receive(Pushed(body, query={"secret": "ours"}), connection, at=TEN)


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html", "lost"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        follow(connection)
    follow(connection)
    assert len(platform.followed) == 1


def test_too_many_calls_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0
    with pytest.raises(Throttled) as refused:
        follow(connection)
    assert "A1005" in str(refused.value.reason)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credentials": {"partner_id": "SFPARTNER", "checkword": "x"}}, "A1006"),
        ({"credentials": {"partner_id": "x", "checkword": "sfcheckword"}}, "A1006"),
        ({"credentials": {"partner_id": "x"}}, "checkword is not set"),
    ],
)
def test_what_is_entered_wrong_needs_a_person(
    platform: Platform, connection: Connection, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Rejected) as refused:
        follow(replace(connection, **change))
    assert words in str(refused.value.reason)
    assert platform.followed == {}


def test_an_hour_that_is_wrong_is_told(connection: Connection, platform: Platform) -> None:
    platform.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(Rejected) as refused:
        sf.ADAPTER.check(connection)
    assert "A1002" in str(refused.value.reason)


def test_only_this_parcel_is_at_fault_when_nobody_can_follow_it(platform: Platform, connection: Connection) -> None:
    wrong = [
        replace(REQUEST, carrier_code="YTO"),
        replace(REQUEST, tracking_number=""),
        replace(REQUEST, tracking_number="YT1"),
    ]
    for request in wrong:
        with pytest.raises(NotThis):
            follow(connection, request)
    with pytest.raises(Rejected):
        follow(connection, StockFigure("1", "2", 3))
    assert platform.followed == {}
