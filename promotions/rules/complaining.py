"""One thing that is wrong with a rule, and what must be known of the shop to find it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from audit.rules.sentences import Sentence


@dataclass(frozen=True)
class Complaint:
    """What is wrong, and what to do; ``field`` says which part of the rule it belongs to."""

    field: str
    why: Sentence


@dataclass(frozen=True)
class ShopFacts:
    """What the shop knows of the words in a rule. ``None``: not looked at, so nothing is said about it.

    ``prices`` are the list prices of known SKUs; ``gift_units`` what can be promised of them; ``gives`` which gifts
    other live promotions give for which SKU; ``most_unbounded`` is what a rule may give without a budget at most.
    """

    prices: Mapping[str, Decimal] | None = None
    gift_units: Mapping[str, int] | None = None
    categories: frozenset[str] | None = None
    brands: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    stores: frozenset[str] | None = None
    gives: Mapping[str, frozenset[str]] = field(default_factory=dict)
    most_unbounded: Decimal | None = None
