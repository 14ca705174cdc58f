"""Words that the builder offers: what rules have named before, and what somebody above this app knows."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, cast

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

MOST: Final = 200
PATHS: Final = {
    "tiers": "$.condition.**.tiers[*]",
    "segments": "$.condition.**.segments[*]",
    "payments": "$.condition.**.methods[*]",
}


def known(kind: str) -> list[str]:
    """Return the tiers, groups of buyers or ways to pay that there are, as far as anybody knows. One or two queries."""
    path = settings.PROMOTION_WORDS.get(kind)
    elsewhere = _known_by(path)() if path else ()
    return sorted({*_named(kind), *elsewhere})[:MOST]


def _named(kind: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT word #>> '{}' AS word
              FROM promotions_promotionversion AS version, jsonb_path_query(version.body, %s::jsonpath) AS word
             ORDER BY 1 LIMIT %s
            """,
            [PATHS[kind], MOST],
        )
        return [word for (word,) in cursor.fetchall()]


@cache
def _known_by(path: str) -> Callable[[], Iterable[str]]:
    return cast(Callable[[], Iterable[str]], import_string(path))
