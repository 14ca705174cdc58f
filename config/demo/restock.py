"""How the demo company keeps its shelves filled: opening balances, weekly receipts and transfers, and some trouble.

Targets follow what a node really sent, per unit of the calendar's demand, times the calendar's days ahead: so stock is
there before a peak. Some SKUs run dry on purpose: their supplier fails, or they are recalled.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from config.demo.baskets import Shelf as Wishes
from config.demo.calendar import Campaign, demand
from config.demo.places import COUNTRIES, PROVINCES
from config.demo.warehouse import Change, Shelf, Warehouse, midnight
from inventory.rules.geography import REGIONS, distance_km, locate

COVER_DAYS = {"central_dc": 28, "regional_dc": 18, "store": 14}
LEAST = {"central_dc": 12, "regional_dc": 5, "store": 3}  # units of each SKU that a target never falls below
REORDER_AT = 0.55  # of the target
UNITS_PER_ORDER = 2.3
SHARE_OF_STORES = 0.5  # of the demand for what a province's stores carry
ABROAD_SHARE = 0.04
STORE_ASSORTMENT, STORE_OWN_CHOICE = 110, 20
NEW_KNOWLEDGE = 0.4  # how much last week counts in a rate
TRAVEL_DAYS = {"regional_dc": 2, "store": 1}
SUPPLY_FAILS, SEASON_ENDS, RECALL = 38, 12, 3  # days before today
FAILING_SKUS, ENDING_SKUS, RECALLED_SKUS, RECALLED_EVERYWHERE = 24, 12, 5, 2
COUNT_DAY, COUNTED_SHARE = 15, 0.02
GIFTS_AT_ONCE = 40

_Arrival = tuple[Shelf, Shelf, int, int, date]  # from, to, SKU id, units, when sent


class Restocker:
    """Fills the warehouse at the end of each day."""

    def __init__(self, warehouse: Warehouse, rng: Random, days: Sequence[date], running: Sequence[Campaign]) -> None:
        self._house = warehouse
        self._rng = rng
        self._first, self._last = days[0], days[-1]
        ahead = [self._first + timedelta(days=place) for place in range(len(days) + max(COVER_DAYS.values()) + 8)]
        self._demand_until = [0.0, *accumulate(demand(day, "TM", running) for day in ahead)]
        self._rates: defaultdict[tuple[int, int], float] = defaultdict(float)
        self._travelling: defaultdict[date, list[_Arrival]] = defaultdict(list)
        self._singles = [place for place, sku in enumerate(warehouse.skus, start=1) if sku.kind == "single"]
        self._gifts = [place for place, sku in enumerate(warehouse.skus, start=1) if sku.kind == "gift"]
        troubled = rng.sample(self._singles, FAILING_SKUS + ENDING_SKUS + RECALLED_SKUS)
        self._failing = set(troubled[:FAILING_SKUS])
        self._ending = troubled[FAILING_SKUS : FAILING_SKUS + ENDING_SKUS]
        self._recalled = troubled[FAILING_SKUS + ENDING_SKUS :]

    def open(self, wishes: Wishes, orders_a_day: float) -> None:
        """Choose assortments, estimate rates and write the opening balances, the day before the first one."""
        self._choose_assortments()
        self._estimate(wishes, orders_a_day)
        at = midnight(self._first) - 6 * 3600
        for shelf in self._house.shelves:
            for sku_id in shelf.carries:
                self._house.open(sku_id, shelf, self._target(shelf, sku_id, self._first), at)

    def end_day(self, day: date) -> None:
        """Receive what travelled, send what is due on this weekday, and let the day's trouble happen."""
        self._receive(day)
        weekday = day.weekday()
        for shelf in self._house.shelves:
            if weekday == _restock_day(shelf):
                self._restock(shelf, day)
        if day.day == COUNT_DAY:
            self._count(day)
        before_today = (self._last - day).days
        if before_today == SEASON_ENDS:
            self._send_back(day)
        elif before_today == RECALL:
            self._recall(day)

    def _choose_assortments(self) -> None:
        skus = self._house.skus
        by_popularity = sorted(self._singles, key=lambda sku_id: -skus[sku_id - 1].popularity)
        for shelf in self._house.shelves:
            if shelf.facts.kind == "store":
                own = self._rng.sample(by_popularity[STORE_ASSORTMENT:], STORE_OWN_CHOICE)
                shelf.carries = sorted([*by_popularity[:STORE_ASSORTMENT], *own, *self._gifts])
            else:
                shelf.carries = [*self._singles, *self._gifts]

    def _estimate(self, wishes: Wishes, orders_a_day: float) -> None:
        """Guess what each node will send a day; a parent also feeds its children."""
        units = orders_a_day * UNITS_PER_ORDER
        for region, weight in PROVINCES.items():
            self._estimate_region(region, wishes, units * (1 - ABROAD_SHARE) * weight / sum(PROVINCES.values()))
        for region, weight in COUNTRIES.items():
            self._estimate_region(region, wishes, units * ABROAD_SHARE * weight / sum(COUNTRIES.values()))
        for kind in ("store", "regional_dc"):
            for shelf in self._house.shelves:
                if shelf.facts.kind == kind and shelf.parent:
                    for sku_id in shelf.carries:
                        self._rates[sku_id, shelf.parent.node_id] += self._rates[sku_id, shelf.node_id]

    def _estimate_region(self, region: str, wishes: Wishes, units: float) -> None:
        serving = [shelf for shelf in self._house.shelves if region in shelf.facts.serves]
        stores = [shelf for shelf in serving if shelf.facts.kind == "store"]
        there = locate(region)
        nearest = min(
            (shelf for shelf in serving if shelf.facts.kind != "store"),
            key=lambda shelf: distance_km(there, (shelf.facts.latitude, shelf.facts.longitude)),
        )
        weights = wishes.weights("TM", REGIONS[region].area, self._first.month)
        carried = set(stores[0].carries) if stores else set()
        for sku_id, part in self._parts(weights):
            wanted = units * part
            from_stores = SHARE_OF_STORES if sku_id in carried else 0.0
            for store in stores:
                self._rates[sku_id, store.node_id] += wanted * from_stores / len(stores)
            self._rates[sku_id, nearest.node_id] += wanted * (1 - from_stores)

    def _parts(self, weights: Sequence[float]) -> list[tuple[int, float]]:
        """Return shares of wishes by stocked SKU: a bundle is wished part by part."""
        total = sum(weights)
        shares: list[tuple[int, float]] = []
        for sku_id, (sku, weight) in enumerate(zip(self._house.skus, weights, strict=True), start=1):
            parts = [(place + 1, quantity) for place, quantity in sku.parts] or [(sku_id, 1)]
            shares.extend((part, weight * quantity / total) for part, quantity in parts if weight)
        return shares

    def _days_of_demand(self, first: date, days: int) -> float:
        place = max(0, (first - self._first).days)
        return self._demand_until[place + days] - self._demand_until[place]

    def _target(self, shelf: Shelf, sku_id: int, day: date) -> int:
        kind = shelf.facts.kind
        if self._house.skus[sku_id - 1].kind == "gift":
            return GIFTS_AT_ONCE if kind == "store" else GIFTS_AT_ONCE * 10
        rate = self._rates[sku_id, shelf.node_id]
        return max(LEAST[kind], round(rate * self._days_of_demand(day, COVER_DAYS[kind])))

    def _restock(self, shelf: Shelf, day: date) -> None:
        past = min(7, (day - self._first).days + 1)
        lived = self._days_of_demand(day - timedelta(days=past - 1), past)
        for sku_id in shelf.carries:
            level = (sku_id, shelf.node_id)
            seen = self._house.gone.pop(level, 0) / lived
            self._rates[level] += NEW_KNOWLEDGE * (seen - self._rates[level])
            target = self._target(shelf, sku_id, day)
            units = self._house.units[sku_id][shelf.node_id]
            if units < target * REORDER_AT:
                self._order(shelf, sku_id, target - units, day)

    def _order(self, shelf: Shelf, sku_id: int, quantity: int, day: date) -> None:
        """Get units from the parent, or from the supplier where there is none."""
        if shelf.parent:
            self._send(shelf.parent, shelf, sku_id, quantity, day)
        elif sku_id not in self._failing or (self._last - day).days > SUPPLY_FAILS:
            reference = f"PO-{day:%y%m%d}-{shelf.facts.code}"
            key = f"receipt:{reference}/{sku_id}"
            change = Change("receipt", key, sku_id, shelf.node_id, quantity, reference, "Weekly receipt")
            self._house.put(change, midnight(day) + 15 * 3600 + sku_id * 7)

    def _send(self, source: Shelf, target: Shelf, sku_id: int, quantity: int, day: date) -> None:
        reference = f"TR-{day:%y%m%d}-{source.facts.code}-{target.facts.code}"
        key = f"transfer_out:{reference}/{sku_id}"
        out = Change("transfer_out", key, sku_id, source.node_id, -quantity, reference, f"To {target.facts.name_en}")
        sent = self._house.take(out, midnight(day) + 21 * 3600 + sku_id)
        if sent:
            self._house.gone[sku_id, source.node_id] += sent
            arrives = day + timedelta(days=TRAVEL_DAYS.get(target.facts.kind, 1))
            self._travelling[arrives].append((source, target, sku_id, sent, day))

    def _receive(self, day: date) -> None:
        for source, target, sku_id, quantity, sent_on in self._travelling.pop(day, ()):
            reference = f"TR-{sent_on:%y%m%d}-{source.facts.code}-{target.facts.code}"
            reason = f"From {source.facts.name_en}"
            key = f"transfer_in:{reference}/{sku_id}"
            change = Change("transfer_in", key, sku_id, target.node_id, quantity, reference, reason)
            self._house.put(change, midnight(day) + 10 * 3600 + sku_id * 3)

    def _count(self, day: date) -> None:
        """Find a unit too few here and there, now and then one too many."""
        for shelf in self._house.shelves:
            for sku_id in self._rng.sample(shelf.carries, round(len(shelf.carries) * COUNTED_SHARE)):
                key = f"count:{day:%y%m%d}/{shelf.facts.code}/{sku_id}"
                at = midnight(day) + 22 * 3600 + sku_id
                difference = self._rng.choice((-1, -1, -2, 1))
                change = Change("count", key, sku_id, shelf.node_id, difference, reason="Monthly count")
                if difference > 0:
                    self._house.put(change, at)
                else:
                    self._house.take(change, at)

    def _send_back(self, day: date) -> None:
        """Stores send what is out of season to their DC."""
        for shelf in self._house.shelves:
            if shelf.facts.kind == "store" and shelf.parent:
                for sku_id in sorted(set(self._ending) & set(shelf.carries)):
                    self._send(shelf, shelf.parent, sku_id, self._house.units[sku_id][shelf.node_id], day)
                shelf.carries = [sku_id for sku_id in shelf.carries if sku_id not in self._ending]

    def _recall(self, day: date) -> None:
        """Take some SKUs off half of the shelves, and two of them off all."""
        for place, sku_id in enumerate(self._recalled):
            for shelf in self._house.shelves:
                if place < RECALLED_EVERYWHERE or shelf.node_id % 2:
                    key = f"adjustment:{day:%y%m%d}/{shelf.facts.code}/{sku_id}"
                    change = Change("adjustment", key, sku_id, shelf.node_id, -(10**9), reason="Quality recall")
                    self._house.take(change, midnight(day) + 22 * 3600 + sku_id)
        for shelf in self._house.shelves:
            shelf.carries = [sku_id for sku_id in shelf.carries if sku_id not in self._recalled]


def _restock_day(shelf: Shelf) -> int:
    """Return the weekday on which a node orders: suppliers on Mondays, regions on Wednesdays, stores in turn."""
    return {"central_dc": 0, "regional_dc": 2}.get(shelf.facts.kind, 1 + shelf.node_id % 5)
