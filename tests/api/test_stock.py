"""Stock levels and where their figures come from, asked through the API."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from channels.models import Channel
from inventory.models import ChannelShare, Node, SafetyChange, StockLevel, Transfer
from inventory.services import reservations, shares, transfers
from inventory.services.reservations import Claim, Want
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

URL = "/api/v1/stock/"


def hours(n):
    return NOON + timedelta(hours=n)


@pytest.fixture
def story(hub):
    """A cup is sold, four are on their way from SH to WH, one more is safety stock since the third hour."""
    hub.take(company.order_message("1", {"CUP": 1}))
    row = transfers.draft(
        Transfer(number="T1", source=hub.near, destination=hub.far),
        units={hub.cup.pk: 4}, actor=TESTER, at=hours(1),
    )  # fmt: skip
    transfers.send([row.pk], actor=TESTER, at=hours(2))
    StockLevel.objects.filter(sku=hub.cup, node=hub.near).update(safety_stock=1)
    SafetyChange.objects.create(sku=hub.cup, node=hub.near, before=0, after=1, actor="x", changed_at=hours(3))
    return hub


def ask(client, url, **query):
    response = client.get(url, query)
    assert response.status_code == 200, response.content
    return response.json()


def levels(answer):
    return [(row["sku"], row["node"], row["available"]) for row in answer["results"]]


def values(answer):
    return {figure["name"]: figure["value"] for figure in answer["figures"]}


def test_levels_in_their_own_order(story, reader):
    answer = ask(reader, URL)
    assert (levels(answer), answer["next"]) == ([("CUP", "SH", 4), ("LID", "SH", 10), ("CUP", "WH", 10)], None)
    assert answer["results"][0] == {
        "sku": "CUP", "node": "SH", "on_hand": 6, "reserved": 1, "quality_hold": 0, "safety_stock": 1, "available": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sku": "LID"}, [("LID", "SH", 10)]),
        ({"node": "WH"}, [("CUP", "WH", 10)]),
        ({"sku": "CUP", "node": "SH"}, [("CUP", "SH", 4)]),
        ({"low_first": "true"}, [("CUP", "SH", 4), ("LID", "SH", 10), ("CUP", "WH", 10)]),
    ],
)
def test_narrowed(story, reader, query, expected):
    assert levels(ask(reader, URL, **query)) == expected


def test_a_level_below_its_safety_stock_has_nothing_available(story, reader):
    StockLevel.objects.filter(sku=story.lid).update(safety_stock=99)
    assert levels(ask(reader, URL, low_first="true"))[0] == ("LID", "SH", 0)


@pytest.mark.parametrize("low_first", ["true", "false"])
def test_pages_go_on_after_the_last_row(story, reader, low_first):
    for n in range(5):
        company.stock(company.sku(f"S{n}"), story.far, 4)
    whole = levels(ask(reader, URL, low_first=low_first))
    seen, url = [], f"{URL}?page_size=3&low_first={low_first}"
    while url:
        page = ask(reader, url)
        seen += levels(page)
        url = page["next"]
    assert (seen, len(seen)) == (whole, 8)


def test_where_the_figures_of_a_node_come_from(story, reader):
    answer = ask(reader, f"{URL}CUP/SH/why/")
    assert (answer["sku"], answer["node"], answer["at"]) == ("CUP", "SH", None)
    assert values(answer) == {
        "on_hand": 6, "reserved": 1, "quality_hold": 0, "safety_stock": 1, "available": 4, "in_transit": 0,
        "expected": 0,
    }  # fmt: skip
    figures = {figure["name"]: figure for figure in answer["figures"]}
    on_hand = figures["on_hand"]
    assert (on_hand["stored"], on_hand["differs"], on_hand["row_count"]) == (6, False, 2)
    assert on_hand["parts"] == [
        {"kind": "opening", "units": 10, "rows": 1}, {"kind": "transfer_out", "units": -4, "rows": 1},
    ]  # fmt: skip
    newest = on_hand["rows"][0]
    assert (newest["record"], newest["units"], newest["at"], newest["kind"], newest["reference"]) == (
        "inventory.stockmovement", -4, "2026-11-02T14:00:00+08:00", "transfer_out", "T1",
    )  # fmt: skip
    assert [(row["units"], row["reference"]) for row in figures["reserved"]["rows"]] == [(1, "JD-1-1")]


def test_as_of_three_moments(story, reader):
    then = {n: values(ask(reader, f"{URL}CUP/SH/why/", at=hours(n).isoformat())) for n in (0, 2, 3)}
    names = ("on_hand", "reserved", "safety_stock", "available")
    assert {n: tuple(figures[name] for name in names) for n, figures in then.items()} == {
        0: (10, 1, 0, 9), 2: (6, 1, 0, 5), 3: (6, 1, 1, 4),
    }  # fmt: skip
    answer = ask(reader, f"{URL}CUP/WH/why/", at=hours(2).isoformat())
    assert (values(answer)["in_transit"], answer["at"]) == (4, "2026-11-02T14:00:00+08:00")
    assert [figure["stored"] for figure in answer["figures"]] == [None] * 7


def test_a_sku_at_all_nodes(story, reader):
    answer = ask(reader, f"{URL}CUP/why/")
    assert values(answer) == {
        "on_hand": 16, "reserved": 1, "quality_hold": 0, "safety_stock": 1, "available": 14, "in_transit": 4,
        "expected": 0,
    }  # fmt: skip
    assert answer["figures"][0]["parts"] == [
        {"kind": "SH", "units": 6, "rows": 1}, {"kind": "WH", "units": 10, "rows": 1},
    ]  # fmt: skip
    assert [(row["node"], row["figures"]["available"]) for row in answer["nodes"]] == [("SH", 4), ("WH", 10)]
    past = ask(reader, f"{URL}CUP/why/", at=hours(1).isoformat())
    assert (values(past)["on_hand"], values(past)["in_transit"]) == (20, 0)


@pytest.mark.parametrize(
    ("path", "status", "code", "sentence"),
    [
        pytest.param("NOPE/why/", 404, "not_found", "There is no SKU NOPE.", id="unknown SKU"),
        pytest.param("NOPE/SH/why/", 404, "not_found", "There is no SKU NOPE.", id="unknown SKU at a node"),
        pytest.param("CUP/XX/why/", 404, "not_found", "There is no node XX.", id="unknown node"),
        pytest.param("CUP/SH/why/?at=yesterday", 400, "bad_moment",
                     "A moment has a date, a time and an offset: 2026-11-02T12:00+08:00.", id="no moment"),
        pytest.param("CUP/SH/why/?at=2026-11-02T12:00", 400, "bad_moment",
                     "A moment has a date, a time and an offset: 2026-11-02T12:00+08:00.", id="no offset"),
        pytest.param(f"CUP/why/?at={quote('2999-01-01T00:00+08:00')}", 400, "bad_moment",
                     "This moment has not come yet.", id="future"),
        pytest.param("CUP/why/?on=x", 400, "unknown_parameter",
                     "There is no parameter on; there are at.", id="misspelt"),
        pytest.param("?cursor=x", 400, "bad_cursor", "The cursor is not one that the hub gave.", id="cursor"),
        pytest.param("?page_size=201", 400, "bad_page_size", "page_size is from 1 to 200.", id="page size"),
        pytest.param("?skus=CUP", 400, "unknown_parameter",
                     "There is no parameter skus; there are cursor, low_first, node, page_size, sku.", id="parameter"),
    ],
)  # fmt: skip
def test_a_question_that_has_no_answer_says_why(story, reader, path, status, code, sentence):
    response = reader.get(f"{URL}{path}")
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["code"], problem["detail"]) == (code, sentence)


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(
    ("path", "queries"),
    [("?low_first=true", 5), ("CUP/why/", 13), ("CUP/SH/why/", 17)],
    ids=["levels", "all nodes", "one node"],
)
def test_the_number_of_queries_does_not_grow(hub, reader, django_assert_num_queries, path, queries, count):
    for n in range(count):
        company.stock(company.sku(f"S{n}"), hub.near, 1)
        hub.take(company.order_message(f"{n}", {"CUP": 1}))
    with django_assert_num_queries(queries):
        reader.get(f"{URL}{path}")
    assert scenes.order("0").status == "released"


def test_what_each_channel_may_sell(story, reader, django_assert_num_queries):
    company.channel("DY").nodes.add(story.far)
    with django_assert_num_queries(11):
        answer = ask(reader, f"{URL}CUP/channels/")
    assert (answer["at"], answer["shares"]) == (None, [])
    assert [(one["channel"], one["value"], one["at_nodes"], one["share_room"]) for one in answer["channels"]] == [
        ("DY", 10, 10, None), ("JD", 14, 14, None),
    ]  # fmt: skip
    assert {part["name"]: part["units"] for part in answer["channels"][1]["parts"]} == {
        "on_hand": 16, "reserved": -1, "quality_hold": 0, "safety_stock": -1, "too_old": 0,
    }  # fmt: skip


def test_what_each_channel_could_sell_then(story, reader, django_assert_num_queries):
    company.channel("DY").nodes.add(story.far)
    Channel.objects.create(code="WMS", name="WMS", platform="qimen", adapter="qimen")
    Channel.history.update(history_date=hours(-24))
    Node.history.update(history_date=hours(-24))
    share = ChannelShare.objects.create(
        channel="DY", kind="exclusive", sku=story.cup, amount=5, created_at=NOON, created_by="x"
    )
    shares.publish(share, actor=TESTER, at=hours(4))
    want = Want("K", "P-K", story.cup.pk, story.far.pk, 2)
    reservations.reserve(Claim("K", (want,), channel="DY"), at=hours(5))
    shares.retire(share, actor=TESTER, at=hours(6))
    told = {n: ask(reader, f"{URL}CUP/channels/", at=hours(n).isoformat()) for n in (3, 4, 5, 6)}
    assert {
        n: [(one["channel"], one["value"], one["at_nodes"], one["share_room"]) for one in answer["channels"]]
        for n, answer in told.items()
    } == {
        3: [("DY", 10, 10, None), ("JD", 14, 14, None)],
        4: [("DY", 10, 10, 14), ("JD", 9, 14, 9)],
        5: [("DY", 8, 8, 12), ("JD", 9, 12, 9)],
        6: [("DY", 8, 8, None), ("JD", 12, 12, None)],
    }
    assert [len(told[n]["shares"]) for n in (3, 4, 5, 6)] == [0, 1, 1, 0]
    [use] = told[5]["shares"]
    assert datetime.fromisoformat(use.pop("since")) == hours(4)
    assert use == {
        "channel": "DY", "share": share.pk, "kind": "exclusive", "unit": "units", "amount": "5.00", "reserved": 2,
        "sold": 0, "promised": 0, "used": 2, "differs": False,
    }  # fmt: skip
    with django_assert_num_queries(16):
        ask(reader, f"{URL}CUP/channels/", at=hours(5).isoformat())
    reservations.release(["P-K"], at=hours(7))
    assert [one["value"] for one in ask(reader, f"{URL}CUP/channels/", at=hours(7).isoformat())["channels"]] == [10, 14]
    response = reader.get(f"{URL}CUP/channels/", {"at": "yesterday"})
    assert (response.status_code, response.json()["code"]) == (400, "bad_moment")


def test_a_bundle_is_asked_for_part_by_part(story, reader):
    company.sku("SET", parts={story.cup: 2})
    response = reader.get(f"{URL}SET/channels/")
    assert (response.status_code, response.json()["code"]) == (400, "bundle")
    assert reader.get(f"{URL}NOPE/channels/").status_code == 404
