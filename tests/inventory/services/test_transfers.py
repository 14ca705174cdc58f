"""A transfer's units are at its source, on their way, at its destination, or lost: never twice, never nowhere."""

import pytest
from django.db import IntegrityError, transaction

from inventory.models import StockLevel, StockMovement, Transfer
from inventory.services import reservations, transfers
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def lid():
    return company.sku("LID")


@pytest.fixture
def here(cup, lid):
    node = company.node("SH")
    company.stock(cup, node, 10)
    company.stock(lid, node, 4)
    return node


@pytest.fixture
def there():
    return company.node("WH", "42")


@pytest.fixture
def transfer(here, there, cup, lid):
    return draft(here, there, {cup.pk: 6, lid.pk: 4})


def draft(source, destination, units, number="T1"):
    row = Transfer(number=number, source=source, destination=destination)
    return transfers.draft(row, units=units, actor=TESTER, at=NOON)


def send(*rows):
    return transfers.send([row.pk for row in rows], actor=TESTER, at=NOON)


def receive(row, units, key="A1"):
    return transfers.receive(row.pk, key=key, units=units, actor=TESTER, at=NOON)


def on_hand():
    rows = StockLevel.objects.order_by("node__code", "sku__code").values_list("node__code", "sku__code", "on_hand")
    return {f"{sku}@{node}": units for node, sku, units in rows}


def lines(row):
    rows = row.lines.order_by("sku__code")
    return [(line.quantity_sent, line.quantity_received, line.quantity_lost, line.in_transit) for line in rows]


def refusals_of(call, *args, **kwargs):
    before = on_hand(), StockMovement.objects.count(), list(Transfer.objects.values_list("number", "status"))
    with pytest.raises(RowsRefused) as refused:
        call(*args, **kwargs)
    assert (on_hand(), StockMovement.objects.count(), list(Transfer.objects.values_list("number", "status"))) == before
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


def test_a_draft_moves_nothing_and_its_number_counts_once(transfer, here, there, cup, lid):
    assert draft(here, there, {cup.pk: 6, lid.pk: 4}).pk == transfer.pk
    assert on_hand() == {"CUP@SH": 10, "LID@SH": 4}
    assert refusals_of(draft, here, there, {cup.pk: 5}) == [(0, "Number T1 stands for another transfer.")]


def test_units_walk_from_source_to_destination(transfer, cup, lid):
    assert [send(transfer), send(transfer)] == [1, 0]
    assert on_hand() == {"CUP@SH": 4, "LID@SH": 0}
    assert lines(transfer) == [(6, 0, 0, 6), (4, 0, 0, 4)]
    assert receive(transfer, {cup.pk: 5}).status == "part_received"
    assert receive(transfer, {cup.pk: 5}).status == "part_received"
    assert on_hand() == {"CUP@SH": 4, "LID@SH": 0, "CUP@WH": 5}
    assert receive(transfer, {cup.pk: 1, lid.pk: 4}, key="A2").status == "received"
    assert on_hand() == {"CUP@SH": 4, "LID@SH": 0, "CUP@WH": 6, "LID@WH": 4}
    assert lines(transfer) == [(6, 6, 0, 0), (4, 4, 0, 0)]
    kinds = StockMovement.objects.filter(reference="T1").order_by("pk").values_list("kind", "quantity")
    assert list(kinds) == [
        ("transfer_out", -6), ("transfer_out", -4), ("transfer_in", 5), ("transfer_in", 1), ("transfer_in", 4),
    ]  # fmt: skip
    assert Transfer.objects.get().closed_at == NOON


def test_a_transfer_to_its_own_node_is_refused_by_verb_and_database(here, there, cup):
    assert refusals_of(draft, here, here, {cup.pk: 1}) == [(0, "A transfer cannot go to its own node.")]
    with pytest.raises(IntegrityError, match="a_transfer_goes_somewhere_else"), transaction.atomic():
        Transfer.objects.create(number="T", source=here, destination=here, created_at=NOON, created_by="x")


def test_a_draft_without_sensible_lines_is_refused_row_by_row(here, there, cup, lid):
    pair = company.sku("PAIR", parts={cup: 2})
    assert refusals_of(draft, here, there, {}) == [(0, "A transfer needs at least one line.")]
    assert refusals_of(draft, here, there, {cup.pk: 1, lid.pk: -1, pair.pk: 1}) == [
        (2, "A quantity must be above zero."),
        (3, "A bundle has no stock of its own: move its parts."),
    ]


