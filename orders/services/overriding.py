"""A person chooses other nodes than the router: what each choice costs, and carrying it out with a reason.

The choices are made by the production planner on today's stock, with what the order's own planned parcels hold counted
as free. Carrying one out goes the way of every plan: reserved under locks, or refused and nothing is changed.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services.transactions import atomic_with_retry
from inventory.models import Node
from orders.models import Fulfillment, Order
from orders.rules.routing.facts import Demand, NodeFacts
from orders.rules.routing.planner import Planner
from orders.rules.routing.plans import Plan
from orders.services import allocation, pipeline, planning
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.services.routing_records import Inputs
from orders.statuses import FulfillmentStatus, RoutingKind


@dataclass(frozen=True)
class Option:
    """What sending an order from one node alone, or by the router's own plan, would mean. Yuan, kilometres."""

    nodes: tuple[str, ...]
    node_ids: tuple[int, ...]
    cost: float
    more: float  # than the router's plan
    parcels: int
    units_missing: int
    km: float
    arrives: tuple[str, str]
    verdict: str  # of the node, as candidates have it; "plan" for the router's own


class Refused(Exception):
    """A choice that cannot be carried out; nothing was changed."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(str(why))
        self.why = why


def options(order: Order, *, at: datetime, actor: Actor) -> list[Option]:
    """Return the router's plan first, then each node by itself: those that send most, then the cheapest.

    Empty for an order of which a node has something already. Locks and writes nothing.
    """
    batch, work = _unlocked(order, at, actor)
    if why_not(work) is not None:
        return []
    own = work.live_parcels()
    for parcel in own:
        parcel.status = FulfillmentStatus.CANCELLED  # in memory only: they are planned anew
    inputs = _with_units_of(planning.inputs_of(batch, [work]), work, own)
    demand = inputs.demands[0]
    if not demand.items:
        return []
    best = _option(_planned(inputs, demand), None, 0.0)
    alone = [
        _option(_planned(inputs, replace(demand, nodes=frozenset({node.node_id}), refused_by=frozenset())),
                node, best.cost)
        for node in inputs.situation.nodes
    ]  # fmt: skip
    return [best, *sorted(alone, key=lambda one: (one.units_missing, one.cost, one.nodes))]


@atomic_with_retry
def choose(order_id: int, node_ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> list[str]:
    """Send an order from these nodes only; returns its new parcels' numbers. The decision keeps who, why and the cost.

    Raises ``Refused`` when a node has something of it already, when it may not be planned now, or when these nodes
    cannot send all that is planned today; then nothing is changed.
    """
    batch = batches.load([order_id], at=at, actor=actor)
    if not batch.works:
        raise Refused(say("There is no such order."))
    [work] = batch.works
    if refusal := why_not(work):
        raise Refused(refusal)
    if not reason.strip():
        raise Refused(say("Say why: the reason is kept with the decision."))
    before = _missing(work)
    plan_cost = sum(parcel.planned_cost or 0 for parcel in work.live_parcels())
    kept = len(work.parcels)
    allocation.undo(batch, [work])
    batch.only_nodes[work.order.number] = frozenset(node_ids)
    pipeline.walk(batch)
    if _missing(work) > before or not work.parcels[kept:]:
        raise Refused(say("These nodes cannot send all of it now: nothing was changed."))
    cost = sum(parcel.planned_cost or 0 for parcel in work.live_parcels())
    for decision in batch.decisions:
        decision.kind, decision.decided_by, decision.reason = RoutingKind.OVERRIDE, actor.label[:80], reason[:200]
        decision.explanation = decision.explanation | {
            "chosen": {"cost_plan": str(plan_cost), "cost": str(cost), "more": str(cost - plan_cost)}
        }
    batch.write()
    return [parcel.number for parcel in work.live_parcels()]


def why_not(work: Work) -> Sentence | None:
    """Return why nobody can choose nodes for an order now."""
    if work.order.cancelled_at:
        return say("The order is cancelled.")
    if work.is_at_a_node():
        return say("A node has the parcel already: reject it there, then other nodes get it.")
    if not pipeline.may_reserve(work):
        return say("The order is on hold: lift the hold first.")
    return None


def codes_of(node_ids: Sequence[int]) -> list[str]:
    """Return the nodes' codes."""
    return list(Node.objects.filter(pk__in=list(node_ids)).order_by("code").values_list("code", flat=True))


def _unlocked(order: Order, at: datetime, actor: Actor) -> tuple[Batch, Work]:
    batch = Batch(at=at, actor=actor)
    batch.channels = {order.channel_id: order.channel}
    batch.works = batches.works_of([order])
    batch.learn_parts()
    return batch, batch.works[0]


def _with_units_of(inputs: Inputs, work: Work, parcels: Sequence[Fulfillment]) -> Inputs:
    """Count what these parcels hold as free."""
    own = {parcel.pk for parcel in parcels}
    stock = {sku_id: dict(levels) for sku_id, levels in inputs.stock.items()}
    for content in work.contents:
        if content.fulfillment_id in own:
            level = stock.setdefault(content.sku_id, {})
            node_id = content.fulfillment.node_id
            level[node_id] = level.get(node_id, 0) + content.quantity
    return replace(inputs, stock=stock)


def _planned(inputs: Inputs, demand: Demand) -> Plan:
    planner = Planner(inputs.situation, copy.deepcopy(inputs.stock), copy.deepcopy(dict(inputs.shelves or {})))
    return planner.plan(demand, inputs.policies[0])


def _option(plan: Plan, node: NodeFacts | None, best: float) -> Option:
    first = plan.parcels[0] if plan.parcels else None
    return Option(
        nodes=tuple(parcel.node_code for parcel in plan.parcels) if node is None else (node.code,),
        node_ids=tuple(parcel.node_id for parcel in plan.parcels) if node is None else (node.node_id,),
        cost=plan.cost,
        more=0.0 if node is None else round(plan.cost - best, 2),
        parcels=len(plan.parcels),
        units_missing=sum(item.quantity for item in plan.missing),
        km=max((parcel.distance_km for parcel in plan.parcels), default=0.0),
        arrives=(str(first.arrives_from or ""), str(first.arrives_until or "")) if first else ("", ""),
        verdict="plan" if node is None else _verdict(plan, node),
    )


def _verdict(plan: Plan, node: NodeFacts) -> str:
    return next((one.verdict for one in plan.candidates if one.node_code == node.code), "")


def _missing(work: Work) -> int:
    return sum(line.quantity - line.quantity_allocated for line in work.live_lines())
