"""Which nodes send what of each order, as its policy weighs it. Plain Python.

In the order in which an operator reads it:

1. the policy's groups are tried from the first to the last; the first that leaves a plan for all of the order decides,
   else the last that takes the order sends what it can;
2. nodes that the rules exclude are passed over (``candidates``); of goods with lots only units that keep long
   enough for the channel count;
3. of all ways to divide the order the cheapest wins (``costs``, ``search``); equal costs go to the lower node code;
4. units, room and backlog are counted down before the next order is looked at. Who comes first is ``by_priority``.

The same inputs give the same plans.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from math import inf

from inventory.rules.lots import Life, room, take
from orders.rules.routing import goods
from orders.rules.routing.candidates import (
    BACKLOG,
    FULL,
    REFUSED_BEFORE,
    Reach,
    Reaches,
    Verdict,
)
from orders.rules.routing.costs import last_room, load
from orders.rules.routing.facts import Demand, Item, NodeFacts, Shelves, Situation, Stock
from orders.rules.routing.groups import groups_of
from orders.rules.routing.holders import Ask, Division, Holder, Units
from orders.rules.routing.judged import HAS_EVERYTHING, Judged, Row
from orders.rules.routing.plans import Parcel, Plan, RunnerUp
from orders.rules.routing.policy import Group, PublishedPolicy, Weights
from orders.rules.routing.promising import DAY_MINUTES, backlog_hours, leaves_after, minute_of_day, window
from orders.rules.routing.search import Search

NEVER = datetime.max.replace(tzinfo=UTC)
NO_LEVEL: dict[int, int] = {}
HAS_NO_ROOM = Verdict(FULL)
REFUSED = Verdict(REFUSED_BEFORE)
CLOSED = frozenset({FULL, REFUSED_BEFORE, BACKLOG})


class _NodeState:
    """What moves at a node while orders are planned."""

    __slots__ = ("backlog", "day_left", "last_room", "leaves_after", "left", "load", "node")

    def __init__(self, node: NodeFacts, at: datetime) -> None:
        self.node, self.left, self.backlog = node, node.parcels_left, node.backlog
        self.day_left = 1.0 - minute_of_day(at, node.region) / DAY_MINUTES
        self._look(at)

    def _look(self, at: datetime) -> None:
        self.leaves_after = leaves_after(self.node, at, self.backlog)
        self.load = load(self.node, self.backlog, self.left) ** 2
        self.last_room = last_room(self.backlog, self.left, self.day_left)

    def take_parcel(self, at: datetime) -> None:
        """Count one more parcel."""
        self.left -= 1
        self.backlog += 1
        self._look(at)


class Planner:
    """Plans demands one after the other over shared stock, lots, room and backlog, all counted down as it goes."""

    def __init__(
        self, situation: Situation, stock: Stock, shelves: Shelves | None = None, reaches: Reaches | None = None
    ) -> None:
        """``stock`` and ``shelves`` are counted down in place; ``reaches`` may be those of the same nodes before."""
        self._situation = situation
        self._stock = stock
        self._shelves = shelves or {}
        self._reaches = Reaches(situation) if reaches is None else reaches
        self._states = {node.node_id: _NodeState(node, situation.at) for node in situation.nodes}
        self._full = {node.node_id for node in situation.nodes if node.parcels_left <= 0}

    def plan(self, demand: Demand, published: PublishedPolicy) -> Plan:
        """Choose nodes for one demand and count the chosen units and parcels down.

        Raises ``KeyError`` for a destination region that geography does not know.
        """
        groups = groups_of(published.policy, demand, self._situation.at)
        fit = self._fit_for(demand)
        plan = Plan(demand.reference, published.name, "", (), demand.items)
        passed_over: list[str] = []
        for group in groups:
            plan = self._by_group(demand, published, group, fit, tuple(passed_over))
            if not plan.missing:
                break
            passed_over.append(group.name)
        self._count_down(plan.parcels, demand.lives)
        return plan

    def _by_group(
        self, demand: Demand, published: PublishedPolicy, group: Group, fit: Stock, passed_over: tuple[str, ...]
    ) -> Plan:
        ask = self._ask(demand, group)
        reach = self._reaches.of(demand, group)
        judged = self._judge(demand, reach, ask, fit)
        search = Search(ask, self._holders(judged))
        if ask.want:
            search.run()
        parcels, missing = self._parcels(demand, judged, search.best)
        second = search.second
        return Plan(
            reference=demand.reference,
            policy=published.name,
            group=group.name,
            parcels=parcels,
            missing=missing,
            split=round(ask.split * max(0, len(parcels) - 1), 2),
            runner_up=RunnerUp(second.codes, round(second.cost, 2), second.missing) if second else None,
            too_short=self._too_short(missing, reach, fit) if demand.lives and missing else 0,
            passed_over=passed_over,
            judged=judged,
        )

    def _ask(self, demand: Demand, group: Group) -> Ask:
        wanted = _summed(demand.items)
        skus = tuple(sorted(wanted))
        due = demand.deliver_by
        return Ask(
            skus=skus,
            want=tuple(wanted[sku_id] for sku_id in skus),
            weights_g=goods.weights_g(self._situation.goods, skus),
            due=inf if due is None else (due - self._situation.at).total_seconds() / 3600,
            urgency=1.0 + demand.attempts,
            split=group.weights.split,
            most_parcels=group.hard.most_parcels,
        )

    def _fit_for(self, demand: Demand) -> Stock:
        """Return the stock as this demand may have it: of goods with lots only what keeps long enough."""
        if not demand.lives:
            return self._stock
        fit = {sku_id: self._stock.get(sku_id, {}) for sku_id in demand.skus}
        for sku_id, life in demand.lives.items():
            levels = self._stock.get(sku_id, {}).items()
            fit[sku_id] = {node: room(self._shelves.get((sku_id, node), []), units, life) for node, units in levels}
        return fit

    def _judge(self, demand: Demand, reach: Reach, ask: Ask, fit: Stock) -> Judged:
        """Judge the open nodes on stock and room."""
        ids, states = reach.node_ids, self._states
        haves = _haves(ask, fit, ids)
        verdicts: dict[int, Verdict] = {}
        picky = goods.picky(self._situation.goods, ask.skus, demand.region)
        if picky:
            goods.narrow(picky, reach.lanes, haves, verdicts)
        self._object(demand, reach, verdicts)
        weights = reach.group.weights
        another = (
            weights.balance * (weights.split + reach.lanes[0].floor) if ids else 0.0
        )  # what a further parcel costs
        leaves = [states[node_id].leaves_after for node_id in ids]
        loads = [weights.load * states[node_id].load + another * states[node_id].last_room for node_id in ids]
        late_haves = _haves(ask, fit, [lane.node_id for lane in reach.late]) if reach.late else ()
        return Judged(self._situation, ask, reach, haves, leaves, loads, verdicts, late_haves)

    def _object(self, demand: Demand, reach: Reach, verdicts: dict[int, Verdict]) -> None:
        """Say what the order's past, the room left and the backlog say against nodes."""
        most = reach.group.hard.most_backlog_hours
        if not (self._full or demand.refused_by or most is not None):
            return
        for place, node_id in enumerate(reach.node_ids):
            state = self._states[node_id]
            hours = backlog_hours(state.node, state.backlog)
            if node_id in demand.refused_by:
                verdicts[place] = REFUSED
            elif node_id in self._full:
                verdicts[place] = HAS_NO_ROOM
            elif most is not None and hours > most:
                verdicts[place] = Verdict(BACKLOG, {"hours": round(hours, 1), "most_hours": most})

    def _holders(self, judged: Judged) -> list[Holder]:
        """Return the nodes that may send something."""
        ask, weights, holders = judged.ask, judged.reach.group.weights, []
        lanes = zip(judged.reach.lanes, judged.haves, judged.leaves_after, judged.load_costs, strict=True)
        for place, (lane, have, leaves, load_cost) in enumerate(lanes):
            if any(have) and (place not in judged.verdicts or judged.verdicts[place].code not in CLOSED):
                holders.append(Holder(lane, have, leaves, load_cost, self._worth(lane.node_id, ask, weights)))
        return holders

    def _worth(self, node_id: int, ask: Ask, weights: Weights) -> Sequence[float]:
        """Return what taking a unit of each SKU costs beside freight."""
        positions = self._situation.positions
        if not positions:
            return (0.0,) * len(ask.skus)
        worth = []
        for sku_id in ask.skus:
            known = positions.get((sku_id, node_id))
            worth.append(weights.balance * known.shadow_price - weights.markdown * known.is_markdown if known else 0.0)
        return worth

    def _parcels(
        self, demand: Demand, judged: Judged, division: Division | None
    ) -> tuple[tuple[Parcel, ...], tuple[Item, ...]]:
        if division is None:
            return (), demand.items
        parcels, missing = [], list(demand.items)
        for holder, units in sorted(division.shares, key=lambda share: share[0].lane.node.code):
            items, missing = _share_out(missing, dict(zip(judged.ask.skus, units, strict=True)))
            parcels.append(self._parcel(demand, judged, holder, units, items))
        return tuple(parcels), tuple(missing)

    def _parcel(self, demand: Demand, judged: Judged, holder: Holder, units: Units, items: tuple[Item, ...]) -> Parcel:
        lane, carrier = holder.lane, holder.price(units, judged.ask).carrier
        told = judged.terms(Row(lane, HAS_EVERYTHING, units, holder.leaves_after, holder.load_cost), units)
        there = window(
            self._situation.at, holder.leaves_after + lane.wait, (carrier.hours_p50, carrier.hours_p90), demand.region
        )
        return Parcel(
            node_id=lane.node_id,
            node_code=lane.node.code,
            items=items,
            distance_km=round(lane.km, 1),
            cost=round(sum(told.values()), 2),
            carrier_code=carrier.code,
            terms=told,
            weight_g=sum(quantity * grams for quantity, grams in zip(units, judged.ask.weights_g, strict=True)),
            leaves_at=there.leaves_at,
            arrives_from=there.arrives_from,
            arrives_until=there.arrives_until,
        )

    def _too_short(self, missing: Iterable[Item], reach: Reach, fit: Stock) -> int:
        """Return how many of the missing units are there and do not keep long enough."""
        lying = 0
        for sku_id, quantity in _summed(missing).items():
            level, fits = self._stock.get(sku_id, {}), fit.get(sku_id, {})
            nodes = [lane.node_id for lane in reach.lanes]
            lying += min(quantity, sum(level.get(node, 0) - fits.get(node, 0) for node in nodes))
        return lying

    def _count_down(self, parcels: Iterable[Parcel], lives: Mapping[int, Life]) -> None:
        for parcel in parcels:
            state = self._states[parcel.node_id]
            state.take_parcel(self._situation.at)
            if state.left <= 0:
                self._full.add(parcel.node_id)
            for item in parcel.items:
                self._stock[item.sku_id][parcel.node_id] -= item.quantity
                if item.sku_id in lives:
                    take(self._shelves[item.sku_id, parcel.node_id], item.quantity, lives[item.sku_id])


