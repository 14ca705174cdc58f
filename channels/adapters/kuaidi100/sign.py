"""Kuaidi100's digests. Pure."""

import hashlib
import hmac
from collections.abc import Mapping

from channels.adapters.protocol import NotAuthentic


def of_query(param: str, *, key: str, customer: str) -> str:
    """Return the digest of a query: upper-case MD5 of its parameters, the key and the customer."""
    return _md5(param + key + customer)


def of_push(param: str, salt: str) -> str:
    """Return the digest of a push: upper-case MD5 of its parameters and the salt we gave when subscribing."""
    return _md5(param + salt)


def verify(form: Mapping[str, str], salt: str) -> None:
    """Pass when a push carries the digest made with our salt; raises ``NotAuthentic``."""
    expected = of_push(form.get("param", ""), salt)
    if not salt or not hmac.compare_digest(form.get("sign", "").encode(), expected.encode()):
        raise NotAuthentic("the signature does not belong to this channel")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest().upper()
