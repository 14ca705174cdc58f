"""Real invoices of a UK retailer as an order file: each invoice an order, cancellation invoices what they cancel.

The data set is not part of the project (``REAL_DATA_DIR``, else ``../shared/data``). A cancellation invoice (``C…``)
names no order. It is taken to cancel the customer's latest earlier line of the same article, price and
quantity; an order all of whose lines are cancelled is a cancelled order. Other negative lines are returns of parts,
write-offs or corrections: they are counted, not imported.
"""

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pyarrow.parquet

ROOT = Path(__file__).resolve().parents[1]
FILE: Final = "online_retail/online_retail.parquet"
COLUMNS: Final = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
HEADER: Final = (
    "order_number", "placed_at", "paid_at", "cancelled_at", "cancel_reason", "country", "province", "buyer", "sku",
    "title", "quantity", "unit_price", "line_cancelled",
)  # fmt: skip
CODES: Final = {
    "United Kingdom": "GB", "Germany": "DE", "EIRE": "IE", "France": "FR", "Spain": "ES", "Netherlands": "NL",
    "Belgium": "BE", "Switzerland": "CH", "Australia": "AU", "Portugal": "PT", "Norway": "NO", "Channel Islands": "GB",
    "Finland": "FI", "Italy": "IT", "Cyprus": "CY", "Sweden": "SE", "Japan": "JP", "Austria": "AT", "Poland": "PL",
    "Denmark": "DK", "Israel": "IL", "Hong Kong": "HK", "Singapore": "SG", "Canada": "CA", "Iceland": "IS",
    "Greece": "GR", "Malta": "MT", "United Arab Emirates": "AE", "Lebanon": "LB", "Lithuania": "LT", "Brazil": "BR",
    "USA": "US", "Bahrain": "BH", "Czech Republic": "CZ", "Saudi Arabia": "SA", "RSA": "ZA",
}  # fmt: skip
NOWHERE: Final = "ZZ"  # "Unspecified" and the like: such an order must be held, not guessed


@dataclass
class Line:
    """One row of an invoice."""

    sku: str
    title: str
    quantity: int
    price: Decimal
    cancelled_at: datetime | None = None


@dataclass
class Invoice:
    """One invoice that is an order."""

    number: str
    placed_at: datetime
    buyer: str
    country: str
    lines: list[Line] = field(default_factory=list)

    @property
    def cancelled_at(self) -> datetime | None:
        """Return when the last line was cancelled, when all are."""
        times = [line.cancelled_at for line in self.lines if line.cancelled_at]
        return max(times) if times and len(times) == len(self.lines) else None


@dataclass
class Book:
    """All orders of the data set, and what was left out of it."""

    invoices: list[Invoice] = field(default_factory=list)
    lines_left_out: int = 0
    titles: dict[str, str] = field(default_factory=dict)

    def sold(self) -> Counter[str]:
        """Return the units of each article that were sold and not cancelled."""
        units: Counter[str] = Counter()
        for invoice in self.invoices:
            for line in invoice.lines:
                units[line.sku] += 0 if line.cancelled_at else line.quantity
        return units


Row = tuple[str, str, str | None, int, datetime, float, int | None, str]


def source() -> Path:
    """Return where the data set lies, whether it is there or not."""
    return Path(os.environ.get("REAL_DATA_DIR") or ROOT.parent / "shared" / "data") / FILE


def read(path: Path) -> Book:
    """Read the data set's invoices in their order."""
    return book(_rows(path))


def book(rows: Iterable[Row]) -> Book:
    """Make orders out of invoice rows, and let the cancellation invoices cancel."""
    kept = Book()
    open_lines: defaultdict[tuple[int | None, str, int, float], list[Line]] = defaultdict(list)
    by_number: dict[str, list[Row]] = {}
    for row in rows:
        by_number.setdefault(row[0], []).append(row)  # a few invoices stand in two places
    for number, group in by_number.items():
        if number.startswith("C"):
            kept.lines_left_out += sum(not _cancel(open_lines, row) for row in group)
        else:
            _add_invoice(kept, open_lines, group)
    return kept


def write(kept: Book, path: Path) -> None:
    """Write the orders as the file that ``manage.py import_orders`` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for invoice in kept.invoices:
            writer.writerows(_cells(invoice))


def _rows(path: Path) -> Iterator[Row]:
    table = pyarrow.parquet.read_table(path, columns=list(COLUMNS))
    return zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True)


def _cancel(open_lines: dict[tuple[int | None, str, int, float], list[Line]], row: Row) -> bool:
    """Cancel the latest earlier line that this row of a cancellation invoice can mean; tell whether there was one."""
    _number, sku, _title, quantity, at, price, buyer, _country = row
    candidates = open_lines.get((buyer, sku.strip(), -quantity, price)) if buyer is not None else None
    if not candidates:
        return False
    candidates.pop().cancelled_at = at
    return True


def _add_invoice(
    kept: Book, open_lines: defaultdict[tuple[int | None, str, int, float], list[Line]], rows: list[Row]
) -> None:
    number, _sku, _title, _quantity, _at, _price, buyer, country = rows[0]
    invoice = Invoice(number, min(row[4] for row in rows), "" if buyer is None else str(buyer), country)
    for _number, sku, title, quantity, _at, price, _buyer, _country in rows:
        if quantity <= 0 or price < 0:
            kept.lines_left_out += 1
            continue
        line = Line(sku.strip(), (title or sku).strip(), quantity, Decimal(str(price)))
        kept.titles.setdefault(line.sku, line.title)
        invoice.lines.append(line)
        open_lines[buyer, line.sku, quantity, price].append(line)
    if invoice.lines:
        kept.invoices.append(invoice)


def _cells(invoice: Invoice) -> Iterator[tuple[str, ...]]:
    placed_at = invoice.placed_at.isoformat(sep=" ", timespec="seconds")
    cancelled_at = invoice.cancelled_at
    for line in invoice.lines:
        yield (
            invoice.number,
            placed_at,
            placed_at,
            cancelled_at.isoformat(sep=" ", timespec="seconds") if cancelled_at else "",
            "cancellation invoice" if cancelled_at else "",
            CODES.get(invoice.country, NOWHERE),
            invoice.country,
            invoice.buyer,
            line.sku,
            line.title,
            str(line.quantity),
            str(line.price),
            "yes" if line.cancelled_at and not cancelled_at else "",
        )
