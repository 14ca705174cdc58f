"""How a push is signed. Pure."""

import hashlib
from collections.abc import Mapping

from channels.adapters import signing


def signature(client_id: str, number: str, body: str, secret: str) -> str:
    """Return the MD5 of application, message number, message and secret; the message is the text as it was sent."""
    return hashlib.md5((client_id + number + body + secret).encode("utf-8", "surrogatepass")).hexdigest()


def is_signed(told: Mapping[str, object], credentials: Mapping[str, str]) -> bool:
    """Return whether a push was signed with the application's secret, in constant time."""
    client_id, secret = credentials.get("client_id", ""), credentials.get("client_secret", "")
    number, body, given = told.get("id"), told.get("msgBody"), told.get("sign")
    if not (client_id and secret and isinstance(body, str) and isinstance(given, str)):
        return False
    return signing.is_one_of(given, [signature(client_id, str(number), body, secret)])
