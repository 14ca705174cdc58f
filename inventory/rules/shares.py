"""How much of a SKU one channel may still take, when channels have shares of it. Plain Python.

In the order in which a planner reads them, for one SKU over all its nodes:

1. *sellable* is what is on hand and neither held nor kept as safety stock; *free* is the part of it nobody reserved;
2. a share allows so many units through its whole time, or so many per cent of what is sellable now;
3. used of a share in units is everything the channel took since it began: reserved, promised ahead and already sold.
   Used of a share in per cent is reserved and promised ahead only: what is sold has left the stock the per cent is of;
4. what another channel's exclusive, borrowable or presale share still has unused is set aside from this channel; of a
   borrowable one the lent per cent is not (rounded down, so that the owner is never the one who loses a unit);
5. a capped share and a presale also bind their own channel: it takes at most what its share still has.

A channel without a share sells what the others have not set aside.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

SETS_ASIDE: Final = frozenset({"exclusive", "borrowable", "presale"})
CAPS: Final = frozenset({"capped", "presale"})


@dataclass(frozen=True)
class Pool:
    """A live share of one SKU and its use, in units."""

    pool_id: int
    channel: str
    kind: str  # exclusive | borrowable | capped | presale
    unit: str  # units | percent
    amount: Decimal
    lend_percent: int = 0
    reserved: int = 0
    sold: int = 0
    promised: int = 0

    @property
    def used(self) -> int:
        """Units that count against the share."""
        taken = self.reserved + self.promised
        return taken if self.unit == "percent" else taken + self.sold

    def left(self, sellable: int) -> int:
        """Return how many units the share still has, never below nothing."""
        allowed = int(sellable * self.amount / 100) if self.unit == "percent" else int(self.amount)
        return max(0, allowed - self.used)

    def set_aside(self, sellable: int) -> int:
        """Return how many unused units other channels may not touch."""
        if self.kind not in SETS_ASIDE:
            return 0
        left = self.left(sellable)
        return left - left * self.lend_percent // 100 if self.kind == "borrowable" else left


@dataclass(frozen=True)
class Part:
    """One step of the sum behind a channel's figure."""

    name: str  # free | set_aside | share
    channel: str
    kind: str
    units: int


@dataclass
class Shared:
    """One SKU that channels have shares of. Counted down with ``take`` while a batch is decided on."""

    sellable: int
    free: int
    pools: dict[str, Pool] = field(default_factory=dict)  # channel → its share

    def room(self, channel: str) -> int:
        """Return how many units this channel may still take."""
        others = sum(pool.set_aside(self.sellable) for name, pool in self.pools.items() if name != channel)
        units = self.free - others
        own = self.pools.get(channel)
        if own and own.kind in CAPS:
            units = min(units, own.left(self.sellable))
        return max(0, units)

    def parts(self, channel: str) -> tuple[Part, ...]:
        """Return the sum behind ``room``: what is free, what each other share keeps, what the own one allows."""
        kept = [
            Part("set_aside", name, pool.kind, -pool.set_aside(self.sellable))
            for name, pool in sorted(self.pools.items())
            if name != channel and pool.kind in SETS_ASIDE
        ]
        own = self.pools.get(channel)
        cap = [Part("share", channel, own.kind, own.left(self.sellable))] if own and own.kind in CAPS else []
        return (Part("free", "", "", self.free), *kept, *cap)

    def take(self, channel: str, units: int) -> int | None:
        """Count units down as reserved by this channel; returns the pool they count against, if it has one."""
        self.free -= units
        own = self.pools.get(channel)
        if own is None:
            return None
        self.pools[channel] = replace(own, reserved=own.reserved + units)
        return own.pool_id


def figure(shared: Shared | None, channel: str, available: int) -> int:
    """Return what a channel may be told: what its nodes can promise, within what the shares leave it.

    A presale is told what its pool still has, whether the goods have come or not.
    """
    if shared is None:
        return available
    own = shared.pools.get(channel)
    if own and own.kind == "presale":
        return own.left(shared.sellable)
    return min(available, shared.room(channel))
