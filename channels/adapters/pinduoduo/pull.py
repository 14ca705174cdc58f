"""Walking the list of what changed, and fetching each order.

The list is ready some minutes late (``LAG``, which the option ``lag_seconds`` replaces): a window never ends later than
that, so that nothing comes to it while it is read. Not verified against the live platform (documented guesses): that
``ALL_LUCKY`` means every order; that a row may carry ``updated_at`` beside its number.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from channels.adapters import calls, fetching
from channels.adapters.pinduoduo import client, translate
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.walking import Page, Pages, Row
from channels.messages import RawMessage

SIZE: Final = 100
LONGEST_WINDOW: Final = timedelta(minutes=30)
LAG: Final = 180  # seconds
ALL: Final = 5  # order_status, refund_status
ALL_LUCKY: Final = 0


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders that changed in the window; raises ``RetryLater`` or ``Rejected``."""
    ready = min(until, datetime.now(UTC) - _lag(connection))
    for rows in Pages(client.PLATFORM, partial(_page, connection), SIZE, LONGEST_WINDOW).walk(since, ready):
        yield [_one(connection, row.key) for row in rows]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders as they are now; a refusal becomes the order's message."""
    return [_one(connection, number) for number in external_ids]


def order(connection: Connection, number: str) -> dict[str, Any]:
    """Return one order as it is now; raises ``NotThis``, ``RetryLater`` or ``Rejected``."""
    body, inner = client.call(connection, client.ORDER, {"order_sn": number})
    told = inner.get("order_info")
    if not isinstance(told, dict):
        raise calls.not_understood(client.PLATFORM, body)
    return told


def check(connection: Connection) -> str:
    """Ask for one minute of the list; the platform does not tell the shop's name there."""
    end = datetime.now(UTC) - _lag(connection)
    _page(connection, end - timedelta(minutes=1), end, 1)
    return ""


def _lag(connection: Connection) -> timedelta:
    told = connection.options.get("lag_seconds")
    return timedelta(seconds=LAG if told is None else int(told))


def _one(connection: Connection, number: str) -> RawMessage:
    """Fetch one order. A refusal becomes the order's message, so that the others go on and nothing is lost."""
    try:
        payload = calls.written(order(connection, number))
    except NotThis as refused:
        return RawMessage("order", number, 0, calls.written({"error_response": refused.answer}))
    return RawMessage("order", number, translate.revision_of(payload), payload)


def _page(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    arguments = {
        "start_updated_at": int(start.timestamp()),
        "end_updated_at": int(end.timestamp()),
        "is_lucky_flag": ALL_LUCKY,
        "order_status": ALL,
        "refund_status": ALL,
        "page": number,
        "page_size": SIZE,
        "use_has_next": False,
    }
    body, inner = client.call(connection, client.LIST, arguments)
    rows, total = lambda: inner["order_sn_list"], inner.get("total_count")
    return fetching.page(client.PLATFORM, body, rows=rows, row=_row, total=total)


def _row(told: dict[str, Any]) -> Row:
    return Row(str(told["order_sn"]), str(told.get("updated_at") or ""))
