"""Newer facts about a known order: in whatever order and however often they come, the end is the same."""

from decimal import Decimal
from itertools import permutations

import pytest

from audit.models import Case
from inventory.models import Reservation
from orders.models import Order, OrderLine
from orders.services import waiting
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import address, change
from tests.small_company import NOON

PAID = change(2, paid_at=NOON.isoformat())
MOVED = change(3, address=address("湖北省", "武汉市"))
CANCELLED = change(4, cancelled_at=NOON.isoformat(), cancel_reason="changed mind")
NOTED = change(5, buyer_note="please ring")
UNPAID_AND_SHORT = company.order_message("1", {"CUP": 25}, paid_at=None)  # never released, so nothing is too late


def end_state(external_id="1"):
    """What must not depend on how the facts came."""
    order = scenes.order(external_id)
    return {
        "order": (order.status, order.money_state, order.goods_state, order.paid_at, order.paid_amount,
                  order.total_amount, order.cancelled_at, order.cancel_reason, order.reserved_until),
        "to": (order.region, order.city, order.recipient_name, order.recipient_address),
        "holds": sorted(order.holds.filter(lifted_at__isnull=True).values_list("kind", flat=True)),
        "lines": list(order.lines.order_by("line_number").values_list("quantity", "quantity_allocated")),
        "cases": sorted(Case.objects.filter(status="open").values_list("kind", "subject")),
        "books": scenes.books(),
    }  # fmt: skip


@pytest.mark.parametrize(
    "facts", [*permutations([PAID, MOVED, NOTED]), *permutations([PAID, MOVED, CANCELLED])],
    ids=lambda facts: "-".join(str(fact["revision"]) for fact in facts),
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1], ids=["order first", "order second"])
def test_facts_in_any_order_end_in_the_same_state(hub, facts, place):
    told_in_order = sorted(facts, key=lambda fact: fact["revision"])
    hub.take(UNPAID_AND_SHORT | {"external_id": "ref"})
    for fact in told_in_order:
        hub.take(fact | {"external_id": "ref"})
    reference = end_state("ref")
    hub.take(change(9, external_id="ref", cancelled_at=NOON.isoformat()))
    empty = scenes.books()

    messages = list(facts)
    messages.insert(place, UNPAID_AND_SHORT)
    for message in messages:
        hub.take(message)
    hub.take(*messages)

    ours = end_state()
    for state in (reference, ours):
        state["cases"] = [kind for kind, _subject in state["cases"]]
    assert ours == reference
    assert empty["held"] == []


@pytest.mark.parametrize("facts", list(permutations([UNPAID_AND_SHORT, PAID, MOVED, CANCELLED])))
def test_facts_that_come_together_are_taken_in_the_order_they_happened(hub, facts):
    hub.take(*facts)
    order = scenes.order()
    assert (order.status, order.money_state, order.region) == ("cancelled", "paid", "42")
    assert (scenes.books()["held"], scenes.books()["room"], order.open_holds) == ([], [], 0)
    assert scenes.kinds().count("cancelled") == 1


VIEW = company.order_message("1", {"CUP": 25, "LID": 1}, paid_at=None)
NEWER_VIEW = company.order_message("1", {"CUP": 22, "LID": 1}, paid_at=None, revision=3, shipping_amount="6.00",
                                   seller_note="fewer", address=address("湖北省", "武汉市"))  # fmt: skip
WITHOUT_LID = company.order_message("1", {"CUP": 22}, paid_at=None, revision=3)
PAID_LATE, CANCELLED_LATE = PAID | {"revision": 4}, CANCELLED | {"revision": 5}
CLOSED = company.order_message("1", {"CUP": 22}, revision=6, paid_at=NOON.isoformat(), cancelled_at=NOON.isoformat())
CLOSED["lines"] = [line | {"is_cancelled": True} for line in CLOSED["lines"]]
SETS = [
    pytest.param([VIEW, NEWER_VIEW, PAID_LATE, CANCELLED_LATE], 1, id="cancelled"),
    pytest.param([VIEW, NEWER_VIEW, PAID_LATE, CANCELLED_LATE], 2, id="cancelled, two facts at once"),
    pytest.param([VIEW, MOVED | {"revision": 2}, NEWER_VIEW, PAID_LATE], 1, id="moved twice"),
    pytest.param([VIEW, WITHOUT_LID, PAID_LATE, CLOSED], 1, id="closed as a whole"),
    pytest.param([VIEW, CLOSED], 1, id="closed at once"),
]


