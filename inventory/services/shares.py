"""Publishing channels' shares of stock, and keeping each SKU's pools in step with what is published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import trail
from inventory.models import Category, ChannelShare, Sku
from inventory.queries import shares as share_queries
from inventory.rules import share_scopes
from inventory.rules.shares import Pool
from inventory.services import refusals, signals
from inventory.statuses import RuleStatus, ShareUnit, SkuKind

MOST_SKUS_PREVIEWED: Final = 5_000
MOST_ROWS_SHOWN: Final = 20
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtext('inventory.shares'))"
_WANTED: Final = """
SELECT DISTINCT ON (share.channel, sku.id) share.channel, sku.id AS sku_id, share.id AS share_id
  FROM inventory_channelshare AS share
  JOIN inventory_sku AS sku ON sku.is_active AND sku.kind <> 'bundle'
   AND CASE WHEN share.sku_id IS NOT NULL THEN share.sku_id = sku.id
            ELSE share.category_id IS NULL OR share.category_id = sku.category_id END
 WHERE share.status = 'live'
   AND (share.starts_at IS NULL OR share.starts_at <= %(at)s) AND (share.ends_at IS NULL OR share.ends_at > %(at)s)
 ORDER BY share.channel, sku.id, share.sku_id IS NULL, share.category_id IS NULL, share.id DESC
"""
# Whoever reserves locks pools in primary-key order, so those that will change are locked in that order first.
_LOCK_CHANGING: Final = f"""
SELECT pool.id FROM inventory_sharepool AS pool
  LEFT JOIN ({_WANTED}) AS wanted ON wanted.channel = pool.channel AND wanted.sku_id = pool.sku_id
 WHERE pool.closed_at IS NULL AND wanted.share_id IS DISTINCT FROM pool.share_id
 ORDER BY pool.id FOR NO KEY UPDATE OF pool
"""
# What a pool is about to go on from is kept, so that its past can be asked for.
_KEEP: Final = f"""
INSERT INTO inventory_poolreplacement (pool_id, share_id, opened_at, replaced_at)
SELECT pool.id, pool.share_id, pool.opened_at, %(at)s
  FROM inventory_sharepool AS pool JOIN ({_WANTED}) AS wanted USING (channel, sku_id)
 WHERE pool.closed_at IS NULL AND wanted.share_id <> pool.share_id
 ORDER BY pool.id
"""
# A share that takes another one's place goes on with the same pool: what is reserved stays counted, sold starts anew.
_REPLACE: Final = f"""
UPDATE inventory_sharepool AS pool SET share_id = wanted.share_id, sold = 0, opened_at = %(at)s
  FROM ({_WANTED}) AS wanted
 WHERE pool.closed_at IS NULL AND wanted.channel = pool.channel AND wanted.sku_id = pool.sku_id
   AND wanted.share_id <> pool.share_id
"""
_CLOSE: Final = f"""
UPDATE inventory_sharepool AS pool SET closed_at = %(at)s
 WHERE pool.closed_at IS NULL AND NOT EXISTS (
       SELECT FROM ({_WANTED}) AS wanted WHERE wanted.channel = pool.channel AND wanted.sku_id = pool.sku_id)
"""
_OPEN: Final = f"""
INSERT INTO inventory_sharepool (share_id, sku_id, channel, reserved, sold, promised, opened_at)
SELECT wanted.share_id, wanted.sku_id, wanted.channel, 0, 0, 0, %(at)s
  FROM ({_WANTED}) AS wanted
 WHERE NOT EXISTS (SELECT FROM inventory_sharepool AS pool
                    WHERE pool.closed_at IS NULL AND pool.channel = wanted.channel AND pool.sku_id = wanted.sku_id)
 ORDER BY wanted.sku_id, wanted.channel
"""


@dataclass(frozen=True)
class Refreshed:
    """How many SKUs' shares began, changed and ended."""

    opened: int
    replaced: int
    closed: int


@dataclass(frozen=True)
class Effect:
    """What one SKU's figure for one channel is now and would be."""

    sku_code: str
    channel: str
    before: int
    after: int


@dataclass(frozen=True)
class Preview:
    """What publishing a share would do, without having done it. Units are sums over the SKUs looked at."""

    skus: int
    is_cut: bool  # there are more SKUs than were looked at
    channels: tuple[tuple[str, int, int], ...]  # channel (empty: every channel without a share), units now, units then
    largest: tuple[Effect, ...]
    overcommitted: int  # SKUs of which less is there than the share sets aside


@transaction.atomic
def publish(share: ChannelShare, *, actor: Actor, at: datetime, reason: str = "") -> Refreshed:
    """Make a draft live and bring the pools in step at once; why is kept in the share's history.

    Raises ``RowsRefused``, having changed nothing, for a share that is no draft, is of a bundle, is over already, or
    that would promise channels more than a hundred per cent.
    """
    _serialize()
    locked = ChannelShare.objects.select_for_update(no_key=True).get(pk=share.pk)
    if locked.status != RuleStatus.DRAFT:
        raise refusals.refuse(say("Only a draft can be published."))
    refuse_bad(locked, at=at)
    locked.status, locked.published_at, locked.published_by = RuleStatus.LIVE, at, actor.label[:80]
    trail.because(locked, actor=actor, reason=reason).save(update_fields=["status", "published_at", "published_by"])
    return refresh(at=at)


