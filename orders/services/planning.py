"""What allocation asks before it claims anything: which nodes shall send what of each order, and why.

Reads one moment's situation, decides by the policy that acts on each order, and keeps what it was told as a run. Orders
are decided by priority: what the channel, the buyer's tier and the promise say, then who paid for express.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from channels import queries as channel_queries
from inventory.queries import lots, promise, shares
from inventory.rules.lots import Needs
from inventory.rules.shares import Shared
from inventory.services import presales
from orders.models import Customer, Fulfillment, RoutingRun
from orders.queries import attempts
from orders.rules import demand as wishes
from orders.rules import sharing
from orders.rules.routing.candidates import Reaches
from orders.rules.routing.facts import Demand, NodeFacts, Situation
from orders.rules.routing.planner import by_priority
from orders.rules.routing.plans import Plan
from orders.rules.routing.policy import PublishedPolicy
from orders.rules.routing.promising import leaves_after
from orders.services import acting, routing_records, situations
from orders.services.batch import Batch, Work
from orders.services.routing_records import Inputs
from orders.statuses import DeliveryMethod, FulfillmentStatus

BEFORE_CUT_OFF: Final = timedelta(minutes=2)  # a parcel that waits is released so long before its node's cut-off
MOST_LANES: Final = 40_000  # ways from a node to a destination that a process remembers
_LASTING: Final = attrgetter(*(one.name for one in fields(NodeFacts) if one.name not in ("parcels_left", "backlog")))


@dataclass(frozen=True)
class Planned:
    """One order's plan, and what it was made of."""

    work: Work
    plan: Plan
    policy: PublishedPolicy
    is_pilot: bool
    run: RoutingRun | None
    beyond_share: int = 0  # of the plan's missing units, those that the channel's share did not have


@dataclass
class _Kept:
    """How the nodes of the rounds before see each destination; the tariffs are held, so that no others get their id."""

    mark: Any = None
    carriers: Any = None
    reaches: Reaches | None = None


_kept: Final = _Kept()


@dataclass(frozen=True)
class _Wish:
    """One order's demand on its way to the planner."""

    work: Work
    channel: str
    demand: Demand


def plan(batch: Batch, works: Sequence[Work]) -> list[Planned]:
    """Return a plan for each order, in the order in which they were decided. Locks nothing but presales' pools."""
    asked = _wishes(batch, works)
    sku_ids = {item.sku_id for wish in asked for item in wish.demand.items}
    needs = lots.needs(sku_ids, timezone.localdate(batch.at))
    cut = sharing.within_shares(_with_lives(asked, needs), _shared(batch, works, sku_ids))
    acts = acting.read()
    arms = [acts.of(wish.work.order.number) for wish in asked]
    inputs = Inputs(
        situation=situations.read(sku_ids, at=batch.at),
        demands=[wanted for wanted, _beyond in cut],
        policies=[policy for policy, _is_pilot in arms],
        stock=promise.promisable(sku_ids),
        shelves=lots.shelves(needs.categories),
    )
    plans, run = _decided(inputs)
    return [
        Planned(
            work=wish.work,
            plan=replace(planned, missing=planned.missing + beyond) if beyond else planned,
            policy=policy,
            is_pilot=is_pilot,
            run=run,
            beyond_share=sum(item.quantity for item in beyond),
        )
        for wish, planned, (_wanted, beyond), (policy, is_pilot) in zip(asked, plans, cut, arms, strict=True)
    ]


def inputs_of(batch: Batch, works: Sequence[Work]) -> Inputs:
    """Return what planning these orders would be told now, but for channels' shares. Locks and writes nothing."""
    asked = _wishes(batch, works)
    sku_ids = {item.sku_id for wish in asked for item in wish.demand.items}
    needs = lots.needs(sku_ids, timezone.localdate(batch.at))
    acts = acting.read()
    return Inputs(
        situation=situations.read(sku_ids, at=batch.at),
        demands=[wanted for _channel, wanted in _with_lives(asked, needs)],
        policies=[acts.of(wish.work.order.number)[0] for wish in asked],
        stock=promise.promisable(sku_ids),
        shelves=lots.shelves(needs.categories),
    )


def release_after(entry: Planned, *, at: datetime) -> datetime | None:
    """Return until when the parcels of an order wait for a better plan; None: they go at once.

    As long as the group says, but never past the cut-off of one of their nodes. Who paid for express never waits.
    """
    group = next((group for group in entry.policy.policy.groups if group.name == entry.plan.group), None)
    if group is None or not group.wait_minutes or entry.work.order.method == DeliveryMethod.EXPRESS:
        return None
    until = at + timedelta(minutes=group.wait_minutes)
    nodes = {node.node_id: node for node in _situation(entry).nodes}
    planned = [p.node_id for p in entry.work.live_parcels() if p.status == FulfillmentStatus.PLANNED]
    for node_id in (*planned, *(parcel.node_id for parcel in entry.plan.parcels)):
        until = min(until, _cut_off(nodes.get(node_id), at) or until)
    return until if until > at else None


