"""A webhook becomes the number of the order it is about.

Its body holds the order, but not whether the order is on hold: the order is fetched whole, with its holds and refunds.
``X-Shopify-Triggered-At`` is not covered by the signature and stays the same on all eight deliveries of four hours (the
latter not verified): it only keeps out what is older or from the future.
"""

from datetime import datetime, timedelta
from typing import Final

from channels.adapters import fields, signing
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.messages import Untranslatable

SECRETS: Final = ("webhook_secret", "previous_webhook_secret")  # a new one is used up to an hour after its change
LONGEST_DELIVERY: Final = timedelta(hours=5)
SKEW: Final = timedelta(minutes=10)
NUMBER_OF: Final = {
    "orders": "id",
    "refunds": "order_id",
    "fulfillments": "order_id",
    "order_transactions": "order_id",
}
TAKEN: Final = b"{}"  # any 2xx will do


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Check signature, shop and time, and name the order; a topic about something else is taken and left alone.

    Raises ``NotAuthentic``.
    """
    secrets = [connection.credentials.get(name) for name in SECRETS]
    expected = [signing.base64_hmac(secret, pushed.body) for secret in secrets if secret]
    if not signing.is_one_of(pushed.header("X-Shopify-Hmac-Sha256"), expected):
        raise NotAuthentic("the signature does not belong to this channel")
    ours, theirs = connection.options.get("shop_domain"), pushed.header("X-Shopify-Shop-Domain")
    if ours and theirs.lower() != str(ours).lower():
        raise NotAuthentic("another shop of the same app")
    _check_time(pushed.header("X-Shopify-Triggered-At"), at)
    name = NUMBER_OF.get(pushed.header("X-Shopify-Topic").partition("/")[0])
    return Received(wanted=_number(pushed.body, name) if name else (), answer=TAKEN)


def _check_time(text: str, at: datetime) -> None:
    try:
        triggered_at = fields.Fields({"at": text}, []).time_or_none("at")
    except Untranslatable as error:
        raise NotAuthentic("the time cannot be read") from error
    if triggered_at and not at - LONGEST_DELIVERY <= triggered_at <= at + SKEW:
        raise NotAuthentic("too old, or from the future")


def _number(body: bytes, name: str) -> tuple[str, ...]:
    try:
        number = fields.decode(body).get(name)
    except Untranslatable:
        return ()
    return (str(number),) if type(number) is int else ()
