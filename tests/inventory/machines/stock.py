"""Receiving, reserving, moving, shipping and giving back, under the shares of two channels."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from inventory.models import ChannelShare, SharePool, StockLevel
from inventory.services import movements, reservations, shares
from inventory.services.movements import Movement, NotEnoughOnHand
from inventory.services.reservations import Claim, NotReservable, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.inventory.machines import books
from tests.small_company import NOON, TESTER

places = st.tuples(st.integers(0, 1), st.integers(0, 1))  # which SKU, which node
small = st.integers(1, 6)
OPENING = 6  # units of each SKU at each node
SAFETY = 2  # of the first SKU at the first node
MOST_SHARES = 5  # begun in one example: publishing costs the most and changes the least
SHARED = 1  # the SKU that channels have shares of
KINDS = {"TMALL": ("exclusive", 6), "DOUYIN": ("capped", 5)}
channels = st.sampled_from(["", *KINDS])


@dataclass(frozen=True)
class Held:
    """An active reservation; ``ends`` is in hours after noon, 0 never."""

    parcel: str
    sku: int
    node: int
    quantity: int
    pool: int = 0
    ends: int = 0


@dataclass
class Used:
    """What is used of a channel's share since it began."""

    share: ChannelShare
    reserved: int = 0
    sold: int = 0

    @property
    def left(self):
        return max(0, KINDS[self.share.channel][1] - self.reserved - self.sold)


def begin_share(channel, sku):
    """Publish a channel's share of a SKU; returns the id of its pool and the share."""
    kind, amount = KINDS[channel]
    share = ChannelShare.objects.create(
        channel=channel, sku=sku, kind=kind, amount=amount, created_at=NOON, created_by="T"
    )
    shares.publish(share, actor=TESTER, at=NOON)
    return SharePool.objects.get(share=share).pk, share


