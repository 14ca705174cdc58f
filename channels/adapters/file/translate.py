"""The rows of one order into the house's dataclasses. Pure: JSON in, facts out."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields
from channels.adapters.fields import Fields
from channels.adapters.file import moments, read, returns
from channels.adapters.protocol import Connection
from channels.messages import Incoming, RawMessage, Untranslatable
from channels.rules import texts

USUAL_ZONE: Final = "Asia/Shanghai"
PAID: Final = frozenset(
    {"paid", "shipped", "completed", "已付款", "已支付", "待发货", "买家已付款", "已发货", "交易成功"}
)
UNPAID: Final = frozenset({"unpaid", "pending", "待付款", "未付款", "等待买家付款", "待支付"})
CANCELLED: Final = frozenset({"cancelled", "canceled", "closed", "已取消", "已关闭", "交易关闭"})
_YES: Final = frozenset({"yes", "y", "true", "1", "是"})
_NO: Final = frozenset({"no", "n", "false", "0", "否"})
_WHOLE = re.compile(r"[0-9]{1,9}(\.0+)?")
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")

_TIMES: Final = ("placed_at", "paid_at", "cancelled_at", "ship_by")
# What one order can say only once; rows that differ are not one order.
_ONCE: Final = (*_TIMES, "updated_at", "status", "currency", "shipping", "paid_amount")
# The house's name: the file's column, when they differ.
_ORDER: Final = {
    "external_id": "order_number",
    "shipping_amount": "shipping",
    "buyer_key": "buyer",
    "buyer_note": "note",
}
_ADDRESS: Final = {"line": "address"}
_LINE: Final = {"external_id": "line_number", "sku_code": "sku", "is_cancelled": "line_cancelled"}
_ORDER_FIELDS: Final = (
    *("external_id", *_TIMES, "cancel_reason", "currency", "shipping_amount", "paid_amount"),
    *("buyer_key", "buyer_note", "seller_note"),
)
_ADDRESS_FIELDS: Final = ("country", "province", "city", "district", "line", "name", "phone")
_LINE_FIELDS: Final = (
    "original_line",
    "external_id",
    "sku_code",
    "title",
    "quantity",
    "unit_price",
    "discount",
    "is_cancelled",
)


def translate(raw: RawMessage, connection: Connection) -> Incoming:
    """Return the order or the return in a message; raises ``Untranslatable`` naming row, column and value.

    Times without an offset are read in the channel's ``time_zone`` option, Asia/Shanghai when it names none. A place
    that the rows do not say is that of their store, in the option ``stores``.
    """
    told = fields.decode(raw.payload)
    rows = _rows(told)
    zone = ZoneInfo(connection.options.get("time_zone", USUAL_ZONE))
    whole = _merged(rows)
    remarks: list[Sentence] = []
    where = f"{rows[0]['row']}:"
    values = _picked(whole, _ORDER_FIELDS, _ORDER, partial(_order_value, zone))
    values["revision"] = read.revision(rows)
    values.setdefault("currency", connection.currency)
    if raw.kind == "refund":
        values |= {"order_number": whole.get("order_number"), "revision": raw.revision}
        back = [_line(_unsigned(row), place, remarks) for place, row in enumerate(rows, start=1)]
        return returns.refund(_about(told, raw), Fields(values, remarks, where), back)
    if "type" in whole:
        values.setdefault("paid_at", values.get("placed_at"))
    _check_status(values, whole, Fields(whole, remarks, where))
    return facts.order(
        Fields(values, remarks, where, _ORDER),
        to=Fields(_place(whole, where, connection), remarks, where, _ADDRESS),
        lines=[_line(row, place, remarks) for place, row in enumerate(rows, start=1)],
        currency=connection.currency,
    )


def _rows(told: Mapping[str, Any]) -> list[read.Row]:
    rows = told.get("rows")
    if not isinstance(rows, list) or not rows or not all(map(_is_row, rows)):
        raise Untranslatable("no_lines", say("The message holds no rows of a file."))
    return rows


def _about(told: Mapping[str, Any], raw: RawMessage) -> str:
    """Return the number a return is about, empty when nobody said it."""
    return raw.external_id if told.get("about") == raw.external_id else ""


def _unsigned(row: read.Row) -> read.Row:
    return {name: returns.positive(text) if name in _SIGNED else text for name, text in row.items()}


def _place(whole: read.Row, where: str, connection: Connection) -> dict[str, Any]:
    to = _picked(whole, _ADDRESS_FIELDS, _ADDRESS, _as_is)
    if "province" in to or "store" not in whole:
        return to
    store = returns.place(whole["store"], connection.options)
    if store is None:
        raise returns.no_such_store(where, whole["store"])
    return {**store, **to}


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and "row" in row and all(isinstance(text, str) for text in row.values())


def _merged(rows: Sequence[read.Row]) -> read.Row:
    """Return what the rows say of the order: each column's first filled cell."""
    whole: read.Row = {}
    for row in rows:
        for column, text in row.items():
            if column in _ONCE and whole.get(column, text) != text:
                raise Untranslatable("rows_disagree", _disagreement(row, column, whole[column]))
            whole.setdefault(column, text)
    return whole


