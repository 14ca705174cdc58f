"""The first router: hard filters, fewest parcels, then the cheapest by distance. Goes once `planner` has taken over.

The order of the rules is the order in which an operator reads them:

1. a node must be active, serve the destination and have room for one more parcel today; of goods with lots only units
   that keep long enough for the channel count;
2. one parcel beats two, two beat three;
3. among plans with as few parcels, the lowest cost wins; equal costs go to the lower node code.

Cost of a parcel in yuan = handling + freight_per_km × distance. A later optimiser replaces ``Planner.plan`` behind the
same dataclasses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from inventory.rules.geography import distance_km, locate
from inventory.rules.lots import Life, room, take
from orders.rules.routing.facts import Demand, Item, NodeFacts, Shelves, Stock

EXACT_PAIR_LIMIT = 40  # nodes that hold something wanted; pairs of so many are tried one by one


@dataclass(frozen=True)
class Policy:
    """The weights of the cost, by a name that is kept with each decision."""

    name: str = "fewest-parcels-then-distance/1"
    handling: float = 3.0  # yuan a parcel
    freight_per_km: float = 0.004  # yuan a kilometre


@dataclass(frozen=True)
class Parcel:
    """What one node sends of one order, and what that costs."""

    node_id: int
    node_code: str
    items: tuple[Item, ...]
    distance_km: float
    cost: float


@dataclass(frozen=True)
class Verdicts:
    """Every candidate with its verdict. Costs in yuan, distances in kilometres.

    ``able`` could send all alone: (code, km, cost). ``short`` lacks units: (code, km, units missing).
    """

    able: tuple[tuple[str, float, float], ...] = ()
    short: tuple[tuple[str, float, int], ...] = ()
    full: tuple[str, ...] = ()
    not_serving: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The answer for one demand: its parcels, what nobody can send, and why."""

    reference: str
    parcels: tuple[Parcel, ...]
    missing: tuple[Item, ...]
    verdicts: Verdicts
    too_short: int = 0  # of the missing units, those that lie at serving nodes and do not keep long enough

    @property
    def cost(self) -> float:
        """Return the cost of all parcels in yuan."""
        return round(sum(parcel.cost for parcel in self.parcels), 2)


@dataclass
class _Reach:
    """The nodes as one destination sees them, nearest (cheapest) first; the same for every order going there."""

    open: list[tuple[float, float, NodeFacts]] = field(default_factory=list)  # cost, km, node
    not_serving: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()


