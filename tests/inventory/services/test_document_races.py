"""Two people at one document of stock at once on a real PostgreSQL, each with a control that shows the race."""

from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from inventory.models import (
    ExpectedLine,
    ExpectedReceipt,
    QualityHold,
    Receipt,
    StockCount,
    StockLevel,
    StockMovement,
    Transfer,
    TransferLine,
)
from inventory.queries.risk import Risk
from inventory.services import counts, movements, quality, receipts, reservations, transfers, verification
from inventory.services.movements import Movement
from inventory.services.quality import Decision, Keep
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.statuses import DifferenceCheck, MovementKind
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("standard_reasons")]
PEOPLE = 6
CHECKS = (DifferenceCheck.ON_HAND, DifferenceCheck.RESERVED, DifferenceCheck.QUALITY_HOLD)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, 10)
    return node


@pytest.fixture
def there():
    return company.node("WH", "42")


def names(results):
    return sorted(type(result).__name__ for result in results)


def level(sku, node):
    return StockLevel.objects.values_list("on_hand", "reserved", "quality_hold").get(sku=sku, node=node)


def moved(kind):
    return list(StockMovement.objects.filter(kind=kind).order_by("quantity").values_list("quantity", flat=True))


def books_agree():
    return [found for check in CHECKS for found in verification.balances(check)] == []


def book(key, sku, node, kind, units):
    movements.record([Movement(key, sku.pk, node.pk, kind, units)], actor=TESTER, at=NOON)


class TestTransfer:
    @pytest.fixture
    def row(self, cup, here, there):
        row = Transfer(number="T1", source=here, destination=there)
        transfers.draft(row, units={cup.pk: 5}, actor=TESTER, at=NOON)
        return row

    @pytest.fixture
    def sent(self, row):
        transfers.send([row.pk], actor=TESTER, at=NOON)
        return row

    def test_sent_by_all_it_leaves_once(self, cup, here, row):
        results = race([partial(transfers.send, [row.pk], actor=TESTER, at=NOON)] * PEOPLE)
        assert sorted(results) == [0] * (PEOPLE - 1) + [1]
        assert (level(cup, here), moved("transfer_out")) == ((5, 0, 0), [-5])

    def test_two_who_receive_all_of_it_put_it_in_once(self, cup, there, sent):
        receive = partial(transfers.receive, sent.pk, units={cup.pk: 5}, actor=TESTER, at=NOON)

        results = race([partial(receive, key=f"A{n}") for n in range(2)])

        assert names(results) == ["RowsRefused", "Transfer"]
        assert (level(cup, there), moved("transfer_in")) == ((5, 0, 0), [5])
        assert TransferLine.objects.values_list("quantity_received", "quantity_lost").get() == (5, 0)
        assert books_agree()

    def test_many_who_receive_parts_put_in_what_left(self, cup, there, sent):
        receive = partial(transfers.receive, sent.pk, units={cup.pk: 2}, actor=TESTER, at=NOON)
        results = race([partial(receive, key=f"A{n}") for n in range(PEOPLE)])
        assert names(results) == ["RowsRefused"] * (PEOPLE - 2) + ["Transfer"] * 2
        assert (level(cup, there), moved("transfer_in")) == ((4, 0, 0), [2, 2])
        assert TransferLine.objects.get().in_transit == 1

    def test_one_arrival_told_by_all_counts_once(self, cup, there, sent):
        arrival = partial(transfers.receive, sent.pk, key="A", units={cup.pk: 2}, actor=TESTER, at=NOON)
        assert names(race([arrival] * PEOPLE)) == ["Transfer"] * PEOPLE
        assert (level(cup, there), moved("transfer_in")) == ((2, 0, 0), [2])

    def test_receiving_and_giving_up_at_once_account_for_each_unit_once(self, cup, there, sent):
        receive = partial(transfers.receive, sent.pk, key="A", units={cup.pk: 5}, actor=TESTER, at=NOON)
        give_up = partial(transfers.give_up, sent.pk, reason_code="short", actor=TESTER, at=NOON)

        results = race([receive, give_up])

        assert names(results) == ["RowsRefused", "Transfer"]
        came, lost = TransferLine.objects.values_list("quantity_received", "quantity_lost").get()
        assert sorted((came, lost)) == [0, 5]
        assert sum(moved("transfer_in")) == came

    def test_without_the_documents_lock_it_arrives_twice(self, cup, there, sent):
        """The control: both read the transfer, then each puts in what it says is on its way."""
        both_have_read = Barrier(2)

        def receive_unlocked(number):
            with transaction.atomic():
                line = TransferLine.objects.get(transfer=sent)
                both_have_read.wait(PATIENCE)
                book(f"A{number}", cup, there, MovementKind.TRANSFER_IN, line.in_transit)
                line.quantity_received += line.in_transit
                line.save()

        assert race([partial(receive_unlocked, number) for number in range(2)]) == [None, None]
        assert (level(cup, there), moved("transfer_in")) == ((10, 0, 0), [5, 5])
        assert TransferLine.objects.get().quantity_received == 5


