"""What may be promised, asked through the API."""

import pytest

from inventory.models import Node, StockLevel
from tests import small_company as company

URL = "/api/v1/availability/"


@pytest.fixture
def stocked(hub):
    """Cups 10 + 10, lids 10 at SH; a cup is promised, two are safety stock at WH."""
    hub.take(company.order_message("1", {"CUP": 1}))
    StockLevel.objects.filter(sku=hub.cup, node=hub.far).update(safety_stock=2)
    return hub


def figures(response):
    assert response.status_code == 200, response.content
    return [
        (row["sku"], row["available"], {node["node"]: node["available"] for node in row["nodes"]})
        for row in response.json()["results"]
    ]


def test_units_per_sku_and_node_in_the_order_asked(stocked, reader):
    assert figures(reader.get(f"{URL}?sku=LID&sku=CUP&sku=LID")) == [
        ("LID", 10, {"SH": 10}),
        ("CUP", 17, {"SH": 9, "WH": 8}),
    ]


def test_a_bundle_has_as_many_as_its_scarcest_part(stocked, reader):
    company.sku("SET", parts={stocked.cup: 2, stocked.lid: 1})
    assert figures(reader.get(f"{URL}?sku=SET")) == [("SET", 8, {"SH": 4})]


def test_only_some_nodes(stocked, reader):
    assert figures(reader.get(f"{URL}?sku=CUP&node=WH")) == [("CUP", 8, {"WH": 8})]


def test_only_nodes_that_serve_a_region(stocked, reader):
    Node.objects.filter(pk=stocked.far.pk).update(serves=["44", "US"])
    assert figures(reader.get(f"{URL}?sku=CUP&region=44")) == [("CUP", 17, {"SH": 9, "WH": 8})]
    assert figures(reader.get(f"{URL}?sku=CUP&region=31")) == [("CUP", 9, {"SH": 9})]
    assert figures(reader.get(f"{URL}?sku=CUP&region=US")) == [("CUP", 8, {"WH": 8})]


def test_an_inactive_node_promises_nothing(stocked, reader):
    Node.objects.filter(pk=stocked.near.pk).update(is_active=False)
    assert figures(reader.get(f"{URL}?sku=CUP&sku=LID")) == [("CUP", 8, {"WH": 8}), ("LID", 0, {})]


def test_nothing_is_promised_of_what_is_reserved(hub, reader):
    hub.take(company.order_message("1", {"CUP": 20}))
    assert figures(reader.get(f"{URL}?sku=CUP")) == [("CUP", 0, {})]


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        pytest.param("sku=CUP&sku=NOPE", "unknown_sku", "There is no SKU NOPE.", id="unknown SKU"),
        pytest.param("sku=CU%00P", "unknown_sku", "There is no SKU CU\0P.", id="NUL"),
        pytest.param("", "missing_sku", "Ask for at least one SKU: ?sku=CODE.", id="no SKU"),
        pytest.param("sku=CUP&node=XX", "unknown_node", "There is no node XX.", id="unknown node"),
        pytest.param("sku=CUP&region=99", "unknown_region", "There is no region 99.", id="unknown region"),
        pytest.param("sku=CUP&skus=LID", "unknown_parameter",
                     "There is no parameter skus; there are node, region, sku.", id="misspelt"),
        pytest.param("&".join(f"sku={n}" for n in range(501)), "too_many_skus", "Ask for at most 500 SKUs.", id="501"),
    ],
)  # fmt: skip
def test_a_question_that_has_no_answer_says_why(stocked, reader, query, code, sentence):
    response = reader.get(f"{URL}?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    problem = response.json()
    assert (problem["code"], problem["detail"], problem["status"]) == (code, sentence, 400)


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(hub, reader, django_assert_num_queries, count):
    codes = [f"S{n}" for n in range(count)]
    for code in codes:
        company.sku(f"SET{code}", parts={company.sku(code): 2})
    # login 4; SKUs, nodes, parts, stock
    with django_assert_num_queries(9):
        assert len(figures(reader.get(f"{URL}?" + "&".join(f"sku=SET{code}" for code in codes)))) == count