@pytest.mark.parametrize(("facts", "at_once"), SETS)
def test_views_and_changes_in_any_order_end_as_the_newest_says(hub, facts, at_once):
    free, ends = scenes.books(), {}
    for place, order in enumerate(permutations(facts)):
        number = str(100 + place)
        named = [fact | {"external_id": number} for fact in order]
        for first in range(0, len(named), at_once):
            hub.take(*named[first : first + at_once])
        waiting.wake(at=NOON)
        scenes.drain()
        ends["-".join(str(fact["revision"]) for fact in order)] = without_the_shop(number)
        hub.take(change(90, external_id=number, cancelled_at=NOON.isoformat()))
        assert scenes.books() == free
    told_in_order = ends["-".join(str(fact["revision"]) for fact in facts)]
    assert ends == dict.fromkeys(ends, told_in_order)


def without_the_shop(number):
    """What of one order must not depend on how the facts came."""
    order = scenes.order(number)
    living = order.lines.filter(is_cancelled=False).order_by("external_id")
    return {name: value for name, value in end_state(number).items() if name not in ("cases", "books", "lines")} | {
        "lines": list(living.values_list("external_id", "quantity", "quantity_allocated", "net_amount")),
        "notes": (order.buyer_note, order.seller_note, order.shipping_amount, order.ship_by),
    }


def test_a_view_that_comes_after_the_cancel_still_says_what_was_ordered(hub):
    hub.take(VIEW)
    hub.take(CANCELLED_LATE)
    before = scenes.books()
    hub.take(NEWER_VIEW)
    order = scenes.order()
    assert list(order.lines.order_by("line_number").values_list("quantity", flat=True)) == [22, 1]
    assert (order.status, order.total_amount, order.region) == ("cancelled", Decimal("236.00"), "42")
    assert (order.open_holds, scenes.books(), scenes.parcels()[-1].status) == (0, before, "cancelled")


def test_paid_means_the_total_of_the_newest_view_even_when_that_comes_later(hub):
    hub.take(VIEW)
    hub.take(PAID_LATE)
    assert scenes.order().paid_amount == Decimal("260.00")  # 25 cups and a lid
    hub.take(NEWER_VIEW)
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (Decimal("236.00"), Decimal("236.00"))


def test_an_order_that_is_closed_as_a_whole_keeps_its_total(hub):
    hub.take(VIEW | {"paid_at": NOON.isoformat()})
    hub.take(CLOSED)
    order = scenes.order()
    assert (order.status, order.total_amount, order.paid_amount) == ("cancelled", Decimal("220.00"), Decimal("220.00"))


def test_an_order_that_is_closed_with_a_masked_address_keeps_the_one_that_is_known(hub):
    hub.take(VIEW)
    hub.take(CLOSED | {"address": address("***", "***")})
    order = scenes.order()
    assert (order.status, order.region, order.recipient_address) == ("cancelled", "31", "1 Test Road")


def test_a_paid_order_that_is_cancelled_keeps_what_was_paid_for_the_refund(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(change(3, cancelled_at=NOON.isoformat()))
    hub.take(change(2, paid_at=NOON.isoformat()))
    order = scenes.order()
    assert (order.status, order.money_state, order.paid_amount) == ("cancelled", "paid", Decimal("20.00"))


# -- money ----------------------------------------------------------------------------------------------


def test_paid_without_an_amount_means_the_total(hub):
    hub.take(company.order_message("1", {"CUP": 2}, shipping_amount="6.00"))
    hub.take(company.order_message("2", {"CUP": 2}, paid_at=None, shipping_amount="6.00"))
    hub.take(change(2, external_id="2", paid_at=NOON.isoformat()))
    assert [scenes.order(n).paid_amount for n in "12"] == [Decimal("26.00"), Decimal("26.00")]


def test_paid_in_the_same_batch_as_the_order_means_the_total_too(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None), PAID)
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (Decimal("20.00"), Decimal("20.00"))


