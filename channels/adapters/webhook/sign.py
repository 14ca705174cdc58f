"""The signature of Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body, one for each secret in use. Pure."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST_KEY: Final = 24
LONGEST_KEY: Final = 64


class BadSecret(ValueError):
    """A secret that is not ``whsec_`` and 24 to 64 bytes in base64."""


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret stands for; raises ``BadSecret``."""
    if not secret.startswith(PREFIX):
        raise BadSecret("a secret begins with whsec_")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError) as error:
        raise BadSecret("a secret is base64") from error
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise BadSecret("a secret has 24 to 64 bytes")
    return key


def secret_of(key: bytes) -> str:
    """Return the secret that stands for these bytes."""
    return PREFIX + base64.b64encode(key).decode()


def secrets_in_use(credentials: Mapping[str, str], *, at: datetime) -> list[str]:
    """Return the secrets that sign at ``at``: the present one first, the one before it until its time is over."""
    found = [credentials["secret"]] if credentials.get("secret") else []
    before, until = credentials.get("previous_secret"), credentials.get("previous_until")
    if before and until and at < datetime.fromisoformat(until):
        found.append(before)
    return found


def headers(message_id: str, body: bytes, secrets: list[str], *, at: datetime) -> dict[str, str]:
    """Return the three headers of one try; the id stays over all tries. Raises ``BadSecret``."""
    seconds = str(int(at.timestamp()))
    signed = b".".join([message_id.encode(), seconds.encode(), body])
    signatures = [
        "v1," + base64.b64encode(hmac.new(key_of(secret), signed, sha256).digest()).decode() for secret in secrets
    ]
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": " ".join(signatures)}
