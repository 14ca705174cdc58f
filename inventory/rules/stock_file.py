"""The columns of a stock file, and what one row of it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from audit.rules.sentences import Sentence, say
from inventory.rules.lots import code_of

# Our word: the other words that mean it. Case, spaces, underscores and hyphens do not matter.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "sku": ("sku code", "商家编码", "货号", "SKU编码"),
    "node": ("node code", "warehouse", "location", "仓库", "节点", "仓库编码"),
    "on_hand": ("stock", "quantity", "现有库存", "库存", "库存数量"),
    "change": ("difference", "变动", "增减"),
    "lot": ("lot code", "batch", "批次", "批号", "批次号"),
    "expires": ("expires on", "expiry", "expiry date", "效期", "有效期", "有效期至", "到期日"),
}
MOST_UNITS: Final = 100_000_000
LONGEST_CODE: Final = 64
LONGEST_LOT: Final = 40
REASONS: Final[Mapping[str, Sentence]] = {
    "unreadable": say("The row cannot be read."),
    "missing": say("SKU, node or quantity is missing."),
    "bad_number": say("The quantity is not a whole number."),
    "negative": say("Stock on hand cannot be negative."),
    "unknown_sku": say("There is no such SKU."),
    "unknown_node": say("There is no such node."),
    "bundle": say("A bundle has no stock of its own: import its parts."),
    "twice": say("An earlier row names the same SKU and node."),
    "twice_lot": say("An earlier row names the same SKU, node and lot."),
    "bad_date": say("The date is not like 2026-12-31."),
    "no_lots": say("This SKU has no lots."),
    "lot_date": say("The lot is known with another date. Correct one of the two."),
    "past_date": say("The lot is past its date."),
    "promised": say("More units are reserved or held than would be left."),
}


class UnreadableStockFile(Exception):
    """A file of which nothing can be read, and what to do about it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Columns:
    """Where the file keeps what; ``is_change`` says that it adds and removes instead of saying how many there are.

    A file that names lots speaks of each lot by itself: of goods with lots, a row without one is of the unlabelled lot.
    """

    sku: int
    node: int
    units: int
    is_change: bool
    lot: int | None = None
    expires: int | None = None

    @property
    def names_lots(self) -> bool:
        """Return whether the file speaks of lots."""
        return self.lot is not None or self.expires is not None


@dataclass(frozen=True)
class FileRow:
    """One row: its number in the file (the header is 1), its words, its units, and why it cannot be used, if so."""

    row_number: int
    sku: str
    node: str
    units: int | None
    code: str
    lot: str = ""
    expires: date | None = None


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
        found.index("sku"),
        found.index("node"),
        found.index("change" if is_change else "on_hand"),
        is_change,
        lot=found.index("lot") if "lot" in found else None,
        expires=found.index("expires") if "expires" in found else None,
    )


def read(rows: Iterator[Sequence[str] | None], columns: Columns) -> Iterator[FileRow]:
    """Yield each filled row after the header."""
    width = max(columns.sku, columns.node, columns.units, columns.lot or 0, columns.expires or 0) + 1
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
    if not columns.names_lots:
        return FileRow(row_number, sku, node, units, code)
    lot, expires, lot_code = _lot(cells, columns)
    return FileRow(row_number, sku, node, units, code or lot_code, lot, expires)


def _lot(cells: Sequence[str], columns: Columns) -> tuple[str, date | None, str]:
    """Return the lot of a row, its date, and why they cannot be used, if so."""
    named = _code(cells[columns.lot]) if columns.lot is not None else ""
    words = cells[columns.expires].strip() if columns.expires is not None else ""
    if "\0" in named or len(named) > LONGEST_LOT:
        return named.replace("\0", "")[:LONGEST_LOT], None, "unreadable"
    try:
        expires = date.fromisoformat(words.replace("/", "-").removesuffix(" 00:00:00")) if words else None
    except ValueError:
        return named, None, "bad_date"
    return code_of(named, expires), expires, ""


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
