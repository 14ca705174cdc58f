"""Pilots: a live version of another policy routes a share of the orders for a while, and both arms are compared.

``acting`` draws the orders. Here a pilot is started and ended, and its figures are read.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from audit.rules.sentences import say
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed
from audit.statuses import VersionStatus
from orders.models import RoutingPilot, RoutingPolicyVersion
from orders.rules.routing.policy import BUILT_IN, Policy
from orders.rules.routing.statistics import Sample, Share
from orders.services import policies

LEAST_SHARE: Final = 1
MOST_SHARE: Final = 90  # per cent: a control group is left
MOST_DAYS: Final = 90  # of a pilot that are compared
MOST_VERSIONS: Final = 200  # of the policies that decided meanwhile
MEANS: Final = ("cost", "parcels", "km")
SHARES: Final = ("kept", "refused", "unfilled")
RUNNING: Final = say("A pilot is running already. End it before you start another.")


@dataclass(frozen=True)
class Arm:
    """What came of the orders of one arm: figures an order by ``MEANS``, shares of the orders by ``SHARES``."""

    orders: int
    means: Mapping[str, Sample]
    shares: Mapping[str, Share]


NOTHING: Final = Arm(0, dict.fromkeys(MEANS, Sample(0, 0.0, 0.0)), dict.fromkeys(SHARES, Share(0, 0)))


@dataclass(frozen=True)
class Comparison:
    """Both arms of a pilot, and until when their orders were looked at."""

    pilot: Arm
    others: Arm
    until: datetime
    is_cut: bool  # the pilot is longer than what is looked at


@transaction.atomic
def start(version_id: int, *, share_percent: int, deed: Deed) -> RoutingPilot:
    """Let a live version of a candidate route a share of the orders from now on. Raises ``NotAllowed`` with what to do.

    The version is locked, so that it cannot be stopped meanwhile; of two starts at once the table lets one in.
    """
    reason = _reason(deed)
    if not LEAST_SHARE <= share_percent <= MOST_SHARE:
        raise NotAllowed(say("Give a share from %(least)s to %(most)s per cent.", least=LEAST_SHARE, most=MOST_SHARE))
    version = RoutingPolicyVersion.objects.select_for_update(no_key=True).filter(pk=version_id).first()
    if version is None:
        raise NotAllowed(say("This version is not there any more. Choose another."))
    if version.policy.code == settings.ROUTING_POLICY:
        raise NotAllowed(say("This policy routes the orders already. Choose a version of another policy."))
    if version.status != VersionStatus.LIVE:
        raise NotAllowed(say("Only a live version can be tried on orders. Have it approved first."))
    if RoutingPilot.objects.filter(ended_at__isnull=True).exists():
        raise NotAllowed(RUNNING)
    try:
        with transaction.atomic():
            return RoutingPilot.objects.create(
                version=version,
                share_percent=share_percent,
                salt=secrets.token_hex(8),
                reason=reason,
                started_at=deed.at,
                started_by=deed.actor.label[:80],
            )
    except IntegrityError as twice:
        raise NotAllowed(RUNNING) from twice


def end(pilot_id: int, deed: Deed) -> None:
    """End a pilot: the acting policy routes all orders again. Raises ``NotAllowed`` without a reason or if it ended."""
    ended = RoutingPilot.objects.filter(pk=pilot_id, ended_at__isnull=True).update(
        ended_at=deed.at, ended_by=deed.actor.label[:80], outcome=_reason(deed)
    )
    if not ended:
        raise NotAllowed(say("This pilot has ended already."))


@transaction.atomic
def end_and_submit(pilot_id: int, deed: Deed) -> RoutingPolicyVersion:
    """End a pilot and submit what it tried as the acting policy's next version, both or neither.

    Raises ``NotAllowed`` like ``end`` and while a version is being prepared, ``NotGood`` when the policy cannot stand.
    """
    end(pilot_id, deed)
    tried = RoutingPolicyVersion.objects.select_related("policy").get(pilots=pilot_id)
    return policies.submit_winner(policies.policy_of(tried), deed)


def choices() -> list[RoutingPolicyVersion]:
    """Return the versions that can be tried: live ones of policies that do not act."""
    live = RoutingPolicyVersion.objects.filter(status=VersionStatus.LIVE).exclude(policy__code=settings.ROUTING_POLICY)
    return list(live.select_related("policy").order_by("policy__code")[:MOST_VERSIONS])


def compare(pilot: RoutingPilot, *, at: datetime) -> Comparison:
    """Return what came of the orders of both arms so far: two queries.

    An order counts when its first decision fell into the pilot, in the arm of that decision, whatever people or
    later rounds made of it: so the arms differ by the draw alone.
    """
    last, most = pilot.ended_at or at, pilot.started_at + timedelta(days=MOST_DAYS)
    until = min(last, most)
    names, groups, freight, pick = _weights(pilot)
    values = {"start": pilot.started_at, "until": until, "zone": settings.TIME_ZONE, "names": names,
              "groups": groups, "freight": freight, "pick": pick}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, values)
        columns = [column.name for column in cursor.description or ()]
        arms = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    found = {row["is_pilot"]: _arm(row) for row in arms}
    return Comparison(found.get(True, NOTHING), found.get(False, NOTHING), until, is_cut=last > most)


def _reason(deed: Deed) -> str:
    if not deed.reason.strip():
        raise NotAllowed(say("Say why: it is kept with the pilot."))
    return deed.reason.strip()[:200]


def _arm(row: Mapping[str, Any]) -> Arm:
    return Arm(
        orders=row["orders"],
        means={
            name: Sample(row[f"{name}_count"], row[f"{name}_mean"] or 0.0, row[f"{name}_variance"] or 0.0)
            for name in MEANS
        },
        shares={
            "kept": Share(row["kept"], row["promised"]),
            "refused": Share(row["refused"], row["orders"]),
            "unfilled": Share(row["unfilled"], row["orders"]),
        },
    )


def _weights(pilot: RoutingPilot) -> tuple[list[str], list[str], list[float], list[float]]:
    """Return how freight and picking were weighed by every group of every policy that may have decided.

    Kept terms are weighted; the comparison needs the yuan themselves, because each arm has weights of its own.
    """
    rows = [
        (name, group.name, group.weights.freight, group.weights.pick)
        for name, policy in _deciding(pilot)
        for group in policy.groups
        if group.weights.freight > 0 and group.weights.pick > 0  # else what it cost is not known
    ]
    unique = {row[:2]: row for row in rows}.values()  # two groups of a name: one of them
    return (
        [row[0] for row in unique],
        [row[1] for row in unique],
        [row[2] for row in unique],
        [row[3] for row in unique],
    )


def _deciding(pilot: RoutingPilot) -> Iterator[tuple[str, Policy]]:
    yield BUILT_IN.name, BUILT_IN.policy
    versions = RoutingPolicyVersion.objects.filter(live_at__isnull=False).select_related("policy")
    acting = versions.filter(policy__code=settings.ROUTING_POLICY).order_by("-number")[:MOST_VERSIONS]
    for version in (pilot.version, *acting):
        try:
            yield f"{version.policy.code}/{version.number}", policies.policy_of(version)
        except msgspec.ValidationError:
            continue  # nothing was decided by it: the product's own stood in


_FIGURES: Final = """
WITH firsts AS MATERIALIZED (
    SELECT DISTINCT ON (order_id) order_id, is_pilot, outcome
    FROM orders_routingdecision
    WHERE decided_at >= %(start)s AND decided_at < %(until)s
    ORDER BY order_id, id
), drawn AS MATERIALIZED (
    SELECT firsts.*
    FROM firsts
    WHERE NOT EXISTS (
        SELECT 1 FROM orders_routingdecision AS before
        WHERE before.order_id = firsts.order_id AND before.decided_at < %(start)s
    )
), live AS MATERIALIZED (
    SELECT parcel.*
    FROM orders_fulfillment AS parcel JOIN drawn USING (order_id)
    WHERE parcel.status <> 'cancelled'
), sent AS (
    SELECT order_id, count(*) AS parcels,
        CASE WHEN count(distance_km) = count(*) THEN sum(distance_km) END AS km,
        CASE WHEN count(coalesce(delivered_at::date, arrives_until)) = count(*)
            THEN max(coalesce((delivered_at AT TIME ZONE %(zone)s)::date, arrives_until)) END AS comes
    FROM live
    GROUP BY order_id
), priced AS (
    SELECT live.order_id, count(*) AS parcels,
        sum(coalesce((told -> 7 ->> 'freight')::float8, 0) / weights.freight
            + coalesce((told -> 7 ->> 'pick')::float8, 0) / weights.pick) AS cost
    FROM live
    JOIN inventory_node AS node ON node.id = live.node_id
    JOIN orders_routingdecision AS decision
        ON decision.order_id = live.order_id AND decision.decided_at = live.planned_at
    CROSS JOIN LATERAL jsonb_array_elements(decision.explanation -> 'parcels') AS told
    JOIN unnest(%(names)s::text[], %(groups)s::text[], %(freight)s::float8[], %(pick)s::float8[])
        AS weights (policy, name, freight, pick)
        ON weights.policy = decision.policy AND weights.name = decision."group"
    WHERE told ->> 0 = node.code AND jsonb_typeof(told -> 7) = 'object'
    GROUP BY live.order_id
), figures AS (
    SELECT drawn.is_pilot, drawn.outcome, sent.parcels, sent.km,
        CASE WHEN priced.parcels = sent.parcels THEN priced.cost END AS cost,
        CASE WHEN orders.goods_state <> 'backordered'
            THEN sent.comes <= (orders.deliver_by AT TIME ZONE %(zone)s)::date END AS is_kept,
        EXISTS (SELECT 1 FROM orders_routingattempt AS attempt WHERE attempt.order_id = drawn.order_id) AS is_refused
    FROM drawn
    JOIN orders_order AS orders ON orders.id = drawn.order_id
    LEFT JOIN sent USING (order_id)
    LEFT JOIN priced USING (order_id)
)
SELECT is_pilot, count(*) AS orders,
    count(*) FILTER (WHERE outcome = 'backordered') AS unfilled,
    count(*) FILTER (WHERE is_refused) AS refused,
    count(is_kept) AS promised, count(*) FILTER (WHERE is_kept) AS kept,
    count(cost) AS cost_count, avg(cost)::float8 AS cost_mean, var_samp(cost)::float8 AS cost_variance,
    count(parcels) AS parcels_count, avg(parcels)::float8 AS parcels_mean,
    var_samp(parcels)::float8 AS parcels_variance,
    count(km) AS km_count, avg(km)::float8 AS km_mean, var_samp(km)::float8 AS km_variance
FROM figures
GROUP BY is_pilot
"""
