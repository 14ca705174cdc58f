"""Refunds: what stops an order, what cancels it, what is only noted, in whatever order the facts come."""

from collections import Counter
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from channels.adapters import registry
from orders.models import Refund
from orders.services import fulfillment, holds
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.speaking import Speaker, refund, tell
from tests.small_company import NOON, TESTER

SHORT = company.order_message("1", {"CUP": 25, "LID": 2})  # waits for cups, so nothing is released


@pytest.fixture(autouse=True)
def speaker(monkeypatch):
    monkeypatch.setitem(registry.BY_NAME, "house", Speaker())


def take(hub, *says):
    tell(hub.channel, *says)
    scenes.drain()


def open_holds():
    return sorted(scenes.order().holds.filter(lifted_at__isnull=True).values_list("kind", flat=True))


def live():
    return [line.line_number for line in scenes.order().lines.order_by("line_number") if not line.is_cancelled]


def kept():
    return list(Refund.objects.order_by("external_id").values_list("external_id", "status", "revision", "amount"))


def reserved():
    held = Counter()
    for code, _node, units in scenes.books()["held"]:
        held[code] += units
    return dict(held)


def test_an_open_refund_stops_an_order_at_a_node_and_its_end_lets_it_go(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    [parcel] = scenes.parcels()
    assert parcel.status == "released"
    take(hub, refund("asked", 1))
    assert (open_holds(), scenes.order().status) == (["refund"], "on_hold")
    assert fulfillment.pick([parcel.pk], actor=TESTER, at=NOON).done == []
    assert Case.objects.get(kind="refund", status="open").subject == scenes.order().number
    take(hub, refund("agreed", 2))
    assert open_holds() == ["refund"]
    take(hub, refund("closed", 3))
    assert (open_holds(), scenes.order().status) == ([], "released")
    assert Case.objects.get(kind="refund").status == "resolved"
    assert fulfillment.pick([parcel.pk], actor=TESTER, at=NOON).done == [parcel.number]
    assert kept() == [("R1", "closed", 3, 20)]


def test_a_refund_that_was_asked_for_before_release_keeps_the_goods_and_releases_nothing(hub):
    tell(hub.channel, refund("asked", 1))
    hub.take(company.order_message("1", {"CUP": 2}))
    assert (open_holds(), reserved()) == (["refund"], {"CUP": 2})
    assert [parcel.status for parcel in scenes.parcels()] == ["planned"]
    assert scenes.outcome("1", kind="refund") == ("done", "held_refund")
    take(hub, refund("closed", 2))
    assert [parcel.status for parcel in scenes.parcels()] == ["released"]


def test_a_refund_waits_for_its_order(hub):
    take(hub, refund("refunded", 1))
    assert scenes.outcome("1", kind="refund") == ("waiting", "before_its_order")
    assert Refund.objects.count() == 0
    hub.take(company.order_message("1", {"CUP": 2}))
    assert scenes.order().status == "cancelled"
    assert (kept(), reserved()) == ([("R1", "refunded", 1, 20)], {})


def test_a_refund_of_everything_cancels_an_order_that_no_node_has(hub):
    hub.take(SHORT)
    assert reserved() == {"CUP": 20, "LID": 2}
    take(hub, refund("refunded", 5, amount="270.00"))
    assert (scenes.order().status, scenes.order().cancel_reason, reserved()) == ("cancelled", "refunded", {})
    assert scenes.kinds()[-2:] == ["refunded", "cancelled"]


def test_a_refunded_line_is_cancelled_and_the_rest_goes_on(hub):
    hub.take(SHORT)
    take(hub, refund("refunded", 5, amount="250.00", lines={"1": None}))
    assert (live(), reserved()) == ([2], {"LID": 2})
    assert (scenes.order().status, scenes.order().total_amount) == ("released", 20)


@pytest.mark.parametrize("at_once", [True, False], ids=["with the order", "after the order"])
def test_what_was_paid_stays_what_was_paid_when_a_part_of_it_goes_back(hub, at_once):
    paid_back = refund("refunded", 5, amount="250.00", lines={"1": None})
    if at_once:
        take(hub, paid_back)
    hub.take(SHORT)
    if not at_once:
        take(hub, paid_back)
    hub.take(SHORT | {"revision": 9, "seller_note": "x"})
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (20, 270)


def test_two_refunds_of_parts_of_a_line_are_one_of_the_whole_line(hub):
    hub.take(SHORT)
    take(hub, refund("refunded", 5, amount="100.00", lines={"1": 10}))
    assert (open_holds(), live()) == (["refund"], [1, 2])
    take(hub, refund("refunded", 6, number="R2", amount="150.00", lines={"1": 15}))
    assert (open_holds(), live(), scenes.order().status) == ([], [2], "released")


def test_a_refund_of_some_units_asks_a_person_who_may_let_it_go(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    take(hub, refund("refunded", 5, amount="10.00", lines={"1": 1}))
    assert (open_holds(), live(), reserved()) == (["refund"], [1], {"CUP": 2})
    assert holds.lift([scenes.order().pk], actor=TESTER, at=NOON) == 1
    hub.take(company.order_message("1", {"CUP": 2}, revision=6, seller_note="x"))
    assert open_holds() == []


def test_money_alone_cancels_nothing(hub):
    hub.take(SHORT)
    before = scenes.books()
    take(hub, refund("refunded", 5, amount="5.00"))
    assert (live(), open_holds(), scenes.books(), scenes.order().status) == ([1, 2], [], before, "backordered")
    assert kept() == [("R1", "refunded", 5, 5)]


def test_the_rest_refunded_after_a_line_cancels_the_order(hub):
    hub.take(SHORT)
    take(hub, refund("refunded", 5, amount="250.00", lines={"1": 25}))
    stopped = fulfillment.stop([parcel.pk for parcel in scenes.parcels() if parcel.status == "released"], reason="x",
                               actor=TESTER, at=NOON)  # fmt: skip
    assert len(stopped.done) == 1
    take(hub, refund("refunded", 6, number="R2", amount="20.00"))
    assert (scenes.order().status, reserved()) == ("cancelled", {})


def test_a_node_that_has_the_parcel_is_not_overruled(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    before = scenes.books()
    take(hub, refund("refunded", 5))
    assert (open_holds(), scenes.books(), scenes.order().cancelled_at) == (["cancel_requested"], before, None)
    [parcel] = scenes.parcels()
    fulfillment.stop([parcel.pk], reason="refunded", actor=TESTER, at=NOON)
    assert (scenes.order().status, reserved()) == ("cancelled", {})


def test_after_the_goods_have_left_a_refund_is_kept_and_told_only(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    [parcel] = scenes.parcels()
    fulfillment.pack([parcel.pk], actor=TESTER, at=NOON)
    fulfillment.ship({parcel.pk: Handover("SF", "1")}, actor=TESTER, at=NOON)
    before = scenes.books()
    take(hub, refund("asked", 5), refund("refunded", 6, number="R2"))
    assert (open_holds(), live(), scenes.books(), scenes.order().status) == ([], [1], before, "shipped")
    assert [status for _number, status, _revision, _amount in kept()] == ["asked", "refunded"]
    assert scenes.kinds()[-2:] == ["changed", "refunded"]


def test_a_later_view_of_the_order_does_not_bring_a_refunded_line_back(hub):
    hub.take(SHORT)
    take(hub, refund("refunded", 5, amount="250.00", lines={"1": 25}))
    hub.take(SHORT | {"revision": 9, "seller_note": "x"})
    assert (live(), open_holds(), reserved(), scenes.order().status) == ([2], [], {"LID": 2}, "released")


def test_the_same_and_older_views_are_superseded(hub):
    hub.take(SHORT)
    take(hub, refund("agreed", 5))
    take(hub, refund("asked", 4))
    assert scenes.outcome("1", 4, "refund") == ("superseded", "older_revision")
    take(hub, refund("refunded", 3, amount="270.00"))  # money that went back stays back, however late it is told
    take(hub, refund("closed", 9))
    assert scenes.outcome("1", 9, "refund") == ("superseded", "older_revision")
    assert kept() == [("R1", "refunded", 3, 270)]
    assert scenes.order().status == "cancelled"


FACTS = [
    pytest.param([refund("asked", 2), refund("closed", 3)], id="withdrawn"),
    pytest.param([refund("asked", 2), refund("agreed", 3)], id="open"),
    pytest.param(
        [
            refund("asked", 2),
            refund("agreed", 3, lines={"1": 25}),
            refund("refunded", 4, amount="250", lines={"1": 25}),
        ],
        id="a line",
    ),
    pytest.param(
        [refund("asked", 2), refund("refunded", 3, amount="200"), refund("refunded", 4, number="R2", amount="70")],
        id="everything in two parts",
    ),
]


@pytest.mark.parametrize("facts", FACTS)
def test_facts_in_any_order_end_in_the_same_state(hub, facts):
    everything = [SHORT, *facts]
    ends = []
    for place, mails in enumerate(permutations(everything)):
        number = str(100 + place)
        for mail in mails:
            if isinstance(mail, dict):
                hub.take(mail | {"external_id": number})
            else:
                take(hub, type(mail)(**{**vars(mail), "external_id": number}))
        order = scenes.order(number)
        ends.append(
            (
                order.status, order.total_amount, order.paid_amount,
                sorted(order.holds.filter(lifted_at__isnull=True).values_list("kind", flat=True)),
                list(order.lines.order_by("line_number").values_list("is_cancelled", "quantity_allocated")),
                list(order.refunds.order_by("external_id").values_list("external_id", "status", "amount")),
            )
        )  # fmt: skip
        hub.take(scenes.change(90, external_id=number, cancelled_at=NOON.isoformat()))
        fulfillment.stop(
            [p.pk for p in scenes.parcels(number) if p.status != "cancelled"], reason="", actor=TESTER, at=NOON
        )
    assert len(ends) == len(list(permutations(everything)))
    assert set(map(str, ends)) == {str(ends[0])}


def test_many_refunds_take_as_many_statements_as_few(hub):
    counts = []
    for numbers in (["a", "b", "c"], [str(number) for number in range(12)]):
        hub.take(*(company.order_message(number, {"CUP": 30}) for number in numbers))
        tell(hub.channel, *(refund("asked", 5, order=number) for number in numbers))
        with CaptureQueriesContext(connection) as queries:
            scenes.drain()
        counts.append(len(queries))
    assert Refund.objects.count() == 15
    assert counts[1] - counts[0] < 3  # nine orders more
