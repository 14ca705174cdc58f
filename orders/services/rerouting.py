"""Routing again: a node had a parcel, or was meant to have it, and does not send it.

The parcel is taken back, its units and its room are free, the node's failure is remembered, and the order is planned
again in the same transaction. It never goes back to a node that failed it: the planner passes over nodes that attempts
name until a person forgives them. After ``ROUTING_MOST_FAILURES`` failures no machine tries any more: the order is
held with what was tried. So every chain of failures ends after so many steps, or with the nodes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services.transactions import atomic_with_retry
from inventory.models import Node
from inventory.services import reservations
from orders.models import Fulfillment, RoutingAttempt
from orders.queries import attempts
from orders.queries.attempts import Tried
from orders.services import allocation, cancellation, gifts, recalling, release
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.statuses import AttemptOutcome, EventKind, FulfillmentStatus, HoldKind, MoneyState, RoutingKind

ORDERS_AT_ONCE: Final = 100
NOT_BEGUN: Final = (FulfillmentStatus.PLANNED, FulfillmentStatus.RELEASED)
PLANS_UNDER: Final = {HoldKind.CHANNEL, HoldKind.REFUND, HoldKind.GIFT}  # as pipeline: goods are set aside meanwhile
FORGIVE: Final = say("Let one of these nodes try again on the order's page, move stock, or cancel the order.")
# Those whose node does not know yet that it must not send the parcel.
TELLS_NODE: Final = (AttemptOutcome.TIMED_OUT, AttemptOutcome.NODE_DOWN, AttemptOutcome.CARRIER_STOPPED)
SAYS: Final[Mapping[str, Sentence]] = {
    AttemptOutcome.REJECTED: say("%(node)s does not send parcel %(number)s: %(reason)s"),
    AttemptOutcome.TIMED_OUT: say("%(node)s did not begin parcel %(number)s in time: %(reason)s"),
    AttemptOutcome.SHORT_PICK: say("%(node)s did not find all of parcel %(number)s: %(reason)s"),
    AttemptOutcome.STOCK_GONE: say("The stock for parcel %(number)s is gone at %(node)s: %(reason)s"),
    AttemptOutcome.NODE_DOWN: say("%(node)s is down and cannot send parcel %(number)s: %(reason)s"),
    AttemptOutcome.CARRIER_STOPPED: say("No carrier takes parcel %(number)s from %(node)s: %(reason)s"),
}
PLANNED_AGAIN: Final = say("Parcel %(number)s from %(node)s is planned again: %(reason)s")


@dataclass(frozen=True)
class Failure:
    """Why parcels are not sent by their nodes; without an ``outcome`` no node failed, the plan is only made anew."""

    outcome: AttemptOutcome | None
    reason: str


@dataclass
class Rerouted:
    """Order numbers by what came of planning them again."""

    complete: list[str] = field(default_factory=list)  # other nodes send everything
    lacking: list[str] = field(default_factory=list)  # some of it waits for stock or for a person
    refused: dict[str, Sentence] = field(default_factory=dict)  # parcel number → why it was left where it is


@dataclass(frozen=True)
class _Failed:
    """One order with the parcels that are taken back, and what the whole order cost before."""

    work: Work
    parcels: tuple[Fulfillment, ...]
    cost_before: Decimal | None

    @property
    def was_released(self) -> bool:
        return any(parcel.released_at for parcel in self.parcels)


def again(batch: Batch, parcels: Sequence[tuple[Work, Fulfillment]], failure: Failure) -> None:
    """Take these parcels of a batch back and plan their orders again, as far as they may be.

    The caller has set them to cancelled. Nodes that had a parcel and failed are remembered and trusted less. An order
    whose cancellation was asked for is cancelled with its last parcel; one that a person holds is only taken back.
    """
    failed = _by_order(parcels)
    if not failed:
        return
    nodes = _node_codes(entry.parcels for entry in failed)
    reservations.release([parcel.number for _work, parcel in parcels], at=batch.at)
    allocation.give_room_back([parcel for _work, parcel in parcels])
    _remember(batch, failed, failure)
    for entry in failed:
        allocation.count_allocated(batch, entry.work)
        for parcel in entry.parcels:
            words = SAYS[failure.outcome] if failure.outcome else PLANNED_AGAIN
            batch.tell(entry.work, EventKind.CHANGED, _filled(words, nodes[parcel.node_id], parcel, failure))
    if failure.outcome in TELLS_NODE:
        recalling.recall(batch, [parcel for _work, parcel in parcels], reason=failure.reason)
    tried = attempts.of_orders([entry.work.order.pk for entry in failed])
    going = [entry for entry in failed if _may_plan(batch, entry, failure, tried)]
    _plan(batch, going, failure, nodes, tried)


@atomic_with_retry
def reroute(
    parcel_ids: Collection[int],
    failure: Failure,
    *,
    actor: Actor,
    at: datetime,
    still: Callable[[Fulfillment], bool] = lambda _parcel: True,
) -> Rerouted:
    """Take parcels that nobody has begun back from their nodes and plan their orders again.

    With a parcel go the other planned ones of its order, so that the rest is planned as a whole. ``still`` is asked
    again under the lock. Parcels that are further, and those of orders that may not be planned now, stay and say why.
    """
    order_ids = Fulfillment.objects.filter(pk__in=list(parcel_ids)).values_list("order_id", flat=True)
    batch = batches.load(set(order_ids), at=at, actor=actor)
    wanted, outcome = set(parcel_ids), Rerouted()
    going: list[tuple[Work, Fulfillment]] = []
    for work in batch.works:
        named = [parcel for parcel in work.parcels if parcel.pk in wanted]
        if why_not := _why_not(batch, work, named, still):
            outcome.refused.update(dict.fromkeys((parcel.number for parcel in named), why_not))
            continue
        going.extend((work, parcel) for parcel in _taken_back(work, named))
    for _work, parcel in going:
        parcel.status = FulfillmentStatus.CANCELLED
        batch.parcel_changed(parcel)
    again(batch, going, failure)
    batch.write()
    for work in {id(work): work for work, _parcel in going}.values():
        (outcome.lacking if _lacks_units(work) else outcome.complete).append(work.order.number)
    return outcome


def in_pieces(
    parcels: Sequence[tuple[int, int]],
    failure: Failure,
    *,
    actor: Actor,
    at: datetime,
    still: Callable[[Fulfillment], bool] = lambda _parcel: True,
) -> int:
    """Reroute (parcel id, order id) a hundred orders at a time, each piece a transaction; returns the orders moved."""
    by_order: dict[int, list[int]] = {}
    for parcel_id, order_id in parcels:
        by_order.setdefault(order_id, []).append(parcel_id)
    order_ids = sorted(by_order)
    count = 0
    for start in range(0, len(order_ids), ORDERS_AT_ONCE):
        ids = [pk for order_id in order_ids[start : start + ORDERS_AT_ONCE] for pk in by_order[order_id]]
        moved = reroute(ids, failure, actor=actor, at=at, still=still)
        count += len(moved.complete) + len(moved.lacking)
    return count


@transaction.atomic
def forgive(attempt_ids: Collection[int], *, actor: Actor, at: datetime) -> int:
    """Let orders go to nodes again that failed them; plans nothing. Returns how many failures are forgiven."""
    open_attempts = RoutingAttempt.objects.filter(pk__in=list(attempt_ids), forgiven_at__isnull=True)
    return open_attempts.update(forgiven_at=at, forgiven_by=actor.label[:80])


def _by_order(parcels: Sequence[tuple[Work, Fulfillment]]) -> list[_Failed]:
    works: dict[int, tuple[Work, list[Fulfillment]]] = {}
    for work, parcel in parcels:
        works.setdefault(work.order.pk, (work, []))[1].append(parcel)
    return [_Failed(work, tuple(taken), _cost_of([*work.live_parcels(), *taken])) for work, taken in works.values()]


def _filled(words: Sentence, node: str, parcel: Fulfillment, failure: Failure) -> Sentence:
    return Sentence(words.text, {"node": node, "number": parcel.number, "reason": failure.reason[:150] or "–"})


def _cost_of(parcels: Sequence[Fulfillment]) -> Decimal | None:
    """Return what parcels were planned to cost; None where a plan kept no figure."""
    costs = [parcel.planned_cost for parcel in parcels]
    return None if not costs or None in costs else sum((Decimal(cost) for cost in costs if cost), Decimal(0))


def _remember(batch: Batch, failed: Sequence[_Failed], failure: Failure) -> None:
    """Keep that nodes failed parcels they had; a parcel that was only planned was never theirs."""
    if failure.outcome is None:
        return
    had = [(entry, parcel) for entry in failed for parcel in entry.parcels if parcel.released_at]
    fresh = [
        RoutingAttempt(
            order=entry.work.order,
            node_id=parcel.node_id,
            parcel_number=parcel.number,
            outcome=failure.outcome,
            reason=failure.reason[:200],
            happened_at=batch.at,
            told_by=batch.actor.label[:80],
        )
        for entry, parcel in had
    ]
    RoutingAttempt.objects.bulk_create(fresh, ignore_conflicts=True)
    batch.node_deeds.extend((parcel.node_id, str(failure.outcome)) for _entry, parcel in had)


def _may_plan(batch: Batch, entry: _Failed, failure: Failure, tried: Mapping[int, Tried]) -> bool:
    """Return whether an order is planned again now; if not, leave it where a person finds it."""
    work = entry.work
    if work.order.cancelled_at:
        return False
    if HoldKind.CANCEL_REQUESTED in work.holds:
        if not work.is_at_a_node():
            cancellation.apply(batch, work, at=batch.at, reason=failure.reason)
        return False
    if not set(work.holds) <= PLANS_UNDER:
        return False
    behind = tried.get(work.order.pk, Tried())
    if failure.outcome and behind.count >= settings.ROUTING_MOST_FAILURES:
        why = say(
            "%(count)s nodes in a row did not send it: %(nodes)s. The last one said: %(reason)s",
            count=behind.count, nodes=", ".join(behind.node_codes), reason=failure.reason[:150] or "–",
        )  # fmt: skip
        batch.hold(work, HoldKind.NO_NODE, why, FORGIVE)
        return False
    return True


def _plan(
    batch: Batch, going: Sequence[_Failed], failure: Failure, nodes: Mapping[int, str], tried: Mapping[int, Tried]
) -> None:
    """Reserve and route again, give the new parcels to their nodes, and say what came of it."""
    if not going:
        return
    works = [entry.work for entry in going if _lacks_units(entry.work)]
    known = len(batch.decisions), len(batch.troubles)
    allocation.allocate(batch, works)
    gifts.let_go(batch, [work for work in works if gifts.is_lacking(batch, work)])
    _explain(batch, known[0], going, failure, nodes)
    _say_what_was_tried(batch, known[1], tried)
    ready = [entry.work for entry in going if _is_releasable(batch, entry)]
    if ready:
        release.release(batch, ready)


def _explain(batch: Batch, since: int, going: Sequence[_Failed], failure: Failure, nodes: Mapping[int, str]) -> None:
    """Add to the decisions why they were made again, and what the whole order costs before and after."""
    by_order = {entry.work.order.pk: entry for entry in going}
    for decision in batch.decisions[since:]:
        entry = by_order[decision.order.pk]
        after = _cost_of(entry.work.live_parcels())
        decision.kind = RoutingKind.REROUTE
        decision.decided_by, decision.reason = batch.actor.label[:80], failure.reason[:200]
        decision.explanation = decision.explanation | {
            "again": {
                "outcome": failure.outcome or "",
                "parcels": [[parcel.number, nodes[parcel.node_id]] for parcel in entry.parcels],
                "cost_before": _written(entry.cost_before),
                "cost_after": _written(after),
            }
        }


def _say_what_was_tried(batch: Batch, since: int, tried: Mapping[int, Tried]) -> None:
    """Let the cases of orders that nobody can send now say which nodes have failed them."""
    codes = {work.order.number: tried[work.order.pk].node_codes for work in batch.works if work.order.pk in tried}
    for place in range(since, len(batch.troubles)):
        trouble = batch.troubles[place]
        if trouble.subject in codes:
            why = say("%(why)s Tried in vain: %(nodes)s.", why=trouble.why, nodes=", ".join(codes[trouble.subject]))
            batch.troubles[place] = type(trouble)(trouble.kind, trouble.subject, why, FORGIVE, trouble.subject_url)


def _is_releasable(batch: Batch, entry: _Failed) -> bool:
    """A node that failed has cost time: what it had is released at once, what was planned only when it is due."""
    work = entry.work
    planned = [parcel for parcel in work.live_parcels() if parcel.status == FulfillmentStatus.PLANNED]
    is_due = entry.was_released or all(p.release_after is None or p.release_after <= batch.at for p in planned)
    return (
        bool(planned)
        and is_due
        and not work.holds
        and work.order.cancelled_at is None
        and work.order.money_state == MoneyState.PAID
        and not _lacks_units(work)
    )


def _lacks_units(work: Work) -> bool:
    return any(line.quantity_allocated < line.quantity for line in work.live_lines())


def _why_not(
    batch: Batch, work: Work, named: Sequence[Fulfillment], still: Callable[[Fulfillment], bool]
) -> Sentence | None:
    """Return why an order's parcels stay where they are."""
    if not all(parcel.status in NOT_BEGUN and still(parcel) for parcel in named):
        return say("The parcel is further already.")
    if work.order.cancelled_at or not set(work.holds) <= PLANS_UNDER:
        return say("The order is on hold or cancelled: it is not planned again now.")
    order = work.order
    if order.money_state != MoneyState.PAID and (order.reserved_until is None or order.reserved_until <= batch.at):
        return say("The order is not paid and its term is over.")
    return None


def _taken_back(work: Work, named: Sequence[Fulfillment]) -> list[Fulfillment]:
    chosen = {id(parcel) for parcel in named}
    return [
        parcel for parcel in work.live_parcels() if id(parcel) in chosen or parcel.status == FulfillmentStatus.PLANNED
    ]


def _node_codes(parcels: Iterable[Sequence[Fulfillment]]) -> dict[int, str]:
    ids = {parcel.node_id for some in parcels for parcel in some}
    return dict(Node.objects.filter(pk__in=ids).values_list("pk", "code"))


def _written(cost: Decimal | None) -> str | None:
    return None if cost is None else str(cost)
