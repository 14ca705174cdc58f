"""One order's way, read off one table.

A run takes a batch of messages in one transaction: every order walks the steps below as far as it can. Rows are the
queue between runs, so each step may be repeated and nothing is lost with the broker. A message that breaks the batch is
found by halving and put aside after five tries; the others go on.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit.rules.actors import PIPELINE
from audit.rules.sentences import say
from audit.services import cases
from audit.services.transactions import atomic_with_retry
from channels.models import InboundMessage
from channels.services import inbox
from orders.services import allocation, gifts, intake, parcel_facts, pricing, release
from orders.services.batch import Batch, Work
from orders.statuses import FulfillmentStatus, HoldKind, MoneyState

logger = logging.getLogger(__name__)
BATCH_SIZE = 200
MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Step:
    """One stage: which orders it takes and what it does with them."""

    name: str
    takes: Callable[[Batch, Work], bool]
    run: Callable[[Batch, Sequence[Work]], None]


def _may_go_on(work: Work) -> bool:
    return not work.holds and work.order.cancelled_at is None


def may_reserve(work: Work) -> bool:
    """Goods are set aside while the channel says wait, a refund is undecided or a gift is gone; under no other hold."""
    return set(work.holds) <= {HoldKind.CHANNEL, HoldKind.REFUND, HoldKind.GIFT} and work.order.cancelled_at is None


def _is_unpriced(_batch: Batch, work: Work) -> bool:
    """Orders that wait, and cancelled ones, have a price too: people and refunds need it."""
    return not work.is_priced


def _lacks_units(work: Work) -> bool:
    return any(line.quantity_allocated < line.quantity for line in work.live_lines())


def _is_unallocated(batch: Batch, work: Work) -> bool:
    """Paid orders get stock; unpaid ones within the channel's term, which a hold prolongs."""
    order = work.order
    in_term = order.reserved_until is not None and (order.reserved_until > batch.at or bool(work.holds))
    return (
        may_reserve(work)
        and work.is_priced
        and (order.money_state == MoneyState.PAID or in_term)
        and _lacks_units(work)
    )


def _is_releasable(batch: Batch, work: Work) -> bool:
    """An order goes as a whole, when none of its parcels waits for a better plan any more."""
    planned = [parcel for parcel in work.live_parcels() if parcel.status == FulfillmentStatus.PLANNED]
    return (
        _may_go_on(work)
        and work.order.money_state == MoneyState.PAID
        and not _lacks_units(work)
        and bool(planned)
        and all(parcel.release_after is None or parcel.release_after <= batch.at for parcel in planned)
    )


# inbox ─► intake ─► pricing ─► allocation ─► gifts ─► release ─► (people, nodes, carriers) pick, pack, ship, deliver
STEPS = (
    Step("pricing", takes=_is_unpriced, run=pricing.price),
    Step("allocation", takes=_is_unallocated, run=allocation.allocate),
    Step("gifts", takes=gifts.is_lacking, run=gifts.let_go),
    Step("release", takes=_is_releasable, run=release.release),
)


def walk(batch: Batch) -> None:
    """Take every order of the batch through the steps, as far as each may go."""
    for step in STEPS:
        works = [work for work in batch.works if step.takes(batch, work)]
        if works:
            step.run(batch, works)


@dataclass
class Totals:
    """What a drain did."""

    messages: int = 0
    parked: int = 0
    batches: int = 0


def drain(
    *,
    batch_size: int = BATCH_SIZE,
    at: Callable[[], datetime] = timezone.now,
    message_ids: Sequence[int] | None = None,
    max_batches: int | None = None,
) -> Totals:
    """Work off the inbox (or only these messages) batch by batch until nothing is left that can be taken now."""
    totals = Totals()
    while max_batches is None or totals.batches < max_batches:
        taken, parked = run(batch_size=batch_size, at=at(), message_ids=message_ids)
        if not taken:
            break
        totals.messages += taken
        totals.parked += parked
        totals.batches += 1
    return totals


def run(*, batch_size: int, at: datetime, message_ids: Sequence[int] | None = None) -> tuple[int, int]:
    """Work off one batch of messages; returns how many were taken and how many of them had to be put aside."""
    claimed: list[int] = []
    try:
        _run_once(batch_size, message_ids, at, claimed)
    except Exception:
        if not claimed:
            raise
        logger.exception("a batch of %s messages failed and is halved", len(claimed))
        return len(claimed), _isolate(claimed, at)
    return len(claimed), 0


@atomic_with_retry
def _run_once(limit: int, message_ids: Sequence[int] | None, at: datetime, claimed: list[int]) -> None:
    """Take and finish one batch in one transaction; repeated whole when it meets another worker."""
    messages = _of_one_family(inbox.claim(limit, message_ids=message_ids))
    claimed[:] = [message.pk for message in messages]
    if messages:
        _work_off(messages, at)


def _of_one_family(messages: Sequence[InboundMessage]) -> Sequence[InboundMessage]:
    """Return what is of the oldest one's family: what channels say of orders, or nodes and carriers of parcels."""
    about_parcels = bool(messages) and messages[0].kind in parcel_facts.KINDS
    return [message for message in messages if (message.kind in parcel_facts.KINDS) == about_parcels]


def _work_off(messages: Sequence[InboundMessage], at: datetime) -> None:
    if messages[0].kind in parcel_facts.KINDS:
        parcel_facts.work_off(messages, at=at)
        return
    batch = Batch(at=at, actor=PIPELINE)
    intake.take_in(batch, messages)
    walk(batch)
    batch.write()


def _isolate(message_ids: Sequence[int], at: datetime) -> int:
    """Find the messages that break a batch by halving; the rest is worked off. Returns how many were put aside."""
    if len(message_ids) == 1:
        return _try_alone(message_ids[0], at)
    middle = len(message_ids) // 2
    return sum(_try_half(half, at) for half in (message_ids[:middle], message_ids[middle:]))


def _try_half(message_ids: Sequence[int], at: datetime) -> int:
    try:
        _run_once(len(message_ids), message_ids, at, [])
    except Exception:
        return _isolate(message_ids, at)
    return 0


def _try_alone(message_id: int, at: datetime) -> int:
    """Try one message by itself up to the limit, then put it aside with the error and open a case."""
    error = ""
    for _attempt in range(MAX_ATTEMPTS):
        inbox.count_attempt([message_id])
        try:
            _run_once(1, [message_id], at, [])
            return 0
        except Exception as trouble:
            logger.exception("message %s failed alone", message_id)
            error = f"{type(trouble).__name__}: {trouble}"[:300]
    reason = say("The hub could not work with this message: %(error)s", error=error)
    with transaction.atomic():
        inbox.park([message_id], code="poisoned", reason=reason, at=at)
        message = InboundMessage.objects.select_related("channel").get(pk=message_id)
        trouble_case = cases.Trouble(
            kind="poisoned_message",
            subject=f"{message.channel.code}/{message.external_id}",
            why=reason,
            suggestion=say("Look at the payload, mend the cause, then choose “Try again” in the inbox."),
            subject_url=f"/admin/channels/inboundmessage/{message_id}/change/",
        )
        cases.open_cases([trouble_case], at=at)
    return 1
