"""What changed in a window, and orders that a push named: rows of the lists are whole orders and after-sales.

Not verified against the live platform (documented guess): that the cap ``DEEPEST`` of the after-sale list is also that
of the order list (a window with more rows is halved); that ``afterSale/List`` takes ``order_id`` alone.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from channels.adapters import calls, fetching
from channels.adapters.douyin import client, translate
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.walking import Page, Pages, Row
from channels.messages import RawMessage

ORDERS: Final = "order.searchList"
ORDER: Final = "order.orderDetail"
AFTERSALES: Final = "afterSale.List"
SIZE: Final = 100
DEEPEST: Final = 50_000
LONGEST_WINDOW: Final = timedelta(days=1)


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders, then the after-sales, that changed in the window; raises ``RetryLater`` or ``Rejected``."""
    for kind, ask in (("order", _orders), ("refund", _aftersales)):
        pages = Pages(client.PLATFORM, partial(ask, connection), SIZE, LONGEST_WINDOW, DEEPEST)
        for rows in pages.walk(since, until):
            yield [_raw(kind, row.payload) for row in rows]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return orders and their after-sales as they are now; a refusal becomes the order's message."""
    return [raw for number in external_ids for raw in _one(connection, number)]


def _one(connection: Connection, number: str) -> list[RawMessage]:
    try:
        body, data = client.call(connection, ORDER, {"shop_order_id": number})
    except NotThis as refused:
        return [RawMessage("order", number, 0, refused.answer.encode())]
    order = data.get("shop_order_detail")
    if not isinstance(order, dict):
        raise calls.not_understood(client.PLATFORM, body)
    answer = client.call(connection, AFTERSALES, {"order_id": number, "page": 0, "size": SIZE})
    refunds = _page(answer, "items", _aftersale_row).rows
    return [_raw("order", calls.written(order)), *(_raw("refund", row.payload) for row in refunds)]


def _orders(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    window = {"update_time_start": int(start.timestamp()), "update_time_end": int(end.timestamp())}
    sorting = {"order_by": "update_time", "order_asc": False}
    answer = client.call(connection, ORDERS, {**window, **sorting, "page": number - 1, "size": SIZE})
    return _page(answer, "shop_order_list", _order_row)


def _aftersales(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    window = {"update_start_time": int(start.timestamp()), "update_end_time": int(end.timestamp())}
    asked = {**window, "order_by": ["update_time asc"], "page": number - 1, "size": SIZE}
    return _page(client.call(connection, AFTERSALES, asked), "items", _aftersale_row)


def _page(answer: client.Answer, name: str, row: Any) -> Page:
    rows, total = lambda: answer.data.get(name), answer.data.get("total")
    return fetching.page(client.PLATFORM, answer.body, rows=rows, row=row, total=total)


def _order_row(order: dict[str, Any]) -> Row:
    return Row(str(order["order_id"]), str(order["update_time"]), calls.written(order))


def _aftersale_row(item: dict[str, Any]) -> Row:
    about = item["aftersale_info"]
    return Row(str(about["aftersale_id"]), str(about["update_time"]), calls.written(item))


def _raw(kind: str, payload: bytes) -> RawMessage:
    return RawMessage(kind, *translate.head(kind, payload), payload)
