"""Orders and parcels through the API."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from orders.models import Order
from orders.services import fulfillment, holds
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

ORDERS = "/api/v1/orders/"
PARCELS = "/api/v1/fulfillments/"


def numbers(response):
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


def placed(number, minutes, **facts):
    return company.order_message(number, {"CUP": 1}, placed_at=(NOON - timedelta(minutes=minutes)).isoformat(), **facts)


# -- one order ---------------------------------------------------------------------------------------------


def test_an_order_with_all_its_parts(hub, reader):
    hub.take(company.order_message("1", {"CUP": 12, "GHOST": 1}, shipping_amount="6.00", buyer_note="ring twice"))
    company.sku("GHOST")
    company.stock(company.Sku.objects.get(code="GHOST"), hub.near, 1)
    holds.try_again([scenes.order().pk], actor=TESTER, at=NOON)
    first = scenes.parcels()[0]
    fulfillment.pack([first.pk], actor=TESTER, at=NOON)
    fulfillment.ship({first.pk: Handover("SF", "SF1")}, actor=TESTER, at=NOON)

    response = reader.get(f"{ORDERS}JD-1/")

    assert response.status_code == 200
    shown = response.json()
    assert {name: shown[name] for name in (
        "number", "channel", "external_id", "status", "money_state", "goods_state", "open_holds", "currency", "region",
        "placed_at", "goods_amount", "discount_amount", "shipping_amount", "total_amount", "paid_amount",
    )} == {
        "number": "JD-1", "channel": "JD", "external_id": "1", "status": "part_shipped", "money_state": "paid",
        "goods_state": "part_shipped", "open_holds": 0, "currency": "CNY", "region": "31",
        "placed_at": "2026-11-02T11:50:00+08:00", "goods_amount": "130.00", "discount_amount": "0.00",
        "shipping_amount": "6.00", "total_amount": "136.00", "paid_amount": "136.00",
    }  # fmt: skip
    assert [
        (line["line_number"], line["sku"], line["quantity"], line["quantity_shipped"], line["unit_price"])
        for line in shown["lines"]
    ] == [(1, "CUP", 12, 10, "10.0000"), (2, "GHOST", 1, 1, "10.0000")]
    assert [
        (parcel["number"], parcel["node"], parcel["status"], parcel["tracking_number"], parcel["contents"])
        for parcel in shown["parcels"]
    ] == [
        ("JD-1-1", "SH", "shipped", "SF1", [
            {"line_number": 1, "sku": "CUP", "quantity": 10}, {"line_number": 2, "sku": "GHOST", "quantity": 1},
        ]),
        ("JD-1-2", "WH", "released", "", [{"line_number": 1, "sku": "CUP", "quantity": 2}]),
    ]  # fmt: skip
    hold = shown["holds"][0]
    assert (hold["kind"], hold["reason"], hold["lifted_by"]) == (
        "unknown_sku", "Nobody knows which SKU the channel means by GHOST.", "person:tester",
    )  # fmt: skip
    assert [event["kind"] for event in shown["events"]] == scenes.kinds()
    assert shown["events"][-1]["detail"] == "Parcel JD-1-1 with SF SF1"


def test_a_line_that_nobody_knows_has_no_sku(hub, reader):
    hub.take(company.order_message("1", {"GHOST": 1}))
    assert reader.get(f"{ORDERS}JD-1/").json()["lines"][0]["sku"] is None


def test_personal_data_is_masked_without_the_permission(hub, reader, client_with):
    hub.take(
        company.order_message(
            "1", {"CUP": 1}, buyer_note="my door code is 1234", buyer_name="王小明",
            address={"province": "上海市", "city": "上海市", "line": "1 Secret Road", "name": "王小明",
                     "phone": "13812345678"},
        )
    )  # fmt: skip
    personal = ("recipient_name", "recipient_phone", "recipient_address", "buyer_note", "is_masked")
    masked = reader.get(f"{ORDERS}JD-1/")
    assert [masked.json()[name] for name in personal] == ["王**", "****5678", "*****", "*****", True]
    for secret in ("王小明", "13812345678", "Secret Road", "door code"):
        assert secret not in masked.content.decode()
        assert secret not in reader.get(ORDERS).content.decode()

    trusted = client_with("orders.view_order", "orders.view_order_personal")
    assert [trusted.get(f"{ORDERS}JD-1/").json()[name] for name in personal] == [
        "王小明", "13812345678", "1 Secret Road", "my door code is 1234", False,
    ]  # fmt: skip


def test_numbers_with_odd_characters_are_found(hub, reader):
    for number in ("a/b?c=d&e", "订单-🎉"):
        hub.take(company.order_message(number, {"LID": 1}))
        assert reader.get(f"{ORDERS}{quote(f'JD-{number}', safe='')}/").json()["external_id"] == number


def test_an_unknown_number_is_a_problem(reader):
    response = reader.get(f"{ORDERS}JD-404/")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json() == {
        "type": "about:blank", "title": "Not found.", "status": 404, "code": "not_found", "detail": "Not found.",
        "errors": [],
    }  # fmt: skip


# -- lists ----------------------------------------------------------------------------------------------------


def test_the_list_is_newest_first_and_names_no_buyer(hub, reader):
    hub.take(placed("1", 30), placed("2", 10), placed("3", 20))
    response = reader.get(ORDERS)
    assert numbers(response) == ["JD-2", "JD-3", "JD-1"]
    assert response.json()["next"] is None
    assert set(response.json()["results"][0]) == {
        "number", "channel", "external_id", "status", "money_state", "goods_state", "open_holds", "currency",
        "total_amount", "paid_amount", "country", "region", "city", "placed_at", "paid_at", "ship_by", "shipped_at",
        "delivered_at", "cancelled_at",
    }  # fmt: skip


def test_pages_follow_each_other_even_within_one_second(hub, reader):
    hub.take(*(placed(str(n), 10) for n in range(7)))
    seen, url = [], f"{ORDERS}?page_size=3&channel=JD"
    while url:
        response = reader.get(url)
        seen.append(numbers(response))
        url = response.json()["next"]
    expected = list(Order.objects.order_by("-placed_at", "-pk").values_list("number", flat=True))
    assert [len(page) for page in seen] == [3, 3, 1]
    assert sum(seen, []) == expected


def test_an_order_that_comes_in_between_shifts_nothing(hub, reader):
    hub.take(placed("1", 30), placed("2", 20), placed("3", 10))
    first = reader.get(f"{ORDERS}?page_size=2")
    hub.take(placed("4", 5))
    assert numbers(reader.get(first.json()["next"])) == ["JD-1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("number=JD-2", ["JD-2"], id="number"),
        pytest.param("external_id=3", ["JD-3"], id="channel's number"),
        pytest.param("channel=TM", ["TM-4"], id="channel"),
        pytest.param("status=released", ["TM-4", "JD-1"], id="status"),
        pytest.param("status=released&status=on_hold", ["TM-4", "JD-3", "JD-1"], id="either status"),
        pytest.param("money_state=unpaid", ["JD-2"], id="money"),
        pytest.param("region=42", ["JD-2"], id="region"),
        pytest.param("placed_after=2026-11-02T11:40:00%2B08:00", ["TM-4", "JD-3"], id="from then on"),
        pytest.param("placed_before=2026-11-02T11:40:00%2B08:00", ["JD-2", "JD-1"], id="before then"),
        pytest.param("status=cancelled", [], id="none"),
    ],
)
def test_the_list_is_narrowed(hub, reader, query, expected):
    hub.take(
        placed("1", 40), placed("2", 30, paid_at=None, address=scenes.address("湖北省", "武汉市")),
        company.order_message("3", {"GHOST": 1}, placed_at=(NOON - timedelta(minutes=20)).isoformat()),
    )  # fmt: skip
    other = company.channel("TM")
    company.receive(other, placed("4", 10))
    scenes.drain()
    assert numbers(reader.get(f"{ORDERS}?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        pytest.param("staus=released", "unknown_parameter", "staus", id="misspelt"),
        pytest.param("status=sold", "invalid_choice", "status", id="unknown status"),
        pytest.param("channel=NOPE", "invalid_choice", "channel", id="unknown channel"),
        pytest.param("placed_after=yesterday", "invalid", "placed_after", id="no time"),
        pytest.param("page_size=0", "bad_page_size", "page_size", id="empty page"),
        pytest.param("page_size=201", "bad_page_size", "page_size", id="huge page"),
        pytest.param("page_size=x", "bad_page_size", "page_size", id="no number"),
        pytest.param("cursor=abc", "bad_cursor", "cursor", id="made-up cursor"),
        pytest.param("cursor=%C3%A9", "bad_cursor", "cursor", id="cursor that is no base64"),
        pytest.param("number=%00", "null_characters_not_allowed", "number", id="NUL"),
    ],
)
def test_a_wrong_parameter_is_named(hub, reader, query, code, field):
    response = reader.get(f"{ORDERS}?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    problem = response.json()
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert problem["status"] == 400
    assert problem["detail"] == problem["errors"][0]["detail"] != ""


def test_parcels_are_listed_and_narrowed(hub, reader):
    hub.take(company.order_message("1", {"CUP": 12}), company.order_message("2", {"LID": 1}, paid_at=None))
    assert set(numbers(reader.get(PARCELS))) == {"JD-1-1", "JD-1-2", "JD-2-1"}
    assert numbers(reader.get(f"{PARCELS}?node=WH")) == ["JD-1-2"]
    assert numbers(reader.get(f"{PARCELS}?status=planned")) == ["JD-2-1"]
    assert numbers(reader.get(f"{PARCELS}?order=JD-1&node=SH")) == ["JD-1-1"]
    shown = reader.get(f"{PARCELS}JD-1-2/").json()
    assert (shown["order"], shown["node"], shown["status"], shown["contents"]) == (
        "JD-1", "WH", "released", [{"line_number": 1, "sku": "CUP", "quantity": 2}],
    )  # fmt: skip
    assert reader.get(f"{PARCELS}JD-9-9/").status_code == 404


# -- cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("url", "queries"),
    [
        # login: session, user, two kinds of permissions
        pytest.param(ORDERS, 4 + 1, id="orders"),
        pytest.param(f"{ORDERS}?channel=JD", 4 + 2, id="orders of a channel"),
        pytest.param(PARCELS, 4 + 2, id="parcels"),
        pytest.param(f"{PARCELS}JD-1-1/", 4 + 2, id="one parcel"),
        pytest.param(f"{ORDERS}JD-1/", 4 + 7, id="one order"),
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_rows(hub, reader, django_assert_num_queries, url, queries, rows):
    skus = {f"S{n}": 1 for n in range(rows)}
    for code in skus:
        company.stock(company.sku(code), hub.near, 10)
    hub.take(*(company.order_message(str(n), skus) for n in range(1, rows + 1)))
    for _ in range(rows):
        holds.place([scenes.order().pk], reason="look", actor=TESTER, at=NOON)
        holds.lift([scenes.order().pk], actor=TESTER, at=NOON)
    with django_assert_num_queries(queries):
        assert reader.get(url).status_code == 200
