"""SF's digest. Pure."""

import base64
import hashlib
from urllib.parse import quote_plus


def digest(msg_data: str, timestamp: str, checkword: str) -> str:
    """Return base64 of the MD5 of the form-encoded text, encoded as Java does: ``*`` stays and ``~`` does not."""
    encoded = quote_plus(msg_data + timestamp + checkword, safe="*").replace("~", "%7E")
    return base64.b64encode(hashlib.md5(encoded.encode()).digest()).decode()
