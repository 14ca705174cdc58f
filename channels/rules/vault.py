"""Sealing secrets: AES-256-GCM under a named key, bound to the row they belong to.

A sealed text is ``v1:<key id>:<base64 of nonce and ciphertext>``. ``owner`` is authenticated with it, so a secret that
is copied to another row does not open there. The first key of a ring seals; every key of it opens.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT: Final = "v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # random; NIST SP 800-38D allows 2**32 of them per key
KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,20}")
DERIVED_ID: Final = "derived"


class BadKeys(Exception):
    """The text that names the keys cannot be read; never repeats a key."""


class CannotOpen(Exception):
    """A sealed text that none of our keys opens here: another key, another row, or somebody changed it."""


@dataclass(frozen=True)
class Ring:
    """The keys we have; ``first`` seals."""

    first: str
    keys: Mapping[str, bytes] = field(repr=False)


def ring_from(text: str) -> Ring:
    """Read ``id:base64,id:base64``, the sealing key first; raises ``BadKeys``."""
    keys: dict[str, bytes] = {}
    for place, part in enumerate(text.split(","), start=1):
        name, _, encoded = part.strip().partition(":")
        if not KEY_ID.fullmatch(name) or name in keys:
            raise BadKeys(f"key {place} has no id of its own (letters, digits, dot, dash; at most 20)")
        keys[name] = _key(encoded, name)
    return Ring(next(iter(keys)), keys)


def derived_ring(secret: str) -> Ring:
    """Make a ring of one key out of another secret, for an installation that has no keys of its own."""
    kdf = HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=b"order hub: secrets at rest")
    return Ring(DERIVED_ID, {DERIVED_ID: kdf.derive(secret.encode())})


def seal(plain: bytes, ring: Ring, *, owner: str) -> str:
    """Return ``plain`` as a sealed text that opens for ``owner`` only; never the same text twice."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(ring.keys[ring.first]).encrypt(nonce, plain, _bound(ring.first, owner))
    return f"{FORMAT}:{ring.first}:{base64.b64encode(nonce + ciphertext).decode()}"


def open_sealed(sealed: str, ring: Ring, *, owner: str) -> bytes:
    """Return what was sealed for ``owner``; raises ``CannotOpen`` without repeating any of it."""
    name = key_of(sealed)
    key = ring.keys.get(name)
    if key is None:
        raise CannotOpen(f"no key is called {name!r}")
    try:
        box = base64.b64decode(sealed.split(":", 2)[2], validate=True)
        return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], _bound(name, owner))
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise CannotOpen(f"it was not sealed for {owner} under key {name!r}, or it was changed") from error


def key_of(sealed: str) -> str:
    """Return the id of the key under which a text was sealed; raises ``CannotOpen`` for any other text."""
    version, _, rest = sealed.partition(":")
    name, _, box = rest.partition(":")
    if version != FORMAT or not KEY_ID.fullmatch(name) or not box:
        raise CannotOpen("it is no sealed text")
    return name


def _key(encoded: str, name: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadKeys(f"key {name} is not base64") from error
    if len(key) != KEY_BYTES:
        raise BadKeys(f"key {name} has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _bound(name: str, owner: str) -> bytes:
    return f"{FORMAT}:{name}:{owner}".encode()
