"""Learning how long carriers' parcels take between two regions, from parcels that were delivered.

One statement over the last weeks: hours from leaving the node to the carrier's own scan of the delivery (or to when we
heard of it), by carrier and pair of regions. Lanes with fewer parcels than ``LEAST_PARCELS`` teach nothing: what the
carrier says stays in force for them.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

WINDOW: Final = timedelta(days=60)
LEAST_PARCELS: Final = 20
MOST_HOURS: Final = 24 * 60  # a parcel that took longer was lost and found: it says nothing of the lane

_LEARN: Final = """
WITH trips AS (
    SELECT parcel.carrier_code, node.region AS from_region, orders.region AS to_region,
           extract(epoch FROM coalesce(scan.at, parcel.delivered_at) - parcel.shipped_at) / 3600 AS hours
      FROM orders_fulfillment AS parcel
      JOIN inventory_node AS node ON node.id = parcel.node_id
      JOIN orders_order AS orders ON orders.id = parcel.order_id
      LEFT JOIN (SELECT fulfillment_id, min(scanned_at) AS at FROM orders_parcelscan
                  WHERE state = 'delivered' AND scanned_at > %(since)s GROUP BY fulfillment_id) AS scan
             ON scan.fulfillment_id = parcel.id
     WHERE parcel.delivered_at > %(since)s AND parcel.delivered_at <= %(at)s AND parcel.shipped_at IS NOT NULL
       AND parcel.carrier_code <> '' AND orders.region <> '' AND orders.method = 'standard'
), sound AS (
    SELECT * FROM trips WHERE hours > 0 AND hours <= %(most_hours)s
), lanes AS (
    SELECT carrier_code, from_region, to_region, count(*) AS parcels,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY hours) AS hours_p50,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY hours) AS hours_p90
      FROM sound GROUP BY carrier_code, from_region, to_region HAVING count(*) >= %(least)s
), promised AS (
    SELECT lanes.*, tariff.hours_max
      FROM lanes
      LEFT JOIN LATERAL (
        SELECT hours_max FROM orders_freighttariff AS tariff
         WHERE tariff.carrier_code = lanes.carrier_code AND tariff.method = 'standard' AND tariff.is_active
           AND tariff.from_region IN (lanes.from_region, '') AND tariff.to_region IN (lanes.to_region, '')
           AND tariff.valid_from <= %(day)s AND (tariff.valid_until IS NULL OR tariff.valid_until >= %(day)s)
         ORDER BY (tariff.from_region <> '')::int * 2 + (tariff.to_region <> '')::int DESC,
                  tariff.valid_from DESC, tariff.id DESC
         LIMIT 1) AS tariff ON true
)
INSERT INTO orders_carrierlane
       (carrier_code, from_region, to_region, parcels, hours_p50, hours_p90, late_share, learned_at)
SELECT promised.carrier_code, promised.from_region, promised.to_region, promised.parcels, promised.hours_p50,
       promised.hours_p90, coalesce(late.share, 0), %(at)s
  FROM promised
  LEFT JOIN (SELECT sound.carrier_code, sound.from_region, sound.to_region,
                    avg((sound.hours > promised.hours_max)::int) AS share
               FROM sound JOIN promised USING (carrier_code, from_region, to_region)
              WHERE promised.hours_max IS NOT NULL
              GROUP BY sound.carrier_code, sound.from_region, sound.to_region) AS late
         USING (carrier_code, from_region, to_region)
 ORDER BY promised.carrier_code, promised.from_region, promised.to_region
ON CONFLICT (carrier_code, from_region, to_region) DO UPDATE
   SET parcels = excluded.parcels, hours_p50 = excluded.hours_p50, hours_p90 = excluded.hours_p90,
       late_share = excluded.late_share, learned_at = excluded.learned_at
"""


@transaction.atomic
def learn(*, at: datetime) -> int:
    """Learn every lane anew and forget those that nothing was delivered on lately; returns how many are known."""
    values: dict[str, Any] = {
        "at": at,
        "day": at.date(),
        "since": at - WINDOW,
        "most_hours": MOST_HOURS,
        "least": LEAST_PARCELS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEARN, values)
        learned = int(cursor.rowcount)
        cursor.execute("DELETE FROM orders_carrierlane WHERE learned_at < %s", [at])
    return learned
