"""The simulated Square keeps its rules, seen by a client that shares no code with the adapter."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.square import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LINES = [("VAR-1", "Tee", 2, Decimal("109.00"))]
SORT = {"sort_field": "UPDATED_AT", "sort_order": "ASC"}


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOON)


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def http(server: LoopbackServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": "Bearer token-1"}) as client:
        yield client


def fill(platform: Platform, count: int) -> None:
    for number in range(1, count + 1):
        platform.add_order(make_order(number, LINES, placed_at=NOON + timedelta(seconds=number)))


def window(start: int, end: int, **more: Any) -> dict[str, Any]:
    ends = [f"2026-11-20T04:00:{second:02d}Z" for second in (start, end)]
    return {
        "filter": {"date_time_filter": {"updated_at": {"start_at": ends[0], "end_at": ends[1]}}, **more},
        "sort": SORT,
    }


def search(http: httpx.Client, **asked: Any) -> tuple[int, dict[str, Any]]:
    answer = http.post("/v2/orders/search", json={"location_ids": ["L1"], **asked})
    return answer.status_code, answer.json()


def ids(answer: dict[str, Any]) -> list[int]:
    return [int(order["reference_id"]) for order in answer.get("orders", [])]


def test_a_search_goes_on_behind_its_cursor_with_the_same_query(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 5)
    query = window(2, 5)

    _, first = search(http, query=query, limit=3)
    _, second = search(http, query=query, limit=3, cursor=first["cursor"])
    status, wrong = search(http, query=window(1, 5), limit=3, cursor=first["cursor"])

    assert (ids(first), ids(second), "cursor" in second) == ([2, 3, 4], [5], False)
    assert (status, wrong["errors"][0]["code"]) == (400, "INVALID_CURSOR")


def test_states_are_filtered(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 2)
    platform.close_order("ORDER00000001")

    assert ids(search(http, query={"filter": {"state_filter": {"states": ["CANCELED"]}}})[1]) == [1]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"location_ids": []}, "ARRAY_EMPTY"),
        ({"location_ids": ["L"] * 11}, "ARRAY_LENGTH_TOO_LONG"),
        ({"limit": 1001}, "VALUE_TOO_HIGH"),
        ({"limit": "5"}, "VALUE_TOO_HIGH"),
        ({"query": window(1, 2) | {"sort": {"sort_field": "CREATED_AT"}}}, "BAD_REQUEST"),
        ({"cursor": "x"}, "INVALID_CURSOR"),
    ],
)
def test_each_mistake_has_its_code(http: httpx.Client, asked: dict[str, Any], code: str) -> None:
    status, answer = search(http, **asked)

    assert (status, answer["errors"][0]["code"]) == (400, code)


def test_who_may_come_in_and_how_often(http: httpx.Client) -> None:
    wrong = http.get("/v2/locations/L1", headers={"Authorization": "Bearer stolen"})
    platform = Platform(calls_per_second=1, clock=lambda: NOON)
    with platform.serve() as server:
        answers = [httpx.get(f"{server.url}/v2/locations/L1", headers=dict(http.headers)) for _ in range(2)]

    assert (wrong.status_code, wrong.json()["errors"][0]["category"]) == (401, "AUTHENTICATION_ERROR")
    assert [answer.status_code for answer in answers] == [200, 429]


def put(http: httpx.Client, version: int, key: str, **fields: Any) -> httpx.Response:
    change = {"uid": "f1", **fields}
    body = {"order": {"location_id": "L1", "version": version, "fulfillments": [change]}, "idempotency_key": key}
    return http.put("/v2/orders/ORDER00000001", json=body)


def test_an_update_is_sparse_versioned_and_done_once(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 1)

    first = put(http, 1, "a", state="PREPARED", metadata={"x": "1"})
    again = put(http, 1, "a", state="PREPARED", metadata={"x": "1"})
    reused = put(http, 2, "a", state="COMPLETED")
    stale = put(http, 1, "b", state="COMPLETED")

    assert (first.json(), first.json()["order"]["version"]) == (again.json(), 2)
    assert reused.json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (stale.status_code, stale.json()["errors"][0]["code"]) == (409, "VERSION_MISMATCH")
    row = platform.order("ORDER00000001")["fulfillments"][0]
    assert (row["state"], row["metadata"], row["shipment_details"]["recipient"]["display_name"]) == (
        "PREPARED",
        {"x": "1"},
        "韩磊",
    )


def test_what_is_over_cannot_be_changed(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 1)
    put(http, 1, "a", state="COMPLETED")

    assert platform.order("ORDER00000001")["state"] == "COMPLETED"
    assert put(http, 2, "b", state="PREPARED").json()["errors"][0]["detail"] == (
        "only open orders with a version can be updated"
    )


def count(http: httpx.Client, key: str, kind: str = "PHYSICAL_COUNT", **fields: Any) -> dict[str, Any]:
    told = {"catalog_object_id": "V", "location_id": "L1", "quantity": "5", "occurred_at": "2026-11-20T04:00:00Z"}
    change = {"type": kind, kind.lower(): {**told, "state": "IN_STOCK", **fields}}
    body = {"idempotency_key": key, "changes": [change]}
    answer: dict[str, Any] = http.post("/v2/inventory/changes/batch-create", json=body).json()
    return answer


def test_counts_are_applied_by_their_time(platform: Platform, http: httpx.Client) -> None:
    count(http, "a")
    count(http, "b", quantity="9", occurred_at="2026-11-20T03:59:59Z")
    count(http, "c", "ADJUSTMENT", quantity="2", from_state="NONE", to_state="IN_STOCK")
    count(http, "d", "ADJUSTMENT", quantity="1", from_state="IN_STOCK", to_state="SOLD")

    stock = platform.state()["stock"]
    read = http.post("/v2/inventory/counts/batch-retrieve", json={"catalog_object_ids": ["V"]}).json()
    assert stock == [{"catalog_object_id": "V", "location_id": "L1", "quantity": "6"}]
    assert [row["quantity"] for row in read["counts"]] == ["6"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"occurred_at": "2026-11-20T04:00:01Z"}, "INVALID_TIME"),
        ({"occurred_at": "2026-11-19T03:59:59Z"}, "INVALID_TIME"),
        ({"quantity": "-1"}, "VALUE_TOO_LOW"),
        ({"quantity": 5}, "MISSING_REQUIRED_PARAMETER"),
        ({"quantity": "many"}, "INVALID_VALUE"),
        ({"location_id": ""}, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_a_count_that_is_refused_changes_nothing(
    platform: Platform, http: httpx.Client, fields: dict[str, Any], code: str
) -> None:
    assert count(http, "a", **fields)["errors"][0]["code"] == code
    assert platform.state()["stock"] == []


def test_webhooks_carry_numbers_only_and_come_again_until_they_are_taken(platform: Platform) -> None:
    taken: list[Request] = []

    def take(request: Request) -> Response:
        taken.append(request)
        return Response(b"", 503 if len(taken) == 1 else 200)

    with LoopbackServer(take) as ours:
        url = f"{ours.url}/in/SQ/"
        fill(platform, 1)
        platform.webhooks.lose()
        platform.change_order("ORDER00000001", reference_id="x")
        platform.close_order("ORDER00000001")
        statuses = platform.push_to(url), platform.push_to(url)

    assert statuses == ([503, 200], [200])
    for request in taken:
        digest = hmac.new(b"sq-signature-key", url.encode() + request.body, hashlib.sha256).digest()
        assert request.headers["x-square-hmacsha256-signature"] == base64.b64encode(digest).decode()
    told = [json.loads(request.body) for request in taken]
    assert [each["type"] for each in told] == ["order.created", "order.updated", "order.created"]
    assert told[0]["event_id"] == told[2]["event_id"] != told[1]["event_id"]
    assert told[1]["data"]["object"]["order_updated"]["version"] == 3


def test_orders_can_be_put_in_from_outside(server: LoopbackServer) -> None:
    orders = [make_order(1, LINES, placed_at=NOON), make_order(2, LINES, placed_at=NOON, cancelled_at=NOON)]

    assert httpx.post(f"{server.url}/control/orders", json=orders).json() == {"added": 2}
    assert httpx.post(f"{server.url}/control/orders", json=[{"id": "1"}]).status_code == 400
    assert httpx.get(f"{server.url}/control/state").json()["by_status"] == {"OPEN": 1, "CANCELED": 1}
