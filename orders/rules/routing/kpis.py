"""The figures of many routing decisions: cost, parcels, promises kept, distance, what stayed unfilled. Plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from orders.rules.routing.facts import Demand
from orders.rules.routing.plans import Plan


@dataclass
class Kpis:
    """Sums over decisions. Cost in yuan, distance in kilometres."""

    orders: int = 0
    cost: float = 0.0
    parcels: int = 0
    km: float = 0.0
    promised: int = 0  # decisions with a promise
    late: int = 0  # of them, those that will probably come after it
    unfilled_orders: int = 0
    unfilled_units: int = 0
    by_node: dict[str, int] = field(default_factory=dict)  # code → parcels
    by_region: dict[str, list[float]] = field(default_factory=dict)  # region → orders, cost, late

    def add(self, demand: Demand, plan: Plan) -> None:
        """Count one decision."""
        is_late = will_be_late(plan, demand.deliver_by)
        self.orders += 1
        self.cost += plan.cost
        self.parcels += len(plan.parcels)
        self.km += sum(parcel.distance_km for parcel in plan.parcels)
        self.promised += demand.deliver_by is not None
        self.late += is_late
        missing = sum(item.quantity for item in plan.missing)
        self.unfilled_orders += missing > 0
        self.unfilled_units += missing
        for parcel in plan.parcels:
            self.by_node[parcel.node_code] = self.by_node.get(parcel.node_code, 0) + 1
        region = self.by_region.setdefault(demand.region, [0, 0.0, 0])
        region[0] += 1
        region[1] += plan.cost
        region[2] += is_late

    def stored(self) -> dict[str, Any]:
        """Return the figures as JSON values, money to the cent."""
        return {
            "orders": self.orders, "cost": round(self.cost, 2), "parcels": self.parcels, "km": round(self.km),
            "promised": self.promised, "late": self.late, "unfilled_orders": self.unfilled_orders,
            "unfilled_units": self.unfilled_units, "by_node": dict(sorted(self.by_node.items())),
            "by_region": {
                code: [int(orders), round(cost, 2), int(late)]
                for code, (orders, cost, late) in sorted(self.by_region.items())
            },
        }  # fmt: skip


def will_be_late(plan: Plan, deliver_by: datetime | None) -> bool:
    """Return whether the last day on which a parcel may come is after what the buyer was promised.

    Days are compared: of a promise the day in its own time zone.
    """
    if deliver_by is None or not plan.parcels:
        return False
    last = max((parcel.arrives_until or date.min for parcel in plan.parcels), default=date.min)
    return last > deliver_by.date()


def per_order(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return what one order has on average, and which share of promises is kept (1 when nothing was promised)."""
    orders, promised = figures["orders"] or 1, figures["promised"]
    return {
        "cost": figures["cost"] / orders,
        "parcels": figures["parcels"] / orders,
        "km": figures["km"] / orders,
        "kept": 1 - figures["late"] / promised if promised else 1.0,
    }
