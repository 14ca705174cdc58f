"""Walking the lists of orders and refunds without losing a row, while the rows move.

How a list is sorted is not told, so a row that comes late could push others past us. The index lags about half a
minute: what is older than ``SETTLED`` no longer gets new rows and is read page by page, last page first
(``walking``). The last minute is a window of its own: what moves in it is met again by the next pull, whose window
begins ten minutes before the last one ended.

Not verified against the live platform (documented guess): ``REFUND_ID`` and ``TID``, the names under which a list
tells a refund's number and its order's; ``LONGEST_REFUND_WINDOW``; that refunds are asked for in epoch seconds.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from channels.adapters import fetching, renaming, signing
from channels.adapters.protocol import Connection
from channels.adapters.walking import Page, Pages, Row
from channels.adapters.youzan import client, translate
from channels.messages import RawMessage

LIST: Final = "youzan.trades.sold.get/4.0.4"
DETAIL: Final = "youzan.trade.get/4.0.2"
REFUND_LIST: Final = "youzan.trade.refund.search/3.0.1"
REFUND_DETAIL: Final = "youzan.trade.refund.get/3.0.1"
LONGEST_WINDOW: Final = timedelta(days=89)  # three calendar months
LONGEST_REFUND_WINDOW: Final = timedelta(days=30)
SETTLED: Final = timedelta(seconds=60)
PAGE_SIZE: Final = 100
DEEPEST: Final = 10_000
DEEPEST_REFUNDS: Final = 3_000
REFUND_ID: Final = "refund_id"
TID: Final = "tid"


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders, then the refunds, updated in the window; raises ``RetryLater`` or ``Rejected``."""

    def orders(start: datetime, end: datetime, number: int) -> Page:
        body, data = client.call(connection, LIST, asked(start, end, number))
        rows, total = lambda: data.get("full_order_info_list"), data.get("total_results")
        return fetching.page(client.PLATFORM, body, rows=rows, row=_order_row, total=total)

    def refunds(start: datetime, end: datetime, number: int) -> Page:
        span = {"update_time_start": int(start.timestamp()), "update_time_end": int(_after(start, end).timestamp())}
        body, data = client.call(connection, REFUND_LIST, {**span, "page_no": number, "page_size": PAGE_SIZE})
        rows, total = lambda: data.get("refunds"), data.get("total")
        return fetching.page(client.PLATFORM, body, rows=rows, row=_refund_row, total=total)

    lists = Pages(client.PLATFORM, orders, PAGE_SIZE, LONGEST_WINDOW, DEEPEST)
    for rows in lists.walk_settled_first(since, until, SETTLED):
        yield [RawMessage("order", row.key, int(row.changed), row.payload) for row in rows]
    lists = Pages(client.PLATFORM, refunds, PAGE_SIZE, LONGEST_REFUND_WINDOW, DEEPEST_REFUNDS)
    for rows in lists.walk_settled_first(since, until, SETTLED):
        yield [_refund(connection, row.key, row.payload.decode()) for row in rows]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders and their refunds; raises ``RetryLater`` or ``Rejected``."""
    return [raw for tid in dict.fromkeys(external_ids) for raw in _one(connection, tid)]


def check(connection: Connection) -> str:
    """Ask for one order of the last minute; the platform does not tell the shop's name there."""
    now = datetime.now(UTC)
    client.call(connection, LIST, asked(now - timedelta(minutes=1), now, 1, size=1))
    return ""


def asked(start: datetime, end: datetime, number: int, *, size: int = PAGE_SIZE) -> dict[str, Any]:
    """Return the arguments for a page of the orders updated in a window."""
    span = {"start_update": renaming.china_time(start), "end_update": renaming.china_time(_after(start, end))}
    return {**span, "page_no": number, "page_size": size}


def _order_row(told: dict[str, Any]) -> Row:
    payload = {"full_order_info": told["full_order_info"]}
    tid = str(told["full_order_info"]["order_info"]["tid"])
    written = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=str)  # a decimal stays exact
    return Row(tid, f"{translate.revision_of(payload):020}", written.encode("utf-8", "surrogatepass"))


def _refund_row(told: dict[str, Any]) -> Row:
    return Row(str(told[REFUND_ID]), "", str(told[TID]).encode())


def _one(connection: Connection, tid: str) -> list[RawMessage]:
    try:
        body, data = client.call(connection, DETAIL, {"tid": tid})
    except signing.NotThis as refused:  # it becomes the order's message: the others go on, nothing is lost
        return [RawMessage("order", tid, 0, refused.answer.encode())]
    rows = data.get("refund_order")
    ids = [row.get(REFUND_ID) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    order = RawMessage("order", tid, translate.revision_of(data), body)
    return [order, *(_refund(connection, str(number), tid) for number in ids if number)]


def _refund(connection: Connection, number: str, tid: str) -> RawMessage:
    """Fetch one refund; it is kept under its order's number, because it waits for that order."""

    def ask() -> RawMessage:
        body, data = client.call(connection, REFUND_DETAIL, {"refund_id": number})
        return RawMessage("refund", tid, translate.refund_revision_of(data), body)

    return fetching.one("refund", tid, ask)


def _after(start: datetime, end: datetime) -> datetime:
    """Return a window's end, which the platform wants to lie after its start."""
    return max(end, start + timedelta(seconds=1))
