"""A file becomes raw messages: the rows of one order together, as JSON."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeVar

from audit.rules import tables
from audit.rules.sentences import Sentence, say
from channels.adapters.file import columns, moments, returns
from channels.messages import RawMessage, Untranslatable
from channels.rules import texts

WINDOW_ROWS: Final = 5000
_LONGEST_NUMBER: Final = 80
Key = TypeVar("Key")
_DAMAGED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]+")
Row = dict[str, str]


@dataclass(frozen=True)
class RejectedRow:
    """A row that belongs to no order, and why."""

    row_number: int
    values: Mapping[str, str]
    code: str
    reason: Sentence


@dataclass(frozen=True)
class OrderRows(RawMessage):
    """The raw message of one order, or of what a receipt gave back of one, together with its rows."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Scan:
    """What a first look at a file tells: how many rows it has, and which orders stand too far apart to be read."""

    rows: int
    scattered: frozenset[int]


def scan(path: Path) -> Scan:
    """Look through a file once; raises ``UnreadableFile`` for one of which nothing can be read.

    Memory holds eight bytes (about 60 with their set) per order and one window of rows.
    """
    window, gone, scattered = dict[int, int](), set[int](), set[int]()
    row_number = count = 0
    for row_number, values, _refused in _rows(path):
        count += 1
        mark = _mark(values.get("order_number", ""))
        if mark in gone:
            scattered.add(mark)
        else:
            window.setdefault(mark, row_number)
        for old in _left_behind(window, row_number):
            del window[old]
            gone.add(old)
    return Scan(count, frozenset(scattered - {_mark("")}))


def read(path: Path, seen: Scan | None = None) -> Iterator[OrderRows | RejectedRow]:
    """Yield one raw message per order and per return, and one rejected row per row that cannot belong to any.

    Rows of one order may stand up to 5,000 rows apart. An order that stands further apart is rejected whole, because
    half of it would be shipped otherwise. ``seen`` saves the first look. Raises ``UnreadableFile``.
    """
    seen = seen or scan(path)
    waiting: dict[str, list[Row]] = {}
    opened_at: dict[str, int] = {}
    for row_number, values, refused in _rows(path):
        number = values.get("order_number", "")
        if refused is None and _mark(number) in seen.scattered:
            refused = RejectedRow(row_number, values, "rows_apart", _rows_apart(number))
        if refused:
            yield refused
            continue
        opened_at.setdefault(number, row_number)
        waiting.setdefault(number, []).append({"row": str(row_number), **values})
        for old in _left_behind(opened_at, row_number):
            del opened_at[old]
            yield from _messages(old, waiting.pop(old))
    for number, rows in waiting.items():
        yield from _messages(number, rows)


def _left_behind(opened_at: Mapping[Key, int], row_number: int) -> list[Key]:
    """Return the orders whose window has passed, the oldest first."""
    return list(takewhile(lambda key: row_number - opened_at[key] >= WINDOW_ROWS, opened_at))


def _rows(path: Path) -> Iterator[tuple[int, Row, RejectedRow | None]]:
    """Yield each filled row with its number in the file (the header is row 1) and what is wrong with it."""
    rows = tables.rows(path)
    header = next(rows, None)
    names = columns.understand(header or [])
    for row_number, cells in enumerate(rows, start=2):
        if cells is None or not tables.is_empty(cells):
            values = {
                name: cell.strip() for name, cell in zip(names, cells or [], strict=False) if name and cell.strip()
            }
            yield row_number, values, _refuse(row_number, values, cells, width=len(names))


def _messages(number: str, rows: Sequence[Row]) -> Iterator[OrderRows]:
    """Yield what a number's rows say: the order, then what was given back, each by the order it is about."""
    sold, given = returns.split(number, rows)
    if sold:
        yield OrderRows("order", number, revision(sold), _payload(rows=sold), tuple(sold))
    for about, back in given.items():
        told = revision(back) // 1000 * 1000 + returns.rank(number)
        yield OrderRows("refund", about or number, told, _payload(rows=back, about=about), tuple(back))


def _payload(**said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def revision(rows: Sequence[Row]) -> int:
    """Return the order's latest change in epoch milliseconds: the same file again says the same."""
    told = [row["updated_at"] for row in rows if "updated_at" in row]
    times = told or [row[name] for row in rows for name in ("placed_at", "paid_at", "cancelled_at") if name in row]
    return max([moments.epoch_milliseconds(text) for text in times], default=0)


def _refuse(row_number: int, values: Row, cells: Sequence[str] | None, *, width: int) -> RejectedRow | None:
    if cells is None:
        why = say("The row cannot be read; look for a quotation mark that is not closed, or a very long cell.")
        return RejectedRow(row_number, values, "unreadable_row", why)
    if any(cell.strip() for cell in cells[width:]):
        why = say("The row has %(cells)s cells, the header has %(width)s.", cells=len(cells), width=width)
        return RejectedRow(row_number, values, "too_many_cells", why)
    number = values.get("order_number", "")
    if not number:
        return RejectedRow(row_number, values, "missing_field", say("order_number is missing."))
    if _DAMAGED.fullmatch(number):
        why = say(
            "order_number %(value)s has lost digits in a spreadsheet. Format the column as text and export it again.",
            value=number,
        )
        return RejectedRow(row_number, values, "damaged_number", why)
    for name in ("order_number", "original_number"):
        told = values.get(name, "")
        if len(told) > _LONGEST_NUMBER or not texts.is_fit(told):
            what = {"field": name, "value": texts.shown(told)}
            why = say("%(field)s %(value)s is too long or has control characters.", **what)
            return RejectedRow(row_number, values, "bad_value", why)
    return _refuse_type(row_number, values)


def _refuse_type(row_number: int, values: Row) -> RejectedRow | None:
    try:
        returns.is_return(values)
    except Untranslatable as refused:
        return RejectedRow(row_number, values, refused.code, refused.reason)
    return None


def _rows_apart(number: str) -> Sentence:
    return say(
        "Rows of order %(number)s stand more than %(window)s rows apart. Sort the file and import it again.",
        number=texts.shown(number),
        window=WINDOW_ROWS,
    )


def _mark(number: str) -> int:
    return int.from_bytes(blake2b(number.encode("utf-8", "replace"), digest_size=8).digest())
