"""Which shares channels had of a SKU and how much of each was used, now or at a past moment, and the rows behind it.

A pool's past is in its replacements; its use in the times of reservations and in the changes of presales. All of it is
rebuilt from rows, so what the pool itself has counted can be held against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from inventory.queries.derivation import MOST_ROWS, Row
from inventory.rules.shares import Pool

_USES: Final = """
WITH had AS (
    SELECT id AS pool_id, channel, share_id, opened_at, closed_at AS until_at, reserved, sold, promised
      FROM inventory_sharepool WHERE sku_id = %(sku)s
     UNION ALL
    SELECT pool.id, pool.channel, past.share_id, past.opened_at, past.replaced_at, NULL, NULL, NULL
      FROM inventory_poolreplacement AS past JOIN inventory_sharepool AS pool ON pool.id = past.pool_id
     WHERE pool.sku_id = %(sku)s
)
SELECT had.pool_id, had.channel, share.kind, share.unit, share.amount, share.lend_percent,
       coalesce(held.units, 0), coalesce(gone.units, 0), coalesce(ahead.units, 0),
       share.id, had.opened_at, had.reserved, had.sold, had.promised
  FROM had JOIN inventory_channelshare AS share ON share.id = had.share_id
  LEFT JOIN LATERAL (SELECT sum(taken.quantity) AS units FROM inventory_reservation AS taken WHERE {reserved}) AS held
    ON true
  LEFT JOIN LATERAL (SELECT sum(taken.quantity) AS units FROM inventory_reservation AS taken WHERE {sold}) AS gone
    ON true
  LEFT JOIN LATERAL (SELECT sum(taken.quantity) AS units FROM inventory_presalechange AS taken
                      WHERE {promised}) AS ahead
    ON true
 WHERE had.opened_at <= %(at)s AND (had.until_at IS NULL OR had.until_at > %(at)s)
 ORDER BY had.pool_id
"""
_ROWS: Final = """
SELECT taken.id, taken.quantity, taken.{when}, taken.reference FROM inventory_{table} AS taken
 WHERE {condition} ORDER BY taken.{when} DESC, taken.id DESC LIMIT {most}
"""
_CONDITIONS: Final = {
    "reserved": "taken.pool_id = had.pool_id AND taken.reserved_at <= %(at)s"
    " AND (taken.closed_at IS NULL OR taken.closed_at > %(at)s)",
    "sold": "taken.pool_id = had.pool_id AND taken.status = 'consumed'"
    " AND taken.closed_at >= had.opened_at AND taken.closed_at <= %(at)s",
    "promised": "taken.pool_id = had.pool_id AND taken.changed_at <= %(at)s",
}
_RECORDS: Final = {
    "reserved": ("reservation", "reserved_at"),
    "sold": ("reservation", "closed_at"),
    "promised": ("presalechange", "changed_at"),
}
NAMES: Final = tuple(_RECORDS)


@dataclass(frozen=True)
class ShareUse:
    """A channel's share of a SKU at a moment, since when it was, and what of it was used then.

    ``stored`` is what the hub has counted itself, by name; it has that for now only.
    """

    pool: Pool
    share_id: int
    opened_at: datetime
    stored: Mapping[str, int] | None = None

    @property
    def differs(self) -> bool:
        """Return whether the hub has counted something else."""
        return self.stored is not None and any(getattr(self.pool, name) != self.stored[name] for name in NAMES)


def derive(sku_id: int, *, at: datetime | None = None) -> list[ShareUse]:
    """Return every channel's share of a SKU with its use, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_USES.format(**_CONDITIONS), {"sku": sku_id, "at": at or "infinity"})
        return [_use(row, is_now=at is None) for row in cursor.fetchall()]


def rows_behind(use: ShareUse, name: str, *, at: datetime | None = None) -> list[Row]:
    """Return the newest rows behind what is reserved, sold or promised ahead of a share."""
    table, when = _RECORDS[name]
    condition = _CONDITIONS[name].replace("had.pool_id", "%(pool)s").replace("had.opened_at", "%(opened)s")
    told: dict[str, Any] = {"pool": use.pool.pool_id, "opened": use.opened_at, "at": at or "infinity"}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(table=table, when=when, condition=condition, most=MOST_ROWS), told)
        return [
            Row(f"inventory.{table}", pk, units, moment, name, reference)
            for pk, units, moment, reference in cursor.fetchall()
        ]


def _use(row: tuple[Any, ...], *, is_now: bool) -> ShareUse:
    pool_id, channel, kind, unit, amount, lend_percent, *rest = row
    reserved, sold, promised, share_id, opened_at, *counted = rest
    pool = Pool(pool_id, channel, kind, unit, amount, lend_percent, reserved, sold, promised)
    return ShareUse(pool, share_id, opened_at, dict(zip(NAMES, counted, strict=True)) if is_now else None)
