"""How the address of Pinduoduo's message socket is signed; calls are signed by ``signing.md5_of_pairs``. Pure."""

import base64
import hashlib


def socket_path(client_id: str, secret: str, *, milliseconds: int) -> str:
    """Return the path of the message socket: its digest is the base64 of an MD5 in hex, not of the MD5 itself."""
    digest = hashlib.md5(f"{client_id}{milliseconds}{secret}".encode()).hexdigest()
    return f"/message/{client_id}/{milliseconds}/{base64.b64encode(digest.encode()).decode()}"
