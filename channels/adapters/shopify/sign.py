"""How a webhook is signed. Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256


def signature(body: bytes, secret: str) -> str:
    """Return base64 HMAC-SHA256 of the body's bytes."""
    return b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


def is_signed(body: bytes, given: str, credentials: Mapping[str, str]) -> bool:
    """Return whether one of the two secrets signed ``body``: a new one is used only up to an hour after its change."""
    secrets = [credentials.get(name) for name in ("webhook_secret", "previous_webhook_secret")]
    matches = [hmac.compare_digest(signature(body, one).encode(), given.encode()) for one in secrets if one]
    return any(matches)
