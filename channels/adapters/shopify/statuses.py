"""What Shopify's status words mean for us. Pure tables; a word that is not in them is refused, never guessed.

Not verified against the live platform (documented guesses): a refund's transaction statuses beyond ``success``.
"""

from enum import Enum
from typing import Final

from audit.rules.sentences import Sentence, say
from channels.messages import RefundState


class Money(Enum):
    """What a financial status says about the money."""

    UNPAID = "unpaid"
    PAID = "paid"
    REFUNDED = "all of it went back"
    GONE = "it never came"


FINANCIAL: Final = {
    "pending": Money.UNPAID,
    "authorized": Money.UNPAID,
    "partially_paid": Money.UNPAID,
    "paid": Money.PAID,
    "partially_refunded": Money.PAID,
    "refunded": Money.REFUNDED,
    "voided": Money.GONE,
    "expired": Money.GONE,
}
FURTHER: Final = list(FINANCIAL)  # each further than the ones before it
ON_HOLD: Final = ("ON_HOLD", "SCHEDULED")
SHIPPED: Final[dict[str | None, bool]] = {
    None: False,
    "unfulfilled": False,
    "restocked": False,
    "partial": True,
    "fulfilled": True,
}
HOLDS: Final[dict[str | None, Sentence | None]] = {
    None: say("Shopify did not say whether this order is on hold."),
    "UNFULFILLED": None,
    "PARTIALLY_FULFILLED": None,
    "FULFILLED": None,
    "IN_PROGRESS": None,
    "REQUEST_DECLINED": None,
    "OPEN": None,
    "PENDING_FULFILLMENT": None,
    "RESTOCKED": None,
    "ON_HOLD": say("The order is on hold at Shopify; it must be released there first."),
    "SCHEDULED": say("Shopify has scheduled this order for later."),
}
TEST: Final = say("This is a test order of Shopify.")
CANCEL_REASONS: Final = {
    "refunded": "Refunded on Shopify",
    "voided": "The payment was voided on Shopify",
    "expired": "The payment was not captured in time on Shopify",
}
UNSETTLED: Final = frozenset({"pending", "awaiting_response"})
TRANSACTIONS: Final = {
    "success": RefundState.REFUNDED,
    "pending": RefundState.AGREED,
    "awaiting_response": RefundState.AGREED,
    "failure": RefundState.CLOSED,
    "error": RefundState.CLOSED,
}
