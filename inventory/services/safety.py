"""Writing what rules ask for into the stock levels, so that every promise reads one plain column.

Whoever writes ``StockLevel.safety_stock`` locks the levels in primary-key order and reads the rules after that: the
last one to hold the locks has seen every published rule. A changed level leaves a ``SafetyChange`` in the same
statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services.transactions import atomic_with_retry
from inventory.models import Sku
from inventory.queries import safety as looks
from inventory.rules.safety import MOST_UNITS, Book
from inventory.services import refusals, signals
from inventory.services.levels import LevelKey, LevelsChanged
from inventory.services.refusals import RefusedRow

JOB = Actor("job", "safety")
SKUS_A_PAGE = 200
LEVELS_A_STEP = 5000
_LOCK = """
SELECT count(*) FROM (SELECT FROM inventory_stocklevel WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE) AS locked
"""
_LOCK_PAIRS = """
SELECT id, sku_id, node_id FROM inventory_stocklevel
 WHERE (sku_id, node_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[])) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE = f"""
WITH asked AS (
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::bigint[]) AS asked (id, before, after, rule_id)
), changed AS (
    UPDATE inventory_stocklevel AS level SET safety_stock = asked.after
      FROM asked WHERE level.id = asked.id AND level.safety_stock = asked.before
    RETURNING level.sku_id, level.node_id, asked.before, asked.after, asked.rule_id
), {signals.WITH_CHANGE}
INSERT INTO inventory_safetychange (sku_id, node_id, before, after, rule_id, actor, changed_at)
SELECT sku_id, node_id, before, after, rule_id, %s, %s FROM changed ORDER BY sku_id, node_id
"""


@transaction.atomic
def settle(level_ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Bring these levels to what the rules ask for at this moment; returns how many changed.

    The rules are read under the levels' locks, which the caller may hold already.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(level_ids)])
    rules = looks.rules_at(at)
    found = looks.levels("level.id = ANY(%s)", [list(level_ids)], books=(rules,), at=at)
    return _write(_differing(found, rules), actor, at)


def refresh(*, at: datetime) -> int:
    """Bring every level to what the rules ask for now, some SKUs at a time; returns how many changed.

    Only levels whose figure changes are locked, and those of a page only for as long as the page takes.
    """
    return sum(_refresh_page(page, at) for page in _pages())


@transaction.atomic
def set_own(units: Mapping[LevelKey, int], *, actor: Actor, at: datetime) -> int:
    """Set the own figure of levels, which holds where no rule fits; returns how many levels keep back another figure.

    Raises ``RowsRefused`` (and changes nothing) for units that are no stock and for levels that are not there.
    """
    keys = sorted(units)
    wrong = [
        RefusedRow(row, say("Between 0 and %(most)s units can be kept back.", most=MOST_UNITS))
        for row, key in enumerate(keys, start=1)
        if not 0 <= units[key] <= MOST_UNITS
    ]
    refusals.refuse_if_any(wrong)
    ids = _lock_pairs(keys)
    names = refusals.names_of([key for key in keys if key not in ids])
    missing = [
        RefusedRow(row, say("%(sku)s was never in stock at %(node)s.", sku=names[key][0], node=names[key][1]))
        for row, key in enumerate(keys, start=1)
        if key not in ids
    ]
    refusals.refuse_if_any(missing)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stocklevel AS level SET own_safety_stock = told.units"
            " FROM unnest(%s::bigint[], %s::int[]) AS told (id, units) WHERE level.id = told.id",
            [[ids[key] for key in keys], [units[key] for key in keys]],
        )
    return settle(sorted(ids.values()), actor=actor, at=at)


def _lock_pairs(keys: Sequence[LevelKey]) -> dict[LevelKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_PAIRS, [[sku for sku, _node in keys], [node for _sku, node in keys]])
        return {(sku_id, node_id): level_id for level_id, sku_id, node_id in cursor.fetchall()}


def _pages() -> Iterator[tuple[int, int]]:
    """Return the first and last SKU of each page."""
    last = 0
    while page := list(Sku.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SKUS_A_PAGE]):
        last = page[-1]
        yield page[0], last


def _refresh_page(page: tuple[int, int], at: datetime) -> int:
    """Look without a lock first: most levels are in order, and what changes is decided again under the locks."""
    rules = looks.rules_at(at)
    found = looks.levels("level.sku_id BETWEEN %s AND %s", page, books=(rules,), at=at)
    late = sorted(level.level_id for level in found if rules.units(level.place) != level.kept)
    steps = (late[first : first + LEVELS_A_STEP] for first in range(0, len(late), LEVELS_A_STEP))
    return sum(_settle_again(step, at) for step in steps)


@atomic_with_retry
def _settle_again(level_ids: Sequence[int], at: datetime) -> int:
    return settle(level_ids, actor=JOB, at=at)


def _differing(found: Iterator[looks.LevelRow], rules: Book) -> list[tuple[int, int, int, int | None]]:
    """Return the levels that are not what the rules ask for: id, before, after, and the rule that decides."""
    rows = []
    for level in found:
        asked = rules.units(level.place)
        if asked != level.kept:
            won = rules.winner(level.place)
            rows.append((level.level_id, level.kept, asked, won.rule_id if won else None))
    return sorted(rows)


def _write(rows: Sequence[tuple[int, int, int, int | None]], actor: Actor, at: datetime) -> int:
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*(list(column) for column in zip(*rows, strict=True)), actor.label[:80], at])
        if cursor.rowcount != len(rows):
            raise LevelsChanged(f"{len(rows) - cursor.rowcount} of {len(rows)} levels changed under their locks")
    return len(rows)
