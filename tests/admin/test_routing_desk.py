"""What goes wrong on the way, at the desk: refusals, standing, other nodes, disruptions, tariffs, lanes, nodes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inventory.models import Node, Sku
from inventory.rules.geography import REGIONS
from orders.models import CarrierLane, Disruption, FreightTariff, NodeStanding, Order, RoutingAttempt, RoutingDecision
from tests.orders.services import scenes

pytestmark = pytest.mark.django_db


def read(browser, name, *args, **more):
    answer = browser.get(reverse(f"admin:{name}", args=args), **more)
    assert answer.status_code == 200
    return answer.content.decode()


def do(browser, model, name, rows, **told):
    url = reverse(f"admin:orders_{model}_verb", args=[name])
    ids = ",".join(str(row.pk) for row in rows)
    return browser.post(f"{url}?ids={ids}", {"sent": "1"} | told, follow=True)


# -- refusals and standing ------------------------------------------------------------------------------------


def test_a_person_says_that_a_node_refuses_and_allows_it_again(desk, sell):
    sell({"1": {"CUP": 2}})
    said = do(desk, "fulfillment", "reject", scenes.parcels(), outcome="stock_gone", reason="flooded")
    assert "1 parcels are taken back and planned again." in said.content.decode()
    assert [(one.status, one.node.code) for one in scenes.parcels()] == [("cancelled", "SH"), ("released", "WH")]
    shown = read(desk, "orders_routingattempt_changelist")
    for words in ("JD-1-1", "The stock was gone", "flooded", "boss"):
        assert words in shown
    standing = read(desk, "orders_nodestanding_changelist")
    assert "0.90" in standing
    assert NodeStanding.objects.get().refused == 1
    [attempt] = RoutingAttempt.objects.all()
    do(desk, "routingattempt", "forgive", [attempt])
    attempt.refresh_from_db()
    assert attempt.forgiven_by == "person:boss"


def test_only_who_may_choose_nodes_allows_one_again(clerk, sell):
    sell({"1": {"CUP": 2}})
    boss = clerk("orders.view_fulfillment", "orders.change_fulfillment")
    do(boss, "fulfillment", "reject", scenes.parcels(), outcome="rejected", reason="x")
    looker = clerk("orders.view_routingattempt")
    answer = do(looker, "routingattempt", "forgive", RoutingAttempt.objects.all())
    assert (answer.status_code, RoutingAttempt.objects.get().forgiven_at) == (403, None)


# -- other nodes ----------------------------------------------------------------------------------------------


@pytest.fixture
def planned(desk, shop, sell):
    sell({"1": {"CUP": 2}})
    order = Order.objects.get()
    order.fulfillments.update(status="planned", released_at=None)
    Order.objects.update(goods_state="allocated")
    order.refresh_from_db()
    return order


def test_other_nodes_are_shown_with_what_they_cost_and_chosen_with_a_reason(desk, planned):
    url = reverse("admin:orders_order_nodes", args=[planned.pk])
    assert f'href="{url}"' in read(desk, "orders_order_change", planned.pk)
    before = scenes.everything()
    shown = read(desk, "orders_order_nodes", planned.pk)
    for words in ("SH", "WH", "everything", "Against the plan"):
        assert words in shown
    assert scenes.everything() == before
    far = Node.objects.get(code="WH")
    without = desk.post(url, {"nodes": [far.pk], "reason": ""})
    assert (without.status_code, scenes.everything()) == (200, before)
    answer = desk.post(url, {"nodes": [far.pk], "reason": "the buyer asked"}, follow=True)
    assert "WH sends it now: JD-1-2." in answer.content.decode()
    decision = RoutingDecision.objects.order_by("-pk")[0]
    assert (decision.kind, decision.decided_by, decision.reason) == ("override", "person:boss", "the buyer asked")


def test_nobody_else_chooses_nodes(clerk, planned):
    browser = clerk("orders.view_order", "orders.change_order")
    url = reverse("admin:orders_order_nodes", args=[planned.pk])
    before = scenes.everything()
    assert browser.get(url).status_code == 403
    assert browser.post(url, {"nodes": ["1"], "reason": "x"}).status_code == 403
    assert (url in read(browser, "orders_order_change", planned.pk), scenes.everything()) == (False, before)


# -- disruptions ----------------------------------------------------------------------------------------------


def described(**more):
    now = timezone.localtime()
    return {
        "name": "Typhoon", "effect": "blocks", "delay_hours": "0", "severity": "3", "from_regions": ["31"],
        "starts_at_0": f"{now:%Y-%m-%d}", "starts_at_1": f"{now:%H:%M:%S}", "ends_at_0": "", "ends_at_1": "",
        "carrier_code": "", "seen": "", "change_reason": "seen on TV",
    } | more  # fmt: skip


def test_a_disruption_shows_what_it_touches_before_it_is_saved(desk, planned):
    url = reverse("admin:orders_disruption_add")
    told = described()
    asked = desk.post(url, told)
    assert (asked.status_code, Disruption.objects.count()) == (200, 0)
    assert "It touches 1 orders whose parcels are only planned" in asked.content.decode()
    seen = asked.context["adminform"].form.data["seen"]
    saved = desk.post(url, told | {"seen": seen}, follow=True)
    row = Disruption.objects.get()
    assert (row.name, row.from_regions, row.severity) == ("Typhoon", ["31"], 3)
    assert row.history.get().history_change_reason == "person:boss: seen on TV"
    assert "in force" in saved.content.decode()
    assert "Shanghai" in saved.content.decode()
    do(desk, "disruption", "end", [row], reason="over")
    row.refresh_from_db()
    assert row.ended_by == "person:boss"


def test_what_cannot_stand_is_said_beside_it_and_not_kept(desk, shop):
    url = reverse("admin:orders_disruption_add")
    answer = desk.post(url, described(from_regions=[]))
    assert "nothing named would stop everything everywhere" in answer.content.decode()
    assert Disruption.objects.count() == 0


# -- tariffs and lanes ----------------------------------------------------------------------------------------

HEAD = "carrier,method,from,to,first_g,first_price,step_g,step_price,hours_min,hours_max,valid_from\n"


def bring(desk, text, encoding="utf-8"):
    file = SimpleUploadedFile("prices.csv", text.encode(encoding))
    return desk.post(reverse("admin:orders_freighttariff_import"), {"file": file, "reason": "new list"}, follow=True)


def test_a_price_list_is_taken_as_a_whole_and_written_over(desk, shop):
    rows = "SF,standard,上海,广东,1000,8,1000,2,12,30,2026-01-01\nSF,,,Hubei,1000,9.5,500,1,12,48,2026-01-01\n"
    assert "2 tariffs are new or changed." in bring(desk, HEAD + rows, "gb18030").content.decode()
    assert list(FreightTariff.objects.order_by("pk").values_list("from_region", "to_region", "first_price")) == [
        ("31", "44", Decimal("8.00")), ("", "42", Decimal("9.50")),
    ]  # fmt: skip
    assert "1 tariffs are new or changed." in bring(desk, HEAD + rows.replace(",8,", ",7,")).content.decode()
    first = FreightTariff.objects.order_by("pk")[0]
    assert (first.first_price, first.history.count()) == (Decimal(7), 2)
    assert first.history.first().history_change_reason == "person:boss: new list"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param("SF,,Atlantis,,1000,8,1000,2,12,30,2026-01-01", "No region is called Atlantis.", id="region"),
        pytest.param("SF,,,,1000,-8,1000,2,12,30,2026-01-01", "A price is negative or too large.", id="negative"),
        pytest.param("SF,,,,1000,8,0,2,12,30,2026-01-01", "A weight must be between 1 and 1,000,000 grams.", id="step"),
        pytest.param("SF,,,,1000,8,1000,2,30,12,2026-01-01", "The hours at most must not be fewer", id="hours"),
        pytest.param("SF,,,,x,8,1000,2,12,30,2026-01-01", "A number or the date cannot be read", id="number"),
        pytest.param("SF,boat,,,1000,8,1000,2,12,30,2026-01-01", "The method is none of", id="method"),
        pytest.param("GOOD,,,,1000,8,1000,2,12,30,2026-01-01", "An earlier row is for the same lane", id="twice"),
    ],
)
def test_one_wrong_row_keeps_the_list_out_and_says_which(desk, shop, row, words):
    answer = bring(desk, HEAD + "GOOD,,,,1000,8,1000,2,12,30,2026-01-01\n" + row + "\n").content.decode()
    assert words in answer
    assert "<td>3</td>" in answer
    assert FreightTariff.objects.count() == 0


def test_lanes_without_a_carrier_are_counted_and_drawn(desk, shop):
    assert "freight is reckoned by distance" in read(desk, "orders_freighttariff_gaps")
    bring(desk, HEAD + "SF,,31,,1000,8,1000,2,12,30,2026-01-01\n")
    shown = read(desk, "orders_freighttariff_gaps")
    gaps = len(REGIONS)  # two regions have nodes; a carrier starts in one of them
    assert f"{gaps} lanes have no carrier" in shown
    assert (shown.count('tag-red">0<'), shown.count('tag-green">1<')) == (gaps, gaps)


def test_lanes_stand_beside_what_the_carrier_says(desk, shop):
    bring(desk, HEAD + "SF,,,,1000,8,1000,2,12,30,2026-01-01\n")
    CarrierLane.objects.create(carrier_code="SF", from_region="31", to_region="44", parcels=40, hours_p50=20,
                               hours_p90=41, late_share=0.25, learned_at=timezone.now())  # fmt: skip
    shown = read(desk, "orders_carrierlane_changelist")
    for words in ("Shanghai → Guangdong", "25%", ">30<", "tag-red"):
        assert words in shown


# -- nodes and SKUs -------------------------------------------------------------------------------------------


def test_a_node_is_taken_down_for_a_while_in_plain_words(desk, shop):
    near = Node.objects.get(code="SH")
    url = reverse("admin:inventory_node_change", args=[near.pk])
    until = timezone.localtime() + timedelta(days=1)
    told = {
        "code": "SH", "kind": "store", "name": "SH", "name_en": "", "is_active": "on", "region": "31",
        "city": "Shanghai", "latitude": "31.2", "longitude": "121.4", "parcels_per_day": "100", "parcels_per_hour": "",
        "capabilities": ["cold"], "serves": ["31", "32"], "cut_off": "17:00", "claim_minutes": "30",
        "pick_cost": "3.5", "groups": "east,core", "down_until_0": f"{until:%Y-%m-%d}", "down_until_1": "08:00:00",
        "down_reason": "flood", "change_reason": "called",
    }  # fmt: skip
    capabilities = [value for value, _label in Node._meta.get_field("capabilities").base_field.choices]
    told["capabilities"] = capabilities[:1]
    answer = desk.post(url, told, follow=True)
    near.refresh_from_db()
    assert (near.capabilities, near.serves, near.groups) == (capabilities[:1], ["31", "32"], ["east", "core"])
    assert (near.claim_minutes, near.down_reason) == (30, "flood")
    assert "begins within 30 min" in answer.content.decode()
    assert 'title="flood"' in answer.content.decode()


def test_a_sku_says_what_it_needs_and_where_it_must_not_go(desk, shop):
    cup = Sku.objects.get(code="CUP")
    shown = read(desk, "inventory_sku_change", cup.pk)
    assert 'name="needs"' in shown
    assert 'name="not_to"' in shown
    assert "Hong Kong" in shown


# -- all pages ------------------------------------------------------------------------------------------------

LISTS = ("routingattempt", "nodestanding", "disruption", "freighttariff", "carrierlane")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(desk, shop, sell, name):
    sell({str(n): {"CUP": 1} for n in range(1, 4)})
    orders, counts = list(Order.objects.order_by("pk")), []
    nodes = [*shop[3:], Node.objects.create(code="X", name="X", kind="store", region="31", city="Shanghai")]
    make = {
        "routingattempt": lambda n: RoutingAttempt.objects.create(
            order=orders[n], node=nodes[n], parcel_number=f"P{n}", outcome="rejected", happened_at=timezone.now(),
            told_by="job:nodes"),
        "nodestanding": lambda n: NodeStanding.objects.create(node=nodes[n], changed_at=timezone.now()),
        "disruption": lambda n: Disruption.objects.create(
            code=f"D{n}", name="Storm", effect="blocks", starts_at=timezone.now()).nodes.add(nodes[n]),
        "freighttariff": lambda n: FreightTariff.objects.create(
            carrier_code="SF", to_region=f"3{n + 1}", first_price=8, step_price=2, hours_min=1, hours_max=2,
            valid_from="2026-01-01"),
        "carrierlane": lambda n: CarrierLane.objects.create(
            carrier_code="SF", from_region="31", to_region=f"3{n + 1}", parcels=20, hours_p50=1, hours_p90=2,
            learned_at=timezone.now()),
    }[name]  # fmt: skip
    for n in range(3):
        make(n)
        with CaptureQueriesContext(connection) as queries:
            read(desk, f"orders_{name}_changelist")
        counts.append(len(queries))
    assert counts[0] == counts[2]


@pytest.mark.parametrize("name", LISTS)
def test_only_those_who_may_see_a_list(clerk, name):
    url = reverse(f"admin:orders_{name}_changelist")
    assert clerk("orders.view_order").get(url).status_code == 403
    assert clerk(f"orders.view_{name}").get(url).status_code == 200