class TestExpectedReceipt:
    @pytest.fixture
    def expected(self, cup, there):
        row = ExpectedReceipt(number="PO-1", node=there, due_date=NOON.date())
        return receipts.expect(row, units={cup.pk: 5}, actor=TESTER, at=NOON)

    def receive(self, expected, cup, units, number):
        receipt = Receipt(number=number, node_id=expected.node_id, expected_id=expected.pk)
        return receipts.receive(receipt, arrivals=[Arrival(cup.pk, units)], actor=TESTER, at=NOON)

    def test_two_receipts_of_all_of_it_never_go_above_the_order(self, cup, there, expected):
        results = race([partial(self.receive, expected, cup, 5, f"R{n}") for n in range(2)])

        assert names(results) == ["Receipt", "RowsRefused"]
        assert Receipt.objects.count() == 1
        assert (level(cup, there), moved("receipt")) == ((5, 0, 0), [5])
        assert ExpectedLine.objects.get().quantity_received == 5
        assert books_agree()

    def test_many_receipts_of_parts_stop_at_the_order(self, cup, there, expected):
        results = race([partial(self.receive, expected, cup, 2, f"R{n}") for n in range(PEOPLE)])
        assert names(results) == ["Receipt"] * 2 + ["RowsRefused"] * (PEOPLE - 2)
        assert (level(cup, there), ExpectedLine.objects.get().quantity_received) == ((4, 0, 0), 4)

    def test_cancelling_while_goods_come_leaves_one_of_the_two(self, cup, there, expected):
        results = race([partial(self.receive, expected, cup, 5, "R"), partial(receipts.cancel, expected.pk, at=NOON)])
        assert sum(isinstance(result, RowsRefused) for result in results) == 1
        expected.refresh_from_db()
        came = ExpectedLine.objects.get().quantity_received
        assert (expected.status, came, moved("receipt")) in [("received", 5, [5]), ("cancelled", 0, [])]

    def test_without_the_documents_lock_more_comes_than_was_ordered(self, cup, there, expected):
        """The control: both read what is still expected, then each puts it in; the line itself shows only five."""
        both_have_read = Barrier(2)

        def receive_unlocked(number):
            with transaction.atomic():
                line = ExpectedLine.objects.get(expected=expected)
                both_have_read.wait(PATIENCE)
                book(f"R{number}", cup, there, MovementKind.RECEIPT, line.quantity - line.quantity_received)
                line.quantity_received = line.quantity
                line.save()

        assert race([partial(receive_unlocked, number) for number in range(2)]) == [None, None]
        assert (level(cup, there), ExpectedLine.objects.get().quantity_received) == ((10, 0, 0), 5)


