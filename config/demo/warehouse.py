"""The stock of the demo company while its past is told: balances, and a ledger row for each change of them.

``units`` is what may still be promised, counted down when an order is planned; ``on_hand`` and ``reserved`` are today's
balances. What comes in during a day can be promised from the next day on, so no balance is ever below zero at any time.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from config.demo.catalogue import DemoSku
from config.demo.company import NODES, DemoNode
from config.demo.tape import Tape, stamp
from inventory.rules.geography import distance_km

SAFETY = {"central_dc": 3, "regional_dc": 2, "store": 1}
ROOT_OF = {"RDC-CD": "DC-GZ"}  # which central DC fills a regional one; the others hang on Kunshan
ACTOR = "job:demo"


@dataclass
class Shelf:
    """One node with what generation must know of it. ``carries`` are the SKU ids of its assortment."""

    node_id: int
    facts: DemoNode
    parent: "Shelf | None" = None
    carries: list[int] = field(default_factory=list)

    @property
    def safety(self) -> int:
        """Return the units of each SKU that are never promised."""
        return SAFETY[self.facts.kind]


@dataclass(frozen=True)
class Change:
    """A ledger row to be."""

    kind: str
    key: str
    sku_id: int
    node_id: int
    quantity: int
    reference: str = ""
    reason: str = ""


class Warehouse:
    """All balances, by SKU id and node id (places in the catalogue and in the list of nodes, counted from one)."""

    def __init__(self, tape: Tape, skus: Sequence[DemoSku]) -> None:
        self._tape = tape
        self.skus = skus
        self.shelves = _shelves()
        self.units: dict[int, dict[int, int]] = {sku_id: {} for sku_id in range(1, len(skus) + 1)}
        self.on_hand: dict[tuple[int, int], int] = {}
        self.reserved: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.gone: defaultdict[tuple[int, int], int] = defaultdict(int)  # promised or sent on since the last restock
        self._comes_back: defaultdict[date, list[tuple[int, int, int]]] = defaultdict(list)
        self._central = [shelf.node_id for shelf in self.shelves if shelf.facts.kind == "central_dc"]
        self._exporter = [s.node_id for s in self.shelves if s.facts.kind == "central_dc" and "SG" in s.facts.serves]

    def can_sell(self, sku_id: int, quantity: int, *, abroad: bool = False) -> bool:
        """Return whether the central DCs have so many: what channels show as in stock."""
        levels = self.units[sku_id]
        return sum(levels.get(node_id, 0) for node_id in (self._exporter if abroad else self._central)) >= quantity

    def move(self, change: Change, at: int) -> None:
        """Write a ledger row and change the balance on hand; what is promised is counted by the caller."""
        level = (change.sku_id, change.node_id)
        self.on_hand[level] = self.on_hand.get(level, 0) + change.quantity
        self._tape.add(
            "inventory_stockmovement",
            f"{change.key}\t{change.sku_id}\t{change.node_id}\t{change.kind}\t{change.quantity}\t{change.reference}\t"
            f"{change.reason}\t{ACTOR}\t{stamp(at)}",
        )

    def open(self, sku_id: int, shelf: Shelf, quantity: int, at: int) -> None:
        """Write the opening balance of a level: ``quantity`` to promise and the safety stock."""
        key = f"opening:{shelf.facts.code}/{sku_id}"
        self.move(Change("opening", key, sku_id, shelf.node_id, quantity + shelf.safety, reason="Opening balance"), at)
        self.units[sku_id][shelf.node_id] = quantity

    def take(self, change: Change, at: int) -> int:
        """Take free units out, as many as there are of those wanted, and return how many that were."""
        levels = self.units[change.sku_id]
        quantity = min(-change.quantity, levels.get(change.node_id, 0))
        if quantity <= 0:
            return 0
        levels[change.node_id] -= quantity
        out = Change(change.kind, change.key, change.sku_id, change.node_id, -quantity, change.reference, change.reason)
        self.move(out, at)
        return quantity

    def put(self, change: Change, at: int) -> None:
        """Bring units in; they may be promised from now on."""
        self.move(change, at)
        self.units[change.sku_id][change.node_id] += change.quantity

    def send(self, place: tuple[int, int], quantity: int, *, key: str, reference: str, at: int) -> None:
        """Write a shipment of promised units: it left ``place`` (SKU id, node id)."""
        self.move(Change("shipment", key, *place, -quantity, reference), at)

    def welcome_back(self, place: tuple[int, int], quantity: int, *, reference: str, at: int) -> None:
        """Write returned units; they may be promised from the next day on."""
        self.move(Change("return", f"return:{reference}", *place, quantity, reference), at)
        self.come_back(day_of(at), *place, quantity)

    def come_back(self, day: date, sku_id: int, node_id: int, quantity: int) -> None:
        """Note units that may be promised again after a day: given back, or returned."""
        self._comes_back[day].append((sku_id, node_id, quantity))

    def end_day(self, day: date) -> None:
        """Let what came back on a day be promised again."""
        for sku_id, node_id, quantity in self._comes_back.pop(day, ()):
            self.units[sku_id][node_id] = self.units[sku_id].get(node_id, 0) + quantity

    def write_levels(self) -> None:
        """Write today's balances; what is kept back is each level's own figure, until rules are published."""
        for (sku_id, node_id), on_hand in sorted(self.on_hand.items()):
            safety = self.shelves[node_id - 1].safety
            self._tape.add(
                "inventory_stocklevel",
                f"{sku_id}\t{node_id}\t{on_hand}\t{self.reserved[sku_id, node_id]}\t{safety}\t{safety}",
            )


def day_of(seconds: int) -> date:
    """Return the day in China of seconds since the epoch."""
    return date.fromordinal((seconds + 8 * 3600) // 86_400 + date(1970, 1, 1).toordinal())


def midnight(day: date) -> int:
    """Return the seconds since the epoch at which a day begins in China."""
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400 - 8 * 3600


def days_between(first: date, last: date) -> list[date]:
    """Return all days from the first to the last."""
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


def _shelves() -> list[Shelf]:
    shelves = [Shelf(node_id, facts) for node_id, facts in enumerate(NODES, start=1)]
    by_code = {shelf.facts.code: shelf for shelf in shelves}
    regional = [shelf for shelf in shelves if shelf.facts.kind == "regional_dc"]
    central = [shelf for shelf in shelves if shelf.facts.kind == "central_dc"]
    for shelf in shelves:
        if shelf.facts.kind == "regional_dc":
            shelf.parent = by_code[ROOT_OF.get(shelf.facts.code, "DC-KS")]
        elif shelf.facts.kind == "store":
            near = [dc for dc in regional if shelf.facts.region in dc.facts.serves] or central
            shelf.parent = min(near, key=lambda dc: _distance(dc, shelf))
    return shelves


def _distance(here: Shelf, there: Shelf) -> float:
    return distance_km((here.facts.latitude, here.facts.longitude), (there.facts.latitude, there.facts.longitude))