def together(work: Work, until: datetime | None) -> list[Fulfillment]:
    """Let all planned parcels of an order wait equally long; returns those that were stored with another time."""
    changed = []
    for parcel in work.live_parcels():
        if parcel.status == FulfillmentStatus.PLANNED and parcel.release_after != until:
            parcel.release_after = until
            changed.append(parcel)
    return changed


def _cut_off(node: NodeFacts | None, at: datetime) -> datetime | None:
    if node is None or node.cut_off_minute is None:
        return None
    return at + timedelta(hours=leaves_after(node, at, 0)) - BEFORE_CUT_OFF


def _situation(entry: Planned) -> Situation:
    if entry.plan.judged is None:
        return Situation(at=entry.work.order.placed_at, nodes=())
    return entry.plan.judged.situation


def _decided(inputs: Inputs) -> tuple[list[Plan], RoutingRun | None]:
    """Decide, and keep what it was decided on unless runs are not to be kept at all."""
    record = routing_records.take(inputs) if settings.ROUTING_RUN_DAYS > 0 else None
    began = time.perf_counter()
    plans = routing_records.decide(inputs, _reaches(inputs))
    milliseconds = (time.perf_counter() - began) * 1000
    return plans, routing_records.run_of(record, milliseconds=milliseconds) if record else None


def _reaches(inputs: Inputs) -> Reaches | None:
    """Return what was worked out of these nodes, tariffs and disruptions in earlier rounds; time is in none of it.

    Nothing is kept for policies that pass over nodes past their cut-off: there the hour decides.
    """
    if any(group.hard.before_cut_off_only for policy in set(inputs.policies) for group in policy.policy.groups):
        return None
    situation = inputs.situation
    mark = id(situation.carriers), situation.disruptions, tuple(map(_LASTING, situation.nodes))
    if mark != _kept.mark or len(_kept.reaches or ()) * len(situation.nodes) > MOST_LANES:
        _kept.mark, _kept.carriers, _kept.reaches = mark, situation.carriers, Reaches(situation)
    return _kept.reaches


def _shared(batch: Batch, works: Sequence[Work], sku_ids: Collection[int]) -> Mapping[int, Shared]:
    """Return what channels' shares leave; what presales promised to these orders before is theirs to reserve now."""
    shared = shares.read(sku_ids)
    if not shared:
        return shared
    presales.lock(shared)
    presales.forget((work.order.number for work in works if not work.is_new), at=batch.at)
    return shares.read(sku_ids)


def _wishes(batch: Batch, works: Sequence[Work]) -> list[_Wish]:
    """Return what each order still wants, first who is served first."""
    serving = channel_queries.nodes_by_channel(work.order.channel_id for work in works)
    tiers = _tiers(works)
    known = [work.order.pk for work in works if work.parcels]
    tried = attempts.of_orders(known) if known else {}
    asked = []
    for work in works:
        order, channel = work.order, batch.channels[work.order.channel_id].code
        behind, tier = tried.get(order.pk, attempts.Tried()), tiers.get(id(work), "")
        chosen = batch.only_nodes.get(order.number)
        wanted = Demand(
            reference=order.number,
            region=order.region,
            city=order.city,
            items=wishes.items_wanted(work.wanted(), batch.parts, work.allocated() if work.parcels else {}),
            nodes=serving.get(order.channel_id) if chosen is None else chosen,
            channel=channel,
            method=order.method,
            priority=order.priority + _rank(tier),
            tier=tier,
            value=float(order.total_amount),
            deliver_by=order.deliver_by,
            refused_by=behind.nodes if chosen is None else frozenset(),  # a person may ask a node again
            attempts=behind.count,
        )
        asked.append(_Wish(work, channel, wanted))
    return asked if batch.is_in_turn else sorted(asked, key=lambda wish: by_priority(wish.demand))


def _tiers(works: Sequence[Work]) -> dict[int, str]:
    """Return the tiers of the buyers who have one, by the works' identity: at most one query."""
    tiers, unknown = {}, {}
    for work in works:
        buyer = work.order._state.fields_cache.get("customer")
        if buyer is not None:
            tiers[id(work)] = buyer.tier
        elif work.order.customer_id is not None:
            unknown[id(work)] = work.order.customer_id
    if unknown:
        rows = Customer.objects.filter(pk__in=set(unknown.values())).exclude(tier="")
        told = dict(rows.values_list("pk", "tier"))
        tiers |= {key: told.get(customer_id, "") for key, customer_id in unknown.items()}
    return tiers


def _rank(tier: str) -> int:
    """Return what a buyer's tier adds to the priority: nothing for tiers that ``ROUTING_TIERS`` does not name."""
    tiers = settings.ROUTING_TIERS
    return len(tiers) - tiers.index(tier) if tier in tiers else 0


def _with_lives(asked: Sequence[_Wish], needs: Needs) -> list[tuple[str, Demand]]:
    """Add how long goods with lots must keep for each demand's channel."""
    return [
        (
            wish.channel,
            replace(wish.demand, lives=lives)
            if (lives := needs.lives(wish.channel, wish.demand.skus))
            else wish.demand,
        )
        for wish in asked
    ]
