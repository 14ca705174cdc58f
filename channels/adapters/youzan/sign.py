"""How Youzan signs what it pushes. Pure."""

import hashlib
import hmac

from channels.adapters.protocol import NotAuthentic


def signature(client_id: str, message: str, client_secret: str) -> str:
    """Return the signature over a push's ``msg`` exactly as received, still url-encoded."""
    return hashlib.md5(f"{client_id}{message}{client_secret}".encode()).hexdigest()


def verify(given: str, *, client_id: str, message: str, client_secret: str) -> None:
    """Check a push's signature in constant time; raises ``NotAuthentic``."""
    expected = signature(client_id, message, client_secret)
    if not client_secret or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise NotAuthentic("the signature does not belong to this channel")
