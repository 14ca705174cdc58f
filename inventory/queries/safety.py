"""What is kept back of each stock level, and what a rule changes about it.

Levels are read as a stream in one statement, so that a preview sees one moment and needs no memory for all of them.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from inventory.models import SafetyRule, Sku
from inventory.rules.safety import WINDOW_DAYS, Book, Place, Rule, Scope
from inventory.statuses import MovementKind, RuleStatus

CHUNK = 5000
SHOWN = 20
OUTGOING = (MovementKind.SHIPMENT, MovementKind.TRANSFER_OUT)
_LEVELS = """
SELECT level.id, level.sku_id, sku.category_id, level.node_id, level.on_hand, level.own_safety_stock, {gone},
       level.safety_stock, level.on_hand - level.reserved - level.quality_hold
  FROM inventory_stocklevel AS level JOIN inventory_sku AS sku ON sku.id = level.sku_id
  {movements}
 WHERE {where}
"""
_GONE = """
  LEFT JOIN LATERAL (SELECT -sum(move.quantity) AS units FROM inventory_stockmovement AS move
                      WHERE move.sku_id = level.sku_id AND move.node_id = level.node_id
                        AND move.moved_at >= %s AND move.moved_at < %s AND move.kind = ANY(%s)) AS gone ON TRUE
