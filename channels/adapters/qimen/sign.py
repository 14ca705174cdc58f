"""How Qimen calls are signed, in both directions. Pure."""

import hashlib
import hmac
from collections.abc import Mapping

from channels.adapters.protocol import NotAuthentic


def signature(query: Mapping[str, str], body: bytes, secret: str) -> str:
    """Return the signature over all parameters of the query but ``sign``, sorted, and the body's bytes."""
    joined = "".join(name + query[name] for name in sorted(query) if name != "sign")
    return hashlib.md5(f"{secret}{joined}".encode() + body + secret.encode()).hexdigest().upper()


def verify(query: Mapping[str, str], body: bytes, secret: str) -> None:
    """Check a call's signature in constant time; raises ``NotAuthentic``."""
    given = query.get("sign", "").encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(given, signature(query, body, secret).encode()):
        raise NotAuthentic("the signature does not belong to this channel")
