"""The gate of the simulated WeChat Shop: names and types of what is asked, and how a push is signed and sealed."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "wechat_shop_fields.json").read_text("utf-8"))
BAD_PARAMETER = 9401020
_TYPES = {"String": str, "Integer": int, "Long": int, "Boolean": bool}


class ShopError(Exception):
    """An answer of the platform that says no."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words


def read(path: str, body: bytes) -> dict[str, Any]:
    """Return the object of a request that keeps the contract; raises ``ShopError`` naming the field that does not."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise ShopError(47001, "data format error") from error
    if not isinstance(given, dict):
        raise ShopError(47001, "data format error")
    _check(given, CONTRACT[path], "")
    return given


def _check(given: Any, shape: Any, where: str) -> None:
    """Check a value against its declared shape: an object, a list of one shape, or the name of a type."""
    if isinstance(shape, list):
        if not isinstance(given, list) or not given:
            raise ShopError(BAD_PARAMETER, f"{where} is not a list")
        for place, each in enumerate(given):
            _check(each, shape[0], f"{where}[{place}]")
    elif isinstance(shape, dict):
        _check_object(given, shape, where)
    elif type(given) is not _TYPES[shape]:
        raise ShopError(BAD_PARAMETER, f"{where} is not {shape}")


def _check_object(given: Any, shape: Mapping[str, Any], where: str) -> None:
    if not isinstance(given, dict):
        raise ShopError(BAD_PARAMETER, f"{where} is not an object")
    declared = {name.rstrip("*"): inner for name, inner in shape.items()}
    for name in (name[:-1] for name in shape if name.endswith("*")):
        if given.get(name) in (None, ""):
            raise ShopError(BAD_PARAMETER, f"{where}{name} is missing")
    for name, value in given.items():
        if name in declared:
            _check(value, declared[name], f"{where}{name}")


def signature(*parts: str) -> str:
    """Return SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(message: bytes, *, aes_key: str, appid: str, noise: bytes | None = None) -> str:
    """Return a message sealed as the platform does: 16 bytes of noise, its length, the message, the app, padding."""
    key = base64.b64decode(aes_key + "=")
    plain = (noise or os.urandom(16)) + len(message).to_bytes(4) + message + appid.encode()
    fill = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()
