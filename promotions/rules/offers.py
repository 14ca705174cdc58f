"""What one reward would give at the counter."""

from collections.abc import Callable

from msgspec import Struct

from audit.rules.sentences import Sentence, say
from promotions.rules.counter import Counter
from promotions.rules.rewards import Item


class Offer(Struct, gc=False):
    """Cents off by line number (``counter.SHIPPING`` for shipping), gifts; or why it gives nothing."""

    off: dict[int, int] = {}
    gifts: tuple[Item, ...] = ()
    why_nothing: Sentence | None = None
    is_out_of_stock: bool = False
    exceeded: Sentence | None = None  # a purchase limit that the basket breaks

    @property
    def total(self) -> int:
        """Return what it takes off altogether, in cents."""
        return sum(self.off.values())


Give = Callable[[Counter], Offer]
NO_GOODS = Offer(why_nothing=say("None of its goods is in the basket."))
NOTHING = Offer(why_nothing=say("It would take nothing off."))


def too_few(there: int, wanted: int) -> Offer:
    """Return the offer of a reward that needs more units."""
    return Offer(why_nothing=say("There are %(there)s units of its goods; it needs %(wanted)s.",
                                 there=there, wanted=wanted))  # fmt: skip


def too_little(there: str, wanted: str) -> Offer:
    """Return the offer of a reward whose goods must cost more."""
    return Offer(why_nothing=say("Its goods come to %(there)s; they need %(wanted)s.", there=there, wanted=wanted))