def _disagreement(row: read.Row, column: str, before: str) -> Sentence:
    return say(
        "%(row)s:%(column)s is %(value)s, but an earlier row of this order says %(before)s.",
        row=row["row"],
        column=column,
        value=texts.shown(row[column]),
        before=texts.shown(before),
    )


def _check_status(values: Mapping[str, Any], whole: read.Row, reader: Fields) -> None:
    """Check that the status column and the times tell the same story: what is paid or cancelled has to say when."""
    status = whole.get("status", "").casefold()
    if status in CANCELLED and "cancelled_at" not in values:
        reader.missing("cancelled_at")
    if status in PAID and "paid_at" not in values:
        reader.missing("paid_at")
    if status in UNPAID and "paid_at" in values:
        reader.bad_value("status", "bad_value")
    if status and status not in PAID | UNPAID | CANCELLED:
        raise Untranslatable(
            "unknown_status",
            say(
                "%(field)s is %(value)s, a status that docs/file-import.md does not name.",
                field=reader.label("status"),
                value=texts.shown(status),
            ),
        )


def _line(row: read.Row, place: int, remarks: list[Sentence]) -> Fields:
    values = _picked(row, _LINE_FIELDS, _LINE, _line_value)
    values.setdefault("external_id", str(place))
    return Fields(values, remarks, f"{row['row']}:", _LINE)


def _picked(
    row: read.Row, names: Sequence[str], columns: Mapping[str, str], convert: Callable[[str, str], Any]
) -> dict[str, Any]:
    """Return the filled cells of ``row`` under the house's names, converted."""
    cells = ((name, row.get(columns.get(name, name), "")) for name in names)
    return {name: convert(name, text) for name, text in cells if text}


def _as_is(name: str, text: str) -> str:
    return text


def _order_value(zone: tzinfo, name: str, text: str) -> str:
    if name in _TIMES:
        return _time(text, zone)
    return _amount(text) if name in {"shipping_amount", "paid_amount"} else text


def _line_value(name: str, text: str) -> object:
    if name == "quantity":
        return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else text
    if name == "is_cancelled":
        return _FLAGS.get(text.casefold(), text)
    return _amount(text) if name in {"unit_price", "discount"} else text


_SIGNED: Final = frozenset({"quantity", "unit_price", "discount"})
_FLAGS: Final[Mapping[str, bool]] = MappingProxyType({**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)})


def _time(text: str, zone: tzinfo) -> str:
    """Return a time with its offset, or the text as it is for the reader to refuse."""
    read_time = moments.moment(text, zone)
    return read_time.isoformat() if read_time else text


def _amount(text: str) -> str:
    """Return an amount without currency sign and thousands separators."""
    plain = text.strip().lstrip("¥￥$").strip()
    return plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
