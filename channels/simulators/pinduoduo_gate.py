"""The gate of Pinduoduo's simulated gateway: who may come in, with which parameters.

Clients put parameters into the query, a form, a JSON body, or several of them; the signature is checked over the values
as received. The codes are documented; that a nested value is signed as its JSON is not verified.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.simulators.server import Request
from channels.simulators.signed import GMT8, Refused

SKEW = timedelta(minutes=10)
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "pinduoduo_fields.json").read_text("utf-8"))
PUBLIC, CLIENT, METHOD, TOKEN, SIGNATURE, MISMATCH, PARAMETER, BUSINESS, LIMITED = (
    10001,
    10016,
    10017,
    10019,
    20004,
    20032,
    21001,
    50001,
    70031,
)
WORDS = {
    PUBLIC: "公共参数错误",
    CLIENT: "client_id错误",
    METHOD: "type错误",
    TOKEN: "access_token已过期",
    SIGNATURE: "签名sign校验失败",
    MISMATCH: "access_token和client_id不匹配",
    PARAMETER: "业务参数错误",
    BUSINESS: "业务服务错误",
    LIMITED: "调用过于频繁，请调整调用频率",
}


def refused(code: int, about: str = "") -> Refused:
    """Make the platform's answer that says no."""
    words = f"{WORDS[code]}:{about}" if about else WORDS[code]
    error = {"error_code": code, "error_msg": words, "sub_code": None, "sub_msg": about}
    return Refused({"error_response": {**error, "request_id": "15440104776643887"}})


def merged(request: Request) -> dict[str, str]:
    """Return all parameters as the texts that are signed, wherever they stand; raises ``Refused``."""
    given = request.parameters()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(request.body)
            given |= {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
        except (ValueError, AttributeError) as error:
            raise refused(PUBLIC, "body") from error
    return given


def check(given: Mapping[str, str], *, client_id: str, secret: str, at: datetime) -> str:
    """Check everything that all calls share but the token, and return the type; raises ``Refused``."""
    for name in ("type", "client_id", "timestamp", "sign"):
        if not given.get(name):
            raise refused(PUBLIC, name)
    if given["client_id"] != client_id:
        raise refused(CLIENT)
    if given["type"] not in CONTRACT:
        raise refused(METHOD)
    if given.get("data_type", "JSON") != "JSON" or given.get("version", "V1") != "V1":
        raise refused(PUBLIC, "data_type")  # XML is not played here
    _check_time(given["timestamp"], at)
    if not hmac.compare_digest(given["sign"].encode(), signature(given, secret).encode()):
        raise refused(SIGNATURE)
    return given["type"]


def _check_time(text: str, at: datetime) -> None:
    if not re.fullmatch(r"\d{10}", text, re.ASCII):
        raise refused(PUBLIC, "timestamp")
    if abs(datetime.fromtimestamp(int(text), GMT8) - at) > SKEW:
        raise refused(PUBLIC, "timestamp")


def signature(given: Mapping[str, str], secret: str) -> str:
    """Sign the parameters as the platform does, over the values as received."""
    joined = "".join(f"{name}{given[name]}" for name in sorted(given) if name != "sign" and given[name])
    return hashlib.md5(f"{secret}{joined}{secret}".encode()).hexdigest().upper()


def read_arguments(method: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Read the call's own parameters by its contract; raises ``Refused`` naming the one that is missing or bad."""
    values: dict[str, Any] = {}
    for declared, kind in CONTRACT[method].items():
        name = declared.rstrip("*")
        text = given.get(name, "")
        if not text:
            if declared.endswith("*"):
                raise refused(PARAMETER, name)
            continue
        try:
            values[name] = _READERS[kind](text)
        except (ValueError, KeyError) as error:
            raise refused(PARAMETER, name) from error
    return values


def _number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "Text": str,
    "Number": _number,
    "Boolean": {"true": True, "false": False, "True": True, "False": False}.__getitem__,
}
