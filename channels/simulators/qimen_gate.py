"""The gate of the simulated Qimen router and warehouse: signatures over received bytes, names and types of fields.

Not verified against the live platform: the sub_codes of the router's refusals, which stand here alone.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml
from xml.sax.saxutils import escape

from channels.simulators.server import Response
from channels.simulators.signed import read_time

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "qimen_fields.json").read_text("utf-8"))
SKEW = timedelta(minutes=10)
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


class RouterRefused(Exception):
    """The router says no: the warehouse never hears of the call."""

    def __init__(self, code: int, words: str, sub_code: str) -> None:
        super().__init__(code, words, sub_code)
        self.body = {"code": code, "msg": words, "sub_code": sub_code}


class WarehouseRefused(Exception):
    """The warehouse says no."""

    def __init__(self, words: str, code: str = "E01") -> None:
        super().__init__(words)
        self.body = {"flag": "failure", "code": code, "message": words}


def signature(query: Mapping[str, str], body: bytes, secret: str) -> str:
    """Sign a call over its parameters and its body's bytes."""
    parts = [name.encode() + query[name].encode() for name in sorted(query) if name != "sign"]
    return hashlib.md5(secret.encode() + b"".join(parts) + body + secret.encode()).hexdigest().upper()


def check(query: Mapping[str, str], body: bytes, *, credentials: Mapping[str, str], at: datetime) -> str:
    """Check what all calls share and return the method without its prefix; raises ``RouterRefused``."""
    method = query.get("method", "").removeprefix("taobao.qimen.")
    if method not in CONTRACT:
        raise RouterRefused(22, "Invalid method", "isv.invalid-method")
    for name, theirs in (("app_key", "app_key"), ("customerId", "customer_id")):
        if query.get(name) != credentials[theirs]:
            raise RouterRefused(41, f"Invalid arguments:{name}", "isv.invalid-parameter")
    if query.get("format") != "xml" or query.get("v") != "2.0" or query.get("sign_method") != "md5":
        raise RouterRefused(41, "Invalid arguments:format", "isv.invalid-parameter")
    expected = signature(query, body, credentials["secret"])
    if not hmac.compare_digest(query.get("sign", "").encode(), expected.encode()):
        raise RouterRefused(25, "Invalid signature", "sign-check-failure")
    try:
        moment = read_time(query.get("timestamp", ""))
    except ValueError as error:
        raise RouterRefused(31, "Invalid timestamp", "isv.invalid-parameter") from error
    if abs(moment - at) > SKEW:
        raise RouterRefused(31, "Invalid timestamp", "isv.invalid-parameter")
    return method


def read(method: str, body: bytes) -> dict[str, Any]:
    """Return a request that keeps the contract, lists as lists; raises ``WarehouseRefused`` naming the field."""
    try:
        root = Xml.fromstring(body)
    except Xml.ParseError as error:
        raise WarehouseRefused(f"XML: {error}") from error
    if root.tag != "request":
        raise WarehouseRefused("request is missing")
    return _object(root, CONTRACT[method], "")


def _object(element: Xml.Element, shape: Mapping[str, Any], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for declared, kind in shape.items():
        name = declared.rstrip("*")
        child = element.find(name)
        if child is None or (isinstance(kind, str) and not (child.text or "").strip()):
            if declared.endswith("*"):
                raise WarehouseRefused(f"{where}{name} is missing")
            continue
        values[name] = _value(child, kind, f"{where}{name}")
    return values


def _value(child: Xml.Element, kind: Any, where: str) -> Any:
    if isinstance(kind, list):
        inner, shape = kind
        return [_object(each, shape, f"{where}[{place}].") for place, each in enumerate(child.findall(inner))]
    if isinstance(kind, dict):
        return _object(child, kind, f"{where}.")
    text = (child.text or "").strip()
    if kind == "Number" and not text.lstrip("-").isdigit():
        raise WarehouseRefused(f"{where} is not a number")
    return int(text) if kind == "Number" else text


def written(name: str, value: Mapping[str, Any]) -> bytes:
    """Write a document; a list is its element again and again."""
    return (DECLARATION + _element(name, value)).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(inner, each) for inner, each in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def answered(name: str, value: Mapping[str, Any]) -> Response:
    """Write an answer."""
    return Response(written(name, value), content_type="text/xml;charset=utf-8")
