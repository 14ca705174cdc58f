"""Which groups of a policy take an order. Plain Python."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from orders.rules.routing.facts import Demand
from orders.rules.routing.policy import Group, Policy, When


def groups_of(policy: Policy, demand: Demand, at: datetime) -> Sequence[Group]:
    """Return the groups whose conditions an order meets, in the order in which they are tried."""
    return [group for group in policy.groups if meets(group.when, demand, at)]


def meets(when: When, demand: Demand, at: datetime) -> bool:
    """Return whether an order meets all that a group asks."""
    return (
        _is_among(demand.channel, when.channels)
        and _is_among(demand.region, when.regions)
        and _is_among(demand.method, when.methods)
        and _is_among(demand.tier, when.tiers)
        and _is_worth(when, demand)
        and _is_urgent(when, demand, at)
    )


def _is_among(word: str, words: Sequence[str]) -> bool:
    return not words or word in words


def _is_worth(when: When, demand: Demand) -> bool:
    return (
        (when.least_priority is None or demand.priority >= when.least_priority)
        and (when.least_value is None or demand.value >= float(when.least_value))
        and (when.most_value is None or demand.value < float(when.most_value))
    )


def _is_urgent(when: When, demand: Demand, at: datetime) -> bool:
    if when.promised_within_hours is None:
        return True
    return demand.deliver_by is not None and demand.deliver_by - at <= timedelta(hours=when.promised_within_hours)
