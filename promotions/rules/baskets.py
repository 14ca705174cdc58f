"""What goes into the engine and what comes out: a ``Basket`` in, a ``Quote`` out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from audit.rules.sentences import Sentence

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line to be priced. ``discount`` is for the whole line, as the channel granted it."""

    line_number: int
    sku_id: int | None
    quantity: int
    unit_price: Decimal
    discount: Decimal = NOTHING
    sku: str = ""  # our code; empty while nobody knows what the channel's code means
    category: str = ""
    brand: str = ""
    gift_of: str = ""  # the promotion whose gift it is: in the parcel already, and not counted as goods


@dataclass(frozen=True, slots=True)
class Basket:
    """What is bought together, by whom, where and when.

    ``is_priced_here``: our rules make its prices. Most channels make their own: then only gifts and purchase limits
    apply, and the verdicts of the others say so.
    """

    reference: str
    channel_code: str
    currency: str
    lines: tuple[BasketLine, ...]
    shipping: Decimal = NOTHING
    placed_at: datetime | None = None
    region: str = ""  # province code, or country abroad
    store: str = ""
    buyer: str = ""
    tier: str = ""
    segments: frozenset[str] = frozenset()
    orders_before: int | None = None  # None: unknown
    payment: str = ""
    coupons: tuple[str, ...] = ()
    chosen_gifts: tuple[str, ...] = ()
    is_priced_here: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a rule's limits for one basket; ``None``: no limit."""

    uses: int | None = None
    uses_of_the_buyer: int | None = None
    budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the engine must know besides the basket: limits by promotion code, units of gifts that can be had, coupons.

    ``coupon_of`` says which promotion a coupon code of the basket belongs to; ``bought_before`` how many units per SKU
    code the buyer took within a purchase limit's days, by promotion code.
    """

    left: Mapping[str, Left] = field(default_factory=dict)
    gift_units: Mapping[str, int] | None = None  # None: not looked at, every gift can be had
    coupon_of: Mapping[str, str] = field(default_factory=dict)
    bought_before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of one rule."""

    APPLIED = "applied"
    NOT_MET = "not_met"  # its condition is not true
    OUT_OF_TIME = "out_of_time"
    BEATEN = "beaten"  # another rule that excludes it gives the buyer more
    NOTHING_LEFT = "nothing_left"  # its goods cost nothing any more, or it would give nothing
    SPENT = "spent"  # its uses or its budget are gone
    NO_COUPON = "no_coupon"
    NO_STOCK = "no_stock"  # a gift that is not there
    NOT_PRICED_HERE = "not_priced_here"  # the channel makes the prices
    EXCEEDED = "exceeded"  # a purchase limit: more than allowed


class Verdict(Struct, frozen=True, gc=False):
    """What became of one rule for one basket, and why, with the values."""

    code: str
    number: int  # the version's
    outcome: Outcome
    why: Sentence
    amount: Decimal = NOTHING  # what it took off


class Grant(Struct, frozen=True, gc=False):
    """What one rule took off one line."""

    code: str
    number: int
    amount: Decimal


class QuotedLine(Struct, frozen=True, gc=False):
    """What one line costs, to the cent: gross − discount = net; ``grants`` are our rules' part of the discount."""

    line_number: int
    gross: Decimal
    discount: Decimal
    net: Decimal
    grants: tuple[Grant, ...] = ()

    @property
    def granted(self) -> Decimal:
        """Return what our rules took off."""
        return sum((grant.amount for grant in self.grants), NOTHING)


class GiftLine(Struct, frozen=True, gc=False):
    """Units that a rule adds to the parcel."""

    sku: str
    quantity: int
    code: str
    number: int


class Quote(Struct, frozen=True, gc=False):
    """What a basket costs and why: lines, gifts, sums, and a verdict for every rule that was looked at."""

    reference: str
    lines: tuple[QuotedLine, ...]
    goods: Decimal
    discount: Decimal
    shipping: Decimal  # after what rules took off
    total: Decimal
    shipping_off: Decimal = NOTHING
    gifts: tuple[GiftLine, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    is_exact: bool = True  # False: too many combinations, the best of those tried

    @property
    def exceeded(self) -> tuple[Verdict, ...]:
        """Return the purchase limits that the basket breaks."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.EXCEEDED)