def test_a_draft_is_written_anew_until_it_leaves(transfer, here, there, cup, lid):
    shop = company.node("GZ", "44")
    asked = Transfer(pk=transfer.pk, source=here, destination=shop, note="by rail")
    transfers.redraft(asked, units={lid.pk: 3})
    transfer.refresh_from_db()
    assert (transfer.number, transfer.destination, transfer.note) == ("T1", shop, "by rail")
    assert list(transfer.lines.values_list("sku__code", "quantity")) == [("LID", 3)]
    asked.destination = here
    assert refusals_of(transfers.redraft, asked, units={cup.pk: 1}) == [(0, "A transfer cannot go to its own node.")]
    assert refusals_of(transfers.redraft, transfer, units={lid.pk: 0}) == [(1, "A quantity must be above zero.")]
    send(transfer)
    assert refusals_of(transfers.redraft, transfer, units={lid.pk: 1}) == [(0, "Transfer T1 is on its way already.")]
    assert lines(transfer) == [(3, 0, 0, 3)]


def test_what_is_promised_is_not_sent_and_then_nothing_is(transfer, here, there, cup):
    small = draft(here, there, {cup.pk: 1}, number="T2")
    reservations.reserve(Claim("O", (Want("P/1", "P", cup.pk, here.pk, 5),)), at=NOON)
    assert refusals_of(send, small, transfer) == [
        (1, "CUP at SH has not that many free units."),
        (3, "CUP at SH has not that many free units."),
    ]
    assert send(small) == 1


def test_more_than_is_on_its_way_is_never_received(transfer, cup, lid):
    assert refusals_of(receive, transfer, {cup.pk: 1}) == [(0, "Transfer T1 has not been sent yet.")]
    send(transfer)
    receive(transfer, {cup.pk: 4})
    other = company.sku("POT")
    assert refusals_of(receive, transfer, {lid.pk: 4, cup.pk: 3, other.pk: 1}, key="A2") == [
        (2, "3 arrived, but only 2 are on their way."),
        (3, "The transfer does not contain this SKU."),
    ]
    assert refusals_of(receive, transfer, {cup.pk: -1}, key="A2") == [(1, "A quantity must be above zero.")]


def test_an_arrival_of_the_same_name_counts_once_whatever_it_says(transfer, cup, lid):
    send(transfer)
    receive(transfer, {cup.pk: 2})
    receive(transfer, {cup.pk: 2, lid.pk: 1})
    assert lines(transfer) == [(6, 2, 0, 4), (4, 0, 0, 4)]
    assert on_hand() == {"CUP@SH": 4, "LID@SH": 0, "CUP@WH": 2}
    assert (transfers.has_come(transfer, key="A1"), transfers.has_come(transfer, key="A")) == (True, False)


def test_what_never_comes_is_given_up_with_a_reason(transfer, cup):
    send(transfer)
    receive(transfer, {cup.pk: 5})
    assert refusals_of(transfers.give_up, transfer.pk, reason_code="lost", actor=TESTER, at=NOON) == [
        (0, "There is no reason code lost for this.")
    ]
    closed = transfers.give_up(transfer.pk, reason_code="short", note="truck", actor=TESTER, at=NOON)
    assert (closed.status, closed.note) == ("received", "person:tester: short: truck")
    assert lines(transfer) == [(6, 5, 1, 0), (4, 0, 4, 0)]
    assert on_hand() == {"CUP@SH": 4, "LID@SH": 0, "CUP@WH": 5}
    assert refusals_of(receive, transfer, {cup.pk: 1}, key="A3") == [(0, "Transfer T1 has been received already.")]


def test_only_a_draft_can_be_cancelled(transfer, here, there, cup):
    other = draft(here, there, {cup.pk: 1}, number="T2")
    send(transfer)
    cancel = transfers.cancel
    assert refusals_of(cancel, [other.pk, transfer.pk], actor=TESTER, at=NOON) == [
        (0, "Transfer T1 has left and cannot be cancelled.")
    ]
    assert [cancel([other.pk], actor=TESTER, at=NOON), cancel([other.pk], actor=TESTER, at=NOON)] == [1, 0]
    assert refusals_of(send, other) == [(0, "Transfer T2 is cancelled.")]
