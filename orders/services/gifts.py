"""Gifts are lines of their own: reserved, routed and packed with what was bought, and told to no channel.

A gift that is gone when the order is planned is left out while nobody was told of it; one that the order had before
is a promise, so a person decides.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from audit.models import rows
from audit.rules.sentences import say
from orders.models import OrderLine
from orders.services import allocation
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, HoldKind
from promotions.rules.baskets import GiftLine, Outcome, Quote
from promotions.services import limits

WAY_OUT = say("Receive or move the gift, or lift the hold to let the order go without it.")


def bring(batch: Batch, work: Work, quote: Quote, gift_ids: Mapping[str, int]) -> None:
    """Bring an order's gift lines to what its quote says; what a node has already stays as it is."""
    wanted = {_key(gift): gift for gift in quote.gifts}
    have = {line.external_id: line for line in work.our_gifts()}
    if work.is_at_a_node() or not (wanted or have):
        return
    gone = {verdict.code for verdict in quote.verdicts if verdict.outcome is Outcome.NO_STOCK}
    promised = {key: line for key, line in have.items() if key not in wanted and line.promotion_code in gone}
    if promised:
        _wait(batch, work, list(promised.values()))
    before = {key: line.quantity for key, line in have.items()}
    for key, line in have.items():
        if key not in wanted and key not in promised:
            line.is_cancelled = True
            batch.line_changed(line)
    for gift in wanted.values():
        _lay_in(batch, work, gift, gift_ids[gift.sku])
    if before != {line.external_id: line.quantity for line in work.our_gifts()} and work.live_parcels():
        allocation.undo(batch, [work])


def is_lacking(_batch: Batch, work: Work) -> bool:
    """Return whether an order waits for nothing but its gifts, or waited for them before."""
    if work.order.cancelled_at or not work.our_gifts():
        return False
    if HoldKind.GIFT in work.holds:
        return True
    return work.is_short and bool(_missing(work)) and all(line.promotion_code for line in _lines_short(work))


def let_go(batch: Batch, works: Sequence[Work]) -> None:
    """Let orders go on without gifts that are gone, unless they were told before: those are held."""
    for work in works:
        missing = _missing(work)
        if not missing:
            batch.lift(work, HoldKind.GIFT)
        elif work.is_new:
            drop(batch, work)
        else:
            _wait(batch, work, missing)


def drop(batch: Batch, work: Work) -> None:
    """Take the gifts that are not there off an order, and give back what was taken for them."""
    missing = _missing(work)
    if not missing:
        return
    for line in missing:
        line.quantity, line.is_cancelled = line.quantity_allocated or line.quantity, not line.quantity_allocated
        batch.line_changed(line)
    codes = {line.promotion_code for line in missing if line.is_cancelled} - _still_giving(work)
    limits.undo([work.order.number], at=batch.at, codes=codes)
    for pricing in batch.pricings:
        if pricing.order is work.order:
            _note(pricing.verdicts, codes)
    if not _lines_short(work):
        work.is_short = False
        batch.settle(work, "backordered")
    skus = ", ".join(sorted({line.external_sku for line in missing}))
    batch.tell(work, EventKind.CHANGED, say("The gift %(gifts)s is gone; the order goes on without it.", gifts=skus))


def _wait(batch: Batch, work: Work, lines: Sequence[OrderLine]) -> None:
    skus = ", ".join(sorted({line.external_sku for line in lines}))
    why = say("The gift %(gifts)s was promised with this order and is not there.", gifts=skus)
    batch.hold(work, HoldKind.GIFT, why, WAY_OUT)


def _lay_in(batch: Batch, work: Work, gift: GiftLine, sku_id: int) -> None:
    line = next((line for line in work.lines if line.external_id == _key(gift)), None)
    if line is not None:
        line.quantity, line.is_cancelled = gift.quantity, False
        batch.line_changed(line)
        return
    line = rows.new(
        OrderLine,
        order=work.order,
        line_number=max((line.line_number for line in work.lines), default=0) + 1,
        external_id=_key(gift),
        external_sku=gift.sku,
        sku_id=sku_id,
        title=gift.sku,
        quantity=gift.quantity,
        unit_price=Decimal(0),
        is_gift=True,
        promotion_code=gift.code,
    )
    work.lines.append(line)
    if not work.is_new:  # a new order brings its lines along
        batch.new_lines.append(line)


def _key(gift: GiftLine) -> str:
    return f"gift:{gift.code}:{gift.sku}"[:80]


def _lines_short(work: Work) -> list[OrderLine]:
    return [line for line in work.live_lines() if line.quantity_allocated < line.quantity]


def _missing(work: Work) -> list[OrderLine]:
    return [line for line in work.our_gifts() if line.quantity_allocated < line.quantity]


def _still_giving(work: Work) -> set[str]:
    """Return the promotions of which the order has something left."""
    return {line.promotion_code for line in work.our_gifts()}


def _note(verdicts: list[dict[str, object]], codes: Collection[str]) -> None:
    """Say in the pricing that was just made what became of these promotions."""
    why = say("The gift was gone when the order's stock was reserved.").stored()
    for verdict in verdicts:
        if verdict["code"] in codes:
            verdict["outcome"], verdict["why"] = Outcome.NO_STOCK.value, why
