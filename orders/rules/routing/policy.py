"""What routing shall weigh: groups of orders, the hard rules of each, and the weights of its costs, as versioned data.

Groups are tried from the first to the last: the first whose ``when`` an order meets and whose hard rules leave a plan
for all of it decides; when none does, the last group that it meets sends what it can. Hard rules decide which nodes may
at all, weights turn everything else into yuan, and the cheapest plan wins.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct


class When(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which orders a group takes; what is left empty is not asked. All that is given must hold."""

    channels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    least_priority: int | None = None
    least_value: Decimal | None = None
    most_value: Decimal | None = None  # not included
    promised_within_hours: int | None = None  # of the moment of the decision


class Hard(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a node must meet. What goods need, capacity, disruptions and carriers are always asked."""

    node_kinds: tuple[str, ...] = ()  # empty: all
    node_groups: tuple[str, ...] = ()  # empty: all; else a node must be in one of them
    not_node_groups: tuple[str, ...] = ()
    most_km: float | None = None
    most_parcels: int = 5  # of one order
    before_cut_off_only: bool = False  # a node past its cut-off is passed over instead of counted as a day later
    most_backlog_hours: float | None = None  # parcels waiting ÷ parcels an hour


class Weights(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What each term of a plan's cost counts. Factors multiply yuan; the others are yuan per unit of the term."""

    freight: float = 1.0  # × the carrier's price
    pick: float = 1.0  # × the node's cost of a parcel
    distance: float = 0.0  # yuan a kilometre
    late: float = 0.5  # yuan an hour after what was promised
    slow: float = 0.0  # yuan an hour of the way, promised or not
    split: float = 6.0  # yuan for each parcel after the first
    load: float = 2.0  # yuan at a node that is full; grows with the square of its load
    balance: float = 1.0  # × shadow price of the units taken, and × the worth of the last room of a node
    markdown: float = 1.0  # yuan gained a unit of goods to be sold first
    carrier: float = 2.0  # yuan × the share of the carrier's parcels that come late on this lane
    standing: float = 3.0  # yuan × what the node's standing lacks to 1


class Group(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Orders that are routed alike."""

    name: str
    when: When = When()
    hard: Hard = Hard()
    weights: Weights = Weights()
    wait_minutes: int = 0  # parcels stay unreleased so long, so that orders that come later can be planned together


class Policy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What one version says."""

    groups: tuple[Group, ...]
    least_saving: float = 2.0  # yuan: a planned parcel is moved only for at least so much


class PublishedPolicy(Struct, frozen=True):
    """A policy under its code and the number of its version; number 0 is what the product brings along."""

    code: str
    number: int
    policy: Policy

    @property
    def name(self) -> str:
        """Return what decisions show: "main/3"."""
        return f"{self.code}/{self.number}"


def to_json(policy: Policy) -> dict[str, Any]:
    """Return a policy as JSON values, as versions keep it and their digest is made of it."""
    body: dict[str, Any] = msgspec.to_builtins(policy)
    return body


def from_json(body: dict[str, Any]) -> Policy:
    """Return the policy that ``to_json`` wrote; raises ``msgspec.ValidationError`` with the path of what is wrong."""
    return msgspec.convert(body, Policy)


PRESETS: Final[dict[str, Policy]] = {
    "cheapest": Policy(groups=(Group(name="all", weights=Weights(late=0.1, load=1.0, carrier=0.0)),)),
    "fastest": Policy(groups=(Group(name="all", weights=Weights(late=3.0, slow=0.4, split=3.0, carrier=6.0)),)),
    "balanced": Policy(groups=(Group(name="all"),)),
    "store-first": Policy(
        groups=(
            Group(name="stores", hard=Hard(node_kinds=("store",), most_km=200.0, most_parcels=1)),
            Group(name="all"),
        )
    ),
}
BUILT_IN: Final = PublishedPolicy("balanced", 0, PRESETS["balanced"])  # in force while nobody has published another
