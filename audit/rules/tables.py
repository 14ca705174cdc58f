"""Rows of text out of a CSV or XLSX file, one after another."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

from audit.rules.sentences import Sentence, say

_BLOCK: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_DIGITS_A_SHEET_KEEPS: Final = 15
_LONGEST_CELL: Final = 1 << 17


class UnreadableFile(Exception):
    """A file of which nothing can be read, and what to do about it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


def rows(path: Path) -> Iterator[Sequence[str] | None]:
    """Yield the cells of each row, the header first; None stands for a row that cannot be read.

    A CSV file is read line by line. Of an XLSX file the first sheet is read, row by row from the unpacked sheet.
    Raises ``UnreadableFile`` for a file that is neither.
    """
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xls"}:
        return _sheet_rows(path)
    return _csv_rows(path)


def _sheet_rows(path: Path) -> Iterator[list[str] | None]:
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            # iter_rows starts at the first filled row, which is the header.
            for cells in sheet.iter_rows():
                yield [_cell(value) for value in cells]
    except CalamineError as error:
        raise UnreadableFile(
            say("%(file)s is not a workbook that can be read: %(error)s.", file=path.name, error=str(error)[:200])
        ) from error


def _cell(value: object) -> str:
    """Return a cell as the sheet shows it: numbers with the fifteen digits a sheet keeps, times as ISO 8601."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _number(float(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value).strip()


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 10**_DIGITS_A_SHEET_KEEPS:
        return str(int(value))
    return f"{value:.{_DIGITS_A_SHEET_KEEPS}g}"


def _csv_rows(path: Path) -> Iterator[list[str] | None]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_encoding(path), newline="") as lines:
        header = lines.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        yield next(csv.reader([header], delimiter=delimiter), [])
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
            else:
                yield cells


def _encoding(path: Path) -> str:
    """Return the encoding in which the whole file can be read: by its mark, else UTF-8, else GB18030."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _reads_as(path, encoding):
            return encoding
    raise UnreadableFile(
        say("%(file)s is neither UTF-8 nor GB18030 text. Save it as CSV UTF-8 or as XLSX.", file=path.name)
    )


def _reads_as(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def is_empty(cells: Sequence[str]) -> bool:
    """Return whether a row holds nothing."""
    return not any(cell.strip() for cell in cells)
