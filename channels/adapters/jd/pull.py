"""What changed in a window: the rows of the list are whole orders, by the time of their modification.

Not verified against the live platform: which way the list is sorted; the walk is right either way.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from channels.adapters import calls, fetching, renaming
from channels.adapters.jd import client, translate
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.walking import Page, Pages, Row
from channels.messages import RawMessage

LIST: Final = "jingdong.pop.order.enSearch"
ORDER: Final = "jingdong.pop.order.enGet"
SOURCE: Final = "JOS"
BY_MODIFICATION: Final = "0"  # dateType
SIZE: Final = 100
LONGEST_WINDOW: Final = timedelta(days=1)  # the platform takes a calendar month
FIELDS: Final = ",".join(
    (
        "orderId,venderId,orderType,payType,orderState,orderStateRemark,orderTotalPrice,orderSellerPrice,orderPayment",
        "freightPrice,sellerDiscount,balanceUsed,orderRemark,venderRemark,orderStartTime,orderEndTime",
        "paymentConfirmTime,modified,parentOrderId,logisticsId,waybill,consigneeInfo,itemInfoList,couponDetailList",
    )
)


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders modified in the window; raises ``RetryLater`` or ``Rejected``."""
    for rows in Pages(client.PLATFORM, partial(_page, connection), SIZE, LONGEST_WINDOW).walk(since, until):
        yield [_raw(row.payload) for row in rows]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders as they are now; a refusal becomes the order's message."""
    return [_one(connection, number) for number in external_ids]


def order(connection: Connection, number: str) -> dict[str, Any]:
    """Return one order as it is now; raises ``NotThis``, ``RetryLater`` or ``Rejected``."""
    arguments = {"order_id": number, "optional_fields": FIELDS, "source_id": SOURCE}
    body, inner = client.call(connection, ORDER, arguments)
    told = inner.get("orderDetailInfo")
    if not isinstance(told, dict) or not isinstance(told.get("orderInfo"), dict):
        raise calls.not_understood(client.PLATFORM, body)
    return dict(told["orderInfo"])


def check(connection: Connection) -> str:
    """Ask for the last minute; the platform does not tell the shop's name there."""
    at = datetime.now(UTC)
    _page(connection, at - timedelta(minutes=1), at, 1)
    return ""


def _one(connection: Connection, number: str) -> RawMessage:
    try:
        return _raw(calls.written(order(connection, number)))
    except NotThis as refused:
        return RawMessage("order", number, 0, calls.written({"error_response": refused.answer}))


def _page(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    arguments = {
        "source_id": SOURCE,
        "start_date": renaming.china_time(start),
        "end_date": renaming.china_time(end),
        "order_state": "ALL",
        "optional_fields": FIELDS,
        "page": str(number),
        "page_size": str(SIZE),
        "sortType": "0",
        "dateType": BY_MODIFICATION,
    }
    body, inner = client.call(connection, LIST, arguments)
    result = renaming.part_or_none(inner, "searchorderinfo_result")
    rows, total = lambda: result.get("orderInfoList"), result.get("orderTotal")
    return fetching.page(client.PLATFORM, body, rows=rows, row=_row, total=total)


def _row(order: dict[str, Any]) -> Row:
    return Row(str(order["orderId"]), str(order["modified"]), calls.written(order))


def _raw(payload: bytes) -> RawMessage:
    return RawMessage("order", *translate.head(payload), payload)
