"""Rows of text out of a CSV or XLSX file, one after another."""

import codecs
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from audit.rules import sheets
from audit.rules.sentences import Sentence, say

_BLOCK: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_ROOT: Final = Path(__file__).resolve().parents[2]
_LONGEST_CELL: Final = 1 << 17


class UnreadableFile(Exception):
    """A file of which nothing can be read, and what to do about it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


def rows(path: Path) -> Iterator[Sequence[str] | None]:
    """Yield the cells of each row, the header first; None stands for a row that cannot be read.

    A CSV file is read line by line. Of an XLSX file the first sheet is read, by a process of its own.
    Raises ``UnreadableFile`` for a file that is neither.
    """
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xls"}:
        return _sheet_rows(path)
    return _csv_rows(path)


def _sheet_rows(path: Path) -> Iterator[list[str]]:
    """Yield what a process of its own has read: it takes the memory of the unpacked sheet with it when it ends."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as text:
        _unpack(path, text)
        text.seek(0)
        csv.field_size_limit(_LONGEST_CELL)
        yield from csv.reader(text)


def _unpack(path: Path, text: IO[str]) -> None:
    """Write the first sheet of a workbook as CSV. Raises ``UnreadableFile``."""
    reader = (sys.executable, "-m", sheets.__name__, str(path.absolute()))
    done = subprocess.run(reader, cwd=_ROOT, stdout=text, stderr=subprocess.PIPE, check=False)
    if done.returncode == sheets.NO_WORKBOOK:
        why = done.stderr.decode(errors="replace")
        raise UnreadableFile(say("%(file)s is not a workbook that can be read: %(error)s.", file=path.name, error=why))
    if done.returncode:
        raise UnreadableFile(say("%(file)s could not be read to its end. Save it as CSV.", file=path.name))


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
