"""The gate of the simulated Douyin gateway: who may come in, with which parameters.

The signature is checked over the body's bytes as received: clients write the same JSON in different ways. Not verified
against the live platform: how far a clock may be off (``SKEW``), the ``sub_code`` words but those of a bad signature
and an expired token, and that a parameter which is not in the contract is refused.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.simulators.server import Request
from channels.simulators.signed import GMT8, Refused, read_time

SKEW = timedelta(minutes=10)
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "douyin_fields.json").read_text("utf-8"))
TYPES: dict[str, type] = {"string": str, "int64": int, "bool": bool, "list": list}
MISSING, BAD = 40001, 40003


def refused(code: int, sub_code: str = "", message: str = "") -> Refused:
    """Make the platform's answer that says no."""
    return Refused({"code": code, "msg": message or "failed", "sub_code": sub_code, "sub_msg": message})


def check(request: Request, given: Mapping[str, str], *, app_key: str, secret: str, at: datetime) -> str:
    """Check everything that all calls share but the token, and return the method; raises ``Refused``."""
    for name in ("app_key", "method", "timestamp", "v", "sign"):
        if not given.get(name):
            raise refused(MISSING, "isv.parameter-missing", name)
    if given["app_key"] != app_key:
        raise refused(BAD, "isv.app-key-invalid", "app_key")
    if given["v"] != "2" or request.path != "/" + given["method"].replace(".", "/"):
        raise refused(BAD, "isv.parameter-invalid", "method")
    if abs(read_timestamp(given["timestamp"]) - at) > SKEW:
        raise refused(BAD, "isv.timestamp-invalid", "timestamp")
    if not hmac.compare_digest(given["sign"].encode(), signature(given, request.body, secret).encode()):
        raise refused(BAD, "isv.signature-invalid", "sign")
    if given["method"] not in CONTRACT:
        raise refused(70000, "isv.api-offline", given["method"])
    return given["method"]


def signature(given: Mapping[str, str], body: bytes, secret: str) -> str:
    """Sign a call as the platform does, over the body as received; without a sign method it is MD5."""
    parts = (secret, "app_key", given["app_key"], "method", given["method"], "param_json")
    rest = ("timestamp", given["timestamp"], "v", given["v"], secret)
    signed = "".join(parts).encode() + body + "".join(rest).encode()
    how = given.get("sign_method", "md5")
    if how not in ("md5", "hmac-sha256"):
        raise refused(BAD, "isv.signature-invalid", "sign_method")
    return hashlib.md5(signed).hexdigest() if how == "md5" else hmac.new(secret.encode(), signed, "sha256").hexdigest()


def read_timestamp(text: str) -> datetime:
    """Read one of the three ways in use: GMT+8 text, epoch seconds, epoch milliseconds; raises ``Refused``."""
    if re.fullmatch(r"\d{10}|\d{13}", text, re.ASCII):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), GMT8)
    try:
        return read_time(text)
    except ValueError as error:
        raise refused(BAD, "isv.timestamp-invalid", "timestamp") from error


def read_arguments(method: str, body: bytes) -> dict[str, Any]:
    """Read the body by the method's contract; raises ``Refused`` naming the parameter that is missing or bad."""
    try:
        values = json.loads(body)
    except ValueError as error:
        raise refused(BAD, "isv.parameter-invalid", "param_json") from error
    kinds = {name.rstrip("*"): kind for name, kind in CONTRACT[method].items()}
    for name in CONTRACT[method]:
        if name.endswith("*") and values.get(name.rstrip("*")) in (None, ""):
            raise refused(MISSING, "isv.parameter-missing", name.rstrip("*"))
    for name, value in values.items():
        if name not in kinds or type(value) is not TYPES[kinds[name]]:
            raise invalid(name)
    return dict(values)


def invalid(name: str) -> Refused:
    """Make the answer to a parameter that the platform does not take."""
    return refused(BAD, "isv.parameter-invalid", name)
