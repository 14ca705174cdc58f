"""What nodes' systems and carriers say: late, doubled, skipped and unknown facts of parcels."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from channels.adapters import registry
from channels.messages import TrackEvent, TrackState
from orders.models import ParcelScan, RoutingAttempt
from orders.services import holds, waiting
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.speaking import Speaker, parcel, tell, tracking
from tests.small_company import NOON, TESTER

SENT = {"carrier_code": "SF", "tracking_number": "SF1"}


@pytest.fixture
def wms(hub, monkeypatch):
    monkeypatch.setitem(registry.BY_NAME, "house", Speaker())
    return company.channel("WMS", options={"nodes": ["SH"]})


def take(channel, *says):
    tell(channel, *says)
    scenes.drain()


def status(external_id="1"):
    return [row.status for row in scenes.parcels(external_id)]


def said(number, revision=1, kind="parcel"):
    return scenes.outcome(number, revision, kind)


def ordered(hub, external_id="1"):
    hub.take(company.order_message(external_id, {"CUP": 1}))
    return scenes.parcels(external_id)[0].number


def test_a_nodes_facts_move_its_parcel(hub, wms):
    number = ordered(hub)
    seen = []
    for revision, (state, facts) in enumerate([("accepted", {}), ("picked", {}), ("packed", {}), ("shipped", SENT)]):
        take(wms, parcel(state, number, revision, **facts))
        seen.append((status()[0], said(number, revision)))
    assert seen == [
        ("released", ("done", "")), ("picking", ("done", "")), ("packed", ("done", "")), ("shipped", ("done", "")),
    ]  # fmt: skip
    [row] = scenes.parcels()
    assert (row.carrier_code, row.tracking_number, row.shipped_at) == ("SF", "SF1", NOON)
    assert scenes.books()["held"] == []


@pytest.mark.parametrize("place", range(24))
def test_facts_in_any_order_end_shipped(hub, wms, place):
    number = ordered(hub)
    facts = [parcel("accepted", number, 1), parcel("picked", number, 2), parcel("packed", number, 3),
             parcel("shipped", number, 4, **SENT)]  # fmt: skip
    for fact in list(permutations(facts))[place]:
        take(wms, fact)
        take(wms, fact)
    assert (status(), scenes.books()["held"]) == (["shipped"], [])
    assert Case.objects.count() == 0
    outcomes = [said(number, revision) for revision in (1, 2, 3, 4)]
    assert set(outcomes) <= {("done", ""), ("superseded", "older_revision")}
    assert outcomes[3] == ("done", "")


def test_facts_that_come_together_are_one_move(hub, wms):
    number = ordered(hub)
    take(wms, parcel("shipped", number, 4, **SENT), parcel("picked", number, 2), parcel("packed", number, 3))
    assert (status(), said(number, 4), said(number, 2)) == (["shipped"], ("done", ""), ("superseded", "older_revision"))


def test_a_node_that_stopped_a_parcel_gives_it_back_and_a_person_decides(hub, wms):
    number = ordered(hub)
    take(wms, parcel("cancelled", number, 2, reason="缺货"))
    assert (status(), said(number, 2)) == (["cancelled"], ("done", ""))
    assert list(scenes.order().holds.values_list("kind", "reason__values__reason")) == [("manual", "缺货")]
    assert scenes.books()["held"] == []
    take(wms, parcel("picked", number, 1))
    assert said(number, 1) == ("superseded", "older_revision")


def test_a_parcel_that_its_node_refuses_goes_to_another_node(hub, wms):
    number = ordered(hub)
    take(wms, parcel("refused", number, 2, reason="缺货"))
    assert (status(), said(number, 2)) == (["cancelled", "released"], ("done", ""))
    tried = RoutingAttempt.objects.values_list("parcel_number", "node__code", "outcome", "reason", "told_by")
    assert list(tried) == [(number, "SH", "rejected", "缺货", "job:nodes")]
    assert [parcel.node.code for parcel in scenes.parcels()] == ["SH", "WH"]
    take(wms, parcel("refused", number, 3, reason="缺货"))
    assert (said(number, 3), RoutingAttempt.objects.count()) == (("superseded", "older_revision"), 1)


def test_a_parcel_of_an_order_on_hold_that_left_all_the_same_is_a_case(hub, wms):
    number = ordered(hub)
    holds.place([scenes.order().pk], reason="wait", actor=TESTER, at=NOON)
    before = scenes.everything()
    take(wms, parcel("shipped", number, 4, **SENT))
    assert (scenes.everything(), said(number, 4)) == (before, ("rejected", "parcel_not_moved"))
    case = Case.objects.get(kind="parcel_not_moved")
    assert (case.subject, case.why["text"]) == (f"WMS/{number}", "The order is on hold: lift the hold first.")


def test_a_parcel_that_was_sent_cannot_be_cancelled_by_its_node(hub, wms):
    number = ordered(hub)
    take(wms, parcel("shipped", number, 4, **SENT))
    before = scenes.everything()
    take(wms, parcel("cancelled", number, 5))
    assert (scenes.everything(), said(number, 5)) == (before, ("rejected", "parcel_not_moved"))


@pytest.mark.parametrize("nodes", [["WH"], []])
def test_a_parcel_of_another_system_is_unknown(hub, wms, nodes):
    number = ordered(hub)
    wms.options = {"nodes": nodes}
    wms.save()
    before = scenes.everything()
    take(wms, parcel("shipped", number, 4, **SENT), parcel("shipped", "NOBODY", 1))
    assert scenes.everything() == before
    assert {said(number, 4), said("NOBODY")} == {("rejected", "unknown_parcel")}
    assert sorted(Case.objects.values_list("kind", "subject")) == [
        ("unknown_parcel", f"WMS/{name}") for name in sorted([number, "NOBODY"])
    ]


def test_orders_and_parcels_that_come_mixed_are_all_taken(hub, wms):
    number = ordered(hub)
    company.receive(hub.channel, company.order_message("2", {"CUP": 1}))
    tell(wms, parcel("shipped", number, 4, **SENT))
    company.receive(hub.channel, company.order_message("3", {"CUP": 1}))
    totals = scenes.drain()
    assert (totals.messages, totals.batches) == (3, 2)
    assert [status(name) for name in "123"] == [["shipped"], ["released"], ["released"]]


def events(*states):
    return [TrackEvent(NOON + timedelta(hours=place), TrackState(state), state) for place, state in enumerate(states)]


def scans():
    return list(ParcelScan.objects.order_by("scanned_at").values_list("state", flat=True))


def test_scans_are_kept_once_and_a_delivery_delivers(hub, wms):
    number = ordered(hub)
    take(wms, parcel("shipped", number, 4, **SENT))
    take(wms, tracking("SF1", *events("collected", "underway")))
    assert (scans(), status()) == (["collected", "underway"], ["shipped"])
    take(wms, tracking("SF1", *events("collected", "underway", "delivered"), revision=2))
    assert (scans(), status()) == (["collected", "underway", "delivered"], ["delivered"])
    assert (scenes.order().status, scenes.order().delivered_at) == ("delivered", NOON)
    take(wms, tracking("SF1", *events("collected"), revision=3))
    assert (scans(), status()) == (["collected", "underway", "delivered"], ["delivered"])
    assert [said("SF/SF1", revision, "tracking") for revision in (1, 2, 3)] == [("done", "")] * 3


def test_scans_of_an_unknown_number_are_a_case_until_a_parcel_has_it(hub, wms):
    number = ordered(hub)
    take(wms, tracking("SF1", *events("collected", "delivered")))
    assert (scans(), said("SF/SF1", kind="tracking")) == ([], ("rejected", "unknown_parcel"))
    assert Case.objects.get().subject == "WMS/SF/SF1"
    assert waiting.wake(at=NOON) == 0
    take(wms, parcel("shipped", number, 4, **SENT))
    assert waiting.wake(at=NOON) == 1
    scenes.drain()
    assert (scans(), status(), Case.objects.get().status) == (["collected", "delivered"], ["delivered"], "resolved")


def test_another_carriers_number_is_another_parcel(hub, wms):
    number = ordered(hub)
    take(wms, parcel("shipped", number, 4, **SENT))
    take(wms, tracking("SF1", *events("delivered"), carrier="YTO"))
    assert (scans(), status(), said("YTO/SF1", kind="tracking")) == ([], ["shipped"], ("rejected", "unknown_parcel"))


def test_many_facts_take_as_many_statements_as_few(hub, wms):
    counts = []
    for names in ("z", "ab", "cdefghi"):  # the first parcel that a node sends gives it a standing
        numbers = [ordered(hub, name) for name in names]
        tell(wms, *(parcel("shipped", number, 4, carrier_code="SF", tracking_number=number) for number in numbers))
        with CaptureQueriesContext(connection) as queries:
            scenes.drain()
        tell(wms, *(tracking(number, *events("collected", "delivered")) for number in numbers))
        with CaptureQueriesContext(connection) as more:
            scenes.drain()
        counts.append((len(queries), len(more)))
    assert ParcelScan.objects.count() == 20
    assert counts[1] == counts[2]
