"""YonBIP's signature of a token request. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def signature(parameters: Mapping[str, str], secret: str) -> str:
    """Return base64 of the HMAC-SHA256 over all sorted names and values but ``signature``."""
    joined = "".join(name + parameters[name] for name in sorted(parameters) if name != "signature")
    return base64.b64encode(hmac.new(secret.encode(), joined.encode(), hashlib.sha256).digest()).decode()
