"""What a round of planning together says of itself: both sides, what is proven, and which orders it moved."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from orders.rules.routing.facts import Demand
from orders.rules.routing.joining import Joined
from orders.rules.routing.moves import Move
from orders.rules.routing.optimiser import Answer
from orders.rules.routing.plans import Plan
from orders.services.batch import Work
from orders.services.gathering import Round

MOST_SHOWN: Final = 200  # moves that a run names


@dataclass(frozen=True)
class Made:
    """What became of the changes: those that were made, why sets were left, and how long the round took."""

    moved: Sequence[tuple[Move, Plan]]
    refused: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class _Side:
    """The orders of a round before or after it."""

    cost: float
    parcels: int
    late: int
    km: float

    def stored(self) -> dict[str, float]:
        return {"cost": round(self.cost, 2), "parcels": self.parcels, "late": self.late, "km": round(self.km)}


def of(found: Round, joined: Joined, answer: Answer, made: Made) -> dict[str, Any]:
    """Return a round's result as a run keeps it."""
    changed = {joined.candidates[move.order].demand.reference: (move, plan) for move, plan in made.moved}
    before = [_stood(found.waiting[one.demand.reference].work) for one in joined.candidates]
    after = [
        _goes(changed[one.demand.reference][1], one.demand)
        if one.demand.reference in changed
        else _stood(found.waiting[one.demand.reference].work)
        for one in joined.candidates
    ]
    cost = sum(wish.cost(wish.kept or ()) for wish in joined.joint.wishes)
    codes = {node.node_id: node.code for node in joined.nodes}
    return {
        "before": _side(cost, before).stored(),
        "after": _side(cost - sum(move.saving for move, _plan in made.moved), after).stored(),
        "best": round(answer.cost, 2),  # if every change were made, however little it saves
        "bound": round(answer.bound, 2),
        "gap": round(answer.gap, 5),
        "how": answer.how,
        "seconds": round(answer.seconds, 2),
        "moved": len(made.moved),
        "moves": [
            [
                name,
                sorted(codes[node_id] for node_id in joined.shares(move.order, move.before)),
                sorted(parcel.node_code for parcel in plan.parcels),
                round(move.saving, 2),
            ]
            for name, (move, plan) in sorted(changed.items(), key=lambda item: (-item[1][0].saving, item[0]))[
                :MOST_SHOWN
            ]
        ],
        "refused": dict(made.refused),
        "left_out": dict(Counter(joined.left_out.values())),
    }


def _stood(work: Work) -> tuple[int, bool, float]:
    """Return an order's parcels, whether it comes late, and its kilometres, as planned before."""
    live = work.live_parcels()
    due = work.order.deliver_by
    comes = [parcel.arrives_until for parcel in live if parcel.arrives_until]
    late = due is not None and bool(comes) and max(comes) > timezone.localdate(due)
    return len(live), late, sum(parcel.distance_km or 0.0 for parcel in live)


def _goes(plan: Plan, demand: Demand) -> tuple[int, bool, float]:
    """Return the same of a new plan."""
    comes = [parcel.arrives_until for parcel in plan.parcels if parcel.arrives_until]
    late = demand.deliver_by is not None and bool(comes) and max(comes) > timezone.localdate(demand.deliver_by)
    return len(plan.parcels), late, sum(parcel.distance_km for parcel in plan.parcels)


def _side(cost: float, orders: Sequence[tuple[int, bool, float]]) -> _Side:
    return _Side(
        cost=cost,
        parcels=sum(parcels for parcels, _late, _km in orders),
        late=sum(late for _parcels, late, _km in orders),
        km=sum(km for _parcels, _late, km in orders),
    )
