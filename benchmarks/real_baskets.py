"""Real baskets of a grocer and a UK retailer, line by line, for the promotion engine.

Neither data set is part of the project (``REAL_DATA_DIR``, else ``../shared/data``). The grocer's baskets bring its own
discounts: what the shelf and the campaigns took off is the channel's part, the rest is what was paid.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Final

import pyarrow.parquet

from benchmarks import retail_file
from promotions.rules.baskets import Basket, BasketLine

LAST_WEEK: Final = 40
_COLUMNS: Final = ("basket_id", "product_id", "quantity", "sales_value", "retail_disc", "coupon_match_disc", "week",
                   "transaction_timestamp")  # fmt: skip
_PLACES: Final = 4  # of a unit's price


def grocer_file() -> Path:
    """Return where the grocer's transactions lie, whether they are there or not."""
    return retail_file.source().parents[1] / "completejourney" / "transactions.parquet"


def grocer() -> Iterator[Basket]:
    """Yield the grocer's baskets of the first forty weeks, in the order of the file."""
    known = pyarrow.parquet.read_table(
        grocer_file().with_name("products.parquet"), columns=["product_id", "product_category", "brand"]
    )
    goods = {product: (category or "", brand or "") for product, category, brand in zip(
        *(known.column(name).to_pylist() for name in known.column_names), strict=True)}  # fmt: skip
    lines: dict[int, list[BasketLine]] = {}
    placed = {}
    for table in pyarrow.parquet.ParquetFile(grocer_file()).iter_batches(columns=list(_COLUMNS)):
        for basket, product, quantity, paid, shelf, matched, week, at in zip(
            *(table.column(name).to_pylist() for name in _COLUMNS), strict=True
        ):
            if week > LAST_WEEK or quantity <= 0:
                continue
            placed[basket] = at
            numbered = lines.setdefault(basket, [])
            category, brand = goods.get(product, ("", ""))
            off = max(shelf, 0) + max(matched, 0)
            numbered.append(
                BasketLine(
                    len(numbered) + 1, product, quantity, Decimal(str(round((paid + off) / quantity, _PLACES))),
                    Decimal(str(round(off, 2))), str(product), category, brand,
                )
            )  # fmt: skip
    for basket, numbered in lines.items():
        yield Basket(str(basket), "POS", "USD", tuple(numbered), placed_at=placed[basket].replace(tzinfo=UTC))


def retailer() -> Iterator[Basket]:
    """Yield the UK retailer's invoices; the first two signs of an article stand for its category."""
    for invoice in retail_file.read(retail_file.source()).invoices:
        lines = tuple(
            BasketLine(number, number, line.quantity, line.price, sku=line.sku, category=line.sku[:2])
            for number, line in enumerate(invoice.lines, start=1)
        )
        placed_at = invoice.placed_at.replace(tzinfo=UTC)
        region = retail_file.CODES.get(invoice.country, "")
        yield Basket(invoice.number, "WEB", "GBP", lines, Decimal(5), placed_at, region, buyer=invoice.buyer)


def most_sold(baskets: list[Basket]) -> tuple[list[str], list[str]]:
    """Return the twenty categories and sixty SKUs that stand in the most lines."""
    categories: Counter[str] = Counter()
    skus: Counter[str] = Counter()
    for basket in baskets:
        categories.update(line.category for line in basket.lines if line.category)
        skus.update(line.sku for line in basket.lines)
    return [word for word, _n in categories.most_common(20)], [word for word, _n in skus.most_common(60)]
