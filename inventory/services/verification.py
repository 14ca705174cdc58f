"""Does each stored balance say what its rows say? One statement per check, so that each sees one moment.

``orders.services.verification`` adds the checks that need orders, and keeps what was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q

from inventory.models import SafetyRule
from inventory.queries import safety as looks
from inventory.queries.safety import LevelRow
from inventory.rules.safety import Book, Scope, fits
from inventory.services import refusals
from inventory.services.levels import LevelKey
from inventory.statuses import DifferenceCheck, RuleStatus, SafetyKind

SAFETY_IS_LATE = timedelta(minutes=20)  # two refreshes: until then a figure is late, not wrong

_BALANCES = """
    SELECT coalesce(level.sku_id, behind.sku_id) AS sku_id, coalesce(level.node_id, behind.node_id) AS node_id,
           coalesce(level.{column}, 0) AS stored, coalesce(behind.units, 0) AS derived
      FROM inventory_stocklevel AS level
      FULL JOIN ({rows}) AS behind ON behind.sku_id = level.sku_id AND behind.node_id = level.node_id
     WHERE coalesce(level.{column}, 0) <> coalesce(behind.units, 0)
"""
_ROWS_BEHIND = {
    DifferenceCheck.ON_HAND: (
        "on_hand",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_stockmovement GROUP BY sku_id, node_id",
    ),
    DifferenceCheck.RESERVED: (
        "reserved",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_reservation"
        " WHERE status = 'active' GROUP BY sku_id, node_id",
    ),
    DifferenceCheck.QUALITY_HOLD: (
        "quality_hold",
        "SELECT sku_id, node_id, sum(quantity) AS units FROM inventory_qualityhold"
        " WHERE closed_at IS NULL GROUP BY sku_id, node_id",
    ),
}
_UNSPOILT = """
SELECT level.id, NOT EXISTS (SELECT FROM inventory_stockmovement AS move WHERE move.sku_id = level.sku_id
                                AND move.node_id = level.node_id AND move.moved_at < %s)
  FROM inventory_stocklevel AS level
  LEFT JOIN LATERAL (SELECT change.after FROM inventory_safetychange AS change
                      WHERE change.sku_id = level.sku_id AND change.node_id = level.node_id
                      ORDER BY change.changed_at DESC, change.id DESC LIMIT 1) AS newest ON TRUE
 WHERE level.id = ANY(%s) AND level.safety_stock = coalesce(newest.after, level.own_safety_stock)
"""


@dataclass(frozen=True)
class Found:
    """One figure that does not add up."""

    check: DifferenceCheck
    subject: str  # as people call it
    stored: int
    derived: int
    sku_id: int | None = None
    node_id: int | None = None
    day_date: date | None = None
    reference: str = ""


def balances(check: DifferenceCheck) -> list[Found]:
    """Return the stock levels whose figure is not the sum of the rows behind it."""
    column, rows = _ROWS_BEHIND[check]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT sku.code, node.code, bad.* FROM ({_BALANCES.format(column=column, rows=rows)}) AS bad"
            " JOIN inventory_sku AS sku ON sku.id = bad.sku_id JOIN inventory_node AS node ON node.id = bad.node_id"
            " ORDER BY sku.code, node.code"
        )
        return [
            Found(check, f"{sku}@{node}", stored, derived, sku_id=sku_id, node_id=node_id)
            for sku, node, sku_id, node_id, stored, derived in cursor.fetchall()
        ]


def safety_stock(*, at: datetime) -> list[Found]:
    """Return the levels that keep back what no rule asks for.

    A figure is late and not wrong while it is what was last written and a rule began or ended within two refreshes, or
    the rule goes with stock or sales (per cent, days of cover), or the level is that new.
    """
    rules = looks.rules_at(at)
    differing = [
        level for level in looks.levels("TRUE", (), books=(rules,), at=at) if rules.units(level.place) != level.kept
    ]
    late = _late(differing, rules, at)
    wrong = [level for level in differing if level.level_id not in late]
    names = refusals.names_of([(level.place.sku_id, level.place.node_id) for level in wrong])
    found = [_found(level, rules.units(level.place), names) for level in wrong]
    return sorted(found, key=lambda one: one.subject)


def _found(level: LevelRow, units: int, names: Mapping[LevelKey, tuple[str, str]]) -> Found:
    key = (level.place.sku_id, level.place.node_id)
    return Found(
        DifferenceCheck.SAFETY, "@".join(names[key]), stored=level.kept, derived=units, sku_id=key[0], node_id=key[1]
    )


def _late(levels: Sequence[LevelRow], rules: Book, at: datetime) -> set[int]:
    """Return the levels whose figure the next refresh will bring in order by itself."""
    scopes = _scopes_that_changed(at)
    unspoilt = _unspoilt([level.level_id for level in levels], at - SAFETY_IS_LATE)
    late = set()
    for level in levels:
        won = rules.winner(level.place)
        moves = won is not None and won.kind != SafetyKind.FIXED
        is_new = unspoilt.get(level.level_id, False)
        if level.level_id in unspoilt and (moves or is_new or any(fits(scope, level.place) for scope in scopes)):
            late.add(level.level_id)
    return late


def _scopes_that_changed(at: datetime) -> list[Scope]:
    """Return what the rules were for that began or ended a moment ago, by their time or by a person's hand."""
    recent = (at - SAFETY_IS_LATE, at)
    moments = ("published_at", "retired_at", "starts_at", "ends_at")
    events = [Q(**{f"{name}__range": recent}) for name in moments]
    rows = SafetyRule.objects.exclude(status=RuleStatus.DRAFT).filter(reduce(or_, events)).distinct()
    return [looks.as_rule(row).scope for row in rows]


def _unspoilt(level_ids: Sequence[int], since: datetime) -> dict[int, bool]:
    """Return the levels that keep back what was last written, and whether their first stock came after a moment."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSPOILT, [since, list(level_ids)])
        return dict(cursor.fetchall())
