"""The simulated Admin API keeps Shopify's rules, seen by a client that shares no code with the adapter."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.shopify import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LINES = [("TEE-RED-M", "Tee", 2, Decimal("109.00"))]
SET = "mutation S($input: I!, $key: String!) { inventorySetQuantities(input: $input) %s { userErrors { message } } }"


@pytest.fixture
def platform() -> Platform:
    return Platform(clock=lambda: NOON)


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def http(server: LoopbackServer) -> Iterator[httpx.Client]:
    headers = {"X-Shopify-Access-Token": "shpat_demo"}
    with httpx.Client(base_url=f"{server.url}/admin/api/2024-10", headers=headers) as client:
        yield client


def fill(platform: Platform, count: int) -> None:
    for number in range(1, count + 1):
        platform.add_order(make_order(number, LINES, placed_at=NOON + timedelta(seconds=number)))


def numbers(answer: httpx.Response) -> list[int]:
    return [order["id"] for order in answer.json()["orders"]]


def graphql(http: httpx.Client, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    answer = http.post("/graphql.json", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_a_list_goes_on_behind_its_cursor(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 5)

    first = http.get("/orders.json", params={"limit": 2, "status": "any"})
    link = re.fullmatch(r'<(http://[^>]+page_info=[^>]+)>; rel="next"', first.headers["Link"])
    assert link
    second = http.get(link[1])
    third = http.get(second.headers["Link"].split(">")[0][1:])

    assert [numbers(page) for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert "Link" not in third.headers


def test_open_orders_only_unless_asked(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 2)
    platform.close_order(1)

    asked = [http.get("/orders.json", params=params) for params in ({}, {"status": "any"}, {"status": "cancelled"})]

    assert [numbers(answer) for answer in asked] == [[2], [2, 1], [1]]


def test_both_ends_belong_to_the_window(platform: Platform, http: httpx.Client) -> None:
    fill(platform, 4)
    ends = {"updated_at_min": "2026-11-20T04:00:02Z", "updated_at_max": "2026-11-20T12:00:03+08:00"}

    assert numbers(http.get("/orders.json", params=ends)) == [3, 2]


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({"page_info": "x", "status": "any"}, {"status": "status cannot be passed when page_info is present"}),
        ({"page_info": "x"}, {"page_info": "Invalid value."}),
        ({"limit": "251"}, {"limit": "must be between 1 and 250"}),
        ({"limit": "0"}, {"limit": "must be between 1 and 250"}),
        ({"updated_at_min": "yesterday"}, {"updated_at_min": "is not a time"}),
        ({"colour": "red"}, {"colour": "is not played here"}),
    ],
)
def test_wrong_parameters(
    platform: Platform, http: httpx.Client, params: dict[str, str], errors: dict[str, str]
) -> None:
    fill(platform, 1)
    answer = http.get("/orders.json", params=params)

    assert (answer.status_code, answer.json()) == (400, {"errors": errors})


def test_who_may_come_in(http: httpx.Client) -> None:
    answer = http.get("/shop.json", headers={"X-Shopify-Access-Token": "stolen"})

    assert (answer.status_code, "Invalid API key" in answer.json()["errors"]) == (401, True)
    assert http.get("/no/such.json").status_code == 404
    assert http.get("/orders/9.json").json() == {"errors": "Not Found"}


def test_a_bucket_fills_and_leaks() -> None:
    now = [NOON]
    platform = Platform(calls_at_once=3, clock=lambda: now[0])
    headers = {"X-Shopify-Access-Token": "shpat_demo"}
    with platform.serve() as server, httpx.Client(base_url=f"{server.url}/admin/api/2026-10", headers=headers) as http:
        limits = [http.get("/shop.json").headers["X-Shopify-Shop-Api-Call-Limit"] for _ in range(3)]
        over = http.get("/shop.json")
        now[0] += timedelta(seconds=1)
        later = [http.get("/shop.json").status_code for _ in range(3)]

    assert limits == ["1/3", "2/3", "3/3"]
    assert (over.status_code, over.headers["Retry-After"]) == (429, "2.0")
    assert later == [200, 200, 429]


def test_stock_needs_an_idempotency_key_and_a_say_about_what_it_was(platform: Platform, http: httpx.Client) -> None:
    row = {"inventoryItemId": "gid://shopify/InventoryItem/5", "locationId": "gid://shopify/Location/1", "quantity": 3}
    keyed = SET % "@idempotent(key: $key)"

    def send(query: str, key: str, **more: Any) -> dict[str, Any]:
        asked = {"name": "available", "reason": "correction", "quantities": [{**row, **more}]}
        return graphql(http, query, {"input": asked, "key": key})

    assert "@idempotent directive is required" in send(SET % "", "k", changeFromQuantity=None)["errors"][0]["message"]
    assert "changeFromQuantity" in send(keyed, "k")["errors"][0]["message"]
    assert platform.state()["stock"] == []
    assert send(keyed, "k", changeFromQuantity=None) == {"data": {"inventorySetQuantities": {"userErrors": []}}}
    send(keyed, "k", changeFromQuantity=None, quantity=9)  # the same key again: nothing more is done
    mismatch = send(keyed, "l", changeFromQuantity=2, quantity=9)["data"]["inventorySetQuantities"]["userErrors"]
    assert mismatch[0]["message"] == "The changeFromQuantity value does not match persisted value."
    assert platform.state()["stock"] == [{"inventory_item_id": 5, "location_id": 1, "available": 3}]


def test_two_locations_are_no_one_fulfillment(platform: Platform, http: httpx.Client) -> None:
    platform.add_order(make_order(1, [*LINES, *LINES], placed_at=NOON), locations={101: 1, 102: 2})
    rows = http.get("/orders/1/fulfillment_orders.json").json()["fulfillment_orders"]
    parts = [{"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{row['id']}"} for row in rows]
    query = "mutation F($fulfillment: X!) { fulfillmentCreate(fulfillment: $fulfillment) { userErrors { message } } }"

    both = graphql(http, query, {"fulfillment": {"lineItemsByFulfillmentOrder": parts}})["data"]["fulfillmentCreate"]
    one = graphql(http, query, {"fulfillment": {"lineItemsByFulfillmentOrder": parts[:1]}})["data"]["fulfillmentCreate"]
    again = graphql(http, query, {"fulfillment": {"lineItemsByFulfillmentOrder": parts[:1]}})["data"]

    assert both["userErrors"][0]["message"] == "All fulfillment orders must be assigned to the same location."
    assert one == {"fulfillment": {"id": "gid://shopify/Fulfillment/10"}, "userErrors": []}
    assert again["fulfillmentCreate"]["userErrors"][0]["message"] == "Fulfillment order has an unfulfillable status."
    assert platform.order(1)["fulfillment_status"] == "partial"


def test_webhooks_are_signed_and_come_again_until_they_are_taken(platform: Platform) -> None:
    taken: list[Request] = []

    def take(request: Request) -> Response:
        taken.append(request)
        return Response(b"", 500 if len(taken) == 1 else 200)

    with LoopbackServer(take) as ours:
        fill(platform, 1)
        first = platform.push_to(f"{ours.url}/in/SH/")
        platform.webhooks.lose()
        platform.change_order(1)
        platform.close_order(1)
        platform.faults.plan("duplicate", 2)
        second = platform.push_to(f"{ours.url}/in/SH/")
        third = platform.push_to(f"{ours.url}/in/SH/")

    assert (first, second, third) == ([500], [200, 200, 200, 200], [])
    topics = [request.headers["x-shopify-topic"] for request in taken]
    assert topics == ["orders/create"] * 3 + ["orders/updated"] * 2
    assert len({request.headers["x-shopify-webhook-id"] for request in taken}) == 2
    for request in taken:
        digest = base64.b64encode(hmac.new(b"hush", request.body, hashlib.sha256).digest()).decode()
        assert request.headers["x-shopify-hmac-sha256"] == digest
    assert json.loads(taken[-1].body)["cancelled_at"] == "2026-11-20T04:00:00+00:00"


def test_orders_can_be_put_in_from_outside(platform: Platform, server: LoopbackServer) -> None:
    orders = [make_order(1, LINES, placed_at=NOON), make_order(2, LINES, placed_at=NOON, paid_at=NOON)]

    assert httpx.post(f"{server.url}/control/orders", json=orders).json() == {"added": 2}
    assert httpx.post(f"{server.url}/control/orders", json=[{"id": 1}]).status_code == 400
    state = httpx.get(f"{server.url}/control/state").json()
    assert (state["orders"], state["by_status"]) == (2, {"pending": 1, "paid": 1})
