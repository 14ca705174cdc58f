"""Holding an order by hand, lifting a hold, and trying an order again after its cause was mended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services.transactions import atomic_with_retry
from orders.services import batch as batches
from orders.services import checks, gifts, intake, pipeline
from orders.services.batch import Batch, Work
from orders.statuses import HoldKind

# Lifted when their cause is gone, never by hand: a platform's own “must not ship” is not ours to overrule.
AUTOMATIC = (HoldKind.ADDRESS, HoldKind.UNKNOWN_SKU, HoldKind.NO_NODE, HoldKind.CHANNEL)


@dataclass
class Tried:
    """What trying again brought: order numbers that went on, and those that still wait."""

    went_on: list[str] = field(default_factory=list)
    still_waiting: list[str] = field(default_factory=list)


@atomic_with_retry
def try_again(order_ids: Sequence[int], *, actor: Actor, at: datetime) -> Tried:
    """Look again at why orders wait (SKU, address, node, stock) and take those that can through the steps."""
    batch = batches.load(order_ids, at=at, actor=actor)
    for work in batch.works:
        _learn_skus(batch, work)
        if work.order.cancelled_at is None:
            checks.check(batch, work)
        batch.lift(work, HoldKind.NO_NODE)
    batch.learn_parts()
    pipeline.walk(batch)
    batch.write()
    tried = Tried()
    for work in batch.works:
        waits = bool(work.holds) or work.is_short
        (tried.still_waiting if waits else tried.went_on).append(work.order.number)
    return tried


@atomic_with_retry
def place(order_ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> int:
    """Hold orders by hand, with the reason the person gave; returns how many were not held by hand before."""
    batch = batches.load(order_ids, at=at, actor=actor)
    open_works = [work for work in batch.works if HoldKind.MANUAL not in work.holds and work.order.cancelled_at is None]
    for work in open_works:
        batch.hold(
            work,
            HoldKind.MANUAL,
            say("%(reason)s", reason=reason[:200] or "–"),
            say("Lift the hold when the reason is gone."),
        )
    batch.write()
    return len(open_works)


@atomic_with_retry
def lift(order_ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Lift the holds that a person may lift (all but those that end by themselves); returns how many orders had one."""
    batch = batches.load(order_ids, at=at, actor=actor)
    count = 0
    for work in batch.works:
        kinds = [kind for kind in work.holds if kind not in AUTOMATIC]
        for kind in kinds:
            batch.lift(work, HoldKind(kind))
        if HoldKind.GIFT in kinds:
            gifts.drop(batch, work)
        count += bool(kinds)
    pipeline.walk(batch)
    batch.write()
    return count


def _learn_skus(batch: Batch, work: Work) -> None:
    """Ask again what the channel's codes mean, for the lines whose SKU was not known."""
    unknown = [line for line in work.lines if line.sku_id is None]
    if not unknown:
        return
    known = intake.sku_ids(work.order.channel_id, [line.external_sku for line in unknown])
    for line in unknown:
        line.sku_id = known.get((work.order.channel_id, line.external_sku))
        batch.line_changed(line)
