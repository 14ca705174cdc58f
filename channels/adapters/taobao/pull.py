"""Walking the increment list without losing a trade (see ``walking``), and fetching each one.

The list is sorted by modification time, newest first. Not verified against the live platform: that both ends of a
window belong to it.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from channels.adapters import calls, fetching
from channels.adapters.protocol import Connection
from channels.adapters.renaming import china_time
from channels.adapters.taobao import client, translate
from channels.adapters.taobao.client import PLATFORM
from channels.adapters.walking import Page, Pages, Row
from channels.messages import RawMessage

LIST: Final = "taobao.trades.sold.increment.get"
DETAIL: Final = "taobao.trade.fullinfo.get"
LONGEST_WINDOW: Final = timedelta(days=1)
PAGE_SIZE: Final = 50
_TID: Final = re.compile(r"[0-9]{1,19}")
LIST_FIELDS: Final = "tid,tid_str,modified"
DETAIL_FIELDS: Final = ",".join(
    (
        "tid,tid_str,type,status,payment,total_fee,post_fee,discount_fee,adjust_fee,received_payment,created,modified",
        "pay_time,consign_time,end_time,buyer_nick,buyer_open_uid,buyer_message,seller_memo,seller_flag,seller_nick",
        "receiver_name,receiver_country,receiver_state,receiver_city,receiver_district,receiver_town,receiver_address",
        "receiver_mobile,receiver_phone,receiver_zip,oaid,shipping_type,step_trade_status,step_paid_fee",
        "forbid_consign,top_hold,team_buy_hold,share_group_hold,ofp_hold,promotion_details,orders",
    )
)


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the trades modified in the window, one list per page; raises ``RetryLater`` or ``Rejected``."""
    for rows in Pages(PLATFORM, partial(_page, connection), PAGE_SIZE, LONGEST_WINDOW).walk(since, until):
        yield [fetching.one("order", row.key, partial(_trade, connection, row)) for row in rows]


def _page(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    window = {"start_modified": china_time(start), "end_modified": china_time(end), "use_has_next": "false"}
    paging = {"page_no": str(number), "page_size": str(PAGE_SIZE)}
    body, answer = client.call(connection, LIST, {"fields": LIST_FIELDS, **window, **paging})
    total = answer.get("total_results")
    return fetching.page(PLATFORM, body, rows=lambda: (answer.get("trades") or {}).get("trade"), row=_row, total=total)


def _row(trade: dict[str, Any]) -> Row:
    tid = str(trade.get("tid_str") or trade["tid"])
    if not _TID.fullmatch(tid):
        raise ValueError(f"{tid} is not a number")
    return Row(tid, str(trade["modified"]))


def _trade(connection: Connection, row: Row) -> RawMessage:
    arguments = {"fields": DETAIL_FIELDS, "tid": row.key, "include_oaid": "true"}
    body, answer = client.call(connection, DETAIL, arguments)
    trade = answer.get("trade")
    if not isinstance(trade, dict):
        raise calls.not_understood(PLATFORM, body)
    return RawMessage("order", row.key, translate.revision_of(trade, otherwise=row.changed), calls.written(trade))
