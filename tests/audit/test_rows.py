"""Rows saved by COPY are the rows that the ORM would have saved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audit.models import Case, rows
from audit.rules.sentences import say
from channels.models import Channel
from inventory.models import Reservation
from orders.models import Customer, Fulfillment, FulfillmentLine, Order, OrderEvent, OrderLine, RoutingDecision
from orders.statuses import EventKind, MoneyState
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


def order(channel: Channel, number: str, **columns) -> Order:
    return Order(number=number, channel=channel, external_id=number, placed_at=NOON, received_at=NOON, **columns)


def test_inserted_rows_read_back_as_they_were():
    channel = company.channel()
    note = 'tab\t, line\nbreak, back\\slash, "quotes", {braces}, \\N, 😀 测试'
    first = order(
        channel, "A-1", buyer_note=note, money_state=MoneyState.PAID, paid_at=NOON, total_amount=Decimal("1.50")
    )
    second = order(channel, "A-2")

    rows.insert([first, second])

    assert [kept.pk for kept in Order.objects.order_by("number")] == [first.pk, second.pk]
    kept = Order.objects.get(number="A-1")
    for field in Order._meta.concrete_fields:
        assert getattr(kept, field.attname) == getattr(first, field.attname), field.name
    assert Order.objects.get(number="A-2").paid_at is None
    assert not first._state.adding
    second.save()
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    "model", [Order, OrderLine, OrderEvent, Fulfillment, FulfillmentLine, RoutingDecision, Customer]
)
def test_a_new_row_is_the_one_that_the_constructor_makes(model):
    made, constructed = rows.new(model), model()
    for field in model._meta.concrete_fields:
        assert getattr(made, field.attname) == getattr(constructed, field.attname), field.name
    assert (made._state.adding, made._state.db, made.pk) == (True, None, None)


def test_a_new_row_takes_columns_and_relations_and_nothing_else():
    channel = company.channel()
    parent = rows.new(Order, channel=channel, number="A-1", customer=None)
    events = [rows.new(OrderEvent, order=parent, kind=EventKind.HELD) for _ in range(2)]

    assert (parent.channel, parent.channel_id, parent.customer, parent.number) == (channel, channel.pk, None, "A-1")
    assert events[0].order is parent
    assert events[0].detail == {}
    assert events[0].detail is not events[1].detail
    with pytest.raises(TypeError, match="Order has no colour"):
        rows.new(Order, colour="red")


def test_children_get_the_keys_of_parents_saved_a_moment_before():
    channel = company.channel()
    buyer = Customer(channel=channel, external_key="b", name="王**")
    parent = order(channel, "A-1", customer=buyer)
    line = OrderLine(order=parent, line_number=1, external_id="1", quantity=2, unit_price=Decimal("1.2345"))

    for fresh in ([buyer], [parent], [line]):
        rows.insert(fresh)

    kept = OrderLine.objects.select_related("order__customer").get()
    assert (kept.order, kept.order.customer, kept.unit_price) == (parent, buyer, Decimal("1.2345"))
    assert line.order is parent


def test_sentences_are_kept_with_their_values_and_none_as_an_empty_one():
    parent = order(company.channel(), "A-1")
    rows.insert([parent])
    told = OrderEvent(order=parent, kind=EventKind.HELD, happened_at=NOON, actor="job:x")
    told.detail = say("From %(nodes)s", nodes='上海 "1"\\')
    silent = OrderEvent(order=parent, kind=EventKind.RECEIVED, happened_at=NOON, actor="job:x")

    rows.insert([told, silent])

    details = OrderEvent.objects.order_by("pk").values_list("kind", "detail")
    assert list(details) == [
        ("held", {"text": "From %(nodes)s", "values": {"nodes": '上海 "1"\\'}}),
        ("received", {}),
    ]


def test_a_refused_row_raises_what_the_orm_raises_and_leaves_nothing():
    channel = company.channel()
    rows.insert([order(channel, "A-1")])

    with pytest.raises(IntegrityError, match="an_order_number_is_unique"), transaction.atomic():
        rows.insert([order(channel, "A-2"), order(channel, "A-1")])

    assert list(Order.objects.values_list("number", flat=True)) == ["A-1"]


def test_no_rows_are_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        rows.insert([])
        assert rows.update([], ("name",)) == 0
        assert rows.keys_of(Order, ("channel_id",), []) == []


def test_updated_rows_keep_their_other_columns():
    channel = company.channel()
    kept, other = order(channel, "A-1", seller_note="stays"), order(channel, "A-2")
    rows.insert([kept, other])
    kept.buyer_note, kept.ship_by, kept.seller_note = "new", NOON + timedelta(hours=1), "not saved"

    assert rows.update([kept], ("buyer_note", "ship_by")) == 1

    kept.refresh_from_db()
    assert (kept.buyer_note, kept.ship_by, kept.seller_note) == ("new", NOON + timedelta(hours=1), "stays")
    other.refresh_from_db()
    assert other.buyer_note == ""


def test_keys_of_finds_rows_by_whole_tuples():
    here, there = company.channel("A"), company.channel("B")
    buyers = [Customer(channel=channel, external_key=key) for channel in (here, there) for key in ("x", "y")]
    rows.insert(buyers)

    wanted = [(here.pk, "x"), (there.pk, "y"), (there.pk, "nobody")]

    assert set(rows.keys_of(Customer, ("channel_id", "external_key"), wanted)) == {buyers[0].pk, buyers[3].pk}


def test_a_case_copies_and_a_model_with_a_computed_time_does_not(monkeypatch):
    rows.insert([Case(kind="k", subject="s", why=say("a"), suggestion=say("b"), opened_at=NOON)])
    assert Case.objects.get().why == {"text": "a", "values": {}}
    monkeypatch.setattr(Reservation._meta.get_field("reserved_at"), "auto_now", True)
    with pytest.raises(TypeError, match="Reservation cannot be copied: reserved_at"):
        rows.insert([Reservation()])
