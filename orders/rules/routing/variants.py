"""What a what-if run changes against what was: another policy, nodes, stock, room, weather or demand. Plain Python.

The planner is the one that routes the orders; only what it is told differs. What a variant took elsewhere than what was
really taken is carried from round to round (``Drift``), so that its later rounds find the stock and room it left. With
nothing changed nothing drifts, and every decision comes out as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

from orders.rules.routing.facts import Demand, Disruption, NodeFacts, Situation, Stock
from orders.rules.routing.plans import Plan
from orders.rules.routing.policy import Policy, PublishedPolicy

MOST_FACTOR: Final = 20.0


class Storm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A disruption for the whole time of the run; empty lists mean everywhere."""

    effect: str = "blocks"
    from_regions: tuple[str, ...] = ()
    to_regions: tuple[str, ...] = ()
    carrier_code: str = ""
    delay_hours: float = 0.0


class Changes(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What one variant changes; what is left out stays as it was."""

    policy: Policy | None = None
    policy_name: str = ""
    digest: str = ""  # of the version tried, so that approvers find what was tried of just this text
    nodes_off: tuple[str, ...] = ()
    stock_factor: float = 1.0
    capacity_factor: float = 1.0
    demand_factor: float = 1.0  # a campaign: so many times the orders
    storm: Storm | None = None


@dataclass
class Drift:
    """What is there more (or less) than was recorded, because a variant took it elsewhere (or here)."""

    stock: Stock = field(default_factory=dict)  # SKU id → node id → units
    room: dict[int, int] = field(default_factory=dict)  # node id → parcels, of the day
    backlog: dict[int, int] = field(default_factory=dict)
    day: date | None = None
    scaled: set[tuple[int, int]] = field(default_factory=set)  # what the stock's factor was applied to

    def scale(self, was: Stock, factor: float) -> None:
        """Add what a factor changes about stock that is met for the first time; what is taken later is not scaled."""
        if factor == 1:
            return
        for sku_id, level in was.items():
            for node_id, units in level.items():
                if (sku_id, node_id) not in self.scaled:
                    self.scaled.add((sku_id, node_id))
                    drifted = self.stock.setdefault(sku_id, {})
                    drifted[node_id] = drifted.get(node_id, 0) + round(units * factor) - units

    def count(self, really: Iterable[Plan], instead: Iterable[Plan]) -> None:
        """Add what was really taken and subtract what the variant took."""
        for sign, plans in ((1, really), (-1, instead)):
            for plan in plans:
                for parcel in plan.parcels:
                    self.room[parcel.node_id] = self.room.get(parcel.node_id, 0) + sign
                    self.backlog[parcel.node_id] = self.backlog.get(parcel.node_id, 0) - sign
                    for item in parcel.items:
                        level = self.stock.setdefault(item.sku_id, {})
                        level[parcel.node_id] = level.get(parcel.node_id, 0) + sign * item.quantity

    def of_day(self, day: date) -> None:
        """Forget yesterday's room: each day begins with a node's whole capacity."""
        if self.day != day:
            self.day, self.room = day, {}


def from_json(body: dict[str, Any]) -> Changes:
    """Return the changes that ``to_json`` wrote. Raises ``msgspec.ValidationError``."""
    return msgspec.convert(body, Changes)


def to_json(changes: Changes) -> dict[str, Any]:
    """Return changes as JSON values."""
    body: dict[str, Any] = msgspec.to_builtins(changes)
    return body


def situation(was: Situation, changes: Changes, drift: Drift) -> Situation:
    """Return the situation as a variant finds it."""
    nodes = tuple(_node(node, changes, drift) for node in was.nodes)
    storms = was.disruptions if changes.storm is None else (*was.disruptions, _disruption(changes.storm))
    return replace(was, nodes=nodes, disruptions=storms)


def stock(was: Stock, changes: Changes, drift: Drift) -> Stock:
    """Return the stock as a variant finds it: never below nothing."""
    drift.scale(was, changes.stock_factor)
    return {sku_id: _level(level, drift.stock.get(sku_id, {})) for sku_id, level in was.items()}


def demands(was: Sequence[Demand], changes: Changes) -> list[Demand]:
    """Return the orders as a variant finds them: with a campaign some come again under another name.

    The same ones for the same factor: of 1.5 every second order.
    """
    told = list(was)
    if changes.demand_factor <= 1:
        return told
    extra = changes.demand_factor - 1
    for place, demand in enumerate(was):
        copies = int((place + 1) * extra) - int(place * extra)
        told.extend(replace(demand, reference=f"{demand.reference}~{copy}") for copy in range(1, copies + 1))
    return told


def policy(was: PublishedPolicy, changes: Changes) -> PublishedPolicy:
    """Return by which policy a variant decides."""
    return was if changes.policy is None else PublishedPolicy(changes.policy_name or "draft", 0, changes.policy)


def _level(was: dict[int, int], drifted: dict[int, int]) -> dict[int, int]:
    """Return a SKU's units by node, also where there are some only because the variant left them there."""
    level = {node_id: max(0, units + drifted.get(node_id, 0)) for node_id, units in was.items()}
    return level | {node_id: units for node_id, units in drifted.items() if units > 0 and node_id not in was}


def _node(node: NodeFacts, changes: Changes, drift: Drift) -> NodeFacts:
    hourly = node.parcels_per_hour
    return replace(
        node,
        is_active=node.is_active and node.code not in changes.nodes_off,
        parcels_left=max(0, round(node.parcels_left * changes.capacity_factor) + drift.room.get(node.node_id, 0)),
        parcels_per_hour=None if hourly is None else round(hourly * changes.capacity_factor),
        backlog=max(0, node.backlog + drift.backlog.get(node.node_id, 0)),
    )


def _disruption(storm: Storm) -> Disruption:
    return Disruption(
        code="what-if",
        name="what-if",
        effect=storm.effect,
        from_regions=frozenset(storm.from_regions),
        to_regions=frozenset(storm.to_regions),
        carrier_code=storm.carrier_code,
        delay_hours=storm.delay_hours,
    )
