"""Made instances of joint routing: shared stock and shared room, both scarce. The same seed makes the same instance.

- nodes lie in Chinese cities drawn without repetition; their sizes differ by a factor of ten (a skewed draw);
- orders want three different SKUs, one unit of each, every seventh line two; SKUs by popularity (a square of a uniform
  draw), destinations by a draw in which few cities have most of the orders, not those of the large nodes;
- every SKU lies at about half of the nodes, three times as many units as are wanted, by the nodes' sizes, so that many
  places have one or two units;
- room for parcels is `ROOM` times the number of orders, by the nodes' sizes: nodes near many buyers are full.

Costs are those of the product's balanced policy without tariffs (by distance and weight), without load, so that an
order's cost depends on its own plan only and all ways to plan can be compared.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from inventory.rules.cities import CITIES
from inventory.rules.geography import MAINLAND
from orders.rules.routing.facts import Demand, Goods, Item, NodeFacts, Situation, Stock
from orders.rules.routing.policy import Group, Policy, PublishedPolicy, Weights

AT: Final = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
POLICY: Final = PublishedPolicy("benchmark", 1, Policy(groups=(Group(name="all", weights=Weights(load=0.0)),)))
COVER: Final = 3.0
ROOM: Final = 1.3


@dataclass(frozen=True)
class Instance:
    """One joint problem in the planner's words."""

    demands: tuple[Demand, ...]
    situation: Situation
    stock: Stock

    def fresh_stock(self) -> Stock:
        """Return the stock as a copy that may be counted down."""
        return {sku_id: dict(levels) for sku_id, levels in self.stock.items()}


def make(seed: int, orders: int, nodes: int = 50, *, cover: float = COVER, room: float = ROOM) -> Instance:
    """Return an instance of so many orders of three lines over so many nodes."""
    chance = random.Random(seed)
    places = chance.sample(sorted(key for key in CITIES if key[0] in MAINLAND), nodes)
    sizes = [0.3 + 3.0 * chance.random() ** 2 for _ in places]
    demands = _demands(chance, orders)
    rooms = [max(2, int(orders * room * size / sum(sizes))) for size in sizes]
    facts = tuple(
        NodeFacts(
            node_id=number, code=f"N{number:03}", region=region, latitude=CITIES[region, city][0],
            longitude=CITIES[region, city][1], serves=MAINLAND, is_active=True, parcels_left=rooms[number - 1],
            city=city, pick_cost=round(2.0 + 2.0 * chance.random(), 2),
        )
        for number, (region, city) in enumerate(places, 1)
    )  # fmt: skip
    skus = {item.sku_id for demand in demands for item in demand.items}
    goods = {sku_id: Goods(weight_g=100 * chance.randint(2, 15)) for sku_id in sorted(skus)}
    return Instance(demands, Situation(AT, facts, goods), _stock(chance, demands, sizes, cover))


def _demands(chance: random.Random, orders: int) -> tuple[Demand, ...]:
    cities = sorted(key for key in CITIES if key[0] in MAINLAND)
    chance.shuffle(cities)
    skus = max(30, orders // 5)
    made = []
    for number in range(orders):
        wanted: dict[int, int] = {}
        while len(wanted) < 3:
            wanted.setdefault(1 + int(skus * chance.random() ** 2), 2 if chance.random() < 1 / 7 else 1)
        region, city = cities[int(len(cities) * chance.random() ** 2)]
        items = tuple(Item(line, sku_id, units) for line, (sku_id, units) in enumerate(sorted(wanted.items()), 1))
        made.append(Demand(f"O{number:06}", region, city, items))
    return tuple(made)


def _stock(chance: random.Random, demands: tuple[Demand, ...], sizes: list[float], cover: float) -> Stock:
    wanted: dict[int, int] = {}
    for demand in demands:
        for item in demand.items:
            wanted[item.sku_id] = wanted.get(item.sku_id, 0) + item.quantity
    stock: Stock = {}
    for sku_id in sorted(wanted):
        holders = [node for node in range(1, len(sizes) + 1) if chance.random() < 0.5] or [1]
        levels = stock.setdefault(sku_id, {})
        for node in chance.choices(holders, [sizes[node - 1] for node in holders], k=int(wanted[sku_id] * cover) + 2):
            levels[node] = levels.get(node, 0) + 1
    return stock