class TestCount:
    """Ten cups by the book, eight on the shelf; parcels of three cups leave meanwhile."""

    @pytest.fixture
    def counted(self, cup, here):
        row = StockCount(number="C1", node=here, limit_percent=100, limit_value=10_000)
        counts.begin(row, risks=[Risk(cup.pk, "CUP", 0, 0, 0, 0)], actor=TESTER, at=NOON)
        assert counts.tell(row.pk, units={cup.pk: 8}, actor=TESTER, at=NOON) == []
        return row

    @pytest.fixture
    def parcels(self, cup, here):
        """Two parcels of three cups each."""
        for number in range(2):
            want = Want(f"P{number}/1", f"P{number}", cup.pk, here.pk, 3)
            reservations.reserve(Claim(f"O{number}", (want,)), at=NOON)
        return ["P0", "P1"]

    def ship(self, parcel):
        return reservations.consume([parcel], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)

    def test_applied_while_parcels_leave_corrects_the_difference_once(self, cup, here, counted, parcels):
        apply = partial(counts.apply, counted.pk, actor=TESTER, at=NOON)
        results = race([apply, partial(self.ship, "P0"), apply, partial(self.ship, "P1")])
        assert sorted(results) == [0, 1, 1, 1]
        assert (level(cup, here), moved("count"), moved("shipment")) == ((2, 0, 0), [-2], [-3, -3])
        assert books_agree()

    def test_when_all_is_promised_meanwhile_nobody_loses_a_promise(self, cup, here, counted, parcels):
        """Four more are promised while two are found missing: one of the two is refused, never both done."""
        last = Claim("O9", (Want("P9/1", "P9", cup.pk, here.pk, 4),))
        results = race(
            [partial(counts.apply, counted.pk, actor=TESTER, at=NOON), partial(reservations.reserve, last, at=NOON)]
        )
        assert sum(isinstance(result, Exception) for result in results) == 1
        assert level(cup, here) in [(8, 6, 0), (10, 10, 0)]
        assert books_agree()

    def test_writing_what_was_counted_without_a_lock_forgets_a_parcel(self, cup, here, counted, parcels):
        """The control: who sets the shelf to what was counted overwrites the shipment that came between."""
        count_has_read, parcel_has_left = Barrier(2), Barrier(2)

        def apply_unlocked():
            with transaction.atomic():
                row = StockLevel.objects.get(sku=cup, node=here)
                count_has_read.wait(PATIENCE)
                parcel_has_left.wait(PATIENCE)
                StockLevel.objects.filter(pk=row.pk).update(on_hand=row.on_hand - 2)

        def ship_between():
            count_has_read.wait(PATIENCE)
            shipped = self.ship("P0")
            parcel_has_left.wait(PATIENCE)
            return shipped

        assert race([apply_unlocked, ship_between]) == [None, 1]
        assert level(cup, here) == (8, 3, 0)  # ten by the book, two missing, three shipped: five lie there
        assert not books_agree()


class TestQualityHold:
    @pytest.fixture
    def held(self, cup, here):
        keep = Keep("H", cup.pk, here.pk, 4, "suspected", "li", NOON.replace(day=9))
        quality.place([keep], actor=TESTER, at=NOON)
        return QualityHold.objects.get()

    def test_two_who_decide_on_all_of_it_decide_once(self, cup, here, held):
        release = partial(quality.decide, [Decision(held.pk, released=4)], actor=TESTER, at=NOON)
        scrap = partial(quality.decide, [Decision(held.pk, scrapped=4)], actor=TESTER, at=NOON)

        results = race([release, scrap, release, scrap])

        assert names(results) == ["NoneType"] + ["RowsRefused"] * 3
        good, bad = QualityHold.objects.values_list("quantity_released", "quantity_scrapped").get()
        assert sorted((good, bad)) == [0, 4]
        assert (level(cup, here), moved("adjustment")) == ((10 - bad, 0, 0), [-4] if bad else [])
        assert books_agree()

    def test_two_who_decide_on_a_part_leave_one_rest(self, cup, here, held):
        scrap = partial(quality.decide, [Decision(held.pk, scrapped=1)], actor=TESTER, at=NOON)
        assert names(race([scrap, scrap])) == ["NoneType", "RowsRefused"]
        assert list(QualityHold.objects.filter(closed_at=None).values_list("quantity", flat=True)) == [3]
        assert (level(cup, here), moved("adjustment")) == ((9, 0, 3), [-1])

    def test_without_the_holds_lock_both_decide(self, cup, here, held):
        """The control: both see an open hold of four among six, and each scraps three: six leave instead of three."""
        another = Keep("H2", cup.pk, here.pk, 2, "suspected", "li", NOON.replace(day=9))
        quality.place([another], actor=TESTER, at=NOON)
        both_have_read = Barrier(2)

        def decide_unlocked(number):
            with transaction.atomic():
                row = QualityHold.objects.get(pk=held.pk)
                both_have_read.wait(PATIENCE)
                assert row.closed_at is None
                with connection.cursor() as cursor:
                    cursor.execute(
                        "UPDATE inventory_stocklevel SET quality_hold = quality_hold - 3 WHERE sku_id = %s", [cup.pk]
                    )
                book(f"S{number}", cup, here, MovementKind.ADJUSTMENT, -3)
                row.quantity_scrapped, row.closed_at = 3, NOON
                row.save()

        assert race([partial(decide_unlocked, number) for number in range(2)]) == [None, None]
        assert (level(cup, here), moved("adjustment")) == ((4, 0, 0), [-3, -3])
        assert not books_agree()
