"""What became of each row of a stock file, in the words of whoever reads it: reasons are kept by their codes."""

import csv
import gzip
import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from audit.models.sentences import render
from inventory.models import StockImport
from inventory.rules import stock_file

SHOWN: Final = 20
_BECAUSE: Final = "refused_because"
_ROWS_A_BLOCK: Final = 1_000
_MARK: Final = b"\xef\xbb\xbf"  # by it a spreadsheet knows UTF-8


@dataclass(frozen=True)
class RefusedLine:
    """A refused row in the words of its file, and why."""

    row_number: int
    sku: str
    node: str
    because: str


def as_csv(document: StockImport) -> Iterator[bytes]:
    """Return the result of each row as a CSV file, piece by piece, that a spreadsheet opens without running any of it.

    Reasons are told in the language that is active now.
    """
    return _blocks(document, _words())


def refused_rows(document: StockImport, *, most: int = SHOWN) -> list[RefusedLine]:
    """Return the first refused rows of a file."""
    words = _words()
    with _lines(document) as lines:
        refused = (row for row in csv.DictReader(lines) if row[_BECAUSE])
        return [
            RefusedLine(int(row["row"]), row["sku"], row["node"], words.get(row[_BECAUSE], row[_BECAUSE]))
            for row in itertools.islice(refused, most)
        ]


def _words() -> Mapping[str, str]:
    """Return each reason by its code. What is no code stands for itself: older results were kept in words."""
    return {code: render(reason.stored()) for code, reason in stock_file.REASONS.items()}


def _blocks(document: StockImport, words: Mapping[str, str]) -> Iterator[bytes]:
    yield _MARK
    with _lines(document) as lines:
        rows = ([*cells[:-1], words.get(cells[-1], cells[-1])] for cells in csv.reader(lines))
        while block := list(itertools.islice(rows, _ROWS_A_BLOCK)):
            told = io.StringIO()
            csv.writer(told, lineterminator="\n").writerows(block)
            yield told.getvalue().encode()


def _lines(document: StockImport) -> io.TextIOWrapper:
    packed = gzip.GzipFile(fileobj=io.BytesIO(bytes(document.results or gzip.compress(b""))))
    return io.TextIOWrapper(packed, encoding="utf-8", newline="")
