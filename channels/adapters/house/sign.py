"""The signature of the house language: hex HMAC-SHA256 of the body's bytes with the channel's secret."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from channels.adapters.protocol import NotAuthentic

HEADER = "X-Hub-Signature"


def signature(body: bytes, secret: str) -> str:
    """Return the value of the signature header for ``body``."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def verify(headers: Mapping[str, str], body: bytes, credentials: Mapping[str, str]) -> None:
    """Check that one of the channel's secrets signed ``body``, in constant time; raises ``NotAuthentic``.

    ``previous_secret`` stays valid beside ``secret`` while the other side changes over. A channel without a secret
    accepts nobody.
    """
    secrets = [credentials[name] for name in ("secret", "previous_secret") if credentials.get(name)]
    given = _header(headers).removeprefix("sha256=").strip().lower().encode("utf-8", "replace")
    matches = [hmac.compare_digest(signature(body, secret).encode(), given) for secret in secrets]
    if not any(matches):
        raise NotAuthentic("the signature does not belong to this channel")


def _header(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
