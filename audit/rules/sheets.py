"""The first sheet of a workbook as CSV: ``python -m audit.rules.sheets FILE`` writes it to its output.

A workbook's reader unpacks the whole sheet into memory, and a process that lives on keeps it. So it is a program of its
own that ends before its rows are used.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

NO_WORKBOOK: Final = 3  # the exit code when the file is none; why stands in the error output
_DIGITS_A_SHEET_KEEPS: Final = 15


def main() -> int:
    """Write the sheet; returns the exit code."""
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        csv.writer(sys.stdout).writerows(rows(Path(sys.argv[1])))
    except CalamineError as error:
        sys.stderr.write(str(error)[:200])
        return NO_WORKBOOK
    return 0


def rows(path: Path) -> Iterator[list[str]]:
    """Yield the cells of each row of the first sheet. Raises ``CalamineError`` for what is no workbook."""
    with CalamineWorkbook.from_path(path) as workbook:
        sheet = workbook.get_sheet_by_index(0)
        # iter_rows starts at the first filled row, which is the header.
        for cells in sheet.iter_rows():
            yield [_cell(value) for value in cells]


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


if __name__ == "__main__":
    sys.exit(main())
