"""Walking the lists of orders and after-sales without losing a row, while the rows move.

How a list is sorted is not told: what is older than ``SETTLED`` is read page by page, last page first (``walking``),
and the last minute is a window of its own, whose rows are met again by the next pull.

Not verified against the live platform (documented guesses): ``BY_UPDATE``, the ``queryTime.type`` of the time of the
last change (the option ``query_time_type`` sets another), ``LONGEST_WINDOW`` and ``PAGE_SIZE``.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from channels.adapters import calls, fetching, fields, signing
from channels.adapters.protocol import Connection
from channels.adapters.walking import Page, Pages, Row
from channels.adapters.weimob import client, translate
from channels.messages import RawMessage

LIST: Final = "order/list/search"
DETAIL: Final = "order/detail/get"
RIGHTS_LIST: Final = "rights/list/search"
RIGHTS_DETAIL: Final = "rights/detail/get"
BY_UPDATE: Final = 2
LONGEST_WINDOW: Final = timedelta(days=1)
SETTLED: Final = timedelta(seconds=60)
PAGE_SIZE: Final = 50


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders, then the after-sales, updated in the window; raises ``RetryLater`` or ``Rejected``."""
    for rows in _walk(connection, LIST, _order_row, since, until):
        yield [RawMessage("order", row.key, int(row.changed), row.payload) for row in rows]
    for rows in _walk(connection, RIGHTS_LIST, _rights_row, since, until):
        yield [RawMessage("refund", row.key.split("/")[0], int(row.changed), row.payload) for row in rows]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders and their after-sales; what is refused becomes a message that says so."""
    return [raw for number in dict.fromkeys(external_ids) for raw in _one(connection, number)]


def check(connection: Connection) -> str:
    """Ask for one order of the last minute; the platform does not tell the shop's name there."""
    at = datetime.now(UTC)
    client.call(connection, LIST, asked(connection, at - timedelta(minutes=1), at, number=1, size=1))
    return ""


def asked(connection: Connection, start: datetime, end: datetime, *, number: int, size: int) -> dict[str, Any]:
    """Return the arguments for a page of what changed in a window."""
    span = {
        "type": connection.options.get("query_time_type") or BY_UPDATE,
        "startTime": fields.milliseconds(start),
        "endTime": fields.milliseconds(end),
    }
    return {"pageNum": number, "pageSize": size, "queryParameter": {"queryTime": span}}


def _walk(
    connection: Connection, path: str, row: Callable[[dict[str, Any]], Row], since: datetime, until: datetime
) -> Iterator[list[Row]]:
    def page(start: datetime, end: datetime, number: int) -> Page:
        data = client.call(connection, path, asked(connection, start, end, number=number, size=PAGE_SIZE))
        body, total = calls.written(data), data.get("totalCount")
        return fetching.page(client.PLATFORM, body, rows=lambda: data.get("pageList"), row=row, total=total)

    return Pages(client.PLATFORM, page, PAGE_SIZE, LONGEST_WINDOW).walk_settled_first(since, until, SETTLED)


def _order_row(told: dict[str, Any]) -> Row:
    number = str(told["orderInfo"]["orderBaseInfo"]["orderNo"])
    return Row(number, str(translate.revision_of(told)), calls.written(told))


def _rights_row(told: dict[str, Any]) -> Row:
    number, order = told["rightsOrder"]["rightsId"], told["originOrder"]["orderNo"]
    return Row(f"{order}/{number}", str(translate.refund_revision_of(told)), calls.written({"rightsInfo": told}))


def _one(connection: Connection, number: str) -> list[RawMessage]:
    try:
        data = client.call(connection, DETAIL, {"orderNo": signing.number(number)})
    except signing.NotThis as refused:  # it becomes the order's message: the others go on, nothing is lost
        return [RawMessage("order", number, 0, refused.answer.encode())]
    order = RawMessage("order", number, translate.revision_of(data), calls.written(data))
    rights = fetching.digits(data.get("rightsInfos"), "rightsId")
    asked_for = [partial(_rights, connection, number, int(each)) for each in rights]
    return [order, *(fetching.one("refund", number, ask) for ask in asked_for)]


def _rights(connection: Connection, number: str, rights_id: int) -> RawMessage:
    """Fetch one after-sale; it is kept under its order's number, because it waits for that order."""
    data = client.call(connection, RIGHTS_DETAIL, {"rightsId": rights_id})
    told = data.get("rightsInfo")
    revision = translate.refund_revision_of(told) if isinstance(told, dict) else 0
    return RawMessage("refund", number, revision, calls.written(data))
