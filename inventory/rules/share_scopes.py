"""Which share of a channel a SKU falls under, and whether all channels' shares fit together. Plain Python."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from inventory.rules.shares import SETS_ASIDE


@dataclass(frozen=True)
class Share:
    """A share as it is published: whose, of what, how much and when. Without category and SKU it is of everything."""

    share_id: int
    channel: str
    kind: str
    unit: str
    amount: Decimal
    category_id: int | None = None
    sku_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def is_on(self, at: datetime) -> bool:
        """Return whether the share counts at this moment."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def fits(self, sku_id: int | None, category_id: int | None) -> bool:
        """Return whether a SKU (None: any other SKU) of a category (None: any other category) falls under it."""
        if self.sku_id is not None:
            return self.sku_id == sku_id
        return self.category_id is None or self.category_id == category_id

    @property
    def width(self) -> int:
        """Narrower shares come first: a SKU, a category, everything."""
        return 0 if self.sku_id is not None else 1 if self.category_id is not None else 2


@dataclass(frozen=True)
class Overfull:
    """A moment and a scope in which channels are promised more than there is."""

    at: datetime | None  # None: whatever the moment
    sku_id: int | None
    category_id: int | None
    percents: Mapping[str, Decimal]  # channel → per cent set aside for it

    @property
    def total(self) -> Decimal:
        """Return all channels' per cent together."""
        return sum(self.percents.values(), Decimal(0))


def overfull(shares: Sequence[Share], categories: Mapping[int, int], *, now: datetime) -> Overfull | None:
    """Return the first moment, from now on, and scope in which the per cents set aside go over a hundred.

    ``categories`` says the category of every SKU that a share names. Only a moment at which some share begins can be
    the first at which they are too many.
    """
    moments = sorted({now, *(share.starts_at for share in shares if share.starts_at and share.starts_at > now)})
    for at in moments:
        on = [share for share in shares if share.is_on(at)]
        for sku_id, category_id in _scopes(on, categories):
            percents = _set_aside(on, sku_id, category_id)
            if sum(percents.values(), Decimal(0)) > 100:
                return Overfull(at, sku_id, category_id, percents)
    return None


def narrowest(shares: Iterable[Share], sku_id: int | None, category_id: int | None) -> dict[str, Share]:
    """Return each channel's share of a SKU: the narrowest that fits, of equals the youngest."""
    chosen: dict[str, Share] = {}
    for share in sorted(shares, key=lambda share: (share.width, -share.share_id)):
        if share.fits(sku_id, category_id):
            chosen.setdefault(share.channel, share)
    return chosen


def _scopes(shares: Collection[Share], categories: Mapping[int, int]) -> list[tuple[int | None, int | None]]:
    """Return every scope that some share treats differently: the rest of the house, categories, single SKUs."""
    named = {share.category_id for share in shares if share.category_id is not None}
    skus = {share.sku_id for share in shares if share.sku_id is not None}
    return [
        (None, None),
        *((None, category_id) for category_id in sorted(named)),
        *((sku_id, categories.get(sku_id)) for sku_id in sorted(skus)),
    ]


def _set_aside(shares: Collection[Share], sku_id: int | None, category_id: int | None) -> dict[str, Decimal]:
    return {
        channel: share.amount
        for channel, share in narrowest(shares, sku_id, category_id).items()
        if share.kind in SETS_ASIDE and share.unit == "percent"
    }
