"""AfterShip: signatures, following over real HTTP, webhooks and lists into scans, and each answer that says no."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.adapters import aftership
from channels.adapters.aftership import sign, translate
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
from channels.simulators.aftership import Platform
from channels.simulators.server import LoopbackServer, Request, Response

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REQUEST = TrackingRequest("P-1", "SFI", "SF123")
PARCEL = "SFI/SF123"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("AS", server.url, platform.credentials, platform.options)


def follow(connection: Connection, request: Any = REQUEST) -> str:
    return aftership.ADAPTER.deliver(request, connection, key="k")


def told(connection: Connection, raw: RawMessage) -> IncomingTracking:
    said = aftership.ADAPTER.translate(raw, connection)
    assert isinstance(said, IncomingTracking)
    return said


def parcel(tag: Any = "InTransit", *checkpoints: Any) -> RawMessage:
    return translate.message(PARCEL, {"slug": "sf-express", "tracking_number": "SF123", "tag": tag,
                                      "checkpoints": list(checkpoints)})  # fmt: skip


def checkpoint(tag: Any = "InTransit", time: str = "2026-11-23T10:00:00+00:00", **parts: Any) -> dict[str, Any]:
    return {"checkpoint_time": time, "tag": tag, "message": "moved", "location": "HK", **parts}


def test_the_signatures_are_those_of_the_contract() -> None:
    body = b'{"tracking_number": "SF123", "slug": "sf-express"}'
    pushed = b'{"event":"tracking_update","event_id":"e-1","msg":{"tag":"Delivered"}}'
    date, path = "Mon, 23 Nov 2026 02:00:00 GMT", "/tracking/2026-07/trackings"

    signature = sign.of_call("POST", path, body, date=date, key="AK", secret="AS")
    assert signature == "cDMDgsvT+M8r8xrRpCty6qx24xnHsSDZavKxEVNl/KE="
    assert sign.of_push(pushed, "aswhsecret") == "CP02vuirIBJ/4IY7u5pO1sHXsTgPxkhe7rTppBs+qSA="


def test_a_parcel_is_followed_once(platform: Platform, connection: Connection) -> None:
    first, again = follow(connection), follow(connection)

    assert (json.loads(first)["tag"], json.loads(again)["meta"]["code"]) == ("Pending", 4003)
    assert [(key, row["title"]) for key, row in platform.followed.items()] == [(("sf-express", "SF123"), "P-1")]


def test_calls_are_signed_only_where_a_secret_is_entered(platform: Platform, connection: Connection) -> None:
    bare = replace(connection, credentials={"api_key": "AK"})
    with pytest.raises(Rejected) as refused:
        follow(bare)
    assert "401" in str(refused.value.reason)
    assert platform.followed == {}

    platform.must_sign = False
    follow(bare)
    assert aftership.ADAPTER.check(bare) == ""


def test_a_webhook_becomes_scans(platform: Platform, connection: Connection) -> None:
    raws: list[RawMessage] = []

    def take(request: Request) -> Response:
        received = aftership.ADAPTER.receive(Pushed(request.body, request.headers), connection, at=TEN)
        raws.extend(received.messages)
        return Response(received.answer or b"")

    follow(connection)
    platform.scan("sf-express", "SF123", "InTransit", "Departed", at=TEN, place="HK")
    platform.scan("sf-express", "SF123", "Delivered", "Signed", at=TEN + timedelta(hours=9), place="LON")
    platform.faults.plan("duplicate")
    with LoopbackServer(take) as door:
        assert platform.push_to(door.url) == [200, 200, 200]
        assert platform.push_to(door.url) == []

    assert raws[0] == raws[1]
    said = told(connection, raws[2])
    assert (said.external_id, said.carrier_code, said.tracking_number) == (PARCEL, "SFI", "SF123")
    assert said.revision == int((TEN + timedelta(hours=9)).timestamp()) * 1000 + 2 * 20 + 5
    assert said.events == (
        TrackEvent(TEN, TrackState.UNDERWAY, "Departed", "HK"),
        TrackEvent(TEN + timedelta(hours=9), TrackState.DELIVERED, "Signed", "LON"),
    )


def test_what_is_listed_is_what_would_be_pushed(platform: Platform, connection: Connection) -> None:
    follow(connection)
    follow(connection, TrackingRequest("P-2", "DHL", "SF123"))  # the same number at another carrier
    platform.scan("sf-express", "SF123", "OutForDelivery", "Out", at=TEN)

    raws = aftership.ADAPTER.fetch(connection, [PARCEL, "SFI/NOBODYS"])

    assert [(raw.external_id, [event.state for event in told(connection, raw).events]) for raw in raws] == [
        (PARCEL, ["out_for_delivery"])
    ]


def test_many_parcels_are_asked_for_in_several_calls(platform: Platform, connection: Connection) -> None:
    for number in range(60):
        platform.followed["dhl", f"D{number}"] = {"slug": "dhl", "tracking_number": f"D{number}", "tag": "Pending"}

    raws = aftership.ADAPTER.fetch(connection, [f"DHL/D{number}" for number in range(60)])

    assert ([raw.external_id for raw in raws], platform.calls["GET"]) == ([f"DHL/D{n}" for n in range(60)], 2)


@pytest.mark.parametrize(
    ("tag", "state"),
    [
        ("Pending", "announced"),
        ("InfoReceived", "announced"),
        ("InTransit", "underway"),
        ("OutForDelivery", "out_for_delivery"),
        ("AttemptFail", "trouble"),
        ("Delivered", "delivered"),
        ("AvailableForPickup", "ready_for_pickup"),
        ("Exception", "trouble"),
        ("Expired", "trouble"),
    ],
)
def test_every_tag_has_its_meaning(connection: Connection, tag: str, state: str) -> None:
    both = told(connection, parcel("InTransit", checkpoint(tag), checkpoint(time="2026-11-23T11:00:00Z")))
    last = told(connection, parcel(tag, checkpoint("InTransit")))
    assert (both.events[0].state, last.events[0].state) == (state, state)


def test_the_parcels_tag_counts_where_no_checkpoint_says_it_and_takes_nothing_back(connection: Connection) -> None:
    later = checkpoint("OutForDelivery", "2026-11-23T11:00:00Z")
    states = [
        [event.state for event in told(connection, parcel(tag, checkpoint(), later)).events]
        for tag in ("Delivered", "Expired", "InTransit", "Pending")
    ]

    assert states == [
        ["underway", "delivered"],
        ["underway", "trouble"],
        ["underway", "out_for_delivery"],
        ["underway", "out_for_delivery"],
    ]


def test_a_time_without_offset_is_the_moment_it_was_learned(connection: Connection) -> None:
    row = checkpoint(time="2026-11-23T18:00:00", created_at="2026-11-23T10:05:00+00:00")
    said = told(connection, parcel("InTransit", row))

    assert said.events[0].at == datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
    assert [str(remark) for remark in said.remarks] == [
        "checkpoints[0].checkpoint_time has no offset: the moment it was learned counts."
    ]


def test_only_the_newest_scans_are_kept(connection: Connection) -> None:
    rows = [checkpoint(time=(TEN + timedelta(minutes=n)).isoformat(), message=str(n)) for n in range(510)]
    said = told(connection, parcel("InTransit", *rows))

    assert (len(said.events), said.events[0].text, said.events[-1].text) == (500, "10", "509")
    assert [str(remark) for remark in said.remarks] == ["Only the newest 500 scans were kept."]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (parcel("Lost", checkpoint()), "unknown_status"),
        (parcel(None), "unknown_status"),
        (parcel("InTransit", checkpoint("Odd"), checkpoint(time="2026-11-23T11:00:00Z")), "unknown_status"),
        (parcel("InTransit", checkpoint(time="2026-11-23T18:00:00")), "bad_time"),
        (parcel("InTransit", checkpoint(time="soon")), "bad_time"),
        (parcel("InTransit", checkpoint(time="")), "missing_field"),
        (parcel("InTransit", 7), "bad_value"),
        (RawMessage("tracking", PARCEL, 1, b"[]"), "not_an_object"),
        (replace(parcel(), external_id="/SF123"), "bad_value"),
    ],
)
def test_what_cannot_be_understood_says_why(connection: Connection, raw: RawMessage, code: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        aftership.ADAPTER.translate(raw, connection)
    assert refused.value.code == code


def test_both_active_secrets_open_the_door_and_no_other(connection: Connection) -> None:
    body = b'{"msg": {"slug": "sf-express", "tracking_number": "SF123", "tag": "Pending", "checkpoints": []}}'
    both = replace(connection, credentials={"webhook_secret": "new", "previous_webhook_secret": "old"})
    for secret in ("new", "old"):
        pushed = Pushed(body, {"AfterShip-Hmac-SHA256": sign.of_push(body, secret)})
        [raw] = aftership.ADAPTER.receive(pushed, both, at=TEN).messages
        assert raw.external_id == PARCEL
    for headers in ({}, {sign.SIGNATURE: sign.of_push(body, "other")}, {sign.SIGNATURE: sign.of_push(body, "")}):
        for door in (both, replace(connection, credentials={})):
            with pytest.raises(NotAuthentic):
                aftership.ADAPTER.receive(Pushed(body, headers), door, at=TEN)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"msg": 1}', b'{"msg": {"slug": "dhl"}}'])
def test_a_webhook_that_names_no_parcel_is_refused(connection: Connection, body: bytes) -> None:
    with pytest.raises(Rejected):
        aftership.ADAPTER.receive(Pushed(body, {sign.SIGNATURE: sign.of_push(body, "aswhsecret")}), connection, at=TEN)


@pytest.mark.parametrize("fault", ["http500", "http503", "cut", "html", "lost"])
def test_trouble_on_the_way_is_tried_again(platform: Platform, connection: Connection, fault: str) -> None:
    platform.faults.plan(fault)
    with pytest.raises(RetryLater):
        follow(connection)
    follow(connection)
    assert len(platform.followed) == 1


def test_too_many_calls_wait(platform: Platform, connection: Connection) -> None:
    platform.calls_per_second = 0
    with pytest.raises(RetryLater):
        follow(connection)
    assert platform.followed == {}


def test_what_cannot_be_followed_needs_a_person(platform: Platform, connection: Connection) -> None:
    for request in (replace(REQUEST, carrier_code="YTO"), replace(REQUEST, tracking_number="")):
        with pytest.raises(NotThis):
            follow(connection, request)
    with pytest.raises(Rejected) as refused:
        follow(replace(connection, options={"carriers": {"SFI": "unheard"}}))
    assert "4010" in str(refused.value.reason)
    with pytest.raises(Rejected):
        follow(connection, StockFigure("1", "2", 3))
    assert platform.followed == {}
