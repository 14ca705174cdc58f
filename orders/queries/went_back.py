"""What of an order went back to its buyer before: units of its lines, and money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from orders.models import Order, OrderLine, Refund, Return
from orders.statuses import RefundStatus, ReturnStatus

Units = Mapping[int, int]  # line number → units
NOTHING: Final = Decimal(0)


@dataclass(frozen=True)
class Earlier:
    """What went back before: units by line, money for lines that are in the order still, and money altogether."""

    units: Units
    amount: Decimal
    everything: Decimal


def earlier(order: Order, lines: Sequence[OrderLine], *, but: Refund | None = None) -> Earlier:
    """Return what refunds, all or all but one, and returns paid back. Two queries.

    A line of which a refund tells is not counted by its returns too. Lines that were cancelled are not in the order's
    total any more: what went back for them is taken out.
    """
    paid_back = order.refunds.filter(status=RefundStatus.REFUNDED)
    refunds = list(paid_back.exclude(pk=but.pk) if but else paid_back)
    units = units_of(refunds, [line for line in lines if not line.is_cancelled])
    beside = _returns_beside(order, units)
    for row in beside:
        number = row.order_line.line_number
        units[number] = min(row.order_line.quantity, units.get(number, 0) + row.quantity)
    by_returns = sum((row.refund_amount for row in beside), NOTHING)
    gone = {line.external_id: line.net_amount for line in lines if line.is_cancelled}
    amount = sum((_for_live_lines(refund, gone) for refund in refunds), by_returns)
    return Earlier(units, amount, sum((refund.amount for refund in refunds), by_returns))


def units_of(refunds: Iterable[Refund], lines: Iterable[OrderLine]) -> dict[int, int]:
    """Return how many units of each of these lines the refunds name; at most as many as the line has."""
    known = {line.external_id: line for line in lines if not line.promotion_code}
    units: dict[int, int] = {}
    for refund in refunds:
        for told in refund.lines:
            line = known.get(told["line"])
            if line is not None:
                more = line.quantity if told["quantity"] is None else told["quantity"]
                units[line.line_number] = min(line.quantity, units.get(line.line_number, 0) + more)
    return units


def _returns_beside(order: Order, told: Units) -> list[Return]:
    """Return the paid returns of lines of which no refund tells."""
    rows = Return.objects.filter(order=order, status=ReturnStatus.REFUNDED).select_related("order_line")
    return [row for row in rows if row.order_line.line_number not in told and not row.order_line.is_cancelled]


def _for_live_lines(refund: Refund, gone: Mapping[str, Decimal]) -> Decimal:
    if not refund.lines:  # of the whole order: it limits what can go back, and belongs to no line
        return NOTHING
    return max(NOTHING, refund.amount - sum((gone.get(told["line"], NOTHING) for told in refund.lines), NOTHING))