def plan_all(
    demands: Sequence[Demand],
    situation: Situation,
    stock: Stock,
    policy_of: Callable[[Demand], PublishedPolicy],
    shelves: Shelves | None = None,
) -> list[Plan]:
    """Plan demands by priority over shared stock and room, and return the plans in the order of the demands.

    ``stock`` and ``shelves`` are counted down in place. Raises ``KeyError`` for a destination region that geography
    does not know.
    """
    planner = Planner(situation, stock, shelves)
    plans: dict[int, Plan] = {}
    for place in sorted(range(len(demands)), key=lambda place: by_priority(demands[place])):
        plans[place] = planner.plan(demands[place], policy_of(demands[place]))
    return [plans[place] for place in range(len(demands))]


def by_priority(demand: Demand) -> tuple[int, datetime, bool, str]:
    """Return by what demands are sorted so that who may choose first comes first.

    Higher priority, then the earlier promise (none is last), then who paid for express, then the reference.
    """
    return -demand.priority, demand.deliver_by or NEVER, demand.method != "express", demand.reference


def _haves(ask: Ask, fit: Stock, node_ids: Sequence[int]) -> list[Units]:
    """Return what each node can send of each SKU, never more than wanted."""
    columns = [
        [units if units < want else want for units in map(fit.get(sku_id, NO_LEVEL).get, node_ids, repeat(0))]
        for sku_id, want in zip(ask.skus, ask.want, strict=True)
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * len(node_ids)


def _share_out(items: Iterable[Item], units: dict[int, int]) -> tuple[tuple[Item, ...], list[Item]]:
    """Divide items into what a parcel with these units holds and what stays; ``units`` is counted down."""
    sent, left = [], []
    for item in items:
        quantity = min(units.get(item.sku_id, 0), item.quantity)
        if quantity:
            units[item.sku_id] -= quantity
            sent.append(Item(item.line_number, item.sku_id, quantity))
        if quantity < item.quantity:
            left.append(Item(item.line_number, item.sku_id, item.quantity - quantity))
    return tuple(sent), left


def _summed(items: Iterable[Item]) -> dict[int, int]:
    """Return units per SKU: two lines of one SKU want their sum."""
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.sku_id] = wanted.get(item.sku_id, 0) + item.quantity
    return wanted
