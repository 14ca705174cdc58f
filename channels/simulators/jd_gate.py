"""The gate of JD's simulated gateway: who may come in, with which parameters.

Clients put parameters into the query, the body or both, and write the time in two ways; the signature is checked over
the values as received. Not verified against the live platform: the numbers in ``WORDS`` but 19, their texts, and how
far a clock may be off (``SKEW``).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.simulators.signed import Refused, read_time

SKEW = timedelta(minutes=10)
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "jd_fields.json").read_text("utf-8"))
WORDS = {
    10: ("参数错误", "Invalid parameter"),
    11: ("方法不存在", "Invalid method"),
    12: ("签名错误", "Invalid signature"),
    13: ("无效app_key", "Invalid app_key"),
    14: ("时间戳错误", "Invalid timestamp"),
    19: ("无效access_token", "Invalid access_token"),
    20: ("访问频率超限", "Call frequency exceeded"),
}
PARAMETER, METHOD, SIGNATURE, APP_KEY, TIMESTAMP, TOKEN, LIMITED = 10, 11, 12, 13, 14, 19, 20
_OFFSET = re.compile(r"(\.\d{3})?\+0800$")


def refused(code: int, about: str = "") -> Refused:
    """Make the gateway's answer that says no."""
    chinese, english = WORDS[code]
    return Refused({"error_response": {"code": str(code), "zh_desc": chinese + about, "en_desc": english}})


def check(given: Mapping[str, str], *, app_key: str, secret: str, at: datetime) -> str:
    """Check everything that all calls share but the token, and return the method; raises ``Refused``."""
    for name in ("method", "app_key", "timestamp", "v", "sign", "360buy_param_json"):
        if not given.get(name):
            raise refused(PARAMETER, name)
    if given["app_key"] != app_key:
        raise refused(APP_KEY)
    if given["method"] not in CONTRACT:
        raise refused(METHOD)
    try:
        moment = read_time(_OFFSET.sub("", given["timestamp"]))
    except ValueError as error:
        raise refused(TIMESTAMP) from error
    if abs(moment - at) > SKEW:
        raise refused(TIMESTAMP)
    if not hmac.compare_digest(given["sign"].encode(), signature(given, secret).encode()):
        raise refused(SIGNATURE)
    return given["method"]


def signature(given: Mapping[str, str], secret: str) -> str:
    """Sign the parameters as the platform does, over the values as received."""
    joined = "".join(f"{name}{given[name]}" for name in sorted(given) if name != "sign" and given[name])
    return hashlib.md5(f"{secret}{joined}{secret}".encode()).hexdigest().upper()


def read_arguments(method: str, text: str) -> dict[str, Any]:
    """Read the call's own parameters by its contract; raises ``Refused`` naming the one that is missing or bad."""
    try:
        values = json.loads(text)
        names = set(values)
    except (ValueError, TypeError) as error:
        raise refused(PARAMETER, "360buy_param_json") from error
    read: dict[str, Any] = {}
    for declared, kind in CONTRACT[method].items():
        name = declared.rstrip("*")
        value = values.get(name)
        if value in (None, ""):
            if declared.endswith("*"):
                raise refused(PARAMETER, name)
            continue
        try:
            read[name] = _READERS[kind](str(value))
        except ValueError as error:
            raise refused(PARAMETER, name) from error
    if names - {name.rstrip("*") for name in CONTRACT[method]}:
        raise refused(PARAMETER, str(sorted(names)))
    return read


def _number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {"Text": str, "Number": _number, "Time": read_time}
