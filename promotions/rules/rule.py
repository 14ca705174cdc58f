"""One promotion rule as a version keeps it, and the fixed order in which lanes follow each other."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from promotions.rules.conditions import ALWAYS, Condition
from promotions.rules.rewards import (
    BundlePrice,
    BuyGet,
    BuyGetOff,
    Deposit,
    FreeShipping,
    Gift,
    ItemOff,
    MemberPrice,
    NForPrice,
    NthOff,
    PurchaseLimit,
    Reward,
    SpendAndSave,
)


class Lane(StrEnum):
    """What is worked out one after the other; each lane sees the prices that the lanes before it left."""

    PRICE = "price"  # member prices
    ITEM = "item"  # single goods: per cent off, second item, N for a price, bundles
    ORDER = "order"  # the whole basket: spend and save
    COUPON = "coupon"  # whatever needs a coupon
    DEPOSIT = "deposit"  # what a deposit is worth
    SHIPPING = "shipping"
    GIFT = "gift"
    LIMIT = "limit"  # gives nothing: says what is too much


LANES: Final = tuple(Lane)
_LANE_OF: Final[dict[type, Lane]] = {
    MemberPrice: Lane.PRICE,
    ItemOff: Lane.ITEM,
    NForPrice: Lane.ITEM,
    NthOff: Lane.ITEM,
    BundlePrice: Lane.ITEM,
    BuyGetOff: Lane.ITEM,
    SpendAndSave: Lane.ORDER,
    Deposit: Lane.DEPOSIT,
    FreeShipping: Lane.SHIPPING,
    Gift: Lane.GIFT,
    BuyGet: Lane.GIFT,
    PurchaseLimit: Lane.LIMIT,
}


class Limits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often and how much a rule may give at all; empty: no limit. ``budget`` is in the currency of the orders."""

    most_uses: int | None = None
    most_uses_of_a_buyer: int | None = None
    budget: Decimal | None = None


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What one version of a promotion says.

    In a lane, rules of one ``group`` exclude each other and an ``is_exclusive`` rule excludes all others of its lane;
    among what may stand together the buyer gets the best. ``priority`` decides the order in which rules of a lane are
    worked out (higher first, then the code).
    """

    reward: Reward
    condition: Condition = ALWAYS
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    priority: int = 0
    group: str = ""
    is_exclusive: bool = False
    needs_coupon: bool = False
    limits: Limits = Limits()
    returns_uses: bool = True  # a cancelled order gives back what it used

    @property
    def lane(self) -> Lane:
        """Return where the rule is worked out: with a coupon in its own lane, unless it gives gifts or shipping."""
        lane = _LANE_OF[type(self.reward)]
        return Lane.COUPON if self.needs_coupon and lane in (Lane.ITEM, Lane.ORDER) else lane

    def is_in_time(self, at: datetime) -> bool:
        """Return whether the rule's own time includes this moment; the end is not part of it."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


class PublishedRule(Struct, frozen=True):
    """A rule under the promotion's code and the number of its version."""

    code: str
    number: int
    rule: Rule


def to_json(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON values, as versions keep it and their digest is made of it."""
    body: dict[str, Any] = msgspec.to_builtins(rule)
    return body


def from_json(body: dict[str, Any]) -> Rule:
    """Return the rule that ``to_json`` wrote; raises ``msgspec.ValidationError`` with the path of what is wrong."""
    return msgspec.convert(body, Rule)
