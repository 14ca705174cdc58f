"""AfterShip's signatures: of calls where the account asks for it, and of webhooks. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from channels.adapters.protocol import NotAuthentic

JSON = "application/json"
SIGNATURE = "aftership-hmac-sha256"


def of_call(method: str, target: str, body: bytes, *, date: str, key: str, secret: str) -> str:
    """Return the signature of a call; ``target`` is its path with the query sorted."""
    digest = hashlib.md5(body).hexdigest().upper() if body else ""
    text = "\n".join((method, digest, JSON if body else "", date, f"as-api-key:{key}", target))
    return _sealed(secret, text.encode())


def of_push(body: bytes, secret: str) -> str:
    """Return the signature of a webhook over its body's bytes."""
    return _sealed(secret, body)


def verify(body: bytes, signature: str, credentials: Mapping[str, str]) -> None:
    """Pass when one of the active secrets made the signature; raises ``NotAuthentic``."""
    secrets = [credentials.get(name) for name in ("webhook_secret", "previous_webhook_secret")]
    expected = [of_push(body, secret).encode() for secret in secrets if secret]
    if not any(hmac.compare_digest(signature.encode(), each) for each in expected):
        raise NotAuthentic("the signature does not belong to this channel")


def _sealed(secret: str, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
