"""Walking the increment list without losing a trade, and fetching each one.

The list is sorted by modification time, newest first, and moves while it is read. A row that is modified leaves a
window that lies in the past, and the rows behind it move one place towards the front: so pages are read from the last
to the first, and what moves is met on a page still to come. A window that ends *now* can also get a row at its front,
which pushes the others the other way: when the front has changed at the end of a walk, the walk is done again; only
rows not yet seen are fetched. Not verified against the live platform: that both ends of a window belong to it; hence
windows share their ends, and a row met twice is fetched once.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters.protocol import Connection, RetryLater
from channels.adapters.taobao import answers, client, slices, translate
from channels.messages import RawMessage

LIST: Final = "taobao.trades.sold.increment.get"
DETAIL: Final = "taobao.trade.fullinfo.get"
LONGEST_WINDOW: Final = timedelta(days=1)
PAGE_SIZE: Final = 50
MOST_WALKS: Final = 5
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


class Row(NamedTuple):
    """One row of the list: which trade, and as of when."""

    tid: str
    modified: str


class Page(NamedTuple):
    """One page of the list and how many rows the whole list has."""

    rows: list[Row]
    total: int


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the trades modified in the window, one list per page; raises ``RetryLater`` or ``Rejected``."""
    seen: set[Row] = set()
    for start, end in windows(since, until):
        for rows in _walk(connection, start, end):
            fresh = [row for row in dict.fromkeys(rows) if row not in seen]
            if fresh:
                yield [_fetch(connection, row) for row in fresh]
                seen.update(fresh)


def windows(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into windows of at most one day, whole seconds, oldest first."""
    start, last = since.replace(microsecond=0), until.replace(microsecond=0)
    while start <= last:
        end = min(start + LONGEST_WINDOW, last)
        yield start, end
        if end == last:
            return
        start = end


def _walk(connection: Connection, start: datetime, end: datetime) -> Iterator[list[Row]]:
    """Yield the rows of each page, again if the front of the list changed meanwhile; raises ``RetryLater``."""
    front = _page(connection, start, end, 1)
    for _ in range(MOST_WALKS):
        for number in range(-(-front.total // PAGE_SIZE), 1, -1):
            yield _page(connection, start, end, number).rows
        if front.total <= PAGE_SIZE:
            yield front.rows
            return
        now = _page(connection, start, end, 1)
        yield now.rows
        if not _came_to_front(front.rows, now.rows):
            return
        front = now
    raise RetryLater(say("Taobao's list of trades changes faster than it can be read."))


def _came_to_front(before: list[Row], now: list[Row]) -> bool:
    """Say whether a row came to the front: as new as the newest one before, and not among those."""
    known, newest = set(before), max((row.modified for row in before), default="")
    return any(row.modified >= newest and row not in known for row in now)


def _page(connection: Connection, start: datetime, end: datetime, number: int) -> Page:
    arguments = {
        "fields": LIST_FIELDS,
        "start_modified": client.write_time(start),
        "end_modified": client.write_time(end),
        "page_no": str(number),
        "page_size": str(PAGE_SIZE),
        "use_has_next": "false",
    }
    answer = client.call(connection, LIST, arguments)
    try:
        trades = (answer.get("trades") or {}).get("trade") or []
        return Page([_row(trade) for trade in trades], int(answer["total_results"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RetryLater(say("Taobao did not answer in its own format."), answer=str(answer)[:500]) from error


def _row(trade: dict[str, Any]) -> Row:
    tid = str(trade.get("tid_str") or trade["tid"])
    if not _TID.fullmatch(tid):
        raise ValueError(f"{tid} is not a number")
    return Row(tid, str(trade["modified"]))


def _fetch(connection: Connection, row: Row) -> RawMessage:
    """Fetch one trade. A refusal becomes the trade's message, so that the others go on and nothing is lost."""
    arguments = {"fields": DETAIL_FIELDS, "tid": row.tid, "include_oaid": "true"}
    body = client.call_raw(connection, DETAIL, arguments)
    try:
        trade = answers.result(DETAIL, body).get("trade")
        payload = slices.cut(body.decode("utf-8-sig"), answers.envelope_name(DETAIL), "trade").encode()
    except answers.NotThis:
        return RawMessage("order", row.tid, 0, body)
    except ValueError as error:
        raise RetryLater(say("Taobao did not answer in its own format."), answer=answers.shown(body)) from error
    modified = trade.get("modified") if isinstance(trade, dict) else None
    return RawMessage("order", row.tid, translate.revision_of(modified or row.modified), payload)
