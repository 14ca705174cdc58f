"""Reserving under channels' shares: exact use, refusals that change nothing, and a race for what is set aside."""

from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from inventory.models import ChannelShare, Reservation, SharePool, StockLevel
from inventory.queries import shares as share_queries
from inventory.services import reservations, shares
from inventory.services.reservations import Claim, NotReservable, Shortage, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, 10)
    return node


@pytest.fixture
def there(cup):
    node = company.node("WH", "42")
    company.stock(cup, node, 10)
    return node


def give(channel, sku, amount, *, kind="exclusive", unit="units", **facts):
    share = ChannelShare.objects.create(
        channel=channel, sku=sku, kind=kind, unit=unit, amount=amount, created_at=NOON, created_by="T", **facts
    )
    shares.publish(share, actor=TESTER, at=NOON)
    return SharePool.objects.get(channel=channel, sku=sku, closed_at=None)


def claim(channel, sku, node, quantity, number=1):
    return Claim(f"O{number}", (Want(f"P{number}/1", f"P{number}", sku.pk, node.pk, quantity),), channel=channel)


def use(pool):
    pool.refresh_from_db()
    return (pool.reserved, pool.sold)


@pytest.mark.django_db
class TestReserving:
    def test_what_is_set_aside_over_all_nodes_is_kept_from_other_channels(self, cup, here, there):
        pool = give("TMALL", cup, 15)

        with pytest.raises(NotReservable) as refused:
            reservations.reserve(claim("JD", cup, here, 6), at=NOON)

        assert refused.value.shortages == (Shortage(cup.pk, here.pk, 6, 5, "JD"),)
        assert (Reservation.objects.count(), StockLevel.objects.get(node=here).reserved, use(pool)) == (0, 0, (0, 0))
        reservations.reserve(claim("JD", cup, here, 5), at=NOON)
        assert StockLevel.objects.get(node=here).reserved == 5

    def test_one_unit_alone_asks_the_shares_too(self, cup, here):
        give("TMALL", cup, 10)
        with pytest.raises(NotReservable):
            reservations.reserve(claim("JD", cup, here, 1), at=NOON)
        assert StockLevel.objects.get(node=here).reserved == 0

    def test_the_owner_uses_its_share_up_and_goes_on_with_what_is_free(self, cup, here):
        pool = give("TMALL", cup, 4)
        reservations.reserve(claim("TMALL", cup, here, 7), at=NOON)
        assert (use(pool), Reservation.objects.get().pool) == ((7, 0), pool)
        reservations.reserve(claim("JD", cup, here, 3, 2), at=NOON)

    def test_a_cap_binds_its_own_channel_through_the_whole_time(self, cup, here):
        pool = give("DOUYIN", cup, 4, kind="capped")
        reservations.reserve(claim("DOUYIN", cup, here, 3), at=NOON)
        reservations.consume(["P1"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)
        assert use(pool) == (0, 3)

        with pytest.raises(NotReservable) as refused:
            reservations.reserve(claim("DOUYIN", cup, here, 2, 2), at=NOON)
        assert refused.value.shortages == (Shortage(cup.pk, here.pk, 2, 1, "DOUYIN"),)
        reservations.reserve(claim("DOUYIN", cup, here, 1, 2), at=NOON)

    def test_what_is_released_is_the_shares_again(self, cup, here):
        pool = give("DOUYIN", cup, 4, kind="capped")
        reservations.reserve(claim("DOUYIN", cup, here, 4), at=NOON)
        reservations.release(["P1"], at=NOON)
        assert use(pool) == (0, 0)
        reservations.reserve(claim("DOUYIN", cup, here, 4, 2), at=NOON)

    def test_claims_of_one_batch_compete_for_the_share(self, cup, here, there):
        give("TMALL", cup, 14)
        claims = [claim("JD", cup, here, 4, 1), claim("JD", cup, there, 3, 2), claim("TMALL", cup, there, 10, 3)]
        outcome = reservations.reserve_all(claims, at=NOON)
        assert outcome.granted == {"O1", "O3"}
        assert outcome.refused == {"O2": (Shortage(cup.pk, there.pk, 3, 2, "JD"),)}

    def test_a_closed_share_still_takes_its_units_back(self, cup, here):
        pool = give("TMALL", cup, 4)
        reservations.reserve(claim("TMALL", cup, here, 4), at=NOON)
        shares.retire(pool.share, actor=TESTER, at=NOON)
        reservations.release(["P1"], at=NOON)
        assert use(pool) == (0, 0)

    def test_skus_without_shares_cost_one_look(self, cup, here, django_assert_num_queries):
        with django_assert_num_queries(8):
            reservations.reserve_all([claim("JD", cup, here, 1), claim("JD", cup, here, 2, 2)], at=NOON)


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_two_nodes_sold_at_once_leave_what_is_set_aside(self, cup, here, there):
        give("TMALL", cup, 12)
        buyers = [
            partial(reservations.reserve, claim("JD", cup, (here, there)[n % 2], 1, n), at=NOON) for n in range(20)
        ]

        results = race(buyers)

        assert sorted(type(result).__name__ for result in results) == ["NoneType"] * 8 + ["NotReservable"] * 12
        assert sum(StockLevel.objects.values_list("reserved", flat=True)) == 8

    def test_without_the_pools_lock_the_share_is_sold(self, cup, here, there):
        """The control: the same decision on an unlocked reading lets two nodes sell the last free unit twice."""
        give("TMALL", cup, 19)
        everybody_has_read = Barrier(2)

        def reserve_unlocked(number, node):
            with transaction.atomic():
                room = share_queries.read([cup.pk])[cup.pk].room("JD")
                everybody_has_read.wait(PATIENCE)
                if room < 1:
                    raise NotReservable(())
                with connection.cursor() as cursor:
                    cursor.execute(
                        "UPDATE inventory_stocklevel SET reserved = reserved + 1 WHERE sku_id = %s AND node_id = %s",
                        [cup.pk, node.pk],
                    )

        results = race([partial(reserve_unlocked, 1, here), partial(reserve_unlocked, 2, there)])
        assert results == [None, None]
        assert sum(StockLevel.objects.values_list("reserved", flat=True)) == 2  # one more than JD may have
