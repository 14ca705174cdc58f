"""The gate of the simulated TOP gateway: who may come in, with which parameters.

Checked over the values as received: common parameters, signature (md5, hmac, hmac-sha256), clock, session, and the
method's own parameters against ``taobao_fields.json`` (names, types, required). Codes 7, 25, 27, 29 are documented; the
other numbers, the texts and every ``sub_code`` are the long-known ones, not verified against the live platform: they
stand in ``MESSAGES`` alone.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

GMT8 = timezone(timedelta(hours=8))
SKEW = timedelta(minutes=10)
LONGEST_NUMBER = 19  # digits of a Java long
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "taobao_fields.json").read_text("utf-8"))
MESSAGES = {
    7: "App Call Limited",
    15: "Remote service error",
    21: "Missing method",
    22: "Invalid method",
    23: "Invalid format",
    24: "Missing signature",
    25: "Invalid signature",
    26: "Missing session",
    27: "Invalid session",
    28: "Missing app key",
    29: "Invalid app Key",
    30: "Missing timestamp",
    31: "Invalid timestamp",
    33: "Invalid version",
    40: "Missing required arguments",
    41: "Invalid arguments",
}


class TopError(Exception):
    """An answer of the platform that says no."""

    def __init__(self, code: int, sub_code: str = "", sub_msg: str = "", *, about: str = "") -> None:
        super().__init__(code, sub_code, sub_msg)
        self.body: dict[str, Any] = {"code": code, "msg": f"{MESSAGES[code]}:{about}" if about else MESSAGES[code]}
        if sub_code:
            self.body |= {"sub_code": sub_code, "sub_msg": sub_msg}


def check_common(given: Mapping[str, str], *, app_key: str, secret: str, at: datetime) -> None:
    """Check everything that all calls share but the session; raises ``TopError``."""
    _check_names(given, app_key=app_key)
    if abs(read_timestamp(given["timestamp"]) - at) > SKEW:
        raise TopError(31)
    if not hmac.compare_digest(given["sign"].encode(), signature(given, secret).encode()):
        raise TopError(25, "isv.invalid-signature", "the signature does not fit the parameters")
    if given.get("v") != "2.0":
        raise TopError(33)
    if given.get("format") != "json":
        raise TopError(23)  # XML, the platform's default, is not played here


def _check_names(given: Mapping[str, str], *, app_key: str) -> None:
    for name, code in (("method", 21), ("app_key", 28), ("timestamp", 30), ("sign", 24)):
        if not given.get(name):
            raise TopError(code)
    if given["app_key"] != app_key:
        raise TopError(29)
    if given["method"] not in CONTRACT:
        raise TopError(22)


def check_session(given: Mapping[str, str], session: str) -> None:
    """Check the shop's access token; raises ``TopError``."""
    if not given.get("session"):
        raise TopError(26)
    if given["session"] != session:
        raise TopError(27, "sessionkey-not-generated-by-server", "the session is not known")


def read_timestamp(text: str) -> datetime:
    """Read ``2026-11-23 10:00:00`` (GMT+8) or epoch milliseconds; raises ``TopError``."""
    if re.fullmatch(r"\d{13}", text):
        return datetime.fromtimestamp(int(text) / 1000, GMT8)
    try:
        return read_date(text)
    except ValueError as error:
        raise TopError(31) from error


def read_date(text: str) -> datetime:
    """Read the platform's time text; raises ``ValueError``."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8)


def write_date(at: datetime) -> str:
    """Write a time as the platform does."""
    return at.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def signature(given: Mapping[str, str], secret: str) -> str:
    """Sign the parameters as TOP does, over the values as received; raises ``TopError`` for an unknown method."""
    joined = "".join(name + given[name] for name in sorted(given) if name != "sign" and given[name] != "")
    how = given.get("sign_method", "md5")
    if how == "md5":
        return hashlib.md5((secret + joined + secret).encode()).hexdigest().upper()
    if how not in {"hmac", "hmac-sha256"}:
        raise TopError(25, "isv.invalid-signature-method", f"{how} is not a sign_method")
    digest = "md5" if how == "hmac" else "sha256"
    return hmac.new(secret.encode(), joined.encode(), digest).hexdigest().upper()


def read_arguments(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the method's own parameters by their contract types; raises ``TopError`` naming the bad one."""
    values: dict[str, Any] = {}
    for declared, kind in CONTRACT[given["method"]]["request"].items():
        name = declared.rstrip("*")
        text = given.get(name, "")
        if not text:
            if declared.endswith("*"):
                raise TopError(40, "isv.missing-parameter", name, about=name)
            continue
        try:
            values[name] = _READERS[kind](text)
        except (ValueError, KeyError) as error:
            raise invalid(name) from error
    return values


def invalid(name: str, why: str = "") -> TopError:
    """Make the platform's answer to a parameter that it does not take."""
    return TopError(41, "isv.invalid-parameter", why or name, about=name)


def _number(text: str) -> int:
    if not re.fullmatch(rf"-?\d{{1,{LONGEST_NUMBER}}}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "String": str,
    "Number": _number,
    "Boolean": {"true": True, "false": False}.__getitem__,
    "Date": read_date,
    "Number[]": lambda text: [_number(part) for part in text.split(",")],
}
