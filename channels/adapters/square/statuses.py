"""What Square's words mean for us. Pure tables; a word that is not in them is refused, never guessed."""

from enum import Enum
from typing import Final

from audit.rules.sentences import say
from channels.messages import RefundState


class Meaning(Enum):
    """What an order's state says."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Way(Enum):
    """How goods reach the buyer."""

    SENT = "sent"
    TAKEN = "taken at the store"


ORDER: Final = {"OPEN": Meaning.OPEN, "COMPLETED": Meaning.DONE, "CANCELED": Meaning.CANCELLED}
WAYS: Final = {"SHIPMENT": Way.SENT, "DELIVERY": Way.SENT, "PICKUP": Way.TAKEN, "IN_STORE": Way.TAKEN}
FULFILLMENT: Final = {
    "PROPOSED": Meaning.OPEN,
    "RESERVED": Meaning.OPEN,
    "PREPARED": Meaning.OPEN,
    "COMPLETED": Meaning.DONE,
    "CANCELED": Meaning.CANCELLED,
    "FAILED": Meaning.CANCELLED,
}
DETAILS: Final = {
    "SHIPMENT": "shipment_details",
    "DELIVERY": "delivery_details",
    "PICKUP": "pickup_details",
    "IN_STORE": "in_store_details",
}
PICKUP: Final = say("The buyer takes this order at the store.")
STOPPED: Final = say("Sending this order was cancelled or failed at Square.")
REFUND: Final = {
    "PENDING": RefundState.AGREED,
    "APPROVED": RefundState.REFUNDED,
    "REJECTED": RefundState.CLOSED,
    "FAILED": RefundState.CLOSED,
}
RETURN: Final = {
    "OPEN": RefundState.AGREED,
    "COMPLETED": RefundState.REFUNDED,
    "CANCELED": RefundState.CLOSED,
}
