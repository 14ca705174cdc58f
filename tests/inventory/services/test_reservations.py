"""Promising stock one caller at a time: exact balances, and refusals that change nothing."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from inventory.models import Reservation, ReservationMove, StockLevel, StockMovement
from inventory.services import reservations
from inventory.services.levels import LevelsChanged, apply_on_hand, apply_reserved, lock_levels
from inventory.services.reservations import Claim, KeyUsedOtherwise, NotReservable, Shortage, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


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


def want(sku, node, quantity, key="P1/1", reference="P1"):
    return Want(key, reference, sku.pk, node.pk, quantity)


def claim(*wants, owner="O1", expires_at=None):
    return Claim(owner, wants, expires_at)


def balance(sku, node):
    level = StockLevel.objects.filter(sku=sku, node=node).first()
    return (level.on_hand, level.reserved) if level else None


def state():
    """Everything that a refused verb must leave as it was."""
    return (
        list(StockLevel.objects.order_by("pk").values_list("sku", "node", "on_hand", "reserved")),
        list(Reservation.objects.order_by("pk").values_list("key", "node", "quantity", "status", "expires_at")),
        list(StockMovement.objects.order_by("pk").values_list("key", "quantity")),
        list(ReservationMove.objects.order_by("pk").values_list("reservation", "from_node", "to_node")),
    )


# -- reserve --------------------------------------------------------------------------------------


def test_reserve_holds_exactly_what_was_wanted(cup, lid, here):
    reservations.reserve(claim(want(cup, here, 3), want(lid, here, 4, "P1/2"), expires_at=LATER), at=NOON)

    assert balance(cup, here) == (10, 3)
    assert balance(lid, here) == (4, 4)
    rows = Reservation.objects.order_by("key").values_list(
        "key", "reference", "sku", "node", "quantity", "status", "reserved_at", "expires_at", "closed_at"
    )
    assert list(rows) == [
        ("P1/1", "P1", cup.pk, here.pk, 3, "active", NOON, LATER, None),
        ("P1/2", "P1", lid.pk, here.pk, 4, "active", NOON, LATER, None),
    ]


def test_the_last_unit_can_be_reserved_and_not_one_more(cup, here):
    reservations.reserve(claim(want(cup, here, 10)), at=NOON)
    before = state()
    with pytest.raises(NotReservable) as refused:
        reservations.reserve(claim(want(cup, here, 1, "P2/1", "P2"), owner="O2"), at=NOON)
    assert refused.value.shortages == (Shortage(cup.pk, here.pk, wanted=1, available=0),)
    assert state() == before


def test_the_same_claim_again_is_granted_and_changes_nothing(cup, here):
    reservations.reserve(claim(want(cup, here, 7)), at=NOON)
    before = state()
    outcome = reservations.reserve_all([claim(want(cup, here, 7))], at=LATER)
    assert (outcome.granted, outcome.refused) == ({"O1"}, {})
    assert state() == before


def test_a_claim_that_is_held_in_part_gets_only_the_rest(cup, lid, here):
    reservations.reserve(claim(want(cup, here, 7)), at=NOON)
    reservations.reserve(claim(want(cup, here, 7), want(lid, here, 1, "P1/2")), at=NOON)
    assert (balance(cup, here), balance(lid, here)) == ((10, 7), (4, 1))


@pytest.mark.parametrize("change", [{"quantity": 2}, {"sku": "lid"}, {"node": "there"}])
def test_a_key_that_stands_for_something_else_is_refused(cup, lid, here, there, change):
    company.stock(cup, there, 5)
    reservations.reserve(claim(want(cup, here, 1)), at=NOON)
    before = state()
    other = {"sku": cup, "node": here, "quantity": 1} | change
    other |= {name: {"lid": lid, "there": there}[other[name]] for name in ("sku", "node") if name in change}
    with pytest.raises(KeyUsedOtherwise), transaction.atomic():
        reservations.reserve(claim(want(**other)), at=NOON)
    assert state() == before


@pytest.mark.parametrize("close", ["release", "consume"])
def test_a_closed_key_never_reserves_again(cup, here, close):
    reservations.reserve(claim(want(cup, here, 1)), at=NOON)
    if close == "release":
        reservations.release(["P1"], at=NOON)
    else:
        reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
    before = state()
    with pytest.raises(KeyUsedOtherwise), transaction.atomic():
        reservations.reserve(claim(want(cup, here, 1)), at=NOON)
    assert state() == before


def test_two_lines_of_one_sku_are_added_up(cup, here):
    reservations.reserve(claim(want(cup, here, 4), want(cup, here, 6, "P1/2")), at=NOON)
    assert balance(cup, here) == (10, 10)


def test_two_lines_that_are_each_small_enough_but_not_together_are_refused(cup, here):
    before = state()
    with pytest.raises(NotReservable) as refused:
        reservations.reserve(claim(want(cup, here, 6), want(cup, here, 6, "P1/2")), at=NOON)
    assert refused.value.shortages == (Shortage(cup.pk, here.pk, wanted=12, available=10),)
    assert str(refused.value) == f"SKU {cup.pk}@{here.pk}: 10 of 12"
    assert state() == before


def test_a_refused_claim_takes_nothing_of_its_other_lines(cup, lid, here):
    before = state()
    with pytest.raises(NotReservable) as refused:
        reservations.reserve(claim(want(cup, here, 1), want(lid, here, 5, "P1/2")), at=NOON)
    assert refused.value.shortages == (Shortage(lid.pk, here.pk, wanted=5, available=4),)
    assert state() == before


def test_in_one_call_the_refused_claim_leaves_its_units_to_the_next(cup, here):
    claims = [
        claim(want(cup, here, 6, "A/1", "A"), owner="A"),
        claim(want(cup, here, 6, "B/1", "B"), owner="B"),
        claim(want(cup, here, 4, "C/1", "C"), owner="C"),
    ]
    outcome = reservations.reserve_all(claims, at=NOON)
    assert outcome.granted == {"A", "C"}
    assert outcome.refused == {"B": (Shortage(cup.pk, here.pk, wanted=6, available=4),)}
    assert balance(cup, here) == (10, 10)


def test_where_there_was_never_stock_nothing_is_available(cup, there):
    with pytest.raises(NotReservable) as refused:
        reservations.reserve(claim(want(cup, there, 1)), at=NOON)
    assert refused.value.shortages == (Shortage(cup.pk, there.pk, wanted=1, available=0),)
    assert balance(cup, there) is None


def test_safety_stock_is_not_promised(cup, here):
    StockLevel.objects.filter(sku=cup, node=here).update(safety_stock=4)
    with pytest.raises(NotReservable) as refused:
        reservations.reserve(claim(want(cup, here, 7)), at=NOON)
    assert refused.value.shortages[0].available == 6
    reservations.reserve(claim(want(cup, here, 6)), at=NOON)
    assert balance(cup, here) == (10, 6)


def test_no_claims_change_nothing(here):
    before = state()
    assert reservations.reserve_all([], at=NOON).granted == set()
    assert state() == before


# -- extend, release, forget ------------------------------------------------------------------------


def test_extend_sets_a_new_end_for_active_reservations_only(cup, here):
    reservations.reserve(claim(want(cup, here, 1), want(cup, here, 1, "P1/2"), expires_at=NOON), at=NOON)
    reservations.reserve(claim(want(cup, here, 1, "P2/1", "P2"), expires_at=NOON), at=NOON)
    reservations.release(["P2"], at=NOON)
    assert reservations.extend(["P1", "P2"], expires_at=LATER) == 2
    assert list(Reservation.objects.order_by("key").values_list("expires_at", flat=True)) == [LATER, LATER, NOON]
    assert reservations.extend(["P1"], expires_at=None) == 2
    assert Reservation.objects.filter(expires_at__isnull=True).count() == 2
    assert balance(cup, here) == (10, 2)


def test_release_gives_back_once(cup, lid, here):
    reservations.reserve(claim(want(cup, here, 3), want(lid, here, 2, "P1/2")), at=NOON)
    reservations.reserve(claim(want(cup, here, 5, "P2/1", "P2")), at=NOON)
    assert reservations.release(["P1"], at=LATER) == 2
    assert (balance(cup, here), balance(lid, here)) == ((10, 5), (4, 0))
    assert set(Reservation.objects.filter(reference="P1").values_list("status", "closed_at")) == {("released", LATER)}
    before = state()
    assert reservations.release(["P1", "nobody"], at=LATER) == 0
    assert state() == before


def test_forget_leaves_no_trace_and_frees_the_key(cup, here):
    before = state()
    reservations.reserve(claim(want(cup, here, 3)), at=NOON)
    assert reservations.forget(["P1"], at=NOON) == 1
    assert state() == before
    reservations.reserve(claim(want(cup, here, 9)), at=NOON)
    assert balance(cup, here) == (10, 9)


# -- consume --------------------------------------------------------------------------------------------


def test_consume_takes_the_units_out_of_stock_and_writes_why(cup, lid, here):
    reservations.reserve(claim(want(cup, here, 3), want(lid, here, 4, "P1/2")), at=NOON)
    assert reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=LATER) == 2
    assert (balance(cup, here), balance(lid, here)) == ((7, 0), (0, 0))
    rows = StockMovement.objects.filter(kind="shipment").order_by("key")
    assert list(rows.values_list("key", "sku", "node", "quantity", "reference", "actor", "moved_at")) == [
        ("shipment:P1/1", cup.pk, here.pk, -3, "P1", "person:tester", LATER),
        ("shipment:P1/2", lid.pk, here.pk, -4, "P1", "person:tester", LATER),
    ]
    assert set(Reservation.objects.values_list("status", "closed_at")) == {("consumed", LATER)}
    before = state()
    assert reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=LATER) == 0
    assert reservations.release(["P1"], at=LATER) == 0
    assert state() == before


# -- move -------------------------------------------------------------------------------------------------


def test_move_takes_the_promise_to_another_node(cup, here, there):
    company.stock(cup, there, 3)
    reservations.reserve(claim(want(cup, here, 3)), at=NOON)
    reservations.move({"P1/1": there.pk}, at=LATER)
    assert (balance(cup, here), balance(cup, there)) == ((10, 0), (3, 3))
    assert Reservation.objects.values_list("node", "quantity", "status", "reserved_at").get() == (
        there.pk, 3, "active", NOON,
    )  # fmt: skip


def test_each_move_leaves_where_the_promise_was_before(cup, here, there):
    company.stock(cup, there, 3)
    reservations.reserve(claim(want(cup, here, 3)), at=NOON)
    reservations.move({"P1/1": there.pk}, at=LATER)
    reservations.move({"P1/1": here.pk}, at=LATER + timedelta(hours=1))
    reservations.move({"P1/1": here.pk}, at=LATER + timedelta(hours=2))
    held = Reservation.objects.get()
    moves = ReservationMove.objects.order_by("pk").values_list("reservation", "sku", "from_node", "to_node", "moved_at")
    assert list(moves) == [
        (held.pk, cup.pk, here.pk, there.pk, LATER),
        (held.pk, cup.pk, there.pk, here.pk, LATER + timedelta(hours=1)),
    ]
    assert held.reserved_at == NOON


def test_move_is_all_or_none(cup, lid, here, there):
    company.stock(cup, there, 3)
    reservations.reserve(claim(want(cup, here, 3), want(lid, here, 2, "P1/2")), at=NOON)
    before = state()
    with pytest.raises(NotReservable) as refused:
        reservations.move({"P1/1": there.pk, "P1/2": there.pk}, at=LATER)
    assert refused.value.shortages == (Shortage(lid.pk, there.pk, wanted=2, available=0),)
    assert state() == before


def test_moving_to_the_same_node_changes_nothing(cup, here):
    reservations.reserve(claim(want(cup, here, 10)), at=NOON)
    before = state()
    reservations.move({"P1/1": here.pk}, at=LATER)
    assert state() == before


# -- the last nets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"on_hand": -1}, id="minus on hand"),
        pytest.param({"reserved": -1}, id="minus reserved"),
        pytest.param({"reserved": 11}, id="more than there is"),
    ],
)
def test_the_database_refuses_an_impossible_balance(cup, here, columns):
    with pytest.raises(IntegrityError, match="violates check constraint"), transaction.atomic():
        StockLevel.objects.filter(sku=cup, node=here).update(**columns)
    assert balance(cup, here) == (10, 0)


@pytest.mark.parametrize("quantity", [0, -3])
def test_the_database_refuses_a_reservation_of_nothing_or_less(cup, here, quantity):
    before = state()
    with pytest.raises(IntegrityError, match="a_reservation_has_a_quantity"), transaction.atomic():
        reservations.reserve(claim(want(cup, here, quantity)), at=NOON)
    assert state() == before


@pytest.mark.parametrize("units", [11, -1])
def test_the_guard_refuses_units_that_the_caller_did_not_check(cup, here, units):
    key = (cup.pk, here.pk)
    with pytest.raises(LevelsChanged, match="1 of 1 balances refused the change"), transaction.atomic():
        apply_reserved(lock_levels([key]), {key: units})
    assert balance(cup, here) == (10, 0)


def test_the_guard_keeps_what_is_promised_on_hand(cup, here):
    reservations.reserve(claim(want(cup, here, 6)), at=NOON)
    key = (cup.pk, here.pk)
    with pytest.raises(LevelsChanged), transaction.atomic():
        apply_on_hand(lock_levels([key]), {key: -5})
    assert balance(cup, here) == (10, 6)


def test_a_crash_in_the_middle_leaves_nothing(cup, lid, here):
    before = state()

    @transaction.atomic
    def ship_and_crash():
        reservations.reserve(claim(want(cup, here, 3), want(lid, here, 2, "P1/2")), at=NOON)
        reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        ship_and_crash()
    assert state() == before
