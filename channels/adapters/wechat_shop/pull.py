"""Walking the lists of what changed, and fetching each order and after-sale.

The lists are read by cursor (``next_key``), so a row that changes meanwhile only leaves the window: it is met again in
the next one, which overlaps. Not verified against the live platform: ``LONGEST_REFUND_WINDOW``; that both ends of a
window belong to it (windows share their ends, a row met twice is fetched once); and ``AFTERSALE_ID``, the name under
which an order lists its after-sales.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, fetching, renaming, walking
from channels.adapters.protocol import Connection, RetryLater
from channels.adapters.wechat_shop import client, translate
from channels.messages import RawMessage

LIST: Final = "/channels/ec/order/list/get"
DETAIL: Final = "/channels/ec/order/get"
REFUND_LIST: Final = "/channels/ec/aftersale/getaftersalelist"
REFUND_DETAIL: Final = "/channels/ec/aftersale/getaftersaleorder"
LONGEST_WINDOW: Final = timedelta(days=7)
LONGEST_REFUND_WINDOW: Final = timedelta(days=1)
AFTERSALE_ID: Final = "aftersale_order_id"
PAGE_SIZE: Final = 100
MOST_PAGES: Final = 10_000


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders, then the after-sales, updated in the window; raises ``RetryLater`` or ``Rejected``."""
    seen: set[str] = set()
    for start, end in _windows(since, until, LONGEST_WINDOW):
        body: dict[str, Any] = {"update_time_range": {"start_time": start, "end_time": end}, "page_size": PAGE_SIZE}
        for fresh in _pages(connection, LIST, body, "order_id_list", seen):
            yield [_order(connection, number) for number in fresh]
    seen.clear()
    for start, end in _windows(since, until, LONGEST_REFUND_WINDOW):
        body = {"begin_update_time": start, "end_update_time": end}
        for fresh in _pages(connection, REFUND_LIST, body, "after_sale_order_id_list", seen):
            yield [_refund(connection, number) for number in fresh]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders and their after-sales; raises ``RetryLater`` or ``Rejected``."""
    messages = []
    for number in dict.fromkeys(external_ids):
        order = _order(connection, number)
        messages.append(order)
        messages.extend(_refund(connection, refund_id) for refund_id in _refund_ids(order.payload))
    return messages


def _windows(since: datetime, until: datetime, longest: timedelta) -> Iterator[tuple[int, int]]:
    return ((int(start.timestamp()), int(end.timestamp())) for start, end in walking.windows(since, until, longest))


def _pages(connection: Connection, path: str, body: dict[str, Any], name: str, seen: set[str]) -> Iterator[list[str]]:
    """Yield each page's ids that are new; raises ``RetryLater`` for a list that never ends or makes no sense."""
    key, keys = "", set[str]()
    for _ in range(MOST_PAGES):
        payload, answer = client.call(connection, path, {**body, "next_key": key} if key else body)
        ids = answer.get(name) or []
        if not isinstance(ids, list) or not all(str(number).isascii() and str(number).isdigit() for number in ids):
            raise calls.not_understood(client.PLATFORM, payload)
        if fresh := [number for number in dict.fromkeys(map(str, ids)) if number not in seen]:
            yield fresh
            seen.update(fresh)
        key = str(answer.get("next_key") or "")
        if not answer.get("has_more"):
            return
        if not key or key in keys:
            raise calls.not_understood(client.PLATFORM, payload)
        keys.add(key)
    raise RetryLater(say("%(platform)s's list does not end.", platform=client.PLATFORM))


def _order(connection: Connection, number: str) -> RawMessage:
    def ask() -> RawMessage:
        payload, answer = client.call(connection, DETAIL, {"order_id": number})
        return RawMessage("order", number, translate.revision_of(answer.get("order")), payload)

    return fetching.one("order", number, ask)


def _refund(connection: Connection, number: str) -> RawMessage:
    """Fetch one after-sale; it is kept under its order's number, because it waits for that order."""

    def ask() -> RawMessage:
        payload, answer = client.call(connection, REFUND_DETAIL, {"after_sale_order_id": number})
        refund = answer.get("after_sale_order")
        order_id = refund.get("order_id") if isinstance(refund, dict) else None
        return RawMessage("refund", str(order_id or number), translate.refund_revision_of(refund), payload)

    return fetching.one("refund", number, ask)


def _refund_ids(payload: bytes) -> list[str]:
    answer = calls.read(client.PLATFORM, payload)
    rows = renaming.part_or_none(answer, "order", "aftersale_detail").get("aftersale_order_list")
    return fetching.digits(rows, AFTERSALE_ID)
