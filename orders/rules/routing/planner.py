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
from math import inf

from inventory.rules.lots import Life, room, take
from orders.rules.routing import goods
from orders.rules.routing.candidates import (
    ABLE,
    BACKLOG,
    FULL,
    REFUSED_BEFORE,
    SHORT,
    Reach,
    Reaches,
    Verdict,
)
from orders.rules.routing.costs import load
from orders.rules.routing.facts import Demand, Item, NodeFacts, Shelves, Situation, Stock
from orders.rules.routing.groups import groups_of
from orders.rules.routing.judged import Judged, Row
from orders.rules.routing.plans import Parcel, Plan, RunnerUp
from orders.rules.routing.policy import Group, PublishedPolicy
from orders.rules.routing.promising import backlog_hours, leaves_after, window
from orders.rules.routing.search import Ask, Division, Holder, Search, Units

NEVER = datetime.max.replace(tzinfo=UTC)
EVERYTHING_LEFT = Verdict(ABLE)
HAS_TOO_LITTLE = Verdict(SHORT)
HAS_NO_ROOM = Verdict(FULL)
REFUSED = Verdict(REFUSED_BEFORE)


class _NodeState:
    """What moves at a node while orders are planned."""

    __slots__ = ("backlog", "leaves_after", "left", "load", "node")

    def __init__(self, node: NodeFacts, at: datetime) -> None:
        self.node, self.left, self.backlog = node, node.parcels_left, node.backlog
        self._look(at)

    def _look(self, at: datetime) -> None:
        self.leaves_after = leaves_after(self.node, at, self.backlog)
        self.load = load(self.node, self.backlog, self.left) ** 2

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
        """``stock`` and ``shelves`` are counted down in place; ``reaches`` may be those of the same situation."""
        self._situation = situation
        self._stock = stock
        self._shelves = shelves or {}
        self._reaches = reaches or Reaches(situation)
        self._states = {node.node_id: _NodeState(node, situation.at) for node in situation.nodes}

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
        rows, holders = self._look(demand, reach, ask, fit)
        search = Search(ask, holders)
        if ask.want:
            search.run()
        judged = Judged(self._situation, ask, reach, tuple(rows))
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

    def _look(self, demand: Demand, reach: Reach, ask: Ask, fit: Stock) -> tuple[list[Row], list[Holder]]:
        """Judge the open nodes on stock and room; those that may send something are the holders."""
        rows, holders = [], []
        levels = [fit.get(sku_id, {}) for sku_id in ask.skus]
        picky = goods.picky(self._situation.goods, ask.skus, demand.region)
        weight = reach.group.weights.load
        for lane in reach.lanes:
            state = self._states[lane.node_id]
            have = tuple([min(level.get(lane.node_id, 0), want) for level, want in zip(levels, ask.want, strict=True)])
            verdict = EVERYTHING_LEFT if have == ask.want else HAS_TOO_LITTLE
            if picky:
                have, verdict = goods.without(picky, lane.node, have, verdict)
            against = self._against(demand, state, reach.group)
            load_cost = weight * state.load
            rows.append(Row(lane, against or verdict, have, state.leaves_after, load_cost))
            if not against and any(have):
                holders.append(Holder(lane, have, state.leaves_after, load_cost, self._worth(lane.node_id, ask, reach)))
        return rows, holders

    def _against(self, demand: Demand, state: _NodeState, group: Group) -> Verdict | None:
        """Return what the order's past or the moment says against a node."""
        if state.node.node_id in demand.refused_by:
            return REFUSED
        if state.left <= 0:
            return HAS_NO_ROOM
        most = group.hard.most_backlog_hours
        if most is not None and (hours := backlog_hours(state.node, state.backlog)) > most:
            return Verdict(BACKLOG, {"hours": round(hours, 1), "most_hours": most})
        return None

    def _worth(self, node_id: int, ask: Ask, reach: Reach) -> Sequence[float]:
        """Return what taking a unit of each SKU costs beside freight."""
        weights, positions = reach.group.weights, self._situation.positions
        worth = []
        for sku_id in ask.skus:
            position = positions.get((sku_id, node_id))
            worth.append(
                weights.balance * position.shadow_price - weights.markdown * position.is_markdown if position else 0.0
            )
        return tuple(worth)

    def _parcels(
        self, demand: Demand, judged: Judged, division: Division | None
    ) -> tuple[tuple[Parcel, ...], tuple[Item, ...]]:
        if division is None:
            return (), demand.items
        rows = {row.lane.node_id: row for row in judged.rows}
        parcels, missing = [], list(demand.items)
        for holder, units in sorted(division.shares, key=lambda share: share[0].lane.node.code):
            items, missing = _share_out(missing, dict(zip(judged.ask.skus, units, strict=True)))
            parcels.append(self._parcel(demand, judged, rows[holder.lane.node_id], units, items))
        return tuple(parcels), tuple(missing)

    def _parcel(self, demand: Demand, judged: Judged, row: Row, units: Units, items: tuple[Item, ...]) -> Parcel:
        lane = row.lane
        price = Holder(lane, units, row.leaves_after, row.load_cost, ()).price(units, judged.ask)
        told = judged.terms(row, units)
        carrier = price.carrier
        there = window(
            self._situation.at, row.leaves_after + lane.wait, (carrier.hours_p50, carrier.hours_p90), demand.region
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
            self._states[parcel.node_id].take_parcel(self._situation.at)
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
