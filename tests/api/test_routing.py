"""Why these nodes, through the API."""

import pytest

from tests import small_company as company
from tests.orders.services import scenes


def url(number: str = "JD-1") -> str:
    return f"/api/v1/orders/{number}/routing/"


def test_an_orders_decisions_with_every_candidate(hub, client_with, django_assert_max_num_queries):
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}))
    client = client_with("orders.view_routingdecision")
    decision = scenes.order().routing.get()

    with django_assert_max_num_queries(7):
        response = client.get(url())

    assert response.status_code == 200
    [told] = response.json()
    assert {name: told[name] for name in ("kind", "policy", "policy_group", "is_pilot", "outcome", "cost", "run")} == {
        "kind": "online", "policy": "balanced/0", "policy_group": "all", "is_pilot": False, "outcome": "single",
        "cost": "8.00", "run": decision.run_id,
    }  # fmt: skip
    assert told["reasons"] == [
        "SH sends all: 3 units (0 km, ¥8.00), there from 2026-11-03 to 2026-11-03.",
        "The cost of ¥8.00 is freight ¥5.00, picking ¥3.00.",
        "Runner-up SH, WH: ¥22.75, ¥14.75 more.",
    ]
    assert [(one["node"], one["verdict"], one["words"], one["cost"], one["lacks"]) for one in told["candidates"]] == [
        ("SH", "chosen", "chosen", 8.0, 0), ("WH", "short", "lacks units", 10.75, 1),
    ]  # fmt: skip
    assert told["candidates"][0]["terms"] == {"freight": 5.0, "pick": 3.0}


def test_an_order_tells_when_it_arrives(hub, reader):
    hub.take(company.order_message("1", {"CUP": 1}, deliver_by="2026-11-05T20:00:00+08:00"))
    told = reader.get("/api/v1/orders/JD-1/").json()
    assert [told[name] for name in ("method", "deliver_by", "arrives_from", "arrives_until")] == [
        "standard", "2026-11-05T20:00:00+08:00", "2026-11-03", "2026-11-03",
    ]  # fmt: skip
    assert told["parcels"][0]["arrives_until"] == "2026-11-03"


@pytest.mark.parametrize(("number", "status"), [("JD-2", 404), ("JD-1/x", 404)])
def test_a_number_that_no_order_has_is_not_found(hub, client_with, number, status):
    assert client_with("orders.view_routingdecision").get(url(number)).status_code == status


def test_it_is_closed_to_those_without_permission(hub, client_with):
    hub.take(company.order_message("1", {"CUP": 1}))
    assert client_with("orders.view_order").get(url()).status_code == 403
