"""How a webhook is signed. Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256


def signature(url: str, body: bytes, key: str) -> str:
    """Return base64 HMAC-SHA256 of the address that Square was given and the body's bytes."""
    return b64encode(hmac.digest(key.encode(), url.encode() + body, sha256)).decode()


def is_signed(url: str, body: bytes, given: str, credentials: Mapping[str, str]) -> bool:
    """Return whether one of the channel's keys signed ``body`` for this address, in constant time."""
    keys = [credentials.get(name) for name in ("signature_key", "previous_signature_key")]
    matches = [hmac.compare_digest(signature(url, body, key).encode(), given.encode()) for key in keys if key]
    return any(matches)
