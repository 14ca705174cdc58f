"""Carriers' price lists: brought in as a file, all rows or none, and the lanes that nobody goes."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from simple_history import utils as history

from audit.rules.actors import Actor
from inventory.models import Node
from inventory.rules.geography import REGIONS
from orders.models import FreightTariff
from orders.rules.tariff_file import Tariff
from orders.statuses import DeliveryMethod

FACTS = ("first_g", "first_price", "step_g", "step_price", "hours_min", "hours_max")


@transaction.atomic
def keep(rows: Sequence[Tariff], *, reason: str, actor: Actor) -> int:
    """Write a price list over what is known of the same lanes from the same days; returns how many rows changed.

    A newer day leaves the older rows as they are: the newest that is valid holds.
    """
    known = {
        (row.carrier_code, row.method, row.from_region, row.to_region, row.valid_from): row
        for row in FreightTariff.objects.filter(
            carrier_code__in={row.carrier_code for row in rows}, valid_from__in={row.valid_from for row in rows}
        )
    }
    fresh, changed = [], []
    for told in rows:
        row = known.get((told.carrier_code, told.method, told.from_region, told.to_region, told.valid_from))
        if row is None:
            fresh.append(FreightTariff(**asdict(told)))
        elif not row.is_active or any(getattr(row, name) != getattr(told, name) for name in FACTS):
            for name in FACTS:
                setattr(row, name, getattr(told, name))
            row.is_active = True
            changed.append(row)
    why = f"{actor.label}: {reason}"[:100]
    if fresh:
        history.bulk_create_with_history(fresh, FreightTariff, default_change_reason=why)
    if changed:
        history.bulk_update_with_history(changed, FreightTariff, [*FACTS, "is_active"], default_change_reason=why)
    return len(fresh) + len(changed)


def carriers_by_lane(*, day: date | None = None) -> dict[tuple[str, str], int]:
    """Return how many carriers have a price from each region with an active node to each region: two queries."""
    day = day or timezone.localdate()
    starts = sorted(set(Node.objects.filter(is_active=True).values_list("region", flat=True)))
    valid = FreightTariff.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day), is_active=True, valid_from__lte=day
    )
    offers: dict[tuple[str, str], set[str]] = {}
    for start, end, carrier in valid.values_list("from_region", "to_region", "carrier_code").distinct():
        offers.setdefault((start, end), set()).add(carrier)
    return {
        (start, end): len(
            set().union(*(offers.get(way, set()) for way in ((start, end), (start, ""), ("", end), ("", ""))))
        )
        for start in starts
        for end in REGIONS
    }


def hours_said(lanes: Collection[tuple[str, str, str]], *, day: date) -> dict[tuple[str, str, str], int]:
    """Return how many hours carriers say at most, by (carrier, from, to): one query; the narrowest tariff holds."""
    valid = FreightTariff.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day), is_active=True, valid_from__lte=day,
        method=DeliveryMethod.STANDARD, carrier_code__in={carrier for carrier, _start, _end in lanes},
    )  # fmt: skip
    rows = valid.order_by("valid_from", "pk").values_list("carrier_code", "from_region", "to_region", "hours_max")
    known = {(carrier, start, end): hours for carrier, start, end, hours in rows}
    said = {}
    for carrier, start, end in lanes:
        ways = ((carrier, start, end), (carrier, start, ""), (carrier, "", end), (carrier, "", ""))
        hours = next((known[way] for way in ways if way in known), None)
        if hours is not None:
            said[carrier, start, end] = hours
    return said
