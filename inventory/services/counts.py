"""Counting blind: nobody who counts sees what is expected; above a limit another person counts again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import CountLine, StockCount
from inventory.queries.risk import Risk
from inventory.rules.counting import Limits, needs_recount
from inventory.services import movements, refusals
from inventory.services.levels import lock_levels
from inventory.statuses import CountLineStatus, CountStatus, MovementKind


@transaction.atomic
def begin(count: StockCount, *, risks: Sequence[Risk], actor: Actor, at: datetime) -> StockCount:
    """Begin a count of these SKUs, in the order of their risk. The same number is the same count.

    Raises ``RowsRefused`` when there is nothing to count or a SKU is being counted at the node already.
    """
    known = StockCount.objects.filter(number=count.number).first()
    if known:
        return known
    if not risks:
        raise refusals.refuse(say("There is nothing to count."))
    busy = set(
        CountLine.objects.filter(count__node=count.node_id, count__status=CountStatus.OPEN).values_list(
            "sku", flat=True
        )
    )
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(number, say("%(sku)s is being counted already.", sku=risk.sku_code))
            for number, risk in enumerate(risks, start=1)
            if risk.sku_id in busy
        ]
    )
    count.opened_at, count.opened_by = at, actor.label[:80]
    count.save()
    CountLine.objects.bulk_create(
        CountLine(count=count, sku_id=risk.sku_id, rank=rank, value_at_risk=risk.value)
        for rank, risk in enumerate(risks, start=1)
    )
    return count


@transaction.atomic
def tell(count_id: int, *, units: Mapping[int, int], actor: Actor, at: datetime) -> list[CountLine]:
    """Write down what somebody counted (SKU id → units); returns the lines that another person must count again.

    What the hub expects is read now, under the level's lock, so that stock may go on moving afterwards. Raises
    ``RowsRefused``, having kept nothing, with every row that is negative, not in the count, counted already, or
    counted again by the same person.
    """
    count = _lock(count_id)
    lines = {line.sku_id: line for line in count.lines.select_related("sku", "count").filter(sku__in=units)}
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(number, why)
            for number, (sku_id, counted) in enumerate(units.items(), start=1)
            if (why := _why_not(lines.get(sku_id), counted, actor))
        ]
    )
    levels = lock_levels({(sku_id, count.node_id) for sku_id in units})
    limits = Limits(count.limit_percent, count.limit_value)
    for sku_id, counted in units.items():
        level = levels.get((sku_id, count.node_id))
        lines[sku_id].counted_by, lines[sku_id].counted_at = actor.label[:80], at
        _tell_line(lines[sku_id], level.on_hand if level else 0, counted, limits)
    CountLine.objects.bulk_update(
        lines.values(),
        ["status", "expected", "counted", "counted_by", "counted_at",
         "first_expected", "first_counted", "first_counted_by"],
    )  # fmt: skip
    return [line for line in lines.values() if line.status == CountLineStatus.RECOUNT]


@transaction.atomic
def apply(count_id: int, *, actor: Actor, at: datetime) -> int:
    """Correct stock by the variances that were counted; returns how many levels were wrong. Applied once.

    Raises ``RowsRefused``, having changed nothing, when lines still wait for a count, or when fewer units were found
    than are reserved or held: stop parcels or decide on holds first.
    """
    count = _lock(count_id)
    if count.status == CountStatus.APPLIED:
        return 0
    lines = list(count.lines.select_related("sku").order_by("rank", "pk"))
    _refuse_unfinished(count, lines)
    wrong = [line for line in lines if line.variance]
    try:
        movements.record(
            [
                movements.Movement(
                    key=f"count:{count.number}:{line.pk}",
                    sku_id=line.sku_id,
                    node_id=count.node_id,
                    kind=MovementKind.COUNT,
                    quantity=line.variance or 0,
                    reference=count.number,
                    reason=f"{line.counted} ≠ {line.expected} ({line.counted_by})"[:200],
                )
                for line in wrong
            ],
            actor=actor,
            at=at,
        )
    except movements.NotEnoughOnHand as error:
        short = {sku_id for sku_id, _node_id in error.levels}
        raise refusals.RowsRefused([_promised(line) for line in lines if line.sku_id in short]) from error
    _close(count, CountStatus.APPLIED, actor, at)
    return len(wrong)


@transaction.atomic
def cancel(count_id: int, *, actor: Actor, at: datetime) -> None:
    """Give a count up; nothing is corrected. Raises ``RowsRefused`` for one that is over."""
    count = _lock(count_id)
    if count.status != CountStatus.OPEN:
        raise refusals.refuse(say("Count %(number)s is over.", number=count.number))
    _close(count, CountStatus.CANCELLED, actor, at)


def _lock(count_id: int) -> StockCount:
    return StockCount.objects.select_for_update(no_key=True).get(pk=count_id)


def _close(count: StockCount, status: CountStatus, actor: Actor, at: datetime) -> None:
    count.status, count.closed_at, count.closed_by = status, at, actor.label[:80]
    count.save(update_fields=["status", "closed_at", "closed_by"])


def _why_not(line: CountLine | None, counted: int, actor: Actor) -> Sentence | None:
    if line is None:
        return say("The SKU is not in this count.")
    if line.count.status != CountStatus.OPEN:
        return say("Count %(number)s is over.", number=line.count.number)
    if counted < 0:
        return say("Nobody can count less than nothing.")
    if line.status == CountLineStatus.SETTLED:
        return say("%(sku)s is counted already.", sku=line.sku.code)
    if line.status == CountLineStatus.RECOUNT and line.first_counted_by == actor.label[:80]:
        return say("%(sku)s must be counted again by another person.", sku=line.sku.code)
    return None


def _tell_line(line: CountLine, expected: int, counted: int, limits: Limits) -> None:
    """Settle the line, or keep a first count beside it and ask for a second; the second one counts."""
    is_first = line.status == CountLineStatus.OPEN
    line.expected, line.counted = expected, counted
    too_far = needs_recount(expected=expected, counted=counted, unit_cost=line.sku.unit_cost, limits=limits)
    if is_first and too_far:
        line.first_expected, line.first_counted, line.first_counted_by = expected, counted, line.counted_by
        line.status = CountLineStatus.RECOUNT
    else:
        line.status = CountLineStatus.SETTLED


def _refuse_unfinished(count: StockCount, lines: Sequence[CountLine]) -> None:
    if count.status == CountStatus.CANCELLED:
        raise refusals.refuse(say("Count %(number)s is over.", number=count.number))
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(
                line.rank,
                say("%(sku)s must be counted again by another person.", sku=line.sku.code)
                if line.status == CountLineStatus.RECOUNT
                else say("%(sku)s is not counted yet.", sku=line.sku.code),
            )
            for line in lines
            if line.status != CountLineStatus.SETTLED
        ]
    )


def _promised(line: CountLine) -> refusals.RefusedRow:
    return refusals.RefusedRow(
        line.rank,
        say(
            "%(sku)s: %(counted)s were found, but more are reserved or held. Stop parcels or decide on holds first.",
            sku=line.sku.code,
            counted=line.counted or 0,
        ),
    )
