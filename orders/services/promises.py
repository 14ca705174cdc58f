"""When deliveries change, the dates of all orders that wait for them move in one job.

First the queues of the SKUs are shared out again, which locks no order; then the orders are brought to what their
promises say, read again under the orders' locks. So a job that dies in between is finished by the next one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from django.db import connection

from audit.models import Case, rows
from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from audit.services.transactions import atomic_with_retry
from audit.statuses import CaseStatus
from inventory.queries import ahead as promises
from inventory.rules.ahead import latest
from inventory.services import ahead
from inventory.services.ahead import Change
from orders.models import Order, OrderEvent, OrderLine
from orders.services import batch as batches
from orders.services import expecting
from orders.statuses import EventKind

PROMISES: Final = Actor("job", "promises")
CASE: Final = "promise_moved"
SKUS_AT_ONCE: Final = 200
MOST_ORDERS: Final = 5000  # of one sweep; what is beyond is found by the next
MOST_ADOPTED: Final = 500
MOST_NAMED: Final = 8
NO_DOCUMENT: Final = "–"

# Promises of orders that lack nothing any more, or that are gone.
_LEFT_OVER: Final = """
SELECT DISTINCT promise.reference FROM inventory_supplypromise AS promise
 WHERE promise.pool_id IS NULL AND NOT EXISTS (
       SELECT FROM orders_order AS orders JOIN orders_orderline AS line ON line.order_id = orders.id
        WHERE orders.number = promise.reference AND orders.cancelled_at IS NULL
          AND NOT line.is_cancelled AND line.quantity_allocated < line.quantity)
 LIMIT %s
"""
# Orders that lack units and stand in no queue: those of a time before there were queues.
_WITHOUT: Final = """
SELECT orders.id FROM orders_order AS orders
 WHERE orders.status IN ('backordered', 'on_hold', 'awaiting_payment') AND orders.goods_state = 'backordered'
   AND NOT EXISTS (SELECT FROM inventory_supplypromise WHERE reference = orders.number)
   AND EXISTS (SELECT FROM orders_orderline AS line WHERE line.order_id = orders.id AND line.sku_id IS NOT NULL
                  AND NOT line.is_cancelled AND line.quantity_allocated < line.quantity)
 ORDER BY orders.id LIMIT %s
"""
# Orders whose lines say another date than their promises.
_BEHIND: Final = """
SELECT DISTINCT told.reference
  FROM (SELECT reference, line_number,
               CASE WHEN bool_and(promised_date IS NOT NULL) THEN max(promised_date) END AS last_date
          FROM inventory_supplypromise GROUP BY 1, 2) AS told
  JOIN orders_order AS orders ON orders.number = told.reference
  JOIN orders_orderline AS line ON line.order_id = orders.id AND line.line_number = told.line_number
 WHERE line.promised_date IS DISTINCT FROM told.last_date
 LIMIT %s
