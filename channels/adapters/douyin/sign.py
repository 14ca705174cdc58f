"""How a Douyin call and a Douyin push are signed. Pure: what is sent in, signature out."""

import hashlib
import hmac


def signature(*, app_key: str, secret: str, method: str, timestamp: str, body: str, how: str = "hmac-sha256") -> str:
    """Return the lower-case signature over the five signed fields; ``body`` is the request's body as it is sent.

    ``md5`` is the older way, for calls without a sign method.
    """
    signed = f"{secret}app_key{app_key}method{method}param_json{body}timestamp{timestamp}v2{secret}".encode()
    if how == "md5":
        return hashlib.md5(signed).hexdigest()
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


def event_signature(body: bytes, *, app_key: str, secret: str) -> str:
    """Return the ``event-sign`` of a pushed body, over its bytes as received."""
    return hashlib.md5(app_key.encode() + body + secret.encode()).hexdigest()
