"""The columns of a stock file, and what one row of it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audit.rules.sentences import Sentence, say

# Our word: the other words that mean it. Case, spaces, underscores and hyphens do not matter.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "sku": ("sku code", "商家编码", "货号", "SKU编码"),
    "node": ("node code", "warehouse", "location", "仓库", "节点", "仓库编码"),
    "on_hand": ("stock", "quantity", "现有库存", "库存", "库存数量"),
    "change": ("difference", "变动", "增减"),
}
MOST_UNITS: Final = 100_000_000
LONGEST_CODE: Final = 64
REASONS: Final[Mapping[str, Sentence]] = {
    "unreadable": say("The row cannot be read."),
    "missing": say("SKU, node or quantity is missing."),
    "bad_number": say("The quantity is not a whole number."),
    "negative": say("Stock on hand cannot be negative."),
    "unknown_sku": say("There is no such SKU."),
    "unknown_node": say("There is no such node."),
    "bundle": say("A bundle has no stock of its own: import its parts."),
    "twice": say("An earlier row names the same SKU and node."),
    "promised": say("More units are reserved or held than would be left."),
}


class UnreadableStockFile(Exception):
    """A file of which nothing can be read, and what to do about it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Columns:
    """Where the file keeps what; ``is_change`` says that it adds and removes instead of saying how many there are."""

    sku: int
    node: int
    units: int
    is_change: bool


@dataclass(frozen=True)
class FileRow:
    """One row: its number in the file (the header is 1), its words, its units, and why it cannot be used, if so."""

    row_number: int
    sku: str
    node: str
    units: int | None
    code: str


def _plain(word: str) -> str:
    return "".join(mark for mark in word.casefold() if mark not in " _-*\t　\ufeff")


_MEANING: Final = {_plain(word): column for column, words in ALIASES.items() for word in (column, *words)}


def understand(header: Sequence[str]) -> Columns:
    """Return where the columns are. Raises ``UnreadableStockFile`` when one is missing or there twice."""
    found = [_MEANING.get(_plain(word), "") for word in header]
    if any(found.count(name) > 1 for name in ALIASES):
        raise UnreadableStockFile(say("Two columns of the file mean the same. Remove one."))
    if "sku" not in found or "node" not in found or ("on_hand" in found) == ("change" in found):
        raise UnreadableStockFile(
            say(
                "The file needs the columns sku, node and either on_hand or change. Its columns are: %(found)s.",
                found=", ".join(word.strip() for word in header if word.strip())[:200] or "–",
            )
        )
    is_change = "change" in found
    return Columns(
        found.index("sku"), found.index("node"), found.index("change" if is_change else "on_hand"), is_change
    )


def read(rows: Iterator[Sequence[str] | None], columns: Columns) -> Iterator[FileRow]:
    """Yield each filled row after the header."""
    width = max(columns.sku, columns.node, columns.units) + 1
    for row_number, cells in enumerate(rows, start=2):
        if cells is None:
            yield FileRow(row_number, "", "", None, "unreadable")
        elif any(cells):
            yield _row(row_number, [*cells, *[""] * (width - len(cells))], columns)


def _row(row_number: int, cells: Sequence[str], columns: Columns) -> FileRow:
    sku, node = _code(cells[columns.sku]), _code(cells[columns.node])
    words = cells[columns.units].strip()
    units, code = _units(words, is_change=columns.is_change)
    if not (sku and node and words):
        code = "missing"
    if "\0" in sku + node or max(len(sku), len(node)) > LONGEST_CODE:
        sku, node, code = sku.replace("\0", "")[:LONGEST_CODE], node.replace("\0", "")[:LONGEST_CODE], "unreadable"
    return FileRow(row_number, sku, node, units, code)


def _code(cell: str) -> str:
    """Return a code without the mark that an export puts before what a spreadsheet would run."""
    words = cell.strip()
    return words[1:] if words[:1] == "'" and words[1:2] in tuple("=+-@") else words


def _units(words: str, *, is_change: bool) -> tuple[int | None, str]:
    digits = words[1:] if words[:1] in ("-", "+") else words
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(MOST_UNITS)) or int(digits) > MOST_UNITS:
        return None, "bad_number"
    units = -int(digits) if words.startswith("-") else int(digits)
    return units, "negative" if units < 0 and not is_change else ""