def test_what_was_paid_is_rounded_as_the_total_is(hub):
    lines = [
        {"external_id": str(n), "sku_code": "CUP", "title": "CUP", "quantity": 1, "unit_price": "0.005"} for n in (1, 2)
    ]
    hub.take(company.order_message("1", {}) | {"lines": lines})
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (Decimal("0.02"), Decimal("0.02"))


def test_a_cancelled_line_is_not_paid(hub):
    message = company.order_message("1", {"CUP": 2, "LID": 1})
    message["lines"][1]["is_cancelled"] = True
    hub.take(message)
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (Decimal("20.00"), Decimal("20.00"))


def test_the_amount_that_the_channel_tells_stands(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_amount="18.88"))
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (Decimal("20.00"), Decimal("18.88"))


# -- address ----------------------------------------------------------------------------------------------


def test_an_address_change_before_release_plans_again(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    assert scenes.books()["held"] == [("CUP", "SH", 2)]
    hub.take(change(2, address=address("湖北省", "武汉市")))
    assert scenes.books()["held"] == [("CUP", "WH", 2)]
    assert scenes.books()["room"] == [("WH", NOON.date(), 1)]
    assert [(p.number, p.status, p.node.code) for p in scenes.parcels()] == [
        ("JD-1-1", "cancelled", "SH"),
        ("JD-1-2", "planned", "WH"),
    ]
    assert scenes.order().routing.count() == 2


def test_a_new_street_in_the_same_city_keeps_the_plan(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    before = scenes.books()
    hub.take(change(2, address=address()))
    assert scenes.books() == before
    assert (scenes.order().recipient_address, len(scenes.parcels())) == ("2 Other Road", 1)


def test_an_unpaid_order_keeps_its_term_when_it_is_planned_again(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    term = scenes.order().reserved_until
    hub.take(change(2, address=address("湖北省", "武汉市")))
    assert scenes.order().reserved_until == term
    assert Reservation.objects.get(status="active").expires_at == term


def test_an_address_change_to_nowhere_takes_the_plan_back_and_holds_the_order(hub):
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(change(2, address=address("Atlantis", "")))
    assert (scenes.order().status, scenes.books()) == ("on_hold", before)
    hub.take(change(3, address=address("湖北省", "武汉市")))
    assert scenes.order().status == "awaiting_payment"
    assert scenes.books()["held"] == [("CUP", "WH", 2)]
    assert Case.objects.filter(status="open").count() == 0


def test_an_address_change_after_release_moves_nothing_and_asks_a_person(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    before = scenes.books()
    hub.take(change(2, address=address("湖北省", "武汉市")))
    assert scenes.books() == before
    assert (scenes.order().status, scenes.parcels()[0].status) == ("on_hold", "released")
    assert Case.objects.get(status="open").kind == "changed"


def test_a_backorder_that_can_be_sent_from_elsewhere_is_settled(hub):
    company.stock(hub.cup, company.node("GZ", "44", serves=["44"]), 30)
    hub.take(company.order_message("1", {"CUP": 25}))
    assert Case.objects.get().kind == "backordered"
    hub.take(change(2, address=address("广东省", "广州市")))
    assert scenes.order().status == "released"
    assert list(Case.objects.values_list("kind", "status")) == [("backordered", "resolved")]


# -- lines ------------------------------------------------------------------------------------------------


def test_a_larger_quantity_before_release_is_planned_and_priced_again(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(company.order_message("1", {"CUP": 5}, revision=2, paid_at=None))
    order = scenes.order()
    assert (order.lines.get().quantity, order.lines.get().quantity_allocated, order.total_amount) == (5, 5, 50)
    assert scenes.books()["held"] == [("CUP", "SH", 5)]


def test_a_cancelled_line_gives_its_stock_back(hub):
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}, paid_at=None))
    newer = company.order_message("1", {"CUP": 2, "LID": 1}, revision=2, paid_at=None)
    newer["lines"][1]["is_cancelled"] = True
    hub.take(newer)
    lines = scenes.order().lines.order_by("line_number").values_list("quantity_allocated", "is_cancelled")
    assert list(lines) == [(2, False), (0, True)]
    assert scenes.books()["held"] == [("CUP", "SH", 2)]
    assert scenes.order().total_amount == 20


def test_an_added_line_is_stored_once_even_when_it_comes_with_the_order(hub):
    hub.take(
        company.order_message("1", {"CUP": 2}, paid_at=None),
        company.order_message("1", {"CUP": 2, "LID": 1}, revision=2, paid_at=None),
    )
    lines = OrderLine.objects.order_by("line_number").values_list("line_number", "external_sku", "quantity_allocated")
    assert list(lines) == [(1, "CUP", 2), (2, "LID", 1)]
    assert scenes.order().total_amount == 30


def test_an_added_line_of_a_known_order_joins_its_plan(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}, revision=2, paid_at=None))
    assert scenes.books()["held"] == [("CUP", "SH", 2), ("LID", "SH", 1)]
    assert scenes.order().lines.count() == 2


