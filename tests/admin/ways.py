"""Policies, pilots, tariffs, storms and failures for the pages that show them."""

from datetime import timedelta

from django.contrib.auth.models import User

from audit.services.versions import Deed, Text
from inventory.models import Node
from orders.models import (
    CarrierLane,
    Disruption,
    FreightTariff,
    NodeStanding,
    Order,
    RoutingAttempt,
    RoutingPilot,
    RoutingPolicyVersion,
    WhatIf,
)
from orders.rules.routing.policy import PRESETS, to_json
from orders.services import policies
from tests.small_company import NOON


def write_policy(code: str) -> RoutingPolicyVersion:
    """Draft a policy that sends from stores first."""
    author = User.objects.get(username="boss")
    return policies.begin(
        code, "Autumn", "Autumn", Text(to_json(PRESETS["store-first"])), Deed(author, NOON, "Too small")
    )


def fill(order: Order, node: Node, number: int) -> None:
    """Add one row to each list of routing; ``node`` has no standing yet."""
    version = write_policy(f"NEW{number}")
    RoutingPilot.objects.create(
        version=version, share_percent=10, salt="1", reason="Too small", started_at=NOON, started_by="person:boss",
        ended_at=NOON + timedelta(days=1), ended_by="person:boss", outcome="Too small",
    )  # fmt: skip
    tried = WhatIf.objects.create(name="Autumn", starts_at=NOON, ends_at=NOON + timedelta(days=1), status="running",
                                  steps_total=2, asked_by="person:boss", asked_at=NOON)  # fmt: skip
    tried.variants.create(position=1, name="Autumn")
    storm = Disruption.objects.create(code=f"D{number}", name="Autumn", effect="delays", from_regions=["31"],
                                      delay_hours=5, starts_at=NOON)  # fmt: skip
    storm.nodes.add(node)
    FreightTariff.objects.create(carrier_code=f"SF{number}", from_region="31", first_price="9.00", step_price="1.50",
                                 hours_min=24, hours_max=60, valid_from=NOON)  # fmt: skip
    CarrierLane.objects.create(carrier_code=f"SF{number}", from_region="31", to_region="42", parcels=50, hours_p50=30,
                               hours_p90=60, late_share=0.2, learned_at=NOON)  # fmt: skip
    RoutingAttempt.objects.create(order=order, node=node, parcel_number=f"JD-{number}-1", outcome="rejected",
                                  reason="Too small", happened_at=NOON, told_by="person:boss")  # fmt: skip
    NodeStanding.objects.create(node=node, score=0.8, accepted=3, refused=1, changed_at=NOON)