@transaction.atomic
def retire(share: ChannelShare, *, actor: Actor, at: datetime, reason: str = "") -> Refreshed:
    """End a live share now, or throw a draft away; what is reserved stays reserved. Raises ``RowsRefused``."""
    _serialize()
    locked = ChannelShare.objects.select_for_update(no_key=True).get(pk=share.pk)
    if locked.status == RuleStatus.RETIRED:
        raise refusals.refuse(say("The share has ended already."))
    locked.status, locked.retired_at = RuleStatus.RETIRED, at
    trail.because(locked, actor=actor, reason=reason).save(update_fields=["status", "retired_at"])
    return refresh(at=at)


@transaction.atomic
def refresh(*, at: datetime) -> Refreshed:
    """Open, replace and close pools so that they are what the live shares say at this moment. Safe to run twice."""
    _serialize()
    moment = {"at": at}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CHANGING, moment)
        cursor.execute(_KEEP, moment)
        counts = []
        for statement, sku_id in ((_REPLACE, "pool.sku_id"), (_CLOSE, "pool.sku_id"), (_OPEN, "sku_id")):
            cursor.execute(
                f"WITH changed AS ({statement} RETURNING {sku_id}), {signals.WITH_CHANGE} SELECT count(*) FROM changed",
                moment,
            )
            counts.append(cursor.fetchone()[0])
    replaced, closed, opened = counts
    return Refreshed(opened, replaced, closed)


def refuse_bad(share: ChannelShare, *, at: datetime) -> None:
    """Raise ``RowsRefused`` when a share cannot be published, whatever its status."""
    if share.sku_id and Sku.objects.filter(pk=share.sku_id, kind=SkuKind.BUNDLE).exists():
        raise refusals.refuse(say("A bundle has no stock of its own: share its parts."))
    if share.ends_at and share.ends_at <= at:
        raise refusals.refuse(say("The share would be over before it begins."))
    if share.unit == ShareUnit.UNITS and share.amount != int(share.amount):
        raise refusals.refuse(say("Units are whole numbers; %(amount)s is not.", amount=str(share.amount)))
    live = ChannelShare.objects.filter(status=RuleStatus.LIVE).exclude(pk=share.pk)
    rules = [_rule(row) for row in (*live, share)]
    skus = Sku.objects.filter(pk__in={rule.sku_id for rule in rules if rule.sku_id is not None})
    found = share_scopes.overfull(rules, dict(skus.values_list("pk", "category_id")), now=at)
    if found:
        raise _too_much(found)


def preview(share: ChannelShare, *, at: datetime) -> Preview:
    """Return what each channel may sell now and what it could if this share were live at once."""
    skus = _skus_of(share)
    ids = dict(skus.order_by("pk").values_list("pk", "code")[: MOST_SKUS_PREVIEWED + 1])
    is_cut = len(ids) > MOST_SKUS_PREVIEWED
    codes = dict(list(ids.items())[:MOST_SKUS_PREVIEWED])
    now, then = share_queries.of_all(codes), share_queries.of_all(codes)
    overcommitted = 0
    for shared in then.values():
        pool = _pool(share, shared.pools.get(share.channel))
        shared.pools[share.channel] = pool
        overcommitted += pool.set_aside(shared.sellable) > max(0, shared.free)
    channels = sorted({"", *(name for shared in then.values() for name in shared.pools)})
    effects = [
        Effect(codes[sku_id], channel, now[sku_id].room(channel), then[sku_id].room(channel))
        for sku_id in codes
        for channel in channels
    ]
    return Preview(len(codes), is_cut, _sums(channels, effects), _largest(effects), overcommitted)


def _sums(channels: Sequence[str], effects: Sequence[Effect]) -> tuple[tuple[str, int, int], ...]:
    before, after = dict.fromkeys(channels, 0), dict.fromkeys(channels, 0)
    for effect in effects:
        before[effect.channel] += effect.before
        after[effect.channel] += effect.after
    return tuple((channel, before[channel], after[channel]) for channel in channels)


def _largest(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    changed = [effect for effect in effects if effect.before != effect.after]
    changed.sort(key=lambda effect: (-abs(effect.before - effect.after), effect.sku_code, effect.channel))
    return tuple(changed[:MOST_ROWS_SHOWN])


def _pool(share: ChannelShare, known: Pool | None) -> Pool:
    """Return the pool as it would be: a share that takes another's place keeps what is reserved."""
    fresh = Pool(0, share.channel, share.kind, share.unit, share.amount, share.lend_percent)
    return replace(fresh, reserved=known.reserved, promised=known.promised) if known else fresh


def _skus_of(share: ChannelShare) -> QuerySet[Sku]:
    skus = Sku.objects.filter(is_active=True).exclude(kind=SkuKind.BUNDLE)
    if share.sku_id:
        return skus.filter(pk=share.sku_id)
    return skus.filter(category=share.category_id) if share.category_id else skus


def _rule(share: ChannelShare) -> share_scopes.Share:
    return share_scopes.Share(
        share.pk or 0, share.channel, share.kind, share.unit, share.amount, share.category_id, share.sku_id,
        share.starts_at, share.ends_at,
    )  # fmt: skip


def _too_much(found: share_scopes.Overfull) -> refusals.RowsRefused:
    if found.sku_id is not None:
        what = Sku.objects.get(pk=found.sku_id).code
    else:
        what = Category.objects.get(pk=found.category_id).name if found.category_id is not None else "*"
    parts = ", ".join(f"{channel} {percent.normalize():f} %" for channel, percent in sorted(found.percents.items()))
    return refusals.refuse(
        say(
            "Channels would get %(total)s per cent of %(what)s together (%(parts)s); it can be at most 100.",
            total=f"{found.total.normalize():f}",
            what=what,
            parts=parts,
        )
    )


def _serialize() -> None:
    """Let one change of shares be made at a time, so that the sum is checked against what the others published."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
