"""What must be true of a basket: conditions as data, grouped by ``All``, ``Any`` and ``Not``.

Only the words stand here; ``matching`` compiles them. A condition lies in a version's JSON with its tag under ``is``.
"""

from datetime import time
from decimal import Decimal

from msgspec import Struct

from promotions.rules.goods import EVERYTHING, Goods


class _Condition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="is"):
    """Every condition is a frozen value."""


class All(_Condition, frozen=True, tag="all"):
    """Each of these; none at all is always true (a rule without a condition says so on purpose)."""

    of: "tuple[Condition, ...]" = ()


class Any(_Condition, frozen=True, tag="any"):
    """At least one of these."""

    of: "tuple[Condition, ...]" = ()


class Not(_Condition, frozen=True, tag="not"):
    """Not this."""

    of: "Condition"


class Amount(_Condition, frozen=True, tag="amount"):
    """The goods cost at least (and less than) this together, after what earlier lanes took off."""

    at_least: Decimal = Decimal(0)
    below: Decimal | None = None
    goods: Goods = EVERYTHING


class Quantity(_Condition, frozen=True, tag="quantity"):
    """At least (and at most) so many units of the goods."""

    at_least: int = 1
    at_most: int | None = None
    goods: Goods = EVERYTHING


class ShipsTo(_Condition, frozen=True, tag="ships_to"):
    """The receiver lives in one of these provinces or areas (``inventory.rules.geography``: "31", "east" …)."""

    regions: tuple[str, ...] = ()


class OnChannel(_Condition, frozen=True, tag="on_channel"):
    """Bought on one of these channels."""

    channels: tuple[str, ...] = ()


class AtStore(_Condition, frozen=True, tag="at_store"):
    """Bought in one of these stores."""

    stores: tuple[str, ...] = ()


class Member(_Condition, frozen=True, tag="member"):
    """The buyer is a member of one of these tiers."""

    tiers: tuple[str, ...] = ()


class Segment(_Condition, frozen=True, tag="segment"):
    """The buyer belongs to one of these groups of customers."""

    segments: tuple[str, ...] = ()


class OrdersBefore(_Condition, frozen=True, tag="orders_before"):
    """The buyer made so many orders before on this channel; a first order is ``at_most=0``."""

    at_least: int = 0
    at_most: int | None = None


class PaysBy(_Condition, frozen=True, tag="pays_by"):
    """Paid by one of these ways."""

    methods: tuple[str, ...] = ()


class OnWeekdays(_Condition, frozen=True, tag="on_weekdays"):
    """Placed on one of these days, Monday is 1, in the shop's time."""

    days: tuple[int, ...] = ()


class InHours(_Condition, frozen=True, tag="in_hours"):
    """Placed from one time of day until before another, in the shop's time; the second may be past midnight."""

    starts: time
    ends: time


Condition = (
    All | Any | Not | Amount | Quantity | ShipsTo | OnChannel | AtStore | Member | Segment | OrdersBefore | PaysBy
    | OnWeekdays | InHours
)  # fmt: skip
ALWAYS = All()
