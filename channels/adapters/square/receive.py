"""A webhook carries numbers only: it becomes the number of the order to fetch.

The signature covers the address as Square was given it: behind a proxy that is the option ``notification_url``. What
was not answered with 2xx is sent again for a day, with the same ``created_at``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from channels.adapters import renaming, signing
from channels.adapters.fields import Fields, decode
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.messages import Untranslatable

KEYS: Final = ("signature_key", "previous_signature_key")
LONGEST_DELIVERY: Final = timedelta(hours=25)
SKEW: Final = timedelta(minutes=10)
TAKEN: Final = b"{}"  # any 2xx will do


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Check signature and time, and name the order; an event about something else is taken and left alone.

    Raises ``NotAuthentic``.
    """
    url = str(connection.options.get("notification_url") or pushed.url)
    keys = [connection.credentials.get(name) for name in KEYS]
    expected = [signing.base64_hmac(key, url.encode() + pushed.body) for key in keys if key]
    if not signing.is_one_of(pushed.header("x-square-hmacsha256-signature"), expected):
        raise NotAuthentic("the signature does not belong to this channel")
    try:
        event = decode(pushed.body)
        created_at = Fields(event, []).time_or_none("created_at")
    except Untranslatable:
        return Received(answer=TAKEN)
    if created_at and not at - LONGEST_DELIVERY <= created_at <= at + SKEW:
        raise NotAuthentic("too old, or from the future")
    return Received(wanted=_wanted(event, connection.options.get("locations") or {}), answer=TAKEN)


def _wanted(event: Mapping[str, Any], locations: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the order that an event is about; its object is ``{"order_updated": {…}}``, ``{"refund": {…}}`` …"""
    for value in renaming.part_or_none(event, "data", "object").values():
        number = value.get("order_id") if isinstance(value, dict) else None
        if isinstance(number, str) and number:
            return (number,) if value.get("location_id", next(iter(locations), "")) in locations else ()
    return ()
