"""What TOP's status words mean for us. Pure tables; a word that is not in them is refused, never guessed.

Not verified against the live platform (documented guess): that a flag of ``HOLD_FLAGS`` with the value 1 forbids
shipping.
"""

from enum import Enum
from typing import Final

from audit.rules.sentences import Sentence, say


class Meaning(Enum):
    """What a trade's status says about money and goods."""

    UNPAID = "unpaid"
    HOLD = "hold"
    TO_SHIP = "to ship"
    PART_SHIPPED = "partly shipped"
    SHIPPED = "shipped"
    DONE = "done"
    CANCELLED = "cancelled"


TRADE: Final = {
    "TRADE_NO_CREATE_PAY": Meaning.UNPAID,
    "WAIT_BUYER_PAY": Meaning.UNPAID,
    "PAY_PENDING": Meaning.UNPAID,
    "WAIT_PRE_AUTH_CONFIRM": Meaning.UNPAID,
    "PAID_FORBID_CONSIGN": Meaning.HOLD,
    "WAIT_SELLER_SEND_GOODS": Meaning.TO_SHIP,
    "SELLER_CONSIGNED_PART": Meaning.PART_SHIPPED,
    "WAIT_BUYER_CONFIRM_GOODS": Meaning.SHIPPED,
    "TRADE_BUYER_SIGNED": Meaning.SHIPPED,
    "TRADE_FINISHED": Meaning.DONE,
    "TRADE_CLOSED": Meaning.CANCELLED,
    "TRADE_CLOSED_BY_TAOBAO": Meaning.CANCELLED,
}
WENT_OUT: Final = (Meaning.PART_SHIPPED, Meaning.SHIPPED, Meaning.DONE)
CANCEL_REASONS: Final = {
    "TRADE_CLOSED": "Closed on Taobao after payment (refunded)",
    "TRADE_CLOSED_BY_TAOBAO": "Closed on Taobao before payment",
}
DEPOSIT_PAID: Final = "FRONT_PAID_FINAL_NOPAID"
STEPS: Final[dict[str | None, Sentence | None]] = {
    None: None,
    "": None,
    "FRONT_NOPAID_FINAL_NOPAID": say("Presale: the deposit is not paid yet."),
    DEPOSIT_PAID: say("Presale: only the deposit is paid, the final payment is still to come."),
    "FRONT_PAID_FINAL_PAID": None,
}
FORBIDDEN: Final = say("Taobao forbids shipping for now: paid, but for example the group buy is still forming.")
FLAGGED: Final = say("Taobao has flagged this trade as not to be shipped for now.")
HOLD_FLAGS: Final = ("forbid_consign", "top_hold", "team_buy_hold", "share_group_hold", "ofp_hold")
CASH_ON_DELIVERY: Final = "cod"
