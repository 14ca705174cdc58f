"""The gate of the simulated Weimob cloud: names and types of what is asked, and how a push is signed.

Checked against ``weimob_fields.json``, the trees of the official SDK. Not verified against the live platform: the codes
of ``BAD_ARGUMENT``, ``NO_SUCH_CALL`` and ``TOO_MANY``, and what a call needs (``NEEDED``).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from channels.simulators.signed import Refused

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "weimob_fields.json").read_text("utf-8"))
EXPIRED = "80001001000119"
NO_TOKEN = "80001001000120"
TOO_MANY = "80001001000200"
NO_SUCH_CALL = "4900100100001"
BAD_ARGUMENT = "4900100100002"
BUSINESS = "4900100100004"
NEEDED = {
    "order/list/search": ("pageNum", "pageSize"),
    "order/detail/get": ("orderNo",),
    "rights/list/search": ("pageNum", "pageSize"),
    "rights/detail/get": ("rightsId",),
    "fulfill/logistics/update": ("orderNo", "logistics", "basicInfo"),
    "stock/update": ("basicInfo", "goodsList", "quantityEditType"),
}
PREFIX = "/apigw/weimob_shop/v2.0/"
_KINDS = {"int64": int, "string": str, "bool": bool}


def refused(errcode: str, words: str) -> Refused:
    """Make an answer that says no."""
    return Refused({"code": {"errcode": errcode, "errmsg": words}, "globalTicket": "g-1", "data": None})


def read(path: str, body: bytes) -> dict[str, Any]:
    """Return the arguments of a call that keeps the contract; raises ``Refused`` naming the one that does not."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise refused(BAD_ARGUMENT, "the body is not JSON") from error
    if not isinstance(given, dict):
        raise refused(BAD_ARGUMENT, "the body is not an object")
    for name in NEEDED[path]:
        if given.get(name) is None:
            raise refused(BAD_ARGUMENT, f"{name} is missing")
    _check(given, CONTRACT[PREFIX + path], "")
    return given


def _check(value: Any, kind: Any, where: str) -> None:
    """Check a value against its tree: an object, a list of objects, ``[]int64``, or a word of ``_KINDS``."""
    if isinstance(kind, dict):
        for name, inner in _known(value, kind, where).items():
            _check(inner, kind[name], f"{where}{name}.")
    elif isinstance(kind, list) or kind.startswith("[]"):
        if not isinstance(value, list):
            raise refused(BAD_ARGUMENT, f"{where.rstrip('.')} is not a list")
        for inner in value:
            _check(inner, kind[0] if isinstance(kind, list) else kind[2:], where)
    elif type(value) is not _KINDS[kind]:
        raise refused(BAD_ARGUMENT, f"{where.rstrip('.')} is not {kind}")


def _known(value: Any, kind: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refused(BAD_ARGUMENT, f"{where.rstrip('.')} is not an object")
    for name in value:
        if name not in kind:
            raise refused(BAD_ARGUMENT, f"{where}{name} is not known")
    return value


def push(number: int, topic: str, event: str, message: Mapping[str, Any], credentials: Mapping[str, str]) -> bytes:
    """Return the body of a push: the message is a JSON text inside, and signed as such."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    client_id = credentials["client_id"]
    signed = hashlib.md5((client_id + str(number) + text + credentials["client_secret"]).encode()).hexdigest()
    told = {
        "id": number,
        "topic": topic,
        "event": event,
        "bosId": 4000000001,
        "sign": signed,
        "saasClientId": client_id,
        "msgBody": text,
    }
    return json.dumps(told, ensure_ascii=False).encode()