def test_changed_lines_after_release_move_nothing_and_ask_a_person(hub):
    hub.take(company.order_message("1", {"CUP": 2}))
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 3}, revision=2))
    assert (scenes.order().status, scenes.order().lines.get().quantity) == ("on_hold", 2)
    assert scenes.books() == before


def test_the_same_content_again_with_a_higher_revision_keeps_the_plan(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    before, parcel = scenes.books(), scenes.parcels()[0].number
    hub.take(company.order_message("1", {"CUP": 2}, revision=7, paid_at=None))
    assert (scenes.books(), [p.number for p in scenes.parcels()]) == (before, [parcel])
    assert (scenes.order().revision, scenes.order().status) == (7, "awaiting_payment")


def test_an_older_view_of_the_lines_still_counts_after_a_newer_address(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(change(3, address=address("湖北省", "武汉市")))
    hub.take(company.order_message("1", {"CUP": 5}, revision=2, paid_at=None))
    assert scenes.order().lines.get().quantity == 5


def test_an_order_without_a_living_line_is_cancelled(hub):
    newer = company.order_message("1", {"CUP": 2}, revision=2)
    newer["lines"][0]["is_cancelled"] = True
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None))
    hub.take(newer)
    assert scenes.order().status == "cancelled"


def test_an_order_exists_once_per_channel(hub):
    other = company.channel("TM")
    company.receive(other, company.order_message("1", {"CUP": 1}))
    hub.take(company.order_message("1", {"CUP": 1}))
    assert sorted(Order.objects.values_list("number", flat=True)) == ["JD-1", "TM-1"]


def test_a_line_that_vanished_from_a_newer_view_is_cancelled(hub):
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}, paid_at=None))
    newer = company.order_message("1", {"CUP": 2, "LID": 1}, revision=2, paid_at=None)
    del newer["lines"][1]
    hub.take(newer)
    assert scenes.books()["held"] == [("CUP", "SH", 2)]
    assert scenes.order().total_amount == 20


def test_an_older_note_that_comes_late_does_not_replace_a_newer_one(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    hub.take(change(5, buyer_note="ring the bell"))
    hub.take(change(4, buyer_note="leave it outside"))
    assert scenes.order().buyer_note == "ring the bell"


def test_an_order_that_comes_cancelled_asks_nobody_about_its_sku_or_address(hub):
    hub.take(
        company.order_message(
            "1", {"GHOST": 1}, paid_at=None, cancelled_at=NOON.isoformat(), address=address("Atlantis", "")
        )
    )
    assert (scenes.order().status, scenes.order().open_holds) == ("cancelled", 0)
    assert scenes.outcome("1") == ("done", "")
    assert Case.objects.count() == 0
