"""Finding the SKUs for which codes, barcodes and titles of a shop stand: few queries, however many are asked for."""

from collections import defaultdict
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Replace, Upper

from channels.rules import matching
from channels.rules.matching import Asked, Guess, Known, Similar
from inventory.models import Sku

# An index of names for one call: comparing every title with every name takes minutes for a large shop.
_NAMES = """
CREATE TEMPORARY TABLE named_skus ON COMMIT DROP AS
       SELECT id, name FROM inventory_sku WHERE is_active AND name <> ''
       UNION ALL SELECT id, name_en FROM inventory_sku WHERE is_active AND name_en <> '';
CREATE INDEX named_skus_trigrams ON named_skus USING gin (name gin_trgm_ops);
ANALYZE named_skus;
SET LOCAL pg_trgm.similarity_threshold = 0.2
"""
# Half of it says how alike the two are as a whole, half how much of our name stands in the shop's longer title.
_BY_NAME = """
SELECT wanted.place, best.id, best.likeness
  FROM unnest(%s::int[], %s::text[]) AS wanted (place, title)
 CROSS JOIN LATERAL (
       SELECT sku.id, max(similarity(sku.name, wanted.title) + word_similarity(sku.name, wanted.title)) / 2 AS likeness
         FROM named_skus AS sku
        WHERE sku.name %% wanted.title
        GROUP BY sku.id
        ORDER BY likeness DESC, sku.id
        LIMIT 2
       ) AS best
 WHERE best.likeness >= %s
"""


def guesses(asked: Sequence[Asked]) -> list[Guess]:
    """Return for each listing the active SKU that it may stand for: by code or barcode, else by its name."""
    skus = _with_marks(asked)
    found = [matching.by_marks(one, skus.get(place, ())) for place, one in enumerate(asked)]
    unnamed = {place: one.title for place, one in enumerate(asked) if found[place].sku_id is None and one.title}
    for place, similar in _with_names(unnamed).items():
        found[place] = matching.by_name(similar)
    return found


def _with_marks(asked: Sequence[Asked]) -> dict[int, list[Known]]:
    """Return the SKUs whose code or barcode a listing has, by the listing's place."""
    codes = {matching.plain(one.code) for one in asked} - {""}
    barcodes = {matching.plain(one.barcode) for one in asked} - {""}
    plain_code = Upper(Replace("code", Value(" ")))
    rows = Sku.objects.filter(is_active=True).annotate(plain_code=plain_code)
    wanted = rows.filter(Q(plain_code__in=codes) | Q(barcode__in=barcodes))
    by_mark: dict[str, list[Known]] = defaultdict(list)
    for sku_id, code, barcode in wanted.order_by("pk").values_list("pk", "code", "barcode"):
        known = Known(sku_id, code, barcode)
        for mark in {f"code {matching.plain(code)}", f"barcode {matching.plain(barcode)}"}:
            by_mark[mark].append(known)
    return {
        place: by_mark.get(f"code {matching.plain(one.code)}", [])
        + (by_mark.get(f"barcode {matching.plain(one.barcode)}", []) if matching.plain(one.barcode) else [])
        for place, one in enumerate(asked)
    }


def _with_names(titles: dict[int, str]) -> dict[int, list[Similar]]:
    """Return the two SKUs whose names are most like each title, by the title's place."""
    if not titles:
        return {}
    found: dict[int, list[Similar]] = defaultdict(list)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NAMES)
        cursor.execute(_BY_NAME, [list(titles), list(titles.values()), matching.LEAST_LIKENESS])
        for place, sku_id, likeness in cursor.fetchall():
            found[place].append(Similar(sku_id, likeness))
        cursor.execute("DROP TABLE named_skus")  # inside another transaction it would stay until that one ends
    return found