class Stock(RuleBasedStateMachine):
    """The verbs beside plain dictionaries that say what must come out."""

    skus: list
    nodes: list
    first_shares: dict[int, ChannelShare]  # pool id → its share

    @classmethod
    def in_a_small_company(cls):
        """Return this machine with two SKUs at two nodes, some stock, and shares of one of the SKUs."""
        skus = [company.sku("CUP"), company.sku("LID")]
        nodes = [company.node("SH"), company.node("WH", "42")]
        for sku in skus:
            for node in nodes:
                company.stock(sku, node, OPENING)
        StockLevel.objects.filter(sku=skus[0], node=nodes[0]).update(safety_stock=SAFETY)
        begun = dict(begin_share(channel, skus[SHARED]) for channel in KINDS)
        return type(cls.__name__, (cls,), {"skus": skus, "nodes": nodes, "first_shares": begun})

    @initialize()
    def open(self):
        self.savepoint = transaction.savepoint()
        self.on_hand = {(s, n): OPENING for s in (0, 1) for n in (0, 1)}
        self.held: dict[str, Held] = {}
        self.pools = {pool: Used(share) for pool, share in self.first_shares.items()}
        self.open_pools = {share.channel: pool for pool, share in self.first_shares.items()}
        self.number = 0

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    def ids(self, place):
        return self.skus[place[0]].pk, self.nodes[place[1]].pk

    def reserved(self, place):
        return sum(held.quantity for held in self.held.values() if (held.sku, held.node) == place)

    def holding(self, place):
        return 0

    def loose(self, place):
        return self.on_hand[place] - self.reserved(place) - self.holding(place)

    def free(self, place):
        return self.loose(place) - (SAFETY if place == (0, 0) else 0)

    def room(self, channel):
        """Return what a channel may take of the shared SKU: nobody goes below what is set aside for another."""
        units = sum(max(0, self.free((SHARED, node))) for node in (0, 1))
        for other, pool in self.open_pools.items():
            if other != channel and KINDS[other][0] == "exclusive":
                units -= self.pools[pool].left
        own = self.open_pools.get(channel)
        return min(units, self.pools[own].left) if own and KINDS[channel][0] == "capped" else units

    def fits(self, channel, lines):
        asked = {place: sum(units for other, units in lines if other == place) for place, _ in lines}
        shared = sum(units for (sku, _node), units in lines if sku == SHARED)
        within = not shared or not self.open_pools or shared <= self.room(channel)
        return within and all(units <= self.free(place) for place, units in asked.items())

    def next_key(self):
        self.number += 1
        return f"K{self.number}"

    def hold(self, key, held):
        self.held[key] = held
        if held.pool:
            self.pools[held.pool].reserved += held.quantity

    def let_go(self, parcel):
        """Forget the reservations of a parcel; returns them."""
        gone = {key: held for key, held in self.held.items() if held.parcel == parcel}
        for key, held in gone.items():
            del self.held[key]
            if held.pool:
                self.pools[held.pool].reserved -= held.quantity
        return gone.values()

    def parcel(self, data):
        return data.draw(st.sampled_from(sorted({held.parcel for held in self.held.values()})))

    def move_units(self, place, kind, units):
        movements.record([Movement(self.next_key(), *self.ids(place), kind, units)], actor=TESTER, at=NOON)

    @rule(place=places, units=small)
    def receive(self, place, units):
        self.move_units(place, MovementKind.RECEIPT, units)
        self.on_hand[place] += units

    @rule(place=places, units=small)
    def adjust_down(self, place, units):
        if units > self.loose(place):
            with pytest.raises(NotEnoughOnHand):
                self.move_units(place, MovementKind.ADJUSTMENT, -units)
        else:
            self.move_units(place, MovementKind.ADJUSTMENT, -units)
            self.on_hand[place] -= units

    @rule(channel=channels, lines=st.lists(st.tuples(places, small), min_size=1, max_size=3))
    def reserve(self, channel, lines):
        self.claim(channel, lines)

    @rule(channel=channels, node=st.integers(0, 1), units=small)
    def sell_at_once(self, channel, node, units):
        for parcel in self.claim(channel, [((SHARED, node), units)]):
            self.ship_parcel(parcel)

    def claim(self, channel, lines):
        """Reserve these lines together if they fit; returns the parcels that hold them now."""
        owner = self.next_key()
        held = {
            f"{owner}/{n}": Held(f"{owner}.{node}", sku, node, units) for n, ((sku, node), units) in enumerate(lines)
        }
        wants = [Want(key, one.parcel, *self.ids((one.sku, one.node)), one.quantity) for key, one in held.items()]
        claim = Claim(owner, tuple(wants), channel=channel)
        if not self.fits(channel, lines):
            with pytest.raises(NotReservable):
                reservations.reserve(claim, at=NOON)
            return set()
        reservations.reserve(claim, at=NOON)
        for key, one in held.items():
            self.hold(key, replace(one, pool=self.open_pools.get(channel, 0) if one.sku == SHARED else 0))
        return {one.parcel for one in held.values()}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def reserve_again(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held[key]
        want = Want(key, held.parcel, *self.ids((held.sku, held.node)), held.quantity)
        reservations.reserve(Claim(key, (want,)), at=NOON)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), hours=st.integers(0, 3))
    def extend(self, data, hours):
        parcel = self.parcel(data)
        lines = [key for key, held in self.held.items() if held.parcel == parcel]
        ends_at = NOON + timedelta(hours=hours) if hours else None
        assert reservations.extend([parcel, "unknown"], expires_at=ends_at) == len(lines)
        self.held |= {key: replace(self.held[key], ends=hours) for key in lines}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def cancel_parcel(self, data):
        parcel = self.parcel(data)
        lines = len(self.let_go(parcel))
        assert [reservations.release([parcel], at=NOON) for _ in range(2)] == [lines, 0]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def ship(self, data):
        self.ship_parcel(self.parcel(data))

    def ship_parcel(self, parcel):
        gone = self.let_go(parcel)
        assert reservations.consume([parcel], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON) == len(gone)
        for held in gone:
            self.on_hand[held.sku, held.node] -= held.quantity
            if held.pool:
                self.pools[held.pool].sold += held.quantity

    @precondition(lambda self: self.held)
    @rule(data=st.data(), node=st.integers(0, 1))
    def move(self, data, node):
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held[key]
        if node == held.node or held.quantity <= self.free((held.sku, node)):
            reservations.move({key: self.nodes[node].pk}, at=NOON)
            self.held[key] = replace(held, node=node)
        else:
            with pytest.raises(NotReservable):
                reservations.move({key: self.nodes[node].pk}, at=NOON)

    @precondition(lambda self: self.open_pools)
    @rule(data=st.data())
    def end_share(self, data):
        channel = data.draw(st.sampled_from(sorted(self.open_pools)))
        shares.retire(self.pools[self.open_pools.pop(channel)].share, actor=TESTER, at=NOON)

    @precondition(lambda self: len(self.open_pools) < len(KINDS) and len(self.pools) < MOST_SHARES)
    @rule(data=st.data())
    def begin_share(self, data):
        channel = data.draw(st.sampled_from(sorted(KINDS.keys() - self.open_pools)))
        pool, share = begin_share(channel, self.skus[SHARED])
        self.open_pools[channel], self.pools[pool] = pool, Used(share)

    @invariant()
    def the_books_say_what_the_rules_say(self):
        self.agree(books())

    def agree(self, stored):
        """Compare what is stored, and the rows behind it, with what must have come out."""
        figures = {place: (self.on_hand[place], self.reserved(place), self.holding(place)) for place in self.on_hand}
        assert stored["level"] == {"{}@{}".format(*self.ids(place)): row * 2 for place, row in figures.items()}
        assert all(0 <= reserved + held <= on_hand for on_hand, reserved, held in figures.values())
        assert stored["claim"] == {
            key: (*self.ids((held.sku, held.node)), held.quantity, held.pool, self.epoch(held.ends))
            for key, held in self.held.items()
        }
        use = {str(pk): (used.reserved, used.sold) for pk, used in self.pools.items()}
        assert stored["pool"] == {pk: (*row, 0, *row) for pk, row in use.items()}

    @staticmethod
    def epoch(hours):
        return int((NOON + timedelta(hours=hours)).timestamp()) if hours else 0
