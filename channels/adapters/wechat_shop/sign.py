"""How WeChat signs and encrypts what it pushes. Pure."""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from channels.adapters.protocol import NotAuthentic

BLOCK: Final = 32  # the padding's block, twice the cipher's
HEAD: Final = 20  # 16 random bytes and the message's length


def signature(*parts: str) -> str:
    """Return the signature over token, timestamp, nonce and, in a sealed push, the cipher text."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def verify(given: str, *parts: str) -> None:
    """Check a signature in constant time; raises ``NotAuthentic``."""
    if not hmac.compare_digest(given.encode(), signature(*parts).encode()):
        raise NotAuthentic("the signature does not belong to this channel")


def opened(sealed: str, *, aes_key: str, appid: str) -> bytes:
    """Return the message in a cipher text that was sealed for ``appid``; raises ``NotAuthentic``."""
    try:
        key, cipher_text = base64.b64decode(aes_key + "="), base64.b64decode(sealed, validate=True)
        decryptor = Cipher(AES256(key), CBC(key[:16])).decryptor()
        plain = decryptor.update(cipher_text) + decryptor.finalize()
    except ValueError as error:
        raise NotAuthentic("the message is not sealed with this channel's key") from error
    end = HEAD + int.from_bytes(plain[16:HEAD])
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or plain[end : len(plain) - padding] != appid.encode():
        raise NotAuthentic("the message is not sealed for this channel")
    return plain[HEAD:end]