"""


@dataclass(frozen=True)
class _Move:
    """An order whose date moved."""

    order: Order
    old: date | None
    new: date | None

    def is_later(self) -> bool:
        """Return whether the order waits longer than it was told before."""
        return self.old is not None and (self.new is None or self.new > self.old)


def refresh(*, at: datetime, sku_ids: Collection[int] | None = None) -> int:
    """Share out again what will come (of these SKUs, or of all that are waited for) and bring the orders along.

    Returns how many orders have another date now. Safe to run twice.
    """
    _clean(at)
    moved = sum(follow(changes, at=at) for changes in _replanned(sku_ids, at) if changes)
    behind = _numbers(_BEHIND)
    if behind:
        moved += _bring_along(dict.fromkeys(behind, ""), at)
    _close_cases(at)
    return moved


def follow(changes: Sequence[Change], *, at: datetime) -> int:
    """Bring the orders of these changes to what their promises say; returns how many orders have another date now.

    Each of them is told on its timeline. Those that wait at least a day longer, or lost their date, become one case per
    document that moved them. A fixed number of statements, however many orders there are.
    """
    movers = {change.reference: "" for change in changes}
    movers |= {change.reference: change.document for change in changes if change.document}
    return _bring_along(movers, at)


@atomic_with_retry
def _bring_along(movers: Mapping[str, str], at: datetime) -> int:
    """Bring orders (number → document that moved them, if known) to what their promises say now."""
    orders = list(
        Order.objects.select_for_update(no_key=True)
        .filter(number__in=list(movers), cancelled_at__isnull=True)
        .only("pk", "number", "promised_date")
        .order_by("pk")
    )
    dates = promises.dates(movers)
    rows.update(_changed_lines(orders, dates), ("promised_date",))
    moves = _moves(orders, dates)
    for move in moves:
        move.order.promised_date = move.new
    rows.update([move.order for move in moves], ("promised_date",))
    rows.insert([_event(move, at) for move in moves])
    _open_cases([move for move in moves if move.is_later()], movers, at)
    return len(moves)


def _moves(orders: Sequence[Order], dates: Mapping[tuple[str, int], date | None]) -> list[_Move]:
    """Return the orders with another date; one in no queue lacks nothing, whoever gave it stock has put that down."""
    by_order: dict[str, list[date | None]] = {}
    for (number, _line), last in dates.items():
        by_order.setdefault(number, []).append(last)
    moves = [
        _Move(order, order.promised_date, latest(by_order[order.number]))
        for order in orders
        if order.number in by_order
    ]
    return [move for move in moves if move.old != move.new]


def _replanned(sku_ids: Collection[int] | None, at: datetime) -> list[list[Change]]:
    """Share out page after page of SKUs again, each in a transaction of its own."""
    if sku_ids is not None:
        pages = sorted(set(sku_ids))
        return [_replan(pages[start : start + SKUS_AT_ONCE], at) for start in range(0, len(pages), SKUS_AT_ONCE)]
    found: list[list[Change]] = []
    after = 0
    while page := promises.skus_waited_for(after=after, most=SKUS_AT_ONCE):
        found.append(_replan(page, at))
        after = page[-1]
    return found


@atomic_with_retry
def _replan(sku_ids: Collection[int], at: datetime) -> list[Change]:
    return ahead.replan(sku_ids, at=at)


@atomic_with_retry
def _clean(at: datetime) -> None:
    """Take those out of the queues who lack nothing, and put those in who lack something and stand in none."""
    left_over = _numbers(_LEFT_OVER)
    if left_over:
        ahead.forget(left_over)
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT, [MOST_ADOPTED])
        without = [order_id for (order_id,) in cursor.fetchall()]
    if without:
        batches.load(without, at=at, actor=PROMISES).write()


def _numbers(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [MOST_ORDERS])
        return [number for (number,) in cursor.fetchall()]


def _changed_lines(orders: Sequence[Order], dates: Mapping[tuple[str, int], date | None]) -> list[OrderLine]:
    numbers = {order.pk: order.number for order in orders}
    lines = OrderLine.objects.filter(order__in=numbers).only("pk", "order_id", "line_number", "promised_date")
    changed = []
    for line in lines.order_by("pk"):
        key = (numbers[line.order_id], line.line_number)
        if key in dates and dates[key] != line.promised_date:
            line.promised_date = dates[key]
            changed.append(line)
    return changed


def _event(move: _Move, at: datetime) -> OrderEvent:
    event = rows.new(OrderEvent, order=move.order, kind=EventKind.BACKORDERED, happened_at=at, actor=PROMISES.label)
    event.detail = expecting.moved(move.old, move.new).stored()
    return event


def _open_cases(later: Sequence[_Move], movers: Mapping[str, str], at: datetime) -> None:
    """Open one case per document that made orders wait longer; an older one of the same document ends."""
    by_document: dict[str, list[_Move]] = {}
    for move in later:
        by_document.setdefault(movers[move.order.number] or NO_DOCUMENT, []).append(move)
    if not by_document:
        return
    cases.resolve(list(by_document), kinds=[CASE], actor=PROMISES, resolution="moved again", at=at)
    cases.open_cases([_trouble(document, moves) for document, moves in sorted(by_document.items())], at=at)


def _trouble(document: str, moves: Sequence[_Move]) -> cases.Trouble:
    named = ", ".join(move.order.number for move in moves[:MOST_NAMED]) + (" …" if len(moves) > MOST_NAMED else "")
    dates = [move.new for move in moves if move.new]
    lost = len(moves) - len(dates)
    if lost:
        why = say(
            "%(count)s orders wait longer because of %(document)s, %(lost)s of them without a date: %(orders)s",
            count=len(moves), document=document, lost=lost, orders=named,
        )  # fmt: skip
    else:
        why = say(
            "%(count)s orders wait longer because of %(document)s, until %(date)s at most: %(orders)s",
            count=len(moves), document=document, date=str(max(dates)), orders=named,
        )  # fmt: skip
    asked = {"promise": "none"} if lost else {"supply": document}
    return cases.Trouble(
        kind=CASE,
        subject=document,
        why=why,
        suggestion=say("Let the buyers wait, cancel orders, or find the units elsewhere: a transfer, another receipt."),
        subject_url=f"/admin/orders/order/?{urlencode(asked)}",
    )


def _close_cases(at: datetime) -> None:
    """End the cases of documents that have come and that nobody waits for any more."""
    subjects = list(Case.objects.filter(kind=CASE, status=CaseStatus.OPEN).values_list("subject", flat=True))
    over = promises.come_and_free(subjects) if subjects else []
    if over:
        cases.resolve(over, kinds=[CASE], actor=PROMISES, resolution="", at=at)
