"""How a TOP call is signed. Pure: parameters in, signature out."""

import hashlib
import hmac
from collections.abc import Mapping

METHODS = ("md5", "hmac", "hmac-sha256")


def signature(parameters: Mapping[str, str], secret: str, *, method: str) -> str:
    """Return the signature over all parameters but ``sign`` and empty ones; raises ``ValueError``."""
    names = sorted(name for name in parameters if name != "sign" and parameters[name] != "")
    return digest("".join(name + parameters[name] for name in names), secret, method=method)


def digest(joined: str, secret: str, *, method: str) -> str:
    """Return the digest of the joined names and values; raises ``ValueError`` for another method."""
    if method == "md5":
        return hashlib.md5((secret + joined + secret).encode()).hexdigest().upper()
    if method not in METHODS:
        raise ValueError(f"{method} is not one of {', '.join(METHODS)}")
    algorithm = "md5" if method == "hmac" else "sha256"
    return hmac.new(secret.encode(), joined.encode(), algorithm).hexdigest().upper()
