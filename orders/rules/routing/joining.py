"""From what orders want and what nodes can to one joint problem: the same rules and costs as the planner's.

A node's load counts as it stands at the moment, without what this very round puts there. Orders that the joint problem
cannot hold are left out and said: those with goods in lots (what keeps long enough differs from order to order), those
of too many lines, and those that no node could send.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from orders.rules.routing import goods
from orders.rules.routing.candidates import Reaches
from orders.rules.routing.columns import Content, Floats, Joint, Plan, Wish, shape_of
from orders.rules.routing.costs import Lane, load
from orders.rules.routing.facts import Demand, Item, NodeFacts, Situation, Stock
from orders.rules.routing.groups import groups_of
from orders.rules.routing.policy import Group, PublishedPolicy
from orders.rules.routing.promising import backlog_hours, leaves_after

UNSENT: Final = 1000.0  # yuan that an order counts while nobody sends it: more than any way to send it costs
Shares = Mapping[int, Mapping[int, int]]  # node id → SKU id → units: the parcels that an order has


@dataclass(frozen=True)
class Candidate:
    """An order that may be planned together with others, and the parcels it has now."""

    demand: Demand
    policy: PublishedPolicy
    group: str = ""  # the group that decided before; else the first that takes it
    kept: Shares | None = None


@dataclass(frozen=True)
class Joined:
    """The joint problem, and how to read its answers."""

    joint: Joint
    unsent: Floats
    candidates: tuple[Candidate, ...]  # in the order of the wishes
    nodes: tuple[NodeFacts, ...]  # by place
    left_out: Mapping[str, str]  # reference → why: "lots" | "lines" | "no_group" | "elsewhere"

    def shares(self, place: int, plan: Plan) -> dict[int, dict[int, int]]:
        """Return a plan as node id → SKU id → units."""
        wish = self.joint.wishes[place]
        found: dict[int, dict[int, int]] = {}
        for sku_id, node, units in wish.units(plan):
            found.setdefault(self.nodes[node].node_id, {})[sku_id] = units
        return found


def join(candidates: Sequence[Candidate], situation: Situation, stock: Stock) -> Joined:
    """Return the joint problem of these orders over what is free and what they hold themselves.

    ``stock`` and the nodes' room are what is free. Raises ``KeyError`` for a destination region that geography does
    not know.
    """
    build = _Build(situation)
    taken, wishes, left_out = [], [], {}
    for candidate in candidates:
        wish = build.wish(candidate)
        if isinstance(wish, str):
            left_out[candidate.demand.reference] = wish
        else:
            taken.append(candidate)
            wishes.append(wish)
    room = Counter({place: max(0, node.parcels_left) for place, node in enumerate(build.nodes)})
    levels = Counter(
        {
            (sku_id, build.place[node_id]): units
            for sku_id, by_node in stock.items()
            for node_id, units in by_node.items()
            if units > 0 and node_id in build.place
        }
    )
    for wish in wishes:
        for node, _content in wish.kept or ():
            room[node] += 1
        for sku_id, node, units in wish.units(wish.kept or ()):
            levels[sku_id, node] += units
    joint = Joint(wishes, levels, [room[place] for place in range(len(build.nodes))])
    return Joined(joint, np.full(len(wishes), UNSENT), tuple(taken), tuple(build.nodes), left_out)


class _Build:
    """What all orders of a problem have in common while it is built."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.nodes = sorted(situation.nodes, key=lambda node: node.code)
        self.place = {node.node_id: place for place, node in enumerate(self.nodes)}
        self.leaves = {n.node_id: leaves_after(n, situation.at, n.backlog) for n in self.nodes}
        self.load = {n.node_id: load(n, n.backlog, n.parcels_left) ** 2 for n in self.nodes}
        self.reaches = Reaches(situation)

    def wish(self, candidate: Candidate) -> Wish | str:
        """Return an order's part of the problem, or why it has none."""
        demand = candidate.demand
        if demand.lives:
            return "lots"
        group = self._group(candidate)
        if group is None:
            return "no_group"
        wanted = _summed(demand.items)
        skus = tuple(sorted(wanted, key=lambda sku_id: (-wanted[sku_id], sku_id)))
        shape = shape_of(tuple(wanted[sku_id] for sku_id in skus), group.hard.most_parcels)
        if shape is None:
            return "lines"
        costs = self._costs(demand, group, skus, shape.contents)
        kept = self._kept(candidate.kept, skus, shape.contents, costs) if candidate.kept else None
        if candidate.kept and kept is None:
            return "elsewhere"
        return Wish(demand.reference, skus, shape, costs, group.weights.split, kept)

    def _group(self, candidate: Candidate) -> Group | None:
        groups = groups_of(candidate.policy.policy, candidate.demand, self.situation.at)
        return next((one for one in groups if one.name == candidate.group), groups[0] if groups else None)

    def _costs(self, demand: Demand, group: Group, skus: Sequence[int], contents: Sequence[Content]) -> Floats:
        """Return what a parcel of each content costs at each node; ``inf`` where the rules are against it."""
        costs = np.full((len(contents), len(self.nodes)), inf)
        price_of = self._pricing(demand, group, skus, contents)
        picky = goods.picky(self.situation.goods, skus, demand.region)
        for lane in self.reaches.of(demand, group).lanes:
            node = lane.node
            if node.node_id in demand.refused_by or self._is_behind(node, group):
                continue
            column = price_of(lane)
            barred = [one.place for one in picky if one.is_forbidden or one.needs - node.capabilities]
            if barred:
                column = [
                    inf if any(content[place] for place in barred) else cost
                    for content, cost in zip(contents, column, strict=True)
                ]
            costs[:, self.place[node.node_id]] = column
        return costs

    def _pricing(
        self, demand: Demand, group: Group, skus: Sequence[int], contents: Sequence[Content]
    ) -> Callable[[Lane], list[float]]:
        """Return how one lane's parcels of these contents are priced."""
        grams = goods.weights_g(self.situation.goods, skus)
        weights = [sum(units * gram for units, gram in zip(one, grams, strict=True)) for one in contents]
        due = inf if demand.deliver_by is None else (demand.deliver_by - self.situation.at).total_seconds() / 3600
        urgency, positions = 1.0 + demand.attempts, self.situation.positions

        def price(lane: Lane) -> list[float]:
            node_id = lane.node_id
            leaves, beside = self.leaves[node_id], group.weights.load * self.load[node_id]
            column = [lane.price(weight, leaves, due, urgency).cost + beside for weight in weights]
            known = [(place, positions[sku, node_id]) for place, sku in enumerate(skus) if (sku, node_id) in positions]
            for place, position in known:
                worth = group.weights.balance * position.shadow_price - group.weights.markdown * position.is_markdown
                column = [cost + one[place] * worth for cost, one in zip(column, contents, strict=True)]
            return column

        return price

    def _is_behind(self, node: NodeFacts, group: Group) -> bool:
        most = group.hard.most_backlog_hours
        return most is not None and backlog_hours(node, node.backlog) > most

    def _kept(self, kept: Shares, skus: Sequence[int], contents: Sequence[Content], costs: Floats) -> Plan | None:
        """Return the parcels an order has as a plan; None when the rules would not let them be made any more."""
        number = {content: place for place, content in enumerate(contents)}
        plan = []
        for node_id, units in kept.items():
            content = number.get(tuple(units.get(sku_id, 0) for sku_id in skus))
            place = self.place.get(node_id)
            if content is None or place is None or not np.isfinite(costs[content, place]):
                return None
            plan.append((place, content))
        return tuple(sorted(plan))


def _summed(items: Iterable[Item]) -> dict[int, int]:
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.sku_id] = wanted.get(item.sku_id, 0) + item.quantity
    return wanted
