"""Why an accepted order's stock was not there, and whose side that is. Plain Python.

In the order in which the rule looks:

1. a channel that was never told a figure sold without one;
2. a channel that sold more since it was told than it was told sold over its figure;
3. otherwise its figure was too high by then: our stock had fallen since, and the push came too late or never. When no
   movement shows the fall, the lag is still the cause and its moment stays open;
4. when the stock fell only after the hub had the order, the order waited on us (a hold, a late payment) while others
   took the units: the channel's figure was right and nothing was oversold.

Units that the hub had reserved and that a node could not find are the only cause on our own side.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

PUSH_LAG: Final = "push_lag"
OVER_FIGURE: Final = "over_figure"
NEVER_TOLD: Final = "never_told"
NOT_FOUND: Final = "not_found"
OURS: Final = frozenset({NOT_FOUND})


@dataclass(frozen=True)
class Told:
    """The last figure that a channel had accepted for a listing before it sold."""

    quantity: int
    at: datetime


@dataclass(frozen=True)
class Facts:
    """What is known of one line whose units were missing when the hub first looked for them."""

    received_at: datetime
    sold: int = 0  # units of the listing that the channel sold since it was told, this order included
    told: Told | None = None
    fell_at: datetime | None = None  # when our free units fell below what the line needs, the last time


@dataclass(frozen=True)
class Verdict:
    """The cause, with the figure and the moments that prove it."""

    cause: str
    told: Told | None = None
    fell_at: datetime | None = None


def judge(facts: Facts) -> Verdict | None:
    """Return why the units were missing; ``None`` when the line was not oversold."""
    if facts.told is None:
        return Verdict(NEVER_TOLD)
    if facts.sold > facts.told.quantity:
        return Verdict(OVER_FIGURE, facts.told)
    if facts.fell_at is not None and facts.fell_at > facts.received_at:
        return None
    return Verdict(PUSH_LAG, facts.told, facts.fell_at)


def side_of(cause: str) -> str:
    """Return whose side a cause is: ``ours`` or ``channel``."""
    return "ours" if cause in OURS else "channel"
