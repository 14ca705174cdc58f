"""A file becomes raw messages: the rows of one order together, as JSON."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from audit.rules.sentences import Sentence, say
from channels.adapters.file import columns, moments, tables
from channels.messages import RawMessage
from channels.rules import texts

WINDOW_ROWS: Final = 5000
_LONGEST_NUMBER: Final = 80
_DAMAGED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]+")
Row = dict[str, str]


@dataclass(frozen=True)
class RejectedRow:
    """A row that belongs to no order, and why."""

    row_number: int
    values: Mapping[str, str]
    code: str
    reason: Sentence


def read(path: Path) -> Iterator[RawMessage | RejectedRow]:
    """Yield one raw message per order and one rejected row per row that cannot belong to any.

    Rows of one order may stand up to 5,000 rows apart; a number that comes back later is rejected, because its order
    has gone on by then. Memory holds one window of rows and eight bytes (about 60 with their set) per order. Raises
    ``UnreadableFile`` for a file of which nothing can be read.
    """
    rows = tables.rows(path)
    names = columns.understand(_header(rows))
    window = _Window()
    for row_number, cells in enumerate(rows, start=2):
        if cells is not None and tables.is_empty(cells):
            continue
        values = {name: cell.strip() for name, cell in zip(names, cells or [], strict=False) if name and cell.strip()}
        refused = _refuse(row_number, values, cells, width=len(names)) or window.add(row_number, values)
        if refused:
            yield refused
        yield from window.leave(row_number)
    yield from window.leave_all()


def _header(rows: Iterator[list[str] | None]) -> list[str]:
    return next(rows, None) or []


class _Window:
    """The orders whose rows may still come."""

    def __init__(self) -> None:
        self._open: dict[str, list[Row]] = {}
        self._opened_at: dict[str, int] = {}
        self._gone: set[int] = set()

    def add(self, row_number: int, values: Row) -> RejectedRow | None:
        number = values["order_number"]
        if number not in self._open:
            if _mark(number) in self._gone:
                return RejectedRow(row_number, values, "rows_apart", _rows_apart(number))
            self._open[number] = []
            self._opened_at[number] = row_number
        self._open[number].append({"row": str(row_number), **values})
        return None

    def leave(self, row_number: int) -> Iterator[RawMessage]:
        while self._opened_at:
            number, opened_at = next(iter(self._opened_at.items()))
            if row_number - opened_at < WINDOW_ROWS:
                return
            yield self._close(number)

    def leave_all(self) -> Iterator[RawMessage]:
        for number in list(self._open):
            yield self._close(number)

    def _close(self, number: str) -> RawMessage:
        del self._opened_at[number]
        self._gone.add(_mark(number))
        return _message(number, self._open.pop(number))


def _message(number: str, rows: Sequence[Row]) -> RawMessage:
    payload = json.dumps({"rows": rows}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return RawMessage("order", number, revision(rows), payload)


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
    if len(number) > _LONGEST_NUMBER or not texts.is_fit(number):
        why = say("order_number %(value)s is too long or has control characters.", value=texts.shown(number))
        return RejectedRow(row_number, values, "bad_value", why)
    return None


def _rows_apart(number: str) -> Sentence:
    return say(
        "Rows of order %(number)s stand more than %(window)s rows apart. Sort the file by order number.",
        number=texts.shown(number),
        window=WINDOW_ROWS,
    )


def _mark(number: str) -> int:
    return int.from_bytes(blake2b(number.encode("utf-8", "replace"), digest_size=8).digest())