"""


class LevelRow(NamedTuple):
    """A stock level as rules see it, what it keeps back today, and what it has neither reserved nor held."""

    level_id: int
    place: Place
    kept: int
    free: int


@dataclass(frozen=True)
class LevelChange:
    """One level whose figure a rule changes."""

    sku_id: int
    node_id: int
    before: int
    after: int
    free: int  # neither reserved nor held: what is promised is this less what is kept back


@dataclass(frozen=True)
class NodeSum:
    """The units kept back at one node, without the rule and with it."""

    node_id: int
    before: int
    after: int


@dataclass
class Effect:
    """What a rule changes, over all levels that it (or the rule it replaces) is for."""

    at: datetime  # the moment that was looked at: now, or when the rule begins
    levels: int = 0
    changed: int = 0
    kept_back: int = 0  # units
    set_free: int = 0  # units
    empty: int = 0  # levels that promise nothing with the rule
    newly_empty: int = 0  # of these the ones that promise something without it
    late: int = 0  # levels whose stored figure is not yet what the live rules ask for
    largest: tuple[LevelChange, ...] = ()
    nodes: tuple[NodeSum, ...] = ()


@dataclass
class _Sums:
    """Collects the largest changes and the sums of nodes while levels stream by."""

    heap: list[tuple[int, int, int, LevelChange]] = field(default_factory=list)
    nodes: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, change: LevelChange) -> None:
        node = self.nodes[change.node_id]
        node[0] += change.before
        node[1] += change.after
        if change.before != change.after:
            entry = (abs(change.after - change.before), -change.sku_id, -change.node_id, change)
            if len(self.heap) < SHOWN:
                heapq.heappush(self.heap, entry)
            else:
                heapq.heappushpop(self.heap, entry)

    def largest(self) -> tuple[LevelChange, ...]:
        return tuple(entry[-1] for entry in sorted(self.heap, reverse=True))

    def by_node(self) -> tuple[NodeSum, ...]:
        sums = [NodeSum(node_id, before, after) for node_id, (before, after) in self.nodes.items()]
        return tuple(sorted(sums, key=lambda one: (-abs(one.after - one.before), -one.after, one.node_id)))


def as_rule(row: SafetyRule) -> Rule:
    """Return the plain rule of a row."""
    scope = (row.sku_id, row.category_id, row.node_id)
    return Rule(row.pk or 0, row.kind, row.amount, scope, row.starts_at, row.ends_at, row.published_at)


def live_rules() -> list[Rule]:
    """Return every live rule, inside its time or not."""
    return [as_rule(row) for row in SafetyRule.objects.filter(status=RuleStatus.LIVE).order_by("pk")]


def rules_at(at: datetime) -> Book:
    """Return the rules that hold at a moment."""
    return Book.of(live_rules(), at)


def rule_of(sku_id: int, node_id: int, *, at: datetime) -> SafetyRule | None:
    """Return the live rule that decides about one level, if one does."""
    category = Sku.objects.filter(pk=sku_id).values("category")
    rows = SafetyRule.objects.filter(
        Q(sku__isnull=True) | Q(sku=sku_id),
        Q(category__isnull=True) | Q(category__in=category),
        Q(node__isnull=True) | Q(node=node_id),
        status=RuleStatus.LIVE,
    )
    by_id = {row.pk: row for row in rows}
    category_id = next((row.category_id for row in by_id.values() if row.category_id), 0)
    won = Book.of(map(as_rule, by_id.values()), at).winner(Place(sku_id, category_id, node_id))
    return by_id[won.rule_id] if won else None


def levels(where: str, values: Collection[Any], *, books: Collection[Book], at: datetime) -> Iterator[LevelRow]:
    """Read the stock levels for which a condition on ``level`` and ``sku`` holds, as a stream.

    What left in the last 28 whole days is read only when a rule of these books counts in days of cover.
    """
    first, after = window(at)
    movements: list[Any] = [first, after, list(OUTGOING)] if any(book.needs_gone for book in books) else []
    sql = _LEVELS.format(
        gone="coalesce(gone.units, 0)" if movements else "0", movements=_GONE if movements else "", where=where
    )
    connection.ensure_connection()
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [*movements, *values])
        while rows := cursor.fetchmany(CHUNK):
            for level_id, *place, kept, free in rows:
                yield LevelRow(level_id, Place(*place), kept, free)


def window(at: datetime) -> tuple[datetime, datetime]:
    """Return when the 28 whole local days before a moment began and ended."""
    today = timezone.localdate(at)
    first, after = (
        timezone.make_aware(datetime.combine(day, time.min)) for day in (today - timedelta(days=WINDOW_DAYS), today)
    )
    return first, after


def in_scopes(scopes: Iterable[Scope]) -> tuple[str, list[int]]:
    """Return the condition that a level is in one of these scopes, with its values."""
    parts, values = [], []
    for scope in scopes:
        named = zip(("level.sku_id", "sku.category_id", "level.node_id"), scope, strict=True)
        asked = [(column, value) for column, value in named if value is not None]
        parts.append(" AND ".join(f"{column} = %s" for column, _value in asked) or "TRUE")
        values += [value for _column, value in asked]
    return " OR ".join(f"({part})" for part in parts), values


def effect(row: SafetyRule, *, at: datetime, replaces: SafetyRule | None = None) -> Effect:
    """Return what a draft would change if it were published now, or what a live rule changes; writes nothing.

    A rule that begins later is looked at as of its beginning, on today's stock. ``replaces`` would end with it.
    """
    moment = max(at, row.starts_at) if row.starts_at else at
    rule = as_rule(row)
    others = [other for other in live_rules() if other.rule_id != rule.rule_id]
    gone_id = replaces.pk if replaces else None
    stay = [other for other in others if other.rule_id != gone_id]
    without, told = Book.of(others, moment), replace(rule, published_at=rule.published_at or at)
    with_it, now = Book.of([*stay, told], moment), rules_at(at)
    counted = Effect(moment)
    sums = _Sums()
    where, values = in_scopes([rule.scope, *([as_rule(replaces).scope] if replaces else [])])
    for level in levels(where, values, books=(without, with_it, now), at=at):
        counted.late += now.units(level.place) != level.kept
        _count(counted, sums, _change(level, without, with_it))
    counted.largest, counted.nodes = sums.largest(), sums.by_node()
    return counted


def _change(level: LevelRow, without: Book, with_it: Book) -> LevelChange:
    place = level.place
    return LevelChange(place.sku_id, place.node_id, without.units(place), with_it.units(place), level.free)


def _count(counted: Effect, sums: _Sums, change: LevelChange) -> None:
    more = change.after - change.before
    is_empty = change.free <= change.after
    counted.levels += 1
    counted.changed += more != 0
    counted.kept_back += max(0, more)
    counted.set_free += max(0, -more)
    counted.empty += is_empty
    counted.newly_empty += is_empty and change.free > change.before
    sums.add(change)