class Planner:
    """Plans demands one after the other over shared stock, lots and capacity, all counted down as it goes."""

    def __init__(
        self, nodes: Sequence[NodeFacts], stock: Stock, policy: Policy, shelves: Shelves | None = None
    ) -> None:
        self._nodes = sorted(nodes, key=lambda node: node.code)
        self._stock = stock
        self._shelves = shelves or {}
        self._fit = stock  # what the demand at hand may have of the stock
        self._policy = policy
        self._parcels_left = {node.node_id: node.parcels_left for node in nodes}
        self._reaches: dict[tuple[str, str, frozenset[int] | None], _Reach] = {}

    def plan(self, demand: Demand) -> Plan:
        """Choose nodes for one demand and count the chosen units and parcels down."""
        reach = self._reach(demand.region, demand.city, demand.nodes)
        self._fit = self._fit_for(demand)
        wanted = _summed(demand.items)
        able, short, full = self._judge(reach, wanted)
        verdicts = Verdicts(
            able=tuple((node.code, round(km), round(cost, 2)) for cost, km, node in able),
            short=tuple((node.code, round(km), lack) for _cost, km, node, lack in short),
            full=full,
            not_serving=reach.not_serving,
            inactive=reach.inactive,
        )
        parcels: tuple[Parcel, ...] = ()
        missing: tuple[Item, ...] = ()
        if able and demand.items:
            cost, km, node = able[0]
            parcels = (Parcel(node.node_id, node.code, demand.items, round(km, 1), round(cost, 2)),)
        elif demand.items:
            parcels, missing = self._split(demand.items, [entry[:3] for entry in short])
        too_short = self._too_short(missing, reach) if demand.lives else 0
        self._count_down(parcels, demand.lives)
        return Plan(demand.reference, parcels, missing, verdicts, too_short)

    def _fit_for(self, demand: Demand) -> Stock:
        """Return the stock as this demand may have it: all of it, or of goods with lots what keeps long enough."""
        if not demand.lives:
            return self._stock
        fit = {item.sku_id: self._stock.get(item.sku_id, {}) for item in demand.items}
        for sku_id, life in demand.lives.items():
            levels = self._stock.get(sku_id, {}).items()
            fit[sku_id] = {node: room(self._shelves.get((sku_id, node), []), units, life) for node, units in levels}
        return fit

    def _too_short(self, missing: Iterable[Item], reach: _Reach) -> int:
        """Return how many of the missing units are there and do not keep long enough."""
        lying = 0
        for sku_id, quantity in _summed(missing).items():
            level, fit = self._stock.get(sku_id, {}), self._fit.get(sku_id, {})
            nodes = [node.node_id for _cost, _km, node in reach.open]
            lying += min(quantity, sum(level.get(node, 0) - fit.get(node, 0) for node in nodes))
        return lying

    def _judge(
        self, reach: _Reach, wanted: Mapping[int, int]
    ) -> tuple[list[tuple[float, float, NodeFacts]], list[tuple[float, float, NodeFacts, int]], tuple[str, ...]]:
        """Sort the open nodes into those that can send all alone, those that lack units, and those without room."""
        able, short, full = [], [], []
        levels = [(self._fit.get(sku_id, {}), quantity) for sku_id, quantity in wanted.items()]
        for cost, km, node in reach.open:
            node_id = node.node_id
            if self._parcels_left[node_id] <= 0:
                full.append(node.code)
                continue
            lack = 0
            for level, quantity in levels:
                have = level.get(node_id, 0)
                if have < quantity:
                    lack += quantity - have
            if lack:
                short.append((cost, km, node, lack))
            else:
                able.append((cost, km, node))
        return able, short, tuple(full)

    def _split(
        self, items: tuple[Item, ...], nodes: Sequence[tuple[float, float, NodeFacts]]
    ) -> tuple[tuple[Parcel, ...], tuple[Item, ...]]:
        """Send from as few nodes as possible; what no node has is returned as missing."""
        skus = {item.sku_id for item in items}
        holders = [entry for entry in nodes if any(self._fit.get(sku, {}).get(entry[2].node_id, 0) > 0 for sku in skus)]
        pair = self._best_pair(items, holders)
        return self._fill(items, pair if pair else self._greedy(items, holders))

    def _best_pair(
        self, items: tuple[Item, ...], holders: Sequence[tuple[float, float, NodeFacts]]
    ) -> list[tuple[float, float, NodeFacts]]:
        """Return the cheapest two nodes that together have everything, or an empty list."""
        wanted = _summed(items)
        best: list[tuple[float, float, NodeFacts]] = []
        best_cost = float("inf")
        for first, second in combinations(holders[:EXACT_PAIR_LIMIT], 2):
            cost = first[0] + second[0]
            if cost < best_cost and all(
                self._units(sku, first[2]) + self._units(sku, second[2]) >= quantity for sku, quantity in wanted.items()
            ):
                best, best_cost = [first, second], cost
        return best

    def _greedy(
        self, items: tuple[Item, ...], holders: Sequence[tuple[float, float, NodeFacts]]
    ) -> list[tuple[float, float, NodeFacts]]:
        """Return nodes so that each adds the most units still missing; among equals the cheapest comes first."""
        still = _summed(items)
        left = list(holders)
        chosen = []
        while left and any(still.values()):
            gains = [sum(min(self._units(sku, node), quantity) for sku, quantity in still.items()) for *_, node in left]
            most = max(gains)
            if most == 0:
                break
            entry = left.pop(gains.index(most))
            chosen.append(entry)
            still = {sku: quantity - min(self._units(sku, entry[2]), quantity) for sku, quantity in still.items()}
        return chosen

    def _fill(
        self, items: tuple[Item, ...], nodes: Iterable[tuple[float, float, NodeFacts]]
    ) -> tuple[tuple[Parcel, ...], tuple[Item, ...]]:
        """Give each node what it has of what is still missing."""
        missing = list(items)
        parcels = []
        for cost, km, node in nodes:
            sent, missing = self._take(missing, node)
            if sent:
                parcels.append(Parcel(node.node_id, node.code, sent, round(km, 1), round(cost, 2)))
        return tuple(parcels), tuple(missing)

    def _take(self, items: Sequence[Item], node: NodeFacts) -> tuple[tuple[Item, ...], list[Item]]:
        """Divide items into what a node can send and what stays missing."""
        sent, missing = [], []
        have = {item.sku_id: self._units(item.sku_id, node) for item in items}
        for item in items:
            units = min(have[item.sku_id], item.quantity)
            have[item.sku_id] -= units
            if units:
                sent.append(Item(item.line_number, item.sku_id, units))
            if units < item.quantity:
                missing.append(Item(item.line_number, item.sku_id, item.quantity - units))
        return tuple(sent), missing

    def _units(self, sku_id: int, node: NodeFacts) -> int:
        return self._fit.get(sku_id, {}).get(node.node_id, 0)

    def _count_down(self, parcels: Iterable[Parcel], lives: Mapping[int, Life]) -> None:
        for parcel in parcels:
            self._parcels_left[parcel.node_id] -= 1
            for item in parcel.items:
                self._stock[item.sku_id][parcel.node_id] -= item.quantity
                if item.sku_id in lives:
                    take(self._shelves[item.sku_id, parcel.node_id], item.quantity, lives[item.sku_id])

    def _reach(self, region: str, city: str, nodes: frozenset[int] | None) -> _Reach:
        """Return the nodes as this destination and channel see them, worked out once."""
        known = self._reaches.get((region, city, nodes))
        if known is None:
            known = self._reaches[region, city, nodes] = self._look_from(region, city, nodes)
        return known

    def _look_from(self, region: str, city: str, nodes: frozenset[int] | None) -> _Reach:
        here = locate(region, city)
        active = [node for node in self._nodes if node.is_active]
        serving = [n for n in active if region in n.serves and (nodes is None or n.node_id in nodes)]
        codes = {node.code for node in serving}
        reach = _Reach(
            not_serving=tuple(node.code for node in active if node.code not in codes),
            inactive=tuple(node.code for node in self._nodes if not node.is_active),
        )
        for node in serving:
            km = distance_km(here, (node.latitude or 0.0, node.longitude or 0.0))
            reach.open.append((self._policy.handling + self._policy.freight_per_km * km, km, node))
        reach.open.sort(key=lambda entry: (entry[0], entry[2].code))
        return reach


def plan(
    demands: Iterable[Demand],
    nodes: Sequence[NodeFacts],
    stock: Stock,
    policy: Policy,
    shelves: Shelves | None = None,
) -> list[Plan]:
    """Plan demands in the given order over shared stock and capacity; ``stock`` is counted down in place.

    ``shelves`` are the lots of SKUs that have some, counted down too. Raises ``KeyError`` for a destination region that
    geography does not know.
    """
    planner = Planner(nodes, stock, policy, shelves)
    return [planner.plan(demand) for demand in demands]


def _summed(items: Iterable[Item]) -> dict[int, int]:
    """Return units per SKU: two lines of one SKU want their sum."""
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.sku_id] = wanted.get(item.sku_id, 0) + item.quantity
    return wanted
